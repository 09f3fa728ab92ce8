"""The line of a key in a store that processes share, and what a process does when the store fails.

One thread uses the store, for all callers, one step after another. So no event loop is blocked when a lock, a
disk or the look-up of a host name hangs, and a caller waits for `STORE_SECONDS` at most. Sync and async
callers, in any number of event loops, share the one connection.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, Protocol, TypeAlias

from tess_openai.core.pacing_line import ClaimResult, PacedCaller, Slot
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS
from tess_openai.edge.caller_warnings import warn
from tess_openai.edge.free_locks import run_if_free
from tess_openai.edge.pacing_urls import SQLITE, path_of, shown_url
from tess_openai.exceptions import TessConfigurationWarning

STORE_SECONDS: Final = 2.0
"""How long a store may take for one answer."""
STORE_POLL_SECONDS: Final = 0.25
"""How often a caller that waits for a store checks whether it hangs."""
ALONE_SECONDS: Final = 30.0
"""How long a process paces alone before one of its calls tries the store again."""

LONGEST_WAIT_SECONDS: Final = 2 * MAX_KEY_PAUSE_SECONDS
"""A store that makes a call wait longer counts as failing: its clock must be wrong."""

logger = logging.getLogger("tess_openai")

Job: TypeAlias = Callable[[], object]


class PacingStore(Protocol):
    """Where the lines of keys are kept; each method is one atomic step, timed by the store's own clock.

    It is used by one thread. It may raise anything: the process then paces alone.
    """

    def claim(self, key: bytes, slot: Slot | None, caller: PacedCaller) -> ClaimResult:
        """Reserve a slot, or take the turn of one if it has come."""
        ...

    def release(self, key: bytes, slot: Slot) -> None:
        """Give a slot to the next caller that reserves one."""
        ...

    def mark_sent(self, key: bytes) -> None:
        """Count the next turn from now."""
        ...

    def pause(self, key: bytes, seconds: float) -> None:
        """Send no call of this key for these seconds."""
        ...

    def describe(self, error: Exception) -> str:
        """Say in a few words what is wrong, without a password."""
        ...

    def forget_connection(self) -> None:
        """Leave the connection to the parent of a forked process, neither used nor closed."""
        ...


class StoreThread:
    """One thread that carries out jobs in their order."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Job, Future[Any]]] = SimpleQueue()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._began_at = math.inf

    @property
    def is_stuck(self) -> bool:
        """Whether the current job takes longer than a store may take."""
        return time.monotonic() - self._began_at > STORE_SECONDS

    def submit(self, job: Job) -> Future[Any]:
        """Queue a job for the thread; the result is what the job returned or the exception that it raised.

        Where the lock is not free, the caller that holds it is already starting the thread.
        """
        future: Future[Any] = Future()
        self._jobs.put((job, future))
        if self._thread is None:
            run_if_free(self._lock, self._start)
        return future

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="tess_openai pacing", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            job, future = self._jobs.get()
            self._began_at = time.monotonic()
            result: object
            try:
                result = job()
            except Exception as error:  # noqa: BLE001 - of a store; the caller decides
                result = error
            self._began_at = math.inf
            future.set_result(result)
            del job, future, result


