"""Bodies of chats, and what the simulator reports of one that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tess_openai.core.jsons import parse_object
from tess_openai.testing.wire import WireResponse

Send: TypeAlias = Callable[..., WireResponse]
JSON: TypeAlias = dict[str, Any]
HELLO: JSON = {"role": "user", "content": "hello"}
SYSTEM: JSON = {"role": "system", "content": "be brief"}
REPLY: JSON = {"role": "assistant", "content": "hi"}


def messages(*given: object) -> JSON:
    """Write the part of a body that holds messages."""
    return {"messages": list(given)}


def reported(response: WireResponse) -> JSON:
    """Read the JSON of an answer."""
    payload = parse_object(response.body)
    assert payload is not None
    return payload


def refused_fields(response: WireResponse) -> list[str]:
    """Name the fields a 422 complains of."""
    assert response.status == 422
    return list(reported(response)["errors"])


def agent(number: int) -> str:
    """Write the chat route of an agent."""
    return f"/agents/{number}/openai/chat/completions"
