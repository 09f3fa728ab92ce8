"""uvicorn's HTTP protocol with a limit on the head of a request, which its parser does not have."""

from __future__ import annotations

from typing import Any, Final

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

    It ends one too that goes on and on after a body, where trailers may come. Nobody reads those.

    Source: `HttpToolsProtocol` of uvicorn collects headers and trailers without a limit (read).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._unused_bytes = 0  # since a head, a part of a body or the end of a request came
        self._parts = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless too much has come that is no body."""
        parts, was_in_head = self._parts, self._is_in_head
        super().data_received(data)
        if self._parts == parts and not self.transport.is_closing():
            self._unused_bytes += len(data)
            if self._unused_bytes > MAX_HEADER_BYTES:
                self._refuse(may_answer=was_in_head)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, and drop a trailer."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request."""
        self._is_in_head = False
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

    def _note_part(self) -> None:
        self._unused_bytes = 0
        self._parts += 1

    def _refuse(self, *, may_answer: bool) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if not may_answer or (cycle is not None and not cycle.response_complete):
            self.transport.abort()  # an answer was given, or is being given
            return
        body = dump_json(_TOO_LONG.to_json())
        head = (
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
