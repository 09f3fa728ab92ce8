"""Drive a chat whose answer takes several requests: a test gives each answer of Tess, or its break."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tess_openai.core.calls import (
    READ_REST,
    Answer,
    Call,
    Event,
    Incoming,
    LimitAnswer,
    Outgoing,
    PauseKey,
    Read,
    ReadAll,
    ReportChanges,
    Sleep,
)
from tess_openai.core.changes import Change
from tess_openai.core.chat_call import chat_completion
from tess_openai.core.options import Options

JSON: TypeAlias = dict[str, Any]
Exchange: TypeAlias = tuple[int, Sequence[bytes | Exception]]
"""The status and the pieces of an answer of Tess."""
BROKEN: Final = ConnectionError("peer closed connection")
UNREACHABLE: Final = ConnectionError("connection refused")
DONE: Final = b"data: [DONE]\n\n"
CONTINUE: Final = Options(long_answers="stream", on_cut="continue")
NOT_SENT: Final[Exchange] = (599, ())
"""In place of an answer: the request could not be sent."""


def event(content: str, reason: str | None = None, *, index: int = 0, **more: object) -> bytes:
    """Return the event of a complete chunk."""
    choice = {"index": index, "delta": {"content": content}, "finish_reason": reason}
    root = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return b"data: " + json.dumps({**root, "choices": [choice], **more}).encode() + b"\n\n"


def says(*texts: str, reason: str | None = "stop") -> Exchange:
    """Return a complete answer."""
    return 200, [*map(event, texts), event("", reason), DONE]


def breaks(*texts: str) -> Exchange:
    """Return an answer whose connection breaks."""
    return 200, [*map(event, texts), BROKEN]


@dataclass
class Run:
    """One call, driven to its end.

    Attributes:
        sent: Every request.
        reports: The changes that were known when each request was sent, and at the end.
        limits: The limits of the time.
        steps: The names of the requests, waits and pieces of the answer, in order.
        answer: The caller's answer.
        body: The caller's body.
    """

    sent: list[Outgoing] = field(default_factory=list[Outgoing])
    reports: list[list[Change]] = field(default_factory=lambda: [[]])
    limits: list[float | None] = field(default_factory=list["float | None"])
    steps: list[str] = field(default_factory=list[str])
    answer: Answer = field(default_factory=lambda: Answer(0))
    body: bytes = b""

    @property
    def requests(self) -> list[JSON]:
        """The JSON of every request."""
        return [json.loads(each.body or b"null") for each in self.sent]

    @property
    def payload(self) -> JSON:
        """The caller's body as JSON."""
        payload: JSON = json.loads(self.body)
        return payload

    @property
    def text(self) -> str:
        """The text of a whole answer."""
        return str(self.payload["choices"][0]["message"]["content"])

    @property
    def reason(self) -> object:
        """The finish reason of a whole answer."""
        return self.payload["choices"][0]["finish_reason"]

    @property
    def error(self) -> JSON:
        """The error in the caller's body."""
        error: JSON = self.payload["error"]
        return error

    @property
    def changes(self) -> list[Change]:
        """All changes of the answer, in order."""
        return [change for report in self.reports for change in report if change.param == "answer"]

    def keep(self, step: LimitAnswer | PauseKey | Answer | bytes) -> None:
        """Keep what a step gives that has no result."""
        if isinstance(step, LimitAnswer):
            self.limits.append(step.seconds)
        elif isinstance(step, Answer):
            self.answer = step
            self.body += step.body or b""
        elif isinstance(step, bytes):
            self.steps.append("piece")
            self.body += step


def ask(
    *answers: Exchange,
    options: Options = CONTINUE,
    refusal: str | None = None,
    waits: int | None = None,
    **fields: Any,
) -> Run:
    """Carry out a call.

    Args:
        answers: The status and the pieces of each answer of Tess.
        options: The options of the client.
        refusal: The text with which each report of a change of the answer is refused; None accepts it.
        waits: The number of the wait at which the time limit has passed; None sets no limit.
        fields: Further fields of the request.
    """
    given = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}], **fields}
    data = json.dumps(given).encode()
    call = Call("POST", "/chat/completions", {}, data, 0, lambda: 9, lambda: "0" * 24, "42")
    flow = chat_completion(call, options)
    run, waiting, left = Run(), list(answers), list[bytes | Exception]()
    event: Event = None
    error: Exception | None = None
    while True:
        try:
            step = flow.send(event) if error is None else flow.throw(error)
        except StopIteration:
            assert not waiting
            return run
        event = error = None
        if isinstance(step, Outgoing):
            run.sent.append(step)
            run.steps.append("request")
            run.reports.append([])
            status, pieces = waiting.pop(0)
            left = list(pieces)
            streams = status < 300 and options.long_answers != "poll"
            kind = "text/event-stream" if streams else "application/json"
            if (status, pieces) == NOT_SENT:
                error = UNREACHABLE
            else:
                event = Incoming(status, {"content-type": kind, "location": "/x"}, redirects_within_api=True)
        elif step is READ_REST:
            continue
        elif isinstance(step, Read | ReadAll):
            piece = left.pop(0) if left else b""
            event, error = (piece, None) if isinstance(piece, bytes) else (None, piece)
        elif isinstance(step, ReportChanges):
            run.reports[-1] += step.changes
            event = refusal if step.changes[0].param == "answer" else None
        elif isinstance(step, Sleep):
            run.steps.append("wait")
            error = BROKEN if run.steps.count("wait") == waits else None
        else:
            assert isinstance(step, LimitAnswer | PauseKey | Answer | bytes)
            run.keep(step)
