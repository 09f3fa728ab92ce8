"""Instructor on a Tess agent."""

from __future__ import annotations

import warnings
from typing import Any

import instructor
import pytest
from instructor.core import InstructorRetryException
from scripted import calls
from shared import ROME, City, is_rome, lines_of

from tess_openai import TessRequestWarning, TessWarning, changes_of, presets
from tess_openai.testing import TessSimulator, faults

NO_LOOP = "Instructor has no tool loop. Its `TOOLS` mode, which is structured output, needs emulation."
HELLO: Any = [{"role": "user", "content": "Which city?"}]


def ask(client: Any, **more: Any) -> Any:
    """Ask for a city."""
    return client.chat.completions.create(model="tess-6", messages=HELLO, response_model=City, **more)


@pytest.mark.cell("chat", note="Without a `response_model`.")
def test_chat(tess: dict[str, Any]) -> None:
    """A call without a model of one's own gives the SDK's answer."""
    client = presets.instructor(42, **tess)
    answer = client.chat.completions.create(model="tess-6", messages=HELLO, response_model=None)
    assert answer.choices[0].message.content.endswith("received: Which city?")


@pytest.mark.cell("stream", note="As `create_partial`, the object growing.")
def test_stream(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The object grows while it streams."""
    simulator.script(f"```json\n{ROME}\n```")
    client = presets.instructor(42, **tess)
    parts = list(client.chat.completions.create_partial(model="tess-6", messages=HELLO, response_model=City))
    assert (parts[-1].name, parts[-1].country) == ("Rome", "Italy")


@pytest.mark.cell("async")
async def test_async(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The async preset gives an object."""
    simulator.script(ROME)
    assert is_rome(await ask(presets.async_instructor(42, **tess)))


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The object of the turn before goes back as history, as the JSON that it was."""
    client = presets.instructor(42, **tess)
    simulator.script(ROME, ROME)
    first = ask(client)
    history = [*HELLO, {"role": "assistant", "content": first.model_dump_json()}]
    history.append({"role": "user", "content": "And again?"})
    assert is_rome(client.chat.completions.create(model="tess-6", messages=history, response_model=City))
    turns = [message for message in simulator.calls[1].json["messages"] if message["role"] != "system"]
    assert [message["role"] for message in turns] == ["user", "assistant", "user"]
    assert "Rome" in turns[1]["content"]


def test_what_does_not_fit_is_asked_for_again(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Instructor sends the mistake as a further turn."""
    simulator.script('{"name": "Rome"}', ROME)
    assert is_rome(ask(presets.instructor(42, **tess), max_retries=2))
    assert "country" in simulator.calls[1].json["messages"][-1]["content"]


@pytest.mark.cell("errors", note="Instructor wraps them in its `InstructorRetryException`.")
def test_errors(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Tess's reason is in the text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(InstructorRetryException, match="no credits"):
        ask(presets.instructor(42, **tess), max_retries=1)


@pytest.mark.cell(
    "structured output",
    note="By prompt: the preset takes `Mode.MD_JSON`, which asks for nothing that Tess lacks.",
)
def test_structured_output_by_prompt(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """JSON in a fence, as that mode asks for it; nothing is warned of."""
    simulator.script(f"```json\n{ROME}\n```")
    assert is_rome(ask(presets.instructor(42, **tess)))
    assert set(simulator.calls[0].json) == {"messages", "model"}


@pytest.mark.cell("structured output", emulated=True)
@pytest.mark.parametrize("mode", ["TOOLS", "TOOLS_STRICT", "JSON", "JSON_SCHEMA", "MD_JSON"])
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any], mode: str) -> None:
    """Every mode of Instructor's gives an object."""
    simulator.script(calls("City", ROME) if mode.startswith("TOOLS") else f"```json\n{ROME}\n```")
    client = presets.instructor(42, mode=instructor.Mode[mode], **emulating)
    assert is_rome(ask(client))


@pytest.mark.cell(
    "tool loop",
    gives=False,
    note=NO_LOOP,
)
def test_tools_mode_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Prose where a call was demanded is an error, and the program is warned of the reason."""
    simulator.script("Rome, in Italy.")
    client = presets.instructor(42, mode=instructor.Mode.TOOLS, **tess)
    with pytest.warns(TessWarning, match="tools"), pytest.raises(InstructorRetryException):
        ask(client, max_retries=1)


@pytest.mark.cell("ledger", note="`changes_of(made)`; the SDK's answer is kept in `_raw_response`.")
def test_the_ledger_reaches_the_program(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """It is on the object that was made."""
    simulator.script(ROME)
    made = ask(presets.instructor(42, **{**tess, "unsupported": "ignore"}), seed=3)
    assert [change.param for change in changes_of(made)] == ["seed"]


@pytest.mark.cell("warning")
def test_a_loop_is_warned_once_at_its_line(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """This holds under Python's default filter, whatever frames are between."""
    client = presets.instructor(42, **tess)
    simulator.script(ROME, ROME, ROME)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessRequestWarning)
        for _ in range(3):
            client.chat.completions.create(model="tess-6", messages=HELLO, response_model=City, seed=3)
    assert lines_of(caught) == [__file__]


