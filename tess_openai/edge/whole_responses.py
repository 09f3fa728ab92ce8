"""Responses whose whole body is in memory when the http client gets them, so that it reads them in one step.

The family's own response reads a body through an iterator for each of its layers: decompression, chunks, the
count of bytes, the time of the request. The SDK then parses it. The results are the same here.

Source: `Response.read`, `iter_raw` and `json` of httpx 0.28 and httpx2 2.x, read; with httpx 0.23.0 the
results are the same (measured).
"""

from __future__ import annotations

from typing import Any, Final

from tess_openai.core.jsons import JSONObject
from tess_openai.edge.families import Response


class _Whole:
    """What the sync and the async class share.

    Attributes:
        whole_stream: The stream of the body; a program may replace `stream` by one of its own.
        whole_body: The body.
        parsed_body: The JSON object in the body, until it is returned: the caller may mutate it.
    """

    stream: Any
    is_closed: bool
    is_stream_consumed: bool
    whole_stream: Any
    whole_body: bytes
    parsed_body: JSONObject | None = None

    def take_body(self) -> bytes | None:
        """Return the body, which then counts as read; None if the family's own method has to read it.

        That is so when it was read, in part or whole, or closed, and when a program replaced its stream.
        """
        state, stream = vars(self), self.stream
        if type(stream).__name__ in _STREAMS_OF_CLIENTS:
            stream = getattr(stream, "_stream", None)
        is_touched = self.is_stream_consumed or self.is_closed or "_content" in state
        if is_touched or stream is not self.whole_stream:
            return None
        body = self.whole_body
        state["_content"], state["_num_bytes_downloaded"] = body, len(body)
        self.is_stream_consumed = self.is_closed = True
        return body

    def json(self, **options: Any) -> Any:
        """Return the JSON in the body; after the first time, it is parsed again."""
        fields, self.parsed_body = self.parsed_body, None
        if fields is None or options or vars(self).get("_content") is not self.whole_body:
            return super().json(**options)  # type: ignore[misc] # the family's, see `Family.derive`
        return fields

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy it as the family's own response, whose class can be imported."""
        family_class: Any = type(self).__bases__[1]
        state: dict[str, object] = family_class.__getstate__(self)
        kept = {name: value for name, value in state.items() if name not in _OWN}
        return object.__new__, (family_class,), kept


class WholeResponse(_Whole):
    """A response of a sync transport; `Family.derive` derives a class of the family from it."""

    def read(self) -> bytes:
        """Read and return the body."""
        body = self.take_body()
        if body is None:
            return super().read()  # type: ignore[misc,no-any-return] # as in `json`
        self.stream.close()
        return body


class AsyncWholeResponse(_Whole):
    """A response of an async transport."""

    async def aread(self) -> bytes:
        """Read and return the body."""
        body = self.take_body()
        if body is None:
            return await super().aread()  # type: ignore[misc,no-any-return] # as in `json`
        await self.stream.aclose()
        return body


def to_whole(response: Response, kind: type[Response], body: bytes, fields: JSONObject | None) -> Response:
    """Return a copy of a response with a body that was read, and the JSON object in it if it was parsed."""
    whole = object.__new__(kind)
    state = vars(whole)
    state.update(vars(response))
    state["whole_stream"], state["whole_body"], state["parsed_body"] = response.stream, body, fields
    return whole


_OWN: Final = ("whole_stream", "whole_body", "parsed_body")
_STREAMS_OF_CLIENTS: Final = ("BoundSyncStream", "BoundAsyncStream")
"""In these classes the clients of both families wrap each stream. Source: `_client` of both, read."""
