"""List Agents: a page of the visible agents in the envelope of Laravel's paginator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tess_openai.core.jsons import JSONObject
from tess_openai.testing import error_responses
from tess_openai.testing.chat_rules import Problem
from tess_openai.testing.simulated_agents import SimulatedAgent
from tess_openai.testing.simulator_profile import Profile
from tess_openai.testing.wire import WireRequest, WireResponse, json_response

DEFAULT_PER_PAGE: Final = 15
MAXIMUM_PER_PAGE: Final = 100


def list_agents(request: WireRequest, agents: Sequence[SimulatedAgent], profile: Profile) -> WireResponse:
    """Answer `GET /agents?q=&type=&page=&per_page=`; other parameters are ignored.

    Source: parameters, defaults, `current_page` and `data` are documented; the maximum of 100 and
    `last_page` are observed, the rest of the envelope is Laravel's own; refusing more is assumed.
    """
    query = request.query
    page, per_page = query.get("page", "1"), query.get("per_page", str(DEFAULT_PER_PAGE))
    problems = [
        *_number_problems("page", page, None),
        *_number_problems("per_page", per_page, MAXIMUM_PER_PAGE),
    ]
    if query.get("type", "chat") not in {"chat", "image", "text", "video"}:
        problems.append(("type", "The selected type is invalid."))
    if problems:
        return error_responses.invalid(problems, profile)
    found = [each for each in agents if _matches(each, query.get("q", ""), query.get("type"))]
    return json_response(200, _envelope(found, int(page), int(per_page)))


def _number_problems(name: str, text: str, maximum: int | None) -> list[Problem]:
    spoken = name.replace("_", " ")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        return [(name, f"The {spoken} field must be at least 1.")]
    if maximum is not None and int(text) > maximum:
        return [(name, f"The {spoken} field must not be greater than {maximum}.")]
    return []


def _matches(agent: SimulatedAgent, words: str, kind: str | None) -> bool:
    text = f"{agent.title} {agent.description}".lower()
    return words.lower() in text and kind in {None, agent.type}


def _envelope(agents: Sequence[SimulatedAgent], page: int, per_page: int) -> JSONObject:
    start = (page - 1) * per_page
    shown = agents[start : start + per_page]
    last_page = max(1, -(-len(agents) // per_page))
    return {
        "current_page": page,
        "data": [agent.to_json() for agent in shown],
        "from": start + 1 if shown else None,
        "last_page": last_page,
        "next_page_url": f"/agents?page={page + 1}" if page < last_page else None,
        "path": "/agents",
        "per_page": per_page,
        "prev_page_url": f"/agents?page={page - 1}" if page > 1 else None,
        "to": start + len(shown) if shown else None,
        "total": len(agents),
    }
