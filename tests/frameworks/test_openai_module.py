"""The module-level `openai.chat.completions.create(...)` on a Tess agent."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import openai
import pytest
from scripted import answers_with, calls
from shared import NO_JSON, NO_TOOLS, ROME, WEATHER, City, lines_of

from tess_openai import TessRequestWarning, TessWarning, changes_of, presets
from tess_openai.testing import TessSimulator, faults

Use: TypeAlias = Callable[[dict[str, Any]], None]
HELLO: Any = [{"role": "user", "content": "hello"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Set the module up for agent 42, as a program would, and put it back after the test."""

    def set_up(tess: dict[str, Any]) -> None:
        monkeypatch.setattr(openai, "_client", None)
        for name, value in presets.openai_module(42, **tess).items():
            monkeypatch.setattr(openai, name, value)

    return set_up


def ask(**more: Any) -> Any:
    """Call the module."""
    return openai.chat.completions.create(model="tess-6", messages=HELLO, **more)


@pytest.mark.cell("chat")
def test_chat(use: Use, tess: dict[str, Any]) -> None:
    """A plain call gives no warning."""
    use(tess)
    assert ask().choices[0].message.content.endswith("received: hello")


@pytest.mark.cell("stream")
def test_stream(use: Use, tess: dict[str, Any]) -> None:
    """Text arrives piece by piece."""
    use(tess)
    pieces = [chunk.choices[0].delta.content or "" for chunk in ask(stream=True)]
    assert len(pieces) > 5
    assert "".join(pieces).endswith("received: hello")


@pytest.mark.cell("async", gives=False, note="The module has no async client; use `create_async_client`.")
async def test_the_module_is_sync(use: Use, tess: dict[str, Any]) -> None:
    """The SDK's module functions return an answer and no awaitable, even within an event loop."""
    use(tess)
    answer = ask()
    assert not inspect.isawaitable(answer)
    assert answer.choices[0].message.content.endswith("received: hello")


@pytest.mark.cell("several turns")
def test_several_turns(use: Use, simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The SDK's own message objects go back as history."""
    use(tess)
    first = ask().choices[0].message
    openai.chat.completions.create(
        model="tess-6", messages=[*HELLO, first, {"role": "user", "content": "now?"}]
    )
    roles = [message["role"] for message in simulator.calls[1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.cell("errors")
def test_errors(use: Use, simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The program gets the SDK's own exceptions, with Tess's reason in their text."""
    use(tess)
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        ask()


@pytest.mark.cell(
    "structured output",
    gives=False,
    note=NO_JSON,
)
def test_structured_output_without_emulation(
    use: Use, simulator: TessSimulator, tess: dict[str, Any]
) -> None:
    """Prose where JSON was asked for is an error."""
    use(tess)
    simulator.script("Rome, in Italy.")
    with pytest.warns(TessRequestWarning, match="response_format"), pytest.raises(ValueError, match="JSON"):
        openai.chat.completions.parse(model="tess-6", messages=HELLO, response_format=City)


@pytest.mark.cell("structured output", emulated=True)
def test_structured_output(use: Use, simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The object is found even if the model writes prose around its JSON."""
    use(emulating)
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    made = openai.chat.completions.parse(model="tess-6", messages=HELLO, response_format=City)
    assert made.choices[0].message.parsed == City(name="Rome", country="Italy")


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation(use: Use, tess: dict[str, Any]) -> None:
    """The model answers in prose, and the program is warned."""
    use(tess)
    with pytest.warns(TessRequestWarning, match="tools"):
        assert ask(tools=TOOLS).choices[0].message.tool_calls is None


@pytest.mark.cell("tool loop", emulated=True)
def test_tool_loop(use: Use, simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """A call comes, its result goes back, the answer follows."""
    use(emulating)
    simulator.script(calls("weather", WEATHER), answers_with("sunny", "It is sunny in Rome."))
    message = ask(tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
    history: Any = [*HELLO, message, result]
    last = openai.chat.completions.create(model="tess-6", messages=history, tools=TOOLS)
    assert last.choices[0].message.content == "It is sunny in Rome."


@pytest.mark.cell("ledger", note="`changes_of(completion)`, in a stream of its last chunk.")
def test_the_ledger_reaches_the_program(use: Use, tess: dict[str, Any]) -> None:
    """It is on the SDK's own answer."""
    use({**tess, "unsupported": "ignore"})
    assert [change.param for change in changes_of(ask(seed=3))] == ["seed"]
    assert [change.param for change in changes_of(list(ask(seed=3, stream=True))[-1])] == ["seed"]


@pytest.mark.cell("warning")
def test_a_loop_is_warned_once_at_its_line(use: Use, tess: dict[str, Any]) -> None:
    """This holds under Python's default filter."""
    use(tess)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(3):
            openai.chat.completions.create(model="tess-6", messages=HELLO, seed=3)
    assert lines_of(caught) == [__file__]


def respond(**more: Any) -> Any:
    """Call the module's Responses API."""
    return openai.responses.create(**{"model": "tess-6", "input": "hello", **more})


@pytest.mark.cell("responses chat")
def test_responses_chat(use: Use, tess: dict[str, Any]) -> None:
    """A plain call gives no warning."""
    use(tess)
    assert respond().output_text.endswith("received: hello")


@pytest.mark.cell("responses stream")
def test_responses_stream(use: Use, tess: dict[str, Any]) -> None:
    """The events of the response arrive one by one."""
    use(tess)
    deltas = [event.delta for event in respond(stream=True) if event.type == "response.output_text.delta"]
    assert len(deltas) > 5
    assert "".join(deltas).endswith("received: hello")


@pytest.mark.cell("responses tool loop", emulated=True)
def test_responses_tool_loop(use: Use, simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """A call comes, its result goes back, the answer follows."""
    use(emulating)
    simulator.script(calls("weather", WEATHER), answers_with("sunny", "It is sunny in Rome."))
    tools = [{"type": "function", **TOOLS[0]["function"]}]
    first = respond(tools=tools)
    output = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": "sunny"}
    last = respond(input=[output], tools=tools, previous_response_id=first.id)
    assert last.output_text == "It is sunny in Rome."


@pytest.mark.cell("responses structured output", emulated=True)
def test_responses_structured_output(use: Use, simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """`parse` gives an object."""
    use(emulating)
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    made = openai.responses.parse(model="tess-6", input="Which city?", text_format=City)
    assert made.output_parsed == City(name="Rome", country="Italy")


@pytest.mark.cell("responses three turns")
def test_responses_three_turns(use: Use, simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The module has one client, and so one store."""
    use(tess)
    previous: str | None = None
    for text in ("one", "two", "three"):
        previous = respond(input=text, previous_response_id=previous).id
    roles = [message["role"] for message in simulator.calls[-1].json["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
