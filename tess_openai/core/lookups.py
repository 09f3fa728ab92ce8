"""Look up an agent by number or by slug: the flow behind `Lookup`.

Source: Tess docs, get-agent and list-agents (documented). A slug is searched for in the list, since
`GET /agents/{slug}` does not find it (observed).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.agents import Agent, closest, parse_agent
from tess_openai.core.calls import AgentNotFound, Answer, Call, Event, Flow, Lookup, LookupResult, Step
from tess_openai.core.changes import Change, could_be_key, quoted
from tess_openai.core.errors import TessError
from tess_openai.core.fetching import get, read_object, read_page, read_pages
from tess_openai.core.flow_steps import look_up
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.options import AgentRef, Options
from tess_openai.core.refusals import Refused, json_headers

AGENTS_PATH: Final = "/agents"
_LIST: Final = "a list of agents"
_ALSO_OF_CALLS: Final = frozenset({401, 429})
"""Statuses with which Tess would refuse the call too. They are not remembered: key and limit may change."""


@dataclass(frozen=True, slots=True)
class _FoundAgent:
    """An agent and the JSON it was parsed from."""

    fields: JSONObject = field(repr=False)
    agent: Agent


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class Destination:
    """Where a call is sent: its agent, and the path.

    Attributes:
        ref: The agent as the call, or else the URL, names it; None when neither does.
        agent: What the agent offers, when calls are validated against it.
        other_agent: The agent's number when the call names another agent than the URL; else None.
        path: Path below the API root; None when the call keeps the caller's URL.
        problem: Why the look-up failed; `""` when it succeeded or was not needed.
    """

    ref: AgentRef | None = None
    agent: Agent | None = None
    other_agent: int | None = None
    path: str | None = None
    problem: str = ""


def find_destination(
    named: AgentRef | None, call: Call, options: Options
) -> Generator[Step, Event, Destination | Answer]:
    """Find the agent of a call; look it up if the client's options ask for it, or only its slug is known.

    When the look-up of a number fails otherwise, the call is sent without being checked against the agent.

    Args:
        named: The agent that the call itself names; None for the agent in the URL.
        call: The call whose agent is needed.
        options: The client's options.

    Returns:
        Where to send the call; or the error answer for the caller, when the look-up of a slug failed in any
        way, or that of a number because of the key or the rate limit: Tess would refuse the call too.
    """
    own = to_ref(call.agent)
    ref = own if named is None else named
    if ref is None:
        return Destination()
    agent = options.agents.get(ref) if isinstance(ref, int) else None
    number, problem = ref, ""
    if isinstance(ref, str) or (options.fetch_agents and agent is None):
        found = yield from get_agent(ref, call, options)
        if isinstance(found, Agent):
            number = found.id
            agent = found if options.fetch_agents else options.agents.get(number)
        elif isinstance(ref, str) or found.answer.status in _ALSO_OF_CALLS:
            return found.answer
        else:
            problem = found.why
    path = None if number == own else f"{AGENTS_PATH}/{number}/openai{call.path}"
    is_other = named not in (None, own) and number != own
    other_agent = number if is_other and isinstance(number, int) else None
    return Destination(ref, agent, other_agent, path, problem)


def not_validated(problem: str) -> Change:
    """Return the change that reports a call that is not checked against its agent."""
    remedy = 'Check that this key may read the agent, or leave agent="fetch" out of create_client().'
    return Change(
        action="noticed",
        param="agent",
        given="",
        sent="",
        why=f"{problem}, so the call is not checked against what the agent offers",
        remedy=remedy,
        warn="answer",
    )


def get_agent(
    agent: AgentRef, call: Call, options: Options, *, is_hint: bool = False
) -> Generator[Step, Event, LookupResult]:
    """Return the agent from the client's options, or look it up; `is_hint` is as in `Lookup`."""
    if isinstance(agent, int) and agent in options.agents:
        return options.agents[agent]
    return (yield from look_up(replace(_lookup(agent, call, options), is_hint=is_hint)))


def to_ref(agent: str) -> AgentRef | None:
    """Return the agent number or slug found in a URL; None for an empty string."""
    return int(agent) if agent.isascii() and agent.isdigit() else agent or None


