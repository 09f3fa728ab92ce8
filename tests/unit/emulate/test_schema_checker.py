"""The check is that of a real library, fetches nothing, and does not run away."""

from __future__ import annotations

import copy
import sys
import time
from typing import Any

import pytest

from tess_openai.core.emulate.checkable_schema import CheckableSchema, checkable_part
from tess_openai.edge.schema_validator import check_schema, load_schema_checker

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
        pytest.param({"pattern": "("}, id="a pattern that is none"),
        pytest.param({"pattern": "a{99999999999999999999}"}, id="a pattern that is too long"),
        pytest.param({"pattern": "[[a]"}, id="a pattern that Python warns of"),
        pytest.param({"pattern": "(" * 3000 + ")" * 3000}, id="a pattern nested too deeply"),
        pytest.param({"$id": 5}, id="an identifier that is none"),
        pytest.param(
            {"$schema": "http://json-schema.org/draft-04/schema#", "id": 5},
            id="an older identifier that is none",
        ),
        pytest.param({"$schema": ["x"]}, id="a dialect that is none"),
        pytest.param({"multipleOf": 0}, id="a keyword that fails while it is checked"),
        pytest.param({"$ref": "#/x", "x": {"type": "strin"}}, id="a reference to a type that does not exist"),
        pytest.param({"$ref": "#/x", "x": {"required": 5}}, id="a reference to what is no schema"),
    ],
)
def test_a_schema_that_is_none_checks_nothing(schema: dict[str, Any]) -> None:
    """Nothing is fetched, and no call fails for a fault of its schema (the suite refuses any connection)."""
    assert check_schema(schema, {"a": 1}) == []
    assert check_schema({"properties": {"a": schema}}, {"a": "x"}) == []


UNUSABLE: list[tuple[dict[str, Any], set[str]]] = [
    ({"pattern": r"^[\w-\.]+@([\w-]+\.)+[\w-]{2,4}$"}, {"pattern"}),
    ({"pattern": r"^\p{L}+$"}, {"pattern"}),
    ({"pattern": "(?<year>[0-9]+)"}, {"pattern"}),
    ({"patternProperties": {r"\p{L}": {}}, "additionalProperties": False}, {"patternProperties"}),
    ({"exclusiveMinimum": True, "minimum": 5}, {"exclusiveMinimum"}),
    ({"minLength": "5"}, {"minLength"}),
    ({"required": True}, {"required"}),
    ({"type": "strin"}, {"type"}),
    ({"type": []}, {"type"}),
    ({"type": [["x"]]}, {"type"}),
    ({"anyOf": []}, {"anyOf"}),
    ({"properties": {"x": 5}}, {"a schema that is none"}),
    ({"$ref": "#/$defs/missing"}, {"$ref"}),
    ({"$ref": "#/allOf/7"}, {"$ref"}),
    ({"$ref": "#/properties/slip/x/" + "9" * 5000, "x": [{}]}, {"$ref"}),
    ({"$ref": "#/properties" * 200}, {"$ref"}),
    ({"$ref": "http://example.invalid/schema.json"}, {"$ref"}),
    ({"$ref": "http://["}, {"$ref"}),
    ({"$id": 5}, {"$id"}),
    ({"dependentRequired": {"a": "b"}}, {"dependentRequired"}),
    ({"multipleOf": 0}, set()),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "(a+)+$"}, set()),
]


@pytest.mark.parametrize(("part", "left_out"), UNUSABLE, ids=lambda given: str(given)[:40])
@pytest.mark.parametrize("where", ["first", "last", "by reference"])
def test_what_cannot_be_checked_leaves_the_rest_checked(
    part: dict[str, Any], left_out: set[str], where: str
) -> None:
    """One slip in a schema, wherever it stands, lets no missing and no wrong argument through."""
    schema: dict[str, Any] = {"required": ["amount"], "additionalProperties": False}
    parts = {"slip": part, "amount": {"type": "number"}, "count": {"type": "integer"}}
    if where == "by reference":
        schema["$defs"] = {"slip": part}
        parts["slip"] = {"$ref": "#/$defs/slip"}
    schema["properties"] = parts if where == "first" else dict(reversed(parts.items()))
    assert check_schema(schema, {"slip": {"a": "a" * 60 + "!"}, "amount": 1}) == []
    for slip in ("a" * 60 + "!", 7, None, {"a": 1}):
        errors = check_schema(schema, {"slip": slip, "amountt": 1, "count": "x"})
        assert "'amount' is a required property" in errors
        assert "count: 'x' is not of type 'integer'" in errors
        assert "Additional properties are not allowed ('amountt' was unexpected)" in errors
    assert checkable_part(schema).left_out == left_out


