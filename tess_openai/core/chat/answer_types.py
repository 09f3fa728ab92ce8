"""Convert the fields of an answer to OpenAI's types where only one reading is possible, else refuse them.

| field | converted | refused, with an error |
|---|---|---|
| `choices` | one choice without a list; an object with numbered keys; a choice that is a text | all else |
| `message`, `delta` | a text; a list of content parts; the other of the two; the choice's `text` | all else |
| `content`, `refusal` | content parts joined; numbers and other JSON as their JSON text | |
| `logprobs`, `annotations`, `audio`, `system_fingerprint`, ... | left out when of another type, and noted | |

`answer_calls.py` does the same for calls.

Source: reports about other servers that are compatible with OpenAI (observed there); that Tess sends any of
these forms is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from tess_openai.core.changes import Change, describe
from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object

ChangeRecorder: TypeAlias = Callable[[Change], None]
"""Records a change for the caller."""
Shape: TypeAlias = "type | tuple[str, ...] | list[Shape] | dict[str, Shape]"

_TEXT_PARTS: Final = ("text", "output_text", "input_text")
_HIDDEN_PARTS: Final = ("thinking", "reasoning", "redacted_thinking")
_MAX_DIGITS: Final = 18


class InvalidAnswerError(ValueError):
    """A part of an answer that cannot be read as OpenAI's type; the message names the part."""


def to_int(value: object) -> int | None:
    """Read a whole number that may be a float or a text, `2`, `2.0`, `"2"`; None for all else."""
    if type(value) is int:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit() else None
    return None


def differs(one: object, other: object) -> bool:
    """Whether two JSON values differ; unlike with `!=`, 1, 1.0 and true are different values."""
    return dump_json(one) != dump_json(other)


def to_items(value: object) -> list[object] | None:
    """Read a list, also from a single object, or from an object with numbered keys.

    PHP writes an array whose keys have gaps as such an object.
    """
    items = to_list(value)
    if items is not None:
        return items
    members = to_object(value)
    if not members:
        return None
    if all(key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS for key in members):
        return [members[key] for key in sorted(members, key=int)]
    return [members]


def are_choices(value: object, key: str) -> bool:
    """Whether a value is a list of choices that `to_choices` would not change."""
    items = to_list(value)
    return items is not None and all(isinstance((to_object(item) or {}).get(key), dict) for item in items)


def to_choices(value: object, key: str) -> list[JSONObject]:
    """Read the choices of an answer; `key` is `"message"` or `"delta"`.

    Raises:
        InvalidAnswerError: One of them is not a choice.
    """
    items = [value] if isinstance(value, str) else to_items(value)
    if items is None:
        raise InvalidAnswerError(f"choices is {describe(value)}")
    return [_to_choice(item, key, f"choices[{position}]") for position, item in enumerate(items)]


def _to_choice(value: object, key: str, path: str) -> JSONObject:
    if isinstance(value, str):
        return {key: {"content": value}}
    choice = to_object(value)
    if choice is None:
        if value is None and key == "delta":
            return {key: {}}
        raise InvalidAnswerError(f"{path} is {describe(value)}")
    other = "message" if key == "delta" else "delta"
    message = choice.get(key)
    if message is None:
        if choice.get(other) is not None:
            message = choice.pop(other)
        elif choice.get("text") is not None:  # a legacy completion
            message = {"content": choice.pop("text")}
        elif key == "delta":
            message = {}
        else:
            raise InvalidAnswerError(f"{path} has no message")
    if isinstance(message, str) or to_list(message) is not None:
        message = {"content": message}
    fields = to_object(message)
    if fields is None:
        raise InvalidAnswerError(f"{path}.{key} is {describe(message)}")
    choice[key] = fields
    return choice


def coerce_message(message: JSONObject, record_change: ChangeRecorder, *, is_delta: bool = False) -> bool:
    """Convert the texts of a message or delta, drop optional fields of other types; True if any changed."""
    changed = False
    for key in ("content", "refusal"):
        value = message.get(key)
        if value is None or isinstance(value, str):
            continue
        texts: dict[str, list[str]] = {"content": [], "refusal": []}
        for kind, text in _texts(value, record_change):
            texts["refusal" if key == "refusal" else kind].append(text)
        message[key] = "".join(texts[key])
        if key == "content" and texts["refusal"] and not isinstance(message.get("refusal"), str):
            message["refusal"] = "".join(texts["refusal"])
        changed = True
    return drop_misfits(message, _DELTA_EXTRAS if is_delta else _MESSAGE_EXTRAS, record_change) or changed


