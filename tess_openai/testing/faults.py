"""What can go wrong between Tess and a client, each as a value to hand to `TessSimulator.fault`.

Sources: 429, 500 and 413 are documented; 524 and the 500 of a phantom run, the login page and lost
workspaces are observed; the ways in which a stream can go wrong are known from OpenAI's SDK and from
other services of this kind, and assumed here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject
from tess_openai.testing import refusals
from tess_openai.testing.answers import Run, to_event
from tess_openai.testing.wire import FOREVER, Piece, WireResponse, json_response, text_response

Struck: TypeAlias = Literal["any answer", "streams", "completions"]

_HTML: Final = "text/html; charset=utf-8"
_DONE: Final = b"data: [DONE]\n\n"


def _same_run(run: Run) -> Run:
    return run


def _same_response(response: WireResponse) -> WireResponse:
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with one answer.

    Attributes:
        name: The function that made it.
        strikes: Which answers; others leave it waiting.
        instead: Comes in place of the answer, and the agent does not run; None when it runs.
        on_run: Changes what the agent answers.
        on_response: Changes how the answer stands on the wire.
        then: Strikes the next answer.
    """

    name: str
    strikes: Struck = "any answer"
    instead: WireResponse | None = field(default=None, repr=False)
    on_run: Callable[[Run], Run] = field(default=_same_run, repr=False)
    on_response: Callable[[WireResponse], WireResponse] = field(default=_same_response, repr=False)
    then: Fault | None = None


NO_FAULT: Final = Fault(name="no fault")
"""Changes nothing."""


def together(*faults: Fault) -> Fault:
    """Let several faults strike one answer, one after another: `together(server_error(), compressed())`."""
    strikes: Struck = "any answer"
    for fault in faults:
        strikes = strikes if fault.strikes == "any answer" else fault.strikes

    def on_run(run: Run) -> Run:
        for fault in faults:
            run = fault.on_run(run)
        return run

    def on_response(response: WireResponse) -> WireResponse:
        for fault in faults:
            response = fault.on_response(response)
        return response

    return Fault(
        name=" + ".join(fault.name for fault in faults),
        strikes=strikes,
        instead=next((each.instead for each in faults if each.instead is not None), None),
        on_run=on_run,
        on_response=on_response,
        then=next((each.then for each in faults if each.then is not None), None),
    )


# --- another answer in place of the right one ---


def answers(status: int, payload: object) -> Fault:
    """Answer with this status and this JSON."""
    return Fault(name="answers", instead=json_response(status, payload))


def rate_limited(*, retry_after_seconds: float = 1, header: bool = False) -> Fault:
    """Answer 429, with the wait in the body and, if asked for, in the header too."""
    return Fault(name="rate_limited", instead=refusals.rate_limited(retry_after_seconds, header=header))


def gateway_timeout(*, wait_seconds: float = 0.0, phantom: bool = False) -> Fault:
    """Answer 524 after a wait.

    Args:
        wait_seconds: About 100 in life.
        phantom: The execution goes on unseen, and makes the next request fail with 500.
    """
    answer = replace(refusals.gateway_timeout(), delay_seconds=wait_seconds)
    return Fault(name="gateway_timeout", instead=answer, then=server_error() if phantom else None)


def server_error() -> Fault:
    """Answer the documented 500."""
    return Fault(name="server_error", instead=json_response(500, {"error": "Internal server error"}))


def bad_gateway(*, status: int = 502) -> Fault:
    """Answer an HTML page of the network in front of Tess: 502, 503 or 504."""
    page = f"<html><head><title>{status}</title></head><body><h1>Error {status}</h1></body></html>"
    return Fault(name="bad_gateway", instead=text_response(status, page, _HTML))


def no_credits(*, status: int = 402) -> Fault:
    """Answer that the credits are used up; the status is a guess."""
    return Fault(name="no_credits", instead=json_response(status, {"error": "user has no credits"}))


def too_large() -> Fault:
    """Answer 413."""
    return Fault(name="too_large", instead=json_response(413, {"error": "Payload too large"}))


def login_page() -> Fault:
    """Answer 200 with the HTML of a login page."""
    page = "<!DOCTYPE html><html><head><title>Login</title></head><body>Please log in</body></html>"
    return Fault(name="login_page", instead=text_response(200, page, _HTML))


def empty_answer() -> Fault:
    """Answer 200 with the type of JSON and no body."""
    return Fault(name="empty_answer", instead=text_response(200, "", "application/json"))


