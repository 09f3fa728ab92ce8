"""Drives a flow by hand, with a store in memory and answers that a test makes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tess_openai.core.calls import (
    Answer,
    Call,
    Event,
    Incoming,
    Outgoing,
    Read,
    ReadAll,
    ReportChanges,
    StoreAccess,
)
from tess_openai.core.changes import Change
from tess_openai.core.options import Options
from tess_openai.core.routes import route
from tess_openai.edge.response_stores import MemoryResponseStore, access_store

JSON: TypeAlias = dict[str, Any]
AS_JSON = {"content-type": "application/json"}
AS_EVENTS = {"content-type": "text/event-stream"}


@dataclass
class Driven:
    """What came of a call.

    Attributes:
        sent: The body of the last request to Tess.
        changes: Those that were reported.
        status: Of the caller's answer.
        body: Of the caller's answer.
    """

    sent: JSON = field(default_factory=dict[str, Any])
    changes: list[Change] = field(default_factory=list[Change])
    status: int = 0
    body: bytes = b""

    @property
    def events(self) -> list[JSON]:
        """The data of the events of the answer, each under the name that it bears."""
        found: list[JSON] = []
        for block in self.body.decode().strip().split("\n\n"):
            name, _, data = block.partition("\n")
            found.append(json.loads(data.removeprefix("data: ")))
            assert name == f"event: {found[-1]['type']}"
        return found


def drive(
    body: JSON,
    pieces: Sequence[bytes],
    *,
    path: str = "/responses",
    status: int = 200,
    options: Options | None = None,
    store: MemoryResponseStore | None = None,
) -> Driven:
    """Carry out a call; Tess answers each of its chats with the same pieces, as a stream if it was asked."""
    kept = MemoryResponseStore() if store is None else store
    data = json.dumps(body).encode()
    call = Call("POST", path, {}, data, 0, lambda: 1, lambda: "0" * 24, agent="42")
    flow = route(call, Options() if options is None else options)
    driven, left = Driven(), list[bytes]()
    event: Event = None
    while True:
        try:
            step = flow.send(event)
        except StopIteration:
            return driven
        event = None
        if isinstance(step, Outgoing):
            driven.sent = json.loads(step.body or data)
            left = list(pieces)
            event = Incoming(status, AS_EVENTS if driven.sent.get("stream") else AS_JSON)
        elif isinstance(step, ReadAll):
            event, left = b"".join(left), []
        elif isinstance(step, Read):
            event = left.pop(0) if left else b""
        elif isinstance(step, StoreAccess):
            event = access_store(kept, step)
        elif isinstance(step, ReportChanges):
            driven.changes += step.changes
        elif isinstance(step, Answer):
            driven.status, driven.body = step.status, driven.body + (step.body or b"")
        else:
            assert isinstance(step, bytes)
            assert step, "an empty piece would end the body"
            driven.body += step
