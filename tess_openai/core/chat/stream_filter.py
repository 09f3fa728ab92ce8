"""The stream filter: converts the bytes of Tess's stream to those of the caller's stream.

Complete chunks are passed on byte for byte. The ledger and the usage are added to the last chunk: after a
finish reason, and only when there may be something to add, one chunk is held until the next event shows
whether it is the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tess_openai.core.chat.answer_body import NOT_STREAMED, AnswerBody, to_stream_items
from tess_openai.core.chat.chunk_templates import MatchedChunks, unescape_json_text
from tess_openai.core.chat.chunks import NO_OUTPUT, Chunk, ChunkReader, StreamEnd
from tess_openai.core.chat.completion import Completion
from tess_openai.core.chat.stream_faults import StreamFault
from tess_openai.core.chat.usage import complete_usage, is_usage
from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import CALL_FIELD
from tess_openai.core.sse import DONE_EVENT, encode_event


class ChunkWriter:
    """Writes the chunks of one stream: the usage once at the end, the ledger on the last chunk, `[DONE]`."""

    def __init__(
        self, reader: ChunkReader, ledger: Ledger, *, include_usage: bool, estimate_for: Sequence[str] | None
    ) -> None:
        """Make a writer; `estimate_for` are the texts of the prompt, None to estimate no usage."""
        self._reader = reader
        self._ledger = ledger
        self._include_usage = include_usage
        self._prompts = estimate_for
        self._texts: list[str] | None = [] if include_usage and estimate_for is not None else None
        self._held: _HeldChunk | None = None
        self._usage_chunk: _HeldChunk | None = None
        self.ended = False

    def write(self, chunk: Chunk) -> bytes:
        """Return the bytes to send for a chunk."""
        fields, data = chunk.fields, chunk.data if chunk.untouched else None
        if self._texts is not None:
            self._texts.extend(texts_of_chunk(fields))
        has_usage = bool(fields.get("usage"))
        if self._include_usage and has_usage and not fields["choices"]:
            self._usage_chunk = _HeldChunk(fields, data)  # `close` sends it as the last chunk, as OpenAI does
            return b""
        if has_usage:
            # Programs add up the counts of all chunks, so `close` sends them once, on the last chunk.
            del fields["usage"]
            data = None
        if not fields["choices"] and not self._include_usage:
            # OpenAI sends no chunk without choices unless asked, and programs read choices[0] of each.
            if self._held is not None and has_usage:
                return b""  # helpers would replace the finish reason by the null of a further chunk
            fields["choices"] = [{"index": 0, "delta": {}, "finish_reason": None}]
            data = None
        if self._held is None and not self._may_be_last:
            return encode_event(dump_json(fields) if data is None else data)
        previous, self._held = self._held, _HeldChunk(fields, data)
        return b"" if previous is None else previous.encode()

    @property
    def _may_be_last(self) -> bool:
        """Whether to hold the current chunk, since the ledger or the usage may have to be added to it."""
        reader = self._reader
        has_something_to_add = (
            not self._ledger.is_empty or not reader.has_output or (reader.usage and not self._include_usage)
        )
        return bool(reader.finished and has_something_to_add)

    def pass_on(self, texts: list[bytes], events: bytes) -> bytes:
        """Pass on events that match the template of the stream."""
        if self._texts is not None:
            self._texts += map(unescape_json_text, texts)
        return events

    def fail(self, fault: StreamFault) -> bytes:
        """Return the chunk that is held, if any, and the error event that ends the stream."""
        self.ended = True
        held = b"" if self._held is None else self._held.encode()
        return held + encode_event(dump_json(fault.envelope))

    def close(self) -> bytes:
        """Return the end of a complete stream: missing finish reasons, the last chunk, `[DONE]`."""
        self.ended = True
        pending = [] if self._held is None else [self._held]
        closing = self._reader.closing_chunk()
        if closing is not None:
            pending.append(_HeldChunk(closing))
        if not self._reader.has_output:
            self._ledger.add(NO_OUTPUT)
        usage = self._reader.usage
        if self._include_usage:
            if self._texts is not None and self._prompts is not None:
                usage = complete_usage(usage, self._prompts, "".join(self._texts))
            if usage:
                pending.append(self._to_usage_chunk(usage))
        elif is_usage(usage) and pending:
            pending[-1] = _HeldChunk({**pending[-1].fields, "usage": usage})
        if not (self._ledger.is_empty or pending):
            choices: list[JSONObject] = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
            pending.append(_HeldChunk(self._reader.new_chunk(choices)))
        events = [chunk.encode() for chunk in pending[:-1]]
        if pending:
            events.append(encode_event(append_ledger_to_json(pending[-1].to_data(), self._ledger)))
        return b"".join([*events, DONE_EVENT])

    def _to_usage_chunk(self, usage: JSONObject) -> _HeldChunk:
        """Return the chunk without choices that holds the usage."""
        given = self._usage_chunk
        if given is None:
            return _HeldChunk({**self._reader.new_chunk([]), "usage": usage})
        return given if given.fields["usage"] is usage else _HeldChunk({**given.fields, "usage": usage})


@dataclass(frozen=True, slots=True)
class _HeldChunk:
    """A chunk that may be the last; `data` is its JSON as Tess sent it, None if it was changed."""

    fields: JSONObject
    data: bytes | None = None

    def to_data(self) -> bytes:
        return dump_json(self.fields) if self.data is None else self.data

    def encode(self) -> bytes:
        return encode_event(self.to_data())


class StreamFilter:
    """Converts the body of one answer of Tess to the caller's stream, piece by piece.

    Attributes:
        body: Reads the body of Tess's answer.
        ended: Whether the caller's stream is finished; nothing further is read from Tess.
        fault: The error with which the caller's stream ended; None without one.
        has_content: Whether the caller's stream contains anything before that error.
    """

    def __init__(self, body: AnswerBody, writer: ChunkWriter, ledger: Ledger) -> None:
        self.body = body
        self.ended = False
        self.fault: StreamFault | None = None
        self.has_content = False
        self._writer = writer
        self._ledger = ledger

    def feed(self, data: bytes) -> bytes:
        """Convert the next bytes from Tess; `b""` marks their end."""
        texts = self.body.texts_of(data)
        if texts is not None:
            return self._writer.pass_on(texts, data)
        out: list[bytes] = []
        for item in self.body.feed(data) if data else self.body.finish():
            if isinstance(item, MatchedChunks):
                out.append(self._writer.pass_on(item.texts, item.events))
            else:
                out.append(self._write(item))
        self.ended = self._writer.ended
        return b"".join(out)

    def fail(self, fault: StreamFault) -> bytes:
        """End the caller's stream with an error instead of `[DONE]`."""
        self.fault, self.ended = fault, True
        return self._writer.fail(fault)

    def _write(self, item: Chunk | Completion | StreamEnd | StreamFault) -> bytes:
        if isinstance(item, StreamFault):
            return self.fail(item)
        if isinstance(item, Completion):
            self._ledger.add(NOT_STREAMED)
            return b"".join([self._write(each) for each in to_stream_items(item, self.body.reader)])
        self.has_content = True
        return self._writer.write(item) if isinstance(item, Chunk) else self._writer.close()


def texts_of_chunk(fields: JSONObject) -> list[str]:
    """Return the contents of all choices of a chunk."""
    deltas = ((to_object(choice) or {}).get("delta") for choice in to_list(fields.get("choices")) or [])
    contents = ((to_object(delta) or {}).get("content") for delta in deltas)
    return [content for content in contents if isinstance(content, str)]


def append_ledger_to_json(data: bytes, ledger: Ledger) -> bytes:
    """Add the ledger as the last field of a JSON object that is not empty; `data` itself without changes.

    `{..., "tess_openai": {"changes": [{"action", "param", "given", "sent", "why"}]}}`
    """
    if ledger.is_empty:
        return data
    field = f',"{CALL_FIELD}":{{"changes":{ledger.to_text()}}}}}'
    return data.rstrip()[:-1] + field.encode()


def add_ledger_to_fields(fields: JSONObject, ledger: Ledger) -> None:
    """Add the ledger to a parsed object as `append_ledger_to_json` adds it to its JSON."""
    if not ledger.is_empty:
        fields[CALL_FIELD] = {"changes": ledger.to_json()}
