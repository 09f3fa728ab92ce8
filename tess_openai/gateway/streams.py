"""Write answers to the caller, piece by piece, with a heartbeat in each long silence."""

from __future__ import annotations

import re
import time
from typing import Final

import anyio

from tess_openai.core.jsons import JSONObject, dump_json, to_object
from tess_openai.gateway.guards import Send

HEARTBEAT: Final = b": keep-alive\n\n"
STREAM_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # else nginx would buffer the pieces
)
_STATUSES_END: Final = 600
"""HTTP has no status from this one on, and servers cannot write one."""
EVENT_STREAM: Final = b"text/event-stream"
_END_OF_EVENT: Final = re.compile(rb"(?:\n\n|\r\n\r\n|\r\r)\Z")


class AnswerWriter:
    """Writes one answer; a lock keeps the writes of the call and of the heartbeat apart.

    Attributes:
        status: The status of the answer; 0 until it has begun.
        is_stream: Whether it is a stream of events.
        events: How many events were written.
        is_whole: Whether the answer was written to its end.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._turn = anyio.Lock(fast_acquire=True)
        self._is_between_events = True
        self._last = time.monotonic()
        self.status = 0
        self.is_stream = False
        self.events = 0
        self.is_whole = False

    @property
    def silent_seconds(self) -> float:
        """For how long nothing was written."""
        return time.monotonic() - self._last

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]], *, is_stream: bool) -> None:
        """Write the head."""
        self.status, self.is_stream = status if status < _STATUSES_END else 502, is_stream
        async with self._turn:
            await self._send({"type": "http.response.start", "status": self.status, "headers": headers})

    async def write(self, piece: bytes) -> None:
        """Write a piece of the body."""
        if self.is_stream:
            self.events += piece.count(b"\n\n")
            self._is_between_events = _END_OF_EVENT.search(piece, max(0, len(piece) - 4)) is not None
        async with self._turn:
            self._last = time.monotonic()
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self, piece: bytes = b"") -> None:
        """Write the last piece."""
        async with self._turn:
            self.is_whole = True
            await self._send({"type": "http.response.body", "body": piece, "more_body": False})

    async def beat(self) -> None:
        """Write a comment line, unless an event is only partly written."""
        self._last = time.monotonic()
        if self._is_between_events and not self.is_whole:
            await self.write_comment()

    async def write_comment(self) -> None:
        """Write a comment line, which clients ignore."""
        async with self._turn:
            if not self.is_whole:
                await self._send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})

    async def fail(self, envelope: JSONObject, *, of_responses: bool) -> None:
        """End a stream with an error, as OpenAI's own servers do.

        While an event is only partly written, no other can be: `is_whole` stays false, and the server closes
        the connection.
        """
        if self._is_between_events and not self.is_whole:
            await self.end(error_event(envelope, self.events, of_responses=of_responses))


def error_event(envelope: JSONObject, number: int, *, of_responses: bool) -> bytes:
    """Return an error as an event of a stream, in the form of the API that the stream belongs to."""
    if not of_responses:
        return b"data: %b\n\n" % dump_json(envelope)
    error = to_object(envelope.get("error")) or {}
    event = {
        "type": "error",
        "sequence_number": number,
        "code": error.get("code"),
        "message": error.get("message"),
        "param": error.get("param"),
        "error": error,
    }
    return b"event: error\ndata: %b\n\n" % dump_json(event)
