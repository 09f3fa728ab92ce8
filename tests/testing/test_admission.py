"""Who may ask: key, workspace, agent and rate, in this order and before the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from tess_openai.core.jsons import parse_object
from tess_openai.testing import SIMULATOR_WORKSPACE_ID, Profile, SimulatedAgent, TessSimulator
from tess_openai.testing.wire import WireResponse

Send: TypeAlias = Callable[..., WireResponse]

DOCUMENTED = Profile.documented()
OPTIONAL = Profile(workspace_header="optional")
FOREIGN = str(SIMULATOR_WORKSPACE_ID + 1)

ANSWERS: dict[str, tuple[Profile, dict[str, str | None], int, dict[str, Any]]] = {
    "no key": (Profile(), {"authorization": None}, 401, {"message": "Unauthenticated."}),
    "a wrong key": (Profile(), {"authorization": "Bearer 1|wrong"}, 401, {"message": "Unauthenticated."}),
    "another scheme": (Profile(), {"authorization": "Basic eDp5"}, 401, {"message": "Unauthenticated."}),
    "no key, as documented": (DOCUMENTED, {"authorization": None}, 403, {"error": "Invalid authentication"}),
    "no workspace": (
        Profile(),
        {"x-workspace-id": None},
        422,
        {"message": "The x-workspace-id header is required."},
    ),
    "a workspace that is no number": (
        Profile(),
        {"x-workspace-id": "acme"},
        422,
        {"message": "The x-workspace-id header must be a valid integer."},
    ),
    "the header sent twice": (
        Profile(),
        {"x-workspace-id": "7001, 7001"},
        422,
        {"message": "The x-workspace-id header must be a valid integer."},
    ),
    "a workspace that is no number, as documented": (
        DOCUMENTED,
        {"x-workspace-id": "1.5"},
        400,
        {"error": "The x-workspace-id header must be a valid integer."},
    ),
    "a malformed header where it is optional": (
        OPTIONAL,
        {"x-workspace-id": ""},
        422,
        {"message": "The x-workspace-id header must be a valid integer."},
    ),
    "a workspace of another user": (
        Profile(),
        {"x-workspace-id": FOREIGN},
        403,
        {"message": "You do not have access to this workspace."},
    ),
}


@pytest.mark.parametrize(("profile", "headers", "status", "payload"), ANSWERS.values(), ids=ANSWERS)
def test_a_request_is_turned_away(
    profile: Profile,
    headers: dict[str, str | None],
    status: int,
    payload: dict[str, Any],
    send: Send,
) -> None:
    """The refusal has the status and the words of the dialect."""
    response = send(TessSimulator(profile=profile), headers=headers)
    assert (response.status, parse_object(response.body)) == (status, payload)


def test_the_scheme_has_no_case(simulator: TessSimulator, headers: dict[str, str], send: Send) -> None:
    """HTTP does not distinguish `Bearer` and `bearer`."""
    key = headers["authorization"].replace("Bearer", "bearer")
    assert send(simulator, headers={"authorization": key}).status == 200


def test_other_keys_can_be_accepted(headers: dict[str, str], send: Send) -> None:
    """The default key of the simulator is then refused."""
    simulator = TessSimulator(api_keys=["9|mine"])
    assert send(simulator, headers={"authorization": "Bearer 9|mine"}).status == 200
    assert send(simulator, headers=headers).status == 401


def test_a_missing_header_falls_back_to_the_selected_workspace(send: Send) -> None:
    """Where the header is optional, agent 46 is visible from its own workspace only."""
    home = replace(OPTIONAL, selected_workspace_id=SIMULATOR_WORKSPACE_ID + 1)
    private = "/agents/46/openai/chat/completions"
    bare: dict[str, str | None] = {"x-workspace-id": None}
    assert send(TessSimulator(profile=OPTIONAL), target=private, headers=bare).status == 404
    assert send(TessSimulator(profile=home), target=private, headers=bare).status == 200


def test_a_private_agent_is_seen_from_its_workspace(send: Send) -> None:
    """The key must be a member there, and the header must name the workspace."""
    both = Profile(workspace_ids=frozenset({SIMULATOR_WORKSPACE_ID, SIMULATOR_WORKSPACE_ID + 1}))
    simulator = TessSimulator(profile=both)
    private = "/agents/46/openai/chat/completions"
    assert send(simulator, target=private).status == 404
    assert send(simulator, target=private, headers={"x-workspace-id": FOREIGN}).status == 200


def test_an_agent_that_is_not_active_is_not_there(send: Send) -> None:
    """The error is that of an agent that never existed."""
    agent = replace(SimulatedAgent.chat(42), active=False)
    assert send(TessSimulator(agents=[agent])).status == 404


NOWHERE = {
    "an unknown agent": ("POST", "/agents/99/openai/chat/completions"),
    "a slug": ("POST", "/agents/my-agent-AbC12d/openai/chat/completions"),
    "no agent": ("POST", "/openai/chat/completions"),
    "the path twice": ("POST", "/agents/42/openai/chat/completions/chat/completions"),
    "a version in the path": ("POST", "/agents/42/openai/v1/chat/completions"),
    "the models": ("GET", "/agents/42/openai/models"),
    "responses": ("POST", "/agents/42/openai/responses"),
    "embeddings": ("POST", "/agents/42/openai/embeddings"),
    "a GET of the chat route": ("GET", "/agents/42/openai/chat/completions"),
    "the prefix twice": ("POST", "/api/api/agents/42/openai/chat/completions"),
}


@pytest.mark.parametrize(("method", "target"), NOWHERE.values(), ids=NOWHERE)
def test_nothing_is_there(method: str, target: str, simulator: TessSimulator, send: Send) -> None:
    """Every undocumented path or method gets 404."""
    assert send(simulator, target=target, method=method).status == 404


@pytest.mark.parametrize(
    "target", ["/api/agents/42/openai/chat/completions", "/agents/42/openai/chat/completions?x=1"]
)
def test_the_route_is_there(target: str, simulator: TessSimulator, send: Send) -> None:
    """It is also below the older prefix, and a query is ignored."""
    assert send(simulator, target=target).status == 200


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def read(self) -> float:
        """Tell the time."""
        return self.now


def test_the_rate_is_limited_for_each_key(headers: dict[str, str], send: Send) -> None:
    """The wait is in the body; after it the next request passes; another key is not concerned."""
    clock = Clock()
    keys = [headers["authorization"].removeprefix("Bearer "), "2|other"]
    simulator = TessSimulator(profile=Profile(requests_per_second=1), api_keys=keys, clock=clock.read)
    assert send(simulator).status == 200
    clock.now += 0.25
    limited = send(simulator)
    assert limited.status == 429
    assert parse_object(limited.body) == {"error": "Rate limit exceeded", "retry_after": 1}
    assert "retry-after" not in limited.headers
    assert send(simulator, headers={"authorization": "Bearer 2|other"}).status == 200
    clock.now += 0.75
    assert send(simulator).status == 200


def test_the_rate_counts_every_route(send: Send) -> None:
    """Polling counts; a request that was limited does not."""
    clock = Clock()
    simulator = TessSimulator(profile=Profile(requests_per_second=2), clock=clock.read)
    statuses = [send(simulator, target="/agents", method="GET").status for _ in range(3)]
    clock.now += 1
    assert [*statuses, send(simulator).status] == [200, 200, 429, 200]


def test_the_wait_can_be_reported_in_the_header_too(send: Send) -> None:
    """It can be the sixty seconds that the documentation shows."""
    profile = Profile(requests_per_second=1, retry_after_seconds=60, retry_after_header=True)
    simulator = TessSimulator(profile=profile)
    send(simulator)
    limited = send(simulator)
    assert limited.headers["retry-after"] == "60"
    assert (parse_object(limited.body) or {})["retry_after"] == 60


def test_the_order_of_the_checks(headers: dict[str, str], send: Send) -> None:
    """A request with every mistake hears of them one by one: key, workspace, agent, rate, body."""
    simulator = TessSimulator(profile=Profile(requests_per_second=1), clock=Clock().read)
    send(simulator)  # uses up the rate
    body = {"top_p": 1}
    wrong: dict[str, str | None] = {"authorization": None, "x-workspace-id": FOREIGN}
    received: list[int] = []
    for corrected in ({}, {"authorization": headers["authorization"]}, headers):
        target = "/agents/99/openai/chat/completions"
        received.append(send(simulator, body, target=target, headers={**wrong, **corrected}).status)
    received.append(send(simulator, body).status)
    simulator.profile = Profile()
    received.append(send(simulator, body).status)
    assert received == [401, 403, 404, 429, 422]
