"""Reads a JSON answer piece by piece; the answer is complete where its JSON object ends."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tess_openai.core.calls import Event, Step
from tess_openai.core.flow_steps import read_piece, read_rest
from tess_openai.core.jsons import BYTE_ORDER_MARK, JSONObject, object_length, parse_object

_PARSED_BYTES_PER_BYTE: Final = 8
"""How often each byte may be parsed on average; after a piece that ends with `}`, all are parsed again."""
_PARSED_BYTES_ALLOWANCE: Final = 65_536
"""How many bytes may be parsed in addition, so that short answers are always parsed."""
_LEADING: Final = BYTE_ORDER_MARK + b" \t\r\n"


class JSONBody:
    """Collects the bytes of a JSON object and finds its end without waiting for the end of the connection.

    After each piece that ends with `}` the bytes so far are parsed. The cost of this is bounded: when a
    server sends many such pieces, not all are parsed, and the end may be found only when the connection ends.

    Attributes:
        data: All bytes so far.
        is_complete: Whether they were parsed and are a JSON object.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_complete = False
        self._fields: JSONObject | None = None
        self._parsed_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        self.data += piece
        self._fields, self.is_complete = None, False
        if not piece.rstrip().endswith(b"}"):
            return
        limit = _PARSED_BYTES_ALLOWANCE + _PARSED_BYTES_PER_BYTE * len(self.data)
        if self._parsed_bytes + len(self.data) <= limit:
            self.parse()

    def parse(self) -> JSONObject | None:
        """Return the bytes so far as a JSON object; None when they are not one."""
        if self._fields is None:
            start = len(self.data) - len(self.data.lstrip(_LEADING))
            if self.data.startswith(b"{", start):
                self._parsed_bytes += len(self.data)
                self._fields = parse_object(bytes(self.data)) or self._parse_without_rest(start)
                self.is_complete = self._fields is not None
        return self._fields

    def _parse_without_rest(self, start: int) -> JSONObject | None:
        """Return the object that begins at `start`, and drop the bytes after it; None if it is incomplete."""
        complete = bytes(self.data[: start + object_length(bytes(self.data[start:]))])
        fields = parse_object(complete)
        if fields is not None:
            del self.data[len(complete) :]
        return fields


def read_json_body() -> Generator[Step, Event, JSONBody]:
    """Read the current response to the end of its JSON object, or else to its own end.

    When the connection breaks, the bytes so far are returned if they contain a JSON object.
    """
    body = JSONBody()
    while not body.is_complete:
        try:
            piece = yield from read_piece()
        except ConnectionError:
            if body.parse() is None:
                raise
            return body
        if not piece:
            return body
        body.feed(piece)
    yield from read_rest()
    return body
