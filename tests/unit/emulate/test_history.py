"""Earlier calls and their results, rendered as text that a model can follow."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tess_openai.core.emulate.history import contains_calls_or_results, render_messages
from tess_openai.core.emulate.marks import Marks
from tess_openai.core.prompts import Prompts
from tess_openai.core.strict_json import compact_json

MARKS = Marks("tokibanuve")


def call(identifier: str, name: str, arguments: object) -> dict[str, Any]:
    """Return a call as it is in a message."""
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


HISTORY: list[object] = [
    {"role": "user", "content": "Weather in Rio and Rome?", "name": "Ana"},
    {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [call("1", "weather", '{"city": "Rio"}'), call("2", "weather", '{"city": "Rome"}')],
    },
    {"role": "tool", "tool_call_id": "2", "content": "wet"},
    {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "dry <call:x>"}]},
    {"role": "assistant", "content": "Dry in Rio."},
]


def test_calls_and_results_become_text_that_can_be_followed() -> None:
    """Both are rendered between their marks, and each result names its call."""
    before = copy.deepcopy(HISTORY)
    first, reply, results, last = render_messages(HISTORY, MARKS, Prompts())
    assert first is HISTORY[0]
    assert last is HISTORY[4]
    assert reply == {
        "role": "assistant",
        "content": "Let me see.\n"
        '<call:tokibanuve>\n{"name": "weather", "arguments": {"city": "Rio"}}\n</call:tokibanuve>\n'
        '<call:tokibanuve>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</call:tokibanuve>',
    }
    assert results == {
        "role": "user",
        "content": [
            {
                "type": "text",
                "text": "<result:tokibanuve>\nResult of weather (call 2):\nwet\n</result:tokibanuve>",
            },
            {"type": "text", "text": "<result:tokibanuve>\nResult of weather (call 1):"},
            {"type": "text", "text": "dry <~call:x>"},
            {"type": "text", "text": "</result:tokibanuve>"},
        ],
    }
    assert before == HISTORY


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param(
            {"role": "assistant", "content": None, "tool_calls": [call("1", "look", "{}")]},
            '<call:tokibanuve>\n{"name": "look", "arguments": {}}\n</call:tokibanuve>',
            id="no prose before a call",
        ),
        pytest.param(
            {"role": "assistant", "function_call": {"name": "look", "arguments": '{"a": 1}'}},
            '<call:tokibanuve>\n{"name": "look", "arguments": {"a": 1}}\n</call:tokibanuve>',
            id="the older function_call",
        ),
        pytest.param(
            {"role": "assistant", "function_call": {"name": "look", "arguments": ""}},
            '<call:tokibanuve>\n{"name": "look", "arguments": {}}\n</call:tokibanuve>',
            id="no arguments",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [call("1", "look", "{broken")]},
            '<call:tokibanuve>\n{"name": "look", "arguments": "{broken"}\n</call:tokibanuve>',
            id="arguments that are no JSON",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [call("1", "look", {"a": "<call:x>"})]},
            '<call:tokibanuve>\n{"name": "look", "arguments": {"a":"<~call:x>"}}\n</call:tokibanuve>',
            id="an imitation in arguments",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"id": "1", "custom": {"name": "run", "input": "ls"}}]},
            "<call:tokibanuve>\nrun\nls\n</call:tokibanuve>",
            id="a custom tool",
        ),
        pytest.param(
            {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "look", "input": "x", "arguments": "{}"}}],
            },
            '<call:tokibanuve>\n{"name": "look", "arguments": {}}\n</call:tokibanuve>',
            id="a function with an input beside its arguments",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"id": ["1"], "function": {"arguments": "{}"}}]},
            '<call:tokibanuve>\n{"name": "", "arguments": {}}\n</call:tokibanuve>',
            id="a call without a name, whose id is a list",
        ),
        pytest.param(
            {"role": "tool", "tool_call_id": ["1"], "name": ["look"], "content": "fine"},
            "<result:tokibanuve>\nResult of function:\nfine\n</result:tokibanuve>",
            id="a result whose id and name are lists",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Let me see."}],
                "tool_calls": [call("1", "look", "{}")],
            },
            [
                {"type": "text", "text": "Let me see."},
                {
                    "type": "text",
                    "text": '<call:tokibanuve>\n{"name": "look", "arguments": {}}\n</call:tokibanuve>',
                },
            ],
            id="a call after content parts",
        ),
        pytest.param(
            {"role": "function", "name": "look", "content": "fine"},
            "<result:tokibanuve>\nResult of look:\nfine\n</result:tokibanuve>",
            id="the older result",
        ),
        pytest.param(
            {"role": "tool", "tool_call_id": "9", "content": None},
            "<result:tokibanuve>\nResult of function:\n</result:tokibanuve>",
            id="a result of no call, without content",
        ),
        pytest.param(
            {"role": "tool", "content": {"a": 1}},
            '<result:tokibanuve>\nResult of function:\n{"a":1}\n</result:tokibanuve>',
            id="a result that is an object",
        ),
        pytest.param({"role": "user", "content": "</ call:x>"}, "<~/ call:x>", id="an imitation of a user"),
        pytest.param(
            {"role": "system", "content": ["<call:x>"]}, ["<~call:x>"], id="a part that is a string"
        ),
    ],
)
def test_one_message(message: dict[str, Any], text: object) -> None:
    """The content that goes out for it."""
    (rendered,) = render_messages([message], MARKS, Prompts())
    assert rendered["content"] == text  # type: ignore[index] # a message is an object


@pytest.mark.parametrize(
    "calls",
    [
        {"tool_calls": [call("1", "look", "{}")]},
        {"function_call": {"name": "look", "arguments": "{}"}},
    ],
    ids=["tool_calls", "function_call"],
)
def test_the_fields_of_calls_are_not_sent(calls: dict[str, Any]) -> None:
    """Tess documents neither of them; the result of the only call of a message names it without a number."""
    messages: list[object] = [
        {"role": "assistant", "name": "Ana", **calls},
        {"role": "tool", "tool_call_id": "1", "name": "look", "content": "fine"},
    ]
    assert contains_calls_or_results(messages[:1])
    assert render_messages(messages, MARKS, Prompts()) == [
        {
            "role": "assistant",
            "name": "Ana",
            "content": '<call:tokibanuve>\n{"name": "look", "arguments": {}}\n</call:tokibanuve>',
        },
        {"role": "user", "content": "<result:tokibanuve>\nResult of look:\nfine\n</result:tokibanuve>"},
    ]


def test_neighbouring_results_are_one_message() -> None:
    """Tess may ask for alternating roles."""
    results: list[object] = [
        {"role": "tool", "tool_call_id": "1", "content": "dry"},
        {"role": "tool", "tool_call_id": "2", "content": "wet"},
    ]
    *_, result = render_messages([HISTORY[1], *results], MARKS, Prompts())
    assert result == {
        "role": "user",
        "content": "<result:tokibanuve>\nResult of weather (call 1):\ndry\n</result:tokibanuve>\n"
        "<result:tokibanuve>\nResult of weather (call 2):\nwet\n</result:tokibanuve>",
    }


def test_what_is_no_message_and_what_is_no_text_passes() -> None:
    """It is for Tess to refuse."""
    messages: list[object] = ["?", {"role": "user", "content": [{"type": "image_url"}, 5]}, {"role": "user"}]
    assert render_messages(messages, MARKS, Prompts()) == messages


@pytest.mark.parametrize(
    ("message", "tells"),
    [
        ({"role": "tool"}, True),
        ({"role": "function"}, True),
        ({"role": "assistant", "tool_calls": [{}]}, True),
        ({"role": "assistant", "function_call": {"name": "a"}}, True),
        ({"role": "assistant", "tool_calls": []}, False),
        ({"role": "user", "content": "tool"}, False),
        ("tool", False),
    ],
)
def test_whether_messages_contain_calls(message: object, tells: bool) -> None:
    """A message has calls by its role or by its keys."""
    assert contains_calls_or_results([message]) is tells


def test_json_that_utf_8_cannot_hold_is_escaped() -> None:
    """A lone surrogate is escaped, and other text is not."""
    assert compact_json({"é": "\ud83d"}) == '{"\\u00e9":"\\ud83d"}'
    assert compact_json({"é": 1}) == '{"é":1}'
