"""A custom provider for LiteLLM: chat completions of any agent, under LiteLLM's own types and proxy.

Source: LiteLLM's documentation, "Custom API Server (Custom Format)" (documented). Its code (1.106, read)
shows that a provider may return `ModelResponseStream`, and the names of a call's key, base URL and headers.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakKeyDictionary

import openai

from tess_openai.clients import create_async_client, create_client
from tess_openai.exceptions import TessConfigurationError

if TYPE_CHECKING:
    from tess_openai.client_options import TessOptions

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)

MOST_CLIENTS: Final = 256
"""How many clients of one kind are kept; in a proxy, each caller's key needs a client of its own."""


def build(litellm: Any, agent_id: int | str | None, options: TessOptions) -> Any:
    """Make a provider for this LiteLLM, a subclass of its `CustomLLM`."""
    return types.new_class("TessProvider", (Provider, litellm.CustomLLM))(litellm, agent_id, options)


@dataclass(frozen=True, slots=True)
class ProviderSource:
    """The agent, key and base URL of a call, by which its client is found; None means the provider's own.

    Attributes:
        agent: The number of the agent.
        api_key: A key of Tess, given for this call or its deployment.
        api_base: The base URL, as for `create_client`.
    """

    agent: str | None
    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None


class Provider:
    """Sends LiteLLM's calls through clients of this package, one for each agent, key and base URL."""

    def __init__(self, litellm: Any, agent_id: int | str | None, options: TessOptions) -> None:
        super().__init__()
        self._litellm = litellm
        self._agent_id = agent_id
        self._options = options
        self._clients: dict[ProviderSource, openai.OpenAI] = {}
        self._async_clients: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[ProviderSource, openai.AsyncOpenAI]
        ] = WeakKeyDictionary()

    def completion(self, model: str, **given: Any) -> Any:
        """Answer `litellm.completion`."""
        answer = self._client(model, given).chat.completions.create(**to_arguments(model, given))
        return self._litellm.ModelResponse(**answer.model_dump())

    def streaming(self, model: str, **given: Any) -> Iterator[Any]:
        """Answer `litellm.completion(stream=True)`."""
        arguments = to_arguments(model, given)
        for chunk in self._client(model, given).chat.completions.create(**arguments, stream=True):
            yield self._litellm.ModelResponseStream(**chunk.model_dump())

    async def acompletion(self, model: str, **given: Any) -> Any:
        """Async counterpart of `completion`."""
        client = self._async_client(model, given)
        answer = await client.chat.completions.create(**to_arguments(model, given))
        return self._litellm.ModelResponse(**answer.model_dump())

    async def astreaming(self, model: str, **given: Any) -> AsyncIterator[Any]:
        """Async counterpart of `streaming`."""
        client, arguments = self._async_client(model, given), to_arguments(model, given)
        async for chunk in await client.chat.completions.create(**arguments, stream=True):
            yield self._litellm.ModelResponseStream(**chunk.model_dump())

    # It returns `Any` because overloads of `create` do not accept arguments known only at run time.
    def _client(self, model: str, given: dict[str, Any]) -> Any:
        return _with_retries(self._kept(self._clients, create_client, to_source(model, given)), given)

    def _async_client(self, model: str, given: dict[str, Any]) -> Any:
        """Return the client of this event loop: connections cannot move between loops."""
        for loop in [known() for known in self._async_clients.keyrefs()]:
            if loop is not None and loop.is_closed():  # its clients refer to it and would keep it alive
                self._async_clients.pop(loop, None)
        clients = self._async_clients.setdefault(asyncio.get_running_loop(), {})
        return _with_retries(self._kept(clients, create_async_client, to_source(model, given)), given)

    def _kept(
        self, clients: dict[ProviderSource, Client], create: Callable[..., Client], source: ProviderSource
    ) -> Client:
        client = clients.get(source)
        if client is None:
            options = {**self._options}
            if source.api_key is not None:
                options["api_key"] = source.api_key
            if source.api_base is not None:
                options["base_url"] = source.api_base
            client = create(self._agent_id if source.agent is None else source.agent, **options)
            while len(clients) >= MOST_CLIENTS:
                clients.pop(next(iter(clients)), None)  # not closed: a call may be using it
            client = clients.setdefault(source, client)
        return client


def to_source(model: str, given: dict[str, Any]) -> ProviderSource:
    """Return which agent a call of LiteLLM is for, and with which key.

    Raises:
        TessConfigurationError: A base URL is given without a key. The provider's key is sent only to the
            provider's own base URL.
    """
    api_key, api_base = given.get("api_key"), given.get("api_base")
    if api_base is not None and api_key is None:
        raise TessConfigurationError(
            "api_base is given without api_key, and the provider's key is sent to the provider's base URL "
            "only. Give both, or set the URL in presets.litellm_provider(base_url=...)"
        )
    return ProviderSource(_split(model)[0], api_key, api_base)


def to_arguments(model: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the SDK's `create`.

    LiteLLM's parameters are passed in `extra_body`, since this SDK may be too old to know them all. LiteLLM
    passes `headers=` and `extra_headers=` of a call as one argument, `headers`.
    """
    parameters: dict[str, Any] = dict(given["optional_params"])
    query = parameters.pop("extra_query", None)
    for name in ("stream", "max_retries"):
        parameters.pop(name, None)
    parameters |= parameters.pop("extra_body", None) or {}
    return {
        "model": _split(model)[1] or openai.NOT_GIVEN,
        "messages": given["messages"],
        "timeout": openai.NOT_GIVEN if given.get("timeout") is None else given["timeout"],
        "extra_headers": given.get("headers"),
        "extra_query": query,
        "extra_body": parameters,
    }


def _split(model: str) -> tuple[str | None, str]:
    """Split the name of a model into agent and model.

    `"8794/tess-6"` names both, `"8794"` the agent alone, anything else is a model of the provider's agent.
    """
    head, _, rest = model.partition("/")
    return (head, rest) if head.isdecimal() else (None, model)


def _with_retries(client: Client, given: dict[str, Any]) -> Client:
    """Return the client with the retries that LiteLLM sets: its router sets 0 and retries itself."""
    retries: int | None = given["optional_params"].get("max_retries")
    return client if retries is None else client.with_options(max_retries=retries)
