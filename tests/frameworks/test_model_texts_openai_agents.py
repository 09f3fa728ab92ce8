"""What models write, through the OpenAI Agents SDK, which itself keeps one of several calls with one id."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import Agent, ModelBehaviorError, Runner, function_tool, set_tracing_disabled
from model_texts import (
    BROKEN_ARGUMENTS,
    CALLS,
    DONE,
    PLACE,
    TWO_VALUES,
    UNREADABLE,
    Notebook,
    Place,
    Row,
    check_calls,
    model_writes,
)

from tess_openai import presets
from tess_openai.testing import TessSimulator

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")
set_tracing_disabled(True)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    """Run whole, and event by event."""
    return bool(request.param)


def run(agent: Agent[None], asked: Any, *, streamed: bool) -> Any:
    """Run an agent to its final output."""

    async def stream() -> Any:
        events = Runner.run_streamed(agent, asked)
        async for _ in events.stream_events():
            pass
        return events.final_output

    return asyncio.run(stream()) if streamed else Runner.run_sync(agent, asked).final_output


def agent_of(emulating: dict[str, Any], notebook: Notebook | None = None, **more: Any) -> Agent[None]:
    """An agent of the SDK's with one tool."""
    tools = [] if notebook is None else [function_tool(notebook.write, strict_mode=False)]
    model = presets.openai_agents(42, model="tess-6", **emulating)
    return Agent(name="Writer", instructions="Be brief.", model=model, tools=tools, **more)


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.kind)
def test_calls(simulator: TessSimulator, emulating: dict[str, Any], row: Row, *, streamed: bool) -> None:
    """The tool is called with what the model means, once it is sure."""
    check_calls(
        simulator, row, lambda notebook: run(agent_of(emulating, notebook), "Write it.", streamed=streamed)
    )


def test_arguments_that_break_the_schema_twice(
    simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool
) -> None:
    """The SDK validates them itself, and tells the model of an error."""
    simulator.script(*map(model_writes, (BROKEN_ARGUMENTS, BROKEN_ARGUMENTS, DONE)))
    notebook = Notebook()
    assert run(agent_of(emulating, notebook), "Write it.", streamed=streamed) == DONE
    assert notebook.calls == []
    assert "An error occurred" in simulator.calls[2].json["messages"][-1]["content"]


def test_values_that_differ(simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool) -> None:
    """The model is asked which one it means."""
    simulator.script(*TWO_VALUES)
    assert run(agent_of(emulating, output_type=Place), "Where?", streamed=streamed) == PLACE
    assert len(simulator.calls) == len(TWO_VALUES)


def test_json_that_cannot_be_read(
    simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool
) -> None:
    """The SDK's own error is about the text and not about a refusal."""
    simulator.script(UNREADABLE, UNREADABLE)
    with pytest.raises(ModelBehaviorError, match="Invalid JSON"):
        run(agent_of(emulating, output_type=Place), "Where?", streamed=streamed)
