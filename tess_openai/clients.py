"""The factories: plain clients of the SDK, and plain http clients, with the adapter underneath."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

import openai

from tess_openai.core.agents import Agent
from tess_openai.core.emulate.prompts import Prompts
from tess_openai.core.options import DOCUMENTED_TEMPERATURES, UsageOption
from tess_openai.core.policy import Unsupported
from tess_openai.edge import sdk
from tess_openai.edge.adapter import OnChange
from tess_openai.edge.families import FamilyName
from tess_openai.edge.install import Kind, wrap_copy, wrap_own
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import ApiKey
from tess_openai.settings import Profile, Settings, resolve, to_longest_wait

if TYPE_CHECKING:
    from typing_extensions import Unpack


class TessOptions(TypedDict, total=False):
    """The adapter's own options, the same for every factory.

    Attributes:
        workspace_id: The number of the workspace the key belongs to; else `TESS_WORKSPACE_ID`.
        api_key: A key of Tess's, or a function that returns one; else `TESS_API_KEY`.
        base_url: Of the API, `"https://api.tess.im"`; else `TESS_BASE_URL`.
        tools: The agent's tool for calls that name none themselves, `"internet"`.
        unsupported: What to do with what Tess lacks: `"warn"`, `"ignore"`, `"error"`, `"forward"`, or a
            mapping of parameters to these words, `{"seed": "ignore", "*": "error"}`; `"emulate"` too, for
            what can be.
        emulate: Whether all that can be is emulated, unless `unsupported` names it: functions, structured
            output, `stop`, `n`, `max_tokens`. Changes prompts and cost. Needs `tess-openai[emulate]`.
        max_repairs: How often an emulated answer that cannot be used is asked for again, a paid call each.
        prompts: What emulation tells the model, where you would say it otherwise.
        profile: The file that `tess-openai probe` wrote, or what is in it: what is proven is forwarded, or
            refused before the network; else `TESS_OPENAI_PROFILE`.
        on_change: Called with each `Change`, before the request is sent.
        usage: `"estimate"` marks estimated token counts where Tess gives none; `"none"` leaves them out.
        temperatures: The agent's options; None sends any number as given.
        tool_names: More hosted tools or functions that are a tool of Tess's, `{"my_search": "internet"}`.
        merge_messages: Whether neighbouring messages of one role become one.
        max_retry_wait: Seconds; when Tess asks to wait longer, the call fails at once.
        agent: Holds each call against what the agent offers, before the network: an `Agent`, or `"fetch"` to
            look it up at the first call.
        agents: Names for more agents, to be used as `model`: `{"support": 8794, "sales": "a-slug-AbC12d"}`.
        models: Aliases, `{"gpt-4o": "tess-6", "*": None}`; None leaves the model to the agent.
        requests_per_second: At most so many of this key, over all its clients in the process.
    """

    workspace_id: int | str | None
    api_key: ApiKey | None
    base_url: str | None
    tools: str | None
    unsupported: Unsupported
    emulate: bool
    max_repairs: int
    prompts: Prompts | None
    profile: Profile | None
    on_change: OnChange | None
    usage: UsageOption
    temperatures: Sequence[str | float] | None
    tool_names: Mapping[str, str] | None
    merge_messages: bool
    max_retry_wait: float
    agent: Agent | Literal["fetch"] | None
    agents: Mapping[str, int | str | Agent] | None
    models: Mapping[str, str | None] | None
    requests_per_second: float | None


class Connection(TypedDict):
    """What a framework with a `base_url` needs."""

    base_url: str
    api_key: ApiKey
    http_client: Any
    async_http_client: Any


def create_client(
    agent_id: int | str | None = None,
    *,
    workspace_id: int | str | None = None,
    api_key: ApiKey | None = None,
    base_url: str | None = None,
    tools: str | None = None,
    unsupported: Unsupported = "warn",
    emulate: bool = False,
    max_repairs: int = 1,
    prompts: Prompts | None = None,
    profile: Profile | None = None,
    on_change: OnChange | None = None,
    usage: UsageOption = "estimate",
    temperatures: Sequence[str | float] | None = DOCUMENTED_TEMPERATURES,
    tool_names: Mapping[str, str] | None = None,
    merge_messages: bool = True,
    max_retry_wait: float = 60.0,
    agent: Agent | Literal["fetch"] | None = None,
    agents: Mapping[str, int | str | Agent] | None = None,
    models: Mapping[str, str | None] | None = None,
    requests_per_second: float | None = None,
    http_client: Any = None,
    **openai_options: Any,
) -> openai.OpenAI:
    """Make the SDK's own client, talking to a Tess agent.

    Args:
        agent_id: Its number, its slug, or a Tess URL that contains the number; else `TESS_AGENT_ID`.
        workspace_id: See `TessOptions`, as for all that follow.
        api_key: A key, or a function that returns one (openai 1.106 or later).
        base_url: Of the API.
        tools: The agent's tool for calls that name none.
        unsupported: What to do with what Tess lacks.
        emulate: Whether all that can be is emulated.
        max_repairs: How often an emulated answer that cannot be used is asked for again.
        prompts: What emulation tells the model.
        profile: What a probe proved, or the file that holds it.
        on_change: Called with each `Change`.
        usage: What to do when Tess gives no token counts.
        temperatures: The agent's options.
        tool_names: More names for tools of Tess's.
        merge_messages: Whether neighbouring messages of one role become one.
        max_retry_wait: Seconds.
        agent: What the agent offers, or `"fetch"`.
        agents: Names for more agents.
        models: Aliases of models.
        requests_per_second: Of this key in this process.
        http_client: An httpx or httpx2 client of your own; a copy of it is wrapped, it shares the pool.
        **openai_options: Go to `openai.OpenAI` as they are: `timeout`, `max_retries`, `default_headers`, ...

    Raises:
        TessConfigurationError: A mistake in the arguments or the environment.

    Warns:
        TessWorkspaceWarning: No workspace is named.
        TessKeyWarning: The key does not look like one of Tess's.
    """
    options: TessOptions = {
        "workspace_id": workspace_id,
        "api_key": api_key,
        "base_url": base_url,
        "tools": tools,
        "unsupported": unsupported,
        "emulate": emulate,
        "max_repairs": max_repairs,
        "prompts": prompts,
        "profile": profile,
        "on_change": on_change,
        "usage": usage,
        "temperatures": temperatures,
        "tool_names": tool_names,
        "merge_messages": merge_messages,
        "max_retry_wait": max_retry_wait,
        "agent": agent,
        "agents": agents,
        "models": models,
        "requests_per_second": requests_per_second,
    }
    _check_names(create_client, openai.OpenAI, openai_options)
    settings = _resolve(agent_id, options)
    client = openai.OpenAI(
        base_url=settings.base_url,
        api_key=cast("Any", settings.api_key),
        http_client=_http_client("sync", settings, http_client, None),
        **openai_options,
    )
    _check_authorization(client, openai_options)
    return client


def create_async_client(
    agent_id: int | str | None = None,
    *,
    workspace_id: int | str | None = None,
    api_key: ApiKey | None = None,
    base_url: str | None = None,
    tools: str | None = None,
    unsupported: Unsupported = "warn",
    emulate: bool = False,
    max_repairs: int = 1,
    prompts: Prompts | None = None,
    profile: Profile | None = None,
    on_change: OnChange | None = None,
    usage: UsageOption = "estimate",
    temperatures: Sequence[str | float] | None = DOCUMENTED_TEMPERATURES,
    tool_names: Mapping[str, str] | None = None,
    merge_messages: bool = True,
    max_retry_wait: float = 60.0,
    agent: Agent | Literal["fetch"] | None = None,
    agents: Mapping[str, int | str | Agent] | None = None,
    models: Mapping[str, str | None] | None = None,
    requests_per_second: float | None = None,
    http_client: Any = None,
    **openai_options: Any,
) -> openai.AsyncOpenAI:
    """Async counterpart of `create_client`; `http_client` may also be `openai.DefaultAioHttpClient()`."""
    options: TessOptions = {
        "workspace_id": workspace_id,
        "api_key": api_key,
        "base_url": base_url,
        "tools": tools,
        "unsupported": unsupported,
        "emulate": emulate,
        "max_repairs": max_repairs,
        "prompts": prompts,
        "profile": profile,
        "on_change": on_change,
        "usage": usage,
        "temperatures": temperatures,
        "tool_names": tool_names,
        "merge_messages": merge_messages,
        "max_retry_wait": max_retry_wait,
        "agent": agent,
        "agents": agents,
        "models": models,
        "requests_per_second": requests_per_second,
    }
    _check_names(create_async_client, openai.AsyncOpenAI, openai_options)
    settings = _resolve(agent_id, options)
    client = openai.AsyncOpenAI(
        base_url=settings.base_url,
        api_key=cast("Any", settings.api_key),
        http_client=_http_client("async", settings, http_client, None),
        **openai_options,
    )
    _check_authorization(client, openai_options)
    return client


def create_http_client(
    agent_id: int | str | None = None,
    *,
    family: FamilyName | None = None,
    http_client: Any = None,
    **options: Unpack[TessOptions],
) -> Any:
    """Make an http client for a framework that takes `http_client=`.

    The framework must call the URL that `connection()` names as `base_url`, with the same key.

    Args:
        agent_id: As for `create_client`.
        family: `"httpx"` or `"httpx2"`; None is the installed SDK's own.
        http_client: Of your own, to be wrapped as a copy; its family is kept.
        **options: See `TessOptions`.

    Returns:
        An `httpx.Client` or `httpx2.Client`.
    """
    return _http_client("sync", _resolve(agent_id, options), http_client, family)


def create_async_http_client(
    agent_id: int | str | None = None,
    *,
    family: FamilyName | None = None,
    http_client: Any = None,
    **options: Unpack[TessOptions],
) -> Any:
    """Async counterpart of `create_http_client`."""
    return _http_client("async", _resolve(agent_id, options), http_client, family)


def connection(
    agent_id: int | str | None = None,
    *,
    family: FamilyName | None = None,
    **options: Unpack[TessOptions],
) -> Connection:
    """Return everything a `base_url` style integration needs.

    Returns:
        `{"base_url", "api_key", "http_client", "async_http_client"}`, the two http clients unconnected.
    """
    settings = _resolve(agent_id, options)
    return {
        "base_url": settings.base_url,
        "api_key": settings.api_key,
        "http_client": _http_client("sync", settings, None, family),
        "async_http_client": _http_client("async", settings, None, family),
    }


def _resolve(agent_id: int | str | None, options: TessOptions) -> Settings:
    settings = resolve(
        agent_id,
        workspace_id=options.get("workspace_id"),
        api_key=options.get("api_key"),
        base_url=options.get("base_url"),
        tools=options.get("tools"),
        unsupported=options.get("unsupported", "warn"),
        emulate=options.get("emulate", False),
        max_repairs=options.get("max_repairs", 1),
        prompts=options.get("prompts"),
        profile=options.get("profile"),
        on_change=options.get("on_change"),
        usage=options.get("usage", "estimate"),
        temperatures=options.get("temperatures", DOCUMENTED_TEMPERATURES),
        tool_names=options.get("tool_names"),
        merge_messages=options.get("merge_messages", True),
        max_retry_wait=min(to_longest_wait(options.get("max_retry_wait", 60.0)), sdk.longest_wait_seconds()),
        agent=options.get("agent"),
        agents=options.get("agents"),
        models=options.get("models"),
        requests_per_second=options.get("requests_per_second"),
        sdk_names_broken_streams=sdk.version() >= sdk.NAMES_BROKEN_STREAMS,
    )
    if callable(settings.api_key) and sdk.version() < sdk.CALLABLE_KEYS:
        raise TessConfigurationError(
            f"api_key is a function, which openai {openai.VERSION} would send as text; pass a string or "
            "install openai 1.106 or later"
        )
    return settings


def _http_client(kind: Kind, settings: Settings, given: Any, family: FamilyName | None) -> Any:
    if given is None:
        return wrap_own(sdk.new_http_client(kind, family), settings.adapter, kind)
    return wrap_copy(given, settings.adapter, kind)


def _check_names(
    factory: Callable[..., object], client: type[openai.OpenAI | openai.AsyncOpenAI], given: Mapping[str, Any]
) -> None:
    """Refuse a keyword that nobody has, before the SDK names itself as the culprit."""
    theirs = inspect.signature(client).parameters
    for name in given:
        if name not in theirs:
            known = [*inspect.signature(factory).parameters, *theirs]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{factory.__name__}() got an unexpected keyword argument {name!r}{hint}")


def _check_authorization(client: openai.OpenAI | openai.AsyncOpenAI, given: Mapping[str, Any]) -> None:
    """Refuse a key that the environment put in the place of the caller's.

    Source: from 2.5x on, `OPENAI_CUSTOM_HEADERS` replaces `Authorization` even when `api_key` is given
    (measured).
    """
    headers: Mapping[str, str] = given.get("default_headers") or {}
    own = {name.lower() for name in headers}
    for name, value in client.default_headers.items():
        if (
            name.lower() == "authorization"
            and name.lower() not in own
            and value != f"Bearer {client.api_key}"
        ):
            raise TessConfigurationError(
                "the environment replaces the key of this client: OPENAI_CUSTOM_HEADERS holds Authorization. "
                "Take it out of there; it would send another service's key to Tess"
            )
