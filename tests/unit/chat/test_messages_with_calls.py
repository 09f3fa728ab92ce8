"""Calls and their results in earlier messages are sent as text."""

from __future__ import annotations

import pytest

from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused
from tests.unit.chat.message_lists import CALL, HELLO, IMAGE, JSON, LOOP, TEXT, text, translate

CALLED = '[Called the tool get_weather (call_1) with {"city": "Lisbon"}]'
RESULT = "[Result of the tool get_weather (call_1)]\nsunny"
REPORTED = [
    pytest.param(
        LOOP,
        [HELLO, text("assistant", CALLED), text("user", RESULT)],
        "2 messages",
        id="a call and its result",
    ),
    pytest.param(
        [text("assistant", "Let me see.", tool_calls=[CALL])],
        [text("assistant", f"Let me see.\n\n{CALLED}")],
        "1 message",
        id="a call after words",
    ),
    pytest.param(
        [
            text("assistant", None, function_call={"name": "f", "arguments": "{}"}),
            text("function", "1", name="f"),
        ],
        [text("assistant", "[Called the tool f with {}]"), text("user", "[Result of the tool f]\n1")],
        "2 messages",
        id="a call and its result as of old",
    ),
    pytest.param(
        [
            text(
                "assistant",
                None,
                tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "s", "input": "x"}}],
            )
        ],
        [text("assistant", "[Called the tool s (c) with x]")],
        "1 message",
        id="a custom tool",
    ),
    pytest.param(
        [text("assistant", None, tool_calls=[{"function": {"name": "f", "arguments": {"a": "é"}}}])],
        [text("assistant", '[Called the tool f with {"a":"é"}]')],
        "1 message",
        id="arguments that are an object",
    ),
    pytest.param(
        [text("assistant", None, tool_calls=[{"function": {"name": None, "arguments": "{}"}}])],
        [text("assistant", "[Called the tool  with {}]")],
        "1 message",
        id="a function without a name",
    ),
    pytest.param(
        [text("assistant", None, tool_calls={"a": 1})],
        [text("assistant", '[Called the tool {"a":1}]')],
        "1 message",
        id="calls that are no list",
    ),
    pytest.param(
        [text("assistant", None, tool_calls=["f"], function_call="g")],
        [text("assistant", '[Called the tool f]\n\n[Called the tool {"function":"g"}]')],
        "1 message",
        id="calls that are words",
    ),
    pytest.param(
        [text("tool", "sunny")], [text("user", "[Result of the tool call]\nsunny")], "1 message", id="alone"
    ),
    pytest.param(
        [text("tool", None)], [text("user", "[Result of the tool call]")], "1 message", id="no result"
    ),
    pytest.param(
        [text("tool", "a\n\n")],
        [text("user", "[Result of the tool call]\na\n\n")],
        "1 message",
        id="line ends",
    ),
    pytest.param(
        [text("tool", {"a": [1]})],
        [text("user", '[Result of the tool call]\n{"a":[1]}')],
        "1 message",
        id="a result that is an object",
    ),
]


@pytest.mark.parametrize(("given", "sent", "count"), REPORTED)
def test_calls_and_results_are_rendered_as_text(given: list[JSON], sent: list[JSON], count: str) -> None:
    """They are sent in the nearest role, with a warning, unless the policy refuses or forwards them."""
    translated, (change,) = translate(given)
    assert translated == sent
    assert (change.action, change.param, change.given, change.warn) == (
        "rewritten",
        "messages.tool_calls",
        count,
        "request",
    )
    with pytest.raises(Refused) as caught:
        translate(given, Policy("error"))
    assert caught.value.param == "messages.tool_calls"
    translated, (change,) = translate(given, Policy("forward"))
    assert (translated, change.action) == (given, "forwarded")


def test_parts_of_a_result_are_one_text() -> None:
    """Tools may answer in parts, too."""
    sent, changes = translate([text("tool", [TEXT, TEXT], tool_call_id="c", artifact=1)])
    assert sent == [text("user", "[Result of the tool (c)]\nWhat is this?\nWhat is this?")]
    assert [change.param for change in changes] == [
        "messages.tool_calls",
        "messages.content",
        "messages.artifact",
    ]


def test_calls_beside_forwarded_parts_become_a_part() -> None:
    """The message keeps both the forwarded parts and the text of the calls."""
    policy = Policy("warn", {"messages.content": "forward"})
    sent, _ = translate([text("assistant", [IMAGE], tool_calls=[CALL])], policy)
    assert sent == [text("assistant", [IMAGE, {"type": "text", "text": CALLED}])]


def test_calls_beside_a_content_of_no_kind_are_reported() -> None:
    """The content becomes text as well."""
    sent, _ = translate([text("assistant", 7, tool_calls=[CALL], refusal=["no"])])
    assert sent == [text("assistant", f'7\n\n["no"]\n\n{CALLED}')]
