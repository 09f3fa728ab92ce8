"""Drive a flow that fetches from Tess by hand: a test gives the answers, one for each request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    AgentNotFound,
    Answer,
    Call,
    Event,
    Incoming,
    Lookup,
    Outgoing,
    PauseKey,
    ReadAll,
)
from tess_openai.core.options import Options
from tess_openai.core.routes import route


@dataclass
class Fetched:
    """What a flow sent, and what it answered.

    Attributes:
        sent: Every request.
        pauses: The seconds of each pause of the key.
        lookups: Every agent that was looked up.
        answer: The answer for the caller.
    """

    sent: list[Outgoing] = field(default_factory=list[Outgoing])
    pauses: list[float] = field(default_factory=list[float])
    lookups: list[int | str] = field(default_factory=list["int | str"])
    answer: Answer = field(default_factory=lambda: Answer(0))

    @property
    def requests(self) -> list[str]:
        """Method, path and query of every request."""
        return [f"{each.method} {each.path}?{each.query}" for each in self.sent]

    @property
    def body(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.answer.body or b"null")

    @property
    def error(self) -> tuple[int, object, object]:
        """Status, code and parameter of an answer that is an error."""
        return self.answer.status, self.body["error"]["code"], self.body["error"]["param"]


def fetch(
    method: str,
    path: str,
    answers: Sequence[tuple[int, object]] = (),
    *,
    query: str = "",
    agent: str = "42",
    options: Options | None = None,
    agents: Sequence[Agent | AgentNotFound] = (),
) -> Fetched:
    """Carry out a call.

    Args:
        method: The method of the call.
        path: Its path below the agent's root.
        answers: Status and body of each answer of Tess; a body other than bytes is encoded as JSON.
        query: The query of its URL.
        agent: The agent in its URL.
        options: The client's options.
        agents: The result of each look-up.
    """
    call = Call(method, path, {}, b"", 0, lambda: 1, lambda: "1", agent=agent, query=query)
    flow = route(call, Options(workspace_id="7001") if options is None else options)
    fetched, left, found = Fetched(), list(answers), list(agents)
    body = b""
    event: Event = None
    while True:
        try:
            step = flow.send(event)
        except StopIteration:
            return fetched
        event = None
        if isinstance(step, Outgoing):
            fetched.sent.append(step)
            status, given = left.pop(0)
            body = given if isinstance(given, bytes) else json.dumps(given).encode()
            event = Incoming(status, {"content-type": "application/json"})
        elif isinstance(step, ReadAll):
            event = body
        elif isinstance(step, PauseKey):
            fetched.pauses.append(step.seconds)
        elif isinstance(step, Lookup):
            fetched.lookups.append(step.agent)
            event = found.pop(0)
        else:
            assert isinstance(step, Answer)
            fetched.answer = step
