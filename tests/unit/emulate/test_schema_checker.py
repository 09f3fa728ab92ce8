"""Values are checked as JSON Schema says; the rest is checked where a part cannot be."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tess_openai.core.schemas.schema_checker import SchemaCache
from tests.unit.emulate.checked_schemas import DRAFT_4, DRAFT_7, check_schema, unchecked_keywords

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
        pytest.param(
            {"age": 1, "x": 1, "y": 1},
            ["Additional properties are not allowed ('x', 'y' were unexpected)"],
            id="two too many",
        ),
        pytest.param(
            {"age": 1, "w": 1, "x": 1, "y": 1, "z": 1},
            ["Additional properties are not allowed ('w', 'x', 'y', ... were unexpected)"],
            id="more than are listed",
        ),
        pytest.param([], ["[] is not of type 'object'"], id="no object"),
    ],
)
def test_each_problem_is_one_clause(value: object, errors: list[str]) -> None:
    """Each problem says where it is."""
    assert check_schema(SCHEMA, value) == errors


def test_the_remaining_members_and_items_are_named_by_what_they_are() -> None:
    """The model corrects its answer by this text."""
    unevaluated = {"unevaluatedProperties": False, "unevaluatedItems": False}
    assert check_schema(unevaluated, {"a": 1}) == [
        "Unevaluated properties are not allowed ('a' was unexpected)"
    ]
    assert check_schema(unevaluated, [1]) == ["Unevaluated items are not allowed (0 was unexpected)"]
    nested = check_schema({"unevaluatedProperties": {"type": "integer"}}, {"a": "x"})
    assert nested == ["a: 'x' is not of type 'integer'"]


def test_a_checker_does_not_mix_the_schemas_of_one_answer() -> None:
    """An answer with two calls is checked against the schemas of two functions."""
    checker = SchemaCache().checker()
    text, number = {"type": "string"}, {"type": "integer"}
    assert checker.check(text, "a") == []
    assert checker.check(number, "a") == ["'a' is not of type 'integer'"]
    assert checker.validate_and_coerce(number, "5") == (5, [])
    assert checker.root_types(text) == {"string"}


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": ["object", "null"]}, {"object", "null"}),
        ({"anyOf": [{"type": "object"}, {"type": "array"}]}, {"object", "array"}),
        ({"anyOf": [{"type": "object"}, {}]}, set[str]()),
        ({"allOf": [{"minLength": 1}, {"oneOf": [{"type": "string"}]}]}, {"string"}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array"}}}, {"array"}),
        ({"$ref": "#"}, set[str]()),
        ({}, set[str]()),
    ],
)
def test_the_types_that_a_schema_allows_are_known(schema: dict[str, Any], types: set[str]) -> None:
    """They tell whether a list in an answer may be the value that was asked for."""
    assert SchemaCache().checker().root_types(schema) == types


def test_errors_are_few_and_short() -> None:
    """They go into a message for the model, which pays for each character."""
    errors = check_schema({"items": {"type": "integer"}}, ["x" * 1000] * 100)
    assert len(errors) == 5
    assert all(len(error) < 250 for error in errors)
    assert len(check_schema({"enum": ["x" * 1000] * 100}, {"a": 1})[0]) < 1_500


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"enum": [1, "a", None, {"b": [1]}]}, {"b": [1.0]}, True),
        ({"const": 0}, 0.0, False),
        ({"minimum": 3}, 3, 2.9),
        ({"maximum": 3}, "x", 4),
        ({"exclusiveMinimum": 3}, 3.1, 3),
        ({"exclusiveMaximum": 3}, 2, 3),
        ({"multipleOf": 0.1}, 0.3, 0.35),
        ({"multipleOf": 3}, 10**30 * 3, 10**30),
        ({"minLength": 2}, "ää", "ä"),
        ({"maxLength": 1}, "😀", "ab"),
        ({"minItems": 1, "maxItems": 2}, [1], [1, 2, 3]),
        ({"minProperties": 1}, {"a": 1}, {}),
        ({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 2}),
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}], [{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"b": 1}, {"a": 1}),
        ({**DRAFT_7, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, {"c": 1, "d": 1}, {"c": 1}),
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": "1", "a": 1}, {"x-a": 1}),
        ({"patternProperties": {"^x-": {}}, "additionalProperties": False}, {"x-a": 1}, {"a": 1}),
        ({"additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": "1"}),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, ["a", 1], ["a", "b"]),
        ({"prefixItems": [{}], "items": False}, [1], [1, 2]),
        ({"items": [{"type": "string"}], "additionalItems": False}, ["a"], ["a", 1]),
        ({"contains": {"type": "integer"}}, ["a", 1], ["a"]),
        ({"contains": {"type": "integer"}, "minContains": 0, "maxContains": 1}, ["a"], [1, 2]),
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, 1, 3),
        ({"not": {"type": "null"}}, 1, None),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"maxProperties": 0}},
            {},
            {"a": 1},
        ),
        ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
        (
            {"anyOf": [{"required": ["a"], "properties": {"a": {}}}, {}], "unevaluatedProperties": False},
            {"a": 1},
            {"b": 1},
        ),
        ({"prefixItems": [{}], "unevaluatedItems": {"type": "string"}}, [1, "a"], [1, 2]),
        ({"patternProperties": {"^x-": {}}, "unevaluatedProperties": False}, {"x-a": 1}, {"a": 1}),
        (
            {"allOf": [{"additionalProperties": {"type": "integer"}}], "unevaluatedProperties": False},
            {"a": 1},
            {"a": "1"},
        ),
        ({"allOf": [{"items": {"type": "integer"}}], "unevaluatedItems": False}, [1, 2], [1, "a"]),
        (
            {"allOf": [{"unevaluatedProperties": {"type": "integer"}}], "unevaluatedProperties": False},
            {"a": 1},
            {"a": "1"},
        ),
        (
            {
                "if": {"required": ["a"], "properties": {"a": {"const": 1}}},
                "then": {"properties": {"b": {}}},
                "properties": {"a": {}},
                "unevaluatedProperties": False,
            },
            {"a": 1, "b": 1},
            {"a": 2, "b": 1},
        ),
        (
            {"prefixItems": [{}], "contains": {"type": "string"}, "unevaluatedItems": False},
            [1, "a"],
            [1, "a", 2],
        ),
        ({"allOf": [{"contains": {"type": "string"}}], "unevaluatedItems": False}, ["a"], ["a", 2]),
        (
            {"properties": {"a": {"$recursiveRef": "#"}, "n": {"type": "integer"}}},
            {"a": {"n": 1}},
            {"a": {"n": "1"}},
        ),
        (
            {"$ref": "#a", "allOf": [{"minProperties": 0}, {"$anchor": "a", "type": "object"}]},
            {},
            1,
        ),
        ({**DRAFT_4, "minimum": 5, "exclusiveMinimum": True}, 6, 5),
        ({"minimum": 5, "exclusiveMinimum": True}, 6, 5),
        ({"maximum": 5, "exclusiveMaximum": False}, 5, 6),
        ({**DRAFT_7, "$ref": "#/x", "type": "null", "x": {"type": "string"}}, "a", None),
        ({"$ref": "#/$defs/a", "maxLength": 1, "$defs": {"a": {"type": "string"}}}, "a", "ab"),
    ],
    ids=lambda given: str(given)[:60],
)
def test_keywords_mean_what_json_schema_states(schema: dict[str, Any], right: object, wrong: object) -> None:
    """This holds in each draft, and for the exclusive bounds that draft 4 and OpenAPI write as booleans."""
    assert unchecked_keywords(schema) == frozenset()
    assert check_schema(schema, right) == []
    assert len(check_schema(schema, wrong)) == 1


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        (
            {"anyOf": [{"type": "object", "required": ["a"]}, {"type": "string"}]},
            "'a' is a required property",
        ),
        (
            {
                "oneOf": [
                    {"properties": {"kind": {"const": "x"}, "size": {"type": "integer"}}},
                    {"properties": {"kind": {"const": "y"}, "size": {"type": "boolean"}}},
                ]
            },
            "size: 'z' is not of type 'boolean'",
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            (
                "an object is valid under none of the schemas of anyOf: an object is not of type 'string'; "
                "or an object is not of type 'integer'"
            ),
        ),
    ],
)
def test_of_several_schemas_the_problem_of_the_one_that_was_meant_is_shown(
    schema: dict[str, Any], error: str
) -> None:
    """It is the branch whose type and constants the value has."""
    assert check_schema(schema, {"kind": "y", "size": "z"}) == [error]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "nullable": True},
        {"enum": ["a", "b"], "nullable": True},
        {"allOf": [{"$ref": "#/$defs/a"}], "nullable": True, "$defs": {"a": {"type": "object"}}},
        {"allOf": [{"type": "string"}, {"description": "or nothing", "nullable": True}]},
        {"allOf": [{"type": "string", "nullable": True}, {"minLength": 2}]},
        {"$ref": "#/$defs/a", "nullable": True, "$defs": {"a": {"type": "object"}}},
        {"anyOf": [{"type": "string", "nullable": True}, {"type": "integer"}]},
        {"oneOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
    ],
    ids=lambda given: str(given)[:60],
)
def test_openapis_nullable_allows_null(schema: dict[str, Any]) -> None:
    """It does so wherever it is written; `nullable: false` allows nothing more."""
    assert check_schema(schema, None) == []
    assert check_schema({"items": schema}, [None, None]) == []
    assert len(check_schema(schema, True)) == 1
    refused = {**schema, "nullable": False}
    assert bool(check_schema(refused, None)) == ("nullable" in schema)


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^\d{4}-\d{2}-\d{2}$", "2026-11-23", "23.11.2026"),
        (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "ana@example.com", "ana"),
        (r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}$", "0123abcd-01ab-23cd", "x"),
        (r"^(red|green|blue)$", "red", "pink"),
        (r"^\+?(?:\d{1,3} )?\d+$", "+351 123", "a"),
        (r"^[\](){}|*+]+$", "]()", "a"),
        (r"^\p{Lu}+$", "ÄB", "äb"),
        (r"(?<year>[0-9]+)", "in 2026", "now"),
        (r"^[\w-\.]+@([\w-]+\.)+[\w-]{2,4}$", "a.b@c.de", "a.b"),
        (r"^\u00e9\u{1F600}$", "é😀", "e"),
        (r"^\\u0041$", r"\u0041", "A"),
        (r"^(?=.*[A-Z])(?!.*\s)(?=.*\d).{4,}$", "Abc1", "Ab c1"),
        (r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "-1.50", "-."),
        (
            r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([a-z]+\.)+[A-Za-z]{2,}$",
            "a.b@c.de",
            "a..b@c.de",
        ),
        (r"a$", "a", "a\n"),
    ],
)
def test_an_ordinary_pattern_is_checked(pattern: str, right: str, wrong: str) -> None:
    """Patterns have the syntax of JavaScript, which JSON Schema recommends, look-aheads included."""
    assert unchecked_keywords({"pattern": pattern}) == frozenset()
    assert check_schema({"pattern": pattern}, right) == []
    assert len(check_schema({"pattern": pattern}, wrong)) == 1
    assert len(check_schema({"patternProperties": {pattern: False}}, {right: 1})) == 1


def test_a_text_with_half_a_character_is_matched() -> None:
    """A lone surrogate can stand in JSON and has no UTF-8."""
    assert check_schema({"pattern": "^a"}, "a\ud83d") == []


def test_a_schema_is_compiled_once() -> None:
    """All calls of a client share it; it is found by its text, so a changed schema is compiled again."""
    texts: list[str] = []

    def compile_and_count(text: str) -> None:
        texts.append(text)

    schemas = SchemaCache(compile_and_count)
    schema: dict[str, Any] = {"items": {"pattern": "a"}}
    for _ in range(3):
        assert schemas.checker().check(copy.deepcopy(schema), ["b"]) == []
    assert texts == ["a"]
    schema["items"]["pattern"] = "b"
    schemas.checker().check(schema, ["b"])
    assert texts == ["a", "b"]
