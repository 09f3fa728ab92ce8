"""The simulator in-process, as a transport for clients of httpx and of httpx2; imported by its first use.

The two libraries need their own base classes for transports and streams. The behaviour is written once, in
plain classes; `_mixed` adds the base class of a library.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any, Literal, TypeAlias

from tess_openai.testing.wire import Responder, WireRequest, join_headers

Family: TypeAlias = Literal["httpx", "httpx2"]


@cache
def _mixed(behaviour: type, family: Family, base: str) -> Any:  # noqa: ANN401 - a class made at run time
    return type(behaviour.__name__, (behaviour, getattr(importlib.import_module(family), base)), {})


def build_transport(simulator: Responder, family: Family) -> Any:  # noqa: ANN401 - of either family
    """Build a sync transport."""
    return _mixed(SimulatorTransport, family, "BaseTransport")(simulator, family)


def build_async_transport(simulator: Responder, family: Family) -> Any:  # noqa: ANN401 - of either family
    """Async counterpart of `build_transport`."""
    return _mixed(AsyncSimulatorTransport, family, "AsyncBaseTransport")(simulator, family)


class _Exchange:
    """A response in transfer: how much of it the client has received, and how long the client waits.

    A second iteration continues where the first one stopped, as the stream of a socket does.
    """

    def __init__(self, simulator: Responder, family: Family, request: Any, body: bytes) -> None:  # noqa: ANN401
        self.family = importlib.import_module(family)
        self.request = request
        self.closing = simulator.closing
        target = request.url.raw_path.decode("ascii")
        headers = join_headers(request.headers.multi_items())
        self.response, self.record = simulator.answer(WireRequest(request.method, target, headers, body))
        timeout = request.extensions.get("timeout", {}).get("read")
        self.timeout_seconds: float = math.inf if timeout is None else timeout
        self.position = 0

    def wait(self, delay_seconds: float) -> None:
        if delay_seconds > 0:
            seconds = min(delay_seconds, self.timeout_seconds)
            if self.closing.wait(None if seconds == math.inf else seconds):
                self.fail("RemoteProtocolError", "The simulator was closed")
            self.after_wait(delay_seconds)

    async def async_wait(self, delay_seconds: float) -> None:
        if delay_seconds > 0:
            import anyio

            try:
                await anyio.sleep(min(delay_seconds, self.timeout_seconds))
            except BaseException:  # the caller was cancelled
                self.give_up()
                raise
            self.after_wait(delay_seconds)

    def after_wait(self, delay_seconds: float) -> None:
        if delay_seconds > self.timeout_seconds:
            self.give_up()
            self.fail("ReadTimeout", "The read operation timed out")

    def before_head(self) -> None:
        if self.response.cut == "before the head":
            self.fail("RemoteProtocolError", "Server disconnected without sending a response.")

    def after_body(self) -> None:
        if self.response.cut == "in the body":
            self.fail("RemoteProtocolError", "peer closed connection without sending complete message body")

    def fail(self, error: str, text: str) -> None:
        self.record.over.set()
        raise getattr(self.family, error)(text, request=self.request)

    def give_up(self) -> None:
        self.record.closed_early = True
        self.record.over.set()

    def close(self) -> None:
        if self.position < len(self.response.pieces):
            self.give_up()
        self.record.over.set()

    def build(self, stream: object) -> Any:  # noqa: ANN401 - of either family
        return self.family.Response(
            self.response.status,
            headers={**self.response.headers, **self.response.framing},
            stream=stream,
            extensions={"http_version": b"HTTP/1.1"},
        )


class SimulatedStream:
    """The body of an answer, for a sync client."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._exchange
        while exchange.position < len(exchange.response.pieces):
            piece = exchange.response.pieces[exchange.position]
            exchange.wait(piece.delay_seconds)
            exchange.position += 1
            if piece.data:
                yield piece.data
        exchange.after_body()

    def close(self) -> None:
        """Record whether the client read everything."""
        self._exchange.close()


class AsyncSimulatedStream:
    """Async counterpart of `SimulatedStream`."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange = self._exchange
        while exchange.position < len(exchange.response.pieces):
            piece = exchange.response.pieces[exchange.position]
            await exchange.async_wait(piece.delay_seconds)
            exchange.position += 1
            if piece.data:
                yield piece.data
        exchange.after_body()

    async def aclose(self) -> None:
        """Record whether the client read everything."""
        self._exchange.close()


class SimulatorTransport:
    """Answers a sync client."""

    def __init__(self, simulator: Responder, family: Family) -> None:
        self._simulator = simulator
        self._family: Family = family

    def handle_request(self, request: Any) -> Any:  # noqa: ANN401 - of either family
        """Answer one request."""
        exchange = _Exchange(self._simulator, self._family, request, request.read())
        exchange.wait(exchange.response.delay_seconds)
        exchange.before_head()
        return exchange.build(_mixed(SimulatedStream, self._family, "SyncByteStream")(exchange))


class AsyncSimulatorTransport:
    """Async counterpart of `SimulatorTransport`."""

    def __init__(self, simulator: Responder, family: Family) -> None:
        self._simulator = simulator
        self._family: Family = family

    async def handle_async_request(self, request: Any) -> Any:  # noqa: ANN401 - of either family
        """Answer one request."""
        exchange = _Exchange(self._simulator, self._family, request, await request.aread())
        await exchange.async_wait(exchange.response.delay_seconds)
        exchange.before_head()
        return exchange.build(_mixed(AsyncSimulatedStream, self._family, "AsyncByteStream")(exchange))
