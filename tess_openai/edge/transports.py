"""The two drivers: they run a flow over the client's own inner transport and differ only in `await`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    Answer,
    Event,
    Flow,
    Found,
    HoldBack,
    Incoming,
    Lookup,
    Outgoing,
    Read,
    ReadAll,
    Report,
    Step,
    Unfound,
)
from tess_openai.core.jsons import dump_json
from tess_openai.core.lookups import broken_off, find_agent
from tess_openai.core.refusals import Refused
from tess_openai.core.routes import reads_body
from tess_openai.edge.adapter import FOLLOWED, Adapter, logger
from tess_openai.edge.families import AsyncTransport, Family, Request, Response, Transport, to_dict

_REPLACED: Final = ("content-length", "transfer-encoding", "content-encoding")
_IDENTITY: Final = ("", "identity")
_GIVEN: Final = (Answer, bytes, Agent, Unfound)


class _Run:
    """One call on its way: the flow, the caller's request, the answer in hand. No I/O here."""

    def __init__(self, flow: Flow, adapter: Adapter, family: Family, request: Request) -> None:
        self.flow = flow
        self.adapter = adapter
        self.family = family
        self.request = request
        self.response: Response | None = None
        self.source: Any = None  # the stream of the answer in hand, as it came
        self.headers: dict[str, str] = {}
        self.began = False

    @property
    def is_encoded(self) -> bool:
        """Whether the answer in hand is compressed; the response then reads, and closes, itself."""
        return self.headers.get("content-encoding", "") not in _IDENTITY

    def to_request(self, outgoing: Outgoing) -> Request:
        """Return the request for Tess; the caller's own when nothing differs."""
        given = self.request
        body, url = outgoing.body, given.url
        if body is None and not outgoing.headers and outgoing.path is None:
            return given
        headers = given.headers.copy()
        for name, value in outgoing.headers.items():
            if value is None:
                headers.pop(name, None)
            else:
                headers[name] = value
        stream = given.stream
        if body is not None:
            headers["content-length"] = str(len(body))
            stream = self.family.ByteStream(body)
        if outgoing.path is not None:
            query = url.query.decode() if outgoing.query is None else outgoing.query
            query = f"?{query}" if query else ""
            url = url.copy_with(raw_path=f"{self.adapter.origin.prefix}{outgoing.path}{query}".encode())
        method = outgoing.method or given.method
        request = self.family.Request(
            method, url, headers=headers, stream=stream, extensions=given.extensions
        )
        if body is not None:
            request.read()  # in memory; inner transports and instruments look at `content`
        return request

    def to_incoming(self, response: Response) -> Incoming:
        """Return the head of an answer."""
        self.response, self.source = response, response.stream
        self.headers = headers = to_dict(response.headers)
        stays = 300 <= response.status_code < 400 and self._stays(headers.get("location", ""))
        if stays:
            self.request.extensions[FOLLOWED] = True  # the client copies them to its next request
        return Incoming(response.status_code, headers, stays)

    def _stays(self, location: str) -> bool:
        try:
            target = self.request.url.join(location)
        except (self.family.InvalidURL, ValueError):
            return False
        return bool(location) and self.adapter.origin.split(target) is not None

    def to_response(self, answer: Answer, stream: Any) -> Response:
        """Return the caller's response; `stream` is its body, decoded."""
        response = self.response
        if answer.base == "as read" and response is not None and not self.is_encoded:
            response.stream = stream
            return response
        if response is None or answer.base == "none":
            headers, extensions = self.family.Headers(), {}
        else:
            headers, extensions = response.headers.copy(), response.extensions
            for name in _REPLACED:
                if name in self.headers:
                    del headers[name]
        for name, value in answer.headers.items():
            if value is None:
                headers.pop(name, None)
            else:
                headers[name] = value
        if answer.body is not None:
            headers["content-length"] = str(len(answer.body))
        return self.family.Response(answer.status, headers=headers, stream=stream, extensions=extensions)

    def tell(self, step: Report | HoldBack) -> str | None:
        """Tell the caller, or the key's other calls."""
        if isinstance(step, Report):
            return self.adapter.report(step.changes)
        if self.adapter.pace is not None:
            self.adapter.pace.hold_back(self.authorization, step.seconds)
        return None

    @property
    def authorization(self) -> str:
        """The header with the caller's key."""
        return self.request.headers.get("authorization", "")

    def held_back(self, seconds: float) -> Response:
        """Return what Tess would say to a call that comes before its key may go on."""
        told = "Rate limit exceeded: an earlier call of this key was told so, and this one was not sent"
        body = dump_json({"error": told, "retry_after": round(seconds, 1)})
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        return self.family.Response(429, headers=headers, stream=self.family.ByteStream(body))

    def to_found(self, lookup: Lookup, step: Step | None) -> Found:
        """Return what a look-up flow ended with."""
        return step if isinstance(step, Agent | Unfound) else broken_off(lookup, "adapter_error")

    def next_step(self, event: Event, error: Exception | None) -> Step | None:
        """Return the flow's next step; None when it has ended.

        A bug in the flow becomes an answer: raised here, the SDK would take it for a broken connection and
        send, and pay for, the same call again.
        """
        try:
            return self.flow.send(event) if error is None else self.flow.throw(error)
        except StopIteration:
            return None
        except Exception as bug:
            if bug is error or self.began:
                raise
            logger.exception("tess_openai failed on a call")
            message = f"tess_openai itself failed ({type(bug).__name__}); please report it"
            return Refused(message, param=None, code="adapter_error", status=500).to_answer()

    def translate(self, error: Exception) -> Exception:
        """Return the error to throw into the flow; once the caller's stream began, one it understands."""
        if self.began and not self.adapter.sdk_names_broken_streams:
            return ConnectionError(str(error) or type(error).__name__)
        return error


