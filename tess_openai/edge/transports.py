"""The sync driver: it runs a flow over the client's own inner transport."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tess_openai.core.calls import Answer, Event, Flow, Lookup, LookupResult, Outgoing, Read, ReadAll
from tess_openai.core.chat.fast_path import is_complete
from tess_openai.core.jsons import parse_object
from tess_openai.core.lookups import find_agent, lookup_failed
from tess_openai.core.routes import reads_body
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.call_driver import RESULT_STEPS, CallDriver
from tess_openai.edge.families import Family, Request, Response, Transport, is_whole


class _SyncDriver(CallDriver):
    def __init__(self, flow: Flow, transport: TessTransport, request: Request) -> None:
        super().__init__(flow, transport.adapter, transport.family, request)
        self.transport = transport
        self.pieces: Iterator[bytes] | None = None

    def run(self, ahead: Response | None = None) -> Response:
        """Drive the flow to its answer; `ahead` answers its first exchange, where that is made already."""
        self.ahead = None if ahead is None else self.to_incoming(ahead)
        try:
            answer = self.advance()
        except BaseException:  # the caller gave up, or was cancelled
            self.close()
            raise
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

    def advance(self) -> Answer | bytes | LookupResult | None:
        """Drive the flow to what is the caller's: an answer or a piece of its body; None at the end."""
        event: Event = None
        error: Exception | None = None
        while True:
            step = self.next_step(event, error)
            event = error = None
            try:
                if step is None or isinstance(step, RESULT_STEPS):
                    return step
                if isinstance(step, Read):
                    event = self.read_piece()
                elif isinstance(step, Outgoing):
                    event, self.ahead = self.ahead, None
                    if event is None:
                        self.drop()
                        event = self.to_incoming(self.send(self.to_request(step)))
                elif isinstance(step, ReadAll):
                    event = self.read_all(step)
                elif isinstance(step, Lookup):
                    event = self.look_up(step)
                else:
                    event = self.apply_step(step)
            except self.family.RequestError as broken:
                error = self.translate(broken)

    def send(self, request: Request) -> Response:
        """Send one request, when it is its key's turn."""
        inner, pacer = self.transport.inner, self.pacer
        if pacer is not None:
            too_long = pacer.wait(self.authorization)
            if too_long:
                return self.rate_limited_response(too_long)
            request = self.paced(request, pacer)
        response: Response = inner.handle_request(request)
        return response

    def look_up(self, lookup: Lookup) -> LookupResult:
        """Find an agent, by a flow of its own over the same transport, once for all who ask."""

        def fly() -> LookupResult:
            run = _SyncDriver(find_agent(lookup), self.transport, self.request)
            if lookup.is_hint:
                run.cap_timeouts()
            try:
                return self.to_lookup_result(lookup, run.advance())
            except self.breaks(lookup) as broken:
                return lookup_failed(lookup, type(broken).__name__)
            finally:
                run.close()

        agent_cache, key = self.adapter.agent_cache, self.adapter.key_of(lookup, self.request)
        found = agent_cache.find(key, fly, self.timeout_seconds_for_lookup(lookup))
        return lookup_failed(lookup, "timeout") if found is None else found

    def read(self) -> Iterator[bytes]:
        """Return the iterator over the answer in hand, decoded."""
        if self.pieces is None:
            response = self.current_response
            self.pieces = iter(response.iter_bytes() if self.is_encoded else response.stream)
        return self.pieces

    def read_piece(self) -> bytes:
        """Read the next piece of the answer in hand that is not empty; `b""` at its end."""
        for piece in self.read():
            if piece:
                return piece
        return b""

    def read_all(self, asked: ReadAll) -> bytes:
        """Read the answer in hand to its end or to the limit; as far as it comes, where that will do."""
        whole = bytearray()
        try:
            for piece in self.read():
                whole += piece
                if asked.limit is not None and len(whole) >= asked.limit:
                    break
        except self.family.RequestError:
            if not asked.allow_truncation:
                raise
        return bytes(whole[: asked.limit])

    def drop(self) -> None:
        """Close the answer in hand."""
        response, self.response, self.pieces = self.response, None, None
        if response is not None:
            (response if self.is_encoded else self.source).close()

    def close(self) -> None:
        """End the call, wherever it is."""
        self.flow.close()
        self.drop()


class Body:
    """The caller's body while its flow goes on; iterating again goes on where it was."""

    def __init__(self, run: _SyncDriver) -> None:
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
        self.body_class = family.derive(Body, family.SyncByteStream)

    def handle_request(self, request: Any) -> Any:
        """Carry one request out; requests for elsewhere go to the inner transport untouched."""
        place = self.adapter.origin.split(request.url)
        if place is None:
            refusal = self.adapter.refuse_foreign(request)
            if refusal is None:
                return self.inner.handle_request(request)
            return _SyncDriver(refusal, self, request).run()
        if not reads_body(request.method, place[1]):
            return _SyncDriver(self.adapter.open(request, place), self, request).run()
        body = request.read()
        fields = parse_object(body)
        plain = None if fields is None else self.adapter.to_plain(request, place, fields, self.family)
        ahead = None if plain is None else self.inner.handle_request(plain)
        if ahead is not None and is_whole(ahead):
            whole = parse_object(self.read_whole(ahead))
            if whole is not None and is_complete(whole, self.adapter.options):
                return ahead
        return _SyncDriver(self.adapter.open(request, place, body, fields), self, request).run(ahead)

    def read_whole(self, response: Response) -> bytes:
        """Read an answer to its end and close it; what was read can be read from it again."""
        source, whole = response.stream, bytearray()
        try:
            for piece in source:
                whole += piece
        finally:
            source.close()
        body = bytes(whole)
        response.stream = self.family.ByteStream(body)
        return body

    def close(self) -> None:
        """Close the inner transport."""
        self.inner.close()
