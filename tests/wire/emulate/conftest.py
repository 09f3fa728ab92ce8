"""A model to play: it calls functions the way its instructions say, and its instructions can be looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tess_openai.testing import TessSimulator

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

NONCE = re.compile(r"<call:(\w+)>")


@dataclass(slots=True)
class Reply:
    """One choice as the caller has it, whichever way it came.

    Attributes:
        calls: Name and arguments of each.
        ids: Of the calls.
        reason: The finish reason.
    """

    content: str | None = None
    refusal: str | None = None
    calls: list[tuple[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    function_call: tuple[str, Any] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """Plays the model behind the simulated Tess."""

    simulator: TessSimulator

    def call(self, name: str, arguments: object, *, before: str = "", after: str = "") -> Callable[..., str]:
        """Return a script that makes one call; `arguments` that are a string are written as they are."""
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return self.write(f'{before}{{open}}\n{{"name": "{name}", "arguments": {written}}}\n{{close}}{after}')

    def write(self, text: str) -> Callable[..., str]:
        """Return a script that writes a text with the request's own marks for `{open}` and `{close}`."""

        def say(body: dict[str, Any]) -> str:
            nonces = NONCE.findall(body["messages"][0]["content"])
            assert nonces, "the model was not instructed how to call"
            marks = (f"<call:{nonces[0]}>", f"</call:{nonces[0]}>")
            return text.replace("{open}", marks[0]).replace("{close}", marks[1])

        return say

    @property
    def received(self) -> list[Any]:
        """The bodies of all chat calls so far."""
        return [call.json for call in self.simulator.calls]

    @property
    def instructions(self) -> str:
        """The system message of the last call."""
        first = self.received[-1]["messages"][0]
        assert first["role"] == "system"
        return str(first["content"])

    def asked(self, driver: Driver, client: Any, *, stream: bool, **fields: Any) -> list[Reply]:
        """Make a call and return its choices, the same for a completion and for a stream."""
        answer = driver.ask(client, stream=stream, **fields)
        if not stream:
            return [_of_choice(choice) for choice in answer.choices]
        choices: dict[int, Reply] = {}
        for chunk in driver.items(answer):
            for choice in chunk.choices:
                _add(choices.setdefault(choice.index, Reply()), choice)
        for reply in choices.values():
            reply.calls = [(name, json.loads(arguments)) for name, arguments in reply.calls]
            if reply.function_call is not None:
                reply.function_call = (reply.function_call[0], json.loads(reply.function_call[1]))
        return [choices[index] for index in sorted(choices)]


def _of_choice(choice: Any) -> Reply:
    message = choice.message
    calls = message.tool_calls or []
    legacy = message.function_call
    return Reply(
        content=message.content,
        refusal=message.refusal,
        calls=[_name_and_input(call) for call in calls],
        ids=[call.id for call in calls],
        function_call=None if legacy is None else (legacy.name, json.loads(legacy.arguments)),
        reason=choice.finish_reason,
    )


def _name_and_input(call: Any) -> tuple[str, Any]:
    if call.type == "custom":
        custom = call.custom if isinstance(call.custom, dict) else call.custom.model_dump()
        return custom["name"], custom["input"]
    return call.function.name, json.loads(call.function.arguments)


def _add(reply: Reply, choice: Any) -> None:
    """Add a delta as programs do; the order of OpenAI's, the name first, is asserted."""
    delta = choice.delta
    assert reply.reason is None, "nothing follows the finish reason"
    if delta.content:
        reply.content = (reply.content or "") + delta.content
    if delta.refusal:
        reply.refusal = (reply.refusal or "") + delta.refusal
    for call in delta.tool_calls or []:
        if call.id:
            assert (call.index, call.type, call.function.arguments) == (len(reply.calls), "function", "")
            reply.calls.append((call.function.name, ""))
            reply.ids.append(call.id)
        else:
            name, arguments = reply.calls[call.index]
            reply.calls[call.index] = (name, arguments + call.function.arguments)
    if delta.function_call:
        name, arguments = reply.function_call or (delta.function_call.name, "")
        reply.function_call = (name, arguments + delta.function_call.arguments)
    reply.reason = choice.finish_reason


@pytest.fixture
def model(simulator: TessSimulator) -> Model:
    """Play the model."""
    return Model(simulator)


@pytest.fixture
def tools() -> list[dict[str, Any]]:
    """Offer two functions; strict ones, since some SDKs stream no others."""
    city = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    functions = [{"name": "get_weather", "description": "Now."}, {"name": "get_time"}]
    return [
        {"type": "function", "function": {**function, "parameters": city, "strict": True}}
        for function in functions
    ]


@pytest.fixture
def client(driver: Driver) -> Any:
    """Make a client that emulates all that can be."""
    return driver.client(emulate=True)
