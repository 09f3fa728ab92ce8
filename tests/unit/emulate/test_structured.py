"""The JSON that was asked for is found, cleaned and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tess_openai.core.emulate.structured import JSONFormat, extract, format_text, parse_format
from tess_openai.core.prompts import JSON_ESCAPES, Prompts, fill
from tess_openai.core.refusals import Refused
from tess_openai.core.schemas.schema_checker import SchemaCache

ANY_OBJECT = JSONFormat({"type": "object"}, has_schema=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def json_schema(schema: object) -> dict[str, Any]:
    """Return a request for JSON of a schema."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}


def test_a_request_for_json_is_read() -> None:
    """It may have a schema or none, and `text` asks for no JSON."""
    assert parse_format({"response_format": {"type": "json_object"}}) == ANY_OBJECT
    assert parse_format(json_schema({"type": "array"})) == JSONFormat({"type": "array"}, has_schema=True)
    assert parse_format({"response_format": {"type": "text"}}) is None
    assert parse_format({"response_format": None}) is None
    assert parse_format({}) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"response_format": {"type": "xml"}}, id="a type that does not exist"),
        pytest.param({"response_format": {"type": "json_schema"}}, id="no schema"),
        pytest.param(json_schema("person"), id="a schema that is none"),
        pytest.param({"response_format": {"name": "x"}}, id="no type"),
        pytest.param({"response_format": "json_object"}, id="a type alone"),
    ],
)
def test_an_invalid_response_format_is_refused(body: dict[str, Any]) -> None:
    """The error names the parameter, as OpenAI's does."""
    with pytest.raises(Refused) as refusal:
        parse_format(body)
    assert (refusal.value.param, refusal.value.code) == ("response_format", "invalid_response_format")


def test_the_model_sees_the_schema_without_its_noise() -> None:
    """The instructions have the schema on one line, without titles and identifiers."""
    wanted = JSONFormat({"type": "object", "title": "X", "additionalProperties": False}, has_schema=True)
    assert '\n{"type":"object"}\n' in format_text(wanted, Prompts())
    assert "one JSON object" in format_text(ANY_OBJECT, Prompts())


@pytest.mark.parametrize(
    ("schema", "is_closed"),
    [
        pytest.param({"type": "object", "additionalProperties": False}, True, id="at the root"),
        pytest.param({"items": {"additionalProperties": False}}, True, id="further inside"),
        pytest.param({"type": "object"}, False, id="not given"),
        pytest.param({"additionalProperties": {"type": "string"}}, False, id="others of one type"),
    ],
)
def test_that_other_keys_are_forbidden_is_stated_in_words(schema: dict[str, Any], *, is_closed: bool) -> None:
    """The keyword itself is left out of the schema, since models overlook it."""
    text = format_text(JSONFormat(schema, has_schema=True), Prompts())
    assert ("no other keys" in text) is is_closed


def test_with_functions_the_format_is_that_of_an_answer_without_a_call() -> None:
    """A model that is instructed to answer with JSON only would call nothing."""
    text = format_text(ANY_OBJECT, Prompts(), may_call=True)
    assert text == "When you do not call a function: " + Prompts().json_object


