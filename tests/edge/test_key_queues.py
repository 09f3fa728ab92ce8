"""What a caller of a key's queue gets when others give up, when the key is paused, and when it sends late."""

from __future__ import annotations

import asyncio
from typing import Final

from tess_openai.core.pacing_line import ClaimResult, PacedCaller
from tess_openai.edge.key_queues import KeyQueues, Ticket
from tess_openai.edge.pacing import Pacer
from tests.edge.paced_callers import Clock

KEY: Final = b"key"
CALLER: Final = PacedCaller(2.0, 60.0, 0.0)


def ticket_of(turn: ClaimResult) -> Ticket:
    """Return the ticket of a caller that waits."""
    assert isinstance(turn.slot, Ticket)
    return turn.slot


def test_a_caller_whose_predecessor_does_not_come_goes_a_whole_interval_later(
    turns: KeyQueues, clock: Clock
) -> None:
    """The interval is the caller's own, whatever its length."""
    assert turns.claim(KEY, None, CALLER).has_turn
    ticket_of(turns.claim(KEY, None, CALLER))
    second = ticket_of(turns.claim(KEY, None, CALLER))
    clock.now += 3.0
    turn = turns.claim(KEY, second, CALLER)
    assert (turn.has_turn, turn.wait_seconds) == (False, 1.0)
    clock.now += 1.0
    assert turns.claim(KEY, second, CALLER).has_turn


def test_a_call_that_is_sent_late_holds_the_next_one(turns: KeyQueues, clock: Clock) -> None:
    """A connection had to be opened first; keys of other calls are not affected."""
    pacer = Pacer(2.0, 60.0, turns)
    assert pacer.wait("Bearer a") == 0.0
    clock.now += 5.0
    pacer.mark_sent("Bearer a", 100.0)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.now += seconds

    assert pacer.wait("Bearer b", sleep) == 0.0
    assert pacer.wait("Bearer a", sleep) == 0.0
    assert waited == [2.0]


def test_a_turn_of_a_shared_line_counts_in_the_queue_of_the_process_too(turns: KeyQueues) -> None:
    """The store may fail before the next call, which then waits here."""
    turns.mark_sent(KEY, 2.0)
    turn = turns.claim(KEY, None, CALLER)
    assert (turn.has_turn, turn.wait_seconds) == (False, 2.0)


def test_a_client_with_short_intervals_does_not_overtake_one_that_waits(
    turns: KeyQueues, clock: Clock
) -> None:
    """It goes an interval of its own after the first has joined, if that one does not go before it."""
    assert turns.claim(KEY, None, CALLER).has_turn
    clock.now += 1.5
    ticket_of(turns.claim(KEY, None, CALLER))
    clock.now += 0.25
    quick = PacedCaller(0.5, 60.0, 0.0)
    turn = turns.claim(KEY, None, quick)
    assert (turn.has_turn, turn.wait_seconds) == (False, 0.25)
    clock.now += 0.25
    assert turns.claim(KEY, ticket_of(turn), quick).has_turn


def test_a_pause_that_is_too_long_ends_the_wait_of_a_caller(turns: KeyQueues) -> None:
    """It gives up its place, so the callers of clients that may wait longer move up."""
    pacer = Pacer(2.0, 60.0, turns)
    assert pacer.wait("Bearer a") == 0.0

    def sleep(_: float) -> None:
        pacer.pause("Bearer a", 300.0)

    assert pacer.wait("Bearer a", sleep) == 300.0
    assert turns.waiting() == 0


def test_a_caller_learns_for_how_long_its_key_is_paused(turns: KeyQueues, clock: Clock) -> None:
    """It keeps its place during a pause, and looks again before its end: callers before it may give up."""
    turns.pause(KEY, 30.0)
    turn = turns.claim(KEY, None, CALLER)
    assert (turn.wait_seconds, turn.pause_seconds, turn.has_turn) == (2.0, 30.0, False)
    ticket = ticket_of(turn)
    turns.pause(KEY, 300.0)
    assert turns.claim(KEY, ticket, CALLER) == ClaimResult(300.0, pause_seconds=300.0, slot=ticket)
    clock.now += 300.0
    assert turns.claim(KEY, ticket, CALLER).has_turn


def test_a_newcomer_does_not_overtake_those_who_waited_for_the_end_of_a_pause(
    turns: KeyQueues, clock: Clock
) -> None:
    """Those who waited go first, in their order, at intervals."""
    turns.pause(KEY, 30.0)
    first, second = [ticket_of(turns.claim(KEY, None, CALLER)) for _ in range(2)]
    clock.now += 30.0
    assert not turns.claim(KEY, second, CALLER).has_turn
    newcomer = ticket_of(turns.claim(KEY, None, CALLER))
    assert turns.claim(KEY, first, CALLER).has_turn
    for ticket in (second, newcomer):
        clock.now += 2.0
        assert turns.claim(KEY, ticket, CALLER).has_turn


def test_a_caller_that_has_left_takes_no_others_place(turns: KeyQueues) -> None:
    """The garbage collector may close a task whose place was removed with its event loop."""
    assert turns.claim(KEY, None, CALLER).has_turn

    async def join() -> Ticket:
        return ticket_of(turns.claim(KEY, None, CALLER))

    loop = asyncio.new_event_loop()
    removed = loop.run_until_complete(join())
    loop.close()
    waiting = ticket_of(turns.claim(KEY, None, CALLER))
    for count in (1, 0, 0):
        turns.release(KEY, removed)
        assert turns.waiting() == count
        removed = waiting
    turns.release(b"a key that is not known", waiting)
    assert turns.waiting() == 0


def test_callers_in_all_lines_are_counted(turns: KeyQueues) -> None:
    """Those of this process and those in lines that processes share."""
    assert turns.claim(KEY, None, CALLER).has_turn
    turns.claim(KEY, None, CALLER)
    with turns.waiting_elsewhere(), turns.waiting_elsewhere():
        assert turns.waiting() == 3
    assert turns.waiting() == 1
