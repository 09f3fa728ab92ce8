"""The agents that one client has looked up, and the files that it has uploaded.

However many calls need an agent or a file at the same time, only one of them looks it up or uploads it.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Final, Generic, TypeVar

import anyio

from tess_openai.core.agents import Agent
from tess_openai.core.calls import AgentNotFound, LookupResult, UploadedFile, UploadResult
from tess_openai.edge.event_loops import is_closed_loop, running_loop
from tess_openai.edge.free_locks import run_if_free

KEPT_SECONDS: Final = 900.0
"""After this time an agent is looked up again: its author may have changed it."""
FAILURE_KEPT_SECONDS: Final = 10.0
"""For this time a failed look-up is not repeated."""
MOST_KNOWN: Final = 1000
"""Entries of the cache; the oldest is removed first. A client whose key is a function may use many keys."""
_POLL_SECONDS: Final = 0.01


Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _CachedResult(Generic[Found]):
    found: Found
    until: float


@dataclass(slots=True)
class _InFlight(Generic[Found]):
    """A look-up that has begun; `found` stays None when the caller that carries it out is cancelled.

    Attributes:
        loop: The event loop of the task that carries it out; once closed, the look-up never completes.
    """

    loop: asyncio.AbstractEventLoop | None = None
    over: Event = field(default_factory=Event)
    found: Found | None = None


class ResultCache(Generic[Found]):
    """A cache of look-ups for threads and tasks.

    The first caller carries out the look-up, all others wait for its result. Threads do not wait for tasks: a
    thread that blocks the event loop of the task it waits for would wait for ever. When a renewed look-up
    fails, the earlier result stays in use.
    """

    def __init__(
        self,
        kept_seconds: Callable[[Found], float],
        is_failure: Callable[[Found], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an empty cache.

        Args:
            kept_seconds: Returns how long a result is kept.
            is_failure: Whether a result is a failure, which does not replace an earlier success.
            clock: Returns the time in seconds.
        """
        self._kept_seconds = kept_seconds
        self._is_failure = is_failure
        self._clock = clock
        self._lock = Lock()
        self._known: dict[Hashable, _CachedResult[Found]] = {}
        self._in_flight: dict[Hashable, _InFlight[Found]] = {}
        _CACHES.add(self)

    def find(
        self,
        key: Hashable,
        look_up: Callable[[], Found],
        timeout_seconds: float | None = None,
    ) -> Found | None:
        """Return the cached result, or the result of `look_up`.

        Args:
            key: The cache key.
            look_up: Called when no other caller is carrying out this look-up.
            timeout_seconds: How long to wait for another caller's look-up; None waits until it ends.

        Returns:
            The result; None when the timeout ended first and nothing is cached.
        """
        while True:
            pending, is_first = self._join_or_start((key, "sync"), key, None)
            if is_first:
                break
            if not pending.over.wait(timeout_seconds):
                return self._last_known(key)
            if pending.found is not None:
                return pending.found
        found: Found | None = None
        try:
            found = look_up()
        finally:
            found = self._complete((key, "sync"), key, pending, found)
        return found

    def find_within(self, key: Hashable, look_up: Callable[[], Found], seconds: float) -> Found | None:
        """Return the result of `find` if it comes in time, else the cached one.

        The look-up runs in a thread of its own, because a server that sends one byte now and then can block a
        read for ever. When the time is over the thread continues, and later callers use its result.
        """
        found: list[Found | None] = []

        def run() -> None:
            with suppress(Exception):
                found.append(self.find(key, look_up, seconds))

        context = contextvars.copy_context()
        thread = Thread(target=context.run, args=(run,), name="tess_openai look-up", daemon=True)
        thread.start()
        thread.join(seconds)
        return found[0] if found else self._last_known(key)

    async def async_find_within(
        self, key: Hashable, look_up: Callable[[], Awaitable[Found]], seconds: float
    ) -> Found | None:
        """Async counterpart of `find_within`; the look-up is cancelled when its time is over."""
        with anyio.move_on_after(seconds):
            return await self.async_find(key, look_up, seconds)
        return self._last_known(key)

    async def async_find(
        self,
        key: Hashable,
        look_up: Callable[[], Awaitable[Found]],
        timeout_seconds: float | None = None,
    ) -> Found | None:
        """Async counterpart of `find`, on any event loop and across several."""
        while True:
            pending, is_first = self._join_or_start((key, "async"), key, running_loop())
            if is_first:
                break
            with anyio.move_on_after(timeout_seconds):
                while not (pending.over.is_set() or is_closed_loop(pending.loop)):  # noqa: ASYNC110 - in another loop
                    await anyio.sleep(_POLL_SECONDS)
            if pending.found is not None:
                return pending.found
            if not (pending.over.is_set() or is_closed_loop(pending.loop)):
                return self._last_known(key)
        found: Found | None = None
        try:
            found = await look_up()
        finally:
            found = self._complete((key, "async"), key, pending, found)
        return found

    def _join_or_start(
        self, in_flight_key: Hashable, key: Hashable, loop: asyncio.AbstractEventLoop | None
    ) -> tuple[_InFlight[Found], bool]:
        """Return the look-up to wait for, and whether the caller must carry it out."""
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._clock() < known.until:
                completed = _InFlight[Found](found=known.found)
                completed.over.set()
                return completed, False
            pending = self._in_flight.get(in_flight_key)
            if pending is not None and not (pending.over.is_set() or is_closed_loop(pending.loop)):
                return pending, False
            pending = self._in_flight[in_flight_key] = _InFlight[Found](loop)
            return pending, True

    def _complete(
        self, in_flight_key: Hashable, key: Hashable, pending: _InFlight[Found], found: Found | None
    ) -> Found | None:
        """Cache the result and wake all waiters; return it, or, after a failure, the result cached before."""
        if found is None:
            self._give_up(in_flight_key, pending)
            return None
        with self._lock:
            self._remove_in_flight(in_flight_key, pending)
            kept = self._kept_seconds(found)
            if self._is_failure(found):
                known = self._known.get(key)
                found = found if known is None or self._is_failure(known.found) else known.found
            if kept:
                self._known.pop(key, None)  # re-inserted as the newest
                self._known[key] = _CachedResult(found, self._clock() + kept)
                while len(self._known) > MOST_KNOWN:
                    del self._known[next(iter(self._known))]
            pending.found = found
        pending.over.set()
        return found

    def _give_up(self, in_flight_key: Hashable, pending: _InFlight[Found]) -> None:
        """Let another caller carry out the look-up.

        Where the lock is not free the entry stays: it is marked as over, so the next look-up replaces it.
        """
        pending.over.set()
        run_if_free(self._lock, lambda: self._remove_in_flight(in_flight_key, pending))

    def _remove_in_flight(self, in_flight_key: Hashable, pending: _InFlight[Found]) -> None:
        if self._in_flight.get(in_flight_key) is pending:
            del self._in_flight[in_flight_key]

    def forget(self, is_gone: Callable[[Found], bool]) -> None:
        """Forget the results of which `is_gone` is true."""
        with self._lock:
            for key in [key for key, known in self._known.items() if is_gone(known.found)]:
                del self._known[key]

    def forget_in_flight(self) -> None:
        """Forget the look-ups of the parent in a forked child, where they never complete and hold no lock."""
        self._lock = Lock()
        self._in_flight.clear()

    def _last_known(self, key: Hashable) -> Found | None:
        with self._lock:
            known = self._known.get(key)
            return None if known is None else known.found


class AgentCache(ResultCache[LookupResult]):
    """The agents that one client knows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep agents for `KEPT_SECONDS`, and permanent failures for `FAILURE_KEPT_SECONDS`."""
        super().__init__(_seconds_to_keep, lambda found: isinstance(found, AgentNotFound), clock)


def _seconds_to_keep(found: LookupResult) -> float:
    if isinstance(found, Agent):
        return KEPT_SECONDS
    return FAILURE_KEPT_SECONDS if found.is_permanent else 0.0


class UploadCache(ResultCache[UploadResult]):
    """The files that one client has uploaded, for as long as it lives."""

    def __init__(self) -> None:
        """Keep the numbers of uploaded files; after a failed upload the next call tries again."""
        super().__init__(
            lambda found: math.inf if isinstance(found, UploadedFile) else 0.0,
            lambda found: not isinstance(found, UploadedFile),
        )


def _forget_in_flight() -> None:
    for cache in list(_CACHES):
        cache.forget_in_flight()


_CACHES: Final[weakref.WeakSet[ResultCache[Any]]] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
    os.register_at_fork(after_in_child=_forget_in_flight)
