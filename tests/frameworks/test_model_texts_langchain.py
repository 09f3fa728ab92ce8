"""What models write, through LangChain."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
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


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def model(request: pytest.FixtureRequest, emulating: dict[str, Any]) -> ChatOpenAI:
    """A model of agent 42 whose answers come whole, or as streams."""
    return ChatOpenAI(model="tess-6", streaming=request.param, **presets.langchain(42, **emulating))


def run(model: ChatOpenAI, notebook: Notebook) -> str:
    """Run an agent with one tool to its final answer."""
    agent: Any = create_agent(model, [tool(notebook.write)])
    return str(agent.invoke({"messages": [HumanMessage("Write it.")]})["messages"][-1].text)


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.kind)
def test_calls(simulator: TessSimulator, model: ChatOpenAI, row: Row) -> None:
    """The tool is called with what the model means, once it is sure."""
    check_calls(simulator, row, lambda notebook: run(model, notebook))


def test_arguments_that_break_the_schema_twice(simulator: TessSimulator, model: ChatOpenAI) -> None:
    """LangChain validates them itself, and tells the model."""
    simulator.script(*map(model_writes, (BROKEN_ARGUMENTS, BROKEN_ARGUMENTS, DONE)))
    notebook = Notebook()
    assert (run(model, notebook), notebook.calls) == (DONE, [])
    assert "size" in simulator.calls[2].json["messages"][-1]["content"]


def test_results_of_calls_with_one_identifier(simulator: TessSimulator, model: ChatOpenAI) -> None:
    """The nth result belongs to the nth call."""
    calls = [{"name": name, "args": {}, "id": "0", "type": "tool_call"} for name in ("read", "write")]
    results = [ToolMessage(text, tool_call_id="0") for text in ("first", "second")]
    simulator.script(DONE)
    model.bind_tools([tool(Notebook().write)]).invoke(
        [HumanMessage("Go."), AIMessage("", tool_calls=calls), *results]  # type: ignore[arg-type] # a list of a subclass
    )
    sent = str(simulator.calls[0].json["messages"][-1]["content"])
    order = ["Result of read", "first", "Result of write", "second"]
    assert sorted(order, key=sent.index) == order


def test_values_that_differ(simulator: TessSimulator, model: ChatOpenAI) -> None:
    """The model is asked which one it means."""
    simulator.script(*TWO_VALUES)
    assert model.with_structured_output(Place, method="json_schema").invoke("Where?") == PLACE
    assert len(simulator.calls) == len(TWO_VALUES)


def test_json_that_cannot_be_read(simulator: TessSimulator, model: ChatOpenAI) -> None:
    """The error, LangChain's own or the SDK's, is about the text and not about a refusal."""
    simulator.script(UNREADABLE, UNREADABLE)
    with pytest.raises(ValueError, match="escape"):
        model.with_structured_output(Place, method="json_schema").invoke("Where?")
