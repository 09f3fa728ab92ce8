"""A value is converted to the type its schema asks for where one reading is possible, and else stays."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.core.strict_json import ExactNumber, compact_json
from tess_openai.edge.patterns import compile_pattern

SCHEMAS = SchemaCache(compile_pattern)
INTEGER, NUMBER, BOOLEAN, TEXT, NULL = (
    {"type": name} for name in ("integer", "number", "boolean", "string", "null")
)
LIST = {"type": "array", "items": INTEGER}
TEXTS = {"type": "array", "items": TEXT}
POINT = {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "required": ["x"]}
STRICT_POINT = {**POINT, "additionalProperties": False}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/tree",
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {"value": INTEGER, "twigs": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
        }
    },
}
CIRCLE = {
    "type": "object",
    "properties": {"kind": {"const": "circle"}, "r": NUMBER},
    "required": ["kind", "r"],
}
SQUARE = {
    "type": "object",
    "properties": {"kind": {"const": "square"}, "r": BOOLEAN},
    "required": ["kind", "r"],
}


def validate_and_coerce(schema: dict[str, Any], value: object) -> tuple[object, list[str]]:
    """Return the coerced value, and what is still wrong with it."""
    return SCHEMAS.checker().validate_and_coerce(schema, value)


@pytest.mark.parametrize(
    ("schema", "value", "coerced"),
    [
        pytest.param(INTEGER, "5", 5, id="an integer in quotes"),
        pytest.param(INTEGER, " -5.0 ", -5, id="an integer with a point in quotes"),
        pytest.param(INTEGER, "1234567890123456789", 1234567890123456789, id="an identifier in quotes"),
        pytest.param(NUMBER, "5", 5, id="a number in quotes"),
        pytest.param(NUMBER, "-0.5e2", -50.0, id="a number with an exponent in quotes"),
        pytest.param(BOOLEAN, "FALSE", False, id="a truth in quotes"),
        pytest.param(NULL, "None", None, id="null in quotes"),
        pytest.param(TEXT, 5, "5", id="a number where text belongs"),
        pytest.param(LIST, 5, [5], id="one value where a list belongs"),
        pytest.param(LIST, "5", [5], id="one value in quotes where a list belongs"),
        pytest.param(LIST, "[1, '2']", [1, 2], id="a list in quotes"),
        pytest.param(TEXTS, "a", ["a"], id="one text where a list belongs"),
        pytest.param(TEXTS, '["a", "b"]', ["a", "b"], id="a list of texts in quotes"),
        pytest.param(POINT, '{"x": "1"}', {"x": 1}, id="an object in quotes"),
        pytest.param(POINT, {"X": "1"}, {"x": 1}, id="a key in another case"),
        pytest.param(POINT, {"x": 5.0, "y": "1"}, {"x": 5.0, "y": 1}, id="a whole number with a point stays"),
        pytest.param({"enum": ["on", "off"]}, "ON ", "on", id="a choice in another case"),
        pytest.param({"enum": ["at-once", "later"]}, "At_once", "at-once", id="a choice joined otherwise"),
        pytest.param({"const": "New York"}, "new  york", "New York", id="a constant with other spaces"),
        pytest.param(
            {"type": "array", "items": {"enum": ["a"]}}, ["A", "a"], ["a", "a"], id="choices in a list"
        ),
        pytest.param({"anyOf": [INTEGER, NULL]}, "5", 5, id="one of two types"),
        pytest.param({"anyOf": [INTEGER, NULL]}, "null", None, id="null as one of two types"),
        pytest.param({"oneOf": [LIST, NULL]}, 5, [5], id="a list as one of two types"),
        pytest.param(
            {**INTEGER, "nullable": True}, "null", None, id="null in quotes where OpenAPI allows it"
        ),
        pytest.param({**INTEGER, "x-nullable": True}, None, None, id="null where Swagger 2 allows it"),
        pytest.param(
            {"if": {"required": ["k"]}, "then": {"properties": {"v": INTEGER}}},
            {"k": 1, "v": "5"},
            {"k": 1, "v": 5},
            id="what applies under a condition",
        ),
        pytest.param(
            {"dependentSchemas": {"k": {"properties": {"v": INTEGER}}}},
            {"k": 1, "v": "5"},
            {"k": 1, "v": 5},
            id="what applies beside a member",
        ),
        pytest.param({"type": ["integer", "null"]}, "5", 5, id="one of several types in one word"),
        pytest.param({"anyOf": [POINT, NULL]}, {"x": "1"}, {"x": 1}, id="the object of two types"),
        pytest.param({"allOf": [{"type": "integer"}, {"minimum": 3}]}, "5", 5, id="all of several schemas"),
        pytest.param(
            TREE,
            {"value": "1", "twigs": {"value": "2", "twigs": None}},
            {"value": 1, "twigs": [{"value": 2}]},
            id="a schema that refers to itself",
        ),
        pytest.param(STRICT_POINT, {"x": 1, "y": None}, {"x": 1}, id="null for what may be left out"),
        pytest.param(
            {**STRICT_POINT, "properties": {"x": INTEGER, "y": {"anyOf": [INTEGER, NULL]}}},
            {"x": "1", "y": None},
            {"x": 1, "y": None},
            id="null that is allowed stays",
        ),
        pytest.param(
            {"anyOf": [CIRCLE, SQUARE]},
            {"kind": "circle", "r": "2"},
            {"kind": "circle", "r": 2},
            id="a union by its constant",
        ),
        pytest.param(
            {"oneOf": [CIRCLE, SQUARE]},
            {"kind": "Square", "r": "true"},
            {"kind": "square", "r": True},
            id="a union by its constant in another case",
        ),
        pytest.param({"anyOf": [{"anyOf": [INTEGER, BOOLEAN]}, NULL]}, "7", 7, id="a union in a union"),
        pytest.param(
            {"type": "object", "additionalProperties": INTEGER}, {"a": "1"}, {"a": 1}, id="any member"
        ),
        pytest.param(
            {"additionalProperties": LIST}, {"a": "1", "b": [2]}, {"a": [1], "b": [2]}, id="any list"
        ),
        pytest.param(
            {"patternProperties": {"^n": INTEGER}},
            {"n1": "1", "m": "1"},
            {"n1": 1, "m": "1"},
            id="members by pattern",
        ),
        pytest.param(
            {"prefixItems": [INTEGER, BOOLEAN], "items": NUMBER},
            ["1", "true", "2.5"],
            [1, True, 2.5],
            id="a tuple",
        ),
        pytest.param(
            {"items": [INTEGER, BOOLEAN]}, ["1", "true", "x"], [1, True, "x"], id="a tuple of an older draft"
        ),
        pytest.param({"enum": [1, 2]}, "2", 2, id="a number of untyped choices"),
        pytest.param({"enum": ["1", "2"]}, 2, "2", id="a text of untyped choices"),
        pytest.param({"enum": [True, None]}, "true", True, id="a truth of untyped choices"),
        pytest.param({"enum": ["true", "True"]}, True, "true", id="a truth for a text of untyped choices"),
        pytest.param({"const": None}, "null", None, id="null as a constant"),
        pytest.param({"const": 3}, "3", 3, id="a number as a constant"),
        pytest.param(
            {"$ref": "#/$defs/a/anyOf/0", "$defs": {"a": {"anyOf": [INTEGER, NULL]}}},
            "5",
            5,
            id="a reference by index",
        ),
        pytest.param({"$ref": "#/$defs/a%20b", "$defs": {"a b": INTEGER}}, "5", 5, id="an encoded reference"),
        pytest.param(
            {"$ref": "urn:a", "$defs": {"a": {"$id": "urn:a", **INTEGER}}},
            "5",
            5,
            id="a reference by identifier",
        ),
        pytest.param(
            {"$ref": "#a", "$defs": {"a": {"$anchor": "a", **INTEGER}}}, "5", 5, id="a reference by name"
        ),
        pytest.param(
            {
                "properties": {
                    "a": {**INTEGER, "nullable": True},
                    "b": {"allOf": [POINT], "nullable": True},
                    "c": INTEGER,
                },
                "required": ["a"],
            },
            {"a": None, "b": None, "c": "1"},
            {"a": None, "b": None, "c": 1},
            id="null where nullable allows it",
        ),
        pytest.param(
            {"if": {"required": ["a"]}, "then": {"properties": {"a": INTEGER}}, "properties": {"a": INTEGER}},
            {"a": "1"},
            {"a": 1},
            id="a condition",
        ),
    ],
)
def test_the_only_reading_is_taken(schema: dict[str, Any], value: object, coerced: object) -> None:
    """The result follows the schema, and neither the value nor the schema is changed."""
    before = copy.deepcopy((schema, value))
    result, errors = validate_and_coerce(schema, value)
    assert (result, errors) == (coerced, [])
    assert isinstance(result, type(coerced))
    assert before == (schema, value)
    inside, errors = validate_and_coerce({"properties": {"p": schema}, **_shared(schema)}, {"p": value})
    assert (inside, errors) == ({"p": coerced}, [])


def _shared(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a schema that references in it lead to."""
    return {"$defs": schema["$defs"]} if "$defs" in schema else {}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(INTEGER, "five", id="a word for a number"),
        pytest.param(INTEGER, "5.5", id="a fraction for an integer"),
        pytest.param(INTEGER, "0x5", id="another base"),
        pytest.param(INTEGER, "1e3", id="an exponent for an integer"),
        pytest.param(INTEGER, True, id="a truth for a number"),
        pytest.param(INTEGER, "9" * 30, id="more digits than a number has"),
        pytest.param(NUMBER, "1,5", id="a comma in a number"),
        pytest.param(BOOLEAN, "yes", id="yes for true"),
        pytest.param(BOOLEAN, 1, id="one for true"),
        pytest.param(TEXT, True, id="a truth for text"),
        pytest.param(TEXT, 0.1, id="a fraction for text"),
        pytest.param(TEXT, None, id="null for text"),
        pytest.param(LIST, None, id="null for a list"),
        pytest.param(LIST, "a", id="a wrong value in a list"),
        pytest.param(LIST, "1, 2", id="values with commas for a list"),
        pytest.param(TEXTS, "a, b", id="a text that may be several"),
        pytest.param(TEXTS, "a\nb", id="lines that may be several texts"),
        pytest.param(TEXTS, "a and b", id="a text that may be two"),
        pytest.param(TEXTS, " ", id="an empty text, or an empty list"),
        pytest.param(TEXTS, "None", id="a text that may mean no list"),
        pytest.param(INTEGER, ExactNumber("123456789012345678.12"), id="a fraction that a float rounds off"),
        pytest.param(
            INTEGER, ExactNumber("1e-99999999999999999999"), id="a fraction that a float rounds to 0"
        ),
        pytest.param(TEXTS, "[a]", id="a text with brackets that may be a list"),
        pytest.param({"type": "array", "items": LIST}, [1, 2], id="one list, or two lists of one item"),
        pytest.param({"type": "array", "items": LIST}, ["1", "2"], id="one list, or two lists, in quotes"),
        pytest.param({"anyOf": [INTEGER, LIST]}, "5", id="a number or a list of it"),
        pytest.param({"type": ["integer", "array"]}, "5", id="a number or a list of it, in one word"),
        pytest.param({"anyOf": [{"const": 1}, {"enum": ["a", "1 "]}]}, "1", id="a number or another text"),
        pytest.param({"enum": [1, True, "ON", "on "]}, "On", id="two texts in another case"),
        pytest.param({"anyOf": [CIRCLE, SQUARE]}, {"r": "2"}, id="a union without its constant"),
        pytest.param(POINT, {}, id="a missing member"),
        pytest.param(POINT, {"x": None}, id="null for what must be there"),
        pytest.param(POINT, '{"x": ', id="an object in quotes that is cut"),
        pytest.param(POINT, "[1]", id="a list in quotes for an object"),
        pytest.param(POINT, '{"x": 1} and more', id="an object in quotes with text behind it"),
        pytest.param(STRICT_POINT, {"x": 1, "z": 1}, id="a member too many"),
        pytest.param(STRICT_POINT, {"X": 1, "x ": 2}, id="two keys that could be meant"),
        pytest.param({"enum": ["on", "off"]}, "o", id="a choice that is none"),
        pytest.param({"enum": ["on", "off"]}, 1.5, id="a fraction for a choice that is a text"),
        pytest.param({"const": {"a": 1}}, {"a": 2}, id="an object for another one"),
        pytest.param({"const": 7}, [8], id="a list for a number"),
        pytest.param({"enum": ["a" * 201]}, "A" * 201, id="a choice that is too long to compare"),
        pytest.param(
            {"properties": {"a_b": {}, "aB": {}}, "required": ["aB"], "additionalProperties": False},
            {"a_b": 1},
            id="a key that is another property",
        ),
        pytest.param({"enum": ["5", "1.5", "+"]}, "-5", id="a choice without its sign"),
        pytest.param({"enum": ["5", "1.5", "+"]}, "15", id="a choice without its point"),
        pytest.param({"enum": ["5", "1.5", "+"]}, "-", id="another sign"),
        pytest.param({"enum": ["1-5"]}, "1 5", id="numbers joined otherwise"),
        pytest.param({"enum": ["a-b", "a_b"]}, "a b", id="two choices that are joined otherwise"),
        pytest.param({"enum": ["on", "On"]}, "ON", id="two choices that could be meant"),
        pytest.param(
            {"anyOf": [POINT, {"type": "object", "required": ["z"]}]},
            {"y": 1},
            id="two objects that could be meant",
        ),
    ],
)
def test_what_is_not_clear_stays_wrong(schema: dict[str, Any], value: object) -> None:
    """Nothing is guessed, nothing invented, and the value stays as it was."""
    before = copy.deepcopy(value)
    result, errors = validate_and_coerce(schema, value)
    assert errors
    assert result == before


