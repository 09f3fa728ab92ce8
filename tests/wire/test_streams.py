"""Streams: what Tess sends arrives as it is, however it is cut, and ends when the caller says so."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import openai
import pytest

from tess_openai.testing import SIMULATOR_API_KEY, Fault, Profile, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

REPLY = "Olá\u2028— 你好 🌍 ende"
TWINS = Fault(name="twins", on_run=lambda run: replace(run, number=7, created=1_700_000_000))
"""Makes two runs answer with the same id and time, so that they can be compared."""
CUTS: dict[str, Fault] = {
    "as it is": TWINS,
    "with CR LF": faults.together(TWINS, faults.crlf()),
    "byte by byte": faults.together(TWINS, faults.in_bytes()),
    "in threes, with CR LF": faults.together(TWINS, faults.crlf(), faults.in_bytes(size=3)),
    "compressed": faults.together(TWINS, faults.compressed()),
    "compressed, byte by byte": faults.together(TWINS, faults.compressed(), faults.in_bytes()),
    "with pings": faults.together(TWINS, faults.keep_alives(kind="ping")),
    "with comments": faults.together(TWINS, faults.keep_alives(kind="comment")),
    "with all keep-alives": faults.together(TWINS, faults.keep_alives()),
    "with a byte order mark": faults.together(TWINS, faults.byte_order_mark()),
}


def read_plainly(driver: Driver, family: str) -> list[str]:
    """Read a stream with an http client of no SDK: the data of its events."""
    http_client = driver.new_http_client(family)
    response = driver.run(
        http_client.post(
            f"{driver.simulator.openai_url()}/chat/completions",
            json={**driver.hello, "stream": True},
            headers={"authorization": f"Bearer {SIMULATOR_API_KEY}", "x-workspace-id": "7001"},
        )
    )
    driver.close(http_client)
    assert response.status_code == 200
    return data_of(response.content)


def data_of(body: bytes) -> list[str]:
    """Return the data of the events in a stream that has no keep-alives."""
    return [line[6:].decode() for line in body.split(b"\n") if line.startswith(b"data: ")]


@pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
def test_complete_chunks_pass_as_the_same_data(driver: Driver, fault: Fault) -> None:
    """Compared with what a plain http client reads, event by event."""
    family = openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]
    driver.simulator.script(REPLY, REPLY)
    driver.simulator.fault(TWINS)
    plain = read_plainly(driver, family)
    driver.simulator.fault(fault)
    create = driver.client().chat.completions.with_streaming_response.create
    with driver.entered(create(**driver.hello, stream=True)) as response:
        assert data_of(b"".join(driver.items(response.iter_bytes()))) == plain
    assert plain[-1] == "[DONE]"


def test_the_text_arrives_whole(driver: Driver) -> None:
    """It may have any separators and characters, and arrive in any pieces."""
    reply = [" \n\n", "data: [DONE]\n\n", "\u2028\x85", "🌍", '{"error": "no"}', ""]
    driver.simulator.script(reply)
    driver.simulator.fault(faults.in_bytes(size=2))
    assert driver.text(driver.client(), stream=True) == "".join(reply)


def test_minimal_chunks_are_completed(driver: Driver) -> None:
    """They get what every SDK and its helpers need: one id, object, created, role and an end."""
    with TessSimulator(profile=Profile(chunks="minimal")) as simulator, simulator.serve() as server:
        client = driver.client(base_url=server.base_url, _strict_response_validation=True)
        chunks = driver.items(driver.ask(client, stream=True))
        with driver.entered(driver.chat(client, "stream")(**driver.hello)) as events:
            completion = driver.run(events.get_final_completion())
    assert len({(chunk.id, chunk.created, chunk.object) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == completion.choices[0].finish_reason == "stop"
    assert completion.choices[0].message.content == driver.answer


@pytest.mark.parametrize("chunks", ["full", "minimal"])
@pytest.mark.parametrize("stream_usage", ["absent", "last chunk", "own chunk"])
def test_usage_comes_last_when_it_was_asked_for(
    driver: Driver,
    chunks: Literal["full", "minimal"],
    stream_usage: Literal["absent", "last chunk", "own chunk"],
) -> None:
    """Tess's own where it gives one, else an estimate; and every chunk but that one has a choice."""
    profile = Profile(chunks=chunks, stream_usage=stream_usage)
    with TessSimulator(profile=profile) as simulator, simulator.serve() as server:
        client = driver.client(base_url=server.base_url)
        asked = driver.items(driver.ask(client, stream=True, stream_options={"include_usage": True}))
        unasked = driver.items(driver.ask(client, stream=True))
        helper = driver.chat(client, "stream")
        with driver.entered(helper(**driver.hello, stream_options={"include_usage": True})) as events:
            gathered = driver.run(events.get_final_completion())
    (usage,) = [chunk.usage for chunk in asked if chunk.usage]
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    assert asked[-1].usage is usage
    assert gathered.usage.total_tokens > 0
    assert all(chunk.choices for chunk in unasked)


