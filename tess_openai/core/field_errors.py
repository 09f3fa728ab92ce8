"""Read from an error body which fields were rejected, and why, in each format that Tess or a proxy uses.

Source: `{"messages": {field: [...]}}` (documented); Laravel's `{"errors": {field: [...]}}` (observed). Lists,
plain strings, nested fields, and FastAPI's `{"detail": [{"loc", "msg"}]}`, which a proxy in front of Tess
may send, are assumed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

from tess_openai.core.jsons import JSONObject, to_list, to_object

_ERROR_KEYS: Final = ("messages", "errors", "detail")
_TEXT_KEYS: Final = ("message", "msg", "reason", "detail")
_FIELD_KEYS: Final = ("field", "param", "loc")
_MAX_DEPTH: Final = 6
_MAX_ERRORS: Final = 50
"""How many field errors are kept; a hostile body may contain any number."""


class FieldError(NamedTuple):
    """Why a field was rejected.

    Attributes:
        field: Its name, such as `"messages.0.role"`; `""` when none is named.
        text: The reason.
    """

    field: str
    text: str


def field_errors_of(body: JSONObject) -> list[FieldError]:
    """Return the field errors in an error body, in order."""
    for key in _ERROR_KEYS:
        found = list(itertools.islice(_flatten(body.get(key), "", 0), _MAX_ERRORS))
        if found:
            return found
    return []


def field_names_of(errors: list[FieldError]) -> tuple[str, ...]:
    """Return the names of the rejected fields, without duplicates."""
    return tuple(dict.fromkeys(error.field for error in errors if error.field))


def with_field_errors(message: str, errors: list[FieldError]) -> str:
    """Return a message that contains the reasons of all field errors, grouped by field."""
    texts: dict[str, list[str]] = {}
    for field, text in errors:
        if text not in message and text not in texts.get(field, ()):
            texts.setdefault(field, []).append(text)
    details = "; ".join(
        " ".join([f"{field}:", *reasons] if field else reasons) for field, reasons in texts.items()
    )
    return ": ".join(part for part in (message.rstrip(".") if details else message, details) if part)


def _flatten(value: object, path: str, depth: int) -> Iterator[FieldError]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        if value.strip():
            yield FieldError(path, value.strip())
        return
    for item in to_list(value) or []:
        fields = to_object(item)
        found = None if fields is None else _from_object(fields, path)
        if found is not None:
            yield found
        elif fields is None or not any(isinstance(each, str) for each in fields.values()):
            yield from _flatten(
                item, path, depth + 1
            )  # other texts may be a message of the request, whose prompt is not shown
    for name, item in (to_object(value) or {}).items():
        yield from _flatten(item, f"{path}.{name}" if path else name, depth + 1)


def _from_object(item: JSONObject, path: str) -> FieldError | None:
    """Return the field error in `{"field": "model", "message": "..."}`; None when it contains no reason."""
    text = next((text for key in _TEXT_KEYS if isinstance(text := item.get(key), str) and text.strip()), None)
    if text is None:
        return None
    named = next((item[key] for key in _FIELD_KEYS if item.get(key)), None)
    parts = [str(part) for part in to_list(named) or [] if part != "body"]  # where FastAPI's `loc` begins
    field = named if isinstance(named, str) else ".".join(parts)
    return FieldError(".".join(part for part in (path, field) if part), text.strip())
