"""LangChain's `ChatOpenAI` and agents on a Tess agent."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import (
    ProviderStrategy,
    StructuredOutputValidationError,
    ToolStrategy,
)
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableParallel
from langchain_openai import ChatOpenAI
from langgraph.graph.state import CompiledStateGraph
from pydantic import ValidationError
from scripted import answers_with, calls
from shared import NO_JSON, NO_TOOLS, ROME, THREADS, WEATHER, City, is_rome, lines_of, own_lines_of, weather

from tess_openai import TessRequestWarning, TessWarning, changes_of, presets
from tess_openai.testing import TessSimulator, faults

NO_DEMAND = "A call that is demanded by `tool_choice` is refused before anything is sent."
REFUSAL = r"tool_choice: Tess makes no function calls, .*create_client\(emulate=True\)"


def chat_model(tess: dict[str, Any], **more: Any) -> ChatOpenAI:
    """A model of agent 42."""
    return ChatOpenAI(model="tess-6", **presets.langchain(42, **tess), **more)


@pytest.mark.cell("chat")
def test_chat(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """A plain call, with a system message, needs nothing changed and warns of nothing."""
    message = chat_model(tess).invoke([("system", "Be brief."), ("human", "hello")])
    assert message.text.endswith("received: hello")
    assert message.usage_metadata is not None
    assert simulator.calls[0].status == 200


@pytest.mark.cell("stream")
def test_stream(tess: dict[str, Any]) -> None:
    """Text arrives piece by piece, with the finish reason at the end."""
    chunks = list(chat_model(tess).stream("hello"))
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks).endswith("received: hello")
    assert any(chunk.response_metadata.get("finish_reason") == "stop" for chunk in chunks)


def test_usage_of_a_stream(tess: dict[str, Any]) -> None:
    """Counts come where they are asked for; LangChain asks for none of a `base_url` that is not OpenAI's."""
    for asked in (None, True):
        counts = [chunk.usage_metadata for chunk in chat_model(tess, stream_usage=asked).stream("hello")]
        assert any(counts) is bool(asked)


