"""Parses JSON from outside and narrows its types: a parsed value is an `object` until it is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

_SCAN: Final[Callable[[str, int], tuple[object, int]]] = vars(json.JSONDecoder())["scan_once"]
"""Parses an object without white space around it, the usual case."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _make_encode() -> Callable[[object], str]:
    """Return a faster `_ENCODER.encode`, which makes its writer in C once instead of for each value."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    escape: Any = json.encoder.encode_basestring
    write = make(None, _ENCODER.default, escape, None, ":", ",", False, False, True)
    return lambda value: "".join(write(value, 0))


encode_json: Final = _make_encode()
"""Serialise a value as compact JSON; characters outside ASCII are not escaped."""
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
MAX_NESTING: Final = 100
"""The deepest nesting of arrays and objects that is accepted in JSON from outside.

What reads the value later is recursive: `json.dumps` and pydantic fail at some hundred levels, and at fewer
levels in a deep call stack. The depth is looked at before the text is parsed, because the parser is recursive
too: a finalizer that runs while the parser is deep in a text has no stack left, and fails.
"""
_NEITHER_BRACKETS_NOR_QUOTES: Final = bytes(set(range(256)) - set(b'[]{}"'))
_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)

JSONObject: TypeAlias = dict[str, Any]


def parse_json(data: bytes | str, *, errors: str = "strict") -> object:
    """Return the JSON value in `data`, or None when it is not JSON (`null` gives None too).

    JSON nested deeper than `MAX_NESTING` counts as not being JSON.

    Args:
        data: UTF-8 with or without a byte order mark.
        errors: What to do with bytes that are not UTF-8, as for `bytes.decode`.
    """
    try:
        text = data if isinstance(data, str) else data.removeprefix(BYTE_ORDER_MARK).decode(errors=errors)
        if _is_too_deep(text):
            return None
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def is_nested_too_deep(data: bytes) -> bool:
    """Whether more than `MAX_NESTING` brackets outside strings are open at any place of a JSON text."""
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # A string without brackets is a pair of quotes, which is removed; one with brackets keeps its quotes.
    brackets = unescaped.translate(None, _NEITHER_BRACKETS_NOR_QUOTES).replace(b'""', b"")
    for _ in range(MAX_NESTING // 5):  # usually enough, and much faster than to look at each bracket
        fewer = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not fewer:
            return False
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    depth = 0
    for token in _TOKEN.finditer(data):
        opening = data[token.start()]
        if opening in b"[{":
            depth += 1
            if depth > MAX_NESTING:
                return True
        elif opening in b"]}":
            depth -= 1
    return False


def object_length(data: bytes) -> int:
    """Return the length of the JSON object with which `data` begins; 0 when no object ends in it.

    Only brackets and strings are looked at, so this part of `data` may still not be JSON.
    """
    depth = 0
    for token in _TOKEN.finditer(data):
        opening = data[token.start()]
        if opening in b"[{":
            depth += 1
        elif opening in b"]}":
            depth -= 1
            if depth <= 0:
                return token.end()
    return 0


def _is_too_deep(text: str) -> bool:
    brackets = text.count("{") + text.count("[")
    return brackets > MAX_NESTING and is_nested_too_deep(text.encode(errors="surrogatepass"))


def parse_object(data: bytes | str) -> JSONObject | None:
    """Return the JSON object in `data`, or None, by the rules of `parse_json`."""
    try:
        text = data if isinstance(data, str) else data.decode()
        if text.count("{") + text.count("[") > MAX_NESTING and _is_too_deep(text):
            return None
        value, end = _SCAN(text, 0)
        if end == len(text):
            return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType] - as below
    except (ValueError, RecursionError):
        return None
    except StopIteration:  # something comes before the value, such as white space
        pass
    return to_object(parse_json(data))


def to_object(value: object) -> JSONObject | None:
    """Narrow a parsed value to a JSON object; None when it is something else."""
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType] - a cast would be a call, at each of a request's parts


def to_list(value: object) -> list[object] | None:
    """Narrow a parsed value to a JSON array; None when it is something else."""
    return value if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType] - as above


def dump_json(value: object) -> bytes:
    """Serialise compactly as UTF-8, without escaping characters outside ASCII."""
    try:
        return encode_json(value).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8; JSON can still escape it
        return json.dumps(value, separators=(",", ":")).encode()
