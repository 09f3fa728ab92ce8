"""uvicorn's HTTP protocol with a limit on the head of a request, which its parser does not have."""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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

    Source: `HttpToolsProtocol` of uvicorn collects headers without a limit (read).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._head_bytes = 0
        self._heads = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless too much of a head has come."""
        heads, was_in_head = self._heads, self._is_in_head
        super().data_received(data)
        if was_in_head and self._heads == heads and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEADER_BYTES:
                self._refuse()

    def on_headers_complete(self) -> None:
        """Begin the request."""
        self._is_in_head, self._head_bytes = False, 0
        self._heads += 1
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request; the next bytes are of another head."""
        self._is_in_head = True
        super().on_message_complete()

    def _refuse(self) -> None:
        body = dump_json(_TOO_LONG.to_json())
        head = (
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
