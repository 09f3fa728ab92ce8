"""LangChain's `ChatOpenAI` and agents on a Tess agent."""

from __future__ import annotations

import warnings
from typing import Any

import openai
import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import ValidationError
from scripted import answers_with, calls
from shared import NO_JSON, NO_TOOLS, ROME, WEATHER, City, is_rome, lines_of, weather

from tess_openai import TessParameterWarning, TessToolsWarning, changes_of, presets
from tess_openai.testing import TessSimulator, faults


def chat_model(tess: dict[str, Any], **more: Any) -> ChatOpenAI:
    """A model of agent 42."""
    return ChatOpenAI(model="tess-6", **presets.langchain(42, **tess), **more)


@pytest.mark.cell("chat")
def test_chat(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """A plain call, with a system message, needs nothing changed and warns of nothing."""
    message = chat_model(tess).invoke([("system", "Be brief."), ("human", "hello")])
    assert message.text.endswith("heard: hello")
    assert message.usage_metadata is not None
    assert simulator.calls[0].status == 200


@pytest.mark.cell("stream")
def test_stream(tess: dict[str, Any]) -> None:
    """Piece by piece, with the finish reason at the end."""
    chunks = list(chat_model(tess).stream("hello"))
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks).endswith("heard: hello")
    assert any(chunk.response_metadata.get("finish_reason") == "stop" for chunk in chunks)


@pytest.mark.cell("async")
async def test_async(tess: dict[str, Any]) -> None:
    """Calls and streams."""
    model = chat_model(tess)
    assert (await model.ainvoke("hello")).text.endswith("heard: hello")
    pieces = [chunk.text async for chunk in model.astream("hello")]
    assert "".join(pieces).endswith("heard: hello")


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
    """The SDK's own exceptions, with Tess's reason in their text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        chat_model(tess).invoke("hello")


@pytest.mark.cell("structured output", gives=False, note=NO_JSON)
def test_structured_output_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Prose where JSON was asked for is an error, never a silent None."""
    simulator.script("Rome, in Italy.")
    with pytest.warns(TessParameterWarning, match="response_format"), pytest.raises(ValidationError):
        chat_model(tess).with_structured_output(City).invoke("Which city?")


@pytest.mark.cell("structured output", emulated=True)
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any], method: Any) -> None:
    """Every method of `with_structured_output`."""
    simulator.script(
        calls("City", ROME) if method == "function_calling" else f"Here it is:\n```json\n{ROME}\n```"
    )
    model = chat_model(emulating).with_structured_output(City, method=method)
    assert is_rome(model.invoke("Which city? Answer in JSON."))


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation(tess: dict[str, Any]) -> None:
    """The agent answers without the tool, and the program is told."""
    agent = create_agent(chat_model(tess), [weather])
    with pytest.warns(TessToolsWarning, match="tools"):
        answer = agent.invoke({"messages": [HumanMessage("Weather in Rome?")]})
    assert [type(message) for message in answer["messages"]] == [HumanMessage, AIMessage]


@pytest.mark.cell("tool loop", emulated=True)
def test_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The agent's function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    agent = create_agent(chat_model(emulating), [weather])
    answer = agent.invoke({"messages": [HumanMessage("Weather in Rome?")]})
    assert answer["messages"][-1].text == "It is sunny in Rome."


async def test_tool_loop_in_a_stream(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The same, token by token and async."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    agent = create_agent(chat_model(emulating), [weather])
    question = {"messages": [HumanMessage("Weather in Rome?")]}
    said = [piece.text async for piece, _ in agent.astream(question, stream_mode="messages")]
    assert "".join(said).endswith("It is sunny in Rome.")


@pytest.mark.cell("ledger", note="`changes_of(message)`; the headers are kept in `response_metadata`.")
def test_the_ledger_reaches_the_program(tess: dict[str, Any]) -> None:
    """On the message, and on the pieces of a stream joined."""
    model = chat_model({**tess, "unsupported": "ignore"}, seed=3)
    assert [change.param for change in changes_of(model.invoke("hello"))] == ["seed"]
    whole = None
    for chunk in model.stream("hello"):
        whole = chunk if whole is None else whole + chunk
    assert [change.param for change in changes_of(whole)] == ["seed"]


@pytest.mark.cell("warning")
def test_a_loop_is_warned_once_at_its_line(tess: dict[str, Any]) -> None:
    """Under Python's default filter, whatever lies between."""
    model = chat_model(tess, seed=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            model.invoke("hello")
    assert lines_of(caught) == [__file__]
