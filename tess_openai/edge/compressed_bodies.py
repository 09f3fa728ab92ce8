"""Decompress an answer in bounded memory, for any content.

The decoders of httpx decompress a received piece as a whole, and a few hundred bytes of brotli can become
hundreds of megabytes. So they get small pieces, and the limit of an answer is checked after each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from tess_openai.edge.families import Family, Response

_PIECE_BYTES: Final = {"gzip": 16_384, "x-gzip": 16_384, "deflate": 16_384}
"""The most bytes to decompress at once; they give at most 1,032 times as much. Source: zlib (documented)."""
_DENSE_PIECE_BYTES: Final = 16
"""The same for brotli and zstd: 16 bytes became 16 MiB at most (measured)."""


class SplitBody:
    """A body as it was received, in pieces of a limited size."""

    def __init__(self, body: Any, size: int) -> None:
        self._body = body
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield from split(piece, self._size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            for part in split(piece, self._size):
                yield part

    def close(self) -> None:
        """Close the body."""
        self._body.close()

    async def aclose(self) -> None:
        """Async counterpart of `close`."""
        await self._body.aclose()


def split(piece: bytes, size: int) -> Iterator[bytes]:
    """Return a piece in parts of at most `size` bytes."""
    for start in range(0, len(piece), size):
        yield piece[start : start + size]


def split_compressed(response: Response, encoding: str, family: Family) -> None:
    """Have the body of a response decompressed in small parts.

    Raises:
        ReadError: The family's own: the body is compressed more than once, so that even a small part could
            become too large.
    """
    if "," in encoding:
        raise family.ReadError(f"the answer is compressed more than once: content-encoding {encoding!r}")
    size = _PIECE_BYTES.get(encoding.strip().lower(), _DENSE_PIECE_BYTES)
    made = family.derive(SplitBody, family.SyncByteStream, family.AsyncByteStream)
    response.stream = made(response.stream, size)