def test_a_number_in_quotes_keeps_its_text() -> None:
    """Its digits are kept even if a float would round them."""
    coerced, errors = validate_and_coerce(LIST | {"items": NUMBER}, ["1234567890.123456789012", "1.10"])
    assert errors == []
    assert compact_json(coerced) == "[1234567890.123456789012,1.10]"


def test_a_key_that_the_schema_allows_is_not_renamed() -> None:
    """It may be a member of its own; only what the schema refuses, or lacks, is corrected."""
    schema = {"properties": {"user_id": INTEGER, "age": INTEGER}, "required": ["age"]}
    assert validate_and_coerce(schema, {"userId": 1, "age": "5"}) == ({"userId": 1, "age": 5}, [])
    assert validate_and_coerce({**schema, "additionalProperties": False}, {"userId": "1", "Age": 2}) == (
        {"user_id": 1, "age": 2},
        [],
    )


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("a5 {[\"'x,")
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("xyXYz"), inner)
)
PARTS = [INTEGER, NUMBER, BOOLEAN, TEXT, LIST, TEXTS, POINT, STRICT_POINT, TREE, {"enum": ["a", "A", 5, "5"]}]


@given(
    VALUES, st.sampled_from([*PARTS, *({"anyOf": [one, other]} for one in PARTS[:6] for other in PARTS[:6])])
)
def test_coercion_is_idempotent_and_keeps_what_is_right(value: object, schema: dict[str, Any]) -> None:
    """A value that follows the schema is returned itself; a coerced one is not coerced further."""
    coerced, errors = validate_and_coerce(schema, value)
    if not SCHEMAS.checker().check(schema, value):
        assert coerced is value
    if not errors:
        assert validate_and_coerce(schema, coerced) == (coerced, [])


