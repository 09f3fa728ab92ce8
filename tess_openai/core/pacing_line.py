"""The waiting line of one key in a store that processes share: who gets which slot, and when its turn is.

Pure: the store provides the time and keeps the `Line`. A caller calls `claim` to reserve a slot, sleeps until
the slot has come, and calls it again to take its turn: usually twice, however long the line is, and more
often if the line was delayed. A process that is killed while it waits gives up its own slot and delays no
other.

A slot has a position on the line's own time scale. `pause` and `mark_sent` only record times. The next caller
whose slot comes too early adds the difference to `Line.delay`, which moves its slot and all slots behind it.

The script for Redis, in `edge/redis_pacing.py`, is the same rule in Lua; a test compares the two.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, replace
from typing import Any, Final

from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS

MAX_LATE_FRACTION: Final = 0.05
MAX_LATE_SECONDS: Final = 0.05
"""How much later than its slot a call may be sent without moving the line: this fraction of the interval, or
these seconds if that is more. Otherwise each caller that wakes up a little late would delay all
callers after it."""
CLAIM_AHEAD_SECONDS: Final = 0.05
"""How long before its slot a caller claims its turn. It sleeps the rest of the time after the claim, so that
the time that the store takes does not make the call late."""
CLOCK_TOLERANCE_SECONDS: Final = 1.0
"""How far a clock may be behind the last change of a line before it counts as set back."""


@dataclass(frozen=True, slots=True)
class PacedCaller:
    """A call that waits for its turn, with those settings of its client that the line has to know.

    Attributes:
        interval_seconds: The time from the slot before it in the line, of any client, to its own.
        max_wait_for_pause_seconds: The call fails instead of waiting when a 429 pauses the key for longer.
        client_age_seconds: How long ago the client was made.
    """

    interval_seconds: float
    max_wait_for_pause_seconds: float
    client_age_seconds: float

    @property
    def shortest_gap_seconds(self) -> float:
        """The shortest time between two calls.

        It is shorter than the interval by a tolerance, so that a call that is sent a little later than its
        slot does not delay the next one.
        """
        return max(0.0, self.interval_seconds - max_late_seconds(self.interval_seconds))

    def pause_seconds(self, now: float, paused_at: float, paused_until: float) -> float:
        """Return for how long a 429 pauses this caller.

        If the client was made after the last 429 of the key, a pause that is longer than its calls may wait
        is ignored, until the key gets a further 429.
        """
        seconds = max(0.0, paused_until - now)
        is_ignored = seconds > self.max_wait_for_pause_seconds and now - paused_at > self.client_age_seconds
        return 0.0 if is_ignored else seconds


@dataclass(frozen=True, slots=True)
class Slot:
    """A reserved turn.

    Attributes:
        line_made_at: When its line was made; a slot of another line is void.
        position: Seconds on the line's own time scale.
    """

    line_made_at: float
    position: float


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a caller that claimed a slot has to do.

    Attributes:
        wait_seconds: How long the caller waits before it sends its call, or before it claims again.
        has_turn: Whether the caller has its turn: it waits and sends, without a further claim.
        pause_seconds: How long a 429 pauses the caller; if it may not wait for so long, its call fails.
        slot: The slot that the caller holds, to be passed to its next claim: a `Slot` of this line, or a
            `key_queues.Ticket` in the queues of one process. None once it has its turn, or before it
            reserved one.
    """

    wait_seconds: float
    has_turn: bool = False
    pause_seconds: float = 0.0
    slot: Any = None


@dataclass(frozen=True, slots=True)
class Line:
    """The state of one key's line, in seconds of the store's clock.

    Attributes:
        made_at: When it was made.
        changed_at: When it was last changed.
        last: The position of the last slot that was reserved.
        delay: What is added to a position to get its time.
        sent_at: When the last call was sent.
        paused_at: When the last 429 that asked for a pause was received.
        paused_until: When that pause ends.
        returned: The positions of slots that were given back, the earliest first.
    """

    made_at: float
    changed_at: float
    last: float = -math.inf
    delay: float = 0.0
    sent_at: float = -math.inf
    paused_at: float = -math.inf
    paused_until: float = -math.inf
    returned: tuple[float, ...] = ()

    def claim(self, slot: Slot | None, caller: PacedCaller, now: float) -> tuple[Line, ClaimResult]:
        """Reserve a slot, or take the caller's turn if the time of its slot has come.

        Args:
            slot: The slot that the caller has reserved; None before its first claim.
            caller: The caller that claims it.
            now: The store's time.

        Returns:
            The changed line, and what the caller has to do.
        """
        pause = caller.pause_seconds(now, self.paused_at, self.paused_until)
        if pause > caller.max_wait_for_pause_seconds:
            return self, ClaimResult(pause, pause_seconds=pause, slot=slot)
        line, position = self, None if slot is None or slot.line_made_at != self.made_at else slot.position
        if position is None:
            line, position = self._reserve(caller.interval_seconds, now)
        due = max(position + line.delay, now)  # a missed slot is moved to now
        earliest = max(due, line.sent_at + caller.shortest_gap_seconds, now + pause)
        if earliest <= now + CLAIM_AHEAD_SECONDS:
            return replace(line, sent_at=earliest), ClaimResult(earliest - now, has_turn=True)
        reserved = Slot(line.made_at, due - line.delay)
        moved = replace(line, delay=line.delay + earliest - due)
        return moved, ClaimResult(earliest - CLAIM_AHEAD_SECONDS - now, pause_seconds=pause, slot=reserved)

    def release(self, slot: Slot) -> Line:
        """Give a slot to the next caller that reserves one."""
        if slot.line_made_at != self.made_at:
            return self
        returned = list(self.returned)
        insort(returned, slot.position)
        return replace(self, returned=tuple(returned))

    def mark_sent(self, now: float) -> Line:
        """Record that the call that took the last turn is sent only now, after its connection was opened."""
        return replace(self, sent_at=max(self.sent_at, now))

    def pause(self, seconds: float, now: float) -> Line:
        """Record that a 429 asks for a pause of these seconds, at most `MAX_KEY_PAUSE_SECONDS`."""
        until = max(self.paused_until, now + min(seconds, MAX_KEY_PAUSE_SECONDS))
        return replace(self, paused_at=now, paused_until=until)

    def _reserve(self, interval_seconds: float, now: float) -> tuple[Line, float]:
        returned = [position for position in self.returned if position + self.delay >= now]
        position = returned.pop(0) if returned else max(now - self.delay, self.last + interval_seconds)
        return replace(self, last=max(self.last, position), returned=tuple(returned)), position


def max_late_seconds(interval_seconds: float) -> float:
    """Return how much later than its slot a call may be sent without moving the line."""
    return max(MAX_LATE_FRACTION * interval_seconds, MAX_LATE_SECONDS)


def current_line(line: Line | None, now: float) -> tuple[Line, float]:
    """Return the line to use, and the time for it: `now`, but never before the line's last change.

    After a clock was set back, or restarted with the machine, callers would wait for times that are far away,
    so a new line begins. The line survives steps back of up to `CLOCK_TOLERANCE_SECONDS`.
    """
    # Written with `not`, so that a stored time that is NaN begins a new line too.
    if line is None or not now >= line.changed_at - CLOCK_TOLERANCE_SECONDS:
        return Line(now, now), now
    now = max(now, line.changed_at)
    return replace(line, changed_at=now), now
