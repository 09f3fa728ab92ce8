"""uvicorn's HTTP protocol with a limit on the head of a request, which its parser does not have."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

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


class BoundedHttpProtocol(HttpToolsProtocol):
    """Ends a connection whose request line and headers are too long, before they are complete.

    It ends one too that goes on and on after a body, where trailers may come: nobody reads those. And it ends
    one on which no call is answered, and the next head does not come in time.

    Source: `HttpToolsProtocol` of uvicorn collects headers and trailers without a limit, and waits for a head
    without one (read).

    Attributes:
        head_seconds: The time for a head.
    """

    head_seconds = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._unused_bytes = 0  # since a head, a part of a body or the end of a request came
        self._parts = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless too much has come that is no body."""
        parts, was_in_head = self._parts, self._is_in_head
        super().data_received(data)
        if self._parts == parts and not self.transport.is_closing():
            self._unused_bytes += len(data)
            if self._unused_bytes > MAX_HEADER_BYTES:
                self._refuse(may_answer=was_in_head)
        if self._head_timer is None and not self._is_answering:
            self._wait_for_head()  # uvicorn has stopped its own timer

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, and drop a trailer."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request."""
        self._is_in_head = False
        self._stop_waiting()
        self._note_part()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._note_part()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request; the next bytes are of another head."""
        self._is_in_head = True
        self._note_part()
        super().on_message_complete()

    @property
    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is not None and not cycle.response_complete

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

    def _refuse(self, *, may_answer: bool) -> None:
        if not may_answer or self._is_answering:
            self.transport.abort()  # an answer was given, or is being given
            return
        body = dump_json(_TOO_LONG.to_json())
        head = (
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
