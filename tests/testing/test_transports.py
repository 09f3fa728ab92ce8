"""What only the in-process transports promise."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any, Literal, TypeAlias

import pytest

from tess_openai.testing import TessSimulator, faults

Family: TypeAlias = Literal["httpx", "httpx2"]

FAMILIES = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("httpx", "httpx2")]
pytestmark = pytest.mark.parametrize("family", FAMILIES)

URL = "https://api.tess.im/agents/42/openai/chat/completions"
BODY = {"messages": [{"role": "user", "content": "hello"}]}
STREAM = {**BODY, "stream": True}


def load(family: Family) -> Any:
    """Import an HTTP library."""
    return importlib.import_module(family)


def test_a_transport_is_of_its_family(family: Family, simulator: TessSimulator) -> None:
    """The http clients of a library require a subclass of that library's transport."""
    library = load(family)
    assert isinstance(simulator.transport(family), library.BaseTransport)
    assert isinstance(simulator.async_transport(family), library.AsyncBaseTransport)


def test_a_request_is_recorded(family: Family, simulator: TessSimulator, headers: dict[str, str]) -> None:
    """The record has its host, its query and its bytes, with header names in lower case."""
    with load(family).Client(transport=simulator.transport(family)) as client:
        client.post(URL, params={"x": "1"}, json=BODY, headers={**headers, "X-Extra": "Yes"})
    (call,) = simulator.calls
    assert (call.method, call.status, call.json) == ("POST", 200, BODY)
    assert call.target == "/agents/42/openai/chat/completions?x=1"
    assert (call.headers["host"], call.headers["x-extra"]) == ("api.tess.im", "Yes")


def test_a_header_sent_twice_is_seen(
    family: Family, simulator: TessSimulator, headers: dict[str, str]
) -> None:
    """Two workspace headers are joined, as HTTP does, to a value that is not a number."""
    twice = [*headers.items(), ("x-workspace-id", "7001")]
    with load(family).Client(transport=simulator.transport(family)) as client:
        assert client.post(URL, json=BODY, headers=twice).status_code == 422
    assert simulator.calls[0].headers["x-workspace-id"] == "7001, 7001"


def test_a_client_that_disconnects_is_noticed(
    family: Family, simulator: TessSimulator, headers: dict[str, str]
) -> None:
    """A client that reads to the last event is not counted as disconnected."""
    with load(family).Client(transport=simulator.transport(family)) as client:
        with client.stream("POST", URL, json=STREAM, headers=headers) as response:
            next(response.iter_bytes())
        with client.stream("POST", URL, json=STREAM, headers=headers) as response:
            response.read()
    assert [call.closed_early for call in simulator.calls] == [True, False]


async def test_an_async_client_that_disconnects_is_noticed(
    family: Family, simulator: TessSimulator, headers: dict[str, str]
) -> None:
    """An async client that reads to the last event is not counted as disconnected."""
    async with load(family).AsyncClient(transport=simulator.async_transport(family)) as client:
        async with client.stream("POST", URL, json=STREAM, headers=headers) as response:
            await anext(response.aiter_bytes())
        async with client.stream("POST", URL, json=STREAM, headers=headers) as response:
            await response.aread()
    assert [call.closed_early for call in simulator.calls] == [True, False]


async def test_a_slow_answer_keeps_the_event_loop_free(family: Family, headers: dict[str, str]) -> None:
    """Another call is answered while one hangs, and the end of the hanging call is noticed."""
    arrived = asyncio.Event()
    simulator = TessSimulator(on_request=lambda _: arrived.set())
    simulator.fault(faults.hang())
    async with load(family).AsyncClient(transport=simulator.async_transport(family)) as client:
        hanging = asyncio.create_task(client.post(URL, json=BODY, headers=headers, timeout=None))
        await arrived.wait()
        answered = await client.post(URL, json=BODY, headers=headers)
        assert (answered.status_code, hanging.done()) == (200, False)
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
    assert [call.closed_early for call in simulator.calls] == [True, False]
    assert all(call.over.is_set() for call in simulator.calls)


def test_closing_the_simulator_ends_a_wait(
    family: Family, simulator: TessSimulator, headers: dict[str, str]
) -> None:
    """A hanging call without a timeout of its own does not outlive it."""
    library = load(family)
    simulator.fault(faults.hang())
    simulator.close()
    with (
        library.Client(transport=simulator.transport(family), timeout=None) as client,
        pytest.raises(library.RemoteProtocolError, match="closed"),
    ):
        client.post(URL, json=BODY, headers=headers)


def test_a_body_continues_where_it_stopped(
    family: Family, simulator: TessSimulator, headers: dict[str, str]
) -> None:
    """Iterated a second time, as openai 3 does to drain a stream, it gives the rest, not the start."""
    simulator.script("a b c")
    library = load(family)
    request = library.Request("POST", URL, json=STREAM, headers=headers)
    stream: Any = simulator.transport(family).handle_request(request).stream
    first = next(iter(stream))
    rest = b"".join(stream)
    assert b'"role"' in first
    assert b'"role"' not in rest
    assert rest.endswith(b"data: [DONE]\n\n")
