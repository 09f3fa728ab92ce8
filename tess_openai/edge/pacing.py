"""Pacing: space the requests of one key, over all clients of a process, or of all processes with one store.

Source: Tess accepts about one request a second for each key and answers 429 to more (reported).
"""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_futures
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import anyio
from anyio.lowlevel import checkpoint

from tess_openai.core.pacing_line import ClaimResult, PacedCaller, max_late_seconds
from tess_openai.edge.event_loops import running_loop
from tess_openai.edge.key_queues import SHARED_QUEUES, KeyQueues
from tess_openai.edge.pacing_urls import has_password
from tess_openai.edge.shared_pacing import STORE_POLL_SECONDS, SharedPacing, shared_pacing
from tess_openai.exceptions import TessConfigurationError

SPACING: Final = 1.1
"""Factor on the interval between two sends: the network may deliver requests at shorter intervals."""
DEFAULT_RATE: Final = 1.0
"""Requests a second where `pacing=` names a store and no rate is given."""
_PURPOSE: Final = b"tess_openai: the line of a key"

Step: TypeAlias = "float | Future[Any]"
"""What a caller does before its turn: sleep for so many seconds, or wait for the answer of a store."""


@dataclass(frozen=True, slots=True)
class Pacer:
    """Lets the calls of one client wait for their turns.

    Attributes:
        interval_seconds: The interval between two sends.
        max_wait_for_pause_seconds: A call is not sent at all when a 429 pauses its key for longer.
        queues: The queues, shared with all clients of the process.
        longest_wait_seconds: A call is not sent at all when its turn is further away.
        made_at: When the client was made, on the clock of `queues`; None is now.
        shared: The line that other processes share; None where this process paces alone.
    """

    interval_seconds: float
    max_wait_for_pause_seconds: float
    queues: KeyQueues = SHARED_QUEUES
    longest_wait_seconds: float = math.inf
    made_at: float | None = None
    shared: SharedPacing | None = None

    def __post_init__(self) -> None:
        if self.made_at is None:
            object.__setattr__(self, "made_at", self.queues.clock())

    def with_short_waits(self, longest_wait_seconds: float) -> Pacer:
        """Return a pacer whose calls wait for a short time at most, and not at all after a 429."""
        return replace(self, max_wait_for_pause_seconds=0.0, longest_wait_seconds=longest_wait_seconds)

    def settings(self) -> tuple[float, float, str | None]:
        """Return the arguments with which `new_pacer` makes this pacer again, to be pickled.

        Raises:
            TessConfigurationError: The URL of the store contains a password.
        """
        url = None if self.shared is None else self.shared.url
        if url is not None and has_password(url):
            raise TessConfigurationError(
                "the URL of pacing= may contain a password, so this client is not pickled. Make it in each "
                "process: create_client(8794)"
            )
        return self.interval_seconds, self.max_wait_for_pause_seconds, url

    def wait(self, authorization: str, sleep: Callable[[float], object] = time.sleep) -> float:
        """Wait for the turn of a key.

        Returns:
            0 when the call may be sent now; else how many seconds it would have to wait, which is too long.
        """
        with closing(self._take_turn(hash_key(authorization))) as steps:
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return float(end.value)
                if isinstance(step, Future):
                    wait_for_futures([step], STORE_POLL_SECONDS)
                else:
                    sleep(step)

    async def async_wait(self, authorization: str) -> float:
        """Async counterpart of `wait`."""
        # Other ready tasks run first, so that none delays the send after the turn was taken.
        await checkpoint()
        with closing(self._take_turn(hash_key(authorization))) as steps:
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return float(end.value)
                if isinstance(step, Future):
                    await _wait_for(step)
                else:
                    await anyio.sleep(step)

    def mark_sent(self, authorization: str, taken_at: float) -> None:
        """Count the next turn from now: the connection is open, and the call is sent on it.

        Args:
            authorization: The header with the key.
            taken_at: When the turn was taken, on the clock of `queues`. The store is informed only if that
                was long ago, for instance because a connection had to be opened.
        """
        key = hash_key(authorization)
        self.queues.mark_sent(key, self.interval_seconds)
        is_late = self.queues.clock() - taken_at > max_late_seconds(self.interval_seconds)
        if self.shared is not None and is_late:
            self.shared.mark_sent(key)

    def pause(self, authorization: str, seconds: float) -> None:
        """Pause all calls of a key."""
        key = hash_key(authorization)
        self.queues.pause(key, seconds)
        if self.shared is not None:
            self.shared.pause(key, seconds)

    def _take_turn(self, key: bytes) -> Generator[Step, None, float]:
        """Wait in the line of the store; where the store fails, in the line of this process."""
        if self.shared is not None:
            with self.queues.waiting_elsewhere():
                too_long = yield from self._wait_in_line(self.shared, key)
            if too_long is not None:
                return too_long
        return (yield from self._wait_in_line(self.queues, key)) or 0.0

    def _wait_in_line(
        self, line: KeyQueues | SharedPacing, key: bytes
    ) -> Generator[Step, None, float | None]:
        """Wait in one line.

        Returns:
            0 when the turn has come, seconds when it is too far away; None when the store failed.
        """
        slot: Any = None
        waited = 0.0
        try:
            while True:
                turn = yield from self._claim(line, key, slot, waited)
                if turn is None:
                    return None
                slot = turn.slot
                if turn.has_turn:
                    if turn.wait_seconds > 0:
                        yield turn.wait_seconds
                    return 0.0
                if turn.pause_seconds > self.max_wait_for_pause_seconds:
                    return turn.pause_seconds
                waited += turn.wait_seconds
                if waited > self.longest_wait_seconds:
                    return turn.wait_seconds
                yield turn.wait_seconds
        finally:
            if slot is not None:
                line.release(key, slot)

    def _claim(
        self, line: KeyQueues | SharedPacing, key: bytes, slot: Any, waited: float
    ) -> Generator[Step, None, ClaimResult | None]:
        age = self.queues.clock() - (self.made_at or 0.0)
        caller = PacedCaller(self.interval_seconds, self.max_wait_for_pause_seconds, age)
        if isinstance(line, KeyQueues):
            return line.claim(key, slot, caller)
        return (yield from line.claim(key, slot, caller, waited))


def new_pacer(interval_seconds: float, max_wait_for_pause_seconds: float, url: str | None) -> Pacer:
    """Make the pacer of a client; `url` names the store of the line that it shares, if any."""
    shared = None if url is None else shared_pacing(url)
    return Pacer(interval_seconds, max_wait_for_pause_seconds, shared=shared)


async def _wait_for(future: Future[Any]) -> None:
    """Wait for a store without blocking the event loop, and look again after `STORE_POLL_SECONDS`."""
    if running_loop() is None:  # of another library than asyncio
        await anyio.to_thread.run_sync(wait_for_futures, [future], STORE_POLL_SECONDS)
    else:
        await asyncio.wait([asyncio.wrap_future(future)], timeout=STORE_POLL_SECONDS)


def hash_key(authorization: str) -> bytes:
    """Return what is stored in place of a key: a hash that the key itself keys, for this one purpose."""
    return hmac.digest(authorization.encode(errors="surrogateescape"), _PURPOSE, "sha256")