@given(SCALARS, st.lists(st.sampled_from(PARTS), min_size=2, max_size=4))
def test_of_two_readings_none_is_taken(value: object, branches: list[dict[str, Any]]) -> None:
    """What a union makes of a value is what each of its branches makes of it that can take it."""
    coerced, errors = validate_and_coerce({"anyOf": branches}, value)
    readings = [
        each for each, wrong in (validate_and_coerce(branch, value) for branch in branches) if not wrong
    ]
    if not errors and coerced is not value:
        assert all(repr(each) == repr(coerced) or each == coerced for each in readings)
    if errors and readings:
        assert any(each != readings[0] for each in readings)


@pytest.mark.parametrize(
    "target",
    ["#/$defs/a", "#/$defs/b", "#/$defs/c", "#/$defs/c/anyOf/2", "#/nowhere", "http://x.invalid/", "#"],
)
def test_a_reference_that_leads_nowhere_or_in_circles_is_survived(target: str) -> None:
    """Such a part is left as it is, and the rest is coerced."""
    twice = [{"$ref": target}, {"$ref": target}]
    endless = {"a": {"$ref": "#/$defs/a"}, "b": {"allOf": twice}, "c": {"anyOf": twice}}
    schema = {"properties": {"a": {"$ref": target}, "b": INTEGER}, "$defs": endless}
    for value in ("1", None, {"a": "1"}):
        assert validate_and_coerce(schema, {"a": value, "b": "1"}) == ({"a": value, "b": 1}, [])
