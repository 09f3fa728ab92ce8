"""The queue of a key, with a clock that only the tests move."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
import time
from itertools import pairwise

import pytest

from tess_openai.core.pacing_line import ClaimResult, PacedCaller
from tess_openai.edge.key_queues import SHARED_QUEUES, KeyQueues, Ticket
from tess_openai.edge.pacing import Pacer, hash_key
from tests.edge.paced_callers import KEY, OTHER, Caller, Clock


def test_the_first_goes_at_once_and_the_next_an_interval_later(turns: KeyQueues, clock: Clock) -> None:
    """Each call that is sent makes the next one wait."""
    pacer = Pacer(2.0, 60.0, turns)
    moments: list[float] = []
    for _ in range(3):
        assert pacer.wait("Bearer 1|a", clock.sleep) == 0.0
        moments.append(clock.now)
    assert moments == [100.0, 102.0, 104.0]


def test_first_come_first_served(turns: KeyQueues, clock: Clock) -> None:
    """A caller that asks before its turn learns how long it has to wait."""
    first, second, third = Caller(turns), Caller(turns), Caller(turns)
    assert first.claim() == 0.0
    assert second.claim() == pytest.approx(1.0)
    assert third.claim() == pytest.approx(1.0)  # looks again before its turn in 2 s
    clock.sleep(1.0)
    assert third.claim() > 0
    assert second.claim() == 0.0
    clock.sleep(1.0)
    assert third.claim() == 0.0


def test_a_caller_that_gives_up_frees_its_place(turns: KeyQueues, clock: Clock) -> None:
    """A cancelled call takes no turn from another call."""
    first, second, last = Caller(turns), Caller(turns), Caller(turns)
    assert (first.claim(), second.claim(), last.claim()) == (0.0, 1.0, 1.0)
    second.leave()
    clock.sleep(1.0)
    assert last.claim() == 0.0


def test_a_first_caller_that_does_not_come_blocks_no_other(turns: KeyQueues, clock: Clock) -> None:
    """Its event loop may stand still; the second goes one interval later."""
    sent, blocked, second = Caller(turns), Caller(turns), Caller(turns)
    assert (sent.claim(), blocked.claim(), second.claim()) == (0.0, 1.0, 1.0)
    clock.sleep(1.0)
    assert second.claim() == pytest.approx(1.0)
    clock.sleep(1.0)
    assert second.claim() == 0.0


def test_keys_do_not_wait_for_each_other(turns: KeyQueues) -> None:
    """Tess counts by key."""
    assert Caller(turns, KEY).claim() == 0.0
    assert Caller(turns, OTHER).claim() == 0.0


def test_clients_of_one_key_share_its_turns(turns: KeyQueues, clock: Clock) -> None:
    """Each keeps its own interval to the call before, whosever that was."""
    slow, quick = Pacer(5.0, 60.0, turns), Pacer(1.0, 60.0, turns)
    moments: list[float] = []
    for pacer in (slow, quick, slow, quick):
        pacer.wait("Bearer 1|a", clock.sleep)
        moments.append(clock.now)
    assert moments == [100.0, 101.0, 106.0, 107.0]


def test_a_send_is_remembered_for_clients_with_a_longer_interval(turns: KeyQueues, clock: Clock) -> None:
    """A call with another key may come in between."""
    Pacer(1.0, 60.0, turns).wait("Bearer 1|a", clock.sleep)
    clock.sleep(2.0)
    Pacer(1.0, 60.0, turns).wait("Bearer 1|b", clock.sleep)
    Pacer(30.0, 60.0, turns).wait("Bearer 1|a", clock.sleep)
    assert clock.now == 130.0


def test_a_caller_in_a_closed_loop_is_removed(turns: KeyQueues, clock: Clock) -> None:
    """Its tasks never come back for their turns, and never give them up."""
    assert Caller(turns).claim() == 0.0

    async def join() -> None:
        assert [Caller(turns).claim() for _ in range(2)] == [1.0, 1.0]

    loop = asyncio.new_event_loop()
    loop.run_until_complete(join())
    last = Caller(turns)
    assert last.claim() == pytest.approx(1.0)
    clock.sleep(1.0)
    assert last.claim() > 0
    loop.close()
    assert last.claim() == 0.0


def test_a_key_is_forgotten_when_its_turns_are_over(turns: KeyQueues, clock: Clock) -> None:
    """A process with many keys does not grow; the key itself is never kept."""
    pacer = Pacer(1.0, 60.0, turns)
    pacer.wait("Bearer 1|a", clock.sleep)
    clock.sleep(60.0)
    pacer.wait("Bearer 1|b", clock.sleep)
    assert set(turns._by_key) == {OTHER}
    assert "1|a" not in repr(vars(turns)) + repr(pacer)


def test_a_new_client_does_not_forget_what_an_earlier_one_sent(turns: KeyQueues, clock: Clock) -> None:
    """A program may make a client for each call."""
    Pacer(1.0, 60.0, turns).wait("Bearer 1|a", clock.sleep)
    Pacer(1.0, 60.0, turns).wait("Bearer 1|a", clock.sleep)
    assert clock.now == 101.0
    assert Pacer(1.0, 60.0).queues is SHARED_QUEUES


async def test_a_cancelled_task_gives_its_turn_away() -> None:
    """The one behind it takes its place."""
    pacer = Pacer(0.05, 60.0, KeyQueues())
    await pacer.async_wait("key")
    pacer.pause("key", 0.1)
    waiting = [asyncio.create_task(pacer.async_wait("key")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert await asyncio.gather(*waiting[1:]) == [0.0, 0.0]
    assert waiting[0].cancelled()
    assert not pacer.queues._by_key[hash_key("key")].waiting


async def test_a_turn_counts_from_when_the_loop_lets_the_call_go(turns: KeyQueues, clock: Clock) -> None:
    """Tasks that were ready before it may take longer than the room between two calls."""

    async def busy() -> None:
        clock.sleep(0.5)

    call = asyncio.create_task(Pacer(1.0, 60.0, turns).async_wait("Bearer 1|a"))
    other = asyncio.create_task(busy())
    await asyncio.gather(call, other)
    assert clock.now == 100.5
    Pacer(1.0, 60.0, turns).wait("Bearer 1|a", clock.sleep)
    assert clock.now == 101.5


async def test_no_two_tasks_take_one_turn(turns: KeyQueues, clock: Clock) -> None:
    """Each turn has one caller, even if other tasks of the event loop use up a part of the interval."""
    pacer, left = Pacer(1.0, 60.0, turns), list[float]()

    async def call(work: float) -> None:
        clock.sleep(work)
        if await pacer.async_wait("Bearer 1|a") == 0.0:
            left.append(clock.now)

    async def tick() -> None:
        while len(left) < 2:
            clock.sleep(0.3)
            await asyncio.sleep(0)

    await asyncio.gather(call(0.0), call(1.2), tick())
    assert left[1] - left[0] >= 1.0


class RecordedQueues(KeyQueues):
    """Queues that record the moment of each granted turn, as the queue itself read it from the clock."""

    def __init__(self) -> None:
        self._moment = threading.local()
        self.granted: list[float] = []
        super().__init__(self._read_clock)

    def _read_clock(self) -> float:
        self._moment.now = time.monotonic()
        return float(self._moment.now)

    def claim(self, key: bytes, slot: Ticket | None, caller: PacedCaller) -> ClaimResult:
        """Claim a turn; record when it was granted."""
        turn = super().claim(key, slot, caller)
        if turn.has_turn:
            self.granted.append(self._moment.now)
        return turn


async def test_threads_and_tasks_take_turns_together() -> None:
    """Sync and async callers share one queue: each is sent once, and no two within an interval."""
    queues = RecordedQueues()
    pacer = Pacer(0.02, 60.0, queues)
    sent: list[str] = []

    def thread(name: str) -> None:
        pacer.wait("key")
        sent.append(name)

    async def task(name: str) -> None:
        await pacer.async_wait("key")
        sent.append(name)

    threads = [threading.Thread(target=thread, args=(f"thread {index}",)) for index in range(5)]
    for each in threads:
        each.start()
    await asyncio.gather(*(task(f"task {index}") for index in range(5)))
    for each in threads:
        await asyncio.to_thread(each.join)
    moments = sorted(queues.granted)
    assert len(set(sent)) == len(sent) == len(moments) == 10
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.02


def test_a_queue_of_8000_callers_does_not_block(turns: KeyQueues) -> None:
    """Each caller finds its place by bisection; counting through the queue took 16 seconds."""
    began = time.process_time()
    callers = [Caller(turns) for _ in range(8000)]
    waits = [caller.claim() for caller in callers for _ in range(2 if caller is not callers[0] else 1)]
    for caller in callers:
        caller.leave()
    assert waits.count(0.0) == 1
    assert time.process_time() - began < 2
    assert not turns._by_key[KEY].waiting


def test_callers_leave_a_queue_from_anywhere(turns: KeyQueues, clock: Clock) -> None:
    """When a caller gives up its place, the callers behind it move up in order."""
    assert Caller(turns).claim() == 0.0
    callers = [Caller(turns) for _ in range(5)]
    for caller in callers:
        assert caller.claim() > 0
    for index in (3, 0, 1):
        callers[index].leave()
    clock.sleep(1.0)
    assert callers[4].claim() == pytest.approx(1.0)
    assert callers[2].claim() == 0.0
    clock.sleep(1.0)
    assert callers[4].claim() == 0.0


def test_a_task_that_is_collected_inside_of_the_queue_gives_its_place_back(
    turns: KeyQueues, clock: Clock
) -> None:
    """The garbage collector closes it in any thread, also in the one that holds the lock."""
    Caller(turns).claim()
    first, second = Caller(turns), Caller(turns)
    assert first.claim() == 1.0
    second.claim()
    with turns._lock:
        first.leave()
    clock.sleep(1.0)
    assert second.claim() == 0.0
    assert turns.waiting() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_what_waits_in_the_parent_does_not_wait_in_a_forked_child() -> None:
    """The child's first call has no callers before it that never come, and finds no locked lock."""
    child = multiprocessing.get_context("fork").Process(target=_wait_in_child)
    callers = [Caller(SHARED_QUEUES, hash_key("Bearer 1|fork")) for _ in range(51)]
    for caller in callers:
        caller.claim()
    with SHARED_QUEUES._lock:
        child.start()
    child.join(10)
    child.kill()
    child.join()
    for caller in callers:
        caller.leave()
    assert child.exitcode == 0


def _wait_in_child() -> None:
    Pacer(1.0, 60.0).wait("Bearer 1|fork")
