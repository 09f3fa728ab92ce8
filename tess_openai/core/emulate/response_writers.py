"""Write the emulated answer to the caller: as one completion, or as the chunks of a stream."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final, Protocol

from tess_openai.core.calls import Answer, Flow
from tess_openai.core.chat.context import (
    EVENT_STREAM,
    ChatContext,
    ledger_header,
    report_changes,
    respond_with_completion,
)
from tess_openai.core.chat.finish_reasons import FINISH_REASONS
from tess_openai.core.chat.stream_faults import StreamFault
from tess_openai.core.chat.stream_filter import ChunkWriter
from tess_openai.core.emulate.call_messages import deltas, message_fields
from tess_openai.core.emulate.outcomes import TextOutcome, ToolCallOutcome
from tess_openai.core.jsons import JSONObject, parse_object
from tess_openai.core.refusals import error_envelope
from tess_openai.core.short_fields import ShortFields

_CALL_REASONS: Final = ("tool_calls", "function_call")


class ResponseWriter(Protocol):
    """Writes the choices of one answer, one after another.

    Attributes:
        root: The root fields of Tess's first answer, such as `id`, `created` and `model`.
    """

    root: JSONObject

    def write_text(self, text: str) -> Flow:
        """Write a piece of the text of the current choice."""
        ...

    def end(self, outcome: TextOutcome | ToolCallOutcome, reason: object) -> Flow:
        """Write the rest of the current choice, and end it; `reason` is the finish reason of Tess."""
        ...

    def close(self, usage: JSONObject | None) -> Flow:
        """Complete the answer."""
        ...

    def fail(self, answer: Answer) -> Flow:
        """Write an error instead of the answer, or instead of its end."""
        ...


def _finish_reason(outcome: TextOutcome | ToolCallOutcome, reason: object, *, is_legacy: bool) -> object:
    if isinstance(outcome, ToolCallOutcome):
        return "function_call" if is_legacy else "tool_calls"
    given = outcome.finish_reason or reason
    return "stop" if given in _CALL_REASONS or given not in FINISH_REASONS else given


class CompletionWriter:
    """Collects the choices of a completion."""

    def __init__(self, chat: ChatContext, *, is_legacy: bool) -> None:
        self.root: JSONObject = {}
        self._chat = chat
        self._is_legacy = is_legacy
        self._texts: list[str] = []
        self._choices: list[JSONObject] = []

    def write_text(self, text: str) -> Flow:
        """Keep a piece of text."""
        self._texts.append(text)
        yield from ()

    def end(self, outcome: TextOutcome | ToolCallOutcome, reason: object) -> Flow:
        """Keep a whole choice."""
        text = "".join((*self._texts, outcome.text))
        self._texts.clear()
        message: JSONObject = {"role": "assistant", "content": text}
        if isinstance(outcome, ToolCallOutcome):
            message["content"] = text or None
            message.update(message_fields(outcome.calls, is_legacy=self._is_legacy))
        elif outcome.refusal is not None:
            message.update(content=text or None, refusal=outcome.refusal)
        finish_reason = _finish_reason(outcome, reason, is_legacy=self._is_legacy)
        self._choices.append(
            {"index": len(self._choices), "message": message, "finish_reason": finish_reason}
        )
        yield from ()

    def close(self, usage: JSONObject | None) -> Flow:
        """Return the completion."""
        fields: JSONObject = {**self.root, "choices": self._choices}
        if usage is not None:
            fields["usage"] = usage
        yield from respond_with_completion(self._chat, fields)

    def fail(self, answer: Answer) -> Flow:
        """Answer with the error."""
        yield answer


class StreamWriter:
    """Writes the chunks of a stream.

    The status and headers are sent with the first chunk, so an earlier error has a status of its own.
    """

    def __init__(self, chat: ChatContext, *, is_legacy: bool) -> None:
        self.root: JSONObject = {}
        self._chat = chat
        self._is_legacy = is_legacy
        self._reader = chat.reader()
        self._writer = ChunkWriter(
            self._reader, chat.ledger, include_usage=chat.translated.include_usage, estimate_for=None
        )
        self._index = 0
        self._has_begun = False
        self._repeated = ShortFields()
        self._written: set[str] = set()  # the root fields that a chunk had

    def write_text(self, text: str) -> Flow:
        """Write a piece of text; `<think>` and `</think>` each get a chunk of their own.

        Frameworks look for a tag that is a whole chunk; without it, they take the answer for thinking.
        """
        for part in _THINKING_TAG.split(text) if "think>" in text else (text,):
            if part:
                yield from self._send(self._delta({"content": part}))

    def end(self, outcome: TextOutcome | ToolCallOutcome, reason: object) -> Flow:
        """Write the rest of the choice: text, a refusal, or calls, the name of each before its arguments."""
        yield from self.write_text(outcome.text)
        if isinstance(outcome, ToolCallOutcome):
            for delta in deltas(outcome.calls, is_legacy=self._is_legacy):
                yield from self._send(self._delta(delta))
        elif outcome.refusal is not None:
            yield from self._send(self._delta({"refusal": outcome.refusal}))
        yield from self._send(self._delta({}, _finish_reason(outcome, reason, is_legacy=self._is_legacy)))
        self._index += 1

    def close(self, usage: JSONObject | None) -> Flow:
        """Write the usage if it was requested, the ledger on the last chunk, and `[DONE]`.

        An error is written instead where the caller's filters make a warning an error.
        """
        last = b""
        if usage is not None and self._chat.translated.include_usage:
            last = self._write({"choices": [], "usage": usage})
        last += self._writer.close()
        refused = yield from report_changes(self._chat.ledger)
        yield from self._send(last) if refused is None else self.fail(refused.to_answer())

    def fail(self, answer: Answer) -> Flow:
        """Answer with the error, or write it as an event if the stream has begun."""
        if not self._has_begun:
            yield answer
            return
        yield self._writer.fail(StreamFault(parse_object(answer.body or b"") or _REDIRECTED))

    def _delta(self, delta: JSONObject, reason: object = None) -> bytes:
        return self._write({"choices": [{"index": self._index, "delta": delta, "finish_reason": reason}]})

    def _write(self, fields: dict[str, Any]) -> bytes:
        if len(self._written) < len(self.root):  # later chunks repeat the short fields only
            new = {name: value for name, value in self.root.items() if name not in self._written}
            self._written.update(new)
            self._repeated.keep(new)
            fields = {**new, **fields}
        chunk = self._reader.normalise({**self._repeated.fields, **fields})
        return self._writer.write(replace(chunk, untouched=False))

    def _send(self, data: bytes) -> Flow:
        if not data:
            return
        if not self._has_begun:
            self._has_begun = True
            yield Answer(200, {"content-type": EVENT_STREAM, **ledger_header(self._chat.ledger)})
        yield data


_THINKING_TAG: Final = re.compile("(</?think>)")
_REDIRECTED: Final = error_envelope(
    "Tess redirected a further request in the middle of an answer",
    type_="server_error",
    param=None,
    code="redirected",
)
