"""No schema and no answer makes the check long; what is not checked is reported."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.patterns import compile_pattern

MAX_SECONDS = 0.2
ATTEMPTS = 3
"""The machine may be busy; the code is as fast as its fastest run."""


def is_incomplete_in_time(schema: dict[str, Any], value: object) -> bool:
    """Check and coerce a value within the time allowed; return whether the check was incomplete."""
    fastest = float("inf")
    for _ in range(ATTEMPTS):
        began = time.process_time()
        checker = SchemaCache(compile_pattern).checker()
        checker.validate_and_coerce(schema, value)
        seconds = time.process_time() - began
        if seconds < MAX_SECONDS:
            return checker.is_incomplete
        fastest = min(fastest, seconds)
    pytest.fail(f"a check took {fastest} s")


def doubling(keyword: str) -> dict[str, Any]:
    """Return a schema whose references double at each of forty steps."""
    levels = {f"a{step}": {keyword: [{"$ref": f"#/$defs/a{step + 1}"}] * 2} for step in range(40)}
    return {"$ref": "#/$defs/a0", "$defs": {**levels, "a40": {"type": "integer"}}}


def nested_unevaluated() -> dict[str, Any]:
    """Return a schema that asks at each of forty steps what was evaluated."""
    schema: dict[str, Any] = {"type": "object"}
    for step in range(40):
        schema = {"allOf": [schema, {"properties": {f"p{step}": {}}}], "unevaluatedProperties": False}
    return schema


def tree(depth: int) -> object:
    """Return a binary tree of lists."""
    return "x" if depth == 0 else [tree(depth - 1), tree(depth - 1)]


def nested(depth: int) -> object:
    """Return lists within each other."""
    return json.loads("[" * depth + "]" * depth)


LISTS = {"type": "array", "items": {"$ref": "#"}}
RECURSIVE = {"anyOf": [LISTS, {**LISTS, "minItems": 1}, {"type": "integer"}]}
CONDITIONS = [{"if": {"const": number}, "then": False} for number in range(1000)]
NUMBERS = list(range(5000, 6000))
SPACED = [f"A {number}" for number in range(900)]
OBJECTS = [{"a": number} for number in range(3162)]


@pytest.mark.parametrize(
    ("schema", "value", "is_incomplete"),
    [
        pytest.param(doubling("allOf"), "x", False, id="allOf that doubles"),
        pytest.param(doubling("anyOf"), "x", False, id="anyOf that doubles"),
        pytest.param(doubling("oneOf"), "x", False, id="oneOf that doubles"),
        pytest.param(nested_unevaluated(), {"x": 1}, False, id="nested unevaluatedProperties"),
        pytest.param({"uniqueItems": True}, OBJECTS, False, id="unique objects"),
        pytest.param({"uniqueItems": True}, OBJECTS * 40, True, id="objects that are not unique"),
        pytest.param({"uniqueItems": True}, [{"a": number} for number in range(100_000)], True, id="many"),
        pytest.param(
            {"uniqueItems": True}, [number * (2**61 - 1) for number in range(5_000)], False, id="one hash"
        ),
        pytest.param({"items": {"allOf": CONDITIONS}}, NUMBERS, True, id="1,000 conditions on 1,000 items"),
        pytest.param(
            {"items": {"anyOf": [{"const": number} for number in range(1000)]}}, NUMBERS, True, id="anyOf"
        ),
        pytest.param(
            {"items": {"enum": list(range(30_000))}}, [f"-{each}" for each in NUMBERS], True, id="choices"
        ),
        pytest.param(
            {"items": {"enum": [f"a-{each}" for each in NUMBERS]}},
            SPACED,
            True,
            id="case",
        ),
        pytest.param(RECURSIVE, tree(14), True, id="a union that refers to itself"),
        pytest.param({"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"type": "null"}]}, "5", False, id="circles"),
        pytest.param({"multipleOf": 3.5}, 10**4000, False, id="a number with thousands of digits"),
        pytest.param({"type": "string"}, 10**5000, False, id="a number as text with thousands of digits"),
        pytest.param({"type": "array", "items": {"type": "integer"}}, f"[{'1,' * 99_999}x]", True, id="text"),
        pytest.param({"type": "array", "items": {"type": "integer"}}, ["5"] * 99_999, True, id="many items"),
        pytest.param(
            {"items": {"required": [f"k{each}" for each in NUMBERS]}}, [{}] * 1000, False, id="names"
        ),
        pytest.param({"enum": [nested(400)]}, nested(900), False, id="depth"),
        pytest.param({"allOf": [{"$ref": "#/a" * 5_000} for _ in range(9)]}, 1, False, id="a long reference"),
        pytest.param(
            {"properties": {f"k{each}": {"type": "string"} for each in range(5_000)}}, {}, False, id="members"
        ),
    ],
)
def test_what_would_take_long_is_left_unchecked(
    schema: dict[str, Any],
    value: object,
    is_incomplete: bool,
) -> None:
    """In common libraries most of these schemas take seconds to years, or end the process."""
    assert is_incomplete_in_time(schema, value) is is_incomplete


HOSTILE = [
    r"(a+)+$",
    r"(a|a)*$",
    r"^(a|aa){40}$",
    r"(?:a*)*b",
    r"((a)+x?)+$",
    r"(\w+)\1+$",
    r"a*a*a*a*a*a*a*b",
    "a?" * 40 + "a" * 40,
    r"(a+(?#x)+)+$",
    r"(?i:a+)+$",
    r"(.*a){50}$",
    r"(a|b)*a(a|b){500}c",
    r"(\w+\s*){100}$",
    r"(?:a?){1000}a{1000}b",
    r"^(?=(a+)+$)(?=(.*a){50}$)b",
]


@pytest.mark.parametrize("text", ["a" * 60 + "!", "ab" * 50_000 + "!"], ids=["short", "long"])
@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties", "propertyNames", "items"])
def test_a_pattern_never_backtracks(pattern: str, keyword: str, text: str) -> None:
    """Each of these takes minutes or longer with an engine that does."""
    schema: dict[str, Any]
    value: object
    if keyword == "pattern":
        schema, value = {"pattern": pattern}, text
    elif keyword == "items":
        schema, value = {"items": {"pattern": pattern}}, [text[:400]] * 3000
    elif keyword == "propertyNames":
        schema, value = {"propertyNames": {"pattern": pattern}}, {text: 1}
    else:
        schema = {"allOf": [{"patternProperties": {pattern: {}}}], "unevaluatedProperties": False}
        schema |= {"patternProperties": {pattern: {"type": "string"}}, "additionalProperties": False}
        value = {text: 1}
    is_incomplete_in_time(schema, value)


@pytest.mark.parametrize(
    "schema",
    [
        {"description": "x" * 300_000, "type": "integer"},
        {"properties": {f"k{each}": {"type": "integer"} for each in range(5_000)}},
        {"$defs": {"a": json.loads('{"items":' * 150 + "{}" + "}" * 150)}, "$ref": "#/$defs/a"},
    ],
    ids=["long", "wide", "deep"],
)
def test_a_schema_that_is_too_large_is_reported(schema: dict[str, Any]) -> None:
    """The ledger says that a part of it is not checked."""
    assert SchemaCache(compile_pattern).compiled(schema).unchecked_keywords == {
        "parts of a schema that is too large"
    }


def test_all_checks_of_one_answer_share_a_budget() -> None:
    """Many calls, each within it, cannot take many times as long; the next answer has a new budget."""
    schemas = SchemaCache(compile_pattern)
    schema = {"items": {"type": "integer", "minimum": 0}}
    value = list(range(1_000, 9_000))
    checker = schemas.checker()
    assert (checker.check(schema, value), checker.is_incomplete) == ([], False)
    for _ in range(100):
        checker.check(schema, value)
    assert checker.is_incomplete
    assert schemas.checker().check(schema, ["x"]) == ["0: 'x' is not of type 'integer'"]


NAMES = st.sampled_from(["a", "b", "c", "$ref", "1"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-2, 2)
    | st.sampled_from(["", "a", "aaa", "5"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
REFERENCES = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/anyOf/0", "#/properties/a", "#x", "urn:x"])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return schemas of any keywords, right or wrong."""
    number = st.integers(-1, 3) | st.floats(-1, 3)
    lists, maps = st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)
    single = ["not", "if", "then", "else", "contains", "items", "additionalProperties", "propertyNames"]
    single += ["unevaluatedProperties", "unevaluatedItems", "additionalItems"]
    sizes = [
        f"{which}{what}" for which in ("min", "max") for what in ("Items", "Length", "Properties", "Contains")
    ]
    types = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object", "any"])
    arguments: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(single, inner),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), lists),
        **dict.fromkeys(
            ("properties", "patternProperties", "dependentSchemas", "$defs", "dependencies"), maps
        ),
        **dict.fromkeys((*sizes, "minimum", "maximum", "exclusiveMinimum", "multipleOf"), number | VALUES),
        "type": types | st.lists(types, max_size=3),
        "enum": st.lists(VALUES, max_size=4),
        "const": VALUES,
        "required": st.lists(NAMES, max_size=3),
        "pattern": st.sampled_from(["a+$", "(a+)+$", "^(?=a)b", "(", r"(a)\1", r"\d"]),
        "uniqueItems": st.booleans(),
        "nullable": st.booleans(),
        "$ref": REFERENCES,
        "$dynamicRef": REFERENCES,
        "$anchor": st.just("x"),
        "$id": st.sampled_from(["urn:x", "#x", "http://["]),
        "$schema": st.sampled_from(["http://json-schema.org/draft-04/schema#", "x", 5]),
    }
    return st.fixed_dictionaries({}, optional=arguments)


@settings(deadline=None)
@given(st.recursive(st.booleans() | VALUES, keywords, max_leaves=30), VALUES)
def test_any_schema_checks_any_value_in_time(schema: dict[str, Any] | bool, value: object) -> None:
    """No schema raises an exception, and each check gives the same result again."""
    wanted: dict[str, Any] = schema if isinstance(schema, dict) else {"allOf": [schema]}
    text = json.dumps((wanted, value))
    began = time.process_time()
    schemas = SchemaCache(compile_pattern)
    result, errors = schemas.checker().validate_and_coerce(wanted, value)
    assert time.process_time() - began < 5 * MAX_SECONDS
    assert json.dumps((wanted, value)) == text
    assert schemas.checker().validate_and_coerce(wanted, value) == (result, errors)
    if not schemas.checker().check(wanted, value):
        assert result is value
