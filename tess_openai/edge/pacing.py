"""Pacing: space the requests of one key over all clients, threads and tasks of the process.

Tess counts the requests of a key, not of a client, so the queues of the keys are the one thing in this
package that clients share: `SHARED_QUEUES`. A queue holds times and waiting callers, and is deleted, together
with the hash of its key, when nobody waits and its last turn is over. It is not a weak reference, because a
program that makes a client for each call would then never wait.

Source: about one request a second for each key, 429 above it (reported).
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

import anyio
from anyio.lowlevel import checkpoint

from tess_openai.core.retry_after import LONGEST_PAUSE_SECONDS
from tess_openai.edge.event_loops import is_closed_loop, running_loop

SPACING: Final = 1.1
"""Factor on the interval between two sends: requests may move closer to each other on their way."""
_POLL_SECONDS: Final = 1.0
"""A waiting caller checks at least this often whether callers before it gave up."""
_RETAIN_SECONDS: Final = 60.0
"""A send is remembered at least this long: the next client may keep a longer interval than the sender."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One place in a queue.

    Attributes:
        number: Grows with each ticket of the queue.
        since: When the caller joined.
        loop: The event loop of a waiting task; None for a thread.
    """

    number: int
    since: float
    loop: asyncio.AbstractEventLoop | None = None


@dataclass(slots=True)
class _KeyQueue:
    """The turns of one key.

    Attributes:
        sent_at: When the last call was sent.
        retain_until: Until when a client may need to know that.
        paused_at: When the last 429 came that asked for a pause.
        paused_until: When the pause that a 429 asked for ends.
        waiting: The tickets of all waiting callers, ordered by number, so that a place is found by bisection.
        issued: How many tickets were issued.
    """

    sent_at: float = -math.inf
    retain_until: float = 0.0
    paused_at: float = -math.inf
    paused_until: float = 0.0
    waiting: list[Ticket] = field(default_factory=list[Ticket])
    issued: int = 0

    def is_over(self, now: float) -> bool:
        """Whether nothing in this queue matters any more."""
        return not self.waiting and now >= self.retain_until and now >= self.paused_until

    def send(self, now: float, interval: float) -> None:
        """Record that a call is sent."""
        self.sent_at = max(self.sent_at, now)
        self.retain_until = max(self.retain_until, now + max(interval, _RETAIN_SECONDS))

    def join(self, now: float, loop: asyncio.AbstractEventLoop | None) -> Ticket:
        """Add a caller at the end."""
        ticket = Ticket(self.issued, now, loop)
        self.issued += 1
        self.waiting.append(ticket)
        return ticket

    def place(self, ticket: Ticket) -> int:
        """Return how many callers wait before this ticket, in O(log n)."""
        return bisect_left(self.waiting, ticket.number, key=_number)

    def leave(self, ticket: Ticket) -> None:
        """Remove a ticket, if it is still there."""
        index = self.place(ticket)
        if index < len(self.waiting) and self.waiting[index] is ticket:
            del self.waiting[index]

    def drop_closed(self) -> None:
        """Remove the tickets at the front whose event loop was closed; their tasks never come back."""
        while self.waiting and is_closed_loop(self.waiting[0].loop):
            del self.waiting[0]


class KeyQueues:
    """The queues of all keys of a process: first come, first served; a caller that gives up frees its place.

    No turn depends on another caller waking up: when the first in a queue does not come because its event
    loop is blocked, the second goes one interval later.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = Lock()
        self._by_key: dict[bytes, _KeyQueue] = {}
        self._cleaned_at = -math.inf

    @contextmanager
    def line(self, key: bytes, loop: asyncio.AbstractEventLoop | None = None) -> Generator[Ticket]:
        """Join the queue of a key, and leave it however the wait ends."""
        with self._lock:
            self._delete_unused()
            queue = self._by_key.setdefault(key, _KeyQueue())
            ticket = queue.join(self.clock(), loop)
        try:
            yield ticket
        finally:
            with self._lock:
                queue.leave(ticket)

    def claim(self, key: bytes, ticket: Ticket, interval: float, *, ignores_pause: bool = False) -> float:
        """Take the turn if it has come.

        Args:
            key: The hash of the key.
            ticket: The caller's ticket.
            interval: Seconds that the caller keeps between two sends.
            ignores_pause: Whether the call may be sent during a pause.

        Returns:
            Seconds to wait before asking again; 0 when the turn was taken.
        """
        with self._lock:
            now, queue = self.clock(), self._by_key[key]
            queue.drop_closed()
            paused_until = -math.inf if ignores_pause else queue.paused_until
            first_since = queue.waiting[0].since if queue.waiting else ticket.since
            due = max(queue.sent_at + interval, paused_until, first_since) + queue.place(ticket) * interval
            if now < due:
                return min(due - now, max(interval, _POLL_SECONDS))
            queue.leave(ticket)
            queue.send(now, interval)
            return 0.0

    def postpone(self, key: bytes, interval: float) -> None:
        """Count the next turn from now: the call that took this turn is sent only now."""
        with self._lock:
            self._by_key.setdefault(key, _KeyQueue()).send(self.clock(), interval)

    def pause(self, key: bytes, seconds: float) -> None:
        """Send no call of this key for these seconds, at most `LONGEST_PAUSE_SECONDS`."""
        with self._lock:
            queue, now = self._by_key.setdefault(key, _KeyQueue()), self.clock()
            queue.paused_at = now
            queue.paused_until = max(queue.paused_until, now + min(seconds, LONGEST_PAUSE_SECONDS))

    def pause_of(self, key: bytes) -> tuple[float, float]:
        """Return when the last 429 came, and for how many seconds the key is still paused."""
        with self._lock:
            queue = self._by_key.get(key)
            if queue is None:
                return -math.inf, 0.0
            return queue.paused_at, max(0.0, queue.paused_until - self.clock())

    def waiting(self) -> int:
        """Return how many callers wait, in all queues."""
        with self._lock:
            return sum(len(queue.waiting) for queue in self._by_key.values())

    def forget_waiting(self) -> None:
        """Start anew in a forked child: the parent's callers do not wait there, nor hold the lock."""
        self._lock = Lock()
        for queue in self._by_key.values():
            queue.waiting.clear()

    def _delete_unused(self) -> None:
        now = self.clock()
        if now < self._cleaned_at + _POLL_SECONDS:
            return
        self._cleaned_at = now
        for key in [key for key, queue in self._by_key.items() if queue.is_over(now)]:
            del self._by_key[key]


