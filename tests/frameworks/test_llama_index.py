"""LlamaIndex's `OpenAILike` and agents on a Tess agent."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from scripted import answers_with, calls
from shared import ROME, WEATHER, City, is_rome, lines_of, own_lines_of, weather

from tess_openai import Change, TessRequestWarning, TessWarning, changes_of, connection, presets
from tess_openai.testing import TessSimulator, faults

HELLO = [ChatMessage(role="user", content="hello")]


def language_model(tess: dict[str, Any], **more: Any) -> OpenAILike:
    """A model of agent 42."""
    return OpenAILike(model="tess-6", **{**presets.llama_index(42, **tess), **more})


@pytest.mark.cell("chat")
def test_chat(tess: dict[str, Any]) -> None:
    """Chat and completion work without a warning: the preset's temperature is one that agents have."""
    model = language_model(tess)
    assert str(model.chat(HELLO)).endswith("received: hello")
    assert str(model.complete("hello")).endswith("received: hello")


@pytest.mark.cell("stream")
def test_stream(tess: dict[str, Any]) -> None:
    """Text arrives piece by piece."""
    pieces = [piece.delta for piece in language_model(tess).stream_chat(HELLO)]
    assert len(pieces) > 5
    assert "".join(filter(None, pieces)).endswith("received: hello")


