"""One call on its way: everything its two drivers, sync and async, share; no I/O."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    AgentNotFound,
    Answer,
    Event,
    Flow,
    Incoming,
    Lookup,
    LookupResult,
    Outgoing,
    PauseKey,
    ReportChanges,
    Step,
)
from tess_openai.core.jsons import dump_json
from tess_openai.core.lookups import lookup_failed
from tess_openai.core.refusals import Refused
from tess_openai.edge.adapter import REDIRECT_FOLLOWED, Adapter, logger
from tess_openai.edge.families import Family, Request, Response, change_headers, to_dict, with_headers
from tess_openai.edge.pacing import Pacer

RESULT_STEPS: Final = (Answer, bytes, Agent, AgentNotFound)
"""Steps that are not for the driver but for who waits for it."""
HINT_SECONDS: Final = 5.0
"""For a look-up that only adds to an error, which the caller waits for."""
NOT_SENT: Final = "tess_openai.unsent"
"""Extension of an answer to a request that was held back: it is not Tess's, and asks nobody to wait."""
_REPLACED: Final = ("content-length", "transfer-encoding", "content-encoding")
_TIMEOUTS: Final = ("connect", "read", "write", "pool")
_IDENTITY: Final = ("", "identity")


class CallDriver:
    """One call on its way: the flow, the caller's request, the answer in hand. No I/O here."""

    def __init__(self, flow: Flow, adapter: Adapter, family: Family, request: Request) -> None:
        self.flow = flow
        self.adapter = adapter
        self.family = family
        self.request = request
        self.pacer = adapter.pacer
        self.response: Response | None = None
        self.source: Any = None  # the stream of the answer in hand, as it came
        self.headers: dict[str, str] = {}
        self.began = False
        self.ahead: Incoming | None = None  # of a request that was sent before the flow asked for it

    @property
    def is_encoded(self) -> bool:
        """Whether the answer in hand is compressed; the response then reads, and closes, itself."""
        return self.headers.get("content-encoding", "") not in _IDENTITY

    @property
    def current_response(self) -> Response:
        """The answer in hand, which a flow that reads has."""
        if self.response is None:
            raise TypeError("a flow reads after an exchange only")
        return self.response

    def to_request(self, outgoing: Outgoing) -> Request:
        """Return the request for Tess; the caller's own when nothing differs."""
        given = self.request
        body, url = outgoing.body, given.url
        if body is None and outgoing.path is None and outgoing.method is None:
            return with_headers(given, self.family, outgoing.headers) if outgoing.headers else given
        stream = given.stream if body is None else self.family.ByteStream(body)
        if outgoing.path is not None:
            query = url.query.decode() if outgoing.query is None else outgoing.query
            query = f"?{query}" if query else ""
            url = url.copy_with(raw_path=f"{self.adapter.origin.prefix}{outgoing.path}{query}".encode())
        method = outgoing.method or given.method
        request = self.family.Request(
            method, url, headers=given.headers, stream=stream, extensions=given.extensions
        )
        change_headers(request.headers, outgoing.headers)  # the new request has copied them
        if body is not None:
            request.headers["content-length"] = str(len(body))
        if isinstance(stream, self.family.ByteStream):
            request.read()  # in memory already; inner transports and instruments look at `content`
        return request

    def to_incoming(self, response: Response) -> Incoming:
        """Return the head of an answer."""
        self.response, self.source = response, response.stream
        self.headers = headers = to_dict(response.headers)
        redirects_within_api = 300 <= response.status_code < 400 and self._redirects_within_api(
            headers.get("location", "")
        )
        if redirects_within_api:
            self.request.extensions[REDIRECT_FOLLOWED] = True  # the client copies them to its next request
        return Incoming(response.status_code, headers, redirects_within_api)

    def _redirects_within_api(self, location: str) -> bool:
        try:
            target = self.request.url.join(location)
        except (self.family.InvalidURL, ValueError):
            return False
        return bool(location) and self.adapter.origin.redirects_within_api(target)

    def to_response(self, answer: Answer, stream: Any) -> Response:
        """Return the caller's response; `stream` is its body, decoded."""
        response = self.response
        if answer.base == "as read" and response is not None and not self.is_encoded:
            response.stream = stream
            return response
        kept = None if response is None or answer.base == "none" else response
        made = self.family.Response(
            answer.status,
            headers=None if kept is None else kept.headers,
            stream=stream,
            extensions={} if kept is None else kept.extensions,
        )
        if kept is not None:
            change_headers(made.headers, dict.fromkeys(name for name in _REPLACED if name in self.headers))
        change_headers(made.headers, answer.headers)
        if answer.body is not None:
            made.headers["content-length"] = str(len(answer.body))
        return made

    def apply_step(self, step: ReportChanges | PauseKey) -> str | None:
        """Tell the caller, or the key's other calls."""
        if isinstance(step, ReportChanges):
            return self.adapter.report(step.changes)
        if self.pacer is not None and NOT_SENT not in self.current_response.extensions:
            self.pacer.pause(self.authorization, step.seconds)
        return None

    @property
    def authorization(self) -> str:
        """The header with the caller's key."""
        return self.request.headers.get("authorization", "")

    def paced(self, request: Request, pacer: Pacer) -> Request:
        """Return a request that tells its pace when it leaves.

        Its turn is counted from there: until then a connection may have to be opened, and a call that comes
        over an open one an interval later would reach Tess sooner after it than that.
        """
        authorization = self.authorization
        leaving = with_headers(request, self.family, {})
        family = self.family
        in_memory = isinstance(
            request.stream, family.ByteStream
        )  # who reads a stream of it again gets it again
        bases = (family.ByteStream,) if in_memory else (family.SyncByteStream, family.AsyncByteStream)
        body_class = family.derive(NotifyingBody, *bases)
        leaving.stream = body_class(request.stream, lambda: pacer.mark_sent(authorization))
        return leaving

    def rate_limited_response(self, seconds: float) -> Response:
        """Return what Tess would say to a call that comes before its key may go on."""
        told = "Rate limit exceeded: an earlier call of this key was told so, and this one was not sent"
        body = dump_json({"error": told, "retry_after": math.ceil(seconds)})
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        stream = self.family.ByteStream(body)
        return self.family.Response(429, headers=headers, stream=stream, extensions={NOT_SENT: True})

    def cap_timeouts(self) -> None:
        """Give this run little time: in line, and for each step of its exchange."""
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
        """Return how long to wait for who makes a look-up: as long as for Tess itself."""
        seconds = _timeouts(self.request)["read"]
        return _at_most(HINT_SECONDS, seconds) if lookup.is_hint else seconds

    def to_lookup_result(self, lookup: Lookup, step: Step | None) -> LookupResult:
        """Return what a look-up flow ended with."""
        return step if isinstance(step, Agent | AgentNotFound) else lookup_failed(lookup, "adapter_error")

    def breaks(self, lookup: Lookup) -> type[Exception]:
        """Return what may break a look-up without breaking the call; a hint must never hide an error."""
        return Exception if lookup.is_hint else self.family.RequestError

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


class NotifyingBody:
    """A request's body that tells when it is sent."""

    def __init__(self, body: Any, tell: Callable[[], None]) -> None:
        self._body = body
        self._tell = tell

    def __iter__(self) -> Iterator[bytes]:
        self._tell()
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._tell()
        return aiter(self._body)


def _timeouts(request: Request) -> dict[str, float | None]:
    """Return the timeouts of a request, in seconds; None for those it does not limit."""
    given: dict[str, float | None] = request.extensions.get("timeout") or {}
    return {**dict.fromkeys(_TIMEOUTS), **given}


def _at_most(limit: float, seconds: float | None) -> float:
    return limit if seconds is None else min(limit, seconds)
