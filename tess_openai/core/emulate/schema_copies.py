"""Recognises parts of a call that the model copied from the instructions: a function's line, or its schema.

A small model tends to copy the line that describes the function instead of writing a call. A copied part of
the line is not an argument, and a schema is not the value of an argument.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Final

from tess_openai.core.emulate.instructions import compact_schema
from tess_openai.core.emulate.offers import OfferedFunction
from tess_openai.core.jsons import JSONObject, to_object
from tess_openai.core.name_matching import bare_name

_TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_KEYWORDS: Final = frozenset(
    {
        *(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "description",
            "items",
            "enum",
            "default",
        ),
        *("title", "$schema", "$defs", "format", "minimum", "maximum", "anyOf", "const"),
    }
)

_RESTRICTING_KEYWORDS: Final = frozenset({"properties", "anyOf", "oneOf", "allOf", "$ref", "enum", "const"})
"""A schema of type `object` without these keywords allows any object."""
_TYPICAL_KEYWORDS: Final = frozenset({"type", "properties", "enum", "const", "anyOf", "$ref"})
"""An object without these keywords is not recognised as a schema."""


def copies_description(key: str, value: object, function: OfferedFunction) -> bool:
    """Whether a member of a call is copied from the line that describes its function."""
    if bare_name(key) == "description":
        return value in (function.description, cleandoc(function.description))
    if bare_name(key) in {"parameters", "inputschema", "schema"}:
        return value in (function.parameters, compact_schema(function.parameters))
    return bare_name(key) == "strict" and value == function.is_strict


def copied_schema(arguments: object, schema: JSONObject) -> str | None:
    """Return what is a copied schema, or a part of one, instead of a value; None when nothing is.

    Returns:
        The quoted key for a message to the model: of one argument, or `"arguments"` for all of them.
    """
    members = to_object(arguments)
    if members is None:
        return None
    if _is_schema(members, schema):
        return '"arguments"'
    properties = to_object(schema.get("properties")) or {}
    for key, member in members.items():
        if properties and key not in properties and key in _KEYWORDS and schema.get(key) == member:
            return repr(key)
        inner, value = to_object(properties.get(key)), to_object(member)
        if inner and value and _is_schema(value, inner, may_be_any=True):
            return repr(key[:40])
    return None


def _is_schema(members: JSONObject, schema: JSONObject, *, may_be_any: bool = False) -> bool:
    """Whether an object is this schema, or consists of keywords, one of them an undeclared `type`.

    Args:
        members: The object.
        schema: The schema of the object.
        may_be_any: Whether a schema that allows any object allows this one, even where it is another schema.
    """
    if _TYPICAL_KEYWORDS.isdisjoint(members):
        return False
    if members in (schema, compact_schema(schema)):
        return True
    if may_be_any and _RESTRICTING_KEYWORDS.isdisjoint(schema) and schema.get("type", "object") == "object":
        return False
    declared = to_object(schema.get("properties")) or {}
    kind = members.get("type")
    names_type = isinstance(kind, str) and kind in _TYPES and "type" not in declared
    return names_type and _KEYWORDS.issuperset(members)
