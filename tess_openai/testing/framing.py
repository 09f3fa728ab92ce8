"""Read the body of an HTTP/1.1 request; its framing is checked and its size limited.

Source: RFC 9112, sections 6 and 7. A request whose framing can be read in two ways is refused with 400.
"""

from __future__ import annotations

import re
from email.message import Message
from io import BufferedIOBase
from typing import Final

LARGEST_BODY: Final = 256 * 1024 * 1024
"""The most bytes: more than every limit of the simulated Tess, less than a machine's memory."""
_LONGEST_LINE: Final = 65_536
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")


class FramingError(Exception):
    """A request whose framing is wrong (400), or whose body is too large (413)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_body(stream: BufferedIOBase, headers: Message) -> bytes:
    """Read the body that the headers announce.

    Raises:
        FramingError: `Content-Length` or a chunk is malformed, both kinds of framing are given, or the body
            is larger than `LARGEST_BODY`.
        ConnectionAbortedError: The client disconnected before the end of its request.
    """
    lengths = {each.strip() for each in headers.get_all("content-length", [])}
    encodings = [each.strip().lower() for each in headers.get_all("transfer-encoding", [])]
    if encodings:
        if encodings != ["chunked"] or lengths:
            raise FramingError(400, "Transfer-Encoding must be chunked, without Content-Length.")
        return _read_chunks(stream)
    if not lengths:
        return b""
    length = next(iter(lengths))
    if len(lengths) > 1 or not _LENGTH.fullmatch(length):
        raise FramingError(400, "Content-Length must be one number from 0.")
    return _read_exactly(stream, _bounded(int(length)))


def _read_chunks(stream: BufferedIOBase) -> bytes:
    body = bytearray()
    while True:
        size = _read_line(stream).partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size):
            raise FramingError(400, "A chunk must begin with its size in hexadecimal digits.")
        length = int(size, 16)
        if length == 0:
            break
        _bounded(len(body) + length)
        body += _read_exactly(stream, length)
        if _read_line(stream).strip():
            raise FramingError(400, "A chunk must be as long as its size says.")
    for _ in range(100):  # trailers
        if not _read_line(stream).strip():
            return bytes(body)
    raise FramingError(400, "The request has too many trailers.")


def _bounded(length: int) -> int:
    if length > LARGEST_BODY:
        raise FramingError(413, "Payload too large.")
    return length


def _read_exactly(stream: BufferedIOBase, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise ConnectionAbortedError("the client left in the middle of its request")
    return data


def _read_line(stream: BufferedIOBase) -> bytes:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        if len(line) == _LONGEST_LINE:
            raise FramingError(400, "A line of the body's framing is too long.")
        raise ConnectionAbortedError("the client left in the middle of its request")
    return line
