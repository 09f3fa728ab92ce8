"""Carry a call through its flow to a strict simulator, without any HTTP library."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

from tess_openai.core.calls import Call, Outgoing, StoreAccess, StoreResult
from tess_openai.core.options import Options
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, SimulatedAgent, TessSimulator
from tess_openai.testing.wire import WireRequest
from tests.flows import JSON, Carried, TessAnswer, carry_call

MODELS = (
    *("tess-6", "tess-5", "gpt-4o-mini", "o3-mini", "gpt-5", "gpt-5.2-pro", "gpt-5.6-luna"),
    "gpt-3.5-turbo-instruct",
)
"""What the bodies ask for; other models are another test's matter."""


EARLIER = json.dumps(
    {
        "response": {
            "id": "resp_1",
            "output": [{"type": "message", "role": "assistant", "content": "Hello, Ana."}],
        },
        "inputs": [{"id": "msg_0", "type": "message", "role": "user", "content": "I am Ana."}],
    }
).encode()
"""What is found under every `previous_response_id`."""

Carry: TypeAlias = Callable[..., Carried]


@pytest.fixture
def carry() -> Carry:
    """Carry a call, `carry("POST", "/chat/completions", {...})`."""
    simulator = TessSimulator(agents=[SimulatedAgent.chat(1234, models=MODELS)])

    def run(method: str, path: str, body: JSON | None, options: Options | None = None) -> Carried:
        data = b"" if body is None else json.dumps(body).encode()
        own = Options(workspace_id=str(SIMULATOR_WORKSPACE_ID)) if options is None else options
        call = Call(method, path, {}, data, 0, lambda: 1, lambda: "made-up", agent="1234")

        def tess(step: Outgoing) -> TessAnswer:
            """Let the simulator answer as over the wire."""
            headers = {"authorization": f"Bearer {SIMULATOR_API_KEY}", "content-type": "application/json"}
            headers |= {name: value for name, value in step.headers.items() if value is not None}
            sent = data if step.body is None else step.body
            place = f"/agents/1234/openai{path}" if step.path is None else step.path
            response = simulator.answer(WireRequest(method, place, headers, sent))[0]
            pieces = [piece.data for piece in response.pieces]
            return TessAnswer(response.status, dict(response.headers), pieces)

        return carry_call(call, own, tess=tess, store=stored)

    return run


def stored(access: StoreAccess) -> StoreResult:
    """Find the same earlier response under every id."""
    return StoreResult(EARLIER if access.method == "load" else None)
