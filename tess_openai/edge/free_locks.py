"""Use a lock only when it is free, in code that may run inside another call's locked block."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


def run_if_free(lock: Lock, action: Callable[[], object]) -> None:
    """Run `action` while holding the lock; do nothing if the lock is already held.

    A task that was never finished is closed by the garbage collector, which may run in any thread at any
    moment, also in the thread that holds the lock. Waiting for the lock would then never end.
    """
    if lock.acquire(blocking=False):
        try:
            action()
        finally:
            lock.release()
