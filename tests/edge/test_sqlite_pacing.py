"""The file of a shared line: what it keeps, how it is opened, and its state after a step that failed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from tess_openai.core.pacing_line import PacedCaller
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS
from tess_openai.edge import sqlite_pacing as room
from tess_openai.edge.sqlite_pacing import SQLitePacingStore
from tests.edge.paced_callers import Clock

KEY: Final = b"key"
OTHER: Final = b"other key"
CALLER: Final = PacedCaller(10.0, 60.0, 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "line.sqlite"


@pytest.fixture
def store(path: Path, clock: Clock) -> SQLitePacingStore:
    """Make the store of the file."""
    return SQLitePacingStore(path, clock)


def change(path: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Execute a statement as another program would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def test_a_call_that_is_sent_late_holds_the_next_one(store: SQLitePacingStore, clock: Clock) -> None:
    """The interval counts from the moment of sending, and only for this key."""
    assert store.claim(KEY, None, CALLER).has_turn
    assert store.claim(OTHER, None, CALLER).has_turn
    clock.now += 10.0
    store.mark_sent(KEY)
    assert store.claim(OTHER, None, CALLER).has_turn
    assert store.claim(KEY, None, CALLER).wait_seconds > 9.0


def test_a_step_that_fails_ends_its_transaction(store: SQLitePacingStore, path: Path) -> None:
    """A line that cannot be read blocks neither the other lines nor the other processes."""
    assert store.claim(KEY, None, CALLER).has_turn
    change(path, "UPDATE lines SET state = 'no JSON'")
    with pytest.raises(ValueError, match="Expecting value"):
        store.claim(KEY, None, CALLER)
    assert store.claim(OTHER, None, CALLER).has_turn
    change(path, "DELETE FROM lines")
    assert store.claim(KEY, None, CALLER).has_turn


def test_the_file_is_opened_once(store: SQLitePacingStore) -> None:
    """Each further connection would stay open; one that belongs to the parent of a fork is not used."""
    before = len(room._connections)
    for _ in range(3):
        store.claim(KEY, None, CALLER)
    assert len(room._connections) == before + 1
    store.forget_connection()
    assert store.claim(OTHER, None, CALLER).has_turn
    assert len(room._connections) == before + 2


def test_a_line_in_which_a_caller_may_wait_is_kept(
    store: SQLitePacingStore, path: Path, clock: Clock
) -> None:
    """A call waits for two hours at most; what is older, or from a clock that was set back, is removed."""
    for key, changed_at in ((b"new", 0.0), (b"old", 2 * MAX_KEY_PAUSE_SECONDS + 1), (b"later", -62.0)):
        store.claim(key, None, CALLER)
        change(path, "UPDATE lines SET changed_at = ? WHERE key = ?", clock.now - changed_at, key)
    clock.now += 1.0
    SQLitePacingStore(path, clock).claim(KEY, None, CALLER)
    assert change(path, "SELECT key FROM lines ORDER BY key") == [(KEY,), (b"new",)]


def test_a_file_has_a_write_ahead_log(store: SQLitePacingStore, path: Path) -> None:
    """Without one, each step would wait for the disk twice."""
    store.claim(KEY, None, CALLER)
    assert change(path, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize("failures", [0, 2, 51])
def test_the_log_is_tried_for_a_second(failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite fails at once while another process does the same; then the error is the caller's."""
    slept, tried = list[float](), list[str]()
    monkeypatch.setattr(room, "time", SimpleNamespace(sleep=slept.append))

    def execute(statement: str) -> None:
        tried.append(statement)
        if len(tried) <= failures:
            raise sqlite3.OperationalError("database is locked")

    connection: Any = SimpleNamespace(execute=execute)
    if failures > 50:
        with pytest.raises(sqlite3.OperationalError):
            room._use_log(connection)
        assert sum(slept) == pytest.approx(room.BUSY_SECONDS)
    else:
        room._use_log(connection)
        assert len(tried) == failures + 1
        assert len(slept) == failures
    assert set(tried) == {"PRAGMA journal_mode = WAL"}
