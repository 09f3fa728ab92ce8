"""Checks JSON against a JSON Schema, and mends what is plainly a slip.

The check itself is given from outside, since the standard library has none. Mending changes how a value is
said and never what it says: it turns `"5"` into `5` where a number belongs, but invents nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from tess_openai.core.emulate.lenient_json import read_json
from tess_openai.core.emulate.strict_json import UnreadableError
from tess_openai.core.jsons import JSONObject, to_list, to_object

SchemaChecker: TypeAlias = Callable[[JSONObject, object], list[str]]
"""Returns what is wrong with a value under a schema, one clause each; empty when nothing is."""

_MAX_DEPTH: Final = 64
_MAX_REFERENCES: Final = 16
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.0{1,9})?")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?")
_JOINT: Final = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W_])")
"""Between two words; a sign before a number is none."""
_BOOLEANS: Final = {"true": True, "false": False}
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def validate_and_coerce(schema: JSONObject, value: object, check: SchemaChecker) -> tuple[object, list[str]]:
    """Return the value, mended if it has to be and can be, and what is still wrong with it."""
    errors = check(schema, value)
    if not errors:
        return value, errors
    mended = _Coercer(schema).coerce(schema, value, 0)
    return mended, check(schema, mended)


def root_types(schema: JSONObject) -> frozenset[str]:
    """Return the types of value that a schema asks for; empty when it does not say."""
    mender = _Coercer(schema)
    part = mender.resolve(schema) or {}
    branches = [mender.resolve(branch) or {} for branch in _branches(part)]
    types = [_types(each) for each in ([part] if _types(part) else branches)]
    return frozenset[str]().union(*types) if all(types) else frozenset()


def fits_types(value: object, types: Collection[str]) -> bool:
    """Whether a value is of one of the types; of any when none is named."""
    return _fits(value, list(types))


@dataclass(slots=True)
class _Coercer:
    """Mends values against the parts of one schema, in which local references are looked up.

    Attributes:
        root: The schema.
        steps: How many more values are looked at; a schema may refer to itself, twice at each step even.
    """

    root: JSONObject
    steps: int = 20_000

    def coerce(self, schema: object, value: object, depth: int) -> object:
        """Return the value as `schema` would have it said."""
        part = self.resolve(schema)
        self.steps -= 1
        if part is None or depth > _MAX_DEPTH or self.steps < 0:
            return value
        for inner in to_list(part.get("allOf")) or []:
            value = self.coerce(inner, value, depth + 1)
        branch = self._branch(part, value)
        if branch is not None:
            value = self.coerce(branch, value, depth + 1)
        value = _coerce_choice(part, value)
        types = _types(part)
        if types and not _fits(value, types):
            value = _coerce_type(types, value)
        if (members := to_object(value)) is not None:
            return self._coerce_members(part, members, depth)
        if (items := to_list(value)) is not None and "items" in part:
            return [self.coerce(part["items"], item, depth + 1) for item in items]
        return value

    def resolve(self, schema: object) -> JSONObject | None:
        """Follow `$ref` within the document."""
        part = to_object(schema)
        for _ in range(_MAX_REFERENCES):
            if part is None or not isinstance(reference := part.get("$ref"), str):
                return part
            target: object = self.root if reference.startswith("#") else None
            for step in reference[1:].split("/")[1:]:
                target = (to_object(target) or {}).get(step.replace("~1", "/").replace("~0", "~"))
            part = to_object(target)
        return None

    def _branch(self, part: JSONObject, value: object) -> object:
        """Return the branch of `anyOf` or `oneOf` that a value is meant for; None when that is not plain."""
        branches = [branch for branch in map(self.resolve, _branches(part)) if branch is not None]
        fitting = [branch for branch in branches if _fits(value, _types(branch))]
        if not fitting:
            fitting = [branch for branch in branches if _coerce_type(_types(branch), value) is not value][:1]
        return fitting[0] if len(fitting) == 1 else None

    def _coerce_members(self, part: JSONObject, members: JSONObject, depth: int) -> JSONObject:
        properties = to_object(part.get("properties")) or {}
        required = to_list(part.get("required")) or []
        named = _rename(members, properties)
        mended: JSONObject = {}
        for key, value in named.items():
            if key not in properties:
                mended[key] = value
                continue
            inner = self.coerce(properties[key], value, depth + 1)
            if inner is not None or key in required or self._allows_null(properties[key]):
                mended[key] = inner
        return mended

    def _allows_null(self, schema: object) -> bool:
        """Whether null is plainly allowed, or nothing is known of it."""
        part = self.resolve(schema)
        branches = [] if part is None else _branches(part)
        for choice in [self.resolve(branch) for branch in branches] or [part]:
            types, values = _types(choice or {}), to_list((choice or {}).get("enum"))
            if (not types or "null" in types) and (values is None or None in values):
                return True
        return False


def _branches(part: JSONObject) -> list[object]:
    return [*(to_list(part.get("anyOf")) or []), *(to_list(part.get("oneOf")) or [])]


def _types(part: JSONObject) -> list[str]:
    given = part.get("type")
    types = [given] if isinstance(given, str) else to_list(given) or []
    return [name for name in types if isinstance(name, str) and name in _TYPES]


def _fits(value: object, types: list[str]) -> bool:
    """Whether a value is of one of the types; of any when none is named."""
    if isinstance(value, bool):
        return not types or "boolean" in types
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return True
    return not types or any(isinstance(value, _TYPES[name]) for name in types)


def _coerce_type(types: list[str], value: object) -> object:
    """Say a value in a type it was meant in; the value itself where that is not plain."""
    if isinstance(value, str):
        text = value.strip()
        if "integer" in types and _INTEGER.fullmatch(text):
            return int(text.partition(".")[0])
        if "number" in types and _NUMBER.fullmatch(text):
            return float(text) if set(text) & set(".eE") else int(text)
        if "boolean" in types and text.lower() in _BOOLEANS:
            return _BOOLEANS[text.lower()]
        if "null" in types and text.lower() in {"null", "none"}:
            return None
        if text.startswith(("{", "[")) and (unpacked := _unpack(text, types)) is not None:
            return unpacked
    elif "string" in types and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if "array" in types and value is not None:
        return [value]
    return value


def _unpack(text: str, types: list[str]) -> object:
    """Read an object or array that was written as a string; None when it is not what is wanted."""
    try:
        reading = read_json(text)
    except UnreadableError:
        return None
    wanted = [name for name in types if name in {"object", "array"}]
    is_all = not text[reading.end :].strip()
    return reading.value if wanted and is_all and _fits(reading.value, wanted) else None


def _coerce_choice(part: JSONObject, value: object) -> object:
    """Take the one choice of `enum` or `const` that differs in case and in what joins its words only."""
    choices = to_list(part.get("enum")) or ([part["const"]] if "const" in part else [])
    if not isinstance(value, str) or value in choices:
        return value
    alike = [choice for choice in choices if isinstance(choice, str) and _plain(choice) == _plain(value)]
    return alike[0] if len(alike) == 1 else value


def _plain(text: str) -> str:
    return " ".join(_JOINT.sub(" ", text.casefold()).split())


def bare_name(name: str) -> str:
    """Return a name without case and punctuation, for comparison: `getWeather` and `get-weather` are one."""
    if name.isascii() and name.isalnum() and name.islower():
        return name
    return "".join(char for char in name.casefold() if char.isalnum())


def match_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is meant: the same, or the only one that differs in case or punctuation."""
    names = tuple(known)
    if name in names or not name:
        return name or None
    return _bare_names(names).get(bare_name(name))


def _bare_names(names: Iterable[str]) -> dict[str, str]:
    """Return the names by their bare form, without those that share one."""
    bare = [(bare_name(name), name) for name in names]
    counts = Counter(form for form, _ in bare)
    return {form: name for form, name in bare if form and counts[form] == 1}


def _rename(members: JSONObject, properties: JSONObject) -> JSONObject:
    """Correct keys that differ from a property in case or punctuation only, and from one only."""
    missing = _bare_names(key for key in properties if key not in members)
    meant = {key: missing.get(bare_name(key)) for key in members if key not in properties}
    counts = Counter(meant.values())
    return {
        name if (name := meant.get(key)) is not None and counts[name] == 1 else key: value
        for key, value in members.items()
    }
