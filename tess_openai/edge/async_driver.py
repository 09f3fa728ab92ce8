"""The async driver; it differs from the sync one, in `sync_driver`, only in `await`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from tess_openai.core.calls import (
    READ,
    READ_LAST,
    READ_REST,
    Answer,
    Event,
    Incoming,
    Lookup,
    LookupResult,
    Outgoing,
    ReadAll,
    ResultStep,
    Sleep,
    Step,
    StoreAccess,
    Upload,
    UploadResult,
)
from tess_openai.core.lookups import lookup_failed, run_lookup
from tess_openai.core.uploads import upload_failed, upload_file
from tess_openai.edge.call_driver import LAST_SECONDS, REST_SECONDS, RESULT_STEPS, CallDriver, CarriedOutStep
from tess_openai.edge.compressed_bodies import split_compressed
from tess_openai.edge.families import Response
from tess_openai.edge.paid_calls import to_family_error
from tess_openai.edge.response_stores import async_access_store


class AsyncDriver(CallDriver):
    """Async counterpart of `SyncDriver`."""

    async def run(self) -> Response:
        """Async counterpart of `run` in `sync_driver`."""
        try:
            answer = await self.advance()
            response = self.to_response(answer)
            if isinstance(answer, Answer) and answer.body is not None:
                self.flow.close()
                await self.drop()
        except self.family.RequestError as error:
            await self.aclose()
            shown = self.to_caller_error(error)
            if shown is error:
                raise
            raise shown from error
        except BaseException:  # the caller was interrupted or cancelled
            await self.aclose()
            raise
        return response

    async def advance(self) -> ResultStep | None:
        """Async counterpart of `advance` in `sync_driver`."""
        event: Event = None
        error: Exception | None = None
        step: Step | None
        while True:
            try:
                step = self.flow.send(event) if error is None else self.flow.throw(error)
            except StopIteration:
                return None
            except Exception as escaped:  # noqa: BLE001 - none may look like a broken connection
                step = self.to_failure(escaped, error)
            if step is None:
                raise self.broken or self.family.ReadError("the connection broke")
            if step is not READ and isinstance(step, RESULT_STEPS):
                return step
            event = error = None
            try:
                if step is READ:  # first, since a stream has many pieces
                    event = await (self.read_piece() if self.deadline is None else self.read_next())
                elif isinstance(step, Outgoing):
                    event = await self.exchange(step)
                else:
                    event = await self.carry_out(step)
            except self.family.RequestError as broken:
                error = self.note_break(broken)
            if self.is_closed:
                return None

    async def carry_out(self, step: CarriedOutStep) -> Event:
        """Async counterpart of `carry_out` in `sync_driver`."""
        if step is READ_LAST:
            return await self.read_last()
        if step is READ_REST:
            await self.read_rest()
            return None
        if isinstance(step, ReadAll):
            return await self.read_all(step)
        if isinstance(step, Lookup):
            return await self.look_up(step)
        if isinstance(step, Upload):
            return await self.upload(step)
        if isinstance(step, Sleep):
            await self.sleep(step.seconds)
            return None
        if isinstance(step, StoreAccess):
            return await async_access_store(self.adapter.responses_store, step)
        return self.apply_step(step)

    async def exchange(self, outgoing: Outgoing) -> Incoming:
        """Async counterpart of `exchange` in `sync_driver`."""
        if self.response is not None:
            await self.drop()
        response = await self.send(outgoing)
        status = response.status_code
        if status >= 300:
            return self.to_incoming(status)
        if not outgoing.with_first_piece:
            return Incoming(status, self.headers)
        piece = await (self.read_piece() if self.deadline is None else self.read_next())
        is_read = self.has_whole_body
        if is_read:
            await self.read_end()
        return Incoming(status, self.headers, first_piece=piece, is_read=is_read)

    async def send(self, outgoing: Outgoing) -> Response:
        """Async counterpart of `send` in `sync_driver`."""
        too_long = None
        if self.pacer is not None:
            self.seconds_left()
            too_long = await self.pacer.async_wait(self.authorization)
        request = self.new_request(outgoing)
        if too_long:
            response = self.rate_limited_response(too_long)
        else:
            try:
                response = await self.transport.inner.handle_async_request(request)
            except Exception as error:
                self.note_failure(request, error)
                broken = to_family_error(error, self.family)
                if broken is error:
                    raise
                raise broken from error
        self.set_response(request, response)
        return response

    async def look_up(self, lookup: Lookup) -> LookupResult:
        """Async counterpart of `look_up` in `sync_driver`."""

        async def find() -> LookupResult:
            driver = AsyncDriver(run_lookup(lookup), self.transport, self.request)
            if lookup.is_hint:
                driver.cap_timeouts()
            try:
                return self.to_lookup_result(lookup, await driver.advance())
            except self.exceptions_ending(lookup) as broken:
                return lookup_failed(lookup, type(broken).__name__)
            finally:
                await driver.aclose()

        agent_cache, key = self.adapter.agent_cache, self.adapter.lookup_key(lookup, self.request)
        seconds = self.timeout_seconds_for_lookup(lookup)
        if lookup.is_hint and seconds is not None:
            found = await agent_cache.async_find_within(key, find, seconds)
        else:
            found = await agent_cache.async_find(key, find, seconds)
        return lookup_failed(lookup, "timeout") if found is None else found

    async def upload(self, upload: Upload) -> UploadResult:
        """Async counterpart of `upload` in `sync_driver`."""

        async def carry_out() -> UploadResult:
            driver = AsyncDriver(upload_file(upload), self.transport, self.request)
            result: UploadResult | None = None
            try:
                result = self.to_upload_result(await driver.advance())
                return result
            finally:
                self.note_upload(driver, result)
                await driver.aclose()

        found = await self.adapter.uploads.async_find(self.upload_key(upload), carry_out)
        return upload_failed() if found is None else found

    async def sleep(self, seconds: float) -> None:
        """Async counterpart of `sleep` in `sync_driver`."""
        await self.transport.deadlines.async_sleep(min(seconds, self.seconds_left()), lambda: self.is_closed)
        self.seconds_left()

    def read(self) -> AsyncIterator[bytes]:
        """Async counterpart of `read` in `sync_driver`."""
        if self.is_encoded:
            response = self.current_response
            split_compressed(response, self.headers["content-encoding"], self.family)
            self.pieces = aiter(response.aiter_bytes())
        else:
            self.pieces = aiter(self.source)
        pieces: AsyncIterator[bytes] = self.pieces
        return pieces

    async def read_piece(self) -> bytes:
        """Async counterpart of `read_piece` in `sync_driver`."""
        try:
            if self.transport.deadlines.inner_ends_waits:
                piece = await self.receive()
            else:
                with self.transport.deadlines.async_wait_limit(self.read_timeout_seconds):
                    piece = await self.receive()
        except Exception as error:
            broken = to_family_error(error, self.family, is_reading=True)
            if broken is error:
                raise
            raise broken from error
        if piece:
            self.received_bytes += len(piece)
            self.has_whole_body = bool(self.length) and self.length == str(self.received_bytes)
            limit = self.adapter.max_answer_bytes
            if not self.has_whole_body or (limit is not None and self.received_bytes > limit):
                limits = self.limits or self.new_limits()
                problem = limits.problem_with(piece, is_whole=not self.reads_pieces)
                if problem is not None:
                    raise self.limit_error(problem)
        return piece

    async def receive(self) -> bytes:
        """Async counterpart of `receive` in `sync_driver`."""
        async for piece in self.read() if self.pieces is None else self.pieces:
            if piece:
                return piece
        return b""

    async def read_next(self) -> bytes:
        """Async counterpart of `read_next` in `sync_driver`."""
        connection = self.held_connection()
        response, limit = self.current_response, self.transport.deadlines.async_limit
        piece = b""
        try:
            with limit(self.seconds_left(), lambda: connection.interrupt(response)):
                piece = await self.read_piece()
        except self.family.RequestError:
            self.seconds_left()
            raise
        if not piece:
            self.seconds_left()
        return piece

    async def read_last(self) -> bytes:
        """Async counterpart of `read_last` in `sync_driver`."""
        response, received = self.current_response, list[bytes]()
        connection = self.held_connection()
        with self.transport.deadlines.async_limit(LAST_SECONDS, lambda: connection.interrupt(response)):
            received.append(await self.read_piece())
        return b"".join(received)

    async def read_all(self, asked: ReadAll) -> bytes:
        """Async counterpart of `read_all` in `sync_driver`."""
        whole = bytearray()
        try:
            while piece := await self.read_piece():
                whole += piece
                if asked.limit is not None and len(whole) >= asked.limit:
                    break
        except self.family.RequestError:
            if not asked.allow_truncation:
                raise
        return bytes(whole[: asked.limit])

    async def read_rest(self) -> None:
        """Async counterpart of `read_rest` in `sync_driver`."""
        if self.has_whole_body:
            await self.read_end()
            return
        try:
            connection, response, deadlines = (
                self.held_connection(),
                self.current_response,
                self.transport.deadlines,
            )
            with deadlines.async_limit(REST_SECONDS, lambda: connection.interrupt(response)):
                async for _ in self.read() if self.pieces is None else self.pieces:
                    pass
        except Exception:  # noqa: BLE001, S110 - the caller has the whole answer; nothing else matters
            pass

    async def read_end(self) -> None:
        """Async counterpart of `read_end` in `sync_driver`."""
        try:
            async for _ in self.pieces:
                pass
        except Exception:  # noqa: BLE001, S110 - as in `read_rest`
            pass

    async def drop(self) -> None:
        """Async counterpart of `drop` in `sync_driver`."""
        if self.connection is not None:
            self.connection.release()
        response, self.response, self.pieces = self.response, None, None
        if response is not None:
            await (response if self.is_encoded else self.source).aclose()

    async def aclose(self) -> None:
        """Async counterpart of `close` in `sync_driver`."""
        self.flow.close()
        await self.drop()

    async def next_piece(self) -> bytes:
        """Return the next piece of the caller's body; `b""` at its end, and once the caller has closed it."""
        if not self.flow_lock.acquire(blocking=False):
            raise self.family.ReadError("another thread or task is reading this stream")
        try:
            if self.limits is not None:
                self.limits.resume()
            piece = b"" if self.is_closed else await self.advance()
            if isinstance(piece, bytes) and piece and not self.is_closed:
                return piece
            await self.aclose()
        except self.family.RequestError as error:
            await self.aclose()
            if self.is_closed:
                return b""
            shown = self.to_caller_error(error)
            if shown is error:
                raise
            raise shown from error
        finally:
            self.flow_lock.release()
        return b""

    async def stop(self) -> None:
        """Async counterpart of `stop` in `sync_driver`."""
        self.is_closed = True
        if self.flow_lock.acquire(blocking=False):
            try:
                await self.aclose()
            finally:
                self.flow_lock.release()
        elif not self.held_connection().interrupt():
            with suppress(Exception):
                await self.drop()
