"""Time limits for reads, in threads and in tasks, that are shorter than the socket's own timeout."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock, Thread
from typing import Final

import anyio

_STEP_SECONDS: Final = 0.02
_IDLE_STEPS: Final = 50
_SLEEP_SECONDS: Final = 0.05
"""How long a waiting call may take to notice that its stream was closed."""


class Deadlines:
    """The time limits of one transport.

    A blocked read of a socket ends only when another thread interrupts it. One thread does that for all reads
    of the transport. It starts with the first limit and ends after a second without one: a thread for each
    read would cost as much as the rest of the adapter.

    Attributes:
        inner_ends_waits: Whether the transport itself ends each wait after its timeout, as those of the HTTP
            families do. aiohttp sometimes waits for ever after a chunk that it cannot read.
    """

    def __init__(self, inner: object, family: str) -> None:
        """Limit the reads of `inner`, which may be a transport of another library than the family's."""
        self.inner_ends_waits = type(inner).__module__.partition(".")[0] == family
        self._lock = Lock()
        self._pending: dict[object, tuple[float, Callable[[], object]]] = {}
        self._thread: Thread | None = None

    @contextmanager
    def limit(self, seconds: float, interrupt: Callable[[], object]) -> Generator[None]:
        """Call `interrupt` from another thread if the block takes longer than `seconds`."""
        token = object()
        with self._lock:
            self._pending[token] = (time.monotonic() + seconds, interrupt)
            if self._thread is None or not self._thread.is_alive():  # a fork does not copy the thread
                self._thread = Thread(target=self._watch, name="tess_openai deadlines", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._pending.pop(token, None)

    def async_limit(self, seconds: float, interrupt: Callable[[], object]) -> AbstractContextManager[object]:
        """Async counterpart of `limit`, which cancels the block and does not need `interrupt`."""
        del interrupt
        return anyio.move_on_after(seconds)

    def wait_limit(self, seconds: float | None) -> AbstractContextManager[object]:
        """Set no limit: a sync transport itself ends each wait after its timeout."""
        del seconds
        return nullcontext()

    def async_wait_limit(self, seconds: float | None) -> AbstractContextManager[object]:
        """Return a context that raises `TimeoutError` when the block takes longer; None sets no limit."""
        return anyio.fail_after(seconds)

    def sleep(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Wait for `seconds`, or until `is_over` returns true because another thread closed the stream."""
        until = time.monotonic() + seconds
        while not is_over() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLEEP_SECONDS))

    async def async_sleep(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Async counterpart of `sleep`, which is ended by cancelling the task instead."""
        del is_over
        await anyio.sleep(seconds)

    def _watch(self) -> None:
        idle_steps = 0
        while True:
            time.sleep(_STEP_SECONDS)
            now = time.monotonic()
            with self._lock:
                due = [token for token, (moment, _) in self._pending.items() if moment <= now]
                interrupts = [self._pending.pop(token)[1] for token in due]
                idle_steps = 0 if self._pending or due else idle_steps + 1
                if idle_steps > _IDLE_STEPS:
                    self._thread = None
                    return
            for interrupt in interrupts:
                interrupt()
