"""Calls are given to the caller as OpenAI gives them, whole or in a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.emulate.answer_parts import Block
from tess_openai.core.emulate.call_messages import deltas, message_fields
from tess_openai.core.emulate.call_parsing import MAX_CALLS, parse_calls
from tess_openai.core.emulate.offers import parse_offer
from tess_openai.core.emulate.outcomes import FunctionCall
from tess_openai.core.emulate.schema_copies import copied_schema
from tess_openai.core.schemas.schema_checker import SchemaCache

CALLS = [FunctionCall("call_1", "look", '{"at": "x"}'), FunctionCall("call_2", "leap", "{}")]
OFFER = parse_offer({"tools": [{"function": {"name": "look"}}]})


CHECKER = SchemaCache().checker()


def test_a_message_contains_its_calls() -> None:
    """Each has its identifier and its type."""
    assert message_fields(CALLS, is_legacy=False) == {
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "x"}'}},
            {"id": "call_2", "type": "function", "function": {"name": "leap", "arguments": "{}"}},
        ]
    }


def test_a_message_in_the_older_spelling_contains_one_call() -> None:
    """There is no room for identifiers nor for a second call."""
    assert message_fields(CALLS, is_legacy=True) == {
        "function_call": {"name": "look", "arguments": '{"at": "x"}'}
    }


def test_a_stream_names_each_call_before_its_arguments() -> None:
    """As at OpenAI, index, id, type and name come first, with empty arguments."""
    assert list(deltas(CALLS, is_legacy=False)) == [
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "look", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"at": "x"}'}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "call_2",
                    "type": "function",
                    "function": {"name": "leap", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ]


@given(st.dictionaries(st.text(), st.text(max_size=600), max_size=3), st.booleans())
def test_the_pieces_of_a_stream_are_the_whole(arguments: dict[str, str], is_legacy: bool) -> None:
    """The pieces of the arguments join to those in a whole message."""
    text = json.dumps(arguments)
    pieces: list[Any] = list(deltas([FunctionCall("1", "look", text)], is_legacy=is_legacy))
    reply = [piece["function_call"] if is_legacy else piece["tool_calls"][0]["function"] for piece in pieces]
    assert "".join(piece["arguments"] for piece in reply) == text
    assert [piece.get("name") for piece in reply] == ["look", *([None] * (len(reply) - 1))]


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([Block('{"name": "look"}', is_closed=True)] * (MAX_CALLS + 1), id="between their marks"),
        pytest.param(
            [Block('[{"name": "look"}' + ', {"name": "look"}' * MAX_CALLS + "]", is_closed=True)],
            id="in one list",
        ),
    ],
)
def test_the_number_of_calls_is_bounded(blocks: list[Block]) -> None:
    """A model that writes call after call without end has lost its way, and is asked once."""
    parsed = parse_calls(blocks, OFFER, CHECKER, lambda: "1", is_truncated=False)
    assert parsed.valid == []
    assert parsed.problems == ["- there are more than 128 calls; make fewer at once"]


def test_arguments_must_be_an_object_even_where_the_schema_does_not_say_so() -> None:
    """A caller parses them as one."""
    parsed = parse_calls(
        [Block('{"name": "look", "arguments": [1]}', is_closed=True)],
        parse_offer({"tools": [{"function": {"name": "look", "parameters": {"title": "Look"}}}]}),
        CHECKER,
        lambda: "1",
        is_truncated=False,
    )
    assert parsed.problems == ['- look: "arguments" must be an object']


@pytest.mark.parametrize(
    ("is_closed", "is_truncated", "is_made"),
    [(True, True, True), (False, False, False), (False, True, False)],
    ids=["it was closed", "nothing is known of a cut", "the answer is cut, and the call unclosed"],
)
def test_a_call_that_lacks_a_bracket_is_made_if_it_has_its_closing_mark(
    is_closed: bool,
    is_truncated: bool,
    is_made: bool,
) -> None:
    """Without the mark the answer may have been cut, and more than a bracket is missing."""
    block = Block('{"name": "look", "arguments": {}', is_closed=is_closed)
    parsed = parse_calls([block], OFFER, CHECKER, lambda: "1", is_truncated=is_truncated)
    assert bool(parsed.valid) == is_made
    assert bool(parsed.problems) != is_made


def test_wrappers_within_wrappers_end() -> None:
    """A list of lists of nothing is no call, and takes no time."""
    block = Block('{"calls": ' * 60 + "[]" + "}" * 60, is_closed=True)
    parsed = parse_calls([block], OFFER, CHECKER, lambda: "1", is_truncated=False)
    assert parsed.valid == []


@pytest.mark.parametrize(
    ("given", "is_copy"),
    [
        pytest.param({"schema": {"type": "object"}}, True, id="the schema of the parameter"),
        pytest.param({"schema": {"type": "object", "properties": {"x": {}}}}, False, id="another schema"),
        pytest.param({"point": {"type": "object", "properties": {"x": {}}}}, True, id="of a known object"),
    ],
)
def test_a_schema_is_an_argument_where_any_object_may_be_one(given: dict[str, Any], *, is_copy: bool) -> None:
    """A function may take schemas; only a copy of its own is asked about."""
    properties = {"schema": {"type": "object"}, "point": {"type": "object", "properties": {"y": {}}}}
    assert (copied_schema(given, {"properties": properties}) is not None) == is_copy
