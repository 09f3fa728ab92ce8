"""Input items become messages of chat, field by field, without a call to Tess."""

from __future__ import annotations

import copy

import pytest

from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy, PolicyAction
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.input_items import to_chat_messages, to_items
from tests.flows import JSON


def messages_of(*items: JSON, action: PolicyAction = "warn") -> tuple[list[object], Ledger]:
    """Translate copies of items under one policy."""
    ledger = Ledger(Policy(action))
    return to_chat_messages(copy.deepcopy(items), ledger), ledger


def call(number: int, **fields: object) -> JSON:
    """Return a function call."""
    return {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}", **fields}


def chat_call(number: int) -> JSON:
    """Return the same call as chat has it."""
    return {"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": "{}"}}


CUSTOM = {"type": "custom_tool_call", "call_id": "c9", "name": "g", "input": "x"}
CHAT_CUSTOM = {"id": "c9", "type": "custom", "custom": {"name": "g", "input": "x"}}
TEXT = {"role": "assistant", "content": "Let me see."}


@pytest.mark.parametrize(
    ("items", "messages"),
    [
        pytest.param([{"type": "message", "id": "m", "status": "completed", **TEXT}], [TEXT], id="a message"),
        pytest.param(
            [TEXT, call(1), call(2)],
            [{**TEXT, "tool_calls": [chat_call(1), chat_call(2)]}],
            id="calls after a text of the assistant",
        ),
        pytest.param(
            [call(1, id="fc", status="completed"), CUSTOM],
            [{"role": "assistant", "content": None, "tool_calls": [chat_call(1), CHAT_CUSTOM]}],
            id="calls without a text",
        ),
        pytest.param(
            [TEXT, {"role": "user", "content": "hi"}, call(1)],
            [
                TEXT,
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": None, "tool_calls": [chat_call(1)]},
            ],
            id="a call after a message of the user",
        ),
        pytest.param(
            [
                call(1),
                {"type": "function_call_output", "call_id": "c1", "output": "1"},
                call(2),
                {
                    "type": "custom_tool_call_output",
                    "call_id": "c2",
                    "output": [{"type": "input_text", "text": "2"}],
                },
            ],
            [
                {"role": "assistant", "content": None, "tool_calls": [chat_call(1)]},
                {"role": "tool", "tool_call_id": "c1", "content": "1"},
                {"role": "assistant", "content": None, "tool_calls": [chat_call(2)]},
                {"role": "tool", "tool_call_id": "c2", "content": "2"},
            ],
            id="calls with their outputs",
        ),
        pytest.param(
            [{"role": "user", "name": "Ada", "content": "hi", "extra": None}],
            [{"role": "user", "name": "Ada", "content": "hi"}],
            id="a field that only chat has",
        ),
    ],
)
def test_items_become_the_messages_of_the_same_conversation(
    items: list[JSON], messages: list[object]
) -> None:
    """A model sees each call with the text that it belongs to, and each output with its call."""
    translated, ledger = messages_of(*items)
    assert translated == messages
    assert not ledger.changes


URL = "https://a.example/b.png"


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        pytest.param([{"type": "input_text", "text": "a"}], "a", id="one text"),
        pytest.param([{"type": "text", "text": "a"}], "a", id="a text of chat"),
        pytest.param(
            [{"type": "output_text", "text": "a", "annotations": []}, {"type": "input_text", "text": "b"}],
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            id="two texts",
        ),
        pytest.param(
            [{"type": "input_image", "image_url": URL, "detail": "low"}],
            [{"type": "image_url", "image_url": {"url": URL, "detail": "low"}}],
            id="an image with its detail",
        ),
        pytest.param(
            [{"type": "input_image", "image_url": URL, "file_id": None}],
            [{"type": "image_url", "image_url": {"url": URL}}],
            id="an image by its address",
        ),
        pytest.param(
            [{"type": "input_image", "file_id": "file-1", "detail": "low", "image_url": None}],
            [{"type": "file", "file": {"file_id": "file-1", "detail": "low"}}],
            id="an image by its file",
        ),
        pytest.param(
            [{"type": "input_file", "file_data": "data:,x", "filename": "a.txt", "file_id": ""}],
            [{"type": "file", "file": {"file_data": "data:,x", "filename": "a.txt"}}],
            id="a file",
        ),
        pytest.param(
            [{"type": "input_audio", "x": 1}, "a"], [{"type": "input_audio", "x": 1}, "a"], id="others"
        ),
        pytest.param("a", "a", id="a text without parts"),
    ],
)
def test_parts_become_parts_of_chat(parts: object, content: object) -> None:
    """What chat does not have is not changed here, since the checks of chat report it."""
    messages, _ = messages_of({"role": "user", "content": parts})
    assert messages == [{"role": "user", "content": content}]


def test_items_that_chat_lacks_are_counted_by_type() -> None:
    """One entry for each type says how many the model does not see."""
    shell, odd = {"type": "shell_call"}, {"type": "not a name"}
    messages, ledger = messages_of(shell, {"type": "reasoning"}, odd, shell, {"type": "reasoning"})
    assert messages == []
    assert [(change.param, change.given, change.sent) for change in ledger.changes] == [
        ("input.reasoning", "2 items", ""),
        ("input.shell_call", "2 items", ""),
        ("input.unknown", "1 item", ""),
    ]


@pytest.mark.parametrize("word", [{"input.shell_call": "forward"}, {"messages": "forward"}])
def test_an_item_that_the_policy_forwards_is_sent_as_it_is(word: dict[str, PolicyAction]) -> None:
    """The policy may name the type, or the messages that the input becomes."""
    ledger = Ledger(Policy("warn", word))
    assert to_chat_messages([{"type": "shell_call", "x": 1}], ledger) == [{"type": "shell_call", "x": 1}]
    assert [(change.action, change.param) for change in ledger.changes] == [("forwarded", "input.shell_call")]


@pytest.mark.parametrize("given", [None, 7, {}, [], ["a"], [{"role": "user"}, None]])
def test_an_input_that_is_no_list_of_items_is_refused(given: object) -> None:
    """The refusal names the parameter, and has the code of a wrong type."""
    with pytest.raises(Refused) as caught:
        to_items(given, "items")
    assert (caught.value.param, caught.value.code, caught.value.status) == ("items", "invalid_type", 400)


def test_an_input_is_a_text_or_a_list_of_items() -> None:
    """A text is a message of the user."""
    assert to_items("hi") == [{"type": "message", "role": "user", "content": "hi"}]
    assert to_items([{"id": "a"}]) == [{"id": "a"}]
