"""Renders earlier function calls and their results as text in the messages for the model.

Source: OpenAI's API reference, chat completions: `tool_calls` and `tool` messages, `function_call` and
`function` messages (documented). The Tess docs mention none of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tess_openai.core.chat.messages import RESULT_KEYS, RESULT_ROLES
from tess_openai.core.emulate.instructions import call_text
from tess_openai.core.emulate.marks import Marks, escape
from tess_openai.core.emulate.past_calls import PastCalls
from tess_openai.core.jsons import JSONObject, parse_object, to_list, to_object
from tess_openai.core.prompts import Prompts, fill
from tess_openai.core.strict_json import compact_json


def contains_calls_or_results(messages: list[object]) -> bool:
    """Whether any of the messages contains a call or a result."""
    return contains_results(messages) or contains_calls(messages)


def contains_results(messages: list[object]) -> bool:
    """Whether any of the messages is the result of a call."""
    return any((to_object(message) or {}).get("role") in RESULT_ROLES for message in messages)


def contains_calls(messages: list[object]) -> bool:
    """Whether any of the messages contains a call."""
    return any(
        message.get("tool_calls") or message.get("function_call")
        for message in map(to_object, messages)
        if message is not None
    )


def render_messages(messages: list[object], marks: Marks, prompts: Prompts) -> list[object]:
    """Return the messages with calls and results as text, and with all texts that look like marks escaped.

    Consecutive results become one message. A message that needs no change is returned as the same object.
    """
    history = _History(marks, prompts)
    for message in messages:
        history.add(message)
    history.end_results()
    return history.rendered


@dataclass(frozen=True, slots=True)
class _PastCall:
    name: str
    arguments: object
    identifier: str
    is_custom: bool = False


class _History:
    """Renders the messages of one conversation in order."""

    def __init__(self, marks: Marks, prompts: Prompts) -> None:
        self.marks = marks
        self.prompts = prompts
        self.rendered: list[object] = []
        self.calls = PastCalls()
        self.results: list[object] = []  # the contents of the last results, which become one message

    def add(self, given: object) -> None:
        message = to_object(given)
        if message is not None and message.get("role") in RESULT_ROLES:
            self._add_result(message)
            return
        self.end_results()
        self.rendered.append(given if message is None else self._render(message))

    def end_results(self) -> None:
        """Put the contents of the last results into the message that was added for them."""
        message = to_object(self.rendered[-1]) if self.results else None
        if message is not None:
            message["content"] = _join_contents(self.results)
            self.results = []

    def _render(self, message: JSONObject) -> JSONObject:
        calls = _past_calls(message)
        content = message.get("content")
        if not calls:
            safe = _escape_content(content)
            return message if safe == content else {**message, "content": safe}
        several = len(calls) > 1
        self.calls.add(
            (call.identifier, call.name, f"{call.name} (call {number})" if several else call.name)
            for number, call in enumerate(calls, start=1)
        )
        text = "\n".join(self._call_text(call) for call in calls)
        kept = {key: value for key, value in message.items() if key not in {"tool_calls", "function_call"}}
        return {**kept, "content": _surround("", content, text)}

    def _call_text(self, call: _PastCall) -> str:
        arguments = call.arguments
        if call.is_custom:
            return self._between_marks(f"{call.name}\n{arguments}")
        if not isinstance(arguments, str) or parse_object(arguments) is None:
            arguments = compact_json({} if arguments in ("", None) else arguments)
        return self._between_marks(call_text(call.name, arguments))

    def _between_marks(self, text: str) -> str:
        return f"{self.marks.open}\n{escape(text)}\n{self.marks.close}"

    def _add_result(self, message: JSONObject) -> None:
        name = message.get("name")
        identifier = message.get("tool_call_id")
        label = self.calls.label_of_result(
            identifier if isinstance(identifier, str) else "", name if isinstance(name, str) else ""
        )
        heading = fill(self.prompts.result, name=escape(label))
        content = _surround(
            f"{self.marks.result_open}\n{heading}", message.get("content"), self.marks.result_close
        )
        others = {key: value for key, value in message.items() if key not in RESULT_KEYS}
        before = to_object(self.rendered[-1]) if self.results else None
        if before is None:
            self.rendered.append({**others, "role": "user", "content": content})
        else:
            before.update(others)
        self.results.append(content)


def _identifier(call: JSONObject) -> str:
    identifier = call.get("id")
    return identifier if isinstance(identifier, str) else ""


def _past_calls(message: JSONObject) -> list[_PastCall]:
    calls: list[_PastCall] = []
    for item in to_list(message.get("tool_calls")) or []:
        call = to_object(item) or {}
        function, custom = to_object(call.get("function")), to_object(call.get("custom"))
        inner = function or custom or {}
        is_custom = not function and isinstance(inner.get("input"), str)
        arguments = inner.get("input" if is_custom else "arguments", {})
        calls.append(_PastCall(str(inner.get("name", "")), arguments, _identifier(call), is_custom))
    legacy = to_object(message.get("function_call"))
    if legacy is not None:
        calls.append(_PastCall(str(legacy.get("name", "")), legacy.get("arguments", {}), ""))
    return calls


def _escape_content(content: object) -> object:
    if isinstance(content, str):
        return escape(content)
    parts = to_list(content)
    return content if parts is None else [_escape_part(part) for part in parts]


def _escape_part(part: object) -> object:
    if isinstance(part, str):
        return escape(part)
    fields = to_object(part)
    text = None if fields is None else fields.get("text")
    return {**fields, "text": escape(text)} if fields is not None and isinstance(text, str) else part


def _surround(before: str, content: object, after: str) -> object:
    """Return the escaped content between two texts."""
    safe = _escape_content(content)
    parts = to_list(safe)
    if parts is None:
        middle = safe if isinstance(safe, str) else "" if safe is None else compact_json(safe)
        return "\n".join(text for text in (before, middle, after) if text)
    return [*_text_parts(before), *parts, *_text_parts(after)]


def _text_parts(text: str) -> list[object]:
    return [{"type": "text", "text": text}] if text else []


def _join_contents(contents: list[object]) -> object:
    """Return contents as one: a string if all of them are strings, else a list of parts."""
    texts = [*itertools.takewhile(lambda content: isinstance(content, str), contents)]
    text = "\n".join(map(str, texts))
    if len(texts) == len(contents):
        return text
    parts = _text_parts(text)
    for content in contents[len(texts) :]:
        parts.extend(to_list(content) or _text_parts(str(content)))
    return parts
