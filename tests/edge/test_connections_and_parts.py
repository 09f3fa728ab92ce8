"""The connection that a call holds can be interrupted, and compressed bodies are read in small parts."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tess_openai.edge.compressed_bodies import SplitBody, split, split_compressed
from tess_openai.edge.connections import HeldConnection
from tess_openai.edge.families import FAMILY_NAMES, Family

INSTALLED = [name for name in FAMILY_NAMES if importlib.util.find_spec(name)]


class Body:
    """A body in pieces, which is closed by either method."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    def close(self) -> None:
        """Count the call."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count the call."""
        self.closed += 10


@pytest.mark.parametrize(
    ("piece", "size", "expected"),
    [
        (b"", 2, []),
        (b"a", 2, [b"a"]),
        (b"ab", 2, [b"ab"]),
        (b"abc", 2, [b"ab", b"c"]),
        (b"abcd", 1, [b"a", b"b", b"c", b"d"]),
    ],
)
def test_a_piece_is_divided_into_parts(piece: bytes, size: int, expected: list[bytes]) -> None:
    """Together they are the piece, and none is larger than the size."""
    assert list(split(piece, size)) == expected


def test_a_divided_body_is_read_and_closed_both_ways() -> None:
    """Sync and async clients read the same parts."""
    body = Body(b"abc", b"", b"de")
    parts = SplitBody(body, 2)

    async def read() -> list[bytes]:
        found = [part async for part in parts]
        await parts.aclose()
        return found

    assert list(parts) == asyncio.run(read()) == [b"ab", b"c", b"de"]
    parts.close()
    assert body.closed == 11


@pytest.mark.parametrize(
    ("encoding", "size"),
    [
        ("gzip", 16_384),
        ("x-gzip", 16_384),
        (" GZip ", 16_384),
        ("deflate", 16_384),
        ("br", 16),
        ("zstd", 16),
        ("anything", 16),
    ],
)
def test_the_parts_of_a_body_fit_its_compression(family: Family, encoding: str, size: int) -> None:
    """The denser a compression may be, the smaller are the parts that are decompressed at once."""
    response: Any = SimpleNamespace(stream=Body(b"x" * 20_000))
    split_compressed(response, encoding, family)
    assert isinstance(response.stream, family.SyncByteStream | family.AsyncByteStream)
    assert len(next(iter(response.stream))) == size


def test_a_body_that_is_compressed_twice_is_not_read(family: Family) -> None:
    """Even a small part of it could become too large."""
    response: Any = SimpleNamespace(stream=Body(b"x"))
    with pytest.raises(family.ReadError, match="compressed more than once: content-encoding 'gzip, br'"):
        split_compressed(response, "gzip, br", family)


def answer_of(sock: object, **extensions: object) -> Any:
    """Return a response whose connection has a socket."""
    stream = SimpleNamespace(get_extra_info={"socket": sock}.get)
    return SimpleNamespace(extensions={"network_stream": stream, **extensions})


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Connect two sockets."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("is_named", [False, True])
def test_an_interrupted_connection_ends_for_both_sides(
    ends: tuple[socket.socket, socket.socket], *, is_named: bool
) -> None:
    """A blocked read of it returns at once."""
    ours, theirs = ends
    held, response = HeldConnection(), answer_of(ours)
    held.hold(response)
    assert held.interrupt(response if is_named else None)
    assert (ours.recv(1), theirs.recv(1)) == (b"", b"")


def test_a_connection_of_another_response_is_not_interrupted(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """It may belong to another call by then; nor is one that returned to its pool."""
    ours, theirs = ends
    held, response = HeldConnection(), answer_of(ours)
    assert held.interrupt()
    held.hold(response)
    assert held.interrupt(answer_of(ours))
    held.release()
    assert held.interrupt()
    assert held.interrupt(response)
    theirs.sendall(b"x")
    assert ours.recv(1) == b"x"


def test_a_socket_that_is_shared_or_missing_is_not_interrupted(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Other calls use a connection of HTTP/2 too, and some transports show no socket."""
    ours, theirs = ends
    without_stream: Any = SimpleNamespace(extensions={})
    for response in (answer_of(ours, http_version=b"HTTP/2"), answer_of(None), without_stream):
        held = HeldConnection()
        held.hold(response)
        assert not held.interrupt()
    theirs.sendall(b"x")
    assert ours.recv(1) == b"x"


def test_a_closed_socket_cannot_be_interrupted() -> None:
    """The caller learns that its wait has to end in another way."""
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    held = HeldConnection()
    held.hold(answer_of(ours))
    assert not held.interrupt()


def test_a_socket_of_another_kind_is_shut_down_too(ends: tuple[socket.socket, socket.socket]) -> None:
    """An event loop hands out sockets of its own kind."""
    ours, theirs = ends
    held = HeldConnection()
    held.hold(answer_of(SimpleNamespace(shutdown=ours.shutdown), http_version=b"HTTP/1.1"))
    assert held.interrupt()
    assert (ours.recv(1), theirs.recv(1)) == (b"", b"")
