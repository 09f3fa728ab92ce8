"""Time limits for reads, waits that end early, and connections that close together with their event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, Final

import anyio
import pytest

from tess_openai.edge import deadlines as room
from tess_openai.edge.deadlines import Deadlines
from tess_openai.edge.event_loops import LoopGuard, close_silently, is_closed_loop, running_loop
from tess_openai.edge.families import Family

LONG: Final = 3600.0


@pytest.fixture
def deadlines() -> Deadlines:
    """Make the time limits of a transport."""
    return Deadlines(object(), "httpx")


def test_only_a_transport_of_the_family_ends_its_waits_itself(family: Family) -> None:
    """The transport of another library may wait for ever, so its waits are limited from outside."""
    other = "httpx" if family.name == "httpx2" else "httpx2"
    with family.Client() as client:
        assert Deadlines(client._transport, family.name).inner_ends_waits
        assert not Deadlines(client._transport, other).inner_ends_waits
    assert not Deadlines(object(), family.name).inner_ends_waits


def test_a_block_that_takes_too_long_is_interrupted_from_a_thread(deadlines: Deadlines) -> None:
    """One thread does so for all blocks; a block with time left is not interrupted, nor one twice."""
    early, over = list[str](), threading.Event()
    watching = list[threading.Thread]()

    def end() -> None:
        watching.append(threading.current_thread())
        over.set()

    with deadlines.limit(LONG, lambda: early.append("too early")):
        for _ in range(2):
            over.clear()
            with deadlines.limit(0.0, end):
                assert over.wait(20)
    assert early == []
    assert len(watching) == 2
    assert watching[0] is watching[1]
    assert watching[0].daemon


def test_a_block_that_ended_in_time_is_not_interrupted(
    deadlines: Deadlines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection may belong to another call by then; this holds for a block that failed too."""
    clock = [0.0]
    monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=time.sleep))
    late, over = list[str](), threading.Event()
    with deadlines.limit(5.0, lambda: late.append("ended")):
        pass
    with pytest.raises(KeyError), deadlines.limit(5.0, lambda: late.append("failed")):
        raise KeyError
    with deadlines.limit(6.0, over.set):
        clock[0] = 6.0
        assert over.wait(20)
    assert late == []


def test_the_thread_ends_when_no_block_has_a_limit_and_begins_again(
    deadlines: Deadlines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that is not used keeps no thread."""
    monkeypatch.setattr(room, "_STEP_SECONDS", 0.001)
    watching = SimpleQueue[threading.Thread]()
    for _ in range(2):
        with deadlines.limit(0.0, lambda: watching.put(threading.current_thread())):
            thread = watching.get(timeout=20)
        thread.join(20)
        assert not thread.is_alive()


async def test_an_async_block_that_takes_too_long_is_cancelled(deadlines: Deadlines) -> None:
    """A limit ends the block, a wait limit fails it; neither does so in time or without seconds."""
    ended = list[str]()
    with deadlines.async_limit(0.0, lambda: ended.append("interrupted")):
        await asyncio.sleep(LONG)
        ended.append("not cancelled")
    with pytest.raises(TimeoutError), deadlines.async_wait_limit(0.0):
        await asyncio.sleep(LONG)
    for context in (
        deadlines.async_limit(LONG, list),
        deadlines.async_wait_limit(LONG),
        deadlines.async_wait_limit(None),
    ):
        with context:
            await asyncio.sleep(0)
        ended.append("in time")
    with deadlines.wait_limit(0.0):
        ended.append("in time")
    assert ended == ["in time"] * 4


class Time:
    """Seconds that pass only while a thread sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return them."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.slept.append(seconds)
        self.now += seconds


def test_the_thread_waits_for_the_end_of_a_long_limit(
    deadlines: Deadlines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends only when no block has a limit any more, however long nothing is due."""
    monkeypatch.setattr(room, "time", Time())
    over = threading.Event()
    with deadlines.limit(60.0, over.set):
        assert over.wait(20)


def test_a_wait_takes_all_of_its_time(deadlines: Deadlines, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is divided into short ones, after each of which the call sees whether its stream was closed."""
    time = Time()
    monkeypatch.setattr(room, "time", time)
    deadlines.sleep(0.0, lambda: False)
    assert time.slept == []
    deadlines.sleep(0.375, lambda: False)
    assert sum(time.slept) == pytest.approx(0.375)
    assert max(time.slept) <= 0.05


async def test_an_async_wait_ends(deadlines: Deadlines) -> None:
    """It is ended by cancelling its task, not by closing its stream."""
    await deadlines.async_sleep(0.0, lambda: False)
    with anyio.move_on_after(0.0) as scope:
        await deadlines.async_sleep(LONG, lambda: True)
    assert scope.cancelled_caught


def test_a_wait_ends_when_its_stream_is_closed(deadlines: Deadlines) -> None:
    """Another thread closes it; no thread waits for long because of a stream that has no reader."""
    checks = iter([False, False, True])
    deadlines.sleep(LONG, lambda: next(checks))
    assert list(checks) == []


class Transport:
    """A transport that counts how often it is closed, and may fail at it."""

    def __init__(self, *, fails: bool = False) -> None:
        self.closed_in: list[asyncio.AbstractEventLoop | None] = []
        self.fails = fails

    async def handle_async_request(self, request: Any) -> Any:
        """Answer nothing."""

    async def aclose(self) -> None:
        """Count it."""
        self.closed_in.append(running_loop())
        if self.fails:
            raise OSError("closed already")


@pytest.mark.parametrize("fails", [False, True])
def test_connections_are_closed_with_the_event_loop_in_which_they_were_opened(*, fails: bool) -> None:
    """Once per loop, and only when it ends; a failure to close them is no failure of the program."""
    guard, transport, loops = LoopGuard(), Transport(fails=fails), list[Any]()

    async def call_twice() -> None:
        for _ in range(2):
            await guard.async_enter(transport)
        loops.append(running_loop())
        assert len(transport.closed_in) == len(loops) - 1

    for _ in range(2):
        asyncio.run(call_twice())
        assert is_closed_loop(loops[-1])
    assert transport.closed_in == loops
    assert loops[0] is not loops[1]


async def test_a_failure_to_close_is_suppressed() -> None:
    """No code could handle it."""
    transport = Transport(fails=True)
    await close_silently(transport)
    assert len(transport.closed_in) == 1


def test_a_loop_is_closed_or_not() -> None:
    """A thread has none."""
    loop = asyncio.new_event_loop()
    assert running_loop() is None
    assert not is_closed_loop(loop)
    assert not is_closed_loop(None)
    loop.close()
    assert is_closed_loop(loop)
