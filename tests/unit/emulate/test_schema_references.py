"""References are followed within a schema, and nesting beyond reason is survived."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.emulate.checked_schemas import DRAFT_4, DRAFT_7, INTEGER, check_schema, unchecked_keywords


def test_a_reference_is_followed_wherever_it_leads() -> None:
    """It may lead to a part that is not a schema by its place; the caller's schema is not changed."""
    inner = {"type": "strin", "minLength": 2}
    outer = {"exclusiveMinimum": [], "minimum": 0, "x": [inner]}
    schema: dict[str, Any] = {
        "anyOf": [{"$ref": "#/x/outer/x/0"}, {"$ref": "#/x/outer"}],
        "x": {"outer": outer},
    }
    before = copy.deepcopy(schema)
    assert unchecked_keywords(schema) == {"type", "exclusiveMinimum"}
    assert check_schema(schema, 0) == []
    assert check_schema({**schema, "$ref": "#/x/outer/x/0"}, "x") == ["'x' is too short (minLength 2)"]
    assert schema == before


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/b", "$defs": {"b": {"$id": "https://example.com/b", **INTEGER}}},
        {"$id": "https://a.invalid/x/y", "$ref": "z", "$defs": {"b": {"$id": "z", **INTEGER}}},
        {"$ref": "#b", "$defs": {"b": {"$anchor": "b", **INTEGER}}},
        {"$ref": "urn:b#c", "$defs": {"b": {"$id": "urn:b", "$defs": {"c": {"$anchor": "c", **INTEGER}}}}},
        {"$dynamicRef": "#b", "$defs": {"b": {"$dynamicAnchor": "b", **INTEGER}}},
        {**DRAFT_7, "$ref": "#b", "definitions": {"b": {"$id": "#b", **INTEGER}}},
        {**DRAFT_4, "$ref": "b.json", "definitions": {"b": {"id": "b.json", **INTEGER}}},
        {"$ref": "#/$defs/b%20c", "$defs": {"b c": INTEGER}},
        {"$ref": "#/$defs/b~1c~0d", "$defs": {"b/c~d": INTEGER}},
        {"$ref": "#/allOf/1", "allOf": [{}, INTEGER]},
        {"$ref": "#/components/schemas/type", "components": {"schemas": {"type": INTEGER}}},
        {"$ref": "#/schemas/properties", "schemas": {"properties": INTEGER, "not": {"enum": [5]}}},
        {"$id": "urn:x", "$ref": "urn:x#/$defs/a", "$defs": {"a": INTEGER}},
        {"$id": "https://a.invalid/b/c", "$ref": "c#/$defs/a", "$defs": {"a": INTEGER}},
        {"x-meta": {"type": "weird", "$ref": "#/nowhere", "pattern": "("}, **INTEGER},
        {"default": {"$id": "https://a.invalid/", "type": 5}, **INTEGER},
    ],
    ids=[
        *("by its identifier", "by a relative identifier", "by its name", "by a name in another part"),
        *("by a dynamic name", "by a name of draft 7", "by an identifier of draft 4", "by an encoded place"),
        *("by an escaped place", "by an index", "a part named like a keyword", "parts named like keywords"),
        *("by the identifier of the whole", "beside the identifier of the whole"),
        *("what is no schema", "a literal"),
    ],
)
def test_what_a_reference_leads_to_is_checked(schema: dict[str, Any]) -> None:
    """Nothing is left out, and literals are not taken for schemas."""
    assert unchecked_keywords(schema) == frozenset()
    assert check_schema(schema, 5) == []
    assert check_schema(schema, "x") == ["'x' is not of type 'integer'"]


def test_a_schema_nested_beyond_reason_is_survived() -> None:
    """What lies deeper is not checked, and the ledger can say so."""
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(800):
        schema = {"items": {"x": [schema]}}
    assert check_schema(schema, [1]) == []
    for _ in range(800):
        schema = {"items": schema}
    assert check_schema(schema, [1]) == []
    assert unchecked_keywords(schema) == {"parts of a schema that is too large"}


def test_a_value_nested_beyond_reason_is_an_error() -> None:
    """The model can repair it as it can any other."""
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    schema = {"$ref": "#/$defs/list", "$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}}}
    assert [error.rpartition(": ")[2] for error in check_schema(schema, value)] == ["it is nested too deeply"]