UPPER = {"pattern": r"^\p{Lu}+$"}
COSTLY = {"pattern": "(a+)+$"}
NAMES: dict[str, Any] = {"patternProperties": {r"^\p{L}": {}}}
ONE_OF = {"oneOf": [{"type": "string", **UPPER}, {"type": "string", "pattern": r"^\d+$"}]}
IF = {"if": UPPER, "then": {"maxLength": 1}, "else": {"maxLength": 1}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"not": UPPER}, "ok", id="not"),
        pytest.param({"not": COSTLY}, "ok", id="not, costly"),
        pytest.param({"not": {"not": {"not": UPPER}}}, "ok", id="not, three times"),
        pytest.param({"not": {"items": [UPPER]}}, ["ok"], id="not, in a list"),
        pytest.param({"not": 5}, "ok", id="not, of no schema"),
        pytest.param({"not": {"multipleOf": 0}}, 1, id="not, of what fails"),
        pytest.param({"not": {"$ref": "https://elsewhere.invalid/x.json"}}, {}, id="not, elsewhere"),
        pytest.param({"not": {"$ref": "#/$defs/a"}, "$defs": {"a": UPPER}}, "ok", id="not, by reference"),
        pytest.param(
            {"not": {"$ref": "#/x/a"}, "x": {"a": UPPER}}, "ok", id="not, by a reference to anywhere"
        ),
        pytest.param(ONE_OF, "12", id="oneOf"),
        pytest.param({"oneOf": [COSTLY, {"type": "string"}]}, "12", id="oneOf, costly"),
        pytest.param(IF, "ok", id="if"),
        pytest.param({**IF, "if": COSTLY}, "ok", id="if, costly"),
        pytest.param({"contains": UPPER, "maxContains": 1}, ["a", "b"], id="contains"),
        pytest.param({"contains": {"type": "null"}, "minContains": "0"}, ["a"], id="contains, of no number"),
        pytest.param({"allOf": [NAMES], "unevaluatedProperties": False}, {"a": 1}, id="names, in a part"),
        pytest.param({"unevaluatedProperties": False, "$ref": "#/x"}, {"a": 1}, id="names, by a reference"),
        pytest.param(
            {
                "if": {"not": {"not": UPPER}},
                "else": {"properties": {"a": {}}},
                "unevaluatedProperties": False,
            },
            {"a": 1},
            id="names, on a condition",
        ),
        pytest.param({"prefixItems": {}, "unevaluatedItems": False}, [1], id="items"),
    ],
)
def test_what_is_left_unchecked_makes_nothing_wrong(schema: dict[str, Any], value: object) -> None:
    """Where a part that accepts more would make the whole accept less, what is not known counts as right."""
    assert check_schema(schema, value) == []
    assert check_schema({"properties": {"a": schema}}, {"a": value}) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"not": {"not": {"type": "integer", **UPPER}}}, "ok", id="not"),
        pytest.param({"allOf": [UPPER, {"not": {"type": "string"}}]}, "ok", id="not, beside it"),
        pytest.param(ONE_OF, None, id="oneOf"),
        pytest.param({**IF, "if": {"type": "integer", **UPPER}}, "ok", id="else"),
        pytest.param({"if": True, "then": {**UPPER, "maxLength": 1}}, "ok", id="then"),
        pytest.param({"contains": {"type": "string", **UPPER}}, [1], id="contains"),
        pytest.param({"allOf": [UPPER], "unevaluatedProperties": False}, {"a": 1}, id="names"),
    ],
)
def test_what_is_wrong_all_the_same_is_said(schema: dict[str, Any], value: object) -> None:
    """What is left unchecked decides nothing there."""
    assert len(check_schema(schema, value)) == 1


def test_what_a_reference_leads_to_is_looked_into_wherever_it_stands() -> None:
    """Also within each other; what the caller passed stays as it is."""
    inner = {"type": "strin", "minLength": 2}
    outer = {"exclusiveMinimum": True, "minimum": 0, "x": [inner]}
    schema: dict[str, Any] = {
        "anyOf": [{"$ref": "#/x/outer/x/0"}, {"$ref": "#/x/outer"}],
        "x": {"outer": outer},
    }
    before = copy.deepcopy(schema)
    assert checkable_part(schema).left_out == {"type", "exclusiveMinimum"}
    assert check_schema(schema, 0) == []
    assert check_schema({**schema, "$ref": "#/x/outer/x/0"}, "x") == ["'x' is too short"]
    assert schema == before


