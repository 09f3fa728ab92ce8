"""Carry a call through its flow, without any HTTP library: a test says what Tess and the store answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
    Sleep,
    StoreAccess,
    StoreResult,
)
from tess_openai.core.changes import Change
from tess_openai.core.options import Options
from tess_openai.core.routes import route

JSON: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class TessAnswer:
    """What Tess answers to one request."""

    status: int
    headers: dict[str, str]
    pieces: Sequence[bytes]


@dataclass
class Carried:
    """The result of a call.

    Attributes:
        sent: The JSON of the last request to Tess; None when there was none.
        changes: Those that were reported, before and after.
        status: Of the caller's answer.
        headers: Of the caller's answer.
        body: The caller's answer, streamed or not.
        slept: The seconds of each wait.
    """

    sent: JSON | None = None
    changes: list[Change] = field(default_factory=list[Change])
    status: int = 0
    headers: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    body: bytes = b""
    slept: list[float] = field(default_factory=list[float])

    @property
    def messages(self) -> list[JSON]:
        """The messages of the last request to Tess."""
        assert self.sent is not None, self.body
        messages: list[JSON] = self.sent["messages"]
        return messages

    @property
    def events(self) -> list[JSON]:
        """The data of the events of the answer, each under the name that it bears."""
        found: list[JSON] = []
        for block in self.body.decode().strip().split("\n\n"):
            name, _, data = block.partition("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
        return found


def carry_call(
    call: Call,
    options: Options,
    *,
    tess: Callable[[Outgoing], TessAnswer],
    store: Callable[[StoreAccess], StoreResult],
) -> Carried:
    """Carry out a call; an empty piece of its answer would end the body, so that there must be none."""
    flow = route(call, options)
    carried, pieces = Carried(), list[bytes]()
    event: Event = None
    while True:
        try:
            step = flow.send(event)
        except StopIteration:
            return carried
        event = None
        if isinstance(step, Outgoing):
            carried.sent = json.loads(step.body or call.body or b"null")
            answer = tess(step)
            pieces = list(answer.pieces)
            event = Incoming(answer.status, answer.headers)
        elif isinstance(step, ReadAll):
            event, pieces = b"".join(pieces), []
        elif isinstance(step, Read):
            event = None if step is READ_REST else pieces.pop(0) if pieces else b""
        elif isinstance(step, StoreAccess):
            event = store(step)
        elif isinstance(step, ReportChanges):
            carried.changes += step.changes
        elif isinstance(step, Answer):
            assert carried.status == 0, "a flow answers once"
            carried.status, carried.headers = step.status, step.headers
            carried.body += step.body or b""
        elif isinstance(step, Sleep | LimitAnswer | PauseKey):
            carried.slept += [step.seconds] if isinstance(step, Sleep) else []
        else:
            assert isinstance(step, bytes)
            assert step
            carried.body += step
