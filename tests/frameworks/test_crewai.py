"""CrewAI on a Tess agent."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import openai
import pytest
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from scripted import calls
from shared import NO_FIELD, NO_JSON, NO_TOOLS, ROME, THREADS, WEATHER, City, lines_of

from tess_openai import Change, TessRequestWarning, TessWarning, presets
from tess_openai.testing import TessSimulator, faults

OWN_SWITCH = 'With `llm.api = "responses"` on the preset\'s model.'


@pytest.fixture(autouse=True)
def no_home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """CrewAI keeps a store below the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path))


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


def crew_of(llm: LLM, **more: Any) -> Crew:
    """A crew of one."""
    guide = Agent(role="Guide", goal="Guide", backstory="A guide.", llm=llm, **more)
    task = Task(description="Tell the weather in Rome.", expected_output="One sentence.", agent=guide)
    return Crew(agents=[guide], tasks=[task])


def model_of(tess: dict[str, Any]) -> Any:
    """A model of agent 42."""
    return presets.crewai(42, model="tess-6", **tess)


@pytest.mark.cell("chat")
def test_chat(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """A chat works alone, and as the model of a crew."""
    assert model_of(tess).call("hello").endswith("received: hello")
    simulator.script("It is sunny in Rome.")
    assert crew_of(model_of(tess)).kickoff().raw == "It is sunny in Rome."


@pytest.mark.cell("stream")
def test_stream(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The text is streamed to listeners, and the call returns the whole text."""
    llm = model_of(tess)
    llm.stream = True
    assert llm.call("hello").endswith("received: hello")
    assert simulator.calls[0].json["stream"] is True


@pytest.mark.cell("async")
async def test_async(tess: dict[str, Any]) -> None:
    """`acall` returns an answer."""
    assert (await model_of(tess).acall("hello")).endswith("received: hello")


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The result is a list of messages."""
    turns = [("user", "hello"), ("assistant", "Hi."), ("user", "and now?")]
    assert model_of(tess).call([{"role": role, "content": text} for role, text in turns])
    assert [message["role"] for message in simulator.calls[0].json["messages"]] == [role for role, _ in turns]


@pytest.mark.cell("errors")
def test_errors(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The program gets the SDK's own exceptions, with Tess's reason in their text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        model_of(tess).call("hello")


def test_a_refusal_is_an_answer(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """What the policy refuses never goes out: the clients, not CrewAI's interceptors, carry the adapter."""
    llm = presets.crewai(42, model="tess-6", unsupported="error", **tess)
    llm.max_tokens = 9
    with pytest.raises(openai.BadRequestError, match="max_tokens"):
        llm.call("hello")
    assert simulator.calls == []


@pytest.mark.cell("structured output", gives=False, note=NO_JSON)
def test_structured_output_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Prose where JSON was asked for is an error."""
    simulator.script("Rome, in Italy.")
    with pytest.warns(TessRequestWarning, match="response_format"), pytest.raises(ValueError, match="JSON"):
        model_of(tess).call("Which city?", response_model=City)


@pytest.mark.cell("structured output", emulated=True)
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """`response_model` gives an object."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    answer = model_of(emulating).call("Which city?", response_model=City)
    made = City.model_validate_json(answer) if isinstance(answer, str) else answer
    assert (made.name, made.country) == ("Rome", "Italy")


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation(tess: dict[str, Any]) -> None:
    """The crew answers without the tool, and the program is warned."""
    with pytest.warns(TessRequestWarning, match="tools"):
        answer = crew_of(model_of(tess), tools=[weather]).kickoff().raw
    assert "received:" in answer


@pytest.mark.cell("tool loop", emulated=True)
def test_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), "It is sunny in Rome.")
    assert crew_of(model_of(emulating), tools=[weather]).kickoff().raw == "It is sunny in Rome."
    assert any("sunny in Rome" in message["content"] for message in simulator.calls[-1].json["messages"])


@pytest.mark.cell("ledger", gives=False, note=NO_FIELD)
def test_the_ledger_goes_to_on_change(tess: dict[str, Any]) -> None:
    """CrewAI keeps nothing of the SDK's answers, so the ledger cannot be read from them."""
    changes: list[Change] = []
    llm = model_of({**tess, "unsupported": "ignore", "on_change": changes.append})
    llm.seed = 3
    llm.call("hello")
    assert [change.param for change in changes] == ["seed"]


@pytest.mark.cell(
    "warning",
    note=THREADS.format("A crew"),
)
def test_a_loop_is_warned_once_at_its_line(tess: dict[str, Any]) -> None:
    """This holds under Python's default filter, whatever frames are between."""
    llm = model_of(tess)
    llm.seed = 3
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(3):
            llm.call("hello")
    assert lines_of(caught) == [__file__]


def test_a_crew_warns_at_crewai_itself(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """A crew makes its calls in threads, where no line of the program is on the stack."""
    llm = model_of(tess)
    llm.seed = 3
    simulator.script("It is sunny in Rome.")
    with pytest.warns(TessRequestWarning) as caught:
        crew_of(llm).kickoff()
    assert all("crewai" in Path(file).parts for file in lines_of(list(caught)))


def responses_model_of(tess: dict[str, Any], **more: Any) -> Any:
    """A model of agent 42 that uses the Responses API: CrewAI's own switch, on the preset's model."""
    llm = model_of(tess)
    for name, value in {"api": "responses", **more}.items():
        setattr(llm, name, value)
    return llm


@pytest.mark.cell("responses chat", note=OWN_SWITCH)
async def test_responses_chat(tess: dict[str, Any]) -> None:
    """Sync and async calls return an answer."""
    assert responses_model_of(tess).call("hello").endswith("received: hello")
    assert (await responses_model_of(tess).acall("hello")).endswith("received: hello")


@pytest.mark.cell("responses stream", note=OWN_SWITCH)
def test_responses_stream(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The text is streamed to listeners, and the call returns the whole text."""
    assert responses_model_of(tess, stream=True).call("hello").endswith("received: hello")
    assert simulator.calls[0].json["stream"] is True


@pytest.mark.cell("responses tool loop", emulated=True, note=OWN_SWITCH)
def test_responses_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), "It is sunny in Rome.")
    assert crew_of(responses_model_of(emulating), tools=[weather]).kickoff().raw == "It is sunny in Rome."
    assert any("sunny in Rome" in message["content"] for message in simulator.calls[-1].json["messages"])


@pytest.mark.cell("responses structured output", emulated=True, note=OWN_SWITCH)
def test_responses_structured_output(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """`response_model` gives an object."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    answer = responses_model_of(emulating).call("Which city?", response_model=City)
    made = City.model_validate_json(answer) if isinstance(answer, str) else answer
    assert (made.name, made.country) == ("Rome", "Italy")


@pytest.mark.cell("responses three turns", note=OWN_SWITCH)
def test_responses_three_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """CrewAI finds the previous response itself."""
    llm = responses_model_of(tess, auto_chain=True)
    for text in ("one", "two", "three"):
        llm.call(text)
    roles = [message["role"] for message in simulator.calls[-1].json["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
