"""Looking an agent up: the flow behind `Lookup`, by number or by slug.

Source: Tess docs, get-agent and list-agents (documented). That a slug is found in the list, and not by
`GET /agents/{slug}`, is how one user resolves it (observed).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.agents import Agent, closest, parse_agent
from tess_openai.core.calls import (
    AgentNotFound,
    Answer,
    Call,
    Event,
    Flow,
    Lookup,
    LookupResult,
    Step,
    look_up,
)
from tess_openai.core.changes import Change
from tess_openai.core.errors import TessError
from tess_openai.core.fetching import get, read_object, read_page, read_pages
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.options import AgentRef, Options
from tess_openai.core.refusals import Refused, json_headers

AGENTS: Final = "/agents"
_LIST: Final = "a list of agents"
_PASSING: Final = frozenset({401, 429})
"""Statuses of a look-up that another key, or a moment, may cure."""


@dataclass(frozen=True, slots=True)
class _Read:
    """An agent, and the JSON it was read from."""

    fields: JSONObject = field(repr=False)
    agent: Agent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes.

    Attributes:
        ref: The agent as it was named; None when the URL names none.
        agent: What it offers, when calls are held against it.
        other: The agent's number when the call names another than the client's own; else None.
        path: Below the API root; None when the caller's own URL leads there.
        problem: Why the agent could not be looked up; `""` when it was, or need not be.
    """

    ref: AgentRef | None = None
    agent: Agent | None = None
    other: int | None = None
    path: str | None = None
    problem: str = ""


def locate(named: AgentRef | None, call: Call, options: Options) -> Generator[Step, Event, Place | Answer]:
    """Find the agent of a call, looking it up when the client asks for that or only its slug is known.

    A look-up that fails does not fail the call, unless it must: the call goes on without the agent's options.

    Args:
        named: The agent that the call names itself; None for the one of the URL.
        call: Whose.
        options: Of the client.

    Returns:
        Where to send the call; or the answer to give instead, when a slug was not found, and when the key or
        the rate was refused, since the call would meet the same.
    """
    ref = named if named is not None else to_ref(call.agent)
    if ref is None:
        return Place()
    agent = options.agents.get(ref) if isinstance(ref, int) else None
    number, problem = ref, ""
    if isinstance(ref, str) or (options.fetch_agents and agent is None):
        found = yield from find(ref, call, options)
        if isinstance(found, Agent):
            number = found.id
            agent = found if options.fetch_agents else options.agents.get(number)
        elif isinstance(ref, str) or found.answer.status in _PASSING:
            return found.answer
        else:
            problem = found.why
    own = to_ref(call.agent)
    path = None if number == own else f"{AGENTS}/{number}/openai{call.path}"
    other = number if isinstance(number, int) and named not in (None, own) and number != own else None
    return Place(ref, agent, other, path, problem)


def without_agent(problem: str) -> Change:
    """Return what tells that a call goes on without its agent's options."""
    remedy = "Check that this key may read the agent, or leave agent= out."
    return Change(
        "noticed", "agent", "", "", f"{problem}, so the call is not held against it", remedy, "answer"
    )


def find(
    agent: AgentRef, call: Call, options: Options, *, is_hint: bool = False
) -> Generator[Step, Event, LookupResult]:
    """Return what is known of an agent, looking it up when nothing is."""
    if isinstance(agent, int) and agent in options.agents:
        return options.agents[agent]
    return (yield from look_up(replace(_lookup(agent, call, options), is_hint=is_hint)))


def to_ref(agent: str) -> AgentRef | None:
    """Return the number or the slug that stands in a URL; None for nothing."""
    return int(agent) if agent.isascii() and agent.isdigit() else agent or None


def find_agent(lookup: Lookup) -> Flow:
    """Carry a look-up out, to an `Agent` or to `AgentNotFound`."""
    read = yield from _read_agent(lookup)
    if isinstance(read, TessError):
        why = f"the look-up of agent {lookup.agent} failed with status {read.status}"
        is_permanent = isinstance(lookup.agent, int) and read.status not in _PASSING
        yield AgentNotFound(read.to_answer(), why, is_permanent=is_permanent)
    elif isinstance(read, Refused):
        yield AgentNotFound(read.to_answer(), f"the look-up of agent {lookup.agent} brought no agent")
    else:
        yield read.agent


def lookup_failed(lookup: Lookup, error: str) -> AgentNotFound:
    """Return what came of a look-up that ended without an answer; `error` names the exception."""
    failure = TessError(
        status=503,
        message=f"The look-up of agent {lookup.agent} failed: {error}",
        param=None,
        code="unavailable",
        type="server_error",
    )
    why = f"the look-up of agent {lookup.agent} failed with {error}"
    return AgentNotFound(failure.to_answer(), why, is_permanent=isinstance(lookup.agent, int))


def show_agent(agent: str, call: Call, options: Options) -> Flow:
    """Answer `GET /agents/{number or slug}` with the agent as Tess describes it."""
    read = yield from _read_agent(_lookup(to_ref(agent) or agent, call, options))
    if isinstance(read, _Read):
        yield Answer(200, json_headers({}), dump_json(read.fields), base="none")
    else:
        yield read.to_answer()


def show_agents(call: Call, options: Options) -> Flow:
    """Answer `GET /agents` with one page of the list as Tess gives it."""
    outgoing = get(AGENTS, request_headers(call, options), call.query)
    page = yield from read_page(outgoing, options.max_retry_wait_seconds, asked=_LIST)
    if isinstance(page, TessError):
        yield page.to_answer()
    else:
        yield Answer(200, json_headers({}), dump_json(page), base="none")


def _lookup(agent: AgentRef, call: Call, options: Options) -> Lookup:
    return Lookup(agent, request_headers(call, options), options.max_retry_wait_seconds)


def _read_agent(lookup: Lookup) -> Generator[Step, Event, _Read | TessError | Refused]:
    wait = lookup.max_retry_wait_seconds
    if isinstance(lookup.agent, int):
        outgoing = get(f"{AGENTS}/{lookup.agent}", lookup.headers)
        fields = yield from read_object(outgoing, wait, asked="an agent")
        items = fields if isinstance(fields, TessError) else [fields]
    else:
        items = yield from read_pages(
            AGENTS,
            lookup.headers,
            wait,
            asked=_LIST,
            is_last=lambda item: item.get("slug") == lookup.agent,
        )
    if isinstance(items, TessError):
        return items
    for item in items:
        agent = parse_agent(item)
        if agent is not None and (isinstance(lookup.agent, int) or agent.slug == lookup.agent):
            return _Read(item, agent)
    if isinstance(lookup.agent, str):
        return _no_such_slug(lookup.agent, items)
    return Refused("Tess answered with JSON that is no agent.", param=None, code="not_an_answer", status=502)


def _no_such_slug(slug: str, items: list[JSONObject]) -> Refused:
    slugs = [name for item in items if isinstance(name := item.get("slug"), str)]
    near = closest(slug, slugs)
    hint = f" Did you mean {near!r}?" if near is not None else ""
    return Refused(
        f"No agent that this key can see has the slug {slug!r}.{hint} Better name it by its number.",
        param=None,
        code="agent_not_found",
        status=404,
    )
