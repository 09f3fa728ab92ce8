"""Use a lock only when it is free, in code that may run inside another call's locked block."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

WAIT_SECONDS: Final = 1.0
_PLAIN_LOCK: Final = type(Lock())


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


def close_despite_lock(transport: object, close: Callable[[], object]) -> None:
    """Close what belongs to the connection pool of a transport; in a thread, if the pool is locked now."""
    if is_pool_locked(transport):
        run_in_thread(close)
    else:
        close()


async def async_close_despite_lock(transport: object, close: Callable[[], Awaitable[object]]) -> None:
    """Async counterpart of `close_despite_lock`; an async pool has no such lock (httpcore, read)."""
    del transport
    await close()


def is_pool_locked(transport: object) -> bool:
    """Whether a thread, perhaps this one, holds the lock of a transport's connection pool.

    The pool of httpcore has a lock for which its own holder waits too. That of httpcore2 lets its holder in,
    and a transport of another library is not known; for both the answer is no. Source: both were read.
    """
    lock: object = transport
    for name in ("_pool", "_optional_thread_lock", "_lock"):
        lock = getattr(lock, name, None)
    return isinstance(lock, _PLAIN_LOCK) and lock.locked()


def run_in_thread(action: Callable[[], object]) -> None:
    """Run `action` in a thread of its own, and wait for it for `WAIT_SECONDS` at most.

    The garbage collector may run in a thread that holds a lock of another library, such as that of a
    connection pool. An action that needs this lock would wait for ever there; in its own thread it waits only
    until the lock is released.

    While the interpreter ends, no other thread runs, and `action` is run in this one: up to Python 3.11 a new
    thread would be waited for without end (measured).
    """

    def act() -> None:
        with suppress(Exception):
            action()

    if sys.is_finalizing():
        act()
        return
    thread = Thread(target=act, name="tess_openai closing", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread can be started any more
        act()
    else:
        thread.join(WAIT_SECONDS)
