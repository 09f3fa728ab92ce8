"""Read the text of one answer of Tess, from a completion or from a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.changes import Change
from tess_openai.core.chat.chunks import (
    FINISH_REASONS,
    PARTIAL_ERROR,
    ChunkReader,
    StreamEnd,
    StreamFault,
    move_error_to_tess,
    normalise_finish_reason,
    truncated_fault,
    unescape_json_text,
)
from tess_openai.core.chat.completion import contents_of, is_completion
from tess_openai.core.chat.stream_filter import texts_of_chunk
from tess_openai.core.errors import parse_error_in_200
from tess_openai.core.json_body import JSONBody
from tess_openai.core.jsons import JSONObject, to_object
from tess_openai.core.sse import EventDecoder, ServerSentEvent, parse_events

CUT_REASONS: Final = ("length", "content_filter")
"""Finish reasons of an answer that was cut off. Source: OpenAI's API reference (documented)."""


@dataclass(slots=True)
class AnswerSource:
    """What is known of one answer so far.

    Attributes:
        root: Its `id`, `created`, `model` and the like.
        texts: Its text.
        finish_reason: As Tess sent it.
        usage: As Tess sent it; None when it sent none.
        fault: The error that came instead of an answer, or instead of its end.
        ended: Whether the answer is over.
    """

    root: JSONObject = field(default_factory=dict[str, object])
    texts: list[str] = field(default_factory=list[str])
    finish_reason: object = None
    usage: JSONObject | None = None
    fault: StreamFault | None = None
    ended: bool = False

    def feed(self, data: bytes) -> str:
        """Take the next bytes; return the text that they complete."""
        raise NotImplementedError

    def finish(self) -> str:
        """Take the end of the bytes; return the text that only it completes."""
        raise NotImplementedError

    @property
    def is_complete(self) -> bool:
        """Whether the answer is whole, even if the connection breaks behind it."""
        raise NotImplementedError

    def _collect(self, fields: JSONObject, texts: list[str]) -> None:
        if not self.root:
            self.root = {
                key: value for key, value in fields.items() if key not in ("choices", "object", "usage")
            }
        if "tess" in fields:  # an error next to the text, which may come after the rest
            self.root["tess"] = fields["tess"]
        for choice in fields["choices"]:
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
        self.usage = to_object(fields.get("usage")) or self.usage
        self.texts += texts


@dataclass(slots=True)
class CompletionSource(AnswerSource):
    """An answer in one piece.

    Attributes:
        content_type: Of the answer.
        note: Called with the changes to record.
    """

    content_type: str = ""
    note: Callable[[Change], None] = field(kw_only=True)
    _body: JSONBody = field(default_factory=JSONBody)

    def feed(self, data: bytes) -> str:
        """Take the next bytes; return the text once they are a JSON object."""
        self._body.feed(data)
        return self.finish() if self._body.is_complete else ""

    @property
    def is_complete(self) -> bool:
        """Whether the bytes so far are a JSON object."""
        return self._body.parse() is not None

    def finish(self) -> str:
        """Take the end; return the text."""
        self.ended = True
        body, fields = bytes(self._body.data), self._body.parse()
        if fields is None or not is_completion(fields):
            error = parse_error_in_200(body, self.content_type, expected="a chat completion")
            self.fault = StreamFault(error.to_json())
            return ""
        if fields.get("error"):
            move_error_to_tess(fields)
            self.note(PARTIAL_ERROR)
        for choice in fields["choices"]:
            reason = choice.get("finish_reason")
            if reason and reason not in FINISH_REASONS:
                choice["finish_reason"] = normalise_finish_reason(reason, self.note)
        texts = contents_of(fields)
        self._collect(fields, texts)
        return "".join(texts)


@dataclass(slots=True)
class StreamSource(AnswerSource):
    """An answer in chunks.

    Attributes:
        reader: Of its chunks.
    """

    reader: ChunkReader = field(kw_only=True)
    _decoder: EventDecoder = field(default_factory=EventDecoder)

    def feed(self, data: bytes) -> str:
        """Take the next bytes; return the text of the events that they complete."""
        whole = self._decoder.take(data)
        alike = None if self.ended else self.reader.match_template(whole)
        if alike is None:
            return self._take(parse_events(whole))
        texts = [unescape_json_text(text) for text in alike]
        self.texts += texts
        return "".join(texts)

    def finish(self) -> str:
        """Take the end, which must not come before that of the answer."""
        text = self._take(self._decoder.finish())
        if not self.ended:
            self.ended = True
            self.fault = None if self.reader.finished else truncated_fault()
        return text

    @property
    def is_complete(self) -> bool:
        """Whether a finish reason came."""
        return bool(self.reader.finished)

    def _take(self, events: Iterable[ServerSentEvent]) -> str:
        start = len(self.texts)
        for event in events:
            if self.ended:
                break
            item = self.reader.read(event)
            if isinstance(item, StreamFault):
                self.fault = item
            elif item is not None and not isinstance(item, StreamEnd):
                self._collect(item.fields, texts_of_chunk(item.fields))
            self.ended = isinstance(item, StreamEnd | StreamFault)
        return "".join(self.texts[start:])
