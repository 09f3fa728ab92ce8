"""The line that processes share: laws over callers that come, wake up late, give up and die."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.pacing_line import (
    CLAIM_AHEAD_SECONDS,
    ClaimResult,
    Line,
    PacedCaller,
    Slot,
    current_line,
)
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS

CALLER = PacedCaller(1.0, 60.0, 0.0)
SECONDS = st.floats(0, 20)
LATE = st.floats(0, 0.5)


@dataclass
class Day:
    """A line, and what its callers did.

    Attributes:
        line: As it is now.
        sent: Which caller was sent when, in the order of time.
        asked: How often the callers asked.
    """

    line: Line
    sent: list[tuple[float, int]]
    asked: int = 0

    def claim(self, slot: Slot | None, now: float, caller: PacedCaller = CALLER) -> ClaimResult:
        """Ask the line."""
        self.line, now = current_line(self.line, now)
        self.line, turn = self.line.claim(slot, caller, now)
        self.asked += 1
        return turn

    def due(self, slot: Slot | None, now: float, caller: PacedCaller = CALLER) -> float:
        """Ask the line; return when the call is sent as far as is known."""
        turn = self.claim(slot, now, caller)
        return now + turn.wait_seconds + (0.0 if turn.has_turn else CLAIM_AHEAD_SECONDS)


def new_day() -> Day:
    """Begin with an unused line."""
    return Day(Line(0.0, 0.0), [])


def live(day: Day, arrivals: list[float], late: list[float], gone: set[int]) -> None:
    """Let callers come and sleep as long as the line says and a little longer; those `gone` never wake up."""
    events: list[tuple[float, int, Slot | None]] = [
        (now, number, None) for number, now in enumerate(arrivals)
    ]
    heapq.heapify(events)
    while events:
        now, number, slot = heapq.heappop(events)
        turn = day.claim(slot, now)
        if turn.has_turn:
            day.sent.append((now + turn.wait_seconds, number))
        elif number not in gone:
            heapq.heappush(events, (now + turn.wait_seconds + late[day.asked % len(late)], number, turn.slot))


@given(st.lists(SECONDS, min_size=1, max_size=30), st.lists(LATE, min_size=1, max_size=9))
def test_every_caller_is_sent_and_none_too_close(arrivals: list[float], late: list[float]) -> None:
    """This holds however late callers wake up, and the line takes no longer than its intervals and delays."""
    day = new_day()
    live(day, arrivals, late, set())
    assert sorted(number for _, number in day.sent) == list(range(len(arrivals)))
    assert all(
        later - earlier >= CALLER.shortest_gap_seconds - 1e-6
        for (earlier, _), (later, _) in pairwise(day.sent)
    )
    assert day.sent[-1][0] <= max(arrivals) + len(arrivals) * (1 + 2 * max(late)) + 1e-6


@given(st.lists(SECONDS, min_size=1, max_size=30, unique=True))
def test_callers_that_wake_up_in_time_are_sent_in_their_order(arrivals: list[float]) -> None:
    """First come, first served, an interval apart, and each asks twice at most."""
    day = new_day()
    live(day, arrivals, [0.0], set())
    order = [number for _, number in day.sent]
    assert order == sorted(order, key=arrivals.__getitem__)
    assert day.asked <= 2 * len(arrivals)


@given(st.lists(SECONDS, min_size=2, max_size=30), st.sets(st.integers(0, 29)))
def test_a_caller_that_dies_in_the_line_costs_its_own_slot_only(
    arrivals: list[float], gone: set[int]
) -> None:
    """The others are sent as if it had taken its turn."""
    with_all, with_some = new_day(), new_day()
    live(with_all, arrivals, [0.0], set())
    live(with_some, arrivals, [0.0], gone)
    moments = {number: now for now, number in with_all.sent}
    for now, number in with_some.sent:
        assert now <= moments[number] + 1e-6
    assert {number for _, number in with_some.sent} >= set(range(len(arrivals))) - gone


def test_a_returned_slot_goes_to_the_next_caller() -> None:
    """A returned slot whose time is over is not used again."""
    day = new_day()
    day.claim(None, 0.0)
    first, second = day.claim(None, 0.0), day.claim(None, 0.0)
    day.line = day.line.release(first.slot)
    assert day.due(None, 0.5) == pytest.approx(1.0)
    assert day.due(None, 0.5) == pytest.approx(3.0)
    day.line = day.line.release(second.slot)
    assert day.due(None, 2.5) == pytest.approx(4.0)


def test_a_caller_gets_its_turn_a_moment_before_its_slot() -> None:
    """The turn is then taken: no later caller can get it."""
    day = new_day()
    assert day.claim(None, 0.0) == ClaimResult(0.0, has_turn=True)
    turn = day.claim(None, 0.0)
    assert not turn.has_turn
    assert turn.wait_seconds == pytest.approx(1.0 - CLAIM_AHEAD_SECONDS)
    taken = day.claim(turn.slot, 0.96)
    assert (taken.has_turn, taken.slot) == (True, None)
    assert taken.wait_seconds == pytest.approx(0.04)
    assert day.due(None, 0.97) == pytest.approx(2.0)


def test_a_pause_holds_the_whole_line_in_its_order() -> None:
    """It moves callers that have a slot, who learn of it when they wake up, and later ones."""
    day = new_day()
    day.claim(None, 0.0)
    first, second = day.claim(None, 0.0), day.claim(None, 0.0)
    day.line = day.line.pause(30.0, 0.5)
    late = day.claim(None, 0.6)
    assert late.pause_seconds == pytest.approx(29.9)
    assert day.due(first.slot, 0.96) == pytest.approx(30.5)
    assert day.due(second.slot, 1.96) == pytest.approx(31.5)
    assert day.due(late.slot, 2.96) == pytest.approx(32.5)
    for turn, now in ((first, 30.5), (second, 31.5), (late, 32.5)):
        assert day.claim(turn.slot, now).has_turn


def test_a_pause_that_is_too_long_reserves_nothing() -> None:
    """The caller does not wait; a client that was made after the 429 may try."""
    day = new_day()
    day.line = day.line.pause(1e9, 1.0)
    turn = day.claim(None, 2.0, PacedCaller(1.0, 60.0, 10.0))
    assert turn == ClaimResult(MAX_KEY_PAUSE_SECONDS - 1, pause_seconds=MAX_KEY_PAUSE_SECONDS - 1)
    assert day.claim(None, 2.0, PacedCaller(1.0, 60.0, 0.5)).has_turn


def test_callers_keep_their_own_interval() -> None:
    """The interval before a call is its caller's, not that of the previous caller."""
    day, slow = new_day(), PacedCaller(5.0, 60.0, 0.0)
    day.claim(None, 0.0)
    assert day.due(None, 0.0, slow) == pytest.approx(5.0)
    assert day.due(None, 0.0) == pytest.approx(6.0)


