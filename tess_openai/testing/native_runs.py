"""Tess's own route: `POST /agents/{id}/execute`, and `GET /agent-responses/{id}` until its execution ends.

Source: Tess docs, execute-agent and agent-response: `developer` in place of `system`, as the first message
only, alternating messages, the fields of the answer, and the states `starting`, `running`, `succeeded` and
`failed` (documented). How many requests an execution takes, and that `stream` is refused, are choices of this
simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.jsons import JSONObject
from tess_openai.testing.agent_runs import AgentRun, read_messages
from tess_openai.testing.chat_rules import Problem, find_problems
from tess_openai.testing.simulated_agents import SimulatedAgent
from tess_openai.testing.simulator_profile import Profile
from tess_openai.testing.wire import WireResponse, json_response

_STEPS: Final = 2
"""How often a response must be requested until its execution ends."""
_FIRST_ID: Final = 5001
_ROOT_ID: Final = 7001
CREDITS: Final = 0.000337
"""What an execution costs. Source: the example of the documentation."""


@dataclass(slots=True)
class _NativeRun:
    workspace_id: int
    run: AgentRun
    requests: int = 0


@dataclass(slots=True)
class NativeRuns:
    """The executions of all workspaces, by the id of their response."""

    runs: dict[int, _NativeRun] = field(default_factory=dict[int, _NativeRun])

    def start(self, run: AgentRun, workspace_id: int) -> WireResponse:
        """Start an execution; its first answer has no text yet."""
        number = _FIRST_ID + len(self.runs)
        self.runs[number] = _NativeRun(workspace_id, run)
        response = self._to_json(number)
        return json_response(200, {"template_id": str(run.agent.id), "responses": [response]})

    def read(self, number: int, workspace_id: int) -> WireResponse | None:
        """Return the state of an execution, which advances with each request; None for an unknown one."""
        native = self.runs.get(number)
        if native is None or native.workspace_id != workspace_id:
            return None
        native.requests += 1
        return json_response(200, self._to_json(number))

    def _to_json(self, number: int) -> JSONObject:
        native = self.runs[number]
        pieces, step = native.run.pieces, min(native.requests, _STEPS)
        status = "starting" if step == 0 else "succeeded" if step == _STEPS else "running"
        messages = read_messages(native.run.body)
        return {
            "id": number,
            "status": status,
            "input": messages[-1][1] if messages else "",
            "output": "".join(pieces[: len(pieces) * step // _STEPS]),
            "credits": CREDITS if status == "succeeded" else None,
            "root_id": native.run.body.get("root_id") or _ROOT_ID,
            "created_at": "2026-01-01T00:00:00.000000Z",
            "updated_at": "2026-01-01T00:00:00.000000Z",
            "template_id": native.run.agent.id,
        }


def find_native_problems(body: JSONObject, agent: SimulatedAgent, profile: Profile) -> list[Problem]:
    """Return the problems of a body for `/execute`; empty when it is accepted."""
    rules = replace(
        profile,
        roles=frozenset({"developer", "user", "assistant"}),
        message_order=frozenset({*profile.message_order, "paired"}),
        refused_parameters=profile.refused_parameters | {"stream"},
    )
    return [*find_problems(body, agent, rules), *_native_problems(body)]


def _native_problems(body: JSONObject) -> Iterator[Problem]:
    roles = [role for role, _ in read_messages(body)]
    if "developer" in roles[1:]:
        yield "messages", "The developer message must be the first one."
    turns = [role for role in roles if role != "developer"]
    if turns[:1] == ["assistant"]:
        yield "messages", "Chat messages must be a pair of user/assistant"
    if "waitExecution" in body and not isinstance(body["waitExecution"], bool):
        yield "waitExecution", "The wait execution field must be true or false."
