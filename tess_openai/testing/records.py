"""The record of one request to the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event

from tess_openai.core.jsons import parse_json
from tess_openai.testing.wire import WireRequest


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """One request and its outcome; the repr shows neither key nor body.

    Attributes:
        method: Upper case.
        target: Path and query as sent.
        headers: Names in lower case.
        body: The bytes sent.
        status: Of the answer.
        closed_early: The client hung up before the answer was complete. Over a socket the simulator
            notices it while it waits or sends, not once everything is in the socket's buffer.
        over: Set when the answer is complete or abandoned: `request.over.wait(1)`.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int
    closed_early: bool = False
    over: Event = field(default_factory=Event, repr=False)

    @classmethod
    def of(cls, request: WireRequest, status: int) -> RecordedRequest:
        """Record a request."""
        return cls(request.method, request.target, request.headers, request.body, status)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> object:
        """The body as JSON; None when it is none."""
        return parse_json(self.body)
