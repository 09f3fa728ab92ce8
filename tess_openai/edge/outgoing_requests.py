"""The request for Tess, made from the caller's own and the differences that a flow asks for."""

from __future__ import annotations

from functools import lru_cache

from tess_openai.core.calls import Outgoing
from tess_openai.edge.families import URL, Family, Request, change_headers, with_headers
from tess_openai.edge.origins import Origin


def to_request(outgoing: Outgoing, given: Request, family: Family, origin: Origin) -> Request:
    """Return the request for Tess; `given`, the caller's own, when nothing differs."""
    body, url = outgoing.body, given.url
    if body is None and outgoing.path is None and outgoing.method is None:
        return with_headers(given, family, outgoing.headers) if outgoing.headers else given
    stream = given.stream if body is None else family.ByteStream(body)
    if outgoing.path is not None:
        query = url.query.decode() if outgoing.query is None else outgoing.query
        query = f"?{query}" if query else ""
        url = _with_path(type(url), str(url), f"{origin.prefix}{outgoing.path}{query}")
    method = outgoing.method or given.method
    request = family.Request(method, url, headers=given.headers, stream=stream, extensions=given.extensions)
    change_headers(request.headers, outgoing.headers)  # a copy, not the caller's own
    if body is not None:
        request.headers["content-length"] = str(len(body))
    if isinstance(stream, family.ByteStream):
        request.read()  # inner transports and instrumentation read `content`
    return request


@lru_cache(maxsize=64)  # a program calls few different paths, and a URL is immutable
def _with_path(kind: type[URL], url: str, path: str) -> URL:
    return kind(url).copy_with(raw_path=path.encode())
