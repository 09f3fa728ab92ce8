"""Reads the body of one answer: detects whether it is an event stream or JSON, and where it is complete.

The form is detected from the first bytes, not from the content type. Only this module decides when an answer
is complete:

| body | complete |
|---|---|
| event stream | at `[DONE]`; or where it ends or breaks, if every choice that began has its finish reason |
| JSON | at the end of its JSON object; the rest of the body is ignored |
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from tess_openai.core.calls import READ, READ_LAST, Event, Step
from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.chunk_templates import MatchedChunks
from tess_openai.core.chat.chunks import Chunk, ChunkReader, StreamEnd
from tess_openai.core.chat.completion import Completion, parse_completion, to_chunks
from tess_openai.core.chat.stream_faults import StreamFault, invalid_answer_fault
from tess_openai.core.errors import parse_error_in_200
from tess_openai.core.json_body import JSONBody
from tess_openai.core.jsons import parse_object
from tess_openai.core.sse import (
    BodyForm,
    EventDecoder,
    ServerSentEvent,
    detect_form,
    parse_events,
    without_blank_start,
)

NOT_STREAMED: Final = Change(
    action="mapped",
    param="stream",
    given="a stream",
    sent="one piece",
    why="Tess sent its whole answer in one piece instead of streaming it",
)
STREAMED_UNASKED: Final = Change(
    action="mapped",
    param="stream",
    given="no stream",
    sent="a stream",
    why="Tess streamed its answer although it was not asked to, so the pieces were joined",
)
BodyItem: TypeAlias = Chunk | MatchedChunks | Completion | StreamEnd | StreamFault


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """Status and content type of an answer, for errors; the latter decides the form of an empty body."""

    status: int = 200
    content_type: str = ""


class AnswerBody:
    """Reads the body of one answer, piece by piece.

    Attributes:
        reader: Normalises the chunks of a stream.
        form: The detected form; None until enough bytes have arrived. `"other"` when the first bytes are
            neither JSON nor the beginning of an event stream.
        ended: Whether the last item was returned: `StreamEnd`, `StreamFault` or `Completion`.
    """

    def __init__(self, reader: ChunkReader, head: AnswerHead, *, expected: str) -> None:
        """Read an answer; `expected` says in errors what was requested, such as `"a stream"`."""
        self.reader = reader
        self.form: BodyForm | None = None
        self.ended = False
        self._head = head
        self._expected = expected
        self._start = b""  # the first bytes, until the form is detected
        self._decoder = EventDecoder()
        self._json = JSONBody()

    def feed(self, data: bytes) -> Iterable[BodyItem]:
        """Return the items that the next bytes complete; each is parsed when the caller iterates to it."""
        if self.form == "stream":
            return self._take_events(data)
        self._json.feed(data)
        if self.form is None:
            self._start += data
            self.form = detect_form(self._start)
            if self.form is None:  # blank space is dropped: it would be searched again with each piece
                self._start = without_blank_start(self._start)
                return ()
            data = bytes(self._json.data)  # all bytes so far: `_json` collects them until the form is known
        if self.form == "json":
            return self._take_json() if self._json.is_complete else ()
        # An "other" body becomes a stream once there are events, so they are read now.
        items = [*self._take_events(data)] if self.form == "other" else self._take_events(data)
        if items:
            self.form = "stream"  # events follow, although the first bytes were not those of a stream
        return items

    def texts_of(self, data: bytes) -> list[bytes] | None:
        """Return the texts of whole events that differ from an earlier chunk in their text only.

        Most events of a stream are such. None for other bytes, which `feed` reads.
        """
        if self.ended or self.form != "stream" or not self._decoder.is_between_events:
            return None
        template = self.reader.template
        return None if template is None else template.texts_of(data)

    def finish(self) -> Iterator[BodyItem]:
        """Return the items that the end of the body completes, or the fault of an incomplete body."""
        if self.form == "json":
            yield from self._take_json()
            return
        events = self._decoder.finish()
        yield from self._read_events(events)
        if self.ended:
            return
        self.ended = True
        # An empty body has no first bytes; its content type says whether it was meant to be a stream.
        is_stream = self._head.content_type.lower().startswith("text/event-stream")
        if not events and (self.form == "other" or (self.form is None and not is_stream)):
            yield self._unexpected_body()
        else:
            yield StreamEnd() if self.reader.is_complete else self.reader.end_fault()

    @property
    def is_complete(self) -> bool:
        """Whether the answer is complete although more may follow; a broken connection is then no error."""
        return (
            self.ended or self.reader.is_complete or (self.form == "json" and self._json.parse() is not None)
        )

    def _take_events(self, data: bytes) -> Iterable[BodyItem]:
        events = self._decoder.feed_bytes(data)
        if self.ended:
            return ()
        matched = self._match(events)
        return self._take_each(events) if matched is None else (matched,)

    def _take_each(self, events: bytes) -> Iterator[BodyItem]:
        """Yield the items of events of which at least one has to be parsed."""
        for block in events.split(b"\n\n"):
            if self.ended:
                return
            matched = self._match(block + b"\n\n")
            if matched is None:
                yield from self._read_events(parse_events(block))
            else:
                yield matched

    def _match(self, events: bytes) -> MatchedChunks | None:
        """Return events that all match the template of the stream; None where one has to be parsed."""
        template = self.reader.template
        texts = None if template is None else template.texts_of(events)
        return None if template is None or texts is None else MatchedChunks(texts, events, template.choice)

    def _read_events(self, events: Iterable[ServerSentEvent]) -> Iterator[BodyItem]:
        for event in events:
            item = self.reader.read(event)
            self.ended = isinstance(item, StreamEnd | StreamFault)
            if item is not None:
                yield item
            if self.ended:
                return

    def _take_json(self) -> list[BodyItem]:
        self.ended = True
        fields = self._json.parse()
        body = bytes(self._json.data)  # without what follows the object
        try:
            completion = parse_completion(body, fields, self.reader.record_change)
        except InvalidAnswerError as error:
            return [invalid_answer_fault(error, parse_object(body))]
        return [self._unexpected_body() if completion is None else completion]

    def _unexpected_body(self) -> StreamFault:
        """Return the fault of a body that is not what was requested: an error, HTML, other JSON, nothing."""
        head = self._head
        body = bytes(self._json.data)
        error = parse_error_in_200(body, head.content_type, expected=self._expected, status=head.status)
        return StreamFault(error.to_json())


def read_answer_piece(body: AnswerBody) -> Generator[Step, Event, bytes]:
    """Read the next piece of an answer; `b""` at its end, or when the connection breaks after it is complete.

    Raises:
        ConnectionError: The connection broke before the answer was complete.
    """
    try:
        # READ_LAST waits only briefly, since nothing more has to follow.
        return to_piece((yield READ_LAST if body.reader.is_complete else READ))
    except ConnectionError:
        if body.is_complete:
            return b""
        raise


def to_piece(event: Event) -> bytes:
    """Return the bytes with which the call driver answers a step READ or READ_LAST."""
    if not isinstance(event, bytes):
        raise TypeError(f"a driver sends bytes for READ, not {type(event).__name__}")
    return event


def to_stream_items(completion: Completion, reader: ChunkReader) -> list[Chunk | StreamEnd | StreamFault]:
    """Convert a whole answer to the chunks and the end of a stream."""
    try:
        chunks = to_chunks(completion.fields, reader)
    except InvalidAnswerError as error:
        return [invalid_answer_fault(error, completion.fields)]
    return [*chunks, StreamEnd()]