@pytest.mark.cell("async")
async def test_async(tess: dict[str, Any]) -> None:
    """Async calls and streams work."""
    model = language_model(tess)
    assert str(await model.achat(HELLO)).endswith("received: hello")
    pieces = [piece.delta async for piece in await model.astream_chat(HELLO)]
    assert "".join(filter(None, pieces)).endswith("received: hello")


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """LlamaIndex's own messages go back as history."""
    model = language_model(tess)
    first = model.chat(HELLO)
    model.chat([*HELLO, first.message, ChatMessage(role="user", content="and now?")])
    roles = [message["role"] for message in simulator.calls[1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.cell("errors")
def test_errors(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The program gets the SDK's own exceptions, with Tess's reason in their text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        language_model(tess).chat(HELLO)


@pytest.mark.cell(
    "structured output",
    note="By prompt: LlamaIndex puts the schema into the prompt and takes the JSON out of the answer. It "
    "demands a call of no function with it; that is left out without a warning, and `on_change` is called.",
)
def test_structured_output_by_prompt(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """LlamaIndex's own way for models without functions; prose is an error."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```", "Rome, in Italy.")
    changes: list[Change] = []
    model = language_model({**tess, "on_change": changes.append}).as_structured_llm(City)
    answer = model.chat(HELLO)
    assert is_rome(answer.raw)
    assert [change.param for change in changes] == ["tool_choice"]
    assert changes_of(answer) == ()
    with pytest.raises(ValueError, match="json"):
        model.chat(HELLO)


@pytest.mark.cell("structured output", emulated=True)
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The object is found even if the model writes prose around its JSON."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    answer = language_model(emulating).as_structured_llm(City).chat(HELLO)
    assert is_rome(answer.raw)


@pytest.mark.cell(
    "tool loop",
    note="By prompt, with `ReActAgent`. LlamaIndex itself refuses what needs functions of the model's own, "
    "such as `FunctionAgent`, with a `ValueError` before anything is sent; under emulation it works.",
)
async def test_tool_loop_by_prompt(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """LlamaIndex's own agent for models without functions; nothing is warned of."""
    thought = "Thought: I need a tool.\nAction: weather\nAction Input: "
    simulator.script(
        thought + WEATHER,
        answers_with("sunny in Rome", "Thought: I can answer.\nAnswer: It is sunny in Rome."),
    )
    agent = ReActAgent(tools=[weather], llm=language_model(tess))
    assert str(await agent.run("Weather in Rome?")) == "It is sunny in Rome."


async def run_function_agent(model: OpenAILike) -> None:
    """Run the agent that needs functions."""
    await FunctionAgent(tools=[weather], llm=model).run("Weather in Rome?")


async def run_program(model: OpenAILike) -> None:
    """Run the program that needs functions."""
    program = FunctionCallingProgram.from_defaults(output_cls=City, prompt_template_str="Which?", llm=model)
    await program.acall()


async def predict_and_call(model: OpenAILike) -> None:
    """Let the model choose one of some functions."""
    await model.apredict_and_call([FunctionTool.from_defaults(weather)], user_msg="Weather in Rome?")


@pytest.mark.parametrize("use", [run_function_agent, run_program, predict_and_call])
async def test_what_needs_functions_is_refused_without_emulation(
    simulator: TessSimulator, tess: dict[str, Any], use: Callable[[OpenAILike], Awaitable[None]]
) -> None:
    """LlamaIndex refuses it, since the preset says that there are no functions; nothing is sent."""
    with pytest.raises(ValueError, match=r"FunctionCallingLLM|function calling|ReAct"):
        await use(language_model(tess))
    assert simulator.calls == []


def test_functions_that_are_sent_nevertheless_are_left_out(tess: dict[str, Any]) -> None:
    """The model answers in prose, and the program is warned."""
    model = language_model(tess)
    with pytest.warns(TessRequestWarning, match="tools"):
        answer = model.chat_with_tools([FunctionTool.from_defaults(weather)], user_msg="Weather in Rome?")
    assert model.get_tool_calls_from_response(answer, error_on_no_tool_call=False) == []


@pytest.mark.cell("tool loop", emulated=True)
async def test_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The agent's function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    agent = FunctionAgent(tools=[weather], llm=language_model(emulating))
    assert str(await agent.run("Weather in Rome?")) == "It is sunny in Rome."


@pytest.mark.cell(
    "ledger",
    note="`changes_of(response)`; the SDK's answer is kept in `raw`, but by `as_structured_llm`, which has "
    "its object there.",
)
def test_the_ledger_reaches_the_program(tess: dict[str, Any]) -> None:
    """It is on the response, and on the last piece of a stream."""
    model = language_model({**tess, "unsupported": "ignore"}, max_tokens=9)
    assert [change.param for change in changes_of(model.chat(HELLO))] == ["max_tokens"]
    assert [change.param for change in changes_of(list(model.stream_chat(HELLO))[-1])] == ["max_tokens"]


@pytest.mark.cell("warning")
def test_a_loop_is_warned_once_at_its_line(tess: dict[str, Any]) -> None:
    """This holds under Python's default filter, whatever frames are between."""
    model = language_model(tess, max_tokens=9)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(3):
            model.chat(HELLO)
    assert lines_of(caught) == [__file__]


async def test_a_task_is_warned_of_at_the_line_that_waits(emulating: dict[str, Any]) -> None:
    """An agent runs in tasks; each line of the program is one place, however often it is run."""
    model = language_model(emulating, additional_kwargs={"seed": 3})
    agent = FunctionAgent(tools=[weather], llm=model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(2):
            await model.achat(HELLO)  # 1
            await agent.run("hello")  # 2
    assert [line[-3:] for line in own_lines_of(caught, __file__)] == ["# 1", "# 2"]


def responses_model(tess: dict[str, Any], **more: Any) -> OpenAIResponses:
    """A model of agent 42 that uses the Responses API."""
    given = connection(42, **tess)
    return OpenAIResponses(
        model="gpt-4o",
        api_base=given["base_url"],
        api_key=given["api_key"],
        http_client=given["http_client"],
        async_http_client=given["async_http_client"],
        temperature=0.0,
        **more,
    )


@pytest.mark.cell("responses chat")
async def test_responses_chat(tess: dict[str, Any]) -> None:
    """Sync and async calls return an answer."""
    model = responses_model(tess)
    assert str(model.chat(HELLO)).endswith("received: hello")
    assert str(await model.achat(HELLO)).endswith("received: hello")


@pytest.mark.cell("responses stream")
def test_responses_stream(tess: dict[str, Any]) -> None:
    """Text arrives piece by piece."""
    pieces = [piece.delta for piece in responses_model(tess).stream_chat(HELLO)]
    assert len(pieces) > 5
    assert "".join(filter(None, pieces)).endswith("received: hello")


@pytest.mark.cell("responses tool loop", emulated=True)
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_responses_tool_loop(
    simulator: TessSimulator,
    emulating: dict[str, Any],
    streaming: bool,
) -> None:
    """An agent calls the function, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny."))
    model = responses_model(emulating)
    agent = FunctionAgent(tools=[FunctionTool.from_defaults(weather)], llm=model, streaming=streaming)
    assert str(await agent.run("Weather?")) == "It is sunny."


@pytest.mark.cell("responses structured output", emulated=True)
def test_responses_structured_output(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """`text.format` gives an object."""
    simulator.script(ROME)
    assert is_rome(responses_model(emulating).as_structured_llm(City).complete("Which city?").raw)


@pytest.mark.cell("responses three turns")
def test_responses_three_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """`previous_response_id`, which LlamaIndex tracks, continues the conversation."""
    model = responses_model(tess, track_previous_responses=True)
    for text in ("one", "two", "three"):
        model.chat([ChatMessage(role="user", content=text)])
    roles = [message["role"] for message in simulator.calls[-1].json["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
