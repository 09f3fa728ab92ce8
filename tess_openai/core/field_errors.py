"""Read which fields an error body refuses, and why, in each format that Tess or a proxy uses.

Source: `{"messages": {field: [...]}}` (documented); Laravel's `{"errors": {field: [...]}}` (observed). Lists,
plain strings, nested fields, and FastAPI's `{"detail": [{"loc", "msg"}]}`, which a gateway in front of Tess
may send, are assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from tess_openai.core.jsons import JSONObject, to_list, to_object

_HOLDERS: Final = ("messages", "errors", "detail")
_TEXTS: Final = ("message", "msg", "reason", "detail")
_FIELDS: Final = ("field", "param", "loc")
_DEPTH: Final = 6
_MOST: Final = 50
"""How many reasons are kept; a hostile body may contain any number."""


class FieldError(NamedTuple):
    """One reason: the field, `"messages.0.role"` or `""` when none is named, and its text."""

    field: str
    text: str


def field_errors_of(fields: JSONObject) -> list[FieldError]:
    """Return all reasons of an error object, in order."""
    for holder in _HOLDERS:
        found = [reason for _, reason in zip(range(_MOST), _flat(fields.get(holder), "", 0), strict=False)]
        if found:
            return found
    return []


def fields_of(reasons: list[FieldError]) -> tuple[str, ...]:
    """Return the fields named by reasons, without duplicates."""
    return tuple(dict.fromkeys(reason.field for reason in reasons if reason.field))


def with_field_errors(message: str, reasons: list[FieldError]) -> str:
    """Return a message that contains all reasons, grouped by field."""
    texts: dict[str, list[str]] = {}
    for field, text in reasons:
        if text not in message and text not in texts.get(field, ()):
            texts.setdefault(field, []).append(text)
    details = "; ".join(" ".join([f"{field}:", *each] if field else each) for field, each in texts.items())
    return ": ".join(part for part in (message.rstrip(".") if details else message, details) if part)


def _flat(value: object, path: str, depth: int) -> Iterator[FieldError]:
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        if value.strip():
            yield FieldError(path, value.strip())
        return
    for item in to_list(value) or []:
        fields = to_object(item)
        found = None if fields is None else _of_object(fields, path)
        if found is not None:
            yield found
        elif fields is None or not any(isinstance(each, str) for each in fields.values()):
            yield from _flat(item, path, depth + 1)  # an object with other texts may be a chat message
    for name, item in (to_object(value) or {}).items():
        yield from _flat(item, f"{path}.{name}" if path else name, depth + 1)


def _of_object(item: JSONObject, path: str) -> FieldError | None:
    """Return the reason in an object of a list, `{"field": "model", "message": "..."}`."""
    text = next((text for key in _TEXTS if isinstance(text := item.get(key), str) and text.strip()), None)
    if text is None:
        return None
    named = next((item[key] for key in _FIELDS if item.get(key)), None)
    parts = [str(part) for part in to_list(named) or [] if part != "body"]
    field = named if isinstance(named, str) else ".".join(parts)
    return FieldError(".".join(part for part in (path, field) if part), text.strip())
