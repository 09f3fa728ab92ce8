"""The sync transport under a client, and the bodies that it gives to the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tess_openai.core.jsons import parse_object
from tess_openai.core.paid_once import IDEMPOTENT
from tess_openai.core.routes import PATHS_WITH_JSON
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.deadlines import Deadlines
from tess_openai.edge.event_loops import LoopGuard
from tess_openai.edge.families import Family, Transport
from tess_openai.edge.free_locks import close_despite_lock
from tess_openai.edge.other_clients import OtherEndpoints
from tess_openai.edge.own_responses import StreamedResponse, WholeResponse
from tess_openai.edge.paid_calls import observed_bodies, repeated_failure
from tess_openai.edge.sync_driver import SyncDriver


class Body:
    """The body that the caller reads while the flow runs; a second iteration continues the first."""

    def __init__(self, driver: SyncDriver) -> None:
        self._driver = driver

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._driver.next_piece()
        if piece:
            return piece
        raise StopIteration

    def close(self) -> None:
        """End the call. The garbage collector does so too, perhaps inside the lock of the pool."""
        close_despite_lock(self._driver.transport.inner, self._driver.stop)


class TessTransport:
    """Wraps a client's own sync transport; `install` derives a class of the client's family from it."""

    def __init__(self, inner: Transport, adapter: Adapter, family: Family, owner: object) -> None:
        """Wrap `inner`, and keep its client `owner` alive, whose garbage collection may close `inner`."""
        self.inner = inner
        self.owner = owner
        self.adapter = adapter
        self.family = family
        self.deadlines = Deadlines(inner, family.name)
        self.loop_guard = LoopGuard()
        self.others = OtherEndpoints(adapter.others, family.BaseTransport, adapter.keys, family)
        self.body_class = family.derive(Body, family.SyncByteStream)
        self.observed_bytes, self.observed_stream = observed_bodies(family)
        self.whole_response = family.derive(WholeResponse, family.Response)
        self.streamed_response = family.derive(StreamedResponse, family.Response)

    def handle_request(self, request: Any) -> Any:
        """Carry out one request; a request to another origin goes to the inner transport unchanged."""
        self.loop_guard.enter(self.inner)
        request, api_path = self.adapter.origin.to_api_request(request)
        if api_path is None:
            refusal = self.adapter.refuse_outside(request)
            if refusal is None:
                return self.inner.handle_request(request)
            return SyncDriver(refusal, self, request).run()
        other = self.others.client_for(api_path) if self.adapter.others else None
        if other is not None:
            return self.others.send(other, request, api_path.path)
        failure = None if request.method in IDEMPOTENT else repeated_failure(request)
        if failure is not None:
            raise failure
        if request.method != "POST" or api_path.path not in PATHS_WITH_JSON:
            return SyncDriver(self.adapter.flow_for(request, api_path), self, request).run()
        body = request.read()
        fields = parse_object(body)
        return SyncDriver(self.adapter.flow_for(request, api_path, body, fields), self, request).run()

    def close(self) -> None:
        """Close the inner transport."""
        self.inner.close()
