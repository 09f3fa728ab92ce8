"""The body of an answer in JSON, piece by piece: it is complete when its object is, whatever follows."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tess_openai.core.calls import Event, Step, read_piece, read_rest
from tess_openai.core.jsons import JSONObject, parse_object

_PARSED_BYTES_PER_BYTE: Final = 8
_FREE_BYTES: Final = 65_536


class JSONBody:
    """Collects the bytes of a JSON object and finds its end without waiting for that of the connection.

    Each piece that ends like an object is a reason to parse. What that may cost is bounded: a server that
    sends many such pieces gets its answer parsed at the end of the connection only.

    Attributes:
        data: All bytes so far.
        is_complete: Whether they are a JSON object.
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
        if self._parsed_bytes + len(self.data) <= _FREE_BYTES + _PARSED_BYTES_PER_BYTE * len(self.data):
            self.parse()

    def parse(self) -> JSONObject | None:
        """Return the object that the bytes so far are; None when they are none."""
        if self._fields is None:
            self._parsed_bytes += len(self.data)
            self._fields = parse_object(bytes(self.data))
            self.is_complete = self._fields is not None
        return self._fields


def read_json_body() -> Generator[Step, Event, JSONBody]:
    """Read the current response to the end of its JSON object, where a broken connection is no error."""
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
