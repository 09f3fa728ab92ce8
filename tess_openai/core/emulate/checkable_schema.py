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
from urllib.parse import unquote, urldefrag, urljoin

from tess_openai.core.jsons import JSONObject, to_list, to_object

UNCHECKED: Final = "x-unchecked"
"""Stands in a part of which something was left out: the part may accept what the whole of it would not."""
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
_EITHER: Final = frozenset({"items"})
"""A schema, or a list of them."""
_NUMBERS: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "divisibleBy"}
    | {f"{least}{what}" for least in ("min", "max") for what in ("Length", "Items", "Properties", "Contains")}
)
_DEPENDENT_KEYWORDS: Final = {
    "patternProperties": ("additionalProperties", "unevaluatedProperties"),  # which members are left over
    "minContains": ("contains",),  # at least one, when it does not say
}
_OLD_DRAFT: Final = re.compile(r"draft-0[34]/")
_OLD_TRUTHS: Final = frozenset({"exclusiveMinimum", "exclusiveMaximum", "required"})


@dataclass(frozen=True, slots=True)
class CheckableSchema:
    """A schema without what cannot be checked.

    Attributes:
        schema: What is left, with `UNCHECKED` in each part of which something was left out.
        left_out: The keywords that were left out, `{"pattern"}`.
    """

    schema: JSONObject
    left_out: frozenset[str]


def checkable_part(schema: JSONObject) -> CheckableSchema:
    """Return what of a schema can be checked. `$schema` counts at the root only."""
    draft = schema.get("$schema")
    is_old = isinstance(draft, str) and _OLD_DRAFT.search(draft) is not None
    walk = _Walk(schema, is_old=is_old)
    part = walk.whole()
    if walk.links and not walk.has_identifiers:  # nothing is fetched
        walk.left_out.add("$ref")
    if isinstance(draft, str):
        part["$schema"] = draft
    return CheckableSchema(part, frozenset(walk.left_out))


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
        targets: What references within the document lead to, by the steps from the root.
    """

    root: JSONObject
    is_old: bool
    left_out: set[str] = field(default_factory=set[str])
    links: list[str] = field(default_factory=list[str])
    targets: dict[tuple[str, ...], JSONObject] = field(default_factory=dict[tuple[str, ...], JSONObject])
    has_identifiers: bool = False

    def whole(self) -> JSONObject:
        """Return the root, with what references lead to, which may stand where no schema is known to be."""
        part: object = self.members(self.root, 0)
        done: dict[tuple[str, ...], JSONObject] = {}
        while ahead := self.targets.keys() - done.keys():
            done |= {steps: self.members(self.targets[steps], 0) for steps in ahead}
        for steps in sorted(done, key=len):  # an outer one first, since it has the inner ones as they were
            if _at(part, steps) != done[steps]:
                part = _with(part, steps, done[steps])
        return to_object(part) or {}

    def members(self, schema: JSONObject, depth: int) -> JSONObject:
        """Return a part with the keywords that can be checked."""
        part: JSONObject = {}
        for key, value in schema.items():
            if key == "$schema":
                continue
            self.has_identifiers |= key == "$id" and depth > 0
            if not self._is_checkable(key, value):
                self.left_out.add(key)
                part[UNCHECKED] = True
            elif key in _MAPS:
                named = to_object(value) or {}
                part[key] = {name: self._named(inner, depth) for name, inner in named.items()}
            elif key in _LISTS or (key in _EITHER and to_list(value) is not None):
                part[key] = [self._schema(inner, depth) for inner in to_list(value) or []]
            elif key in _SCHEMAS or key in _EITHER:
                part[key] = self._schema(value, depth)
            else:  # a literal, or what is no keyword: names in it are none either
                part[key] = value
        for key in _DEPENDENT_KEYWORDS.keys() & (schema.keys() - part.keys()):
            for other in _DEPENDENT_KEYWORDS[key]:
                part.pop(other, None)
        return part

    def _schema(self, value: object, depth: int) -> object:
        """Return what must be a schema, without what cannot be checked of it."""
        members = to_object(value)
        if members is not None and depth < _MAX_DEPTH:
            return self.members(members, depth + 1)
        if not isinstance(value, bool):
            self.left_out.add("a schema that is none" if members is None else "what is nested too deeply")
            return {UNCHECKED: True}
        return value

    def _named(self, value: object, depth: int) -> object:
        """Return what stands under a name: a schema, or the names that `dependencies` lists."""
        return self._schema(value, depth) if to_list(value) is None else value

    def _is_checkable(self, key: str, value: object) -> bool:
        if self.is_old and key in _OLD_TRUTHS and isinstance(value, bool):
            return True
        key = "$id" if self.is_old and key == "id" else key
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
        reference = self._within(reference)
        if not reference.startswith("#"):
            self.links.append(reference)
        if not reference.startswith("#/"):
            return True
        steps = tuple(
            step.replace("~1", "/").replace("~0", "~") for step in unquote(reference[2:]).split("/")
        )
        target = _at(self.root, steps) if len(steps) <= _MAX_DEPTH else None
        if (members := to_object(target)) is not None:
            self.targets[steps] = members
        return isinstance(target, dict | bool)

    def _within(self, reference: str) -> str:
        """Return the part after `#` alone where a reference names the document by its own identifier."""
        identifier = self.root.get("id" if self.is_old else "$id")
        if not isinstance(identifier, str) or reference.startswith("#"):
            return reference
        try:
            document, place = urldefrag(urljoin(identifier, reference))
        except ValueError:
            return reference
        return f"#{place}" if document == identifier.removesuffix("#") else reference


def _at(whole: object, steps: tuple[str, ...]) -> object:
    """Return what stands at a place; None when nothing does."""
    for step in steps:
        items = to_list(whole)
        if items is None:
            whole = (to_object(whole) or {}).get(step)
        else:
            is_index = re.fullmatch(r"[0-9]{1,9}", step) is not None
            whole = items[int(step)] if is_index and int(step) < len(items) else None
    return whole


def _with(whole: object, steps: tuple[str, ...], part: JSONObject) -> object:
    """Return a copy that has a part at a place, or the same when there is no such place."""
    if not steps:
        return part
    step, rest = steps[0], steps[1:]
    if (items := to_list(whole)) is not None:
        return [_with(item, rest, part) if str(index) == step else item for index, item in enumerate(items)]
    members = to_object(whole)
    if members is None or step not in members:
        return whole
    return {**members, step: _with(members[step], rest, part)}


def _are_texts(value: object) -> bool:
    items = to_list(value)
    return items is not None and all(isinstance(item, str) for item in items)


def _are_named_texts(value: object) -> bool:
    members = to_object(value)
    return members is not None and all(map(_are_texts, members.values()))


def _are_types(value: object) -> bool:
    names = [value] if isinstance(value, str) else to_list(value) or []
    return bool(names) and all(
        isinstance(name, dict) or (isinstance(name, str) and name in _TYPES) for name in names
    )


_KINDS: Final[dict[str, Callable[[object], bool]]] = {
    "$id": lambda value: isinstance(value, str),
    "type": _are_types,
    "enum": lambda value: isinstance(value, list),
    "items": lambda value: isinstance(value, dict | bool | list),
    "pattern": lambda value: isinstance(value, str) and is_pattern(value),
    "required": _are_texts,
    "dependentRequired": _are_named_texts,
}
