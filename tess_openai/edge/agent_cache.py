"""What one client knows of its agents: each looked up once, however many calls ask at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final

import anyio

from tess_openai.core.agents import Agent
from tess_openai.core.calls import AgentNotFound, LookupResult
from tess_openai.edge.event_loops import is_closed_loop, running_loop

KEPT_SECONDS: Final = 900.0
"""Then an agent is looked up again: its author may have changed it."""
FAILURE_KEPT_SECONDS: Final = 10.0
"""A look-up that failed is not tried again at each call."""
MOST_KNOWN: Final = 1000
"""Then the oldest is forgotten: a client whose key is a function may see each agent with many keys."""
_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class _CachedResult:
    found: LookupResult
    until: float


@dataclass(slots=True)
class _InFlight:
    """A look-up on its way; `found` stays None when whoever made it was cancelled.

    Attributes:
        loop: Of the task that makes it; when it is closed, nothing comes of this look-up any more.
    """

    loop: asyncio.AbstractEventLoop | None = None
    over: Event = field(default_factory=Event)
    found: LookupResult | None = None


class AgentCache:
    """A cache of look-ups, for threads and tasks alike.

    Whoever asks first looks up, all others wait for what comes of it. Threads do not wait for tasks: a thread
    that blocks the loop of the task it waits for would wait for ever. What was known stays in use where
    looking again fails.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: dict[Hashable, _CachedResult] = {}
        self._flights: dict[Hashable, _InFlight] = {}

    def find(
        self,
        key: Hashable,
        look_up: Callable[[], LookupResult],
        timeout_seconds: float | None = None,
    ) -> LookupResult | None:
        """Return what is known under a key, or what `look_up` brings.

        Args:
            key: Under what it is kept.
            look_up: Called when nobody else is looking it up.
            timeout_seconds: How long to wait for who does; None for as long as that takes.

        Returns:
            What was found; None when the patience ended first.
        """
        while True:
            flight, is_first = self._join_or_start((key, "sync"), key, None)
            if is_first:
                break
            if not flight.over.wait(timeout_seconds):
                return self._last_known(key)
            if flight.found is not None:
                return flight.found
        found: LookupResult | None = None
        try:
            found = look_up()
        finally:
            found = self._complete((key, "sync"), key, flight, found)
        return found

    async def async_find(
        self,
        key: Hashable,
        look_up: Callable[[], Awaitable[LookupResult]],
        timeout_seconds: float | None = None,
    ) -> LookupResult | None:
        """Async counterpart of `find`, on any event loop and across several."""
        while True:
            flight, is_first = self._join_or_start((key, "async"), key, running_loop())
            if is_first:
                break
            with anyio.move_on_after(timeout_seconds):
                while not (flight.over.is_set() or is_closed_loop(flight.loop)):  # noqa: ASYNC110 - in another loop
                    await anyio.sleep(_POLL_SECONDS)
            if flight.found is not None:
                return flight.found
            if not (flight.over.is_set() or is_closed_loop(flight.loop)):
                return self._last_known(key)
        found: LookupResult | None = None
        try:
            found = await look_up()
        finally:
            found = self._complete((key, "async"), key, flight, found)
        return found

    def _join_or_start(
        self, flight_key: Hashable, key: Hashable, loop: asyncio.AbstractEventLoop | None
    ) -> tuple[_InFlight, bool]:
        """Return the look-up to wait for, and whether the caller must make it."""
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._clock() < known.until:
                landed = _InFlight(found=known.found)
                landed.over.set()
                return landed, False
            flight = self._flights.get(flight_key)
            if flight is not None and not is_closed_loop(flight.loop):
                return flight, False
            flight = self._flights[flight_key] = _InFlight(loop)
            return flight, True

    def _complete(
        self, flight_key: Hashable, key: Hashable, flight: _InFlight, found: LookupResult | None
    ) -> LookupResult | None:
        """Keep what was found, and give it to all who wait; return it, or the agent that was known before."""
        with self._lock:
            if self._flights.get(flight_key) is flight:
                del self._flights[flight_key]
            kept = KEPT_SECONDS
            if isinstance(found, AgentNotFound):
                kept = FAILURE_KEPT_SECONDS if found.is_permanent else 0.0
                known = self._known.get(key)
                found = known.found if known is not None and isinstance(known.found, Agent) else found
            if found is not None and kept:
                self._known.pop(key, None)  # and back in as the youngest
                self._known[key] = _CachedResult(found, self._clock() + kept)
                while len(self._known) > MOST_KNOWN:
                    del self._known[next(iter(self._known))]
            flight.found = found
        flight.over.set()
        return found

    def _last_known(self, key: Hashable) -> LookupResult | None:
        with self._lock:
            known = self._known.get(key)
            return None if known is None else known.found
