"""Take the steps of a call of an API other than chat one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tess_openai.core.calls import READ_REST, Answer, Call, Incoming, Outgoing, ReportChanges, Step
from tess_openai.core.options import Options
from tess_openai.core.routes import route
from tests.flows import JSON
from tests.unit.chat.driven import encoded

BODIES: Final[Mapping[str, JSON]] = {"/completions": {"prompt": "a"}, "/responses": {"input": "a"}}


def to_call(
    path: str,
    *,
    attempt: int = 0,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    **fields: object,
) -> Call:
    """Return a call with further fields in its body."""
    body = encoded({"model": "tess-6", **BODIES[path], **fields})
    return Call("POST", path, headers or {}, body, attempt, lambda: 9, lambda: "0" * 24, "42", query)


class Driven:
    """A call of an API other than chat, whose steps are taken one by one."""

    def __init__(self, path: str, *, options: Options | None = None, **given: Any) -> None:
        """Begin a call; `given` are the further arguments of `to_call`."""
        call = to_call(path, **given)
        self.flow = route(call, Options() if options is None else options)

    def next(self, event: Incoming | bytes | str | None = None) -> Step:
        """Answer the last step with an event, and return the next one that needs an answer."""
        step = self.flow.send(event)
        while step is READ_REST:
            step = next(self.flow)
        return step

    def request(self) -> Outgoing:
        """Accept every report, and return the request that follows."""
        step = self.next()
        while isinstance(step, ReportChanges):
            step = self.next()
        assert isinstance(step, Outgoing)
        return step

    def answer(self, event: Incoming | bytes | str | None = None) -> Answer:
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
