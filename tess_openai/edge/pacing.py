"""Pacing: the calls of one key take turns, whatever client, thread or task they come from.

Tess counts the requests of a key, not of a client, so the turns of a key are the one thing in this package
that clients share: `SHARED_QUEUES`. It holds moments and who waits, and forgets a key, kept as a hash, when
nobody waits and the last turn is over. It is not weak: a program that makes a client for each call would
never wait.

Source: about one request a second for each key, 429 above it (reported).
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

import anyio
from anyio.lowlevel import checkpoint

from tess_openai.edge.event_loops import is_closed_loop, running_loop

SPACING: Final = 1.1
"""Times the interval between two sends: on their way they may come closer to each other."""
_LOOK_SECONDS: Final = 1.0
"""Who waits looks at least this often whether those before left."""
_KEPT_SECONDS: Final = 60.0
"""A send is remembered at least so long: who comes next may keep a longer distance than who sent it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """A place in line, and the event loop of who has it; None for a thread."""

    loop: asyncio.AbstractEventLoop | None = None


@dataclass(slots=True)
class _KeyQueue:
    """The turns of one key.

    Attributes:
        sent_at: When the last call was sent.
        told_until: Until when somebody may want to know that.
        held_until: When the wait that a 429 asked for is over.
        waiting: Who waits, in order, and since when.
    """

    sent_at: float = -math.inf
    retain_until: float = 0.0
    paused_until: float = 0.0
    waiting: dict[Ticket, float] = field(default_factory=dict[Ticket, float])

    def is_over(self, now: float) -> bool:
        """Whether these turns have nothing to tell any more."""
        return not self.waiting and now >= self.retain_until and now >= self.paused_until

    def send(self, now: float, interval: float) -> None:
        """Note that a call is sent."""
        self.sent_at = max(self.sent_at, now)
        self.retain_until = max(self.retain_until, now + max(interval, _KEPT_SECONDS))


class KeyQueues:
    """The turns of all keys of a process: first come, first served; who gives up gives way.

    Nobody's turn depends on another's waking up: when the first in line does not come, because its event loop
    is blocked, the second goes one interval later; and who waited in a loop that was closed has left.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._by_key: dict[bytes, _KeyQueue] = {}

    @contextmanager
    def line(self, key: bytes, loop: asyncio.AbstractEventLoop | None = None) -> Generator[Ticket]:
        """Stand in line, and leave it however the wait ends."""
        ticket = Ticket(loop)
        with self._lock:
            self._forget()
            turns = self._by_key.setdefault(key, _KeyQueue())
            turns.waiting[ticket] = self._clock()
        try:
            yield ticket
        finally:
            with self._lock:
                turns.waiting.pop(ticket, None)

    def claim(self, key: bytes, ticket: Ticket, interval: float) -> float:
        """Take the turn if it has come.

        Returns:
            Seconds to wait before asking again; 0 when the turn is taken.
        """
        with self._lock:
            now, turns = self._clock(), self._by_key[key]
            for left in [each for each in turns.waiting if is_closed_loop(each.loop)]:
                del turns.waiting[left]
            since = next(iter(turns.waiting.values()))
            place = list(turns.waiting).index(ticket)
            due = max(turns.sent_at + interval, turns.paused_until, since) + place * interval
            if now < due:
                return min(due - now, max(interval, _LOOK_SECONDS))
            del turns.waiting[ticket]
            turns.send(now, interval)
            return 0.0

    def postpone(self, key: bytes, interval: float) -> None:
        """Count the next turn from now: the call that took this one goes out only now."""
        with self._lock:
            self._by_key.setdefault(key, _KeyQueue()).send(self._clock(), interval)

    def pause(self, key: bytes, seconds: float) -> None:
        """Let nobody go before these seconds have passed."""
        with self._lock:
            turns = self._by_key.setdefault(key, _KeyQueue())
            turns.paused_until = max(turns.paused_until, self._clock() + seconds)

    def pause_seconds(self, key: bytes) -> float:
        """Return how long a 429 still asks to wait."""
        with self._lock:
            turns = self._by_key.get(key)
            return 0.0 if turns is None else max(0.0, turns.paused_until - self._clock())

    def _forget(self) -> None:
        now = self._clock()
        for key in [key for key, turns in self._by_key.items() if turns.is_over(now)]:
            del self._by_key[key]


SHARED_QUEUES: Final = KeyQueues()


@dataclass(frozen=True, slots=True)
class Pacer:
    """How one client takes its turns.

    Attributes:
        interval_seconds: Between two sends.
        longest_hold_seconds: A call that a 429 holds back for longer is not sent at all.
        turns: Shared with all clients of a key.
        longest_wait_seconds: Nor is one that would stand in line for longer.
    """

    interval_seconds: float
    longest_pause_seconds: float
    turns: KeyQueues = SHARED_QUEUES
    longest_wait_seconds: float = math.inf

    def with_short_waits(self, longest_wait_seconds: float) -> Pacer:
        """Return a pace for calls that are not worth a long wait, and none at all after a 429."""
        return replace(self, longest_pause_seconds=0.0, longest_wait_seconds=longest_wait_seconds)

    def wait(self, authorization: str, sleep: Callable[[float], object] = time.sleep) -> float:
        """Wait for the turn of a key.

        Returns:
            0 when the call may be sent now; else the seconds to wait, which are too long.
        """
        key, waited = hash_key(authorization), 0.0
        with self.turns.line(key) as ticket:
            while (seconds := self.turns.claim(key, ticket, self.interval_seconds)) > 0:
                waited += seconds
                too_long = self._too_long(key, seconds, waited)
                if too_long:
                    return too_long
                sleep(seconds)
        return 0.0

    async def async_wait(self, authorization: str) -> float:
        """Async counterpart of `wait`."""
        await (
            checkpoint()
        )  # first what else is ready, a batch that just began, say: nothing comes after the turn
        key, waited = hash_key(authorization), 0.0
        with self.turns.line(key, running_loop()) as ticket:
            while (seconds := self.turns.claim(key, ticket, self.interval_seconds)) > 0:
                waited += seconds
                too_long = self._too_long(key, seconds, waited)
                if too_long:
                    return too_long
                await anyio.sleep(seconds)
        return 0.0

    def _too_long(self, key: bytes, seconds: float, waited: float) -> float:
        """Return for how long the key is held, or else the next wait, if that is too long; else 0."""
        held = self.turns.pause_seconds(key)
        if held > self.longest_pause_seconds:
            return held
        return seconds if waited > self.longest_wait_seconds else 0.0

    def mark_sent(self, authorization: str) -> None:
        """Count the next turn from now: the connection is open, and the call goes out on it."""
        self.turns.postpone(hash_key(authorization), self.interval_seconds)

    def pause(self, authorization: str, seconds: float) -> None:
        """Hold all calls of a key back."""
        self.turns.pause(hash_key(authorization), seconds)


def hash_key(authorization: str) -> bytes:
    """Return what stands for a key where the key itself need not be kept."""
    return hashlib.sha256(authorization.encode(errors="surrogateescape")).digest()
