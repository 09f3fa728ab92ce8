"""Pacing: the calls of one key take turns, whatever client, thread or task they come from.

Tess counts the requests of a key, not of a client, so the turns of a key are the one thing in this package
that clients share: `SHARED`. It holds moments and who waits, and forgets a key, kept as a hash, when nobody
waits and the last turn is over. It is not weak: a program that makes a client for each call would never wait.

Source: about one request a second for each key, 429 above it (reported).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import anyio
from anyio.lowlevel import checkpoint

SPACING: Final = 1.1
"""Times the interval between two sends: on their way they may come closer to each other."""
_LOOK_SECONDS: Final = 1.0
"""Who waits looks at least this often whether those before left."""


@dataclass(slots=True)
class _Turns:
    """The turns of one key.

    Attributes:
        free_at: When the next call may be sent.
        held_until: When the wait that a 429 asked for is over.
        waiting: Who waits, in order, and since when.
    """

    free_at: float = 0.0
    held_until: float = 0.0
    waiting: dict[object, float] = field(default_factory=dict[object, float])

    def is_over(self, now: float) -> bool:
        """Whether these turns have nothing to tell any more."""
        return not self.waiting and now >= self.free_at and now >= self.held_until


class Turns:
    """The turns of all keys of a process: first come, first served; who gives up gives way.

    Nobody's turn depends on another's waking up: when the first in line does not come, because its event loop
    is blocked, the second goes one interval later.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._by_key: dict[bytes, _Turns] = {}

    @contextmanager
    def line(self, key: bytes) -> Generator[object]:
        """Stand in line, and leave it however the wait ends."""
        ticket = object()
        with self._lock:
            self._forget()
            turns = self._by_key.setdefault(key, _Turns())
            turns.waiting[ticket] = self._clock()
        try:
            yield ticket
        finally:
            with self._lock:
                turns.waiting.pop(ticket, None)

    def claim(self, key: bytes, ticket: object, interval: float) -> float:
        """Take the turn if it has come.

        Returns:
            Seconds to wait before asking again; 0 when the turn is taken.
        """
        with self._lock:
            now, turns = self._clock(), self._by_key[key]
            since = next(iter(turns.waiting.values()))
            place = list(turns.waiting).index(ticket)
            due = max(turns.free_at, turns.held_until, since) + place * interval
            if now < due:
                return min(due - now, max(interval, _LOOK_SECONDS))
            del turns.waiting[ticket]
            turns.free_at = now + interval
            return 0.0

    def postpone(self, key: bytes, interval: float) -> None:
        """Count the next turn from now: the call that took this one goes out only now."""
        with self._lock:
            turns = self._by_key.setdefault(key, _Turns())
            turns.free_at = max(turns.free_at, self._clock() + interval)

    def hold_back(self, key: bytes, seconds: float) -> None:
        """Let nobody go before these seconds have passed."""
        with self._lock:
            turns = self._by_key.setdefault(key, _Turns())
            turns.held_until = max(turns.held_until, self._clock() + seconds)

    def held_seconds(self, key: bytes) -> float:
        """Return how long a 429 still asks to wait."""
        with self._lock:
            turns = self._by_key.get(key)
            return 0.0 if turns is None else max(0.0, turns.held_until - self._clock())

    def _forget(self) -> None:
        now = self._clock()
        for key in [key for key, turns in self._by_key.items() if turns.is_over(now)]:
            del self._by_key[key]


SHARED: Final = Turns()


@dataclass(frozen=True, slots=True)
class Pace:
    """How one client takes its turns.

    Attributes:
        interval_seconds: Between two sends.
        longest_hold_seconds: A call that a 429 holds back for longer is not sent at all.
        turns: Shared with all clients of a key.
    """

    interval_seconds: float
    longest_hold_seconds: float
    turns: Turns = SHARED

    def wait(self, authorization: str, sleep: Callable[[float], object] = time.sleep) -> float:
        """Wait for the turn of a key.

        Returns:
            0 when the call may be sent now; else the seconds for which it is held back for too long.
        """
        key = fingerprint(authorization)
        with self.turns.line(key) as ticket:
            while (seconds := self.turns.claim(key, ticket, self.interval_seconds)) > 0:
                held = self.turns.held_seconds(key)
                if held > self.longest_hold_seconds:
                    return held
                sleep(seconds)
        return 0.0

    async def async_wait(self, authorization: str) -> float:
        """Async counterpart of `wait`."""
        key = fingerprint(authorization)
        with self.turns.line(key) as ticket:
            while (seconds := self.turns.claim(key, ticket, self.interval_seconds)) > 0:
                held = self.turns.held_seconds(key)
                if held > self.longest_hold_seconds:
                    return held
                await anyio.sleep(seconds)
        await checkpoint()  # all tasks that are ready run before the call goes: a batch that just began
        self.leaves(authorization)  # and again on the wire, where the transport lets a body tell: not aiohttp
        return 0.0

    def leaves(self, authorization: str) -> None:
        """Count the next turn from now: the connection is open, and the call goes out on it."""
        self.turns.postpone(fingerprint(authorization), self.interval_seconds)

    def hold_back(self, authorization: str, seconds: float) -> None:
        """Hold all calls of a key back."""
        self.turns.hold_back(fingerprint(authorization), seconds)


def fingerprint(authorization: str) -> bytes:
    """Return what stands for a key where the key itself need not be kept."""
    return hashlib.sha256(authorization.encode(errors="surrogateescape")).digest()
