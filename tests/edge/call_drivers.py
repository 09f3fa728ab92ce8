"""Drivers of calls that are tested without a server."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from types import SimpleNamespace
from typing import Any, Final

from tess_openai.core.calls import READ, Answer, Event, Outgoing, Step
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, refuse
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.families import Family
from tess_openai.edge.origins import Origin
from tess_openai.edge.sync_driver import SyncDriver
from tess_openai.edge.transports import TessTransport

URL: Final = "https://tess.example/agents/42/openai/chat/completions"
KEY: Final = "Bearer 1|a-key"
DONE: Final = Answer(200, {}, b"{}", "none")
STREAM: Final = Answer(200, {}, None, "none")
ASKED: Final = Outgoing(b"{}")


def driver_of(
    family: Family, *, method: str = "POST", headers: Any = None, extensions: Any = None, **settings: Any
) -> SyncDriver:
    """Return the driver of one call, over a transport that sends nothing; `settings` are the adapter's."""
    adapter = Adapter(Origin("https", "tess.example", None, ""), Options(), **settings)
    inner: Any = SimpleNamespace(close=None)
    transport = TessTransport(inner, adapter, family, None)
    given: dict[str, str] = {"authorization": KEY, **(headers or {})}
    request = family.Request(method, URL, headers=given, content=b"{}", extensions=extensions or {})
    return SyncDriver(refuse(Refused("unused", param=None, code="unused")), transport, request)


class Pieces:
    """The stream of a body in pieces, the last of which may be an error."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.unread = list(pieces)
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        while self.unread:
            piece = self.unread.pop(0)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        """Note that the call closed it."""
        self.is_closed = True


class Inner:
    """A transport that gives one answer for each request."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[Any] = []

    def handle_request(self, request: Any) -> Any:
        """Return the next answer, or raise it, after all of the request was sent where it can be."""
        answer = self.answers.pop(0)
        if type(answer).__name__ == "ConnectError":
            raise answer
        b"".join(request.stream)
        self.requests.append(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def answer_of(
    family: Family, *pieces: bytes | Exception, status: int = 200, **headers: str
) -> tuple[Any, Pieces]:
    """Return a response and the stream of its body."""
    stream = family.derive(Pieces, family.SyncByteStream)(*pieces)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return family.Response(status, headers=given, stream=stream), stream


class Pacing:
    """A pacer that records what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.queues = SimpleNamespace(clock=lambda: 7.0)

    def mark_sent(self, authorization: str, taken_at: float) -> None:
        """Record that a request is sent."""
        self.calls.append(("sent", authorization, taken_at))

    def pause(self, authorization: str, seconds: float) -> None:
        """Record a pause."""
        self.calls.append(("pause", authorization, seconds))

    def with_short_waits(self, longest_wait_seconds: float) -> tuple[str, float]:
        """Return the limit of the waits."""
        return "short waits", longest_wait_seconds


class Steps:
    """A flow of given steps, which records what it receives and that it was closed."""

    def __init__(self, *steps: Step | Exception) -> None:
        self.received: list[Event] = []
        self.is_closed = False
        self.run = self._run(steps)

    def _run(self, steps: tuple[Step | Exception, ...]) -> Generator[Step, Event, None]:
        try:
            for step in steps:
                if isinstance(step, Exception):
                    raise step
                self.received.append((yield step))
        finally:
            self.is_closed = True


def carrying_out(
    family: Family, inner: Inner, *steps: Step | Exception, **settings: Any
) -> tuple[SyncDriver, Steps]:
    """Return the driver of a call with these steps, over an inner transport."""
    driver, flow = driver_of(family, **settings), Steps(*steps)
    driver.flow, driver.transport.inner = flow.run, inner
    return driver, flow


def streaming(
    family: Family, *pieces: bytes | Exception, steps: tuple[Step | Exception, ...] = (READ, b"a", b"b")
) -> tuple[SyncDriver, Steps, Pieces]:
    """Return a call whose caller has received the head of a stream."""
    response, body = answer_of(family, *pieces)
    driver, flow = carrying_out(family, Inner(response), ASKED, STREAM, *steps)
    driver.run()
    return driver, flow, body
