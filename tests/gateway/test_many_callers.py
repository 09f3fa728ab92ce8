"""Many callers at once, of whom some leave: nothing stays behind."""

from __future__ import annotations

import asyncio
import random

import httpx2
from fault_server import DONE, EVENTS, JSON_BODY, Connection, serving

from tess_openai.edge.key_queues import SHARED_QUEUES
from tess_openai.gateway import create_app
from tess_openai.testing import SIMULATOR_API_KEY
from tests.gateway.running import HELLO, Gateway, running, until

CALLERS = 200


def answer(connection: Connection) -> None:
    """Answer in parts, with time to leave before each of them, and keep no connection open."""
    pause = connection.over.wait
    pause(random.uniform(0, 0.2))  # noqa: S311 - a delay
    connection.head(200, "connection: close")
    for part in (EVENTS, DONE) if connection.wants_stream else (JSON_BODY[:20], JSON_BODY[20:]):
        pause(random.uniform(0, 0.2))  # noqa: S311 - a delay
        connection.part(part)
    connection.end()
    connection.close()


async def call(http: httpx2.AsyncClient, *, stream: bool, seconds: float | None) -> str:
    """Make a call, and leave it after some seconds; return what became of it."""

    async def make() -> str:
        body = {**HELLO, "stream": stream}
        async with http.stream("POST", "/v1/chat/completions", json=body) as response:
            text = (await response.aread()).decode()
        return "whole" if response.status_code == 200 and "Good morning"[:4] in text else text

    try:
        return await asyncio.wait_for(make(), seconds)
    except asyncio.TimeoutError:
        return "left"


async def call_all(gateway: Gateway) -> list[str]:
    """Make all calls at once; a third of the callers leave at any time."""
    chance = random.Random(15)  # noqa: S311 - the same each time
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=gateway.url, headers={"authorization": "Bearer any"}, timeout=60, limits=limits
    ) as http:
        calls = [
            call(http, stream=number % 2 == 0, seconds=chance.uniform(0, 0.4) if number % 3 == 0 else None)
            for number in range(CALLERS)
        ]
        return await asyncio.gather(*calls)


def test_callers_who_leave_leave_nothing_behind() -> None:
    """No connection to Tess stays open, no turn of the key is held, and no other caller is affected."""
    with serving(answer) as server:
        app = create_app(
            42, api_key=SIMULATOR_API_KEY, workspace_id=1, base_url=server.url, requests_per_second=500
        )
        with running(app) as gateway:
            became = asyncio.run(call_all(gateway))
            assert until(lambda: server.open_now() == 0)
            assert SHARED_QUEUES.waiting() == 0
            with gateway.http() as http:
                assert "tess_gateway_open_calls 0.0" in http.get("/metrics").text
    assert became.count("left") > CALLERS // 5
    assert became.count("left") + became.count("whole") == CALLERS
    assert server.posts < CALLERS  # some left while they waited in line
