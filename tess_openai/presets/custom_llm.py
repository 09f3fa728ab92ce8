"""A custom provider for LiteLLM: chat completions of any agent, under LiteLLM's own types and proxy.

Source: LiteLLM's documentation, "Custom API Server (Custom Format)" (documented). That a provider may return
`ModelResponseStream` was read in its source (1.106).
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import openai

from tess_openai.clients import create_async_client, create_client

if TYPE_CHECKING:
    from tess_openai.clients import TessOptions


def build(litellm: Any, agent_id: int | str | None, options: TessOptions) -> Any:
    """Make a provider for this LiteLLM, a subclass of its `CustomLLM`."""
    return types.new_class("TessProvider", (Provider, litellm.CustomLLM))(litellm, agent_id, options)


class Provider:
    """Carries LiteLLM's calls to clients of this package, one per agent."""

    def __init__(self, litellm: Any, agent_id: int | str | None, options: TessOptions) -> None:
        super().__init__()
        self._litellm = litellm
        self._agent_id = agent_id
        self._options = options
        self._clients: dict[str | None, openai.OpenAI] = {}
        self._async_clients: WeakKeyDictionary[object, dict[str | None, openai.AsyncOpenAI]] = (
            WeakKeyDictionary()
        )

    def completion(self, model: str, **given: Any) -> Any:
        """Answer `litellm.completion`."""
        agent, arguments = to_call(model, given)
        answer = self._client(agent).chat.completions.create(**arguments)
        return self._litellm.ModelResponse(**answer.model_dump())

    def streaming(self, model: str, **given: Any) -> Iterator[Any]:
        """Answer `litellm.completion(stream=True)`."""
        agent, arguments = to_call(model, given)
        for chunk in self._client(agent).chat.completions.create(**arguments, stream=True):
            yield self._litellm.ModelResponseStream(**chunk.model_dump())

    async def acompletion(self, model: str, **given: Any) -> Any:
        """Async counterpart of `completion`."""
        agent, arguments = to_call(model, given)
        answer = await self._async_client(agent).chat.completions.create(**arguments)
        return self._litellm.ModelResponse(**answer.model_dump())

    async def astreaming(self, model: str, **given: Any) -> AsyncIterator[Any]:
        """Async counterpart of `streaming`."""
        agent, arguments = to_call(model, given)
        async for chunk in await self._async_client(agent).chat.completions.create(**arguments, stream=True):
            yield self._litellm.ModelResponseStream(**chunk.model_dump())

    def _client(self, agent: str | None) -> Any:  # arguments of run time defeat the SDK's overloads
        client = self._clients.get(agent)
        if client is None:
            client = create_client(self._agent_id if agent is None else agent, **self._options)
            client = self._clients.setdefault(agent, client)
        return client

    def _async_client(self, agent: str | None) -> Any:
        """Return the client of this event loop: connections cannot move between loops."""
        clients = self._async_clients.setdefault(asyncio.get_running_loop(), {})
        client = clients.get(agent)
        if client is None:
            client = create_async_client(self._agent_id if agent is None else agent, **self._options)
            clients[agent] = client
        return client


def to_call(model: str, given: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the agent that a model name names, and the arguments of the SDK's `create`.

    `"8794/tess-6"` names both, `"8794"` the agent alone, anything else is a model of the provider's agent.
    LiteLLM's parameters go into the body by `extra_body`, since this SDK may be too old to know them all.
    """
    head, _, rest = model.partition("/")
    agent, name = (head, rest) if head.isdecimal() else (None, model)
    parameters: dict[str, Any] = dict(given["optional_params"])
    own: dict[str, Any] = {
        key: parameters.pop(key) for key in ("extra_headers", "extra_query") if key in parameters
    }
    parameters.pop("stream", None)
    parameters |= parameters.pop("extra_body", None) or {}
    return agent, {
        "model": name or openai.NOT_GIVEN,
        "messages": given["messages"],
        "timeout": openai.NOT_GIVEN if given.get("timeout") is None else given["timeout"],
        "extra_body": parameters,
        **own,
    }
