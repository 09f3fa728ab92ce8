"""Admission: key, workspace and rate, checked before the rest of a request."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tess_openai.testing import error_responses
from tess_openai.testing.simulated_agents import SimulatedAgent
from tess_openai.testing.simulator_profile import Profile
from tess_openai.testing.wire import WireRequest, WireResponse

RATE_WINDOW_SECONDS = 1.0


def check_key(request: WireRequest, keys: Collection[str], profile: Profile) -> WireResponse | None:
    """Return the refusal of a request without one of the keys; None admits it."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key in keys:
        return None
    return error_responses.unauthenticated(profile)


def find_workspace(request: WireRequest, profile: Profile) -> int | WireResponse:
    """Return the workspace of a request, or the refusal."""
    given = request.headers.get("x-workspace-id")
    if given is None:
        if profile.workspace_header == "required":
            return error_responses.workspace_missing()
        return profile.selected_workspace_id
    if not re.fullmatch("[0-9]{1,18}", given):
        return error_responses.workspace_malformed(profile)
    workspace_id = int(given)
    return workspace_id if workspace_id in profile.workspace_ids else error_responses.workspace_foreign()


def is_visible(agent: SimulatedAgent, workspace_id: int) -> bool:
    """Return whether a workspace may run an agent: its own, or a public one of another workspace."""
    return agent.active and (agent.visibility == "public" or agent.workspace_id == workspace_id)


@dataclass(slots=True)
class RateLimiter:
    """Counts the requests of each key within one second.

    Attributes:
        clock: Returns the time in seconds, monotonic.
        moments: For each key, when its requests of the last second were admitted.
    """

    clock: Callable[[], float]
    moments: dict[str, deque[float]]

    def check(self, request: WireRequest, profile: Profile) -> WireResponse | None:
        """Return the refusal of a request that comes too soon; None counts and admits it."""
        if profile.requests_per_second is None:
            return None
        now = self.clock()
        moments = self.moments.setdefault(request.headers["authorization"], deque())
        while moments and now - moments[0] >= RATE_WINDOW_SECONDS:
            moments.popleft()
        if len(moments) < profile.requests_per_second:
            moments.append(now)
            return None
        wait = profile.retry_after_seconds
        if wait is None:
            wait = math.ceil(moments[0] + RATE_WINDOW_SECONDS - now)
        return error_responses.rate_limited(wait, header=profile.retry_after_header)
