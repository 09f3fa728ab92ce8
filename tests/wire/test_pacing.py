"""Pacing over the wire, against a simulator whose seconds are short: it allows one call in each."""

from __future__ import annotations

import importlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import create_async_client, create_client
from tess_openai.edge.key_queues import KeyQueues
from tess_openai.edge.pacing import Pacer
from tess_openai.testing import Profile, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

ALLOWED = 20
"""Calls that the simulator allows in a second of ours."""
PACED = 4
"""Calls that a client makes, with room for the delays of a busy machine."""


@pytest.fixture
def limited() -> Iterator[TessSimulator]:
    """Allow one call in a second of a clock that runs fast."""
    profile = Profile(requests_per_second=1)
    with TessSimulator(profile=profile, clock=lambda: time.monotonic() * ALLOWED) as simulator:
        simulator.serve()
        yield simulator


def statuses(simulator: TessSimulator) -> list[int]:
    """Return what became of each request."""
    return [each.status for each in simulator.requests]


def test_a_batch_of_twenty_gets_twenty_answers(driver: Driver, limited: TessSimulator) -> None:
    """With threads or tasks, and the look-up counted, there is no 429 and no retry."""
    client = driver.client(base_url=limited.base_url, requests_per_second=PACED, agent="fetch")
    assert driver.ask_at_once(client, 20) == [driver.answer] * 20
    assert statuses(limited) == [200] * 21


@pytest.mark.needs("langchain_openai")
def test_langchains_batch_gets_all_its_answers(driver: Driver, limited: TessSimulator) -> None:
    """LangChain's own threads or tasks make the calls."""
    langchain: Any = importlib.import_module("langchain_openai")
    client = driver.client(base_url=limited.base_url, requests_per_second=PACED)
    other = (create_client if driver.is_async else create_async_client)(
        42, **{**driver.connection, "base_url": limited.base_url}, requests_per_second=PACED
    )
    both = (client, other) if not driver.is_async else (other, client)
    model = langchain.ChatOpenAI(
        model="tess-6",
        client=both[0].chat.completions,
        async_client=both[1].chat.completions,
        api_key="unused",
        max_retries=0,
    )
    questions = ["hello"] * 20
    answers = driver.run(model.abatch(questions)) if driver.is_async else model.batch(questions)
    assert [answer.content for answer in answers] == [driver.answer] * 20
    assert statuses(limited) == [200] * 20
    driver.clients.append(other) if not driver.is_async else other.close()


def test_clients_of_one_key_share_its_turns(driver: Driver, limited: TessSimulator) -> None:
    """A second client does not start a line of its own."""
    for _ in range(3):
        client = driver.client(base_url=limited.base_url, requests_per_second=PACED)
        assert driver.text(client) == driver.answer
    assert statuses(limited) == [200] * 3


def test_a_429_holds_the_keys_other_calls_back(driver: Driver) -> None:
    """They come after its time, not into it."""
    key = f"77|held-back-for-a-moment-{driver.is_async}"  # all tests of a process share the turns of a key
    with TessSimulator(api_keys=[key]) as simulator, simulator.serve() as server:
        options: dict[str, Any] = {
            "base_url": server.base_url,
            "api_key": key,
            "requests_per_second": 1000,
        }
        first, second = driver.client(**options), driver.client(**options)
        simulator.fault(faults.rate_limited(retry_after_seconds=0.4))
        driver.fails(first)
        began = time.monotonic()
        assert driver.text(second) == driver.answer
        assert 0.3 < time.monotonic() - began < 5


def test_a_hold_beyond_the_budget_fails_every_call_at_once(driver: Driver) -> None:
    """Nothing is sent, and the error says how long to wait."""
    key = f"77|held-back-for-long-{driver.is_async}"
    with TessSimulator(api_keys=[key]) as simulator, simulator.serve() as server:
        client = driver.client(
            base_url=server.base_url, api_key=key, requests_per_second=1000, max_retry_wait=5, max_retries=2
        )
        simulator.fault(faults.rate_limited(retry_after_seconds=300))
        began = time.monotonic()
        for _ in range(2):
            error = driver.fails(client)
            assert isinstance(error, openai.RateLimitError)
            assert "wait 300 seconds" in str(error)
            assert error.code == "rate_limit_exceeded"
            assert isinstance(error.body, dict)
            assert error.body["retry_after"] == 300
            assert error.response.headers["x-should-retry"] == "false"
        assert time.monotonic() - began < 5
        assert len(simulator.requests) == 1