_UNCHANGED: Final = Outgoing()


class _SyncRun(_Run):
    def __init__(self, flow: Flow, transport: TessTransport, request: Request) -> None:
        super().__init__(flow, transport.adapter, transport.family, request)
        self.transport = transport
        self.pieces: Iterator[bytes] | None = None

    def run(self) -> Response:
        """Drive the flow to its answer."""
        answer = self.advance()
        if not isinstance(answer, Answer):
            raise TypeError("a flow gives an Answer first")
        if answer.base == "as is" and self.response is not None:
            return self.response
        if answer.body is None:
            self.began = True
            return self.to_response(answer, self.transport.body_class(self))
        response = self.to_response(answer, self.family.ByteStream(answer.body))
        self.close()
        return response

    def advance(self) -> Answer | bytes | Found | None:
        """Drive the flow to what is the caller's: an answer or a piece of its body; None at the end."""
        event: Event = None
        error: Exception | None = None
        while True:
            step = self.next_step(event, error)
            event = error = None
            try:
                if step is None or isinstance(step, _GIVEN):
                    return step
                if isinstance(step, Read):
                    event = next(self.read(), b"")
                elif isinstance(step, Outgoing):
                    self.drop()
                    event = self.to_incoming(self.send(self.to_request(step)))
                elif isinstance(step, ReadAll):
                    event = self.read_all(step.limit)
                elif isinstance(step, Lookup):
                    event = self.look_up(step)
                else:
                    event = self.tell(step)
            except self.family.RequestError as broken:
                error = self.translate(broken)

    def send(self, request: Request) -> Response:
        """Send one request, when it is its key's turn."""
        pace = self.adapter.pace
        held = 0.0 if pace is None else pace.wait(self.authorization)
        return self.held_back(held) if held else self.transport.inner.handle_request(request)

    def look_up(self, lookup: Lookup) -> Found:
        """Find an agent, by a flow of its own over the same transport, once for all who ask."""

        def fly() -> Found:
            run = _SyncRun(find_agent(lookup), self.transport, self.request)
            try:
                return self.to_found(lookup, run.advance())
            except self.family.RequestError as broken:
                return broken_off(lookup, type(broken).__name__)
            finally:
                run.close()

        return self.adapter.directory.find(self.adapter.key_of(lookup, self.request), fly)

    def read(self) -> Iterator[bytes]:
        """Return the iterator over the answer in hand, decoded."""
        if self.pieces is None:
            response = self.response
            if response is None:
                return iter(())
            self.pieces = iter(response.iter_bytes() if self.is_encoded else response.stream)
        return self.pieces

    def read_all(self, limit: int | None) -> bytes:
        """Read the answer in hand to its end or to `limit`."""
        if limit is None:
            return b"".join(self.read())
        whole = bytearray()
        for piece in self.read():
            whole += piece
            if len(whole) >= limit:
                break
        return bytes(whole[:limit])

    def drop(self) -> None:
        """Close the answer in hand."""
        response, self.response, self.pieces = self.response, None, None
        if response is not None:
            (response if self.is_encoded else self.source).close()

    def close(self) -> None:
        """End the call, wherever it is."""
        self.flow.close()
        self.drop()


