"""What models write, through Pydantic AI."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

import pytest
from model_texts import (
    BROKEN_ARGUMENTS,
    CALLS,
    DONE,
    PLACE,
    TWICE,
    TWO_VALUES,
    UNREADABLE,
    Notebook,
    Place,
    Row,
    check_calls,
    model_writes,
)
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.messages import ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart, UserPromptPart

from tess_openai import presets
from tess_openai.testing import TessSimulator

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    """Run whole, and with each answer of the model as a stream."""
    return bool(request.param)


def run(agent: Agent[None, Any], asked: str, *, streamed: bool, **more: Any) -> Any:
    """Run an agent to its output."""

    async def handle(context: Any, events: AsyncIterable[Any]) -> None:
        async for _ in events:
            pass

    return agent.run_sync(asked, event_stream_handler=handle if streamed else None, **more).output


def agent_of(emulating: dict[str, Any], notebook: Notebook | None = None, **more: Any) -> Agent[None, Any]:
    """An agent of the framework's with one tool."""
    tools = [] if notebook is None else [notebook.write]
    return Agent(presets.pydantic_ai(42, model="tess-6", **emulating), tools=tools, **more)


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.kind)
def test_calls(simulator: TessSimulator, emulating: dict[str, Any], row: Row, *, streamed: bool) -> None:
    """The tool is called with what the model means, once it is sure."""
    check_calls(
        simulator, row, lambda notebook: run(agent_of(emulating, notebook), "Write it.", streamed=streamed)
    )


def test_arguments_that_break_the_schema_twice(
    simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool
) -> None:
    """The framework validates them itself, and tells the model."""
    simulator.script(*map(model_writes, (BROKEN_ARGUMENTS, BROKEN_ARGUMENTS, DONE)))
    notebook = Notebook()
    assert run(agent_of(emulating, notebook), "Write it.", streamed=streamed) == DONE
    assert notebook.calls == []
    assert "size" in simulator.calls[2].json["messages"][-1]["content"]


def test_results_of_calls_with_one_identifier(
    simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool
) -> None:
    """The nth result belongs to the nth call."""
    calls = [ToolCallPart(name, {}, tool_call_id="0") for name in ("read", "write")]
    results = [
        ToolReturnPart(name, text, tool_call_id="0")
        for name, text in (("read", "first"), ("write", "second"))
    ]
    history = [ModelRequest([UserPromptPart("Go.")]), ModelResponse(calls), ModelRequest(results)]
    simulator.script(DONE)
    run(agent_of(emulating, Notebook()), "And?", streamed=streamed, message_history=history)
    sent = str(simulator.calls[0].json["messages"][-1]["content"])
    order = ["Result of read", "first", "Result of write", "second"]
    assert sorted(order, key=sent.index) == order


def test_values_that_differ(simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool) -> None:
    """The model is asked which one it means."""
    simulator.script(*TWO_VALUES)
    agent = agent_of(emulating, output_type=NativeOutput(Place))
    assert run(agent, "Where?", streamed=streamed) == PLACE
    assert len(simulator.calls) == len(TWO_VALUES)


def test_json_that_cannot_be_read(
    simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool
) -> None:
    """The framework asks again by its own means, since the answer is no refusal."""
    simulator.script(UNREADABLE, UNREADABLE, TWO_VALUES[1])
    agent = agent_of(emulating, output_type=NativeOutput(Place))
    assert run(agent, "Where?", streamed=streamed) == PLACE
    assert len(simulator.calls) == TWICE + 1