RESPONSES_MODES = ["RESPONSES_TOOLS", "RESPONSES_TOOLS_WITH_INBUILT_TOOLS"]
BY_MODE = "With `mode=instructor.Mode.RESPONSES_TOOLS`."


def responses_client(tess: dict[str, Any], mode: str = "RESPONSES_TOOLS") -> Any:
    """A client that uses the Responses API."""
    return presets.instructor(42, mode=instructor.Mode[mode], **tess)


@pytest.mark.cell("responses chat", note=f"{BY_MODE[:-1]}, and without a `response_model`.")
def test_responses_chat(tess: dict[str, Any]) -> None:
    """A call without a model of one's own gives the SDK's answer."""
    answer = responses_client(tess).responses.create(model="tess-6", input="hello", response_model=None)
    assert answer.output_text.endswith("received: hello")


@pytest.mark.cell("responses stream", emulated=True, note=f"{BY_MODE[:-1]}, as `create_partial`.")
def test_responses_stream(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The object grows while it streams."""
    simulator.script(calls("PartialCity", ROME))
    client = responses_client(emulating)
    parts = list(client.responses.create_partial(model="tess-6", input="Which city?", response_model=City))
    assert (parts[-1].name, parts[-1].country) == ("Rome", "Italy")


@pytest.mark.cell("responses structured output", emulated=True, note=BY_MODE)
@pytest.mark.parametrize("mode", RESPONSES_MODES)
def test_responses_structured_output(simulator: TessSimulator, emulating: dict[str, Any], mode: str) -> None:
    """Instructor sends a function, a demand for it, and `text.format`: the demanded call wins."""
    simulator.script(calls("City", ROME))
    client = responses_client(emulating, mode)
    assert is_rome(client.responses.create(model="tess-6", input="Which city?", response_model=City))


@pytest.mark.cell("responses tool loop", gives=False, note=NO_LOOP)
def test_responses_tools_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Prose where a call was demanded is an error, and the program is warned of the reason."""
    simulator.script("Rome, in Italy.")
    with pytest.warns(TessWarning, match="tools"), pytest.raises(InstructorRetryException):
        responses_client(tess).responses.create(
            model="tess-6", input="Which city?", response_model=City, max_retries=1
        )


@pytest.mark.cell("responses three turns", emulated=True, note=BY_MODE)
def test_responses_three_turns(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The id of the SDK's response, which Instructor keeps in `_raw_response`, continues the conversation."""
    client = responses_client(emulating)
    previous: str | None = None
    for _ in range(3):
        simulator.script(calls("City", ROME))
        made = client.responses.create(
            model="tess-6", input="Which?", response_model=City, previous_response_id=previous
        )
        previous = made._raw_response.id
    turns = [message for message in simulator.calls[-1].json["messages"] if message["role"] != "system"]
    assert [message["role"] for message in turns] == ["user", "assistant", "user", "assistant", "user"]