def test_what_an_older_draft_says_in_its_own_way_is_checked() -> None:
    """There a truth beside the minimum excludes it."""
    part = {"minimum": 5, "exclusiveMinimum": True}
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": part}}
    assert len(check_schema(schema, {"a": 5})) == 1
    assert checkable_part(schema) == CheckableSchema(schema, frozenset())


@pytest.mark.parametrize(
    "schema",
    [
        {
            "properties": {"a": {"$ref": "https://example.com/b"}},
            "$defs": {"b": {"$id": "https://example.com/b"}},
        },
        {"properties": {"a": {"$ref": "#b"}}, "$defs": {"b": {"$anchor": "b"}}},
        {"properties": {"a": {"$ref": "#/$defs/b%20c"}}, "$defs": {"b c": {"type": "integer"}}},
        {"items": [{"type": "integer"}, {"$ref": "#/items/0"}], "enum": [{"$schema": "x", "type": 5}]},
        {"dependentRequired": {"type": ["x"], "required": []}},
        {"$ref": "#/components/schemas/type", "components": {"schemas": {"type": {"type": "integer"}}}},
        {
            "$ref": "#/schemas/properties",
            "schemas": {"properties": {"type": "integer"}, "not": {"enum": [5]}},
        },
        {"x-meta": {"type": "weird", "$ref": "#/nowhere", "pattern": "("}},
        {"$id": "urn:x", "$ref": "urn:x#/$defs/a", "$defs": {"a": {"type": "integer"}}},
        {"$id": "https://a.invalid/b/c", "$ref": "c#/$defs/a", "$defs": {"a": {"type": "integer"}}},
    ],
    ids=[
        *("by its identifier", "by its name", "by an escaped place", "in a list"),
        *("names that are keywords", "a part named like a keyword", "a part named like a keyword of parts"),
        *("what is no schema", "by the identifier of the whole", "beside the identifier of the whole"),
    ],
)
def test_what_can_be_checked_stays_as_it_is(schema: dict[str, Any]) -> None:
    """Nothing of it is left out, and literals are not looked into."""
    assert checkable_part(schema) == CheckableSchema(schema, frozenset())
    if "$ref" in schema:
        assert check_schema(schema, 5) == []
        assert check_schema(schema, "x") == ["'x' is not of type 'integer'"]


def test_a_schema_nested_beyond_reason_is_survived() -> None:
    """What lies deeper is not checked, and is said to be."""
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(2_000):
        schema = {"items": {"x": [schema]}}
    assert check_schema(schema, [1]) == []
    for _ in range(2_000):
        schema = {"items": schema}
    assert check_schema(schema, [1]) == []
    assert checkable_part(schema).left_out == {"what is nested too deeply"}


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
@pytest.mark.parametrize(
    "keyword", ["pattern", "patternProperties", "propertyNames", "unevaluatedProperties"]
)
def test_a_pattern_that_could_run_away_is_left_unchecked(pattern: str, keyword: str) -> None:
    """Each of these takes minutes or longer when it is tried on this text."""
    text = "a" * 60 + "!"
    schema: dict[str, Any]
    value: object
    if keyword == "pattern":
        schema, value = {"pattern": pattern}, text
    elif keyword == "propertyNames":
        schema, value = {"propertyNames": {"pattern": pattern}}, {text: 1}
    elif keyword == "unevaluatedProperties":
        schema = {"unevaluatedProperties": False, "allOf": [{"patternProperties": {pattern: {}}}]}
        value = {text: 1}
    else:
        schema = {"patternProperties": {pattern: {"type": "string"}}, "additionalProperties": False}
        schema["unevaluatedProperties"] = False
        value = {text: 1}
    began = time.process_time()
    assert check_schema(schema, value) == []
    assert time.process_time() - began < 5


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
    began = time.process_time()
    assert check_schema(schema, [{"a": number} for number in range(20_000)]) == []
    assert time.process_time() - began < 5


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
    began = time.process_time()
    check_schema(schema, "x")
    assert time.process_time() - began < 10


def test_without_the_library_the_reason_and_the_remedy_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where emulation is switched on, not in the middle of a call."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ImportError, match=r"install tess-openai\[emulate\]"):
        load_schema_checker()
