"""Take the steps of a call one by one: a test answers each step, and sees what follows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tess_openai.core.calls import READ_REST, Answer, Call, Event, Outgoing, ReportChanges, Step
from tess_openai.core.options import Options
from tess_openai.core.routes import route
from tests.flows import JSON
from tests.unit.chat.driven import encoded

BODIES: Final[Mapping[str, JSON]] = {
    "/chat/completions": {"messages": [{"role": "user", "content": "a"}]},
    "/completions": {"prompt": "a"},
    "/responses": {"input": "a"},
}
"""What each API needs at least."""


def to_call(
    path: str,
    *,
    agent: str = "42",
    attempt: int = 0,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    **fields: object,
) -> Call:
    """Return a call with further fields in its body."""
    body = encoded({"model": "tess-6", **BODIES[path], **fields})
    return Call("POST", path, headers or {}, body, attempt, lambda: 9, lambda: "0" * 24, agent, query)


class Driven:
    """A call whose steps are taken one by one."""

    def __init__(self, path: str, *, options: Options | None = None, **given: Any) -> None:
        """Begin a call; `given` are the further arguments of `to_call`."""
        call = to_call(path, **given)
        self.flow = route(call, Options() if options is None else options)

    def next(self, event: Event = None) -> Step:
        """Answer the last step with an event, and return the next one that needs an answer."""
        step = self.flow.send(event)
        while step is READ_REST:
            step = next(self.flow)
        return step

    def request(self, event: Event = None) -> Outgoing:
        """Answer the last step with an event, accept every report, and return the request that follows."""
        step = self.next(event)
        while isinstance(step, ReportChanges):
            step = self.next()
        assert isinstance(step, Outgoing)
        return step

    def answer(self, event: Event = None) -> Answer:
        """Answer the last step with an event, accept every report, and return the caller's answer."""
        step = self.next(event)
        while isinstance(step, ReportChanges):
            step = self.next()
        assert isinstance(step, Answer)
        return step


def error_of(answer: Answer) -> JSON:
    """Return the error of an answer."""
    error: JSON = json.loads(answer.body or b"")["error"]
    return error
