"""Values are checked, and mended where they only say differently what the schema asks for."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.emulate.coercion import bare_name, match_name, validate_and_coerce
from tess_openai.edge.schema_validator import check_schema

INTEGER, NUMBER, BOOLEAN, TEXT, NULL = (
    {"type": name} for name in ("integer", "number", "boolean", "string", "null")
)
LIST = {"type": "array", "items": INTEGER}
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


@pytest.mark.parametrize(
    ("schema", "value", "repaired"),
    [
        pytest.param(INTEGER, "5", 5, id="an integer in quotes"),
        pytest.param(INTEGER, " -5.0 ", -5, id="an integer with a point in quotes"),
        pytest.param(NUMBER, "5", 5, id="a number in quotes"),
        pytest.param(NUMBER, "-0.5e2", -50.0, id="a number with an exponent in quotes"),
        pytest.param(BOOLEAN, "FALSE", False, id="a truth in quotes"),
        pytest.param(NULL, "None", None, id="null in quotes"),
        pytest.param(TEXT, 5, "5", id="a number where text belongs"),
        pytest.param(LIST, 5, [5], id="one value where a list belongs"),
        pytest.param(LIST, "5", [5], id="one value in quotes where a list belongs"),
        pytest.param(LIST, "[1, '2']", [1, 2], id="a list in quotes"),
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
    ],
)
def test_a_slip_is_mended(schema: dict[str, Any], value: object, repaired: object) -> None:
    """The result follows the schema, and neither the value nor the schema is touched."""
    before = copy.deepcopy((schema, value))
    result, errors = validate_and_coerce(schema, value, check_schema)
    assert (result, errors) == (repaired, [])
    assert type(result) is type(repaired)
    assert before == (schema, value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(INTEGER, "five", id="a word for a number"),
        pytest.param(INTEGER, "5.5", id="a fraction for an integer"),
        pytest.param(INTEGER, "0x5", id="another base"),
        pytest.param(INTEGER, True, id="a truth for a number"),
        pytest.param(INTEGER, "9" * 30, id="more digits than a number has"),
        pytest.param(BOOLEAN, "yes", id="yes for true"),
        pytest.param(BOOLEAN, 1, id="one for true"),
        pytest.param(TEXT, True, id="a truth for text"),
        pytest.param(TEXT, 0.1, id="a fraction for text"),
        pytest.param(TEXT, None, id="null for text"),
        pytest.param(LIST, None, id="null for a list"),
        pytest.param(LIST, "a", id="a wrong value in a list"),
        pytest.param(POINT, {}, id="a missing member"),
        pytest.param(POINT, {"x": None}, id="null for what must be there"),
        pytest.param(POINT, '{"x": ', id="an object in quotes that is cut"),
        pytest.param(POINT, "[1]", id="a list in quotes for an object"),
        pytest.param(POINT, '{"x": 1} and more', id="an object in quotes with text behind it"),
        pytest.param(STRICT_POINT, {"x": 1, "z": 1}, id="a member too many"),
        pytest.param(STRICT_POINT, {"X": 1, "x ": 2}, id="two keys that could be meant"),
        pytest.param({"enum": ["on", "off"]}, "o", id="a choice that is none"),
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
def test_what_is_not_plain_stays_wrong(schema: dict[str, Any], value: object) -> None:
    """Nothing is guessed, nothing invented."""
    _, errors = validate_and_coerce(schema, value, check_schema)
    assert errors


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("a5 {[\"'x"),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("xyXYz"), inner),
    ),
    st.sampled_from([INTEGER, NUMBER, BOOLEAN, TEXT, LIST, POINT, STRICT_POINT, TREE]),
)
def test_mending_is_idempotent_and_leaves_what_is_right_alone(value: object, schema: dict[str, Any]) -> None:
    """A value that follows the schema is returned itself; a mended one is not mended further."""
    repaired, errors = validate_and_coerce(schema, value, check_schema)
    if not check_schema(schema, value):
        assert repaired is value
    if not errors:
        assert validate_and_coerce(schema, repaired, check_schema) == (repaired, [])


def test_a_reference_that_leads_nowhere_or_round_in_circles_is_survived() -> None:
    """Mending gives up on such a part; the check says what it says."""

    def is_wrong(_: object, value: object) -> list[str]:
        return [] if value == {"a": 1} else ["wrong"]

    for target in ("#/$defs/a", "#/$defs/b", "#/$defs/c", "#/nowhere", "http://example.invalid/x", "#"):
        twice = [{"$ref": target}, {"$ref": target}]
        endless = {"a": {"$ref": "#/$defs/a"}, "b": {"allOf": twice}, "c": {"anyOf": twice}}
        schema = {"properties": {"a": {"$ref": target}}, "$defs": endless}
        assert validate_and_coerce(schema, {"a": "1"}, is_wrong) == ({"a": "1"}, ["wrong"])
        assert validate_and_coerce(schema, {"a": None}, is_wrong) == ({"a": None}, ["wrong"])


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("look", ["look", "Look"], "look"),
        ("LOOK", ["look", "Look"], None),
        ("get-Weather", ["get_weather"], "get_weather"),
        ("getWeather", ["get_weather", "add"], "get_weather"),
        ("get_wether", ["get_weather"], None),
        ("_", ["-"], None),
        ("", ["look"], None),
    ],
)
def test_a_name_is_found_but_never_guessed(name: str, known: list[str], found: str | None) -> None:
    """Only case and punctuation may differ, and only one name may be meant."""
    assert match_name(name, known) == found


def test_a_bare_name_keeps_letters_of_every_script() -> None:
    """Only what is neither letter nor digit goes."""
    assert bare_name("Größe_2-Ω") == "grösse2ω"
