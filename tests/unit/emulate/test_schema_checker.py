"""The check is that of a real library, fetches nothing, and does not run away."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from tess_openai.edge.schemas import check_schema, load_schema_checker

SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer"}, "pet": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "required": ["age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        pytest.param({"age": 5, "pet": None}, [], id="right"),
        pytest.param({}, ["'age' is a required property"], id="missing"),
        pytest.param({"age": "x"}, ["age: 'x' is not of type 'integer'"], id="a wrong type, with its place"),
        pytest.param(
            {"age": 1, "x": 1}, ["Additional properties are not allowed ('x' was unexpected)"], id="too many"
        ),
        pytest.param([], ["[] is not of type 'object'"], id="no object"),
    ],
)
def test_what_is_wrong_is_said(value: object, errors: list[str]) -> None:
    """One clause each, with the place where it is."""
    assert load_schema_checker()(SCHEMA, value) == errors


@pytest.mark.parametrize("pattern", ["(", "a{99999999999999999999}", "[[a]", "(" * 3000 + ")" * 3000])
def test_a_pattern_that_is_none_is_left_unchecked_wherever_it_stands(pattern: str) -> None:
    """Also where only a reference leads to it, so that the library has not looked at it before."""
    assert check_schema({"$ref": "#/x", "x": {"pattern": pattern}}, "a") == []


def test_errors_are_few_and_short() -> None:
    """They go into a message for the model, which pays for each character."""
    errors = check_schema({"items": {"type": "integer"}}, ["x" * 1000] * 100)
    assert len(errors) == 5
    assert all(len(error) < 250 for error in errors)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "http://example.invalid/schema.json"}, id="a reference to the network"),
        pytest.param({"$ref": "#/$defs/missing"}, id="a reference to nothing"),
        pytest.param({"type": "strin"}, id="a type that does not exist"),
        pytest.param({"required": 5}, id="a keyword of the wrong kind"),
        pytest.param({"type": "string", "pattern": "("}, id="a pattern that is none"),
        pytest.param(
            {"type": "string", "pattern": "a{99999999999999999999}"}, id="a pattern that is too long"
        ),
        pytest.param({"type": "string", "pattern": "[[a]"}, id="a pattern that Python warns of"),
        pytest.param(
            {"type": "string", "pattern": "(" * 3000 + ")" * 3000}, id="a pattern nested too deeply"
        ),
        pytest.param({"$ref": "#/x", "x": {"type": "strin"}}, id="a reference to a type that does not exist"),
        pytest.param({"$ref": "#/x", "x": {"required": 5}}, id="a reference to what is no schema"),
    ],
)
def test_a_schema_that_is_none_checks_nothing(schema: dict[str, Any]) -> None:
    """Nothing is fetched, and no call fails for a fault of its schema (the suite refuses any connection)."""
    assert check_schema(schema, {"a": 1}) == []
    assert check_schema({"properties": {"a": schema}}, {"a": "x"}) == []


HOSTILE = [
    r"(a+)+$",
    r"(a|a)*$",
    r"^(a|aa){40}$",
    r"(?:a*)*b",
    r"((a)+x?)+$",
    r"(\w+)\1+$",
    r"a*a*a*a*a*a*a*b",
    "a?" * 40 + "a" * 40,
]


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties", "propertyNames"])
def test_a_pattern_that_could_run_away_is_left_unchecked(pattern: str, keyword: str) -> None:
    """Each of these takes minutes or longer when it is tried on this text."""
    text = "a" * 60 + "!"
    schema: dict[str, Any]
    value: object
    if keyword == "pattern":
        schema, value = {"pattern": pattern}, text
    elif keyword == "propertyNames":
        schema, value = {"propertyNames": {"pattern": pattern}}, {text: 1}
    else:
        schema = {"patternProperties": {pattern: {"type": "string"}}, "additionalProperties": False}
        schema["unevaluatedProperties"] = False
        value = {text: 1}
    began = time.perf_counter()
    assert check_schema(schema, value) == []
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^\d{4}-\d{2}-\d{2}$", "2026-11-23", "23.11.2026"),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "ana@example.com", "ana"),
        (r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}$", "0123abcd-01ab-23cd", "x"),
        (r"^(red|green|blue)$", "red", "pink"),
        (r"^\+?(?:\d{1,3} )?\d+$", "+351 123", "a"),
        (r"^[\](){}|*+]+$", "]()", "a"),
    ],
)
def test_an_ordinary_pattern_is_checked(pattern: str, right: str, wrong: str) -> None:
    """The bound leaves alone what people write."""
    assert check_schema({"pattern": pattern}, right) == []
    assert len(check_schema({"pattern": pattern}, wrong)) == 1
    assert len(check_schema({"patternProperties": {pattern: False}}, {right: 1})) == 1


def test_uniqueness_is_checked_where_that_is_quick() -> None:
    """Objects are compared each with each."""
    schema = {"uniqueItems": True}
    assert len(check_schema(schema, [{"a": 1}, {"a": 1}])) == 1
    began = time.perf_counter()
    assert check_schema(schema, [{"a": number} for number in range(20_000)]) == []
    assert time.perf_counter() - began < 5


def test_a_value_nested_beyond_reason_is_an_error() -> None:
    """It is told like any other."""
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    schema = {"$ref": "#/$defs/list", "$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}}}
    assert check_schema(schema, value) == ["it is nested too deeply"]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_references_that_double_at_each_step_come_to_an_end(keyword: str) -> None:
    """Forty steps would be a million million checks."""
    levels = {f"a{step}": {keyword: [{"$ref": f"#/$defs/a{step + 1}"}] * 2} for step in range(40)}
    schema = {"$ref": "#/$defs/a0", "$defs": {**levels, "a40": {"type": "integer"}}}
    began = time.perf_counter()
    check_schema(schema, "x")
    assert time.perf_counter() - began < 10


def test_without_the_library_the_reason_and_the_remedy_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where emulation is switched on, not in the middle of a call."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ImportError, match=r"install tess-openai\[emulate\]"):
        load_schema_checker()