def error_in_200(*, message: str = "The agent could not run") -> Fault:
    """Answer 200 with `{"error": "..."}`."""
    return Fault(name="error_in_200", instead=json_response(200, {"error": message}))


def redirect(*, location: str = "/login", status: int = 302) -> Fault:
    """Send the client elsewhere; 307 and 308 ask it to send the same body there."""
    answer = text_response(status, "", _HTML).with_headers(location=location)
    return Fault(name="redirect", instead=answer)


def hang() -> Fault:
    """Never answer."""
    return Fault(name="hang", instead=replace(text_response(200, ""), delay_seconds=FOREVER))


def dropped_connection() -> Fault:
    """Close the connection without an answer."""
    return Fault(name="dropped_connection", instead=replace(text_response(200, ""), cut="before the head"))


# --- another run ---


def json_for_stream() -> Fault:
    """Answer a completion although a stream was asked for."""
    return Fault(name="json_for_stream", strikes="streams", on_run=lambda run: replace(run, is_stream=False))


def stream_for_json() -> Fault:
    """Answer a stream although a completion was asked for."""
    return Fault(
        name="stream_for_json", strikes="completions", on_run=lambda run: replace(run, is_stream=True)
    )


def empty_content() -> Fault:
    """Succeed with an empty text."""
    return Fault(name="empty_content", on_run=lambda run: replace(run, pieces=()))


def finish_reason(*, value: str | None = "") -> Fault:
    """Give another finish_reason: empty, null, `"length"`, one OpenAI does not know."""
    return Fault(name="finish_reason", on_run=lambda run: replace(run, finish_reason=value))


# --- the same answer, differently on the wire ---


def _on_pieces(
    name: str, change: Callable[[tuple[Piece, ...]], Iterator[Piece]], strikes: Struck = "streams"
) -> Fault:
    def on_response(response: WireResponse) -> WireResponse:
        return replace(response, pieces=tuple(change(response.pieces)))

    return Fault(name=name, strikes=strikes, on_response=on_response)


def _on_bytes(name: str, change: Callable[[bytes], bytes]) -> Fault:
    return _on_pieces(name, lambda pieces: (replace(each, data=change(each.data)) for each in pieces))


def ends_early(*, after_events: int = 2) -> Fault:
    """End a stream in good order, without its rest and without `[DONE]`."""
    return _on_pieces("ends_early", lambda pieces: iter(pieces[:after_events]))


def without_done() -> Fault:
    """Leave out `[DONE]` only."""
    return _on_pieces("without_done", lambda pieces: (each for each in pieces if each.data != _DONE))


def breaks_off(*, after_events: int = 2) -> Fault:
    """Break the connection in the middle of the body: in the midst of an event, or of the JSON."""

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
    """Put an error in the place of a stream's rest.

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
"""What a stream may hold between its events, all of it legal."""


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
    """Begin a stream with the byte order mark of UTF-8."""
    return _on_pieces("byte_order_mark", lambda pieces: iter((Piece(b"\xef\xbb\xbf"), *pieces)))


def in_bytes(*, size: int = 1) -> Fault:
    """Send the body in pieces of so many bytes, across characters and lines."""

    def change(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
        for piece in pieces:
            for start in range(0, len(piece.data), size):
                delay = piece.delay_seconds if start == 0 else 0.0
                yield Piece(piece.data[start : start + size], delay)

    return _on_pieces("in_bytes", change, "any answer")


def slow(*, delay_seconds: float = 0.05, first_seconds: float = 0.0) -> Fault:
    """Wait before the head and before each piece."""

    def on_response(response: WireResponse) -> WireResponse:
        pieces = tuple(replace(each, delay_seconds=delay_seconds) for each in response.pieces)
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


FAULTS: Final[Mapping[str, Callable[..., Fault]]] = {
    make.__name__: make
    for make in (
        rate_limited,
        gateway_timeout,
        server_error,
        bad_gateway,
        no_credits,
        too_large,
        login_page,
        empty_answer,
        error_in_200,
        redirect,
        hang,
        dropped_connection,
        json_for_stream,
        stream_for_json,
        empty_content,
        finish_reason,
        ends_early,
        without_done,
        breaks_off,
        stalls,
        error_event,
        keep_alives,
        non_json_line,
        crlf,
        single_newlines,
        byte_order_mark,
        in_bytes,
        slow,
        compressed,
    )
}
"""All faults that need no argument, by name."""
