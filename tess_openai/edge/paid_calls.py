"""Find out whether a failed call may have been executed; if so, keep the SDK from sending it again.

The SDK repeats a call whose connection broke or timed out. If the request had been sent, each repetition may
be one more paid execution, so the adapter does not send it. From openai 2.31 on, the transport raises the
SDK's own exception, which the SDK passes on without a repetition. An earlier SDK repeats a call whatever its
transport raises: the adapter recognises the repetition and raises the first error again.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import openai

from tess_openai.edge.compressed_bodies import split
from tess_openai.edge.families import Family, Request

RETRY_COUNT: Final = "x-stainless-retry-count"
"""Header in which the SDK counts its repetitions, from 0. Source: measured on openai 1.66 to 3.54."""
PASSES_OWN_ERRORS: Final = (2, 31)
"""First release that does not repeat a call whose transport raises an `OpenAIError` (measured)."""
_NOT_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "LocalProtocolError",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "WriteError",
        "WriteTimeout",
    }
)
"""Errors of httpx and httpx2 that end a request before all of it was sent."""
RACE_SECONDS: Final = 0.1
"""If an idle connection ends this soon after a request, the server closed it before the request came.

This is longer than most round trips, and shorter than any execution, which takes hundreds of milliseconds
even to fail. Source: assumed.
"""
_CLOSED_BY_SERVER: Final = "Server disconnected without sending a response"
"""httpcore's text for a connection that ended before the answer began. Source: httpcore, read."""
_HTTP11_CONNECTIONS: Final = frozenset({"HTTP11Connection", "AsyncHTTP11Connection"})
_REQUEST_COUNT: Final = re.compile(r"Request Count: ([0-9]+)")
_PART_BYTES: Final = 65_536
"""So much an event loop buffers before it sends. Source: asyncio's high-water mark (documented)."""
_NOT_CONNECTED: Final = frozenset(
    {"ClientConnectorError", "ClientHttpProxyError", "ConnectionTimeoutError", "InvalidURL"}
)
"""The same for aiohttp, whose transport turns every lost connection into a `ConnectTimeout`. Source: read."""


class ObservedBody:
    """A request's body that remembers how much of it was sent, and reports when its sending begins.

    Attributes:
        has_begun: Whether its sending has begun.
        sent_at: When all of it was sent, by the monotonic clock; None before.
    """

    has_begun = False
    sent_at: float | None = None

    def __init__(self, body: Any, on_start: Callable[[], None] | None = None) -> None:
        self._body = body
        self._on_start = on_start

    def __iter__(self) -> Iterator[bytes]:
        self.has_begun = True
        if self._on_start is not None:
            self._on_start()
        for piece in self._body:
            if len(piece) <= _PART_BYTES:
                yield piece
            else:
                yield from split(piece, _PART_BYTES)
        self.sent_at = time.monotonic()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.has_begun = True
        if self._on_start is not None:
            self._on_start()
        async for piece in self._body:
            if len(piece) <= _PART_BYTES:
                yield piece
            else:
                for part in split(piece, _PART_BYTES):
                    yield part
        self.sent_at = time.monotonic()


