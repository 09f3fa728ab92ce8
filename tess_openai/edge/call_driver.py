"""What the sync and the async driver of a call share; no I/O."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from threading import Lock
from typing import Any, Final, Literal, TypeAlias

from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    AgentNotFound,
    Answer,
    Flow,
    Incoming,
    LimitAnswer,
    Lookup,
    LookupResult,
    Outgoing,
    PauseKey,
    Read,
    ReportChanges,
    ServiceStep,
    Step,
    Upload,
    UploadedFile,
    UploadResult,
)
from tess_openai.core.files import FILES_PATH
from tess_openai.core.headers import WORKSPACE_HEADER
from tess_openai.core.jsons import dump_json
from tess_openai.core.lookups import lookup_failed
from tess_openai.core.paid_once import IDEMPOTENT, may_have_run
from tess_openai.core.refusals import NO_RETRY, Refused
from tess_openai.core.uploads import upload_failed
from tess_openai.edge.adapter import Adapter, logger
from tess_openai.edge.answer_limits import AnswerLimits, AnswerProblem
from tess_openai.edge.connections import HeldConnection
from tess_openai.edge.families import Family, Request, Response, changed_headers, to_dict
from tess_openai.edge.origins import REDIRECT_FOLLOWED, followed
from tess_openai.edge.outgoing_requests import to_request
from tess_openai.edge.own_responses import copied_as
from tess_openai.edge.pacing import hash_key
from tess_openai.edge.paid_calls import (
    ObservedBody,
    may_have_been_sent,
    passes_own_errors,
    remember_failure,
    to_sdk_error,
)

RESULT_STEPS: Final = (Answer, bytes, Agent, AgentNotFound, UploadedFile)
"""The classes of `ResultStep`, which `advance` returns; the type checkers find a missing one."""
CarriedOutStep: TypeAlias = Literal[Read.LAST, Read.REST] | ServiceStep
"""The steps that `carry_out` carries out."""
HINT_SECONDS: Final = 5.0
"""Time limit of a look-up that only adds a hint to an error, since the caller waits for the error."""
LAST_SECONDS: Final = 2.0
"""Time limit of what may or may not follow a complete answer: its token counts, its `[DONE]`."""
REST_SECONDS: Final = 0.1
"""Time limit of the bytes after the end of an answer, which are read so that its connection can be reused."""
NOT_SENT: Final = "tess_openai.not_sent"
"""Extension of an answer that the adapter made to a request that it did not send; it pauses no key."""
_NO_HEADERS: Final[Mapping[str, str]] = {}
_LENGTH: Final = "content-length"
_REPLACED: Final = dict.fromkeys((_LENGTH, "transfer-encoding", "content-encoding"))
_TIMEOUTS: Final = ("connect", "read", "write", "pool")
_IDENTITY: Final = ("", "identity")


class CallDriver:
    """One call: the flow, the caller's request, the current response. No I/O here.

    Attributes:
        has_begun: Whether the caller has got the head of a stream.
        may_have_run: Whether anything that was sent may have been executed, so that nothing is sent again.
        flow_lock: Held by the thread or task that carries out the flow.
        is_encoded: Whether the current response must be decompressed; it then reads, and closes, itself.
        connection: The connection of the current response, once another thread or task may interrupt it.
        is_closed: Whether the caller has closed the stream, perhaps while another thread or task reads it.
        received_bytes: How much was read of the body of the current response, decompressed.
        has_whole_body: Whether that is as much as the head promises (`length`); then the end is known.
        reads_pieces: Whether the time limit is for each piece and not for the whole answer: the caller gets a
            stream, or the body as it was received, or Tess's answers come as streams.
        deadline: When all answers of the call must be complete, on the monotonic clock; None for no limit.
    """

    response: Response | None = None
    source: Any = None  # the stream of the current response as it was received
    pieces: Any = None  # its iterator, once it is read
    headers: Mapping[str, str] = _NO_HEADERS
    limits: AnswerLimits | None = None
    received_bytes = 0
    has_whole_body = False
    length = ""
    broken: Exception | None = None
    has_begun = False
    may_have_run = False
    is_encoded = False
    is_closed = False
    reads_pieces = False
    deadline: float | None = None
    flow_lock: Lock
    connection: HeldConnection | None = None
    # These are class attributes because most calls need only a few of them.

    def __init__(self, flow: Flow, transport: Any, request: Request) -> None:
        """Carry out `flow` for a request of the caller's, over a transport of the same kind."""
        self.flow = flow
        self.transport = transport
        self.adapter: Adapter = transport.adapter
        self.family: Family = transport.family
        self.request = request
        self.pacer = self.adapter.pacer

    def held_connection(self) -> HeldConnection:
        """Return the connection of this call, which may be interrupted from now on."""
        if self.connection is None:
            self.connection = HeldConnection()
            if self.response is not None:
                self.connection.hold(self.response)
        return self.connection

    def new_body(self) -> Any:
        """Return the caller's body, which any thread or task may read and close."""
        self.flow_lock = Lock()
        self.held_connection()
        return self.transport.body_class(self)

    @property
    def current_response(self) -> Response:
        """The current response; a flow that reads always has one."""
        if self.response is None:
            raise TypeError("a flow reads after an exchange only")
        return self.response

    def new_request(self, outgoing: Outgoing) -> Request:
        """Return the request for Tess, which shows whether it was sent, and, with pacing, reports when.

        The next turn of a paced key is counted from the moment at which the request is sent, not from its own
        turn: opening a connection takes time, and a later call on an open one would follow too closely.

        Raises:
            RequestError: The family's own: the time of this call is over.
        """
        request = to_request(outgoing, self.request, self.family, self.adapter.origin)
        if self.deadline is not None:
            timeouts = _timeouts(request)
            timeouts["read"] = _at_most(self.seconds_left(), timeouts["read"])
            request.extensions["timeout"] = timeouts
        on_start, pacer = None, self.pacer
        if pacer is not None:
            on_start = partial(pacer.mark_sent, self.authorization, pacer.queues.clock())
        elif request.method in IDEMPOTENT:
            return request
        transport, body = self.transport, request.stream
        is_in_memory = isinstance(body, self.family.ByteStream)
        observed = transport.observed_bytes if is_in_memory else transport.observed_stream
        request.stream = observed(body, on_start)
        return request

    def note_failure(self, request: Request, error: Exception) -> None:
        """Note that an exchange failed, perhaps after its request was executed."""
        if request.method not in IDEMPOTENT:
            body = request.stream  # a transport may have read it, and put one in memory in its place
            observed = body if isinstance(body, ObservedBody) else None
            self.may_have_run = self.may_have_run or may_have_been_sent(error, observed)

    def set_response(self, request: Request, response: Response) -> None:
        """Make a response the current one: its request may have been executed, or have deleted a file."""
        if request.method not in IDEMPOTENT:
            self.may_have_run = self.may_have_run or may_have_run(response.status_code)
        elif request.method == "DELETE" and NOT_SENT not in response.extensions:
            number = request.url.path.rstrip("/").rpartition(f"{FILES_PATH}/")[2]
            self.adapter.uploads.forget(
                lambda found: isinstance(found, UploadedFile) and str(found.number) == number
            )
        self.response, self.source = response, response.stream
        if self.connection is not None:
            self.connection.hold(response)
        self.headers = headers = to_dict(response.headers)
        self.is_encoded = headers.get("content-encoding", "") not in _IDENTITY
        self.length = "" if self.is_encoded else headers.get(_LENGTH, "")
        self.limits, self.received_bytes, self.has_whole_body = None, 0, False

    def new_limits(self) -> AnswerLimits:
        """Begin to limit the current response, which is too large or was not received in one piece."""
        self.limits = AnswerLimits(self.read_timeout_seconds, self.adapter.max_answer_bytes)
        return self.limits

    def limit_error(self, problem: AnswerProblem) -> Exception:
        """Return the family's own error for a response that exceeds a limit."""
        if problem == "too large":
            return self.family.ReadError(
                f"the answer is longer than max_answer_bytes={self.adapter.max_answer_bytes}"
            )
        return self.family.ReadTimeout("The read operation timed out: only pings came, or too little")

    def to_incoming(self, status: int) -> Incoming:
        """Return the head of the current response, which may be a redirect."""
        extensions, headers = self.request.extensions, self.headers
        redirects = followed(self.request) if REDIRECT_FOLLOWED in extensions else 0
        may_follow = 300 <= status < 400 and self.adapter.origin.follows(
            headers.get("location", ""), self.request, self.family
        )
        if may_follow:
            extensions[REDIRECT_FOLLOWED] = redirects + 1  # the client's next request shares them
        return Incoming(status, headers, may_follow, redirects)

    def to_response(self, answer: Step | None) -> Response:
        """Return the caller's response to the first result of a flow."""
        if not isinstance(answer, Answer):
            raise TypeError("a flow gives an Answer first")
        response = self.response
        if answer.base == "as is" and response is not None:
            if self.may_have_run:
                self.reads_pieces, self.is_encoded = True, False
                response.stream = self.new_body()
            return response
        if answer.body is None:
            self.has_begun = self.reads_pieces = True
            stream = self.new_body()
        else:
            stream = self.family.ByteStream(answer.body)
        kind = self.transport.streamed_response if answer.body is None else self.transport.whole_response
        is_shorter = answer.body is not None and len(answer.body) != self.received_bytes
        if answer.base != "as read" or response is None or self.is_encoded or is_shorter:
            response = self.new_response(answer, kind, stream)
        else:
            response.stream = stream
            if type(response) is not self.family.Response:  # it belongs to a library that wraps the transport
                return response
            response = copied_as(response, kind)
        vars(response).update(own_stream=stream, whole_body=answer.body, parsed_body=answer.fields)
        return response

    def new_response(self, answer: Answer, kind: Callable[..., Response], stream: Any) -> Response:
        """Return a response of a class of the adapter's; `stream` is its body, decoded."""
        response = self.response
        kept = None if response is None or answer.base == "none" else response
        changes = dict(answer.headers)
        if answer.status >= 400 and self.may_have_run and not self.adapter.repeat_paid:
            changes.update(NO_RETRY)
        if answer.body is not None:
            changes[_LENGTH] = str(len(answer.body))
        return kind(
            answer.status,
            headers=changed_headers([] if kept is None else kept.headers.raw, _REPLACED | changes),
            stream=stream,
            extensions={} if kept is None else kept.extensions,
        )

    def apply_step(self, step: ReportChanges | PauseKey | LimitAnswer) -> str | None:
        """Report changes, pause the key, or limit the time of this call."""
        if isinstance(step, ReportChanges):
            return self.adapter.report(step.changes)
        if isinstance(step, LimitAnswer):
            self.reads_pieces = True
            if step.seconds is not None:
                self.deadline = time.monotonic() + step.seconds
            return None
        if self.pacer is not None and NOT_SENT not in self.current_response.extensions:
            self.pacer.pause(self.authorization, step.seconds)
        return None

    @property
    def read_timeout_seconds(self) -> float | None:
        """How long the caller waits for the next piece of an answer; None means without limit."""
        timeouts: dict[str, float | None] = self.request.extensions.get("timeout") or {}
        return timeouts.get("read")

    @property
    def authorization(self) -> str:
        """The header with the caller's key."""
        return self.request.headers.get("authorization", "")

    def rate_limited_response(self, seconds: float) -> Response:
        """Return the 429 that Tess would give to a call before its key may send again."""
        message = (
            "Rate limit exceeded: Tess returned 429 to an earlier call of this key; this one was not sent"
        )
        body = dump_json({"error": message, "retry_after": math.ceil(seconds)})
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        stream = self.family.ByteStream(body)
        extensions = {NOT_SENT: True}
        made: Response = self.family.Response(429, headers=headers, stream=stream, extensions=extensions)
        return made

    def seconds_left(self) -> float:
        """Return how long the answers of this call may still take.

        Raises:
            RequestError: The family's own: their time is over.
        """
        left = math.inf if self.deadline is None else self.deadline - time.monotonic()
        if left <= 0:
            raise self.overdue_error()
        return left

    def overdue_error(self) -> Exception:
        """Return the error of a call whose answers took too long."""
        return self.family.ReadTimeout("The read operation timed out: max_answer_seconds is over")

    def cap_timeouts(self) -> None:
        """Limit how long this call waits for its turn and for each step of its exchange."""
        if self.pacer is not None:
            self.pacer = self.pacer.with_short_waits(HINT_SECONDS)
        given = self.request
        timeouts = {name: _at_most(HINT_SECONDS, seconds) for name, seconds in _timeouts(given).items()}
        self.request = self.family.Request(
            given.method,
            given.url,
            headers=given.headers,
            stream=given.stream,
            extensions={**given.extensions, "timeout": timeouts},
        )

    def timeout_seconds_for_lookup(self, lookup: Lookup) -> float | None:
        """Return how long to wait for a look-up that another call makes: as long as for Tess itself."""
        seconds = self.read_timeout_seconds
        return _at_most(HINT_SECONDS, seconds) if lookup.is_hint else seconds

    def to_lookup_result(self, lookup: Lookup, step: Step | None) -> LookupResult:
        """Return the result of a look-up flow."""
        return step if isinstance(step, Agent | AgentNotFound) else lookup_failed(lookup, "adapter_error")

    def upload_key(self, upload: Upload) -> Hashable:
        """Return the cache key of an upload: files belong to a workspace."""
        workspace = upload.headers.get(WORKSPACE_HEADER) or self.request.headers.get(WORKSPACE_HEADER)
        return upload.digest, workspace, hash_key(self.authorization)

    def note_upload(self, upload: CallDriver, result: UploadResult | None) -> None:
        """Note the result of an upload: a failed one may have been executed, so the call is not repeated.

        After a successful one the file is cached, so the call may be repeated.
        """
        if not isinstance(result, UploadedFile):
            self.may_have_run = self.may_have_run or upload.may_have_run

    def to_upload_result(self, step: Step | None) -> UploadResult:
        """Return the result of an upload flow."""
        return step if isinstance(step, UploadedFile | Answer) else upload_failed()

    def exceptions_ending(self, lookup: Lookup) -> type[Exception]:
        """Return the exceptions that end a look-up but not its call; a hint must never hide an error."""
        return Exception if lookup.is_hint else self.family.RequestError

    def to_failure(self, escaped: Exception, thrown: Exception | None) -> Answer | None:
        """Return the answer for an exception that escaped from the flow; None when the connection broke.

        A bug in the flow becomes an answer: if it were raised, the SDK would take it for a broken connection,
        and send and pay for the same call again.

        Args:
            escaped: What the flow raised.
            thrown: What was thrown into it, for a break of the connection.
        """
        if escaped is thrown:
            return None
        logger.error("tess_openai failed on a call", exc_info=escaped)
        message = f"tess_openai itself failed ({type(escaped).__name__}); please report it"
        if not self.has_begun:
            return Refused(message, param=None, code="adapter_error", status=500).to_answer()
        self.broken = self.family.ReadError(message)
        return None

    def note_break(self, error: Exception) -> ConnectionError:
        """Return what to throw into the flow for a connection that broke."""
        self.broken = error
        return ConnectionError(str(error) or type(error).__name__)

    def to_caller_error(self, error: Exception) -> Exception:
        """Return the exception for the caller's SDK, which repeats no call that may have been executed."""
        if not self.has_begun:
            if not self.may_have_run or self.adapter.repeat_paid:
                return error
            remember_failure(self.request, error)
            if not passes_own_errors():
                return error
        return to_sdk_error(error, self.request, in_stream=self.has_begun) or error


def _timeouts(request: Request) -> dict[str, float | None]:
    """Return the timeouts of a request, in seconds; None for those it does not limit."""
    given: dict[str, float | None] = request.extensions.get("timeout") or {}
    return {**dict.fromkeys(_TIMEOUTS), **given}


def _at_most(limit: float, seconds: float | None) -> float:
    return limit if seconds is None else min(limit, seconds)