@pytest.mark.cell("async")
async def test_async(tess: dict[str, Any]) -> None:
    """Async calls and streams work."""
    model = chat_model(tess)
    assert (await model.ainvoke("hello")).text.endswith("received: hello")
    pieces = [chunk.text async for chunk in model.astream("hello")]
    assert "".join(pieces).endswith("received: hello")


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """LangChain's own message objects go back as history."""
    model = chat_model(tess)
    first = model.invoke("hello")
    model.invoke([HumanMessage("hello"), first, HumanMessage("and now?")])
    roles = [message["role"] for message in simulator.calls[1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.cell("errors")
def test_errors(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The program gets the SDK's own exceptions, with Tess's reason in their text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        chat_model(tess).invoke("hello")


@pytest.mark.cell("structured output", gives=False, note=f"{NO_JSON} {NO_DEMAND}")
@pytest.mark.parametrize(
    ("method", "error"), [("json_schema", ValidationError), ("json_mode", OutputParserException)]
)
def test_structured_output_without_emulation(
    simulator: TessSimulator, tess: dict[str, Any], method: Any, error: type[Exception]
) -> None:
    """Prose where JSON was asked for is an error, never a silent None."""
    simulator.script("Rome, in Italy.")
    model = chat_model(tess).with_structured_output(City, method=method)
    with pytest.warns(TessRequestWarning, match="response_format"), pytest.raises(error):
        model.invoke("Which city? Answer in JSON.")


def test_native_output_of_an_agent_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """After one call, the agent fails with its own error."""
    agent = create_agent(chat_model(tess), [], response_format=ProviderStrategy(City))
    with (
        pytest.warns(TessRequestWarning, match="response_format"),
        pytest.raises(StructuredOutputValidationError),
    ):
        agent.invoke({"messages": [HumanMessage("Which city?")]})
    assert len(simulator.calls) == 1


def agent_with_format(tess: dict[str, Any], response_format: Any) -> Any:
    """An agent that is asked for its answer in a shape."""
    return create_agent(chat_model(tess), [weather], response_format=response_format)


DEMANDING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an agent": lambda tess: agent_with_format(tess, City),
    "an agent with a strategy": lambda tess: agent_with_format(tess, ToolStrategy(City)),
    "a chain": lambda tess: chat_model(tess).with_structured_output(City, method="function_calling"),
    "bound functions": lambda tess: chat_model(tess).bind_tools([weather], tool_choice="any"),
    "a word for another parameter": lambda tess: agent_with_format(
        {**tess, "unsupported": {"seed": "ignore"}}, City
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("make", DEMANDING.values(), ids=DEMANDING)
def test_a_call_that_the_program_will_not_make_is_refused(
    simulator: TessSimulator,
    tess: dict[str, Any],
    make: Callable[[dict[str, Any]], Any],
    stream: bool,
) -> None:
    """LangChain's agents would otherwise ask for the call again and again, each time paid for."""
    question = [HumanMessage("Which city?")]
    runnable = make(tess)
    given: Any = {"messages": question} if isinstance(runnable, CompiledStateGraph) else question
    with pytest.raises(openai.BadRequestError, match=REFUSAL) as raised:
        list(runnable.stream(given)) if stream else runnable.invoke(given)
    assert (raised.value.param, raised.value.code) == ("tool_choice", "unsupported_parameter")
    assert simulator.requests == []


@pytest.mark.parametrize("unsupported", ["warn", {"tool_choice": "warn"}, {"*": "warn"}])
def test_the_callers_own_word_on_a_demand_counts(
    simulator: TessSimulator, tess: dict[str, Any], unsupported: Any
) -> None:
    """The preset's policy applies only where the caller sets none."""
    model = chat_model({**tess, "unsupported": unsupported}).bind_tools([weather], tool_choice="any")
    with pytest.warns(TessRequestWarning, match="tool") as caught:
        assert model.invoke("Weather in Rome?").text
    (message,) = [str(each.message) for each in caught]
    assert re.findall(r"\(\d\) (\S+)", message) == ["tools", 'tool_choice="required"']
    assert len(simulator.calls) == 1


@pytest.mark.cell("structured output", emulated=True)
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any], method: Any) -> None:
    """Every method of `with_structured_output` gives an object."""
    simulator.script(
        calls("City", ROME) if method == "function_calling" else f"Here it is:\n```json\n{ROME}\n```"
    )
    model = chat_model(emulating).with_structured_output(City, method=method)
    assert is_rome(model.invoke("Which city? Answer in JSON."))


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The agent answers without the tool, after one call, and the program is warned."""
    agent = create_agent(chat_model(tess), [weather])
    with pytest.warns(TessRequestWarning, match="tools"):
        answer = agent.invoke({"messages": [HumanMessage("Weather in Rome?")]})
    assert [type(message) for message in answer["messages"]] == [HumanMessage, AIMessage]
    assert len(simulator.calls) == 1


@pytest.mark.cell("tool loop", emulated=True)
def test_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The agent's function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    agent = create_agent(chat_model(emulating), [weather])
    answer = agent.invoke({"messages": [HumanMessage("Weather in Rome?")]})
    assert answer["messages"][-1].text == "It is sunny in Rome."


async def test_tool_loop_in_a_stream(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The loop works token by token and async too."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    agent = create_agent(chat_model(emulating), [weather])
    question = {"messages": [HumanMessage("Weather in Rome?")]}
    reply = [piece.text async for piece, _ in agent.astream(question, stream_mode="messages")]
    assert "".join(reply).endswith("It is sunny in Rome.")


@pytest.mark.cell("ledger", note="`changes_of(message)`; the headers are kept in `response_metadata`.")
def test_the_ledger_reaches_the_program(tess: dict[str, Any]) -> None:
    """It is on the message, and on the joined pieces of a stream."""
    model = chat_model({**tess, "unsupported": "ignore"}, seed=3)
    assert [change.param for change in changes_of(model.invoke("hello"))] == ["seed"]
    whole = None
    for chunk in model.stream("hello"):
        whole = chunk if whole is None else whole + chunk
    assert [change.param for change in changes_of(whole)] == ["seed"]


@pytest.mark.cell("warning", note=THREADS.format("A sync `batch`, `RunnableParallel` or `include_raw=True`"))
def test_a_loop_is_warned_once_at_its_line(tess: dict[str, Any]) -> None:
    """This holds under Python's default filter, whatever frames are between."""
    model = chat_model(tess, seed=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            model.invoke("hello")
    assert lines_of(caught) == [__file__]


async def test_a_task_is_warned_of_at_the_line_that_waits(tess: dict[str, Any]) -> None:
    """LangChain makes tasks of async calls; each line of the program is one place, however often run."""
    model = chat_model(tess, seed=3)
    agent = create_agent(model, [])
    both = RunnableParallel(one=model, other=model)
    question: Any = {"messages": [HumanMessage("hello")]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(2):
            await model.ainvoke("hello")  # 1
            await model.abatch(["hello", "hello"])  # 2
            await both.ainvoke("hello")  # 3
            await agent.ainvoke(question)  # 4
            await asyncio.gather(model.ainvoke("hello"), agent.ainvoke(question))  # 5
            async for _ in agent.astream(question, stream_mode="messages"):  # 6
                pass
    assert [line[-3:] for line in own_lines_of(caught, __file__)] == [f"# {number}" for number in range(1, 7)]


IN_THREADS: dict[str, Callable[[ChatOpenAI], Any]] = {
    "batch": lambda model: model.batch(["hello", "hello"]),
    "RunnableParallel": lambda model: RunnableParallel(one=model, other=model).invoke("hello"),
    "include_raw": lambda model: model.with_structured_output(
        City, method="json_mode", include_raw=True
    ).invoke("hello"),
}


@pytest.mark.parametrize("use", IN_THREADS.values(), ids=IN_THREADS)
def test_calls_in_threads_warn_at_langchain_itself(
    tess: dict[str, Any], use: Callable[[ChatOpenAI], Any]
) -> None:
    """No line of the program is on the stack of a thread of LangChain's."""
    with pytest.warns(TessRequestWarning) as caught:
        use(chat_model(tess, seed=3))
    assert all("langchain_openai" in Path(file).parts for file in lines_of(list(caught)))


def responses_model(tess: dict[str, Any], **more: Any) -> ChatOpenAI:
    """A model of agent 42 that uses the Responses API."""
    given = {**presets.langchain(42, **tess), "use_responses_api": True, **more}
    return ChatOpenAI(model="tess-6", **given)


@pytest.mark.cell("responses chat")
async def test_responses_chat(tess: dict[str, Any]) -> None:
    """Sync and async calls return an answer."""
    model = responses_model(tess)
    assert model.invoke("hello").text.endswith("received: hello")
    assert (await model.ainvoke("hello")).text.endswith("received: hello")


@pytest.mark.cell("responses stream")
def test_responses_stream(tess: dict[str, Any]) -> None:
    """Text arrives piece by piece."""
    pieces = [chunk.text for chunk in responses_model(tess).stream("hello")]
    assert len(pieces) > 5
    assert "".join(pieces).endswith("received: hello")


@pytest.mark.cell("responses tool loop", emulated=True)
def test_responses_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The agent's function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny."))
    agent = create_agent(responses_model(emulating), [weather])
    result = agent.invoke({"messages": [HumanMessage("Weather?")]})
    assert result["messages"][-1].text == "It is sunny."


@pytest.mark.cell("responses structured output", emulated=True)
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_responses_structured_output(
    simulator: TessSimulator, emulating: dict[str, Any], method: Any
) -> None:
    """Every method of `with_structured_output` gives an object."""
    simulator.script(calls("City", ROME) if method == "function_calling" else ROME)
    model = responses_model(emulating).with_structured_output(City, method=method)
    assert is_rome(model.invoke("Which city? Answer in JSON."))


@pytest.mark.cell("responses three turns")
async def test_responses_three_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """LangChain finds the previous response itself; the sync and the async client have one store."""
    model = responses_model(tess, use_previous_response_id=True)
    messages: list[Any] = [HumanMessage("one")]
    messages += [model.invoke(messages), HumanMessage("two")]
    messages += [await model.ainvoke(messages), HumanMessage("three")]
    model.invoke(messages)
    roles = [message["role"] for message in simulator.calls[-1].json["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_a_model_whose_name_implies_responses(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """It works without a word."""
    model = ChatOpenAI(model="gpt-5-pro", **presets.langchain(42, models={"*": "tess-6"}, **tess))
    assert model.invoke("hello").text.endswith("received: hello")
    assert simulator.calls[0].json["model"] == "tess-6"
