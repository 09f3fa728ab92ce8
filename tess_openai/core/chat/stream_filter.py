"""The stream filter: Tess's bytes in, the caller's bytes out.

Complete chunks are passed on byte for byte. The ledger belongs on the last chunk: after a finish reason, and
only when there is a change to report, one chunk is held until the next event shows whether it is the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tess_openai.core.changes import Change
from tess_openai.core.chat.chunks import (
    Chunk,
    ChunkReader,
    StreamEnd,
    StreamFault,
    truncated_fault,
    unescape_json_text,
)
from tess_openai.core.chat.usage import estimate_usage, is_usage
from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import CALL_FIELD
from tess_openai.core.sse import (
    DONE,
    DONE_EVENT,
    EventDecoder,
    ServerSentEvent,
    encode_event,
    is_event_stream,
    parse_events,
)

NO_TEXT: Final = Change(
    "noticed",
    "answer",
    "",
    "",
    "Tess answered with no text",
    "Send the request again, or change the prompt.",
    "answer",
)
_KEPT: Final = 1 << 20
"""Bytes kept until the first event shows that the body is a stream; a whole answer is far smaller."""


class ChunkWriter:
    """Writes the chunks of one stream: the ledger on the last, the usage if it was asked for, `[DONE]`."""

    def __init__(
        self, reader: ChunkReader, ledger: Ledger, *, include_usage: bool, estimate_for: Sequence[str] | None
    ) -> None:
        """Write for `reader`'s stream; `estimate_for` are the prompt's texts, None for no estimate."""
        self._reader = reader
        self._ledger = ledger
        self._include_usage = include_usage
        self._prompts = estimate_for
        self._texts: list[str] | None = [] if include_usage and estimate_for is not None else None
        self._usage: JSONObject | None = None
        self._held: JSONObject | None = None
        self.ended = False
        self.failed = False

    def write(self, chunk: Chunk, raw: bytes) -> bytes:
        """Return what to send for a chunk; `raw` is its own data, sent when the chunk is untouched."""
        fields = chunk.fields
        if self._texts is not None:
            self._texts.extend(texts_of_chunk(fields))
        if not fields["choices"] and not self._include_usage:
            # OpenAI sends no chunk without choices unless asked, and programs read choices[0] of each.
            fields["choices"] = [{"index": 0, "delta": {}, "finish_reason": None}]
            chunk = Chunk(fields, untouched=False)
        reader = self._reader
        if self._include_usage and fields.get("usage"):
            usage = to_object(fields["usage"])
            if not fields["choices"] and reader.finished and is_usage(usage):
                self._usage = None  # this is the last chunk, as OpenAI has it
            elif usage is not None:
                # Counts come last, in a chunk of their own: helpers keep the last finish reason they see.
                self._usage = fields.pop("usage")
                if not fields["choices"]:
                    return b""
                chunk = Chunk(fields, untouched=False)
        if self._held is None and not (reader.finished and (self._ledger.changes or not reader.has_output)):
            return encode_event(raw if chunk.untouched else dump_json(fields))
        before, self._held = self._held, fields
        return b"" if before is None else encode_event(dump_json(before))

    def pass_on(self, texts: list[bytes], events: bytes) -> bytes:
        """Pass on events that match the template of the stream."""
        if self._texts is not None:
            self._texts += map(unescape_json_text, texts)
        return events

    def fail(self, fault: StreamFault) -> bytes:
        """Return the error event that ends the stream."""
        self.ended = self.failed = True
        held = b"" if self._held is None else encode_event(dump_json(self._held))
        return held + encode_event(dump_json(fault.envelope))

    def close(self) -> bytes:
        """Return the end of a complete stream: missing finish reasons, the last chunk, `[DONE]`."""
        self.ended = True
        pending = [] if self._held is None else [self._held]
        closing = self._reader.closing_chunk()
        if closing is not None:
            pending.append(closing)
        if not self._reader.has_output:
            self._ledger.add(NO_TEXT)
        usage = self._usage
        if self._texts is not None and self._prompts is not None and not self._reader.has_usage:
            usage = estimate_usage(self._prompts, "".join(self._texts))
        if usage is not None:
            pending.append({**self._reader.new_chunk([]), "usage": usage})
        if self._ledger.changes and not pending:
            pending.append(self._reader.new_chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]))
        events = [dump_json(fields) for fields in pending]
        if events:
            events[-1] = with_ledger(events[-1], self._ledger)
        return b"".join([*map(encode_event, events), DONE_EVENT])


class StreamFilter:
    """Converts Tess's event stream to the caller's, piece by piece."""

    def __init__(self, reader: ChunkReader, writer: ChunkWriter) -> None:
        self._decoder = EventDecoder()
        self._reader = reader
        self._writer = writer
        self._before_events: bytearray | None = bytearray()  # None once there was an event

    @property
    def ended(self) -> bool:
        """Whether the caller's stream is finished; nothing further is read from Tess."""
        return self._writer.ended

    @property
    def failed(self) -> bool:
        """Whether the caller's stream ended in an error."""
        return self._writer.failed

    def feed(self, data: bytes) -> bytes:
        """Convert the next bytes of Tess."""
        whole = self._decoder.take(data)
        texts = None if self.ended else self._reader.match_template(whole)
        if texts is not None:
            return self._writer.pass_on(texts, whole)
        events = parse_events(whole)
        if self._before_events is not None:
            self._before_events += data[: _KEPT - len(self._before_events)]
            if events:
                self._before_events = None
        return b"".join([self._take(event) for event in events])

    @property
    def no_stream(self) -> bytes | None:
        """At the end of Tess's body: its bytes, when it was no event stream; else None."""
        body = bytes(self._before_events or b"")
        return None if is_event_stream(body) else body

    def give(self, chunks: Sequence[JSONObject]) -> bytes:
        """Return the caller's complete stream for chunks made from a whole answer."""
        events = [ServerSentEvent("", dump_json(chunk)) for chunk in chunks]
        return b"".join([*map(self._take, events), self._take(ServerSentEvent("", DONE))])

    def finish(self) -> bytes:
        """Convert the end of Tess's stream."""
        out = b"".join([self._take(event) for event in self._decoder.finish()])
        if self.ended:
            return out
        return out + (self._writer.close() if self._reader.is_whole else self._writer.fail(truncated_fault()))

    def fail(self, fault: StreamFault) -> bytes:
        """End the caller's stream with an error, also in place of its `[DONE]`."""
        return self._writer.fail(fault)

    def _take(self, event: ServerSentEvent) -> bytes:
        if self.ended:
            return b""
        item = self._reader.read(event)
        if item is None:
            return b""
        if isinstance(item, Chunk):
            return self._writer.write(item, event.data)
        if isinstance(item, StreamEnd):
            return self._writer.close()
        return self._writer.fail(item)


def texts_of_chunk(fields: JSONObject) -> list[str]:
    """Return the contents of all choices of a chunk."""
    deltas = ((to_object(choice) or {}).get("delta") for choice in to_list(fields.get("choices")) or [])
    contents = ((to_object(delta) or {}).get("content") for delta in deltas)
    return [content for content in contents if isinstance(content, str)]


def with_ledger(data: bytes, ledger: Ledger) -> bytes:
    """Return a JSON object, never empty, with the ledger as its last field; unchanged without changes.

    `{..., "tess_openai": {"changes": [{"action", "param", "given", "sent", "why"}]}}`
    """
    if not ledger.changes:
        return data
    field = f',"{CALL_FIELD}":{{"changes":{ledger.to_text()}}}}}'
    return data.rstrip()[:-1] + field.encode()
