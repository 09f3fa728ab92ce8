"""The texts in messages of OpenAI's API: of their parts, of the tool calls in them, of any JSON value."""

from __future__ import annotations

from typing import Final

from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object

BLANK_LINE: Final = "\n\n"


def texts_of(messages: object) -> list[str]:
    """Return the contents of translated messages that are strings, to estimate their tokens."""
    contents = ((to_object(message) or {}).get("content") for message in to_list(messages) or [])
    return [content for content in contents if isinstance(content, str)]


def to_text(value: object) -> str:
    """Return a string unchanged, null as `""`, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else dump_json(value).decode()


def text_of_part(part: object) -> str | None:
    """Return the text of a text or refusal part of chat or Responses, or a bare string; None for others."""
    if isinstance(part, str):
        return part
    fields = to_object(part) or {}
    for key in ("text", "refusal"):
        text = fields.get(key)
        if isinstance(text, str) and fields.get("type", key) in (key, "input_text", "output_text"):
            return text
    return None


def append_texts(content: object, further: list[str]) -> object:
    """Return the content of a message with further texts appended."""
    parts = to_list(content)
    if parts is not None:
        return [*parts, *({"type": "text", "text": text} for text in further if text)]
    return BLANK_LINE.join(filter(None, (to_text(content), *further)))


def calls_of(message: JSONObject) -> list[object]:
    """Return the tool calls of a message, and the call in the older form, `function_call`."""
    calls = message.get("tool_calls")
    found = list(to_list(calls) or ([calls] if calls else []))
    function_call = message.get("function_call")
    if function_call:
        found.append({"function": function_call})
    return found
