"""The async transport; it differs from the sync one, in `transports`, only in `await`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tess_openai.core.jsons import parse_object
from tess_openai.core.paid_once import IDEMPOTENT
from tess_openai.core.routes import PATHS_WITH_JSON
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.async_driver import AsyncDriver
from tess_openai.edge.deadlines import Deadlines
from tess_openai.edge.event_loops import LoopGuard
from tess_openai.edge.families import AsyncTransport, Family
from tess_openai.edge.free_locks import async_close_despite_lock
from tess_openai.edge.other_clients import OtherEndpoints
from tess_openai.edge.own_responses import AsyncStreamedResponse, AsyncWholeResponse
from tess_openai.edge.paid_calls import observed_bodies, repeated_failure


class AsyncBody:
    """Async counterpart of `Body`."""

    def __init__(self, driver: AsyncDriver) -> None:
        self._driver = driver

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._driver.next_piece()
        if piece:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Async counterpart of `close` in `transports`."""
        await async_close_despite_lock(self._driver.transport.inner, self._driver.stop)


class AsyncTessTransport:
    """Async counterpart of `TessTransport`."""

    def __init__(self, inner: AsyncTransport, adapter: Adapter, family: Family, owner: object) -> None:
        """Wrap `inner`, and keep its client `owner` alive, whose garbage collection may close `inner`."""
        self.inner = inner
        self.owner = owner
        self.adapter = adapter
        self.family = family
        self.deadlines = Deadlines(inner, family.name)
        self.loop_guard = LoopGuard()
        self.others = OtherEndpoints(adapter.others, family.AsyncBaseTransport, adapter.keys, family)
        self.body_class = family.derive(AsyncBody, family.AsyncByteStream)
        self.observed_bytes, self.observed_stream = observed_bodies(family)
        self.whole_response = family.derive(AsyncWholeResponse, family.Response)
        self.streamed_response = family.derive(AsyncStreamedResponse, family.Response)

    async def handle_async_request(self, request: Any) -> Any:
        """Async counterpart of `handle_request` in `transports`."""
        await self.loop_guard.async_enter(self.inner)
        request, api_path = self.adapter.origin.to_api_request(request)
        if api_path is None:
            refusal = self.adapter.refuse_outside(request)
            if refusal is None:
                return await self.inner.handle_async_request(request)
            return await AsyncDriver(refusal, self, request).run()
        other = self.others.client_for(api_path) if self.adapter.others else None
        if other is not None:
            return await self.others.async_send(other, request, api_path.path)
        failure = None if request.method in IDEMPOTENT else repeated_failure(request)
        if failure is not None:
            raise failure
        if request.method != "POST" or api_path.path not in PATHS_WITH_JSON:
            return await AsyncDriver(self.adapter.flow_for(request, api_path), self, request).run()
        body = await request.aread()
        fields = parse_object(body)
        return await AsyncDriver(self.adapter.flow_for(request, api_path, body, fields), self, request).run()

    async def aclose(self) -> None:
        """Async counterpart of `close` in `transports`."""
        await self.inner.aclose()
