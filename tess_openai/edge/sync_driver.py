"""The sync driver: it carries out a flow over the client's own inner transport."""

from __future__ import annotations

from collections.abc import Iterator
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
from tess_openai.edge.response_stores import access_store


class SyncDriver(CallDriver):
    """Carries out one call over a sync transport."""

    def run(self) -> Response:
        """Return the call's answer, whole or with its body still to come."""
        try:
            answer = self.advance()
            response = self.to_response(answer)
            if isinstance(answer, Answer) and answer.body is not None:
                self.flow.close()
                self.drop()
        except self.family.RequestError as error:
            self.close()
            shown = self.to_caller_error(error)
            if shown is error:
                raise
            raise shown from error
        except BaseException:  # the caller was interrupted or cancelled
            self.close()
            raise
        return response

    def advance(self) -> ResultStep | None:
        """Run the flow to its next result: an answer or a piece of its body; None at the end."""
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
                    event = self.read_piece() if self.deadline is None else self.read_next()
                elif isinstance(step, Outgoing):
                    event = self.exchange(step)
                else:
                    event = self.carry_out(step)
            except self.family.RequestError as broken:
                error = self.note_break(broken)
            if self.is_closed:
                return None

    def carry_out(self, step: CarriedOutStep) -> Event:
        """Carry out a step that has no result for the caller; return what the flow receives."""
        if step is READ_LAST:
            return self.read_last()
        if step is READ_REST:
            self.read_rest()
            return None
        if isinstance(step, ReadAll):
            return self.read_all(step)
        if isinstance(step, Lookup):
            return self.look_up(step)
        if isinstance(step, Upload):
            return self.upload(step)
        if isinstance(step, Sleep):
            self.sleep(step.seconds)
            return None
        if isinstance(step, StoreAccess):
            return access_store(self.adapter.responses_store, step)
        return self.apply_step(step)

    def exchange(self, outgoing: Outgoing) -> Incoming:
        """Return the head of the answer to a request."""
        if self.response is not None:
            self.drop()
        response = self.send(outgoing)
        status = response.status_code
        if status >= 300:
            return self.to_incoming(status)
        if not outgoing.with_first_piece:
            return Incoming(status, self.headers)
        piece = self.read_piece() if self.deadline is None else self.read_next()
        is_read = self.has_whole_body
        if is_read:
            self.read_end()
        return Incoming(status, self.headers, first_piece=piece, is_read=is_read)

    def send(self, outgoing: Outgoing) -> Response:
        """Send one request, when it is its key's turn, and make its response the current one."""
        too_long = None
        if self.pacer is not None:
            self.seconds_left()
            too_long = self.pacer.wait(self.authorization)
        request = self.new_request(outgoing)
        if too_long:
            response = self.rate_limited_response(too_long)
        else:
            try:
                response = self.transport.inner.handle_request(request)
            except Exception as error:
                self.note_failure(request, error)
                broken = to_family_error(error, self.family)
                if broken is error:
                    raise
                raise broken from error
        self.set_response(request, response)
        return response

    def look_up(self, lookup: Lookup) -> LookupResult:
        """Find an agent by a flow of its own over the same transport, once for all calls that need it."""

        def find() -> LookupResult:
            driver = SyncDriver(run_lookup(lookup), self.transport, self.request)
            if lookup.is_hint:
                driver.cap_timeouts()
            try:
                return self.to_lookup_result(lookup, driver.advance())
            except self.exceptions_ending(lookup) as broken:
                return lookup_failed(lookup, type(broken).__name__)
            finally:
                driver.close()

        agent_cache, key = self.adapter.agent_cache, self.adapter.lookup_key(lookup, self.request)
        seconds = self.timeout_seconds_for_lookup(lookup)
        if lookup.is_hint and seconds is not None:
            found = agent_cache.find_within(key, find, seconds)
        else:
            found = agent_cache.find(key, find, seconds)
        return lookup_failed(lookup, "timeout") if found is None else found

    def upload(self, upload: Upload) -> UploadResult:
        """Upload a file by a flow of its own over the same transport, once for all calls that need it."""

        def carry_out() -> UploadResult:
            driver = SyncDriver(upload_file(upload), self.transport, self.request)
            result: UploadResult | None = None
            try:
                result = self.to_upload_result(driver.advance())
                return result
            finally:
                self.note_upload(driver, result)
                driver.close()

        found = self.adapter.uploads.find(self.upload_key(upload), carry_out)
        return upload_failed() if found is None else found

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the deadline of the call or until its stream is closed."""
        self.transport.deadlines.sleep(min(seconds, self.seconds_left()), lambda: self.is_closed)
        self.seconds_left()

    def read(self) -> Iterator[bytes]:
        """Return the iterator over the current response, decoded."""
        if self.is_encoded:
            response = self.current_response
            split_compressed(response, self.headers["content-encoding"], self.family)
            self.pieces = iter(response.iter_bytes())
        else:
            self.pieces = iter(self.source)
        pieces: Iterator[bytes] = self.pieces
        return pieces

    def read_piece(self) -> bytes:
        """Read the next piece of the current response that is not empty; `b""` at its end."""
        try:
            if self.transport.deadlines.inner_ends_waits:
                piece = self.receive()
            else:
                with self.transport.deadlines.wait_limit(self.read_timeout_seconds):
                    piece = self.receive()
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

    def receive(self) -> bytes:
        """Wait for the next piece."""
        for piece in self.read() if self.pieces is None else self.pieces:
            if piece:
                return piece
        return b""

    def read_next(self) -> bytes:
        """Read the next piece of a call with a deadline, and wait no longer than that."""
        connection = self.held_connection()
        response, limit = self.current_response, self.transport.deadlines.limit
        piece = b""
        try:
            with limit(self.seconds_left(), lambda: connection.interrupt(response)):
                piece = self.read_piece()
        except self.family.RequestError:
            self.seconds_left()  # raises if the read failed because it was interrupted at the deadline
            raise
        if not piece:
            self.seconds_left()
        return piece

    def read_last(self) -> bytes:
        """Read one more piece after a complete answer, for `LAST_SECONDS` at most; it may never come."""
        response, received = self.current_response, list[bytes]()
        connection = self.held_connection()
        with self.transport.deadlines.limit(LAST_SECONDS, lambda: connection.interrupt(response)):
            received.append(self.read_piece())
        return b"".join(received)

    def read_all(self, asked: ReadAll) -> bytes:
        """Read the current response to its end or the limit; with `allow_truncation`, also to a break."""
        whole = bytearray()
        try:
            while piece := self.read_piece():
                whole += piece
                if asked.limit is not None and len(whole) >= asked.limit:
                    break
        except self.family.RequestError:
            if not asked.allow_truncation:
                raise
        return bytes(whole[: asked.limit])

    def read_rest(self) -> None:
        """Read what follows an answer, for `REST_SECONDS` at most, so that its connection can be reused."""
        if self.has_whole_body:
            self.read_end()
            return
        try:
            connection, response, deadlines = (
                self.held_connection(),
                self.current_response,
                self.transport.deadlines,
            )
            with deadlines.limit(REST_SECONDS, lambda: connection.interrupt(response)):
                for _ in self.read() if self.pieces is None else self.pieces:
                    pass
        except Exception:  # noqa: BLE001, S110 - the caller has the whole answer; nothing else matters
            pass

    def read_end(self) -> None:
        """Let the body, all of which was received, find its end."""
        try:
            for _ in self.pieces:
                pass
        except Exception:  # noqa: BLE001, S110 - as in `read_rest`
            pass

    def drop(self) -> None:
        """Close the current response."""
        if self.connection is not None:
            self.connection.release()
        response, self.response, self.pieces = self.response, None, None
        if response is not None:
            (response if self.is_encoded else self.source).close()

    def close(self) -> None:
        """End the call at whatever step it is."""
        self.flow.close()
        self.drop()

    def next_piece(self) -> bytes:
        """Return the next piece of the caller's body; `b""` at its end, and once the caller has closed it."""
        if not self.flow_lock.acquire(blocking=False):
            raise self.family.ReadError("another thread or task is reading this stream")
        try:
            if self.limits is not None:
                self.limits.resume()
            piece = b"" if self.is_closed else self.advance()
            if isinstance(piece, bytes) and piece and not self.is_closed:
                return piece
            self.close()
        except self.family.RequestError as error:
            self.close()
            if self.is_closed:
                return b""
            shown = self.to_caller_error(error)
            if shown is error:
                raise
            raise shown from error
        finally:
            self.flow_lock.release()
        return b""

    def stop(self) -> None:
        """End the call from any thread or task, while another one may be reading."""
        self.is_closed = True
        if self.flow_lock.acquire(blocking=False):
            try:
                self.close()
            finally:
                self.flow_lock.release()
        elif not self.held_connection().interrupt():
            with suppress(Exception):
                self.drop()
