"""Scripts for the simulated agent: the model's part where functions are emulated."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def calls(name: str, arguments: str) -> Callable[[dict[str, Any]], str]:
    """Play a model that calls a function, the way the system message tells it to."""

    def say(body: dict[str, Any]) -> str:
        system = body["messages"][0]["content"]
        assert name in system, "the function was not offered"
        nonce = re.search(r"<call:(\w+)>", system)
        assert nonce is not None, "the model was not instructed how to call"
        return f'<call:{nonce[1]}>\n{{"name": "{name}", "arguments": {arguments}}}\n</call:{nonce[1]}>'

    return say


def answers_with(result: str, text: str) -> Callable[[dict[str, Any]], str]:
    """Play a model that answers once the result of a function has reached it."""

    def say(body: dict[str, Any]) -> str:
        assert result in body["messages"][-1]["content"], "the result did not reach the model"
        return text

    return say
