"""The JSON that was asked for is found, cleaned and checked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tess_openai.core.emulate.prompts import Prompts
from tess_openai.core.emulate.structured import JSONFormat, extract, format_text, parse_format, unfinished
from tess_openai.core.refusals import Refused
from tess_openai.edge.schemas import check_schema

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
    """With a schema, without one, and none at all."""
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
    ],
)
def test_a_request_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    """As OpenAI does, naming the parameter."""
    with pytest.raises(Refused) as refusal:
        parse_format(body)
    assert refusal.value.param == "response_format"


def test_the_model_sees_the_schema_without_its_noise() -> None:
    """On one line."""
    wanted = JSONFormat({"type": "object", "title": "X", "additionalProperties": False}, has_schema=True)
    assert format_text(wanted, Prompts()).endswith('\n{"type":"object"}')
    assert "one JSON object" in format_text(ANY_OBJECT, Prompts())


@settings(max_examples=50)
@given(st.dictionaries(st.text(), VALUES), st.sampled_from(["", "Sure:\n```json\n", "So: "]))
def test_any_object_is_found_as_it_was_written(value: dict[str, object], before: str) -> None:
    """Whatever stands around it."""
    text = json.dumps(value)
    found = extract(f"{before}{text}\n```\nDone.", ANY_OBJECT, check_schema)
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
        pytest.param({}, '{"a": 1} and {"a": 1, "b": 2}', '{"a": 1, "b": 2}', id="of several the longest"),
    ],
)
def test_values_of_every_kind_are_found(schema: dict[str, Any], text: str, found: str) -> None:
    """Schemas need not be those of objects."""
    result = extract(text, JSONFormat(schema, has_schema=True), check_schema)
    assert (result.text, result.problems) == (found, [])


def test_looking_for_json_ends() -> None:
    """After so many brackets that begin nothing, there is none."""
    assert extract("{a} " * 100 + '{"a": 1}', ANY_OBJECT, check_schema).text is None


def test_what_is_cut_is_given_from_its_first_bracket_on() -> None:
    """A client that is told of the length sees how far it came."""
    assert unfinished('Sure: {"a": [1') == '{"a": [1'
    assert unfinished("Sure") == "Sure"
