"""The queues of the keys of one process, over all clients, threads and tasks; the default of pacing.

Tess counts the requests of a key, not of a client, so the queues of the keys are state that clients share:
`SHARED_QUEUES`. A queue holds times and waiting callers, and is deleted, together with the hash of its key,
when no caller waits and its last turn is over. Clients do not own the queues: a program that makes a new
client for each call would then never wait.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from tess_openai.core.pacing_line import ClaimResult, PacedCaller
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS
from tess_openai.edge.event_loops import is_closed_loop, running_loop
from tess_openai.edge.free_locks import run_if_free

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
        retain_until: Until when `sent_at` must be remembered.
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
        """Whether the queue may be deleted."""
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
        """Remove the tickets at the front whose event loop was closed; their tasks never run again."""
        while self.waiting and is_closed_loop(self.waiting[0].loop):
            del self.waiting[0]


class KeyQueues:
    """The queues of all keys of a process: first come, first served; a caller that gives up frees its place.

    No turn depends on another caller waking up: when the first in a queue does not take its turn because its
    event loop is blocked, the second takes its own one interval later.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = Lock()
        self._by_key: dict[bytes, _KeyQueue] = {}
        self._cleaned_at = -math.inf
        self._released: deque[tuple[bytes, Ticket]] = deque()
        self._waiting_elsewhere: set[object] = set()

    def claim(self, key: bytes, slot: Ticket | None, caller: PacedCaller) -> ClaimResult:
        """Join the queue of a key, and take the turn if it has come."""
        with self._lock:
            self._remove_released()
            now = self.clock()
            if slot is None:
                self._delete_unused()
            queue = self._by_key.setdefault(key, _KeyQueue())
            pause = caller.pause_seconds(now, queue.paused_at, queue.paused_until)
            if pause > caller.max_wait_for_pause_seconds:
                return ClaimResult(pause, pause_seconds=pause, slot=slot)
            ticket = queue.join(now, running_loop()) if slot is None else slot
            queue.drop_closed()
            first_since = queue.waiting[0].since if queue.waiting else ticket.since
            is_pause_ignored = not pause and now < queue.paused_until
            held_until = -math.inf if is_pause_ignored else queue.paused_until
            due = max(queue.sent_at + caller.interval_seconds, held_until, first_since)
            due += queue.place(ticket) * caller.interval_seconds
            if now < due:
                wait = min(due - now, max(caller.interval_seconds, _POLL_SECONDS))
                return ClaimResult(wait, pause_seconds=pause, slot=ticket)
            queue.leave(ticket)
            queue.send(now, caller.interval_seconds)
            return ClaimResult(0.0, has_turn=True)

    def release(self, key: bytes, slot: Ticket) -> None:
        """Leave the queue, now or, where the lock is not free, at the next claim; later callers move up."""
        self._released.append((key, slot))
        run_if_free(self._lock, self._remove_released)

    def mark_sent(self, key: bytes, interval_seconds: float) -> None:
        """Count the next turn from now: the call that took the last turn is sent only now."""
        with self._lock:
            self._by_key.setdefault(key, _KeyQueue()).send(self.clock(), interval_seconds)

    def pause(self, key: bytes, seconds: float) -> None:
        """Send no call of this key for these seconds, at most `MAX_KEY_PAUSE_SECONDS`."""
        with self._lock:
            queue, now = self._by_key.setdefault(key, _KeyQueue()), self.clock()
            queue.paused_at = now
            queue.paused_until = max(queue.paused_until, now + min(seconds, MAX_KEY_PAUSE_SECONDS))

    def waiting(self) -> int:
        """Return how many callers wait, in all queues and in lines that processes share."""
        with self._lock:
            self._remove_released()
            return len(self._waiting_elsewhere) + sum(len(queue.waiting) for queue in self._by_key.values())

    @contextmanager
    def waiting_elsewhere(self) -> Generator[None]:
        """Count a caller who waits in a line that processes share."""
        caller = object()
        self._waiting_elsewhere.add(caller)
        try:
            yield
        finally:
            self._waiting_elsewhere.discard(caller)

    def forget_waiting(self) -> None:
        """Forget the callers of the parent in a forked child, where they neither wait nor hold the lock."""
        self._lock = Lock()
        self._waiting_elsewhere.clear()
        for queue in self._by_key.values():
            queue.waiting.clear()

    def _remove_released(self) -> None:
        while self._released:
            key, ticket = self._released.popleft()
            queue = self._by_key.get(key)
            if queue is not None:
                queue.leave(ticket)

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


def _number(ticket: Ticket) -> int:
    return ticket.number
