"""Leaves out of a JSON Schema what cannot be checked, so that all the rest is.

Schemas come from generators, from tool servers and from people: with patterns in another language's spelling,
keywords of an older draft, references that lead nowhere. One such slip must not switch off the check of a
function that pays.

Source: JSON Schema 2020-12, core and validation, and the earlier drafts where they differ (documented).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from tess_openai.core.jsons import JSONObject, to_list, to_object

_MAX_DEPTH: Final = 128
_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})
_MAPS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMAS: Final = frozenset(
    {"additionalItems", "additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
_LITERALS: Final = frozenset({"const", "default", "enum", "examples", "required", "type"})
_NUMBERS: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "divisibleBy"}
    | {f"{least}{what}" for least in ("min", "max") for what in ("Length", "Items", "Properties", "Contains")}
)
_REST: Final = ("additionalProperties", "unevaluatedProperties")
_OLD_DRAFT: Final = re.compile(r"draft-0[34]/")
_OLD_TRUTHS: Final = frozenset({"exclusiveMinimum", "exclusiveMaximum", "required"})


@dataclass(frozen=True, slots=True)
class Usable:
    """A schema without what cannot be checked.

    Attributes:
        schema: What is left.
        left_out: The keywords that were left out, `{"pattern"}`.
    """

    schema: JSONObject
    left_out: frozenset[str]


def usable(schema: JSONObject) -> Usable:
    """Return what of a schema can be checked. `$schema` counts at the root only."""
    draft = schema.get("$schema")
    is_old = isinstance(draft, str) and _OLD_DRAFT.search(draft) is not None
    walk = _Walk(schema, is_old=is_old)
    part = walk.members(schema, 0)
    if walk.links and not walk.has_identifiers:  # nothing is fetched
        walk.left_out.add("$ref")
    if isinstance(draft, str):
        part["$schema"] = draft
    return Usable(part, frozenset(walk.left_out))


@functools.lru_cache(maxsize=512)
def is_pattern(text: str) -> bool:
    """Whether Python reads a text as a regular expression."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError, Warning):
        return False
    return True


@dataclass(slots=True)
class _Walk:
    """Goes through the parts of one schema.

    Attributes:
        links: References to other documents, or to parts that have an identifier.
    """

    root: JSONObject
    is_old: bool
    left_out: set[str] = field(default_factory=set[str])
    links: list[str] = field(default_factory=list[str])
    has_identifiers: bool = False

    def members(self, schema: JSONObject, depth: int) -> JSONObject:
        """Return a part with the keywords that can be checked."""
        part: JSONObject = {}
        for key, value in schema.items():
            if key == "$schema":
                continue
            self.has_identifiers |= key == "$id" and depth > 0
            if not self._is_usable(key, value):
                self.left_out.add(key)
            elif key in _LITERALS:
                part[key] = value
            elif key in _MAPS:
                named = to_object(value) or {}
                part[key] = {name: self._named(inner, depth) for name, inner in named.items()}
            elif key in _LISTS:
                part[key] = [self._schema(inner, depth) for inner in to_list(value) or []]
            elif key in _SCHEMAS:
                part[key] = self._schema(value, depth)
            else:
                part[key] = self._any(value, depth)
        if "patternProperties" in schema and "patternProperties" not in part:
            for key in _REST:  # which members are left over is not known then
                part.pop(key, None)
        return part

    def _schema(self, value: object, depth: int) -> object:
        """Return what must be a schema, without what cannot be checked of it."""
        members = to_object(value)
        if members is not None and depth < _MAX_DEPTH:
            return self.members(members, depth + 1)
        if not isinstance(value, bool):
            self.left_out.add("a schema that is none" if members is None else "what is nested too deeply")
            return True
        return value

    def _named(self, value: object, depth: int) -> object:
        """Return what stands under a name: a schema, or the names that `dependencies` lists."""
        return self._schema(value, depth) if to_list(value) is None else value

    def _any(self, value: object, depth: int) -> object:
        """Return what may be a schema, since a reference may lead there."""
        if depth >= _MAX_DEPTH and isinstance(value, dict | list):
            self.left_out.add("what is nested too deeply")
            return True
        if (items := to_list(value)) is not None:
            return [self._any(item, depth + 1) for item in items]
        members = to_object(value)
        return value if members is None else self.members(members, depth + 1)

    def _is_usable(self, key: str, value: object) -> bool:
        if self.is_old and key in _OLD_TRUTHS and isinstance(value, bool):
            return True
        if key == "$ref":
            return isinstance(value, str) and self._leads_somewhere(value)
        if key in _NUMBERS:
            return isinstance(value, int | float) and not isinstance(value, bool)
        if key in _MAPS:
            named = to_object(value)
            return named is not None and (key != "patternProperties" or all(map(is_pattern, named)))
        if key in _LISTS:
            return bool(to_list(value))
        check = _KINDS.get(key)
        return check is None or check(value)

    def _leads_somewhere(self, reference: str) -> bool:
        """Whether a reference can be followed; one by a name is taken at its word."""
        if not reference.startswith("#"):
            self.links.append(reference)
        if not reference.startswith("#/"):
            return True
        target: object = self.root
        for step in unquote(reference[2:]).split("/"):
            items = to_list(target)
            if items is None:
                target = (to_object(target) or {}).get(step.replace("~1", "/").replace("~0", "~"))
            else:
                target = items[int(step)] if step.isdecimal() and int(step) < len(items) else None
        return isinstance(target, dict | bool)


def _are_texts(value: object) -> bool:
    items = to_list(value)
    return items is not None and all(isinstance(item, str) for item in items)


def _are_types(value: object) -> bool:
    names = [value] if isinstance(value, str) else to_list(value) or []
    return bool(names) and all(isinstance(name, dict) or name in _TYPES for name in names)


_KINDS: Final[dict[str, Callable[[object], bool]]] = {
    "type": _are_types,
    "enum": lambda value: isinstance(value, list),
    "items": lambda value: isinstance(value, dict | bool | list),
    "pattern": lambda value: isinstance(value, str) and is_pattern(value),
    "required": _are_texts,
}
