"""Stores of earlier responses: in memory, and in a file of SQLite for the processes of one machine."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tess_openai.core.calls import StoreAccess, StoreResult
from tess_openai.core.responses.conversation_store import ResponseStore
from tess_openai.exceptions import TessConfigurationError

if TYPE_CHECKING:
    import sqlite3

DAY_SECONDS: Final = 86_400.0
_BUSY_SECONDS: Final = 5.0
"""How long one process waits for another to finish writing."""


class EntryTooLargeError(ValueError):
    """An entry alone exceeds the limit of a store; it was not kept, and no other entry was removed."""


class MemoryResponseStore:
    """Keeps the newest responses in memory."""

    def __init__(
        self,
        *,
        max_entries: int = 1000,
        max_bytes: int = 64 << 20,
        max_age_seconds: float = DAY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an empty store.

        Args:
            max_entries: How many responses are kept at most; new ones replace the oldest.
            max_bytes: How many bytes they take together at most.
            max_age_seconds: After this time a response expires.
            clock: Returns the time in seconds.
        """
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()  # the oldest first
        self._bytes = 0
        _STORES.add(self)

    def load(self, key: str) -> bytes | None:
        """Return an entry; None when there is none."""
        with self._lock:
            self._expire()
            entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def save(self, key: str, value: bytes) -> None:
        """Keep an entry; older ones are removed when a limit is exceeded.

        Raises:
            EntryTooLargeError: The entry alone exceeds `max_bytes`.
        """
        with self._lock:
            self._remove(key)
            if len(value) > self._max_bytes:
                raise EntryTooLargeError(f"{len(value)} bytes, and the store holds {self._max_bytes}")
            self._entries[key] = self._clock() + self._max_age_seconds, value
            self._bytes += len(value)
            self._expire()
            while self._entries and (len(self._entries) > self._max_entries or self._bytes > self._max_bytes):
                self._remove(next(iter(self._entries)))

    def delete(self, key: str) -> None:
        """Remove an entry."""
        with self._lock:
            self._remove(key)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def _expire(self) -> None:
        now = self._clock()
        while self._entries:
            key, (expires, _) = next(iter(self._entries.items()))
            if expires > now:
                return
            self._remove(key)

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1])


class SQLiteResponseStore:
    """Keeps responses in a file that several processes of one machine may use at once.

    The file contains the conversations unencrypted; only its owner may read it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_age_seconds: float = 30 * DAY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Name the file; it is made when it is first used.

        Args:
            path: A file in a folder that exists, on a disk of this machine.
            max_age_seconds: After this time a response expires.
            clock: Returns the time in seconds since 1970.

        Raises:
            TessConfigurationError: The path is SQLite's name for no file at all.
        """
        if os.fspath(path) == ":memory:":
            raise TessConfigurationError(
                'SQLiteResponseStore(":memory:") names no file. MemoryResponseStore() keeps responses in the '
                "memory of the process"
            )
        self._path = Path(
            path
        ).absolute()  # the program may change its working directory, or pickle the store
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []  # connections of the parent process, which stay open
        _STORES.add(self)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path of the file, so that another process can use it too."""
        return partial(
            SQLiteResponseStore, self._path, max_age_seconds=self._max_age_seconds, clock=self._clock
        ), ()

    def load(self, key: str) -> bytes | None:
        """Return an entry; None when there is none, or it has expired."""
        with self._lock:
            query = "SELECT value FROM responses WHERE key = ? AND expires > ?"
            row = self._connect().execute(query, (key, self._clock())).fetchone()
        return None if row is None else bytes(row[0])

    def save(self, key: str, value: bytes) -> None:
        """Keep an entry, and remove those that have expired."""
        now = self._clock()
        with self._lock:
            connection = self._connect()
            with connection:
                connection.execute("DELETE FROM responses WHERE expires <= ?", (now,))
                statement = "INSERT OR REPLACE INTO responses (key, expires, value) VALUES (?, ?, ?)"
                connection.execute(statement, (key, now + self._max_age_seconds, value))

    def delete(self, key: str) -> None:
        """Remove an entry."""
        with self._lock:
            connection = self._connect()
            with connection:
                connection.execute("DELETE FROM responses WHERE key = ?", (key,))

    def close(self) -> None:
        """Close the file; it is opened again when the store is used again."""
        with self._lock:
            connection = self._own_connection()
            self._connection = None
            if connection is not None:
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        """Return the connection of this process, a new one if it has none."""
        own = self._own_connection()
        if own is not None:
            return own
        import sqlite3

        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            with connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS responses "
                    "(key TEXT PRIMARY KEY, expires REAL NOT NULL, value BLOB NOT NULL)"
                )
                connection.execute("CREATE INDEX IF NOT EXISTS responses_expires ON responses (expires)")
        except BaseException:  # else each later call would keep one more connection open
            connection.close()
            raise
        self._connection, self._process = connection, os.getpid()
        return connection

    def _own_connection(self) -> sqlite3.Connection | None:
        """Return the connection of this process, if any; one from before a fork is kept, but never used."""
        if self._connection is not None and self._process != os.getpid():
            self._inherited.append(self._connection)
            self._connection = None
        return self._connection

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()


def access_store(store: ResponseStore, access: StoreAccess) -> StoreResult:
    """Use a store; an exception becomes part of the result, since it must not end the call."""
    try:
        if access.method == "load":
            return StoreResult(store.load(access.key))
        if access.method == "save":
            store.save(access.key, access.value)
        else:
            store.delete(access.key)
    except Exception as error:  # noqa: BLE001 - the store may be the user's own class
        return StoreResult(problem=type(error).__name__)
    return StoreResult()


async def async_access_store(store: ResponseStore, access: StoreAccess) -> StoreResult:
    """Use a store, in a thread if it may block the event loop."""
    if isinstance(store, MemoryResponseStore):
        return access_store(store, access)
    from anyio import to_thread

    return await to_thread.run_sync(access_store, store, access)


def _renew_locks() -> None:
    """Free the stores in a forked child, where the threads of the parent that held their locks do not run."""
    for store in list(_STORES):
        store._renew_lock()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - of no use to others


_STORES: Final[weakref.WeakSet[MemoryResponseStore | SQLiteResponseStore]] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
    os.register_at_fork(after_in_child=_renew_locks)
