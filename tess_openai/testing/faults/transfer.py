"""Faults that keep the answer and change how it is transferred."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject
from tess_openai.testing.agent_runs import DONE, to_event
from tess_openai.testing.faults.fault import Fault, Struck
from tess_openai.testing.wire import FOREVER, Piece, WireResponse


def _on_pieces(
    name: str, change: Callable[[tuple[Piece, ...]], Iterator[Piece]], strikes: Struck = "streams"
) -> Fault:
    def on_response(response: WireResponse) -> WireResponse:
        return replace(response, pieces=tuple(change(response.pieces)))

    return Fault(name=name, strikes=strikes, on_response=on_response)


def _on_bytes(name: str, change: Callable[[bytes], bytes]) -> Fault:
    return _on_pieces(name, lambda pieces: (replace(each, data=change(each.data)) for each in pieces))


def ends_early(*, after_events: int = 2) -> Fault:
    """End a stream early: the transfer is complete, the rest and `[DONE]` are missing."""
    return _on_pieces("ends_early", lambda pieces: iter(pieces[:after_events]))


def without_done() -> Fault:
    """Leave out `[DONE]` only."""
    return _on_pieces("without_done", lambda pieces: (each for each in pieces if each.data != DONE))


def breaks_off(*, after_events: int = 2) -> Fault:
    """Break the connection in the middle of the body: within an event, or within the JSON."""

    def on_response(response: WireResponse) -> WireResponse:
        kept = response.pieces[:after_events] if response.is_stream else ()
        next_piece = response.pieces[len(kept)] if len(kept) < len(response.pieces) else Piece(b"")
        half = replace(next_piece, data=next_piece.data[: len(next_piece.data) // 2])
        return replace(response, pieces=(*kept, half), cut="in the body")

    return Fault(name="breaks_off", on_response=on_response)


def stalls(*, after_events: int = 2) -> Fault:
    """Send the beginning of a stream, then nothing more, and keep the connection open."""

    def change(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
        yield from pieces[:after_events]
        yield Piece(b"", FOREVER)

    return _on_pieces("stalls", change)


ErrorShape: TypeAlias = Literal["text", "object", "native", "event"]


def error_event(
    *, shape: ErrorShape = "text", after_events: int = 1, message: str = "The agent stopped"
) -> Fault:
    """Replace the rest of a stream with an error.

    Args:
        shape: `data: {"error":"text"}`, `data: {"error":{"message":"text"}}`, the failed event of
            Tess's own streams, or an `event: error`.
        after_events: How many events come before it.
        message: Its text.
    """

    def change(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
        yield from pieces[:after_events]
        yield Piece(_error_block(shape, message))

    return _on_pieces("error_event", change)


def _error_block(shape: ErrorShape, message: str) -> bytes:
    native: JSONObject = {"id": 123, "status": "failed", "output": "", "credits": None, "root_id": 123}
    payloads: dict[ErrorShape, JSONObject] = {
        "text": {"error": message},
        "object": {"error": {"message": message}},
        "native": {**native, "error": message},
        "event": {"message": message},
    }
    return (b"event: error\n" if shape == "event" else b"") + to_event(payloads[shape])


KEEP_ALIVES: Final[Mapping[str, bytes]] = {
    "comment": b": keep-alive\n\n",
    "ping": b"event: ping\ndata: {}\n\n",
    "empty data": b"data:\n\n",
    "id and retry": b"id: 7\nretry: 3000\n\n",
}
"""Keep-alives that may come between the events of a stream; all are legal."""


def keep_alives(*, kind: Literal["all", "comment", "ping", "empty data", "id and retry"] = "all") -> Fault:
    """Put keep-alives before each event of a stream."""
    block = b"".join(KEEP_ALIVES.values()) if kind == "all" else KEEP_ALIVES[kind]

    def change(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
        for piece in pieces:
            yield Piece(block)
            yield piece

    return _on_pieces("keep_alives", change)


def non_json_line(*, after_events: int = 1, text: str = "upstream is busy") -> Fault:
    """Put a data line that is not JSON into a stream."""

    def change(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
        yield from pieces[:after_events]
        yield Piece(f"data: {text}\n\n".encode())
        yield from pieces[after_events:]

    return _on_pieces("non_json_line", change)


def crlf() -> Fault:
    """End the lines of a stream with CR LF."""
    return _on_bytes("crlf", lambda data: data.replace(b"\n", b"\r\n"))


def single_newlines() -> Fault:
    """Leave out the blank lines between events."""
    return _on_bytes("single_newlines", lambda data: data.replace(b"\n\n", b"\n"))


def byte_order_mark() -> Fault:
    """Begin a stream with a UTF-8 byte order mark."""
    return _on_pieces("byte_order_mark", lambda pieces: iter((Piece(b"\xef\xbb\xbf"), *pieces)))


def in_bytes(*, size: int = 1) -> Fault:
    """Send the body in pieces of that many bytes, which cut characters and lines."""

    def change(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
        for piece in pieces:
            yield replace(piece, data=piece.data[:size])
            for start in range(size, len(piece.data), size):
                yield Piece(piece.data[start : start + size])

    return _on_pieces("in_bytes", change, "any answer")


def slow(*, delay_seconds: float = 0.05, first_seconds: float = 0.0) -> Fault:
    """Wait before the head and before each piece."""

    def on_response(response: WireResponse) -> WireResponse:
        pieces = tuple(
            replace(each, delay_seconds=max(delay_seconds, each.delay_seconds)) for each in response.pieces
        )
        return replace(response, pieces=pieces, delay_seconds=first_seconds)

    return Fault(name="slow", on_response=on_response)


def compressed() -> Fault:
    """Send the body with gzip, flushed after each piece, whether or not the client accepts it."""

    def on_response(response: WireResponse) -> WireResponse:
        gzip = zlib.compressobj(wbits=31)
        last = len(response.pieces) - 1
        pieces = [
            replace(
                piece,
                data=gzip.compress(piece.data)
                + gzip.flush(zlib.Z_FINISH if index == last else zlib.Z_SYNC_FLUSH),
            )
            for index, piece in enumerate(response.pieces)
        ]
        return replace(response, pieces=tuple(pieces)).with_headers(content_encoding="gzip")

    return Fault(name="compressed", on_response=on_response)
