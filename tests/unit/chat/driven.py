"""Drive the flow of a chat by hand, Tess's answer given as bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

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
)
from tess_openai.core.chat_call import chat_completion
from tess_openai.core.errors import ERROR_BODY_LIMIT
from tess_openai.core.jsons import parse_object
from tess_openai.core.options import Options

JSON: TypeAlias = dict[str, Any]

CHAT: JSON = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}
ANSWER: JSON = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1,
    "model": "tess-6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CHUNK: JSON = {
    "id": "chatcmpl-7",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "tess-6",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}
EVENTS = b"data: " + json.dumps(CHUNK).encode() + b"\n\ndata: [DONE]\n\n"
AS_JSON = {"content-type": "application/json"}
AS_EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


def encoded(value: object) -> bytes:
    """Encode as a server does."""
    return json.dumps(value).encode()


@dataclass
class Run:
    """One call, driven to its end.

    Attributes:
        sent: Every request.
        reported: The parameters of each report.
        held: The seconds of each pause of this key.
        answer: The caller's answer.
        body: The caller's body.
        rests: How often the flow read the rest of an answer after its end.
    """

    sent: list[Outgoing] = field(default_factory=list[Outgoing])
    reported: list[list[str]] = field(default_factory=list[list[str]])
    held: list[float] = field(default_factory=list[float])
    answer: Answer = field(default_factory=lambda: Answer(0))
    body: bytes = b""
    rests: int = 0

    def read(self, step: Read, left: list[bytes | Exception]) -> tuple[bytes | None, Exception | None]:
        """Read the next piece, or the rest."""
        if step is READ_REST:
            self.rests += 1
            return None, None
        piece = left.pop(0) if left else b""
        return (None, piece) if isinstance(piece, Exception) else (piece, None)

    @property
    def payload(self) -> JSON:
        """The caller's body as JSON."""
        return parse_object(self.body) or {}

    @property
    def error(self) -> JSON:
        """The error in the caller's body."""
        error: JSON = self.payload["error"]
        return error

    @property
    def events(self) -> list[JSON]:
        """The events in the caller's body."""
        blocks = self.body.split(b"\n\n")[:-1]
        return [
            parse_object(block.removeprefix(b"data: ")) or {"done": block == b"data: [DONE]"}
            for block in blocks
        ]


def drive(
    body: object,
    incoming: Incoming | None = None,
    pieces: Sequence[bytes | Exception] = (),
    *,
    options: Options | None = None,
    attempt: int = 0,
    refusing: str | None = None,
) -> Run:
    """Drive one call against one answer in pieces.

    Args:
        body: The body of the call; a value other than bytes is encoded as JSON.
        incoming: The head of the answer; a JSON 200 by default.
        pieces: The body of the answer; an exception is thrown into the flow in its place.
        options: The options of the client.
        attempt: The number of earlier attempts of the SDK.
        refusing: The text with which each report is refused; None accepts it.
    """
    data = body if isinstance(body, bytes) else encoded(body)
    call = Call("POST", "/chat/completions", {}, data, attempt, lambda: 99, lambda: "made-up")
    flow = chat_completion(call, Options(workspace_id="7001") if options is None else options)
    left, run = list(pieces), Run()
    event: Event = None
    error: Exception | None = None
    while True:
        try:
            step = flow.send(event) if error is None else flow.throw(error)
        except StopIteration:
            return run
        event = error = None
        if isinstance(step, Outgoing):
            run.sent.append(step)
            event = Incoming(200, AS_JSON) if incoming is None else incoming
        elif isinstance(step, ReportChanges):
            run.reported.append([change.param for change in step.changes])
            event = refusing
        elif isinstance(step, ReadAll):
            event = b"".join(piece for piece in left if isinstance(piece, bytes))
            if incoming is not None and incoming.status >= 400:
                assert step == ReadAll(ERROR_BODY_LIMIT, allow_truncation=True)
        elif isinstance(step, Read):
            event, error = run.read(step, left)
        elif isinstance(step, PauseKey | LimitAnswer):
            run.held += [step.seconds] if isinstance(step, PauseKey) else []
        elif isinstance(step, Answer):
            assert run.answer.status == 0, "a flow answers once"
            run.answer = step
            run.body += step.body or b""
        else:
            assert isinstance(step, bytes)
            assert step
            run.body += step
