"""Make an example value from a JSON Schema, for the example call in the instructions."""

from __future__ import annotations

from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object

_MAX_DEPTH: Final = 6
_MAX_VALUES: Final = 64
_MAX_REFERENCES: Final = 8
_FORMATS: Final = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "5f0c9b1e-2a4d-4c7b-9e61-3d8f7a20b4c5",
}


def example_value(schema: JSONObject, name: str) -> object:
    """Return an example value for a schema, with the required members only.

    The value may violate constraints such as `pattern`, so it must be checked before it is shown. Parts that
    are nested too deeply, and those after the first 64, are None.

    Args:
        schema: The schema, and the document in which references are followed.
        name: The name of the value; a string becomes `"some <name>"` unless its schema has a value, such as a
            default, or a known format.
    """
    return _Example(schema).value(schema, name, 0)


class _Example:
    """Makes one example value; references are followed within the whole schema."""

    def __init__(self, root: JSONObject) -> None:
        self._root = root
        self._values = 0

    def value(self, schema: object, name: str, depth: int) -> object:
        part = self._resolve(schema)
        self._values += 1
        if depth > _MAX_DEPTH or self._values > _MAX_VALUES:
            return None
        if "const" in part:
            return part["const"]
        if given := to_list(part.get("examples")) or to_list(part.get("enum")):
            return given[0]
        if part.get("default") is not None:
            return part["default"]
        for key in ("anyOf", "oneOf", "allOf"):
            branches = [branch for branch in to_list(part.get(key)) or [] if branch != {"type": "null"}]
            if branches:
                return self.value(branches[0], name, depth + 1)
        return self._of_type(part, name, depth)

    def _of_type(self, part: JSONObject, name: str, depth: int) -> object:
        types = [kind for kind in to_list(part.get("type")) or [part.get("type")] if kind != "null"]
        kind = types[0] if types else None
        properties = to_object(part.get("properties"))
        if kind == "object" or properties is not None:
            required = to_list(part.get("required")) or []
            return {
                key: self.value(inner, key, depth + 1)
                for key, inner in (properties or {}).items()
                if key in required
            }
        if kind == "array":
            return [self.value(part.get("items"), name, depth + 1)]
        if kind in ("integer", "number"):
            return _number(part, is_whole=kind == "integer")
        if kind == "boolean":
            return True
        return _FORMATS.get(str(part.get("format")), f"some {name.replace('_', ' ')}")

    def _resolve(self, schema: object) -> JSONObject:
        """Return a part of the schema; if it is a reference within the document, return its target."""
        part = to_object(schema) or {}
        for _ in range(_MAX_REFERENCES):
            reference = part.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                break
            target: object = self._root
            for step in reference[2:].split("/"):
                target = (to_object(target) or {}).get(step)
            part = to_object(target) or {}
        return part


def _number(part: JSONObject, *, is_whole: bool) -> int | float:
    minimum, maximum = part.get("minimum"), part.get("maximum")
    number: int | float = 2 if is_whole else 2.5
    if isinstance(minimum, int | float) and number < minimum:
        number = minimum
    if isinstance(maximum, int | float) and number > maximum:
        number = maximum
    return number