class SyncBody:
    """The caller's body while its flow goes on; iterating again goes on where it was."""

    def __init__(self, run: _SyncRun) -> None:
        self._run = run

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._run.advance()
        if isinstance(piece, bytes):
            return piece
        self._run.close()
        raise StopIteration

    def close(self) -> None:
        """End the call."""
        self._run.close()


class TessTransport:
    """Wraps a client's own sync transport; made a subclass of its family's by `install`."""

    def __init__(self, inner: Transport, adapter: Adapter, family: Family, owner: object) -> None:
        """Wrap `inner`; `owner`, the client it came from, is kept alive, since its end may close `inner`."""
        self.inner = inner
        self.owner = owner
        self.adapter = adapter
        self.family = family
        self.body_class = family.derive(SyncBody, family.SyncByteStream)

    def handle_request(self, request: Any) -> Any:
        """Carry one request out; requests for elsewhere go to the inner transport untouched."""
        place = self.adapter.origin.split(request.url)
        if place is None:
            refusal = self.adapter.refuse_foreign(request)
            if refusal is None:
                return self.inner.handle_request(request)
            return _SyncRun(refusal, self, request).run()
        body = request.read() if reads_body(request.method, place[1]) else b""
        return _SyncRun(self.adapter.open(request, place, body), self, request).run()

    def close(self) -> None:
        """Close the inner transport."""
        self.inner.close()


class _AsyncRun(_Run):
    def __init__(self, flow: Flow, transport: AsyncTessTransport, request: Request) -> None:
        super().__init__(flow, transport.adapter, transport.family, request)
        self.transport = transport
        self.pieces: AsyncIterator[bytes] | None = None

    async def run(self) -> Response:
        """Async counterpart of `_SyncRun.run`."""
        answer = await self.advance()
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

    async def advance(self) -> Answer | bytes | Found | None:
        """Async counterpart of `_SyncRun.advance`."""
        event: Event = None
        error: Exception | None = None
        while True:
            step = self.next_step(event, error)
            event = error = None
            try:
                if step is None or isinstance(step, _GIVEN):
                    return step
                if isinstance(step, Read):
                    event = await anext(self.read(), b"")
                elif isinstance(step, Outgoing):
                    await self.drop()
                    event = self.to_incoming(await self.send(self.to_request(step)))
                elif isinstance(step, ReadAll):
                    event = await self.read_all(step.limit)
                elif isinstance(step, Lookup):
                    event = await self.look_up(step)
                else:
                    event = self.tell(step)
            except self.family.RequestError as broken:
                error = self.translate(broken)

    async def send(self, request: Request) -> Response:
        """Async counterpart of `_SyncRun.send`."""
        pace = self.adapter.pace
        held = 0.0 if pace is None else await pace.async_wait(self.authorization)
        return self.held_back(held) if held else await self.transport.inner.handle_async_request(request)

    async def look_up(self, lookup: Lookup) -> Found:
        """Async counterpart of `_SyncRun.look_up`."""

        async def fly() -> Found:
            run = _AsyncRun(find_agent(lookup), self.transport, self.request)
            try:
                return self.to_found(lookup, await run.advance())
            except self.family.RequestError as broken:
                return broken_off(lookup, type(broken).__name__)
            finally:
                await run.aclose()

        return await self.adapter.directory.async_find(self.adapter.key_of(lookup, self.request), fly)

    def read(self) -> AsyncIterator[bytes]:
        """Async counterpart of `_SyncRun.read`."""
        if self.pieces is None:
            response = self.response
            if response is None:
                return _Nothing()
            self.pieces = aiter(response.aiter_bytes() if self.is_encoded else response.stream)
        return self.pieces

    async def read_all(self, limit: int | None) -> bytes:
        """Async counterpart of `_SyncRun.read_all`."""
        if limit is None:
            return b"".join([piece async for piece in self.read()])
        whole = bytearray()
        async for piece in self.read():
            whole += piece
            if len(whole) >= limit:
                break
        return bytes(whole[:limit])

    async def drop(self) -> None:
        """Async counterpart of `_SyncRun.drop`."""
        response, self.response, self.pieces = self.response, None, None
        if response is not None:
            await (response if self.is_encoded else self.source).aclose()

    async def aclose(self) -> None:
        """Async counterpart of `_SyncRun.close`."""
        self.flow.close()
        await self.drop()


class _Nothing:
    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


class AsyncBody:
    """Async counterpart of `SyncBody`."""

    def __init__(self, run: _AsyncRun) -> None:
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
            return await _AsyncRun(refusal, self, request).run()
        body = await request.aread() if reads_body(request.method, place[1]) else b""
        return await _AsyncRun(self.adapter.open(request, place, body), self, request).run()

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self.inner.aclose()
