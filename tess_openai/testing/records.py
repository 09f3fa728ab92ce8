"""The record of one request to the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event

from tess_openai.core.jsons import parse_json, to_list, to_object
from tess_openai.testing.wire import WireRequest, WireResponse


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """One request and its outcome; the repr shows neither key nor body.

    Attributes:
        method: The HTTP method, in upper case.
        target: The path and the query, as they were sent.
        headers: The headers, with their names in lower case.
        body: The bytes of the body, as they were sent.
        status: The HTTP status of the answer.
        reason: Why it was refused, in Tess's words; `""` for a good answer.
        fault: The fault that changed the answer; `""` for none.
        closed_early: The client closed the connection before the answer was complete. Over a socket the
            simulator notices it while it waits or sends, not once everything is in the socket's buffer.
        over: Set when the answer is complete or abandoned: `request.over.wait(1)`.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int
    reason: str = ""
    fault: str = ""
    closed_early: bool = False
    over: Event = field(default_factory=Event, repr=False)

    @classmethod
    def of(cls, request: WireRequest, response: WireResponse, fault: str) -> RecordedRequest:
        """Record a request, and the status, reason and fault of its answer."""
        given = (request.method, request.target, request.headers, request.body)
        return cls(*given, response.status, reason=_reason(response), fault=fault)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> object:
        """The body as JSON; None when it is not JSON."""
        return parse_json(self.body)


def _reason(response: WireResponse) -> str:
    """Return the message of an error answer, with all its fields."""
    if response.status < 400:
        return ""
    fields = to_object(parse_json(b"".join(piece.data for piece in response.pieces))) or {}
    message = fields.get("message") or fields.get("error") or ""
    problems = to_object(fields.get("errors")) or to_object(fields.get("messages")) or {}
    texts = [str(text) for each in problems.values() for text in to_list(each) or []]
    return " ".join(texts) or (message if isinstance(message, str) else "")
