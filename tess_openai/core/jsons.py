"""JSON from outside: parsed and narrowed here, once; `object` until then."""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias, cast

_DECODER: Final = json.JSONDecoder()  # an object without white space around it, the usual case, in one step

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

JSONObject: TypeAlias = dict[str, Any]


def parse_json(data: bytes | str) -> object:
    """Return the JSON value in `data`, or None when it holds none (`null` gives None too)."""
    try:
        text = data if isinstance(data, str) else data.removeprefix(BYTE_ORDER_MARK).decode()
        value, end = _DECODER.raw_decode(text) if text[:1] == "{" else (None, 0)
        return cast("object", value if end and end == len(text) else json.loads(text))
    except (ValueError, RecursionError):
        return None


def parse_object(data: bytes | str) -> JSONObject | None:
    """Return the JSON object in `data`, or None when it is not a JSON object."""
    return to_object(parse_json(data))


def to_object(value: object) -> JSONObject | None:
    """Narrow a parsed value to a JSON object; None when it is something else."""
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType] - a cast would be a call, at each of a request's parts


def to_list(value: object) -> list[object] | None:
    """Narrow a parsed value to a JSON array; None when it is something else."""
    return value if isinstance(value, list) else None  # pyright: ignore[reportUnknownVariableType] - as above


def dump_json(value: object) -> bytes:
    """Serialise compactly, as UTF-8 with characters outside ASCII kept as they are."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8; JSON can still escape it
        return json.dumps(value, separators=(",", ":")).encode()
