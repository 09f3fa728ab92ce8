"""Finds keys that a schema does not declare, in a value whose syntax was corrected.

After an unescaped quote in a string, the rest of the string may look like further members. Their keys are
rarely those of the schema, so a corrected value with such a key is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.name_matching import bare_name

_MAX_DEPTH: Final = 64
_MAX_STEPS: Final = 5_000
_SCHEMA_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE_SCHEMAS: Final = ("if", "then", "else")


def undeclared_key(schema: JSONObject, value: object, *, holds_raw_text: bool) -> str | None:
    """Return the first key of a value that its schema does not declare.

    None when all keys are declared or allowed, and for parts that are too deep or too large to be searched.

    Args:
        schema: A JSON Schema.
        value: A JSON value.
        holds_raw_text: Whether a string of the value was not escaped. Then, where the schema allows any key,
            a key that it does not declare is accepted only as the first one of its object.
    """
    return _DeclaredKeySearch(schema, holds_raw_text=holds_raw_text).find([schema], value, 0)


@dataclass(slots=True)
class _DeclaredKeySearch:
    """Walks through a value and the parts of its schema."""

    root: JSONObject
    holds_raw_text: bool
    steps_left: int = _MAX_STEPS

    def find(self, schemas: list[object], value: object, depth: int) -> str | None:
        """Return the first undeclared key of a value to which any of `schemas` may apply."""
        self.steps_left -= 1
        if depth > _MAX_DEPTH or self.steps_left < 0:
            return None
        parts = list(self._parts(schemas, depth))
        if (items := to_list(value)) is not None:
            inner = [part["items"] for part in parts if "items" in part]
            inner += [each for part in parts for each in to_list(part.get("prefixItems")) or []]
            return next((key for item in items if (key := self.find(inner, item, depth + 1))), None)
        return None if (members := to_object(value)) is None else self._find_in(parts, members, depth)

    def _find_in(self, parts: list[JSONObject], members: JSONObject, depth: int) -> str | None:
        declared: dict[str, list[object]] = {}
        for_other_keys: list[object] = []
        for part in parts:
            for name, inner in (to_object(part.get("properties")) or {}).items():
                declared.setdefault(bare_name(name), []).append(inner)
            for_other_keys += (to_object(part.get("patternProperties")) or {}).values()
            if part.get("additionalProperties", False) is not False:  # `{}` allows any key, as true does
                for_other_keys.append(part["additionalProperties"])
        is_open = bool(for_other_keys) or not declared
        for number, (key, member) in enumerate(members.items()):
            inner = declared.get(bare_name(key), [] if is_open else None)
            if inner is None or (is_open and not inner and number and self.holds_raw_text):
                return key
            if (found := self.find(inner or for_other_keys, member, depth + 1)) is not None:
                return found
        return None

    def _parts(self, schemas: list[object], depth: int) -> Iterator[JSONObject]:
        """Yield the schemas, and the schemas that they refer to or combine."""
        for schema in schemas:
            self.steps_left -= 1
            part = to_object(schema)
            if part is None or depth > _MAX_DEPTH or self.steps_left < 0:
                continue
            yield part
            nested = [each for keyword in _SCHEMA_LISTS for each in to_list(part.get(keyword)) or []]
            nested += [part[keyword] for keyword in _SINGLE_SCHEMAS if keyword in part]
            nested += [self._target(part["$ref"])] if "$ref" in part else []
            yield from self._parts(nested, depth + 1)

    def _target(self, reference: object) -> object:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        target: object = self.root
        for step in reference[1:].split("/")[1:]:
            target = (to_object(target) or {}).get(step.replace("~1", "/").replace("~0", "~"))
        return target
