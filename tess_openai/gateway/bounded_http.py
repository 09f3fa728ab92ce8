"""uvicorn's HTTP protocol, with limits for heads and with answers for requests that it does not support."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tess_openai.core.jsons import dump_json
from tess_openai.core.refusals import Refused
from tess_openai.gateway.guards import MAX_HEADER_BYTES

_TOO_LONG: Final = Refused(
    f"The head of this request is longer than {MAX_HEADER_BYTES} bytes.",
    param=None,
    code="headers_too_large",
    status=431,
)
_INVALID: Final = Refused(
    "This is not a valid HTTP/1.1 request.", param=None, code="invalid_http_request", status=400
)
_PHRASES: Final = {400: "Bad Request", 431: "Request Header Fields Too Large"}
_UPGRADE_HEADERS: Final = (b"upgrade", b"http2-settings")


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes connections that send too much or too slowly, and answers upgrade requests and HTTP/1.0.

    A connection is closed if its request line and headers are too long, even before they are complete; if too
    many bytes follow a body, where trailers could be; and if the next head is not complete in time.

    A request that asks for another protocol, as Java's own client does with `Upgrade: h2c`, is answered in
    HTTP/1.1. The answer to a request of HTTP/1.0 has no chunks; it ends when the connection is closed.

    Source: `HttpToolsProtocol` of uvicorn collects headers and trailers without a limit, waits for a head
    without one, drops the body of a request with `Upgrade`, and writes chunks for HTTP/1.0 (read).

    Attributes:
        head_seconds: How long the gateway waits for a complete head.
    """

    head_seconds = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._unused_bytes = 0  # received since the last complete head, part of a body or end of a request
        self._parts = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._received = b""  # the bytes that the parser is fed with
        self._method = b""
        self._is_upgrade = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; refuse the request if too many bytes came that are no part of a body."""
        parts, was_in_head, self._received = self._parts, self._is_in_head, data
        super().data_received(data)
        if self._parts == parts and not self.transport.is_closing():
            self._unused_bytes += len(data)
            if self._unused_bytes > MAX_HEADER_BYTES:
                self._refuse(_TOO_LONG, may_answer=was_in_head and not self._is_answering)
        if self._head_timer is None and not self._is_answering:
            self._wait_for_head()  # uvicorn has stopped its own timer

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; ignore a trailer."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request."""
        self._is_in_head = False
        self._stop_waiting()
        self._note_part()
        self._method = self.parser.get_method()
        self._is_upgrade = (
            self.parser.should_upgrade() and self._method != b"CONNECT" and not self._should_upgrade()
        )
        if self._is_upgrade:
            return
        super().on_headers_complete()
        if self.parser.get_http_version() == "1.0":
            _write_without_chunks(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        self._note_part()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request; the next bytes belong to another head."""
        self._is_in_head = True
        self._note_part()
        if not self._is_upgrade:
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Parse the request again without its upgrade headers.

        The parser stopped before the body, which is fed to the new parser too.
        """
        stopped = sys.exc_info()[1]
        rest = self._received[stopped.args[0] if stopped is not None else len(self._received) :]
        lines = [self._method + b" " + self.url + b" HTTP/1.1"]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                kept = b", ".join(token for token in tokens if token.lower() not in _UPGRADE_HEADERS)
                lines.append(b"connection: " + kept)
            elif name not in _UPGRADE_HEADERS:
                lines.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._is_in_head = True
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is not JSON
        """Refuse what is not HTTP with OpenAI's error body, unless an answer is being written."""
        cycle = self._cycle
        self._refuse(_INVALID, may_answer=cycle is None or not cycle.response_started)

    @property
    def _is_answering(self) -> bool:
        cycle = self._cycle
        return cycle is not None and not cycle.response_complete

    @property
    def _cycle(self) -> RequestResponseCycle | None:
        """The exchange of the last request; None before the first."""
        return cast("RequestResponseCycle | None", self.cycle)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self._is_answering:
            self.transport.close()

    def _note_part(self) -> None:
        self._unused_bytes = 0
        self._parts += 1

    def _refuse(self, refused: Refused, *, may_answer: bool) -> None:
        if not may_answer or self.pipeline:
            self.transport.abort()  # an answer was written, or is being written
            return
        body = dump_json(refused.to_json())
        head = (
            f"HTTP/1.1 {refused.status} {_PHRASES[refused.status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def _write_without_chunks(cycle: RequestResponseCycle) -> None:
    """Write the body of an answer without chunks, although its length is unknown."""
    send = cycle.send
    cycle.chunked_encoding = False

    async def send_without_chunks(message: Any) -> None:
        cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    cycle.send = send_without_chunks  # type: ignore[method-assign] # uvicorn has no option for it