def test_an_absurd_wait_does_not_stop_a_key_for_years(driver: Driver) -> None:
    """The error shows the number that came and says what is done: an hour at most, a new client tries."""
    key = f"77|absurd-wait-{driver.is_async}"
    with TessSimulator(api_keys=[key]) as simulator, simulator.serve() as server:
        options: dict[str, Any] = {"base_url": server.base_url, "api_key": key, "requests_per_second": 1000}
        first = driver.client(**options)
        simulator.fault(faults.rate_limited(retry_after_seconds=1_767_225_600))
        error = driver.fails(first)
        assert isinstance(error, openai.RateLimitError)
        assert "wait 1767225600 seconds; with requests_per_second= the key is paused for 3600" in str(error)
        assert error.response.headers["retry-after"] == "1767225600"
        error = driver.fails(first)
        assert isinstance(error, openai.RateLimitError)
        assert error.response.headers["retry-after"] == "3600"
        assert driver.text(driver.client(**options)) == driver.answer
        assert len(simulator.requests) == 2


def test_calls_that_were_not_sent_do_not_prolong_the_hold(driver: Driver) -> None:
    """However many such calls are made, the key is free at the time that Tess gave."""
    with TessSimulator() as simulator, simulator.serve() as server:
        client = driver.client(base_url=server.base_url, max_retry_wait=1, requests_per_second=50)
        turns = set_clock(client, clock := [100.0], max_wait_for_pause_seconds=1.0)
        simulator.fault(faults.rate_limited(retry_after_seconds=3))
        for _ in range(6):
            driver.fails(client)
            clock[0] += 0.3
        assert [turn.paused_until for turn in turns._by_key.values()] == [103.0]
        clock[0] = 103.5
        assert driver.text(client) == driver.answer


def test_without_pacing_no_call_waits(driver: Driver) -> None:
    """It is off unless asked for."""
    with TessSimulator(profile=Profile(requests_per_second=1), clock=lambda: 0.0) as simulator:
        client = driver.client(base_url=simulator.serve().base_url)
        driver.text(client)
        driver.fails(client)
        assert statuses(simulator) == [200, 429]


def test_a_turn_is_counted_from_when_the_call_is_sent(driver: Driver, family: str, *, stream: bool) -> None:
    """A connection that takes long to open does not bring the next call closer to this one."""
    clock = [100.0]

    def opens_slowly(event: str) -> None:
        if event == "connection.connect_tcp.complete":
            clock[0] += 5.0

    with driver.users_client(family, transport=observed_transport(driver, family, opens_slowly)) as theirs:
        client = driver.client(http_client=theirs, requests_per_second=1)
        turns = set_clock(client, clock)
        assert driver.text(client, stream=stream) == driver.answer
        (left,) = turns._by_key.values()
        assert clock[0] == 105.0
        assert left.sent_at == 105.0


def set_clock(client: Any, clock: list[float], *, max_wait_for_pause_seconds: float = 60.0) -> KeyQueues:
    """Pace a client by a clock that only the test moves, in turns of its own."""
    transport = client._client._transport
    turns = KeyQueues(lambda: clock[0])
    transport.adapter = replace(transport.adapter, pacer=Pacer(1.0, max_wait_for_pause_seconds, turns))
    return turns


def test_a_body_that_can_be_read_once_is_sent_whole(driver: Driver, family: str) -> None:
    """The user's own transport may read it first."""
    read: list[bytes] = []
    library: Any = importlib.import_module(family)

    class Reading(library.HTTPTransport):  # type: ignore[misc] # its base is loaded by name
        def handle_request(self, request: Any) -> Any:
            read.append(request.read())
            return super().handle_request(request)

    class AsyncReading(library.AsyncHTTPTransport):  # type: ignore[misc] # its base is loaded by name
        async def handle_async_request(self, request: Any) -> Any:
            read.append(await request.aread())
            return await super().handle_async_request(request)

    transport = AsyncReading() if driver.is_async else Reading()
    with driver.users_client(family, transport=transport) as theirs:
        client = driver.client(http_client=theirs, requests_per_second=1000)
        made = driver.run(client.files.create(file=("a.txt", OnceOnly(b"once" * 2000)), purpose="assistants"))
    assert made.bytes == 8000
    assert read[0] == driver.simulator.requests[0].body


class OnceOnly(io.RawIOBase):
    """A file that cannot be wound back, as a pipe."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give what is left."""
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def observed_transport(driver: Driver, family: str, see: Callable[[str], None]) -> Any:
    """Make the family's own transport, which tells of each step that it takes."""
    library: Any = importlib.import_module(family)

    async def see_async(event: str, _: object) -> None:
        see(event)

    class Observed(library.HTTPTransport):  # type: ignore[misc] # its base is loaded by name
        def handle_request(self, request: Any) -> Any:
            request.extensions["trace"] = lambda event, _: see(event)
            return super().handle_request(request)

    class AsyncObserved(library.AsyncHTTPTransport):  # type: ignore[misc] # its base is loaded by name
        async def handle_async_request(self, request: Any) -> Any:
            request.extensions["trace"] = see_async
            return await super().handle_async_request(request)

    return AsyncObserved() if driver.is_async else Observed()
