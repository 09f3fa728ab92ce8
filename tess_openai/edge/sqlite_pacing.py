"""The lines of keys in a file of SQLite, for the processes of one machine."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tess_openai.core.pacing_line import ClaimResult, Line, PacedCaller, Slot, current_line
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS

if TYPE_CHECKING:
    import sqlite3

BUSY_SECONDS: Final = 1.0
"""How long one process waits for another to finish its step."""
_LOG_ATTEMPTS: Final = 50
_ABANDONED_SECONDS: Final = 2 * MAX_KEY_PAUSE_SECONDS
"""After this time without a change no caller waits in a line any more."""
_CLEANING_SECONDS: Final = 600.0
"""How often abandoned lines are removed: a gateway may receive a new, invalid key with each call."""

Result = TypeVar("Result")
_connections: Final[list[sqlite3.Connection]] = []
"""All connections that were opened, kept because a forked child must not even close those of its parent.

Source: "How To Corrupt An SQLite Database File", section 2.6 (documented by SQLite).
"""


class SQLitePacingStore:
    """Keeps lines in a file, which only its owner may read; each step is one transaction.

    Its clock is the monotonic clock of the machine, which is the same for all processes and is never set. It
    restarts when the machine does: `current_line` then begins a new line.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path.absolute()  # the program may change its working directory
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._cleaned_at = -math.inf

    def claim(self, key: bytes, slot: Slot | None, caller: PacedCaller) -> ClaimResult:
        """Reserve a slot, or take the turn of one if it has come."""
        return self._change(key, lambda line, now: line.claim(slot, caller, now))

    def release(self, key: bytes, slot: Slot) -> None:
        """Give a slot to the next caller that reserves one."""
        self._change(key, lambda line, _: (line.release(slot), None))

    def mark_sent(self, key: bytes) -> None:
        """Count the next turn from now."""
        self._change(key, lambda line, now: (line.mark_sent(now), None))

    def pause(self, key: bytes, seconds: float) -> None:
        """Send no call of this key for these seconds."""
        self._change(key, lambda line, now: (line.pause(seconds, now), None))

    def describe(self, error: Exception) -> str:
        """Say in a few words what is wrong."""
        return f"{type(error).__name__}: {error}"

    def forget_connection(self) -> None:
        """Leave the connection to the parent of a forked process, neither used nor closed."""
        self._connection = None

    def _change(self, key: bytes, rule: Callable[[Line, float], tuple[Line, Result]]) -> Result:
        """Change one line in a transaction that no other process interrupts."""
        connection = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            row = connection.execute("SELECT state FROM lines WHERE key = ?", (key,)).fetchone()
            found = None if row is None else _to_line(json.loads(row[0]))
            line, now = current_line(found, self._clock())
            line, result = rule(line, now)
            statement = "INSERT OR REPLACE INTO lines (key, changed_at, state) VALUES (?, ?, ?)"
            connection.execute(statement, (key, now, json.dumps(asdict(line))))
            if not 0 <= now - self._cleaned_at < _CLEANING_SECONDS:
                kept = now - _ABANDONED_SECONDS, now + 60
                connection.execute("DELETE FROM lines WHERE changed_at NOT BETWEEN ? AND ?", kept)
                self._cleaned_at = now
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        import sqlite3

        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _use_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS lines "
                "(key BLOB PRIMARY KEY, changed_at REAL NOT NULL, state TEXT NOT NULL)"
            )
        except BaseException:  # else each later attempt would keep one more connection open
            connection.close()
            raise
        _connections.append(connection)
        self._cleaned_at = -math.inf
        self._connection = connection
        return connection


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; SQLite itself fails at once while another process does the same."""
    import sqlite3

    for _ in range(_LOG_ATTEMPTS):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
            return
        time.sleep(BUSY_SECONDS / _LOG_ATTEMPTS)
    connection.execute("PRAGMA journal_mode = WAL")


def _to_line(state: dict[str, Any]) -> Line:
    state["returned"] = tuple(state["returned"])
    return Line(**state)
