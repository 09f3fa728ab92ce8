"""What one client knows of its agents: each looked up once, however many calls ask at the same time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final

import anyio

from tess_openai.core.agents import Agent
from tess_openai.core.calls import Found, Unfound

KEPT_SECONDS: Final = 900.0
"""Then an agent is looked up again: its author may have changed it."""
FAILURE_KEPT_SECONDS: Final = 10.0
"""A look-up that failed is not tried again at each call."""
_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class _Known:
    found: Found
    until: float


@dataclass(slots=True)
class _Flight:
    """A look-up on its way; `found` stays None when whoever made it was cancelled."""

    over: Event = field(default_factory=Event)
    found: Found | None = None


class Directory:
    """A cache of look-ups, for threads and tasks alike.

    Whoever asks first looks up, all others wait for what comes of it. Threads do not wait for tasks: a thread
    that blocks the loop of the task it waits for would wait for ever.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: dict[Hashable, _Known] = {}
        self._flights: dict[Hashable, _Flight] = {}

    def find(self, key: Hashable, look_up: Callable[[], Found]) -> Found:
        """Return what is known under a key, or what `look_up` brings."""
        while True:
            flight, is_first = self._board((key, "sync"), key)
            if not is_first:
                flight.over.wait()
                if flight.found is not None:
                    return flight.found
                continue
            try:
                flight.found = look_up()
                return flight.found
            finally:
                self._land((key, "sync"), key, flight)

    async def async_find(self, key: Hashable, look_up: Callable[[], Awaitable[Found]]) -> Found:
        """Async counterpart of `find`, on any event loop and across several."""
        while True:
            flight, is_first = self._board((key, "async"), key)
            if not is_first:
                while not flight.over.is_set():  # noqa: ASYNC110 - another loop's task may set it
                    await anyio.sleep(_POLL_SECONDS)
                if flight.found is not None:
                    return flight.found
                continue
            try:
                flight.found = await look_up()
                return flight.found
            finally:
                self._land((key, "async"), key, flight)

    def _board(self, flight_key: Hashable, key: Hashable) -> tuple[_Flight, bool]:
        """Return the look-up to wait for, and whether the caller must make it."""
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._clock() < known.until:
                landed = _Flight(found=known.found)
                landed.over.set()
                return landed, False
            is_first = flight_key not in self._flights
            return self._flights.setdefault(flight_key, _Flight()), is_first

    def _land(self, flight_key: Hashable, key: Hashable, flight: _Flight) -> None:
        with self._lock:
            del self._flights[flight_key]
            found = flight.found
            if isinstance(found, Agent) or (isinstance(found, Unfound) and found.lasts):
                kept = KEPT_SECONDS if isinstance(found, Agent) else FAILURE_KEPT_SECONDS
                self._known[key] = _Known(found, self._clock() + kept)
        flight.over.set()