def test_a_call_that_was_sent_later_than_its_turn_moves_the_line() -> None:
    """Its connection had to be opened."""
    day = new_day()
    day.claim(None, 0.0)
    second, third = day.claim(None, 0.0), day.claim(None, 0.0)
    day.line = day.line.mark_sent(0.8)
    assert day.due(second.slot, 0.96) == pytest.approx(0.8 + CALLER.shortest_gap_seconds)
    assert day.due(third.slot, 1.96) == pytest.approx(1.8 + CALLER.shortest_gap_seconds)


def test_a_caller_that_missed_its_slot_by_far_takes_the_next_turn() -> None:
    """However late it is, it delays the others by less than an interval."""
    day = new_day()
    day.claim(None, 0.0)
    blocked, second, third = (day.claim(None, 0.0) for _ in range(3))
    assert day.due(second.slot, 1.95) == pytest.approx(2.0)
    assert day.due(blocked.slot, 2.5) == pytest.approx(2.0 + CALLER.shortest_gap_seconds)
    assert day.due(third.slot, 2.96) <= 4.0


@pytest.mark.parametrize("step", [-3600.0, -1e9])
def test_a_clock_that_was_set_back_begins_a_new_line(step: float) -> None:
    """No call waits because of the old line, and the slots of the old line are void."""
    day = new_day()
    day.line = Line(1e6, 1e6)
    day.claim(None, 1e6)
    slot = day.claim(None, 1e6).slot
    now = 1e6 + step
    assert day.claim(slot, now).has_turn
    assert day.due(None, now) == pytest.approx(now + 1.0)


def test_no_caller_waits_longer_after_a_clock_was_set_forward() -> None:
    """Slots whose time is over are taken one after another."""
    day = new_day()
    day.claim(None, 0.0)
    slots = [day.claim(None, 0.0).slot for _ in range(2)]
    assert day.due(slots[0], 1e6) == 1e6
    assert day.due(slots[1], 1e6) == pytest.approx(1e6 + CALLER.shortest_gap_seconds)


def test_a_small_step_back_forgets_nothing() -> None:
    """Clocks are corrected by a few milliseconds all the time."""
    day = new_day()
    day.claim(None, 10.0)
    assert day.claim(None, 9.9).wait_seconds == pytest.approx(1.0 - CLAIM_AHEAD_SECONDS)
