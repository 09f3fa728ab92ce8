"""Translate input items of the Responses API to messages of chat.

Source: OpenAI's API reference, responses, `input` (documented); which clients omit which keys was measured
with 250 bodies of eleven clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tess_openai.core.changes import Change, accept_advice, counted
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.refusals import Refused

ITEM_REFERENCE: Final = "item_reference"
REASONING: Final = "reasoning"
_ITEM_KEYS: Final = frozenset({"type", "id", "status", "phase", "created_by"})
"""Keys that every item may have, which the API uses and a model never sees."""
_MESSAGE_KEYS: Final = _ITEM_KEYS | {"role", "content"}
_CALL_KEYS: Final = _ITEM_KEYS | {"call_id", "name", "arguments", "input", "parsed_arguments"}
_OUTPUT_KEYS: Final = _ITEM_KEYS | {"call_id", "output"}
_TEXT_KEYS: Final = frozenset({"type", "text", "annotations", "logprobs", "parsed"})
"""Annotations and log probabilities belong to an earlier answer; a model never sees them.

`parsed`, like `parsed_arguments` of a call, is what `.parse()` of the SDK makes of the text.
"""
_IMAGE_KEYS: Final = frozenset({"type", "image_url", "detail", "file_id"})
_EMPTY: Final[tuple[object, ...]] = (None, [], {}, "")
_DEFAULTS: Final[tuple[tuple[str, object], ...]] = (("async", False), ("caller", {"type": "direct"}))
"""Fields whose value has no effect: the call is not asynchronous, and the model itself made it."""


def item_type(item: JSONObject) -> str:
    """Return the type of an item. Without a type, a role makes it a message, and a lone id a reference."""
    kind = item.get("type")
    if isinstance(kind, str):
        return kind
    if "role" in item:
        return "message"
    return ITEM_REFERENCE if item.keys() - {"type"} == {"id"} else ""


def to_items(given: object, param: str = "input") -> list[JSONObject]:
    """Return the value of `param` as a list of items; a string becomes a message of the user.

    Raises:
        Refused: It is neither a string nor a list of objects, or the list is empty.
    """
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    items = [to_object(item) for item in to_list(given) or [None]]
    objects = [item for item in items if item is not None]
    if to_list(given) is None or len(objects) < len(items):
        message = f"{param} must be a string, or a list of items that are objects."
        raise Refused(message, param=param, code="invalid_type")
    return objects


def to_chat_messages(items: Iterable[JSONObject], ledger: Ledger) -> list[object]:
    """Translate items to messages of chat; the ledger records the items that chat does not have.

    Calls are added to the message of the assistant before them, as in chat.

    Raises:
        Refused: An item is not supported, and the policy is `"error"`.
    """
    translation = _ItemTranslation(ledger)
    for item in items:
        translation.add(item)
    translation.record()
    return translation.messages


class _ItemTranslation:
    """Translates the items of one request, and counts those that chat does not have."""

    def __init__(self, ledger: Ledger) -> None:
        self.messages: list[object] = []
        self._ledger = ledger
        self._assistant: JSONObject | None = None  # the last message of the assistant that was made here
        self._calls: list[object] = []  # those of `_calls_of`, the last message that tool calls were added to
        self._calls_of: JSONObject | None = None
        self._unknown: dict[str, int] = {}
        self._reasoning = 0

    def add(self, item: JSONObject) -> None:
        """Translate one item."""
        kind = item_type(item)
        translate = _TRANSLATIONS.get(kind)
        if translate is not None:
            translate(self, item)
        elif kind == REASONING:
            self._reasoning += 1
        else:
            name = kind if kind.isidentifier() and len(kind) < 40 else "unknown"
            self._unknown[name] = self._unknown.get(name, 0) + 1
            if self._ledger.policy.action_for(f"input.{name}", parent="messages") == "forward":
                self.messages.append(item)

    def record(self) -> None:
        """Record the items that were left out in the ledger."""
        if self._reasoning:
            why = "only the model that made it can read it, and Tess does not take it back"
            self._ledger.add(
                Change(
                    action="stripped",
                    param="input.reasoning",
                    given=counted(self._reasoning, "item"),
                    sent="",
                    why=why,
                )
            )
        for kind, count in self._unknown.items():
            self._ledger.resolve_unsupported(
                f"input.{kind}",
                given=counted(count, "item"),
                why="Tess has no such item, so the model does not see it",
                remedy=accept_advice(["input"]),
                parent="messages",
            )

    def message(self, item: JSONObject) -> None:
        """Add a message."""
        content = _to_content(item.get("content"))
        message = {"role": item.get("role"), "content": content, **_others(item, _MESSAGE_KEYS)}
        self.messages.append(message)
        if message["role"] == "assistant":
            self._assistant = message

    def call(self, item: JSONObject) -> None:
        """Add a function call."""
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        self._add_call({"id": item.get("call_id"), "type": "function", "function": function}, item)

    def custom_call(self, item: JSONObject) -> None:
        """Add a call of a custom tool."""
        custom = {"name": item.get("name"), "input": item.get("input")}
        self._add_call({"id": item.get("call_id"), "type": "custom", "custom": custom}, item)

    def _add_call(self, call: JSONObject, item: JSONObject) -> None:
        if self._assistant is None or self.messages[-1] is not self._assistant:
            self._assistant = {"role": "assistant", "content": None}
            self.messages.append(self._assistant)
        if self._calls_of is not self._assistant:
            self._calls_of, self._calls = (
                self._assistant,
                [*(to_list(self._assistant.get("tool_calls")) or [])],
            )
        self._calls.append(call)
        self._assistant.update(_others(item, _CALL_KEYS), tool_calls=self._calls)

    def output(self, item: JSONObject) -> None:
        """Add the output of a tool call."""
        message = {
            "role": "tool",
            "tool_call_id": item.get("call_id"),
            "content": _to_content(item.get("output")),
        }
        self.messages.append({**message, **_others(item, _OUTPUT_KEYS)})


_TRANSLATIONS: Final[Mapping[str, Callable[[_ItemTranslation, JSONObject], None]]] = {
    "message": _ItemTranslation.message,
    "function_call": _ItemTranslation.call,
    "custom_tool_call": _ItemTranslation.custom_call,
    "function_call_output": _ItemTranslation.output,
    "custom_tool_call_output": _ItemTranslation.output,
}


def _others(item: JSONObject, known: frozenset[str]) -> JSONObject:
    """Return the fields of an item or a part that are not in `known`, without empty and default values."""
    if item.keys() <= known:
        return {}
    return {
        key: value
        for key, value in item.items()
        if key not in known and value not in _EMPTY and (key, value) not in _DEFAULTS
    }


def _to_content(content: object) -> object:
    """Return the content of a chat message: a single text part as a string, other parts as parts of chat."""
    parts = to_list(content)
    if parts is None:
        return content
    translated = [_to_part(part) for part in parts]
    if len(translated) == 1:
        only = to_object(translated[0]) or {}
        if only.keys() == {"type", "text"} and isinstance(only["text"], str):
            return only["text"]
    return translated


def _to_part(given: object) -> object:
    """Translate a content part of the Responses API to one of chat; other parts are not changed."""
    part = to_object(given)
    kind = None if part is None else part.get("type")
    if part is None:
        return given
    if kind in ("input_text", "output_text", "text"):
        return {"type": "text", "text": part.get("text"), **_others(part, _TEXT_KEYS)}
    if kind == "input_image" and not part.get("file_id"):
        url, detail = part.get("image_url"), part.get("detail")
        image: JSONObject = {"url": url} if detail is None else {"url": url, "detail": detail}
        return {"type": "image_url", "image_url": image, **_others(part, _IMAGE_KEYS)}
    if kind in ("input_file", "input_image"):
        return {
            "type": "file",
            "file": {key: value for key, value in part.items() if key != "type" and value},
        }
    return part
