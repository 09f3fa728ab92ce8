"""Look up what an agent offers, and list the agents that a key can see.

The requests go through a client of the SDK, either the caller's or one that is made for the request, so that
key, workspace, retries, errors and pacing are those of its chat calls.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote

from tess_openai.client_options import TessOptions
from tess_openai.clients import create_async_client, create_client
from tess_openai.core.agents import Agent, parse_agent
from tess_openai.core.fetching import PER_PAGE, next_page
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.lookups import AGENTS_PATH
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import to_agent_id
from tess_openai.settings import any_agent

if TYPE_CHECKING:
    import openai
    from typing_extensions import Unpack

AgentType: TypeAlias = Literal["chat", "image", "text", "video"]


def get_agent(
    agent_id: int | str | None = None,
    *,
    client: openai.OpenAI | None = None,
    **options: Unpack[TessOptions],
) -> Agent:
    """Look up what an agent offers, by one request.

    Args:
        agent_id: The agent's number, its slug, or a Tess URL that contains the number. When it is None, the
            agent of `client` is looked up, or that of `TESS_AGENT_ID`.
        client: A client that `create_client` made, to use its connections and options; None makes one from
            `options` and closes it.
        **options: The options of `TessOptions`; not allowed together with `client`.

    Returns:
        The agent and its questions, which are the fields that a call may contain and the values they take.

    Raises:
        openai.NotFoundError: This key cannot see such an agent. Other errors are those of a chat call.
        TessConfigurationError: An argument or a variable of the environment cannot work, or options are
            given together with a client.

    Source:
        Tess docs, get-agent (documented).
    """
    if client is None:
        with create_client(agent_id, **options) as own:
            return get_agent(client=own)
    _check_alone(options)
    path = _agent_path(client, agent_id)
    return _to_agent(client.get(path, cast_to=object))


async def async_get_agent(
    agent_id: int | str | None = None,
    *,
    client: openai.AsyncOpenAI | None = None,
    **options: Unpack[TessOptions],
) -> Agent:
    """Async counterpart of `get_agent`; `client` is one that `create_async_client` made."""
    if client is None:
        async with create_async_client(agent_id, **options) as own:
            return await async_get_agent(client=own)
    _check_alone(options)
    path = _agent_path(client, agent_id)
    return _to_agent(await client.get(path, cast_to=object))


def list_agents(
    *,
    q: str | None = None,
    type: AgentType | None = None,  # noqa: A002 - Tess's own name
    client: openai.OpenAI | None = None,
    **options: Unpack[TessOptions],
) -> Iterator[Agent]:
    """Yield all agents that this key can see; the next page is requested when it is reached.

    Args:
        q: Words that Tess searches for in the agents.
        type: Yield agents of this type only: `"chat"`, `"image"`, `"text"` or `"video"`.
        client: As for `get_agent`.
        **options: As for `get_agent`.

    Yields:
        The agents, in the order in which Tess lists them.

    Raises:
        openai.APIError: Tess refused a page; the errors are those of a chat call.
        TessConfigurationError: As for `get_agent`.

    Source:
        Tess docs, list-agents (documented).
    """
    if client is None:
        with create_client(any_agent(options), **options) as own:
            yield from list_agents(q=q, type=type, client=own)
        return
    _check_alone(options)
    number: int | None = 1
    while number is not None:
        path = _api_root(client) + AGENTS_PATH
        answer = client.get(path, cast_to=object, options=_query(q, type, number))
        page = to_object(answer) or {}
        yield from _agents_of(page)
        number = next_page(page, number)


async def async_list_agents(
    *,
    q: str | None = None,
    type: AgentType | None = None,  # noqa: A002 - Tess's own name
    client: openai.AsyncOpenAI | None = None,
    **options: Unpack[TessOptions],
) -> AsyncIterator[Agent]:
    """Async counterpart of `list_agents`, for `async for`."""
    if client is None:
        async with create_async_client(any_agent(options), **options) as own:
            async for agent in async_list_agents(q=q, type=type, client=own):
                yield agent
        return
    _check_alone(options)
    number: int | None = 1
    while number is not None:
        path = _api_root(client) + AGENTS_PATH
        answer = await client.get(path, cast_to=object, options=_query(q, type, number))
        page = to_object(answer) or {}
        for agent in _agents_of(page):
            yield agent
        number = next_page(page, number)


def _check_alone(options: TessOptions) -> None:
    if options:
        raise TessConfigurationError(
            f"client= is given together with {', '.join(sorted(options))}, which would have no effect: a "
            "client already has its options. Pass either client= or options"
        )


def _api_root(client: openai.OpenAI | openai.AsyncOpenAI) -> str:
    return _split(client)[0]


def _agent_path(client: openai.OpenAI | openai.AsyncOpenAI, agent_id: int | str | None) -> str:
    root, own = _split(client)
    agent = own if agent_id is None else str(to_agent_id(agent_id))
    return f"{root}{AGENTS_PATH}/{quote(agent, safe='')}"


def _split(client: openai.OpenAI | openai.AsyncOpenAI) -> tuple[str, str]:
    """Return the API root and the agent of a client."""
    root, found, rest = str(client.base_url).rpartition(f"{AGENTS_PATH}/")
    if not found:
        raise TessConfigurationError(
            "this client does not talk to a Tess agent; pass one that create_client() made, or none"
        )
    return root, rest.partition("/")[0]


def _query(q: str | None, type_: AgentType | None, page: int) -> Any:  # noqa: ANN401 - the SDK's own type
    given = {"q": q, "type": type_, "page": page, "per_page": PER_PAGE}
    return {"params": {name: value for name, value in given.items() if value is not None}}


def _to_agent(answer: object) -> Agent:
    agent = parse_agent(answer)
    if agent is None:
        raise TypeError("the client's answer is not an agent; was it made by create_client()?")
    return agent


def _agents_of(page: JSONObject) -> list[Agent]:
    agents = map(parse_agent, to_list(page.get("data")) or [])
    return [agent for agent in agents if agent is not None]
