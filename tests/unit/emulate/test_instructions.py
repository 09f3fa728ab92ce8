"""The model is informed of functions compactly, and of the past so that it can follow it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tess_openai.core.emulate.instructions import (
    after_instructions,
    compact_schema,
    functions_text,
    with_instructions,
    with_note,
)
from tess_openai.core.emulate.marks import Marks
from tess_openai.core.emulate.offers import NO_OFFER, parse_offer
from tess_openai.core.prompts import Prompts
from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.patterns import compile_pattern

MARKS = Marks("tokibanuve")
LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.\n\n    Args:\n        title: What <call:x> to look at.",
        "parameters": {
            "title": "LookArgs",
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "title": {"title": "Title", "type": "string", "pattern": "a"},
                "at": {"$ref": "#/$defs/Place"},
                "as": {"enum": ["title"], "default": {"title": "x"}},
                "default": {"title": "Default", "type": "string"},
                "more": {"anyOf": [{"title": "A", "type": "string"}, {"type": "null"}]},
            },
            "required": ["title"],
            "additionalProperties": False,
            "$defs": {"Place": {"title": "Place", "type": "object", "additionalProperties": {"title": "B"}}},
        },
    },
}

SCHEMAS = SchemaCache(compile_pattern)


def text_for(body: dict[str, Any], **options: bool) -> str:
    """Return the instructions for the functions of a request."""
    return functions_text(parse_offer(body), MARKS, Prompts(), SCHEMAS.checker(), **options)


def test_a_schema_omits_what_informs_no_model_and_nothing_else() -> None:
    """Properties that are called title, choices and defaults stay; references stay what they are."""
    assert compact_schema(LOOK["function"]["parameters"]) == {  # type: ignore[index] # a message is an object
        "type": "object",
        "properties": {
            "title": {"type": "string", "pattern": "a"},
            "at": {"$ref": "#/$defs/Place"},
            "as": {"enum": ["title"], "default": {"title": "x"}},
            "default": {"type": "string"},
            "more": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["title"],
        "$defs": {"Place": {"type": "object", "additionalProperties": {}}},
    }


def test_a_schema_nested_beyond_reason_does_not_fail() -> None:
    """What is too deep stays as it is."""
    schema: dict[str, Any] = {"title": "x"}
    for _ in range(500):
        schema = {"items": schema}
    assert compact_schema(schema) == schema


@pytest.mark.parametrize(
    ("body", "reply", "not_stated"),
    [
        pytest.param(
            {},
            ["Call a function where it helps", "several calls", "Use no other keys"],
            ["You must"],
            id="auto",
        ),
        pytest.param(
            {"tools": [{"type": "custom", "custom": {"name": name}} for name in ("run", "draw")]},
            ["To call run, draw, write no JSON"],
            ["Use no other keys"],
            id="custom tools",
        ),
        pytest.param(
            {"tool_choice": "required"}, ["You must call a function now"], ["it helps"], id="required"
        ),
        pytest.param(
            {"tool_choice": {"type": "function", "function": {"name": "look"}}},
            ["You must call the function look now"],
            ["it helps"],
            id="named",
        ),
        pytest.param(
            {"parallel_tool_calls": False}, ["one call only"], ["several calls"], id="one at a time"
        ),
    ],
)
def test_the_model_is_instructed_what_is_demanded(
    body: dict[str, Any], reply: list[str], not_stated: list[str]
) -> None:
    """The instructions say in the words of the prompts whether a call may or must be made."""
    text = text_for({"tools": [LOOK], **body})
    assert all(words in text for words in reply)
    assert not any(words in text for words in not_stated)


def test_each_function_is_one_line_of_json_and_the_marks_are_shown() -> None:
    """The line is the function as the caller described it, imitations of marks escaped."""
    lines = text_for({"tools": [LOOK]}).splitlines()
    start = '{"type":"function","function":{"name":"look"'
    function = json.loads(next(line for line in lines if line.startswith(start)))["function"]
    assert function["description"] == "Looks.\n\nArgs:\n    title: What <~call:x> to look at."
    assert function["parameters"] == compact_schema(LOOK["function"]["parameters"])  # type: ignore[index] # a dict
    assert "<call:tokibanuve>" in lines
    assert "</call:tokibanuve>" in lines


def test_where_nothing_can_be_called_the_model_is_instructed_so() -> None:
    """It still learns to read the history."""
    text = functions_text(NO_OFFER, MARKS, Prompts(), SCHEMAS.checker(), has_results=True)
    assert text.startswith(
        "<call:tokibanuve></call:tokibanuve> mark earlier calls. No function can be called now"
    )
    assert "<result:tokibanuve>" in text
    assert not text_for({}, has_calls=True).endswith("\n")
    assert text_for({}) == ""


@pytest.mark.parametrize("body", [{"tools": [LOOK]}, {}], ids=["offered", "none to call"])
def test_the_marks_of_results_are_shown_only_once_there_are_results(body: dict[str, Any]) -> None:
    """A small model that sees them writes a result itself."""
    assert "<result:" not in text_for(body)
    assert "<result:" in text_for(body, has_results=True)


def test_a_custom_tool_is_described_with_its_grammar_and_its_own_form() -> None:
    """Its input is plain text below its name."""
    grammar = {"syntax": "regex", "definition": "[a-z]+"}
    run = {"name": "run", "format": {"type": "grammar", "grammar": grammar}}
    text = text_for({"tools": [{"type": "custom", "custom": run}]})
    described = {"type": "custom", "custom": {"name": "run", "grammar": grammar}}
    assert json.loads(text.splitlines()[1]) == described
    assert "<call:tokibanuve>\nrun\nsome input\n</call:tokibanuve>" in text
    assert "To call run, write no JSON: write its name in the first line of the block" in text


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([], [{"role": "user", "content": "N"}], id="no messages"),
        pytest.param(
            [{"role": "user", "content": "u"}], [{"role": "user", "content": "u\n\nN"}], id="a user message"
        ),
        pytest.param(
            [{"role": "user", "content": [{"type": "text", "text": "u"}]}],
            [{"role": "user", "content": [{"type": "text", "text": "u"}, {"type": "text", "text": "N"}]}],
            id="a user message of parts",
        ),
        pytest.param(
            [{"role": "assistant", "content": "a"}],
            [{"role": "assistant", "content": "a"}, {"role": "user", "content": "N"}],
            id="the last message is the model's",
        ),
    ],
)
def test_a_note_follows_the_last_message_of_the_user(messages: list[object], expected: list[object]) -> None:
    """The messages of the caller are not changed."""
    before = copy.deepcopy(messages)
    assert with_note(messages, "N") == expected
    assert messages == before


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_conversation_follows_the_instructions(role: str) -> None:
    """Its length, without theirs, decides whether a reminder is added."""
    user: list[object] = [{"role": "user", "content": "u"}]
    assert after_instructions([{"role": role, "content": "s"}, *user]) == user
    assert after_instructions(user) == user


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([], [{"role": "system", "content": "T"}], id="no messages"),
        pytest.param(
            [{"role": "user", "content": "u"}],
            [{"role": "system", "content": "T"}, {"role": "user", "content": "u"}],
            id="no instruction yet",
        ),
        pytest.param(
            [{"role": "system", "content": "s"}],
            [{"role": "system", "content": "s\n\nT"}],
            id="a system message",
        ),
        pytest.param(
            [{"role": "developer", "content": ""}],
            [{"role": "developer", "content": "T"}],
            id="an empty developer message",
        ),
        pytest.param(
            [{"role": "system", "content": [{"type": "text", "text": "s"}]}],
            [{"role": "system", "content": [{"type": "text", "text": "s"}, {"type": "text", "text": "T"}]}],
            id="a system message of parts",
        ),
        pytest.param(["?"], [{"role": "system", "content": "T"}, "?"], id="no message at all"),
    ],
)
def test_instructions_join_the_first_system_message(messages: list[object], expected: list[object]) -> None:
    """There is one system message, since what two do is unknown."""
    before = copy.deepcopy(messages)
    assert with_instructions(messages, "T") == expected
    assert messages == before


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "look"}}])
@pytest.mark.parametrize("allows_several", [True, False])
def test_the_instructions_stay_short(choice: object, *, allows_several: bool) -> None:
    """They are paid for with every request; the functions themselves are the caller's."""
    text = text_for({"tools": [LOOK], "tool_choice": choice, "parallel_tool_calls": allows_several})
    assert _length_without_functions(text) <= 732


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "order"}}])
@pytest.mark.parametrize("allows_several", [True, False])
def test_the_instructions_stay_short_beside_earlier_calls(choice: object, *, allows_several: bool) -> None:
    """These are the examples, so that no long one is added, and the line about results fits."""
    required = ["customer", "address", "article", "quantity", "delivery_date", "comment"]
    parameters = {"type": "object", "properties": {key: {"type": "string"} for key in required}}
    order = {"name": "order", "parameters": {**parameters, "required": required}}
    body = {"tools": [{"type": "function", "function": order}], "tool_choice": choice}
    text = text_for({**body, "parallel_tool_calls": allows_several}, has_results=True, has_calls=True)
    assert "<result:tokibanuve>" in text
    assert '"arguments"' not in text
    assert _length_without_functions(text) <= 732


@pytest.mark.parametrize("count", [1, 3, 5, 6, 20])
def test_the_instructions_stay_short_where_an_example_would_be_long(count: int) -> None:
    """An example that is too long is not shown."""
    keys = [f"required_argument_{number}" for number in range(count)]
    parameters = {"type": "object", "properties": {key: {"type": "string"} for key in keys}, "required": keys}
    function = {"name": "order", "parameters": {**parameters, "additionalProperties": False}}
    text = text_for({"tools": [{"type": "function", "function": function}]})
    assert _length_without_functions(text) <= 732


def test_the_instructions_without_functions_stay_short() -> None:
    """They explain only the marks when the conversation has results and no function may be called."""
    assert len(functions_text(NO_OFFER, MARKS, Prompts(), SCHEMAS.checker(), has_results=True)) <= 204


def _length_without_functions(text: str) -> int:
    """Return the length of instructions without the line of their one function, which is the caller's."""
    functions = [line for line in text.splitlines() if line.startswith('{"type"')]
    assert len(functions) == 1
    return len(text) - len(functions[0])
