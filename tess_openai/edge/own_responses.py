"""Responses that the http client and the SDK read in fewer steps than the family's own.

The family's own response reads a body through an iterator for each of its layers: decompression, chunks, the
count of bytes, the time of the request. The SDK then parses a whole answer. The adapter has decompressed and
parsed it already. The results are the same here.

Source: `Response.read`, `iter_bytes`, `iter_raw` and `json` of httpx 0.28 and httpx2 2.x, read; with httpx
0.23.0 the results are the same (measured).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from tess_openai.core.jsons import JSONObject
from tess_openai.edge.families import Response


class _OwnResponse:
    """What all of them share; `CallDriver.to_response` sets the attributes.

    Attributes:
        own_stream: The stream of the body; a program may replace `stream` by one of its own.
        whole_body: The body, if it is in memory.
    """

    stream: Any
    is_closed: bool
    is_stream_consumed: bool
    own_stream: Any
    whole_body: bytes | None = None

    def take_stream(self) -> bool:
        """Count the own stream as read; False if the family's own method has to read the response.

        That is so when any code has read or closed it, in part or whole, or has replaced its stream.
        """
        state, stream, body = vars(self), self.stream, self.whole_body
        if type(stream).__name__ in _STREAMS_OF_CLIENTS:
            stream = getattr(stream, "_stream", None)
        is_touched = self.is_stream_consumed or self.is_closed or "_content" in state
        if is_touched or stream is not self.own_stream:
            return False
        self.is_stream_consumed = True
        if body is not None:
            state["_content"], state["_num_bytes_downloaded"] = body, len(body)
            self.is_closed = True
        return True

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy it as the family's own response, whose class can be imported."""
        family_class: Any = type(self).__bases__[1]
        state: dict[str, object] = family_class.__getstate__(self)
        kept = {name: value for name, value in state.items() if name not in _OWN}
        return object.__new__, (family_class,), kept


class _WholeResponse(_OwnResponse):
    """A response whose body is in memory.

    Attributes:
        parsed_body: The JSON object in the body, until it is returned: the caller may mutate it.
    """

    parsed_body: JSONObject | None = None

    def json(self, **options: Any) -> Any:
        """Return the JSON in the body; after the first time, it is parsed again."""
        fields, self.parsed_body = self.parsed_body, None
        if fields is None or options or vars(self).get("_content") is not self.whole_body:
            return super().json(**options)  # type: ignore[misc] # the family's, see `Family.derive`
        return fields


class WholeResponse(_WholeResponse):
    """A whole response of a sync transport; `Family.derive` derives a class of the family from it."""

    def read(self) -> bytes:
        """Read and return the body."""
        if self.whole_body is None or not self.take_stream():
            return super().read()  # type: ignore[misc,no-any-return] # as in `json`
        self.stream.close()
        return self.whole_body


class AsyncWholeResponse(_WholeResponse):
    """A whole response of an async transport."""

    async def aread(self) -> bytes:
        """Read and return the body."""
        if self.whole_body is None or not self.take_stream():
            return await super().aread()  # type: ignore[misc,no-any-return] # as in `json`
        await self.stream.aclose()
        return self.whole_body


class _StreamedResponse(_OwnResponse):
    """A response whose body is decompressed while it is read."""

    _num_bytes_downloaded: int

    def note_request(self, error: Exception) -> None:
        """Give an error of the family its request, if the response has one."""
        request = vars(self).get("_request")
        if request is not None and "_request" in vars(error):
            error.request = request  # type: ignore[attr-defined] # the family's `RequestError`


class StreamedResponse(_StreamedResponse):
    """A streamed response of a sync transport."""

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the body in pieces as they come, or of a size."""
        if chunk_size is not None or not self.take_stream():
            yield from super().iter_bytes(chunk_size)  # type: ignore[misc] # as in `json`
            return
        try:
            for piece in self.own_stream:
                self._num_bytes_downloaded += len(piece)
                yield piece
        except Exception as error:
            self.note_request(error)
            raise
        finally:
            self.close()  # type: ignore[attr-defined] # as in `json`


class AsyncStreamedResponse(_StreamedResponse):
    """A streamed response of an async transport."""

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the body in pieces as they come, or of a size."""
        if chunk_size is not None or not self.take_stream():
            async for piece in super().aiter_bytes(chunk_size):  # type: ignore[misc] # as in `json`
                yield piece
            return
        try:
            async for piece in self.own_stream:
                self._num_bytes_downloaded += len(piece)
                yield piece
        except Exception as error:
            self.note_request(error)
            raise
        finally:
            await self.aclose()  # type: ignore[attr-defined] # as in `json`


def copied_as(response: Response, kind: type[Response]) -> Response:
    """Return a copy of a response that is of another class."""
    copy = object.__new__(kind)
    vars(copy).update(vars(response))
    return copy


_OWN: Final = ("own_stream", "whole_body", "parsed_body")
_STREAMS_OF_CLIENTS: Final = ("BoundSyncStream", "BoundAsyncStream")
"""In these classes the clients of both families wrap each stream. Source: `_client` of both, read."""
