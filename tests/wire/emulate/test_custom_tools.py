"""Custom tools, which take plain text: what programs for OpenAI's SDK see of their emulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import changes_of

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model

GRAMMAR = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "[a-z]+"}}
PYTHON = {"type": "custom", "custom": {"name": "python", "description": "Runs Python."}}
SHELL = {"type": "custom", "custom": {"name": "shell", "format": GRAMMAR}}
INPUTS = [
    "print('hi')",
    "",
    "  two\n\nparagraphs\n",
    'a "quote, and a \\ and <b>',
    '{"name": "get_time"}',
    "```\nfence\n```",
]


def to_custom_calls(driver: Driver, client: Any, *, stream: bool, **fields: Any) -> list[dict[str, Any]]:
    """Make a request and return its calls as JSON, the deltas of a stream joined as programs join them."""
    answer = driver.ask(client, stream=stream, **fields)
    if not stream:
        return [call.to_dict() for call in answer.choices[0].message.tool_calls]
    calls: list[dict[str, Any]] = []
    for chunk in driver.items(answer):
        for delta in chunk.choices[0].delta.tool_calls or []:
            piece = delta.to_dict()
            if piece.pop("index") == len(calls):
                calls.append(piece)
            else:
                calls[-1]["custom"]["input"] += piece["custom"]["input"]
    return calls


@pytest.mark.parametrize("text", INPUTS)
def test_the_input_is_the_text_between_the_marks(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool, text: str
) -> None:
    """Not one character is changed, and the answer has OpenAI's shape."""
    model.simulator.script(model.write(f"Let me see.\n{{open}}\npython\n{text}\n{{close}}"))
    (call,) = to_custom_calls(driver, client, stream=stream, tools=[PYTHON, *tools])
    assert call.pop("id").startswith("call_")
    assert call == {"type": "custom", "custom": {"name": "python", "input": text}}


def test_a_function_can_be_called_at_the_same_time(
    driver: Driver, client: Any, model: Model, tools: list[Any]
) -> None:
    """Each call has its own form: JSON or plain text."""
    both = (
        '{open}\nshell\nls\n{close}\n{open}\n{"name": "get_weather", "arguments": {"city": "Rome"}}\n{close}'
    )
    model.simulator.script(model.write(both))
    (reply,) = model.asked(driver, client, stream=False, tools=[SHELL, *tools])
    assert reply.calls == [("shell", "ls"), ("get_weather", {"city": "Rome"})]
    assert reply.reason == "tool_calls"


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(
            '{open}\n{"name": "python", "arguments": "1 + 1"}\n{close}', id="in the form of a function"
        ),
        pytest.param("{open}\npython\n1 + 1", id="without a closing mark"),
    ],
)
def test_an_input_that_may_not_be_what_was_meant_is_asked_for_again(
    driver: Driver, client: Any, model: Model, *, stream: bool, bad: str
) -> None:
    """JSON may have changed the text, and a missing mark may have cut it."""
    model.simulator.script(model.write(bad), model.write("{open}\npython\n1 + 1\n{close}"))
    (call,) = to_custom_calls(driver, client, stream=stream, tools=[PYTHON])
    assert call["custom"]["input"] == "1 + 1"
    assert len(model.received) == 2


@pytest.mark.parametrize(
    "text",
    [
        "echo {close} done",
        "echo {open} done",
        'echo {open}\n{"name": "get_time", "arguments": {}}\n{close}',
    ],
)
def test_an_input_that_holds_a_mark_is_asked_for_again(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool, text: str
) -> None:
    """The input is not cut there, and a call that the input holds is not made; twice, it is an error."""
    model.simulator.script(*[model.write(f"{{open}}\nshell\n{text}\n{{close}}")] * 2)
    with pytest.raises(openai.APIError) as refusal:
        to_custom_calls(driver, client, stream=stream, tools=[SHELL, *tools])
    assert refusal.value.code == "function_call_invalid"
    assert len(model.simulator.calls) == 2


def test_the_history_shows_calls_in_the_same_form(driver: Driver, client: Any, model: Model) -> None:
    """Each result is shown under the name of its call."""
    call = {"id": "call_1", "type": "custom", "custom": {"name": "python", "input": "1 + 1"}}
    messages = [
        {"role": "user", "content": "One and one?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "2"},
    ]
    driver.ask(client, messages=messages, tools=[PYTHON])
    _, _, made, result = (message["content"] for message in model.received[-1]["messages"])
    assert made.splitlines()[1:-1] == ["python", "1 + 1"]
    assert "Result of python:\n2" in result


def test_the_ledger_states_that_a_grammar_is_not_enforced(driver: Driver, client: Any, model: Model) -> None:
    """The model is shown it."""
    answer = driver.ask(client, tools=[PYTHON, SHELL])
    noticed = [change for change in changes_of(answer) if change.action == "noticed"]
    assert [(change.param, change.given) for change in noticed] == [("tools", "grammar of shell")]
    assert '"definition":"[a-z]+"' in model.instructions


def test_a_custom_tool_can_be_demanded(driver: Driver, client: Any, model: Model) -> None:
    """`tool_choice` names it."""
    model.simulator.script(model.write("{open}\nshell\nls\n{close}"))
    choice = {"type": "custom", "custom": {"name": "shell"}}
    (reply,) = model.asked(driver, client, stream=False, tools=[PYTHON, SHELL], tool_choice=choice)
    assert reply.calls == [("shell", "ls")]
    assert "You must call the function shell now." in model.instructions