def leave_by_close(driver: Driver, stream: Any) -> None:
    """Close a stream."""
    driver.next(stream)
    driver.close(stream)


def leave_by_context(driver: Driver, stream: Any) -> None:
    """Leave the block of a stream."""
    with driver.entered(stream):
        driver.next(stream)


def leave_by_forgetting(driver: Driver, stream: Any) -> None:
    """Break out of the loop and let the stream go."""
    driver.next(stream)
    del stream
    gc.collect()
    driver.loop.run_until_complete(asyncio.sleep(0.01))


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_context])
def test_a_stream_that_is_left_hangs_up(driver: Driver, leave: Any) -> None:
    """It does so at once, not when Tess sends more, which saves the connection and perhaps money."""
    driver.simulator.fault(faults.stalls(after_events=2))
    leave(driver, driver.ask(driver.client(), stream=True))
    (call,) = driver.simulator.calls
    assert call.over.wait(2)
    assert call.closed_early


def test_the_client_works_on_after_a_stream_was_left(driver: Driver) -> None:
    """After many such streams, all connections of the pool are free."""
    client = driver.client()
    driver.simulator.fault(faults.stalls(), times=5)
    for _ in range(5):
        leave_by_close(driver, driver.ask(client, stream=True))
    assert driver.text(client, stream=True) == driver.answer


def test_a_forgotten_stream_hangs_up_with_its_client(driver: Driver) -> None:
    """A loop that was broken out of keeps nothing open once the client is closed."""
    driver.simulator.fault(faults.stalls(after_events=2))
    client = driver.client()
    leave_by_forgetting(driver, driver.ask(client, stream=True))
    driver.close(client)
    assert driver.simulator.calls[0].over.wait(2)


def test_a_streaming_response_that_is_left_hangs_up(driver: Driver) -> None:
    """It does so at the end of the `with_streaming_response` block, however much was read."""
    driver.simulator.fault(faults.stalls(after_events=2))
    create = driver.client().chat.completions.with_streaming_response.create
    with driver.entered(create(**driver.hello, stream=True)) as response:
        assert response.status_code == 200
    assert driver.simulator.calls[0].over.wait(2)


@pytest.mark.parametrize("fault", [faults.hang(), faults.stalls()], ids=["before the head", "in the body"])
def test_a_cancelled_call_hangs_up(driver: Driver, fault: Fault) -> None:
    """`asyncio.timeout`, a task group that fails: the connection goes with the task."""
    if not driver.is_async:
        pytest.skip("nothing cancels a sync call")
    driver.simulator.fault(fault)
    client = driver.client()

    async def ask() -> None:
        async for _ in await client.chat.completions.create(**driver.hello, stream=True):
            pass

    with pytest.raises(asyncio.TimeoutError):
        driver.run(asyncio.wait_for(ask(), 0.2))
    assert driver.simulator.calls[0].over.wait(2)
    assert driver.text(client) == driver.answer


def test_an_error_in_a_stream_keeps_the_client_usable(driver: Driver) -> None:
    """Its connection is given up; the next call has another."""
    client = driver.client()
    for fault in (faults.error_event(), faults.non_json_line(), faults.ends_early(), faults.breaks_off()):
        driver.fails(client, fault, stream=True)
        assert driver.text(client, stream=True) == driver.answer


def test_nothing_is_read_ahead(driver: Driver) -> None:
    """Chunks reach the caller while Tess still sends."""
    driver.simulator.fault(faults.stalls(after_events=3))
    stream = driver.ask(driver.client(), stream=True)
    texts = [driver.next(stream).choices[0].delta.content for _ in range(3)]
    assert texts == ["", "Agent", " 42"]
    driver.close(stream)