def run_lookup(lookup: Lookup) -> Flow:
    """Carry out a look-up; yield the `Agent`, or an `AgentNotFound` for a failure of any kind."""
    found_agent = yield from _read_agent(lookup)
    if isinstance(found_agent, TessError):
        why = f"the look-up of agent {_shown(lookup.agent)} failed with status {found_agent.status}"
        # The failure is remembered for a number, since the call goes to it anyway; a slug is looked up again.
        is_permanent = isinstance(lookup.agent, int) and found_agent.status not in _ALSO_OF_CALLS
        yield AgentNotFound(found_agent.to_answer(), why, is_permanent=is_permanent)
    elif isinstance(found_agent, Refused):
        why = f"the look-up of agent {_shown(lookup.agent)} found no agent"
        yield AgentNotFound(found_agent.to_answer(), why)
    else:
        yield found_agent.agent


def lookup_failed(lookup: Lookup, error: str) -> AgentNotFound:
    """Return the result of a look-up that ended without an answer; `error` names the exception."""
    failure = TessError(
        status=503,
        message=f"The look-up of agent {_shown(lookup.agent)} failed: {error}",
        param=None,
        code="unavailable",
        type="server_error",
    )
    why = f"the look-up of agent {_shown(lookup.agent)} failed with {error}"
    return AgentNotFound(failure.to_answer(), why, is_permanent=isinstance(lookup.agent, int))


def show_agent(agent: str, call: Call, options: Options) -> Flow:
    """Answer `GET /agents/{number or slug}` with Tess's own description of the agent."""
    found_agent = yield from _read_agent(_lookup(to_ref(agent) or agent, call, options))
    if isinstance(found_agent, _FoundAgent):
        yield Answer(200, json_headers({}), dump_json(found_agent.fields), base="none")
    else:
        yield found_agent.to_answer()


def show_agents(call: Call, options: Options) -> Flow:
    """Answer `GET /agents` with one page of Tess's own list."""
    outgoing = get(AGENTS_PATH, request_headers(call, options), call.query)
    page = yield from read_page(outgoing, options.max_retry_wait_seconds, expected=_LIST)
    if isinstance(page, TessError):
        yield page.to_answer()
    else:
        yield Answer(200, json_headers({}), dump_json(page), base="none")


def _shown(agent: AgentRef) -> str:
    """Return a number or slug for a message; what looks like an API key is not repeated."""
    return str(agent) if isinstance(agent, int) or not could_be_key(agent) else quoted(agent)


def _lookup(agent: AgentRef, call: Call, options: Options) -> Lookup:
    return Lookup(agent, request_headers(call, options), options.max_retry_wait_seconds)


def _read_agent(lookup: Lookup) -> Generator[Step, Event, _FoundAgent | TessError | Refused]:
    wait = lookup.max_retry_wait_seconds
    if isinstance(lookup.agent, int):
        outgoing = get(f"{AGENTS_PATH}/{lookup.agent}", lookup.headers)
        fields = yield from read_object(outgoing, wait, expected="an agent", names_agent=True)
        items = fields if isinstance(fields, TessError) else [fields]
    else:
        items = yield from read_pages(
            AGENTS_PATH,
            lookup.headers,
            wait,
            expected=_LIST,
            is_last=lambda item: item.get("slug") == lookup.agent,
        )
    if isinstance(items, TessError):
        return items
    for item in items:
        agent = parse_agent(item)
        if agent is not None and (isinstance(lookup.agent, int) or agent.slug == lookup.agent):
            return _FoundAgent(item, agent)
    if isinstance(lookup.agent, str):
        return _no_such_slug(lookup.agent, items)
    message = "Tess answered with JSON that is not an agent."
    return Refused(message, param=None, code="not_an_answer", status=502)


def _no_such_slug(slug: str, items: list[JSONObject]) -> Refused:
    slugs = [name for item in items if isinstance(name := item.get("slug"), str)]
    near = closest(slug, slugs)
    hint = f" Did you mean {near!r}?" if near is not None else ""
    return Refused(
        f"No agent that this key can see has the slug {quoted(slug)}.{hint} Name it by its number instead.",
        param=None,
        code="agent_not_found",
        status=404,
    )
