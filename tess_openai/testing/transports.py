"""The simulator in-process, as a transport for clients of httpx and of httpx2; loaded on demand.

The two libraries want their own base classes below transports and streams. The behaviour stands here
once, in plain classes; `_mixed` puts a library's base beside each.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from tess_openai.testing.wire import WireRequest

if TYPE_CHECKING:
    from tess_openai.testing.simulator import TessSimulator

Family: TypeAlias = Literal["httpx", "httpx2"]


@cache
def _mixed(behaviour: type, family: Family, base: str) -> Any:  # noqa: ANN401 - a class made at run time
    return type(behaviour.__name__, (behaviour, getattr(importlib.import_module(family), base)), {})


def build_transport(simulator: TessSimulator, family: Family) -> Any:  # noqa: ANN401 - of either family
    """Build a sync transport."""
    return _mixed(SimulatorTransport, family, "BaseTransport")(simulator, family)


def build_async_transport(simulator: TessSimulator, family: Family) -> Any:  # noqa: ANN401 - of either family
    """Async counterpart of `build_transport`."""
    return _mixed(AsyncSimulatorTransport, family, "AsyncBaseTransport")(simulator, family)


class _Exchange:
    """One answer on its way to the client: what is left of it, and how long the client waits.

    Iterated twice it goes on where it stopped, as the stream of a socket does.
    """

    def __init__(self, simulator: TessSimulator, family: Family, request: Any, body: bytes) -> None:  # noqa: ANN401
        self.request = request
        self.family: Family = family
        self.library = importlib.import_module(family)
        self.closing = simulator.closing
        self.response, self.record = simulator.answer(_read_request(request, body))
        self.patience_seconds: float = math.inf
        timeout = request.extensions.get("timeout", {}).get("read")
        if timeout is not None:
            self.patience_seconds = timeout
        self.position = 0

    def fail(self, error: str, text: str) -> None:
        raise getattr(self.library, error)(text, request=self.request)

    def after_wait(self, delay_seconds: float, *, closed: bool = False) -> None:
        """Fail as a socket does when the wait was longer than the client's patience."""
        if delay_seconds > self.patience_seconds and not closed:
            self.record.closed_early = True
            self.record.over.set()
            self.fail("ReadTimeout", "The read operation timed out")
        if closed:
            self.fail("RemoteProtocolError", "The simulator was closed")

    def before_head(self) -> None:
        if self.response.cut == "before the head":
            self.fail("RemoteProtocolError", "Server disconnected without sending a response.")

    def after_body(self) -> None:
        if self.response.cut == "in the body":
            self.fail("RemoteProtocolError", "peer closed connection without sending complete message body")

    def hang_up(self) -> None:
        self.record.over.set()
        if self.position < len(self.response.pieces):
            self.record.closed_early = True

    def build(self, stream: object) -> Any:  # noqa: ANN401 - of either family
        return self.library.Response(
            self.response.status,
            headers={**self.response.headers, **self.response.framing},
            stream=stream,
            extensions={"http_version": b"HTTP/1.1"},
        )


def _read_request(request: Any, body: bytes) -> WireRequest:  # noqa: ANN401 - of either family
    headers: dict[str, str] = {}
    for name, value in request.headers.multi_items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return WireRequest(request.method, request.url.raw_path.decode("ascii"), headers, body)


class SimulatedStream:
    """The body of an answer, for a sync client."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._exchange
        while exchange.position < len(exchange.response.pieces):
            piece = exchange.response.pieces[exchange.position]
            _wait(exchange, piece.delay_seconds)
            exchange.position += 1
            yield piece.data
        exchange.after_body()

    def close(self) -> None:
        """Note whether the client has all it could have."""
        self._exchange.hang_up()


class AsyncSimulatedStream:
    """Async counterpart of `SimulatedStream`."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange = self._exchange
        while exchange.position < len(exchange.response.pieces):
            piece = exchange.response.pieces[exchange.position]
            await _async_wait(exchange, piece.delay_seconds)
            exchange.position += 1
            yield piece.data
        exchange.after_body()

    async def aclose(self) -> None:
        """Note whether the client has all it could have."""
        self._exchange.hang_up()


class SimulatorTransport:
    """Answers a sync client."""

    def __init__(self, simulator: TessSimulator, family: Family) -> None:
        self._simulator = simulator
        self._family: Family = family

    def handle_request(self, request: Any) -> Any:  # noqa: ANN401 - of either family
        """Answer one request."""
        exchange = _Exchange(self._simulator, self._family, request, request.read())
        _wait(exchange, exchange.response.delay_seconds)
        exchange.before_head()
        return exchange.build(_mixed(SimulatedStream, self._family, "SyncByteStream")(exchange))


class AsyncSimulatorTransport:
    """Async counterpart of `SimulatorTransport`."""

    def __init__(self, simulator: TessSimulator, family: Family) -> None:
        self._simulator = simulator
        self._family: Family = family

    async def handle_async_request(self, request: Any) -> Any:  # noqa: ANN401 - of either family
        """Answer one request."""
        exchange = _Exchange(self._simulator, self._family, request, await request.aread())
        await _async_wait(exchange, exchange.response.delay_seconds)
        exchange.before_head()
        return exchange.build(_mixed(AsyncSimulatedStream, self._family, "AsyncByteStream")(exchange))


def _wait(exchange: _Exchange, delay_seconds: float) -> None:
    if delay_seconds <= 0:
        return
    seconds = min(delay_seconds, exchange.patience_seconds)
    closed = exchange.closing.wait(None if seconds == math.inf else seconds)
    exchange.after_wait(delay_seconds, closed=closed)


async def _async_wait(exchange: _Exchange, delay_seconds: float) -> None:
    if delay_seconds <= 0:
        return
    import anyio

    await anyio.sleep(min(delay_seconds, exchange.patience_seconds))
    exchange.after_wait(delay_seconds)
