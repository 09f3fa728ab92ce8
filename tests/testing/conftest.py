"""How these tests ask the simulator's rules, without anything between."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tess_openai.core.jsons import dump_json
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator
from tess_openai.testing.wire import WireRequest, WireResponse

CHAT = "/agents/42/openai/chat/completions"
HEADERS = {
    "authorization": f"Bearer {SIMULATOR_API_KEY}",
    "x-workspace-id": str(SIMULATOR_WORKSPACE_ID),
    "content-type": "application/json",
}
QUESTION = [{"role": "user", "content": "hello there!"}]


@pytest.fixture
def simulator() -> TessSimulator:
    """A simulator as it is without arguments."""
    return TessSimulator()


@pytest.fixture
def headers() -> dict[str, str]:
    """The headers of a request that is let in."""
    return dict(HEADERS)


@pytest.fixture(scope="session")
def send() -> Callable[..., WireResponse]:
    """Ask one question of the rules: `send(simulator, {"temperature": 1})` adds a message to the body."""

    def send_it(
        simulator: TessSimulator,
        fields: Mapping[str, Any] | bytes | None = None,
        *,
        target: str = CHAT,
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
    ) -> WireResponse:
        body = fields if isinstance(fields, bytes) else dump_json({"messages": QUESTION, **(fields or {})})
        named = {**HEADERS, **(headers or {})}
        kept = {name: value for name, value in named.items() if value is not None}
        return simulator.answer(WireRequest(method, target, kept, body))[0]

    return send_it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client got: the head, the decoded body as far as received, and the error that ended it."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: str


WAYS = [
    pytest.param("httpx", marks=pytest.mark.needs("httpx")),
    pytest.param("httpx2", marks=pytest.mark.needs("httpx2")),
    pytest.param("async httpx", marks=pytest.mark.needs("httpx")),
    pytest.param("async httpx2", marks=pytest.mark.needs("httpx2")),
    "loopback",
]


@pytest.fixture(params=WAYS)
def talk(request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    """Send a chat call in one of the ways of serving: `talk(simulator, {"stream": True})`."""

    def talk_it(
        simulator: TessSimulator, fields: Mapping[str, Any] | None = None, *, timeout: float = 5.0
    ) -> Outcome:
        body = dump_json({"messages": QUESTION, **(fields or {})})
        if request.param == "loopback":
            with simulator.serve() as server:
                return talk_sync(find_family(), None, server.base_url + CHAT, body, timeout)
        family = request.param.removeprefix("async ")
        url = "https://tess.invalid" + CHAT
        if request.param == family:
            return talk_sync(family, simulator.transport(family), url, body, timeout)
        return asyncio.run(talk_async(family, simulator.async_transport(family), url, body, timeout))

    return talk_it


def find_family() -> str:
    """Name an HTTP library that is installed."""
    return "httpx2" if importlib.util.find_spec("httpx2") is not None else "httpx"


def talk_sync(family: str, transport: object, url: str, body: bytes, timeout: float) -> Outcome:
    """Send a call with a sync client and read the answer piece by piece."""
    library: Any = importlib.import_module(family)
    status, headers, pieces, error = 0, {}, [], ""
    with library.Client(transport=transport, timeout=timeout) as client:
        try:
            with client.stream("POST", url, content=body, headers=HEADERS) as response:
                status, headers = response.status_code, dict(response.headers)
                pieces.extend(response.iter_bytes())
        except library.TransportError as failure:
            error = type(failure).__name__
    return Outcome(status, headers, b"".join(pieces), error)


async def talk_async(family: str, transport: object, url: str, body: bytes, timeout: float) -> Outcome:
    """Async counterpart of `talk_sync`."""
    library: Any = importlib.import_module(family)
    status, headers, pieces, error = 0, {}, [], ""
    async with library.AsyncClient(transport=transport, timeout=timeout) as client:
        try:
            async with client.stream("POST", url, content=body, headers=HEADERS) as response:
                status, headers = response.status_code, dict(response.headers)
                async for piece in response.aiter_bytes():
                    pieces.append(piece)  # noqa: PERF401 - kept when the stream then fails
        except library.TransportError as failure:
            error = type(failure).__name__
    return Outcome(status, headers, b"".join(pieces), error)