@pytest.mark.parametrize(
    ("text", "found", "problems"),
    [
        pytest.param("{'a': 1}", '{"a":1}', [], id="a key of the schema"),
        pytest.param('{"a": 1, "b": 2}', '{"a": 1, "b": 2}', [], id="another key in JSON"),
        pytest.param("{'a': 1, 'b': 2}", None, ["- 'b' is not in the schema"], id="another key"),
        pytest.param(
            "{'a': 1, '" + "b" * 60 + "': 2}",
            None,
            ["- '" + "b" * 40 + "' is not in the schema"],
            id="a long key, which is shortened",
        ),
    ],
)
def test_a_repaired_object_has_only_keys_of_its_schema(
    text: str, found: str | None, problems: list[str]
) -> None:
    """What looks like a further key may be the rest of a string with an unescaped quote."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    result = extract(text, JSONFormat(schema, has_schema=True), SchemaCache().checker())
    assert (result.text, result.problems, result.start) == (found, problems, 0)


def test_the_rule_of_escapes_is_given_once() -> None:
    """The instructions for functions contain it, and the model pays for each sentence."""
    wanted = JSONFormat({"type": "object"}, has_schema=True)
    alone = format_text(wanted, Prompts())
    assert alone == fill(Prompts().json_schema, schema='{"type":"object"}')
    without = alone.removesuffix(f" {JSON_ESCAPES}")
    assert without != alone
    beside = format_text(wanted, Prompts(), may_call=True)
    assert beside == f"When you do not call a function: {without}"
    own = Prompts(functions=Prompts().functions.replace(JSON_ESCAPES, ""))
    assert format_text(wanted, own, may_call=True).endswith(JSON_ESCAPES)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), VALUES), st.sampled_from(["", "Sure:\n```json\n", "So: "]))
def test_any_object_is_found_as_it_was_written(value: dict[str, object], before: str) -> None:
    """Text around the JSON does not change it."""
    text = json.dumps(value)
    found = extract(f"{before}{text}\n```\nDone.", ANY_OBJECT, SchemaCache().checker())
    assert (found.text, found.problems) == (text, [])


@pytest.mark.parametrize(
    ("schema", "text", "found"),
    [
        pytest.param({"type": "integer"}, " 5\n", "5", id="a bare number"),
        pytest.param({"type": "string"}, '"x"', '"x"', id="a bare string"),
        pytest.param({"type": "null"}, "null", "null", id="null"),
        pytest.param({"type": "integer"}, '"5"', "5", id="a bare number in quotes"),
        pytest.param({"type": "array"}, 'The list: ["a", "b"]', '["a", "b"]', id="a list"),
        pytest.param({"required": ["b"]}, '{"a": 1} {"b": 2}', '{"b": 2}', id="the one that follows"),
        pytest.param(
            {}, '<think>{"a": 1}?</think>{"a": 2}', '{"a": 2}', id="of several the last, not an example"
        ),
        pytest.param(
            {}, '{"a": 1}. Else it would be {}', '{"a": 1}', id="what is empty only where nothing is not"
        ),
        pytest.param({"type": "object"}, "{}", "{}", id="what is empty"),
        pytest.param(
            {"type": "object"},
            "As \\frac{1}{2} " * 40 + 'f({x}), {"a", "b"} and ${c} give {"a": 1}',
            '{"a": 1}',
            id="after any number of brackets in prose",
        ),
        pytest.param(
            {"type": "object"},
            'On [0, 1) and ]2, 3[ it is {"a": 1}',
            '{"a": 1}',
            id="after half-open intervals",
        ),
        pytest.param(
            {"type": "object"},
            "On [0, 1) it is {'a': 1}, see [docs](x)",
            '{"a":1}',
            id="between lists in prose",
        ),
        pytest.param(
            {"type": "object"}, 'Use {name: } or {...}: {"a": 1}', '{"a": 1}', id="after what has no value"
        ),
        pytest.param({"type": "array"}, "The list:\n[red, green]", '["red","green"]', id="a list of words"),
        pytest.param({"type": "array"}, 'A [note] on ["a"]', '["a"]', id="a list after a word in brackets"),
        pytest.param(
            {"type": "string"}, '"see {\\"a\\": 1}"', '"see {\\"a\\": 1}"', id="a text with brackets"
        ),
    ],
)
def test_values_of_every_kind_are_found(schema: dict[str, Any], text: str, found: str) -> None:
    """A schema may ask for a list, a string or a number too."""
    result = extract(text, JSONFormat(schema, has_schema=True), SchemaCache().checker())
    assert (result.text, result.problems) == (found, [])


OPEN = {"type": "object", "properties": {"a": {}}}
TREE = {"type": "object", "properties": {"v": {"type": "string"}}, "required": ["v"]}


@pytest.mark.parametrize("schema", [TREE, {"type": "object"}, {}], ids=["a tree", "any object", "anything"])
@pytest.mark.parametrize(
    "text",
    [
        '{"v": "root", "kids": [{"v": "a", "kids": []}, {"v": "b", "kids": []}, {"v": "c',
        '{"a": {"v": 1}, "c": "unterminated',
        '{"a": {"v": "b"}, "c": ',
        "{'a': {\"v\": \"b\"}, 'c': 'unterminated",
        '{"a": 1, oops} {"v": "b"}',
        '{"a": {"v": "b"}, "c": , "d": 1}',
        '[{"v": "a"}, {"v": "b"}, {"v": "c',
        '[red, {"v": "a"}, {"v": "b',
        '{"v": "old"}. Updated: {"v": "new',
        '{"v": "old"}. Updated: {"w": "new"',
        "{'a': {\"v\": \"b\"}, 'c': " + "{" * 100,
        '{"a":' * 70 + '{"v": "b"}' + "}" * 70,
    ],
)
def test_a_part_is_never_taken_for_the_whole(text: str, schema: dict[str, Any]) -> None:
    """What breaks off or cannot be read is asked for again, not replaced by what is within it."""
    found = extract(text, JSONFormat(schema, has_schema=True), SchemaCache().checker())
    assert found.text is None
    assert found.problems


@pytest.mark.parametrize(
    "text",
    [
        'You wrote {"a": 1, "b": 2}. Now: {"a": 3}',
        '{"a": 1}\n{"a": 2}',
        '```json\n{"a": 1}\n```\nor\n```json\n{"a": true}\n```',
    ],
)
@pytest.mark.parametrize(
    "wanted", [ANY_OBJECT, JSONFormat(OPEN, has_schema=True)], ids=["any object", "schema"]
)
def test_of_values_that_differ_none_is_taken(text: str, wanted: JSONFormat) -> None:
    """Only the model can say which one it means; the same value twice counts as one."""
    found = extract(text, wanted, SchemaCache().checker())
    assert (found.text, found.problems) == (
        None,
        ["- there are different JSON values in the answer; answer with one"],
    )
    twice = extract('{"a": 1}, that is {"a": 1}', wanted, SchemaCache().checker())
    assert (twice.text, twice.problems) == ('{"a": 1}', [])


@pytest.mark.parametrize(
    "text",
    [
        '<think>Perhaps {"a": 1}?</think>{"a": 2}',
        'Perhaps {"a": 1}?\n</think>\n\n{"a": 2}',
        '{"a": 1}</think>{"a": 2}',
        '{"a": 2}\n<thinking>or {"a": 1}, or {"a": </thinking>',
        '[THINK]{"a": 1}[/THINK]{"a": 2}',
        '<|channel|>analysis<|message|>{"a": 1}<|end|><|start|>assistant<|channel|>final<|message|>{"a": 2}',
        '<think>{"a": 1}</think><think>{"a": 3}</think>{"a": 2}',
    ],
)
def test_what_a_model_thinks_is_no_answer(text: str) -> None:
    """JSON within thinking is ignored, and the only value after it is taken."""
    found = extract(text, ANY_OBJECT, SchemaCache().checker())
    assert (found.text, found.problems) == ('{"a": 2}', [])


def test_thinking_tags_in_a_text_are_text() -> None:
    """A string may hold them, in any order."""
    for text in ('{"a": "see <think>x</think>"}', '{"a": "</think>", "b": "<think>"}', '["</think>"]'):
        found = extract(text, JSONFormat({}, has_schema=True), SchemaCache().checker())
        assert (found.text, found.problems) == (text, [])


def test_a_copy_of_the_schema_is_no_answer() -> None:
    """It follows many schemas itself; before an answer it is passed over."""
    wanted = JSONFormat(OPEN, has_schema=True)
    copy = json.dumps(OPEN)
    assert extract(copy, wanted, SchemaCache().checker()).problems
    assert extract(f'{copy}\n{{"a": 1}}', wanted, SchemaCache().checker()).text == '{"a": 1}'


@pytest.mark.parametrize("number", ["123456789012345678.12", "1e3", "-0", "1.10", "9" * 30, "0.1e-7"])
def test_numbers_keep_their_text(number: str) -> None:
    """They keep it even if the syntax around them is repaired."""
    schema = JSONFormat({"type": "object"}, has_schema=True)
    assert extract(f'{{"a": {number}}}', schema, SchemaCache().checker()).text == f'{{"a": {number}}}'
    assert extract(f"{{'a': [{number}], }}", schema, SchemaCache().checker()).text == f'{{"a":[{number}]}}'


@given(
    st.dictionaries(st.sampled_from("vwx"), VALUES, min_size=1),
    st.sampled_from([json.dumps, repr]),
    st.sampled_from([{}, {"type": "object"}, {"type": "array"}]),
)
@settings(max_examples=50)
def test_no_beginning_of_an_object_gives_a_value(
    value: dict[str, object], write: Callable[[object], str], schema: dict[str, Any]
) -> None:
    """A part of an answer that was cut is never taken for the whole."""
    text = write(value)
    for end in range(1, len(text)):
        found = extract(text[:end], JSONFormat(schema, has_schema=True), SchemaCache().checker())
        assert found.problems


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (ANY_OBJECT.schema, "I can't [see policy]."),
        (ANY_OBJECT.schema, 'I can\'t ["see", "policy"].'),
        (TREE, "I cannot help with [this]."),
        ({"type": "array"}, "I can't [see policy]."),
        ({"anyOf": [TREE, {"type": "null"}]}, "No [x] and no [1]."),
    ],
)
def test_prose_with_brackets_is_prose(schema: dict[str, Any], text: str) -> None:
    """A value of another type than the one asked for is no attempt at it."""
    found = extract(text, JSONFormat(schema, has_schema=True), SchemaCache().checker())
    assert (found.text, found.start, len(found.problems)) == (None, None, 1)


@pytest.mark.parametrize(
    ("text", "start", "found"),
    [
        ('Sure: {"v": "a', 6, None),
        ('Sure: {"v": "a"', 6, None),
        ('Sure: {"v": []} and', 6, None),
        ("Sure", None, None),
        ("See [this]", None, None),
        ('```json\n{"v": "a"}\n```\nThat', 8, '{"v": "a"}'),
    ],
)
def test_what_is_cut_is_whole_or_reported_to_begin_somewhere(
    text: str, start: int | None, found: str | None
) -> None:
    """A client that knows the length sees how far it came."""
    result = extract(text, JSONFormat(TREE, has_schema=True), SchemaCache().checker())
    assert result.start == start
    assert (None if result.problems else result.text) == found
