"""The async driver; it differs from the sync one, in `transports`, only in `await`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tess_openai.core.calls import Answer, Event, Flow, Lookup, LookupResult, Outgoing, Read, ReadAll
from tess_openai.core.chat.fast_path import is_complete
from tess_openai.core.jsons import parse_object
from tess_openai.core.lookups import find_agent, lookup_failed
from tess_openai.core.routes import reads_body
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.call_driver import RESULT_STEPS, CallDriver
from tess_openai.edge.families import AsyncTransport, Family, Request, Response, is_whole


class _AsyncDriver(CallDriver):
    def __init__(self, flow: Flow, transport: AsyncTessTransport, request: Request) -> None:
        super().__init__(flow, transport.adapter, transport.family, request)
        self.transport = transport
        self.pieces: AsyncIterator[bytes] | None = None

    async def run(self, ahead: Response | None = None) -> Response:
        """Async counterpart of `_Run.run`."""
        self.ahead = None if ahead is None else self.to_incoming(ahead)
        try:
            answer = await self.advance()
        except BaseException:  # the caller gave up, or was cancelled
            await self.aclose()
            raise
        if not isinstance(answer, Answer):
            raise TypeError("a flow gives an Answer first")
        if answer.base == "as is" and self.response is not None:
            return self.response
        if answer.body is None:
            self.began = True
            return self.to_response(answer, self.transport.body_class(self))
        response = self.to_response(answer, self.family.ByteStream(answer.body))
        await self.aclose()
        return response

    async def advance(self) -> Answer | bytes | LookupResult | None:
        """Async counterpart of `_Run.advance`."""
        event: Event = None
        error: Exception | None = None
        while True:
            step = self.next_step(event, error)
            event = error = None
            try:
                if step is None or isinstance(step, RESULT_STEPS):
                    return step
                if isinstance(step, Read):
                    event = await self.read_piece()
                elif isinstance(step, Outgoing):
                    event, self.ahead = self.ahead, None
                    if event is None:
                        await self.drop()
                        event = self.to_incoming(await self.send(self.to_request(step)))
                elif isinstance(step, ReadAll):
                    event = await self.read_all(step)
                elif isinstance(step, Lookup):
                    event = await self.look_up(step)
                else:
                    event = self.apply_step(step)
            except self.family.RequestError as broken:
                error = self.translate(broken)

    async def send(self, request: Request) -> Response:
        """Async counterpart of `_Run.send`."""
        inner, pacer = self.transport.inner, self.pacer
        if pacer is not None:
            too_long = await pacer.async_wait(self.authorization)
            if too_long:
                return self.rate_limited_response(too_long)
            request = self.paced(request, pacer)
        response: Response = await inner.handle_async_request(request)
        return response

    async def look_up(self, lookup: Lookup) -> LookupResult:
        """Async counterpart of `_Run.look_up`."""

        async def fly() -> LookupResult:
            run = _AsyncDriver(find_agent(lookup), self.transport, self.request)
            if lookup.is_hint:
                run.cap_timeouts()
            try:
                return self.to_lookup_result(lookup, await run.advance())
            except self.breaks(lookup) as broken:
                return lookup_failed(lookup, type(broken).__name__)
            finally:
                await run.aclose()

        agent_cache, key = self.adapter.agent_cache, self.adapter.key_of(lookup, self.request)
        found = await agent_cache.async_find(key, fly, self.timeout_seconds_for_lookup(lookup))
        return lookup_failed(lookup, "timeout") if found is None else found

    def read(self) -> AsyncIterator[bytes]:
        """Async counterpart of `_Run.read`."""
        if self.pieces is None:
            response = self.current_response
            self.pieces = aiter(response.aiter_bytes() if self.is_encoded else response.stream)
        return self.pieces

    async def read_piece(self) -> bytes:
        """Async counterpart of `transports._Run.read_piece`."""
        async for piece in self.read():
            if piece:
                return piece
        return b""

    async def read_all(self, asked: ReadAll) -> bytes:
        """Async counterpart of `_Run.read_all`."""
        whole = bytearray()
        try:
            async for piece in self.read():
                whole += piece
                if asked.limit is not None and len(whole) >= asked.limit:
                    break
        except self.family.RequestError:
            if not asked.allow_truncation:
                raise
        return bytes(whole[: asked.limit])

    async def drop(self) -> None:
        """Async counterpart of `_Run.drop`."""
        response, self.response, self.pieces = self.response, None, None
        if response is not None:
            await (response if self.is_encoded else self.source).aclose()

    async def aclose(self) -> None:
        """Async counterpart of `_Run.close`."""
        self.flow.close()
        await self.drop()


class AsyncBody:
    """Async counterpart of `Body`."""

    def __init__(self, run: _AsyncDriver) -> None:
        self._run = run

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._run.advance()
        if isinstance(piece, bytes):
            return piece
        await self._run.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the call."""
        await self._run.aclose()


class AsyncTessTransport:
    """Async counterpart of `TessTransport`."""

    def __init__(self, inner: AsyncTransport, adapter: Adapter, family: Family, owner: object) -> None:
        """Wrap `inner`; `owner`, the client it came from, is kept alive, since its end may close `inner`."""
        self.inner = inner
        self.owner = owner
        self.adapter = adapter
        self.family = family
        self.body_class = family.derive(AsyncBody, family.AsyncByteStream)

    async def handle_async_request(self, request: Any) -> Any:
        """Async counterpart of `TessTransport.handle_request`."""
        place = self.adapter.origin.split(request.url)
        if place is None:
            refusal = self.adapter.refuse_foreign(request)
            if refusal is None:
                return await self.inner.handle_async_request(request)
            return await _AsyncDriver(refusal, self, request).run()
        if not reads_body(request.method, place[1]):
            return await _AsyncDriver(self.adapter.open(request, place), self, request).run()
        body = await request.aread()
        fields = parse_object(body)
        plain = None if fields is None else self.adapter.to_plain(request, place, fields, self.family)
        ahead = None if plain is None else await self.inner.handle_async_request(plain)
        if ahead is not None and is_whole(ahead):
            whole = parse_object(await self.read_whole(ahead))
            if whole is not None and is_complete(whole, self.adapter.options):
                return ahead
        return await _AsyncDriver(self.adapter.open(request, place, body, fields), self, request).run(ahead)

    async def read_whole(self, response: Response) -> bytes:
        """Async counterpart of `TessTransport.read_whole`."""
        source, whole = response.stream, bytearray()
        try:
            async for piece in source:
                whole += piece
        finally:
            await source.aclose()
        body = bytes(whole)
        response.stream = self.family.ByteStream(body)
        return body

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self.inner.aclose()
