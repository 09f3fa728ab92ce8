"""Calls between two marks are read in each form that models use; a call that may be cut is refused."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.answer_parts import Block
from tess_openai.core.emulate.offers import parse_offer
from tess_openai.core.emulate.written_calls import (
    CustomInput,
    WrittenCall,
    find_name,
    read_calls,
    read_custom_call,
)
from tess_openai.core.strict_json import UnreadableError

NAMES = ("look", "leap")
LOOK = WrittenCall("look", {"at": "x"})
NO_CALL = 'there is no object with "name" and "arguments" in it'


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        pytest.param('{"name": "look", "arguments": {"at": "x"}}', [LOOK], id="as instructed"),
        pytest.param('`functions.look` {"at": "x"}', [LOOK], id="a name before the arguments"),
        pytest.param("functions.look (", [WrittenCall("look")], id="a name alone"),
        pytest.param(
            'look: {"name": "look", "arguments": {"at": "x"}}', [LOOK], id="a name before the whole call"
        ),
        pytest.param(
            "{'name': 'look', 'arguments': {'at': 'x'}}",
            [WrittenCall("look", {"at": "x"}, is_corrected=True)],
            id="single quotes",
        ),
        pytest.param(
            "[{'name': look}, {name: leap}]",
            [
                WrittenCall("look", is_corrected=True, holds_raw_text=True),
                WrittenCall("leap", is_corrected=True, holds_raw_text=True),
            ],
            id="words without quotes",
        ),
        pytest.param(
            '[{"tool_calls": [{"id": "1", "type": "function", '
            '"function": {"name": "look", "arguments": {"at": "x"}}}]}]',
            [LOOK],
            id="a list of messages as at OpenAI",
        ),
        pytest.param('{"parameters": {"at": "x"}, "function": "look"}', [LOOK], id="arguments first"),
        pytest.param('{"look": {"at": "x"}}', [LOOK], id="the name as a key"),
    ],
)
def test_calls_are_read(body: str, calls: list[WrittenCall]) -> None:
    """What was repaired is marked, since less may be concluded from it."""
    assert read_calls(Block(body, is_closed=True), NAMES, is_truncated=False) == calls


@pytest.mark.parametrize(
    ("block", "is_truncated", "reason"),
    [
        pytest.param(Block("look", is_closed=False), True, "it ends in the middle", id="a cut after a name"),
        pytest.param(
            Block("`functions.look`", is_closed=False),
            False,
            "it ends after its name",
            id="a name and no mark",
        ),
        pytest.param(
            Block("fly", is_closed=False),
            False,
            NO_CALL,
            id="another word",
        ),
        pytest.param(Block("{}", is_closed=True), False, NO_CALL, id="nothing in it"),
        pytest.param(
            Block('{"example": {"name": "look", "arguments": {}}}', is_closed=True),
            False,
            NO_CALL,
            id="a call under another key",
        ),
        pytest.param(Block('{"id": "1"}', is_closed=True), False, NO_CALL, id="an identifier alone"),
        pytest.param(
            Block("{'name': 'look'", is_closed=False),
            False,
            "it ends before its closing brackets",
            id="no bracket and no mark",
        ),
        pytest.param(
            Block("{'name': 'look'}", is_closed=True, holds_marks=True),
            False,
            "a mark is in a string that is not written as JSON",
            id="a mark in what is not JSON",
        ),
    ],
)
def test_a_call_that_may_not_be_whole_is_refused(block: Block, is_truncated: bool, reason: str) -> None:
    """The reason goes to the model."""
    with pytest.raises(UnreadableError) as refusal:
        read_calls(block, NAMES, is_truncated=is_truncated)
    assert str(refusal.value) == reason


def test_what_is_complete_is_read_after_a_cut() -> None:
    """Only its mark is missing; and a mark in a string of JSON is text."""
    body = '{"name": "look", "arguments": {"at": "x"}}'
    assert read_calls(Block(body, is_closed=False), NAMES, is_truncated=True) == [LOOK]
    assert read_calls(Block(body, is_closed=True, holds_marks=True), NAMES, is_truncated=False) == [LOOK]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param("run\nprint(1)\n", "print(1)", id="as instructed"),
        pytest.param("\n run \n\n  a\n\n", "\n  a\n", id="blanks around the name, blank lines in the input"),
        pytest.param("run", "", id="no input"),
        pytest.param("look\nx\n", None, id="a function"),
        pytest.param("fly\nx\n", None, id="another word"),
    ],
)
def test_the_input_of_a_custom_tool_is_below_its_name(body: str, text: str | None) -> None:
    """Its lines are not changed; the line break before the closing mark belongs to the mark."""
    tools = [{"type": "custom", "custom": {"name": "run"}}, {"function": {"name": "look"}}]
    offer = parse_offer({"tools": tools})
    call = read_custom_call(Block(body, is_closed=True), offer)
    assert call == (None if text is None else WrittenCall("run", CustomInput(text)))
    if text is not None:
        with pytest.raises(UnreadableError, match="the block of run has no closing mark"):
            read_custom_call(Block(body, is_closed=False), offer)


def test_a_prefix_that_models_were_trained_to_write_may_be_part_of_a_name() -> None:
    """The whole name is looked for first."""
    assert find_name("functions.look", ["look", "functions_look"]) == "functions_look"
    assert find_name("functions.look", ["look"]) == "look"
    assert find_name(" ", ["look"]) is None