def _texts(value: object, record_change: ChangeRecorder) -> Iterator[tuple[str, str]]:
    """Yield the texts in content of any type, each with the key it belongs to."""
    parts = to_list(value)
    for part in [value] if parts is None else parts:
        fields = to_object(part)
        if isinstance(part, str):
            yield "content", part
        elif fields is None:
            if part is not None:
                yield "content", dump_json(part).decode()
        elif isinstance(fields.get("refusal"), str):
            yield "refusal", fields["refusal"]
        elif (text := _text_of_part(fields)) is not None:
            yield "content", text
        elif parts is None and not isinstance(fields.get("type"), str):
            yield "content", dump_json(fields).decode()  # an object instead of its JSON text
        else:
            kind = fields.get("type")
            if kind not in _HIDDEN_PARTS:
                why = "Tess sent a content part that is not a text, which OpenAI's messages cannot contain"
                record_change(
                    Change(
                        action="noticed",
                        param="content",
                        given=describe(part),
                        sent="",
                        why=why,
                        warn="answer",
                    )
                )


def _text_of_part(fields: JSONObject) -> str | None:
    if fields.get("type", "text") not in _TEXT_PARTS:
        return None
    for value in (fields.get("text"), fields.get("content")):
        inner = to_object(value)
        text = value if inner is None else inner.get("value")
        if isinstance(text, str):
            return text
    return None


_TOP_LOGPROB: Final[dict[str, Shape]] = {"token": str, "logprob": float, "bytes?": [int]}
_LOGPROBS: Final[list[Shape]] = [{**_TOP_LOGPROB, "top_logprobs": [_TOP_LOGPROB]}]
_CITATION: Final[dict[str, Shape]] = {"start_index": int, "end_index": int, "title": str, "url": str}
_AUDIO: Final[dict[str, Shape]] = {"id": str, "data": str, "expires_at": int, "transcript": str}
_MESSAGE_EXTRAS: Final[dict[str, Shape]] = {
    "annotations": [{"type": ("url_citation",), "url_citation": _CITATION}],
    "audio": _AUDIO,
}
_DELTA_EXTRAS: Final[dict[str, Shape]] = {"audio": {f"{key}?": shape for key, shape in _AUDIO.items()}}
CHOICE_EXTRAS: Final[dict[str, Shape]] = {"logprobs": {"content?": _LOGPROBS, "refusal?": _LOGPROBS}}
ROOT_EXTRAS: Final[dict[str, Shape]] = {
    "system_fingerprint": str,
    "service_tier": ("auto", "default", "flex", "scale", "priority", "fast"),
    "obfuscation": str,
    "metadata": {},
    "moderation": {},
}
"""Optional fields of an answer, and their shapes for `fits`. Source: the models of OpenAI's SDK."""


def fits(value: object, shape: Shape) -> bool:
    """Whether a value has a shape: a type, a tuple of values, `[shape]`, or an object, `"key?"` optional."""
    if isinstance(shape, list):
        items = to_list(value)
        return items is not None and all(fits(item, shape[0]) for item in items)
    if isinstance(shape, dict):
        members = to_object(value)
        return members is not None and all(_has_member(members, key, shape[key]) for key in shape)
    if isinstance(shape, tuple):
        return value in shape
    return type(value) is shape or (shape is float and type(value) is int)


def _has_member(members: JSONObject, key: str, shape: Shape) -> bool:
    name = key.removesuffix("?")
    return fits(members.get(name), shape) or (key != name and members.get(name) is None)


def drop_misfits(fields: JSONObject, shapes: Mapping[str, Shape], record_change: ChangeRecorder) -> bool:
    """Drop the optional fields of an answer that have another shape, and record each; True if any was."""
    misfits = [key for key in shapes if fields.get(key) is not None and not fits(fields[key], shapes[key])]
    for key in misfits:
        why = "Tess sent it in a form that OpenAI's clients cannot read, so it was left out"
        record_change(Change(action="noticed", param=key, given=describe(fields.pop(key)), sent="", why=why))
    return bool(misfits)
