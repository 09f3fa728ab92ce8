"""What may go wrong with one exchange, byte by byte, for the fault server to carry out."""

from __future__ import annotations

import functools
import gzip
import select
import socket
import time
import zlib
from contextlib import suppress
from typing import Final

from fault_server import DONE, EVENTS, JSON_BODY, Connection, Fault

# Faults before any answer.


def closes(connection: Connection) -> None:
    """Close without an answer."""
    connection.close()


def resets(connection: Connection) -> None:
    """Reset without an answer."""
    connection.reset()


def hangs(connection: Connection) -> None:
    """Never answer."""
    connection.hold()


def half_a_head(connection: Connection) -> None:
    """Close in the middle of the head."""
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
    connection.close()


def no_http(connection: Connection) -> None:
    """Answer in another protocol."""
    connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    connection.close()


# Faults behind the head of a success.


def _half(connection: Connection) -> bytes:
    return EVENTS[:150] if connection.wants_stream else JSON_BODY[:100]


def cut(connection: Connection) -> None:
    """Close in the middle of a chunked body."""
    connection.head()
    connection.part(_half(connection))
    connection.close()


def cut_at_length(connection: Connection) -> None:
    """Close before the promised length."""
    connection.head(200, "content-length: 5000")
    connection.send(_half(connection))
    connection.close()


def reset_in_body(connection: Connection) -> None:
    """Reset in the middle of the body."""
    connection.head()
    connection.part(_half(connection))
    time.sleep(0.05)  # a reset discards what the client has not read
    connection.reset()


def bad_chunk(connection: Connection) -> None:
    """Write a chunk whose size is no number."""
    connection.head()
    connection.part(_half(connection))
    connection.send(b"zz\r\nxx\r\n")
    connection.close()


def broken_gzip(connection: Connection) -> None:
    """Write a body that is called gzip and cannot be decompressed."""
    body = gzip.compress(EVENTS + DONE if connection.wants_stream else JSON_BODY)
    connection.head(200, "content-encoding: gzip", f"content-length: {len(body)}")
    connection.send(body[:20] + bytes(len(body) - 20))


def hangs_in_body(connection: Connection) -> None:
    """Hold the connection in the middle of the body."""
    connection.head()
    connection.part(_half(connection))
    connection.hold()


def pings_for_ever(connection: Connection) -> None:
    """Send pings, and never any content."""
    connection.head()
    connection.repeat(b": ping\n\n" if connection.wants_stream else b" \n", 0.05)


def pings_in_a_stream_unasked(connection: Connection) -> None:
    """Stream to a caller who asked for a whole answer, and send nothing but pings."""
    connection.head(kind="text/event-stream")
    connection.repeat(b'event: ping\ndata: {"type": "ping"}\n\n', 0.05)


def gzip_bomb(connection: Connection) -> None:
    """Send 300 MB of zeros as little more than 1 MB."""
    body = _bomb()
    connection.head(200, "content-encoding: gzip", f"content-length: {len(body)}")
    with suppress(OSError):
        connection.send(body)


_ZEROS_HEAD: Final = bytes.fromhex(
    "cbffff3f002400e2b14072effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77ff"
    "cffff034002200e0b40f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ff"
    "ff3f002400e2b0"
)
_ZEROS_PART: Final = bytes.fromhex(
    "0074effff8ffff078004401c1680eefd1fffffff00900088c302d0bdffe3ffff1f001200715800baf77ffcffff034002200e0b4"
    "0f7fe8fffff7f004800c46101e8defff1ffff0f000980382c00ddfb3ffeffff012001108705a07bffc7ffff3f002400e2b0"
)
BROTLI_BOMB: Final = _ZEROS_HEAD + _ZEROS_PART * 8
"""The first 604 MB of zeros as the library brotli compresses them."""


def twice_compressed(connection: Connection) -> None:
    """Send 300 MB of zeros, compressed twice, as a few kB."""
    body = gzip.compress(_bomb(), compresslevel=9)
    connection.head(200, "content-encoding: gzip, gzip", f"content-length: {len(body)}")
    with suppress(OSError):
        connection.send(body)


def brotli_bomb(connection: Connection) -> None:
    """Send 604 MB of zeros as less than 1 kB of brotli."""
    connection.head(200, "content-encoding: br", f"content-length: {len(BROTLI_BOMB)}")
    with suppress(OSError):
        connection.send(BROTLI_BOMB)


@functools.cache
def _bomb() -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(1_000_000)  # piece by piece: the tests measure memory
    return b"".join(compressor.compress(zeros) for _ in range(300)) + compressor.flush()


# A whole answer whose connection goes wrong behind it.


def _whole(connection: Connection, *, done: bool = True) -> None:
    connection.head()
    connection.part(EVENTS + (DONE if done else b"") if connection.wants_stream else JSON_BODY)


def whole_then_hold(connection: Connection) -> None:
    """Hold the connection behind a whole answer."""
    _whole(connection)
    connection.hold()


def whole_then_close(connection: Connection) -> None:
    """Close behind a whole answer, without the end of its body."""
    _whole(connection)
    connection.close()


def whole_then_reset(connection: Connection) -> None:
    """Reset behind a whole answer."""
    _whole(connection)
    time.sleep(0.05)  # a reset discards what the client has not read
    connection.reset()


def without_done_then_close(connection: Connection) -> None:
    """Close behind the finish reason."""
    _whole(connection, done=False)
    connection.close()


def without_done_then_hold(connection: Connection) -> None:
    """Hold behind the finish reason."""
    _whole(connection, done=False)
    connection.hold()


def good(connection: Connection) -> None:
    """Answer as Tess does."""
    connection.good()


# A whole answer on a connection that the server closes at the moment at which the next request comes.


def good_then_closes_unread(connection: Connection) -> None:
    """Close without reading the next request, which the client sees as a reset."""
    connection.good()
    select.select([connection.sock], [], [], 30)
    connection.sock.close()


def good_then_ends_unread(connection: Connection) -> None:
    """End the connection without reading the next request, which the client sees as its end."""
    connection.good()
    select.select([connection.sock], [], [], 30)
    connection.sock.shutdown(socket.SHUT_WR)
    time.sleep(0.01)  # the end reaches the client before the reset does
    connection.sock.close()


def closes_slowly(connection: Connection) -> None:
    """Close without an answer once an execution may have begun."""
    time.sleep(0.3)
    connection.close()


def status(code: int) -> Fault:
    """Return a fault that answers with a status, and a text as gateways write it."""

    def answers(connection: Connection) -> None:
        connection.answer(code, f"error code: {code}".encode(), "retry-after-ms: 1", kind="text/plain")

    answers.__name__ = f"status_{code}"
    answers.__doc__ = f"Answer {code}."
    return answers


BEFORE_ANSWER: Final[tuple[Fault, ...]] = (closes, resets, hangs, half_a_head, no_http)
IN_ANSWER: Final[tuple[Fault, ...]] = (
    cut,
    cut_at_length,
    reset_in_body,
    bad_chunk,
    broken_gzip,
    hangs_in_body,
    pings_for_ever,
    pings_in_a_stream_unasked,
)
BEHIND_ANSWER: Final[tuple[Fault, ...]] = (
    whole_then_hold,
    whole_then_close,
    whole_then_reset,
    without_done_then_close,
    without_done_then_hold,
)
KEEP_ALIVE_RACES: Final[tuple[Fault, ...]] = (good_then_closes_unread, good_then_ends_unread)
