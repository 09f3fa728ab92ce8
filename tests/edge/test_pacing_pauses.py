"""Calls whose key is paused by a 429, and look-ups that may not wait long."""

from __future__ import annotations

import pytest

from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS
from tess_openai.edge.key_queues import KeyQueues
from tess_openai.edge.pacing import Pacer
from tests.edge.paced_callers import Caller, Clock


def test_a_short_look_up_does_not_wait_long(turns: KeyQueues, clock: Clock) -> None:
    """It gives up in a long line, and does not wait for the end of a pause, however short the pause is."""
    pacer = Pacer(2.0, 60.0, turns)
    pacer.wait("Bearer 1|a", clock.sleep)
    assert pacer.with_short_waits(1.0).wait("Bearer 1|a", clock.sleep) == pytest.approx(2.0)
    assert clock.now == 100.0
    assert pacer.with_short_waits(2.0).wait("Bearer 1|a", clock.sleep) == 0.0
    pacer.pause("Bearer 1|a", 0.5)
    assert pacer.with_short_waits(5.0).wait("Bearer 1|a", clock.sleep) == pytest.approx(0.5)
    assert clock.now == 102.0


def test_a_short_look_up_adds_up_its_waits(turns: KeyQueues, clock: Clock) -> None:
    """A caller in a long line looks again each second, and gives up when all that time is too long."""
    for _ in range(20):
        Caller(turns).claim()
    pacer = Pacer(1.0, 60.0, turns).with_short_waits(2.5)
    assert pacer.wait("Bearer 1|a", clock.sleep) == pytest.approx(1.0)
    assert clock.now == pytest.approx(102.0)


def test_a_429_pauses_the_other_callers(turns: KeyQueues, clock: Clock) -> None:
    """The other callers wait until the pause has passed; a later, shorter pause does not end it earlier."""
    pacer = Pacer(1.0, 60.0, turns)
    pacer.pause("Bearer 1|a", 30.0)
    pacer.pause("Bearer 1|a", 2.0)
    assert pacer.wait("Bearer 1|a", clock.sleep) == 0.0
    assert clock.now == pytest.approx(130.0)


def test_a_pause_that_is_too_long_fails_at_once(turns: KeyQueues, clock: Clock) -> None:
    """A caller that would have to wait too long fails, and gives its turn to the next."""
    pacer = Pacer(1.0, 60.0, turns)
    pacer.pause("Bearer 1|a", 300.0)
    assert pacer.wait("Bearer 1|a", clock.sleep) == pytest.approx(300.0)
    assert clock.now == 100.0
    clock.sleep(300.0)
    assert pacer.wait("Bearer 1|a", clock.sleep) == 0.0


@pytest.mark.parametrize("seconds", [1_767_225_600.0, 1e308])
def test_an_absurd_pause_ends_within_an_hour(turns: KeyQueues, clock: Clock, seconds: float) -> None:
    """A 429 whose wait is a Unix timestamp or worse does not stop the key for years."""
    pacer = Pacer(1.0, 60.0, turns)
    pacer.pause("Bearer 1|a", seconds)
    assert pacer.wait("Bearer 1|a", clock.sleep) == pytest.approx(MAX_KEY_PAUSE_SECONDS)
    clock.sleep(MAX_KEY_PAUSE_SECONDS)
    assert pacer.wait("Bearer 1|a", clock.sleep) == 0.0


def test_a_new_client_may_try_during_a_long_pause(turns: KeyQueues, clock: Clock) -> None:
    """It ignores a pause that is too long to wait for until it gets a 429 itself.

    It waits for a shorter one.
    """
    earlier = Pacer(1.0, 60.0, turns)
    earlier.pause("Bearer 1|a", 1e9)
    clock.sleep(1.0)
    newer = Pacer(1.0, 60.0, turns)
    assert newer.wait("Bearer 1|a", clock.sleep) == 0.0
    assert clock.now == 101.0
    assert earlier.wait("Bearer 1|a", clock.sleep) > 60.0
    newer.pause("Bearer 1|a", 120.0)
    assert newer.wait("Bearer 1|a", clock.sleep) > 60.0
    assert newer.with_short_waits(5.0).wait("Bearer 1|a", clock.sleep) > 60.0


def test_a_new_client_waits_for_a_short_pause(turns: KeyQueues, clock: Clock) -> None:
    """A program that makes a client for each call would else run into the same 429 again."""
    Pacer(1.0, 60.0, turns).pause("Bearer 1|a", 30.0)
    clock.sleep(1.0)
    assert Pacer(1.0, 60.0, turns).wait("Bearer 1|a", clock.sleep) == 0.0
    assert clock.now == pytest.approx(130.0)


async def test_a_new_client_may_try_during_a_long_pause_in_tasks() -> None:
    """Async callers may try during a long pause as sync ones do."""
    turns = KeyQueues()
    Pacer(0.01, 1.0, turns).pause("key", 1e9)
    assert await Pacer(0.01, 1.0, turns).async_wait("key") == 0.0