class ObservedBytes(ObservedBody):
    """A body in memory, which needs no asynchronous iteration of its own."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


@dataclass(frozen=True, slots=True)
class _FailedCall:
    """A call that must not be sent again, and how it failed; without the error itself, which holds frames."""

    method: str
    url: str
    body: bytes
    error: type[Exception]
    reason: str


_FAILED_CALL: Final[ContextVar[_FailedCall | None]] = ContextVar("tess_openai.failed_call", default=None)
"""The last such call of this thread or task, in which the SDK also repeats it."""


def may_have_been_sent(error: Exception, body: ObservedBody | None) -> bool:
    """Whether a complete request may have reached the server when its exchange failed.

    If the transport did not read the body through `body`, or has replaced it (None), the class of the error
    decides.
    """
    uses = 0 if body is None else _uses_of_connection(error)
    if body is not None and (body.has_begun or uses):
        return body.sent_at is not None and not _is_keep_alive_race(error, uses, body.sent_at)
    cause = error.__cause__
    if cause is not None and type(cause).__module__.startswith("aiohttp"):
        return _NOT_CONNECTED.isdisjoint(_class_names(cause))
    return _NOT_SENT.isdisjoint(_class_names(error))


def _is_keep_alive_race(error: Exception, uses: int, sent_at: float) -> bool:
    """Whether a server closed an idle connection at the moment at which a request was written on it.

    The server has then not read the request. As in browsers and other http clients, three signs together show
    it: the connection had been idle, it ended without a byte of an answer, and it did so at once.
    """
    if uses < 2 or time.monotonic() - sent_at > RACE_SECONDS:
        return False
    return "ReadError" in _class_names(error) or str(error).startswith(_CLOSED_BY_SERVER)


def _uses_of_connection(error: BaseException) -> int:
    """Return for how many requests the HTTP/1.1 connection that failed had been used; 0 if unknown.

    If a part of an answer came, the connection was not idle, and it counts as used once.

    The count is read from the connection, which is found in the frames of the error's traceback. A trace of
    each exchange would show it too, but would slow down every call.

    Source: `info()` of httpcore's connections, `"'https://tess.im:443', HTTP/1.1, CLOSED, Request Count: 2"`,
    read in httpcore.
    """
    chain: BaseException | None = error
    while chain is not None:
        frames = chain.__traceback__
        while frames is not None:
            connection: Any = frames.tb_frame.f_locals.get("self")
            if type(connection).__name__ in _HTTP11_CONNECTIONS:
                counted = _REQUEST_COUNT.search(connection.info())
                uses = 0 if counted is None else int(counted[1])
                return min(uses, 1) if _has_begun_to_answer(connection) else uses
            frames = frames.tb_next
        chain = chain.__cause__
    return 0


def _has_begun_to_answer(connection: Any) -> bool:
    """Whether a part of a response head came; httpcore raises the same error as when nothing came.

    Source: `trailing_data` of h11's connections (documented); `_h11_state` of httpcore's, read.
    """
    parser = getattr(connection, "_h11_state", None)
    return parser is not None and bool(parser.trailing_data[0])


def to_family_error(error: Exception, family: Family, *, is_reading: bool = False) -> Exception:
    """Return the family's error for one that openai's aiohttp transport raises; others are returned as is.

    Args:
        error: What the transport raised.
        family: Of the client.
        is_reading: Whether the body of an answer was read. aiohttp raises a RuntimeError there where the
            connection was closed between two reads. Earlier, a built-in error is about the program, whose
            session is closed or whose header has a line end, and nothing was sent.
    """
    if isinstance(error, TimeoutError):
        return family.ReadTimeout("The read operation timed out")
    is_of_aiohttp = _package_of(type(error).__module__) == "aiohttp"
    if not is_of_aiohttp and not (is_reading and _package_that_raised(error) == "aiohttp"):
        return error
    return family.ReadError(str(error) or type(error).__name__)


def _package_that_raised(error: Exception) -> str:
    """Return the name of the package whose code raised an error; an empty text where it was not raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else _package_of(trace.tb_frame.f_globals.get("__name__", ""))


def _package_of(module: str) -> str:
    return module.partition(".")[0]


def remember_failure(request: Request, error: Exception) -> None:
    """Remember that a call of this thread or task failed and must not be sent again."""
    body = _digest(request)
    failed = _FailedCall(request.method, str(request.url), body, type(error), str(error))
    _FAILED_CALL.set(failed)


def must_not_be_repeated() -> bool:
    """Whether the last failure of this thread or task is that of a call which must not be sent again."""
    return _FAILED_CALL.get() is not None


def repeated_failure(request: Request) -> Exception | None:
    """Return the error for a request with which the SDK repeats a call that must not be sent again.

    The same call, made again by the program or by a framework, is a new call: its retry count is 0.
    """
    failed = _FAILED_CALL.get()
    if failed is None:
        return None
    if request.headers.get(RETRY_COUNT, "0") == "0":
        _FAILED_CALL.set(None)
        return None
    if (failed.method, failed.url, failed.body) != (request.method, str(request.url), _digest(request)):
        return None
    return failed.error(failed.reason)


def to_sdk_error(error: Exception, request: Request, *, in_stream: bool) -> openai.APIConnectionError | None:
    """Return the SDK's own exception for a broken exchange; None for a request that is not the SDK's."""
    if RETRY_COUNT not in request.headers:
        return None
    sdk_request: Any = request
    if "TimeoutException" in _class_names(error):
        return openai.APITimeoutError(request=sdk_request)
    reason = str(error) or type(error).__name__
    message = f"Connection error: {reason}. The execution may go on at Tess and be paid for"
    if not in_stream:
        message += ", so the call was not sent again; with repeat_paid=True it would be"
    return openai.APIConnectionError(message=f"{message}.", request=sdk_request)


def passes_own_errors() -> bool:
    """Whether the installed SDK passes on its own exceptions when a transport raises them."""
    major, minor, *_ = openai.VERSION.split(".")
    return (int(major), int(minor)) >= PASSES_OWN_ERRORS


def observed_bodies(family: Family) -> tuple[type[ObservedBody], type[ObservedBody]]:
    """Return two classes: for bodies in memory, which a transport may read again, and for all others."""
    streamed = family.derive(ObservedBody, family.SyncByteStream, family.AsyncByteStream)
    return family.derive(ObservedBytes, family.ByteStream), streamed


def _digest(request: Request) -> bytes:
    """Return the digest of a body in memory; `b""` for one that is streamed, such as an upload."""
    content: object = getattr(request, "_content", None)
    return hashlib.sha256(content).digest() if isinstance(content, bytes) else b""


def _class_names(error: BaseException) -> set[str]:
    return {base.__name__ for base in type(error).__mro__}