SHARED_QUEUES: Final = KeyQueues()
if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
    os.register_at_fork(after_in_child=SHARED_QUEUES.forget_waiting)


@dataclass(frozen=True, slots=True)
class Pacer:
    """How one client takes its turns.

    Attributes:
        interval_seconds: Between two sends.
        longest_pause_seconds: A call is not sent at all when a 429 pauses its key for longer.
        turns: The queues, shared with all clients of a key.
        longest_wait_seconds: A call is not sent at all when its turn is further away.
        made_at: When the client was made, on the clock of `turns`; None is now.
    """

    interval_seconds: float
    longest_pause_seconds: float
    turns: KeyQueues = SHARED_QUEUES
    longest_wait_seconds: float = math.inf
    made_at: float | None = None

    def __post_init__(self) -> None:
        if self.made_at is None:
            object.__setattr__(self, "made_at", self.turns.clock())

    def with_short_waits(self, longest_wait_seconds: float) -> Pacer:
        """Return a pacer for calls that are not worth a long wait, and none at all after a 429."""
        return replace(self, longest_pause_seconds=0.0, longest_wait_seconds=longest_wait_seconds)

    def wait(self, authorization: str, sleep: Callable[[float], object] = time.sleep) -> float:
        """Wait for the turn of a key.

        Returns:
            0 when the call may be sent now; else the seconds to wait, which are too long.
        """
        key, waited = hash_key(authorization), 0.0
        with self.turns.line(key) as ticket:
            while (seconds := self._claim(key, ticket)) > 0:
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
        )  # let tasks that are ready run first: nothing may come between the turn and the send
        key, waited = hash_key(authorization), 0.0
        with self.turns.line(key, running_loop()) as ticket:
            while (seconds := self._claim(key, ticket)) > 0:
                waited += seconds
                too_long = self._too_long(key, seconds, waited)
                if too_long:
                    return too_long
                await anyio.sleep(seconds)
        return 0.0

    def _claim(self, key: bytes, ticket: Ticket) -> float:
        ignores_pause = self._may_try(*self.turns.pause_of(key))
        return self.turns.claim(key, ticket, self.interval_seconds, ignores_pause=ignores_pause)

    def _may_try(self, paused_at: float, pause_seconds: float) -> bool:
        """Whether this client was made after a 429 whose pause is too long to wait for.

        An earlier client does not send; a new one sends its calls until it gets a 429 itself.
        """
        return pause_seconds > self.longest_pause_seconds and paused_at < (self.made_at or 0.0)

    def _too_long(self, key: bytes, seconds: float, waited: float) -> float:
        """Return how long the key is paused, or else the next wait, if that is too long; else 0."""
        paused_at, pause_seconds = self.turns.pause_of(key)
        if pause_seconds > self.longest_pause_seconds and not self._may_try(paused_at, pause_seconds):
            return pause_seconds
        return seconds if waited > self.longest_wait_seconds else 0.0

    def mark_sent(self, authorization: str) -> None:
        """Count the next turn from now: the connection is open, and the call is sent on it."""
        self.turns.postpone(hash_key(authorization), self.interval_seconds)

    def pause(self, authorization: str, seconds: float) -> None:
        """Pause all calls of a key."""
        self.turns.pause(hash_key(authorization), seconds)


def hash_key(authorization: str) -> bytes:
    """Return the hash that is stored in place of a key."""
    return hashlib.sha256(authorization.encode(errors="surrogateescape")).digest()


def _number(ticket: Ticket) -> int:
    return ticket.number
