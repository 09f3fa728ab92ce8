"""Requests with values of unexpected types end in an answer or in a refusal, never in a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tests.unit.responses.driven import drive

EMULATING = Options(policy=Policy("emulate"))
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tess-6",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    }
).encode()
FUNCTION = {"type": "function", "function": {"name": "look"}}
ODD: list[Any] = [["user"], {"a": 1}, [], {}, 7, True, None]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "place",
    ["role", "first role", "tool type", "tool name", "choice", "choice type", "choice name", "item role"],
)
def test_a_value_of_another_type_fails_nothing(place: str, odd: Any) -> None:
    """A list or an object where a name belongs cannot be looked up in a set."""
    hello = {"role": "user", "content": "hello"}
    chat: dict[str, Any] = {"model": "tess-6", "messages": [hello], "tools": [FUNCTION]}
    path = "/chat/completions"
    if place == "role":
        chat["messages"] = [hello, {"role": odd, "content": "x"}]
    elif place == "first role":
        chat["messages"] = [{"role": odd, "content": "x"}, hello]
    elif place == "tool type":
        chat["tools"] = [FUNCTION, {"type": odd, "function": True}]
    elif place == "tool name":
        chat["tools"] = [{"type": "function", "function": {"name": odd}}]
    elif place == "choice":
        chat["tool_choice"] = odd
    elif place == "choice type":
        chat["tool_choice"] = {"type": odd, "name": "look"}
    elif place == "choice name":
        chat["tool_choice"] = {"type": "function", "function": {"name": odd}}
    else:
        path, chat = "/responses", {"model": "tess-6", "input": [{"role": odd, "content": "x"}]}
        chat["tools"] = [{"type": "function", "name": "look"}]
    carried = drive(chat, [ANSWER], path=path, options=EMULATING)
    assert carried.status in (200, 400, 422)
