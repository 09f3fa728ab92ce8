"""The waiting line of one key in a store that processes share: who gets which slot, and when its turn is.

Pure: the store provides the time and keeps the `Line`. A caller reserves a slot in one step, sleeps until it,
and claims it in a second step. So each call asks the store twice, however long the line is, and a process
that is killed while it waits gives up its own slot and delays no other.

A slot is a place on the line's own time scale. Adding to `Line.delay` moves all slots to a later time: when a
429 pauses the key, and when a call was sent later than its slot.

The script for Redis, in `edge/redis_pacing.py`, is the same rule in Lua; a test compares the two.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, replace
from typing import Any, Final

from tess_openai.core.retry_after import LONGEST_PAUSE_SECONDS

LATE_PART: Final = 0.05
LATE_SECONDS: Final = 0.05
"""How much later than its slot a call may be sent without moving the line: a part of the interval, or a
twentieth of a second if that is more. Otherwise each caller that wakes up a little late would delay all
callers after it."""
AHEAD_SECONDS: Final = 0.05
"""How long before its slot a caller claims its turn. It sleeps the rest of the time after the claim, so that
the time that the store takes does not make the call late."""
CLOCK_TOLERANCE_SECONDS: Final = 1.0
"""How far a clock may be behind the last change of a line before it counts as set back."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the line has to know about a caller that claims a slot.

    Attributes:
        interval_seconds: The time between two calls.
        longest_pause_seconds: The longest pause for which its calls wait.
        client_age_seconds: How long ago its client was made.
    """

    interval_seconds: float
    longest_pause_seconds: float
    client_age_seconds: float

    @property
    def closest_seconds(self) -> float:
        """The shortest time between two calls."""
        return max(0.0, self.interval_seconds - late_seconds(self.interval_seconds))

    def pause_seconds(self, now: float, paused_at: float, paused_until: float) -> float:
        """Return for how long a 429 pauses this caller.

        A client that was made after the 429 ignores a pause that is longer than its calls may wait, until
        it receives a 429 itself.
        """
        seconds = max(0.0, paused_until - now)
        is_ignored = seconds > self.longest_pause_seconds and now - paused_at > self.client_age_seconds
        return 0.0 if is_ignored else seconds


@dataclass(frozen=True, slots=True)
class Slot:
    """A reserved turn.

    Attributes:
        line: When its line was made; a slot of another line is void.
        place: Seconds on the scale of the line.
    """

    line: float
    place: float


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to a claim.

    Attributes:
        wait_seconds: How long the caller waits before it sends its call, or before it claims again.
        is_taken: Whether the caller has its turn: it waits and sends, without a further claim.
        pause_seconds: How long a 429 pauses the caller.
        slot: The slot that it has reserved; None when it has its turn, or must not wait.
    """

    wait_seconds: float
    is_taken: bool = False
    pause_seconds: float = 0.0
    slot: Any = None


@dataclass(frozen=True, slots=True)
class Line:
    """The state of one key's line, in seconds of the store's clock.

    Attributes:
        made_at: When it was made.
        changed_at: When it was last changed.
        last: The place of the last slot that was reserved.
        delay: What is added to a place to get its time.
        sent_at: When the last call was sent.
        paused_at: When the last 429 that asked for a pause was received.
        paused_until: When that pause ends.
        returned: The places of slots that were given back, the earliest first.
    """

    made_at: float
    changed_at: float
    last: float = -math.inf
    delay: float = 0.0
    sent_at: float = -math.inf
    paused_at: float = -math.inf
    paused_until: float = -math.inf
    returned: tuple[float, ...] = ()

    def claim(self, slot: Slot | None, terms: Terms, now: float) -> tuple[Line, Turn]:
        """Reserve a slot, or take the caller's turn if the time of its slot has come.

        Args:
            slot: The slot that the caller has reserved; None before its first claim.
            terms: The terms of the caller.
            now: The store's time.

        Returns:
            The changed line, and what the caller has to do.
        """
        pause = terms.pause_seconds(now, self.paused_at, self.paused_until)
        if pause > terms.longest_pause_seconds:
            return self, Turn(pause, pause_seconds=pause, slot=slot)
        line, place = self, None if slot is None or slot.line != self.made_at else slot.place
        if place is None:
            line, place = self._reserve(terms.interval_seconds, now)
        due = max(place + line.delay, now)  # a missed slot is moved to now
        earliest = max(due, line.sent_at + terms.closest_seconds, now + pause)
        if earliest <= now + AHEAD_SECONDS:
            return replace(line, sent_at=earliest), Turn(earliest - now, is_taken=True)
        reserved = Slot(line.made_at, due - line.delay)
        moved = replace(line, delay=line.delay + earliest - due)
        return moved, Turn(earliest - AHEAD_SECONDS - now, pause_seconds=pause, slot=reserved)

    def release(self, slot: Slot) -> Line:
        """Give a slot to the next caller that reserves one."""
        if slot.line != self.made_at:
            return self
        returned = list(self.returned)
        insort(returned, slot.place)
        return replace(self, returned=tuple(returned))

    def postpone(self, now: float) -> Line:
        """Begin the interval until the next turn now, because the previous call is sent only now."""
        return replace(self, sent_at=max(self.sent_at, now))

    def pause(self, seconds: float, now: float) -> Line:
        """Send no call for these seconds, at most `LONGEST_PAUSE_SECONDS`."""
        until = max(self.paused_until, now + min(seconds, LONGEST_PAUSE_SECONDS))
        return replace(self, paused_at=now, paused_until=until)

    def _reserve(self, interval_seconds: float, now: float) -> tuple[Line, float]:
        returned = [place for place in self.returned if place + self.delay >= now]
        place = returned.pop(0) if returned else max(now - self.delay, self.last + interval_seconds)
        return replace(self, last=max(self.last, place), returned=tuple(returned)), place


def late_seconds(interval_seconds: float) -> float:
    """Return how much later than its slot a call may be sent without moving the line."""
    return max(LATE_PART * interval_seconds, LATE_SECONDS)


def current_line(line: Line | None, now: float) -> tuple[Line, float]:
    """Return the line to use, and the time.

    After a clock was set back, or restarted with the machine, callers would wait for times that are far away,
    so a new line begins. The line survives steps back of up to `CLOCK_TOLERANCE_SECONDS`.
    """
    if line is None or not now >= line.changed_at - CLOCK_TOLERANCE_SECONDS:
        return Line(now, now), now
    now = max(now, line.changed_at)
    return replace(line, changed_at=now), now
