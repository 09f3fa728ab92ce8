"""The request for Tess, made from the caller's own and the differences that a flow asks for."""

from __future__ import annotations

from functools import lru_cache

from tess_openai.core.calls import Outgoing
from tess_openai.core.headers import TRANSFER_ENCODING
from tess_openai.edge.families import URL, Family, Request, copied
from tess_openai.edge.origins import Origin


def to_request(outgoing: Outgoing, given: Request, family: Family, origin: Origin) -> Request:
    """Return the request for Tess, a copy of `given`, the caller's own."""
    request = copied(given, family, outgoing.headers)
    body = outgoing.body
    if outgoing.method is not None:
        request.method = outgoing.method
        request.headers.pop(TRANSFER_ENCODING, None)  # of the caller's body, which is not sent
    if outgoing.path is not None:
        url = given.url
        query = url.query.decode() if outgoing.query is None else outgoing.query
        query = f"?{query}" if query else ""
        request.url = _with_path(type(url), str(url), f"{origin.prefix}{outgoing.path}{query}")
    if body is not None:
        # Inner transports and instrumentation read `content`; `read` would join the stream to make it.
        vars(request)["_content"] = body
        request.stream = family.ByteStream(body)
        request.headers["content-length"] = str(len(body))
    return request


@lru_cache(maxsize=64)  # a program calls few different paths, and a URL is immutable
def _with_path(kind: type[URL], url: str, path: str) -> URL:
    return kind(url).copy_with(raw_path=path.encode())
