"""The data that the rules of the simulator exchange with the server and the two in-process transports."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Final, Literal, Protocol
from urllib.parse import parse_qsl, urlsplit

from tess_openai.core.jsons import JSONObject, dump_json, to_object

FOREVER: Final = math.inf
"""A delay that ends only when the client gives up or the simulator is closed."""

BANNER: Final = "a model of documented and reported behaviour"
"""The value of the header `x-tess-simulator` on every answer."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request as it arrived.

    Attributes:
        method: Upper case.
        target: Path and query, `"/agents?page=2"`.
        headers: Names in lower case; repeated ones joined by `", "`.
        body: The bytes, without their framing.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The target without its query and without the `/api` prefix of the older host."""
        return urlsplit(self.target).path.removeprefix("/api")

    @property
    def query(self) -> dict[str, str]:
        """The parameters after `?`; the last of equal names wins."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def parse_body(self) -> JSONObject | None:
        """Return the JSON object sent, read as strictly as PHP reads it; None when there is none.

        Not JSON for PHP, though for Python: `NaN`, a byte order mark, a lone surrogate, UTF-16.
        """
        if "json" not in self.headers.get("content-type", ""):
            return None
        try:
            value = json.loads(self.body.decode(), parse_constant=_refuse_constant)
            json.dumps(value, ensure_ascii=False).encode()  # refuses a lone surrogate
        except (ValueError, RecursionError):
            return None
        return to_object(value)


def join_headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers as `WireRequest` has them."""
    headers: dict[str, str] = {}
    for name, value in items:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of an answer, and how long to wait before they are sent."""

    data: bytes = field(repr=False)
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One HTTP answer, and how it behaves on the wire.

    Attributes:
        status: HTTP status.
        headers: Names in lower case. Length and framing are missing; the server or transport adds them.
        pieces: The body, in the pieces in which it is sent.
        delay_seconds: The delay before the head is sent; `FOREVER` for an answer that never comes.
        cut: Where the connection breaks, in violation of HTTP.
    """

    status: int
    headers: Mapping[str, str]
    pieces: tuple[Piece, ...]
    delay_seconds: float = 0.0
    cut: Literal["never", "before the head", "in the body"] = "never"

    @property
    def body(self) -> bytes:
        """All pieces joined."""
        return b"".join(piece.data for piece in self.pieces)

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def framing(self) -> dict[str, str]:
        """The header that frames the body; for a body that is cut the length is greater than what is sent."""
        if self.is_stream:
            return {"transfer-encoding": "chunked"}
        return {"content-length": str(len(self.body) + (self.cut == "in the body"))}

    def with_headers(self, **headers: str) -> WireResponse:
        """Return the same answer with more headers; `_` in a name becomes `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})


class RequestRecord(Protocol):
    """What the server or transport records about a request: see `RecordedRequest`."""

    closed_early: bool
    over: Event


class Responder(Protocol):
    """The rules, as the server and the in-process transports use them."""

    @property
    def closing(self) -> Event:
        """Set when every answer that still waits must end."""
        ...

    def answer(self, request: WireRequest) -> tuple[WireResponse, RequestRecord]:
        """Answer one request according to the rules, and record it."""
        ...


def text_response(status: int, text: str, content_type: str = "text/plain; charset=utf-8") -> WireResponse:
    """Build an answer of one piece of text."""
    headers = {"content-type": content_type, "x-tess-simulator": BANNER}
    return WireResponse(status, headers, (Piece(text.encode()),) if text else ())


def json_response(status: int, payload: object) -> WireResponse:
    """Build an answer of one piece of JSON."""
    return text_response(status, dump_json(payload).decode(), "application/json")


def event_stream(events: list[bytes]) -> WireResponse:
    """Build a 200 of server-sent events, one in each piece with the blank line after it."""
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-tess-simulator": BANNER,
    }
    return WireResponse(200, headers, tuple(Piece(event) for event in events))
