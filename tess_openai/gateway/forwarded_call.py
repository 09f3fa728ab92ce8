"""Forward one call: send the request to Tess, write the answer, and watch for a disconnect."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import anyio
import openai

from tess_openai.core.jsons import JSONObject, dump_json, parse_object, to_object
from tess_openai.core.refusals import NO_RETRY, Refused
from tess_openai.core.responses.responses_flow import RESPONSES_PATH
from tess_openai.edge.paid_calls import must_not_be_repeated
from tess_openai.gateway.call_log import log_call
from tess_openai.gateway.file_wording import reword_envelope
from tess_openai.gateway.guards import CALLER, Message, Receive, Scope, Send, headers_of
from tess_openai.gateway.keys import Caller
from tess_openai.gateway.streams import EVENT_STREAM, STREAM_HEADERS, AnswerWriter
from tess_openai.gateway.upstream import Upstream
from tess_openai.gateway.upstream_errors import gateway_failed, not_a_stream, shutting_down, to_error

logger = logging.getLogger("tess_openai.gateway")

_RELAYED_HEADERS: Final = frozenset(
    {
        *(b"content-type", b"content-length", b"content-encoding", b"content-disposition"),
        *(b"retry-after", b"retry-after-ms", b"x-should-retry", b"x-request-id", b"x-tess-openai"),
    }
)
"""Headers of an answer that the caller gets, as bytes, since not every value is text."""
_LONGEST_ERROR: Final = 65_536
_SHUTDOWN_ERROR_SECONDS: Final = 2.0
"""How long writing an error may take while the server shuts down."""
_DISCONNECTED: Final = 499
"""The status that web servers log for a caller who disconnected before the answer."""


class CallerLeftError(Exception):
    """The caller left while sending the body."""


class ForwardedCall:
    """One call.

    Attributes:
        path: The path below `/v1`.
        route: The first part of the path, without an id, such as `"chat"`.
        writer: Writes the answer.
    """

    def __init__(
        self,
        *,
        upstream: Upstream,
        scope: Scope,
        receive: Receive,
        send: Send,
        path: str,
        limit_bytes: int,
        heartbeat_seconds: float,
    ) -> None:
        self.path = path
        self.route = path.split("/")[1]
        self.writer = AnswerWriter(send)
        self._upstream = upstream
        self._metrics = upstream.metrics
        self._scope = scope
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._heartbeat_seconds = heartbeat_seconds
        self._body = b""
        self._has_left = False
        self._began = 0.0
        self._group: Any = None

    async def run(self, to_request: Callable[[Any], Any], *, streams_body: bool) -> None:
        """Answer the call.

        Args:
            to_request: Makes the request for Tess from the body.
            streams_body: Whether `to_request` gets an iterator over the pieces of the body, not the whole.
        """
        self._began = self._metrics.begin()
        with self._upstream.open_call():
            try:
                async with anyio.create_task_group() as self._group:
                    await self._answer(to_request, streams_body=streams_body)
                    self._group.cancel_scope.cancel()
            finally:
                self._note_end()

    async def _answer(self, to_request: Callable[[Any], Any], *, streams_body: bool) -> None:
        """Send the request and write the answer, or an error; only a cancellation is raised."""
        try:
            pieces = self._pieces()
            if not streams_body:
                self._body = b"".join([piece async for piece in pieces])
            request = to_request(pieces if streams_body else self._body)
            response = await self._upstream.client.send(request, stream=True)
            try:
                await self._relay(response)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()
        except CallerLeftError:
            self._has_left = True
        except Refused as refused:
            await self._fail(refused.to_json(), refused.status, may_repeat=False)
        except (self._upstream.family.RequestError, openai.OpenAIError) as error:
            await self._fail(*to_error(error), may_repeat=not must_not_be_repeated())
        except anyio.get_cancelled_exc_class():
            if self._has_left:
                raise
            with anyio.move_on_after(_SHUTDOWN_ERROR_SECONDS):  # the server cancels tasks when it shuts down
                await self._fail(shutting_down(), 503, may_repeat=False)
        except Exception:
            logger.exception("the gateway failed on a call of %s", self.route)
            await self._fail(gateway_failed(), 500, may_repeat=False)

    async def _pieces(self) -> AsyncIterator[bytes]:
        """Yield the pieces of the body; at its end, start to watch for a disconnect.

        Raises:
            Refused: The body, or its `Content-Length`, is over the limit.
            CallerLeftError: The caller disconnected before the end.
        """
        length = headers_of(self._scope).get(b"content-length", b"0")
        received, is_more = int(length) if length.isdigit() and len(length) < 20 else 0, True
        if received <= self._limit_bytes:
            received = 0
        while is_more:
            message = await self._receive() if received <= self._limit_bytes else _NOTHING
            if message["type"] == "http.disconnect":
                raise CallerLeftError
            piece: bytes = message.get("body", b"")
            received += len(piece)
            if received > self._limit_bytes:
                text = f"The body is longer than {self._limit_bytes} bytes, the limit of this gateway."
                raise Refused(text, param=None, code="body_too_large", status=413)
            is_more = message.get("more_body", False)
            if piece:
                yield piece
        self._group.start_soon(self._watch_caller)

    async def _watch_caller(self) -> None:
        """End the call when the caller disconnects; until then, write a heartbeat into each long silence."""
        limit = self._heartbeat_seconds
        while True:
            wait = max(0.001, limit - self.writer.silent_seconds) if limit else None
            with anyio.move_on_after(wait):
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self._has_left = not self.writer.is_whole
                    self._group.cancel_scope.cancel()
                    return
            if limit and self.writer.silent_seconds >= limit:
                await self._beat()

    async def _beat(self) -> None:
        """Write a comment line into a stream; begin the stream if Tess has not answered yet."""
        if not self.writer.status and (parse_object(self._body) or {}).get("stream") is True:
            await self._begin_stream(200, [])
        await self.writer.beat()

    async def _begin_stream(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._metrics.first_byte(self.route, self._began)
        known = {name for name, _ in headers}
        more = [header for header in STREAM_HEADERS if header[0] not in known]
        await self.writer.begin(status, headers + more, is_stream=True)

    async def _relay(self, response: Any) -> None:
        """Write the answer of the adapter."""
        headers = [
            (low, value) for name, value in response.headers.raw if (low := name.lower()) in _RELAYED_HEADERS
        ]
        is_stream = dict(headers).get(b"content-type", b"").startswith(EVENT_STREAM)
        if response.status_code >= 400:
            await self._relay_error(response, headers)
        elif is_stream:
            if not self.writer.status:
                await self._begin_stream(response.status_code, headers)
            async for piece in response.aiter_raw():
                await self.writer.write(piece)
            await self.writer.end()
        elif self.writer.status:
            await self._fail(not_a_stream(), 502, may_repeat=False)
        else:
            self._metrics.first_byte(self.route, self._began)
            await self.writer.begin(response.status_code, headers, is_stream=False)
            before = b""
            async for piece in response.aiter_raw():
                if before:
                    await self.writer.write(before)
                before = piece
            await self.writer.end(before)

    async def _relay_error(self, response: Any, headers: list[tuple[bytes, bytes]]) -> None:
        """Write an error of the adapter, as an answer or as an event of the stream that has begun."""
        body = b""
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _LONGEST_ERROR:
                break
        given = parse_object(body) or {}
        envelope = reword_envelope(given)
        if self.writer.status:
            await self._fail(envelope, response.status_code, may_repeat=False)
            return
        self._metrics.error(_code_of(envelope))
        self._metrics.first_byte(self.route, self._began)
        await self._write_whole(
            response.status_code, headers, body if envelope is given else dump_json(envelope)
        )

    async def _fail(self, envelope: JSONObject, status: int, *, may_repeat: bool) -> None:
        """Write an error of the gateway's own, as an answer or as an event of the stream that has begun."""
        self._metrics.error(_code_of(envelope))
        if self.writer.is_stream:
            await self.writer.fail(envelope, of_responses=self.path.startswith(RESPONSES_PATH))
        elif not self.writer.status:
            headers = [(b"content-type", b"application/json")]
            if not may_repeat:
                headers += [(name.encode(), value.encode()) for name, value in NO_RETRY.items()]
            await self._write_whole(status, headers, dump_json(envelope))

    async def _write_whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        kept = [header for header in headers if header[0] not in (b"content-length", b"content-encoding")]
        kept.append((b"content-length", str(len(body)).encode()))
        await self.writer.begin(status, kept, is_stream=False)
        await self.writer.end(body)

    def _note_end(self) -> None:
        """Count the call and log it."""
        status = self.writer.status or _DISCONNECTED
        self._metrics.end(self.route, status)
        self._metrics.events(self.writer.events)
        if self._has_left:
            self._metrics.left()
        if logger.isEnabledFor(logging.INFO):
            caller: Caller = self._scope[CALLER]
            seconds = time.perf_counter() - self._began
            method, events = self._scope["method"], self.writer.events
            left = ", the caller left" if self._has_left else ""
            note = f", {events} events{left}"
            log_call(caller.name, method, self.route, status, seconds=seconds, note=note)


_NOTHING: Final[Message] = {"type": "http.request"}


def _code_of(envelope: JSONObject) -> object:
    return (to_object(envelope.get("error")) or {}).get("code")