class SharedPacing:
    """The lines of a store, shared by all clients of the process that use the same URL.

    While the store fails, `claim` returns None and the caller is paced within its own process; after
    `ALONE_SECONDS` one call tries the store again.
    """

    def __init__(self, url: str, store: PacingStore, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._store = store
        self._clock = clock
        self._thread = StoreThread()
        self._alone_until: float | None = None
        self._has_warned = False

    def claim(
        self, key: bytes, slot: Slot | None, caller: PacedCaller, waited: float
    ) -> Generator[Future[Any], None, ClaimResult | None]:
        """Reserve a slot, or take the turn of one if it has come.

        Args:
            key: The hash of the key.
            slot: The caller's slot; None if it has none yet.
            caller: Its intervals and limits.
            waited: The seconds for which the caller has waited in this line.

        Yields:
            The future of the store's answer; the driver resumes when it is done, or after
            `STORE_POLL_SECONDS`.

        Returns:
            The caller's turn or how long it waits; None when the store fails.
        """
        if not self._may_use_store():
            return None
        future = self._thread.submit(partial(self._store.claim, key, slot, caller))
        is_used = False
        try:
            while not future.done():
                yield future
                if not future.done() and self._thread.is_stuck:
                    self._fail(f"it did not answer within {STORE_SECONDS:g} seconds")
                    return None
            is_used = True
        finally:
            if not is_used:  # the caller gave up before it got a slot, which is released when it comes
                future.add_done_callback(partial(self._return_slot, key))
        answer: ClaimResult | Exception = future.result()
        if isinstance(answer, Exception):
            self._fail(self._store.describe(answer))
            return None
        if not 0 <= answer.wait_seconds <= LONGEST_WAIT_SECONDS - waited:
            self._fail("a call would wait longer than two hours")
            return None
        self._alone_until = None
        return answer

    def release(self, key: bytes, slot: Slot) -> None:
        """Give a slot back, if the store works; the caller does not wait for it."""
        self._submit_if_working(partial(self._store.release, key, slot))

    def mark_sent(self, key: bytes) -> None:
        """Report to the store that the call of the last turn is sent only now."""
        self._submit_if_working(partial(self._store.mark_sent, key))

    def pause(self, key: bytes, seconds: float) -> None:
        """Pause the key for all processes."""
        self._submit_if_working(partial(self._store.pause, key, seconds))

    def reset_after_fork(self) -> None:
        """Use a new thread and connection in a forked child, which has neither of its parent's."""
        self._thread = StoreThread()
        self._store.forget_connection()

    def _submit_if_working(self, job: Job) -> None:
        if self._alone_until is None and not self._thread.is_stuck:
            self._thread.submit(job)

    def _return_slot(self, key: bytes, future: Future[Any]) -> None:
        answer: object = future.result()
        if isinstance(answer, ClaimResult) and answer.slot is not None:
            self.release(key, answer.slot)

    def _may_use_store(self) -> bool:
        """Whether the store works, as far as known; while it fails, True for one call in `ALONE_SECONDS`."""
        if self._alone_until is None:
            return True
        now = self._clock()
        if now < self._alone_until or self._thread.is_stuck:
            return False
        self._alone_until = now + ALONE_SECONDS
        return True

    def _fail(self, reason: str) -> None:
        """Pace without the store for a while; warn once, at the line of the call that found the failure."""
        self._alone_until = self._clock() + ALONE_SECONDS
        message = (
            f"pacing={shown_url(self.url)!r} does not work: {reason}. The calls of this process are paced "
            f"without regard to other processes; the store is tried again every {ALONE_SECONDS:g} seconds"
        )
        logger.debug("%s", message)
        if self._has_warned:
            return
        self._has_warned = True
        try:
            warn(message, TessConfigurationWarning)
        except Warning:  # an error of the filters would look like a broken connection, and end the call
            logger.warning("%s", message)


_stores: Final[dict[str, SharedPacing]] = {}
"""One for each URL, so that all clients of the process share one connection and its state."""
_stores_lock = Lock()


def shared_pacing(url: str) -> SharedPacing:
    """Return the shared line of a checked URL; the store is opened by the first call."""
    with _stores_lock:
        if url not in _stores:
            _stores[url] = SharedPacing(url, _new_store(url))
        return _stores[url]


def _new_store(url: str) -> PacingStore:
    if url.startswith(SQLITE):
        from tess_openai.edge.sqlite_pacing import SQLitePacingStore

        return SQLitePacingStore(path_of(url))
    from tess_openai.edge.redis_pacing import RedisPacingStore

    return RedisPacingStore(url)


def _reset_after_fork() -> None:
    global _stores_lock  # noqa: PLW0603 - another thread of the parent may have held it
    _stores_lock = Lock()
    for each in _stores.values():
        each.reset_after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
    os.register_at_fork(after_in_child=_reset_after_fork)
