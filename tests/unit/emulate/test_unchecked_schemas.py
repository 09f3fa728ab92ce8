"""Parts of schemas that cannot be checked: they are left out, and make no value wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.emulate.checked_schemas import DRAFT_4, INTEGER, check_schema, unchecked_keywords


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "http://example.invalid/schema.json"}, id="a reference to the network"),
        pytest.param({"$ref": "#/$defs/missing"}, id="a reference to nothing"),
        pytest.param({"type": "strin"}, id="a type that does not exist"),
        pytest.param({"required": 5}, id="a keyword of the wrong kind"),
        pytest.param({"pattern": "("}, id="a pattern that is none"),
        pytest.param({"pattern": "a{99999999999999999999}"}, id="a pattern that is too long"),
        pytest.param({"pattern": "(" * 3000 + ")" * 3000}, id="a pattern nested too deeply"),
        pytest.param({"$id": 5}, id="an identifier that is none"),
        pytest.param({**DRAFT_4, "id": 5}, id="an older identifier that is none"),
        pytest.param({"$schema": ["x"]}, id="a dialect that is none"),
        pytest.param({"multipleOf": 0}, id="a keyword that fails while it is checked"),
        pytest.param({"$ref": "#/x", "x": {"type": "strin"}}, id="a reference to a type that does not exist"),
        pytest.param({"$ref": "#/x", "x": {"required": 5}}, id="a reference to what is no schema"),
        pytest.param({"allOf": [{"$ref": "#"}]}, id="a reference to itself at the same place"),
    ],
)
def test_an_invalid_schema_checks_nothing(schema: dict[str, Any]) -> None:
    """Nothing is fetched, and no call fails for a fault of its schema (the suite refuses any connection)."""
    assert check_schema(schema, {"a": 1}) == []
    assert check_schema({"properties": {"a": schema}}, {"a": "x"}) == []


LARGE = {
    "$defs": {"a": {"properties": {"a": INTEGER}}},
    "anyOf": [{"title": str(number)} for number in range(2100)],
    "allOf": [{"$ref": "#/$defs/a"}],
    "unevaluatedProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [5], "unevaluatedProperties": False},
        LARGE,
    ],
    ids=["no schema", "too large"],
)
def test_a_part_that_is_not_read_may_allow_any_member(schema: dict[str, Any]) -> None:
    """It is unknown which members are left for `unevaluatedProperties`."""
    assert check_schema(schema, {"a": 1}) == []


UNUSABLE: list[tuple[dict[str, Any], set[str]]] = [
    ({"pattern": r"^([a-z])\1$"}, {"pattern"}),
    ({"pattern": r"(?<=a)b"}, {"pattern"}),
    ({"pattern": 5}, {"pattern"}),
    ({"patternProperties": {r"(?<!x)y": {}}, "additionalProperties": False}, {"patternProperties"}),
    ({"patternProperties": [], "additionalProperties": False}, {"patternProperties"}),
    ({"properties": [], "additionalProperties": False}, {"properties"}),
    ({"prefixItems": 5, "items": False}, {"prefixItems", "items"}),
    ({"exclusiveMinimum": True}, {"exclusiveMinimum"}),
    ({"minLength": "5"}, {"minLength"}),
    ({"required": True}, {"required"}),
    ({"required": ["slip", 5]}, {"required"}),
    ({"type": "strin"}, {"type"}),
    ({"type": []}, {"type"}),
    ({"type": [["x"]]}, {"type"}),
    ({"enum": "x"}, {"enum"}),
    ({"anyOf": []}, {"anyOf"}),
    ({"properties": {"x": 5}}, {"a part that is no schema"}),
    ({"$ref": "#/$defs/missing"}, {"$ref"}),
    ({"$ref": 5}, {"$ref"}),
    ({"$ref": "#/allOf/7"}, {"$ref"}),
    ({"$ref": "#/properties/slip/x/" + "9" * 5000, "x": [{}]}, {"$ref"}),
    ({"$ref": "#/properties" * 200}, {"$ref"}),
    ({"$ref": "http://example.invalid/schema.json"}, {"$ref"}),
    ({"$ref": "http://["}, {"$ref"}),
    ({"$id": 5}, {"$id"}),
    ({"dependentRequired": {"a": "b"}}, {"a part that is no schema"}),
    ({"dependentSchemas": []}, {"dependentSchemas"}),
    ({"contains": {"type": "null"}, "minContains": "0"}, {"minContains"}),
    ({"multipleOf": 0}, {"multipleOf"}),
]


@pytest.mark.parametrize(
    ("part", "expected"),
    UNUSABLE,
    ids=lambda given: str(sorted(given) if isinstance(given, set) else given)[:40],
)
@pytest.mark.parametrize("where", ["first", "last", "by reference"])
def test_what_cannot_be_checked_keeps_the_rest_checked(
    part: dict[str, Any], expected: set[str], where: str
) -> None:
    """One slip in a schema, wherever it is, lets no missing and no wrong argument through."""
    schema: dict[str, Any] = {"required": ["amount"], "additionalProperties": False}
    parts = {"slip": part, "amount": {"type": "number"}, "count": {"type": "integer"}}
    if where == "by reference":
        schema["$defs"] = {"slip": part}
        parts["slip"] = {"$ref": "#/$defs/slip"}
    schema["properties"] = parts if where == "first" else dict(reversed(parts.items()))
    assert check_schema(schema, {"slip": {"a": "a" * 60 + "!"}, "amount": 1}) == []
    for slip in ("a" * 60 + "!", 7, None, {"a": 1}, [1]):
        errors = check_schema(schema, {"slip": slip, "amountt": 1, "count": "x"})
        assert "'amount' is a required property" in errors
        assert "count: 'x' is not of type 'integer'" in errors
        assert "Additional properties are not allowed ('amountt' was unexpected)" in errors
    assert unchecked_keywords(schema) == expected


UNKNOWN = {"pattern": r"^(.)\1+$"}
"""A back reference, which is never checked."""

NAMES: dict[str, Any] = {"patternProperties": {r"^(.)\1": {}}}
ONE_OF = {"oneOf": [{"type": "string", **UNKNOWN}, {"type": "string", "pattern": r"^\d+$"}]}
IF = {"if": UNKNOWN, "then": {"maxLength": 1}, "else": {"maxLength": 1}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"not": UNKNOWN}, "ok", id="not"),
        pytest.param({"not": {"not": {"not": UNKNOWN}}}, "ok", id="not, three times"),
        pytest.param({"not": {"items": [UNKNOWN]}}, ["ok"], id="not, in a list"),
        pytest.param({"not": 5}, "ok", id="not, of no schema"),
        pytest.param({"not": {"multipleOf": 0}}, 1, id="not, of what fails"),
        pytest.param({"not": {"$ref": "https://elsewhere.invalid/x.json"}}, {}, id="not, elsewhere"),
        pytest.param({"not": {"$ref": "#/$defs/a"}, "$defs": {"a": UNKNOWN}}, "ok", id="not, by reference"),
        pytest.param(
            {"not": {"$ref": "#/x/a"}, "x": {"a": UNKNOWN}}, "ok", id="not, by a reference to anywhere"
        ),
        pytest.param(ONE_OF, "12", id="oneOf"),
        pytest.param({"oneOf": [UNKNOWN, {"type": "string"}]}, "12", id="oneOf, beside one that holds"),
        pytest.param({"anyOf": [UNKNOWN, {"type": "null"}]}, "12", id="anyOf"),
        pytest.param(IF, "ok", id="if"),
        pytest.param({"contains": UNKNOWN, "maxContains": 1}, ["a", "b"], id="contains"),
        pytest.param({"contains": {"type": "null"}, "minContains": "0"}, ["a"], id="contains, of no number"),
        pytest.param({"allOf": [NAMES], "unevaluatedProperties": False}, {"a": 1}, id="names, in a part"),
        pytest.param({"unevaluatedProperties": False, "$ref": "#/x"}, {"a": 1}, id="names, by a reference"),
        pytest.param({**NAMES, "additionalProperties": False}, {"a": 1}, id="names"),
        pytest.param(
            {
                "if": {"not": {"not": UNKNOWN}},
                "else": {"properties": {"a": {}}},
                "unevaluatedProperties": False,
            },
            {"a": 1},
            id="names, on a condition",
        ),
        pytest.param({"prefixItems": {}, "unevaluatedItems": False}, [1], id="items"),
        pytest.param(
            {"not": {**NAMES, "unevaluatedProperties": False}}, {"a": 1}, id="not, of names that may match"
        ),
        pytest.param(
            {"not": {"allOf": [NAMES], "unevaluatedProperties": False}},
            {"a": 1},
            id="not, of names in a part",
        ),
        pytest.param(
            {"not": {"contains": UNKNOWN, "unevaluatedItems": False}},
            ["a"],
            id="not, of items that may match",
        ),
    ],
)
def test_what_is_not_checked_makes_nothing_wrong(schema: dict[str, Any], value: object) -> None:
    """An unknown part counts as valid where accepting more of it would make the whole accept less."""
    assert check_schema(schema, value) == []
    assert check_schema({"properties": {"a": schema}}, {"a": value}) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param({"not": {"not": {"type": "integer", **UNKNOWN}}}, "ok", id="not"),
        pytest.param({"allOf": [UNKNOWN, {"not": {"type": "string"}}]}, "ok", id="not, beside it"),
        pytest.param(ONE_OF, None, id="oneOf"),
        pytest.param({"anyOf": [{"type": "string", **UNKNOWN}, {"type": "null"}]}, 1, id="anyOf"),
        pytest.param({**IF, "if": {"type": "integer", **UNKNOWN}}, "ok", id="else"),
        pytest.param({"if": True, "then": {**UNKNOWN, "maxLength": 1}}, "ok", id="then"),
        pytest.param({"contains": {"type": "string", **UNKNOWN}}, [1], id="contains"),
        pytest.param({"allOf": [UNKNOWN], "unevaluatedProperties": False}, {"a": 1}, id="names"),
        pytest.param({**NAMES, "required": ["b"]}, {"a": 1}, id="beside names"),
    ],
)
def test_what_is_wrong_in_any_case_is_found(schema: dict[str, Any], value: object) -> None:
    """What is not checked decides nothing there."""
    assert len(check_schema(schema, value)) == 1


def test_a_reference_that_depends_on_the_way_is_not_checked() -> None:
    """Which of two parts with one dynamic name is meant depends on the value."""
    parts = {"a": {"$dynamicAnchor": "x", **INTEGER}, "b": {"$dynamicAnchor": "x"}}
    assert unchecked_keywords({"$dynamicRef": "#x", "$defs": parts}) == {"$dynamicRef"}


@pytest.mark.parametrize("pattern", [r"^(?=a)b|c", r"^((?=a)b)", r"(?=a)b", r"^(?=a", "(?i", r"\u{110000}"])
def test_a_pattern_that_cannot_be_split_is_not_checked(pattern: str) -> None:
    """A condition that does not stand at the beginning of all of it."""
    assert unchecked_keywords({"pattern": pattern}) == {"pattern"}
