"""Make plain clients of the SDK, and plain http clients, that send their requests through the adapter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar, cast

import openai

from tess_openai.client_options import OPTIONS, TessOptions, check_names, show_options
from tess_openai.edge import sdk
from tess_openai.edge.families import FamilyName, Kind
from tess_openai.edge.install import new_client, wrap_copy
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import ApiKey
from tess_openai.settings import Settings, resolve

if TYPE_CHECKING:
    from typing_extensions import Unpack

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)
_HTTP_KINDS: Final[Mapping[type[object], Kind]] = {openai.OpenAI: "sync", openai.AsyncOpenAI: "async"}


class ClientOptions(TessOptions, total=False):
    """What the client factories take: the adapter's own options, and all keywords of the SDK's client.

    A keyword that the installed SDK does not know is refused. Their meaning is in the SDK's documentation.
    """

    organization: str | None
    project: str | None
    webhook_secret: str | None
    websocket_base_url: Any
    timeout: float | openai.Timeout | openai.NotGiven | None
    max_retries: int
    default_headers: Mapping[str, str] | None
    default_query: Mapping[str, object] | None
    admin_api_key: str | None
    workload_identity: Any
    provider: Any
    data_residency: Any
    _strict_response_validation: bool
    _enforce_credentials: bool


class Connection(TypedDict):
    """The arguments for a framework that takes a base URL and an http client.

    Attributes:
        base_url: The URL of the agent's chat API, `https://api.tess.im/agents/8794/openai`.
        api_key: The key as it was given: a string, or a function that returns one.
        http_client: An `httpx.Client` or `httpx2.Client` with the adapter underneath.
        async_http_client: Its async counterpart.
    """

    base_url: str
    api_key: ApiKey
    http_client: Any
    async_http_client: Any


@show_options
def create_client(
    agent_id: int | str | None = None, *, http_client: Any = None, **options: Unpack[ClientOptions]
) -> openai.OpenAI:
    """Make the SDK's own client, talking to a Tess agent.

    Nothing is sent before the first call. The `OPENAI_*` variables are not read.

    Args:
        agent_id: The agent's number, its slug, or a Tess URL that contains the number. When it is None,
            `TESS_AGENT_ID` is read.
        http_client: An `httpx.Client` or `httpx2.Client` of your own. A copy of it is wrapped, which shares
            its pool of connections; your client is not changed. None makes one as the SDK does.
        **options: The options of `TessOptions`. All other keywords go to `openai.OpenAI` unchanged:
            `timeout` (seconds), `max_retries`, `default_headers`, ...

    Returns:
        An `openai.OpenAI`, not a subclass of it. Close it, or use it in a `with` statement.

    Raises:
        TessConfigurationError: An argument or a variable of the environment cannot work.
        TypeError: Neither this package nor the installed SDK knows a keyword.

    Warns:
        TessConfigurationWarning: No workspace is named.
        TessConfigurationWarning: The key does not look like one of Tess.
    """
    return _create(create_client, openai.OpenAI, agent_id, http_client, options)


@show_options
def create_async_client(
    agent_id: int | str | None = None, *, http_client: Any = None, **options: Unpack[ClientOptions]
) -> openai.AsyncOpenAI:
    """Async counterpart of `create_client`.

    Args:
        agent_id: As for `create_client`.
        http_client: An `httpx.AsyncClient` or `httpx2.AsyncClient`, or an `openai.DefaultAioHttpClient`.
        **options: As for `create_client`.

    Returns:
        An `openai.AsyncOpenAI`, not a subclass of it.

    Raises:
        TessConfigurationError: An argument or a variable of the environment cannot work.
        TypeError: Neither this package nor the installed SDK knows a keyword.
    """
    return _create(create_async_client, openai.AsyncOpenAI, agent_id, http_client, options)


@show_options
def connection(
    agent_id: int | str | None = None,
    *,
    family: FamilyName | None = None,
    http_client: Any = None,
    async_http_client: Any = None,
    **options: Unpack[TessOptions],
) -> Connection:
    """Return the arguments for a framework that makes the SDK's client itself, or takes an http client.

    The framework must call the URL in `base_url`, with the same key.

    Args:
        agent_id: As for `create_client`.
        family: The HTTP library of the clients that are made, `"httpx"` or `"httpx2"`; None is that of the
            installed SDK.
        http_client: An http client of your own; a copy of it is wrapped, and its family is kept.
        async_http_client: Its async counterpart.
        **options: The options of `TessOptions`.

    Returns:
        `{"base_url", "api_key", "http_client", "async_http_client"}`; neither http client is connected yet.

    Raises:
        TessConfigurationError: An argument or a variable of the environment cannot work.
        TypeError: A keyword is not an option of this package.
    """
    settings = _resolve(connection, agent_id, options)
    return {
        "base_url": settings.base_url,
        "api_key": settings.api_key,
        "http_client": _http_client("sync", settings, http_client, family),
        "async_http_client": _http_client("async", settings, async_http_client, family),
    }


def _create(
    factory: Callable[..., Client],
    kind: type[Client],
    agent_id: int | str | None,
    http_client: Any,
    given: ClientOptions,
) -> Client:
    check_names(factory, given, inspect.signature(kind).parameters)
    openai_options: dict[str, Any] = {name: value for name, value in given.items() if name not in OPTIONS}
    own = {name: value for name, value in given.items() if name in OPTIONS}
    settings = _resolve(factory, agent_id, cast("TessOptions", own))
    _check_others(settings, kind)
    client = kind(
        base_url=settings.base_url,
        api_key=cast("Any", settings.api_key),
        http_client=_http_client(_HTTP_KINDS[kind], settings, http_client, None, may_pickle=False),
        **openai_options,
    )
    _check_authorization(client, openai_options)
    return client


def _resolve(factory: Callable[..., object], agent_id: int | str | None, given: TessOptions) -> Settings:
    check_names(factory, given)
    settings = resolve(agent_id, given, longest_wait_seconds=sdk.longest_wait_seconds())
    if callable(settings.api_key) and sdk.version() < sdk.CALLABLE_KEYS:
        raise TessConfigurationError(
            f"api_key is a function, which openai {openai.VERSION} would send as text; pass a string or "
            "install openai 1.106 or later"
        )
    return settings


def _http_client(
    kind: Kind, settings: Settings, given: Any, family: FamilyName | None, *, may_pickle: bool = True
) -> Any:
    if given is None:
        return new_client(settings.adapter, kind, family, may_pickle=may_pickle)
    return wrap_copy(given, settings.adapter, kind)


def _check_others(settings: Settings, kind: type[Client]) -> None:
    """Refuse a sync client in `others` of an async client, and an async one in `others` of a sync client."""
    for name, client in settings.adapter.others.items():
        if not isinstance(client, kind):
            raise TessConfigurationError(
                f"others[{name!r}] is an {type(client).__name__}, which cannot answer the calls of "
                f"openai.{kind.__name__}; pass others={{{name!r}: openai.{kind.__name__}(...)}}"
            )


def _check_authorization(client: openai.OpenAI | openai.AsyncOpenAI, given: Mapping[str, Any]) -> None:
    """Refuse a client whose key was replaced by the environment.

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
                "Remove it from that variable; it would send another service's key to Tess"
            )
