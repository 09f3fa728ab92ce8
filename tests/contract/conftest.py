"""Carry a call through its flow to a strict simulator, without any HTTP library."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import (
    READ_REST,
    Answer,
    Call,
    Event,
    Incoming,
    Outgoing,
    Read,
    ReadAll,
    ReportChanges,
    StoreAccess,
    StoreResult,
)
from tess_openai.core.changes import Change
from tess_openai.core.options import Options
from tess_openai.core.responses.conversation_store import StoredResponse
from tess_openai.core.routes import route
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, SimulatedAgent, TessSimulator
from tess_openai.testing.wire import WireRequest, WireResponse

JSON: TypeAlias = dict[str, Any]

MODELS = (
    *("tess-6", "tess-5", "gpt-4o-mini", "o3-mini", "gpt-5", "gpt-5.2-pro", "gpt-5.6-luna"),
    "gpt-3.5-turbo-instruct",
)
"""What the bodies ask for; other models are another test's matter."""


EARLIER = StoredResponse(
    {"id": "resp_1", "output": [{"type": "message", "role": "assistant", "content": "Hello, Ana."}]},
    [{"type": "message", "role": "user", "content": "I am Ana."}],
).to_bytes()
"""What is found under every `previous_response_id`."""


@dataclass
class Carried:
    """What came of a call.

    Attributes:
        sent: The JSON that reached the simulator; None when nothing did.
        reported: The changes reported before and after.
        status: Of the caller's answer.
        body: The caller's answer, streamed or not.
    """

    sent: JSON | None = None
    reported: list[Change] = field(default_factory=list[Change])
    status: int = 0
    body: bytes = b""


Carry: TypeAlias = Callable[..., Carried]


@pytest.fixture
def carry() -> Carry:
    """Carry a call, `carry("POST", "/chat/completions", {...})`."""
    simulator = TessSimulator(agents=[SimulatedAgent.chat(1234, models=MODELS)])

    def run(method: str, path: str, body: JSON | None, options: Options | None = None) -> Carried:
        data = b"" if body is None else json.dumps(body).encode()
        own = Options(workspace_id=str(SIMULATOR_WORKSPACE_ID)) if options is None else options
        flow = route(Call(method, path, {}, data, 0, lambda: 1, lambda: "made-up", agent="1234"), own)
        carried, pieces = Carried(), list[bytes]()
        event: Event = None
        while True:
            try:
                step = flow.send(event)
            except StopIteration:
                return carried
            event = None
            if isinstance(step, Outgoing):
                response = answer_of(simulator, method, path, step, data)
                carried.sent = json.loads(step.body or data or b"null")
                pieces = [piece.data for piece in response.pieces]
                event = Incoming(response.status, response.headers)
            elif isinstance(step, ReadAll | Read | StoreAccess):
                event = event_of(step, pieces)
            elif isinstance(step, ReportChanges):
                carried.reported += step.changes
            elif isinstance(step, Answer):
                carried.status, carried.body = step.status, carried.body + (step.body or b"")
            else:
                assert isinstance(step, bytes)
                carried.body += step

    return run


def event_of(step: ReadAll | Read | StoreAccess, pieces: list[bytes]) -> Event:
    """Return what a flow receives that reads an answer, or the store."""
    if isinstance(step, StoreAccess):
        return StoreResult(EARLIER if step.method == "load" else None)
    if isinstance(step, ReadAll):
        return b"".join(pieces)
    if step is READ_REST:
        return None
    return pieces.pop(0) if pieces else b""


def answer_of(simulator: TessSimulator, method: str, path: str, step: Outgoing, data: bytes) -> WireResponse:
    """Let the simulator answer as over the wire."""
    headers = {"authorization": f"Bearer {SIMULATOR_API_KEY}", "content-type": "application/json"}
    headers |= {name: value for name, value in step.headers.items() if value is not None}
    sent = data if step.body is None else step.body
    place = f"/agents/1234/openai{path}" if step.path is None else step.path
    return simulator.answer(WireRequest(method, place, headers, sent))[0]
