"""The stores of responses: bounded, expiring, and shared by threads and processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tess_openai import MemoryResponseStore, ResponseStore, SQLiteResponseStore, TessConfigurationError
from tess_openai.core.calls import StoreAccess, StoreResult
from tess_openai.edge.response_stores import EntryTooLargeError, access_store, async_access_store
from tests.edge.paced_callers import Clock


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> Iterator[ResponseStore]:
    """Make each store, with entries that live ten seconds."""
    sqlite = SQLiteResponseStore(tmp_path / "responses.sqlite", max_age_seconds=10, clock=clock)
    yield sqlite if request.param == "sqlite" else MemoryResponseStore(max_age_seconds=10, clock=clock)
    sqlite.close()


def test_an_entry_is_kept_replaced_and_removed(store: ResponseStore) -> None:
    """The three methods of a store do what their protocol promises."""
    assert store.load("a") is None
    store.save("a", b"1")
    store.save("b", b"2")
    store.save("a", b"3")
    assert (store.load("a"), store.load("b")) == (b"3", b"2")
    store.delete("a")
    store.delete("a")
    assert (store.load("a"), store.load("b")) == (None, b"2")


def test_an_entry_expires(store: ResponseStore, clock: Clock) -> None:
    """A store forgets an entry after its time, and not before."""
    store.save("a", b"1")
    clock.now += 9
    assert store.load("a") == b"1"
    clock.now += 1
    assert store.load("a") is None


def test_memory_is_bounded_by_number_and_bytes() -> None:
    """The oldest make room; what is larger than all of it is not kept, and its caller knows."""
    store = MemoryResponseStore(max_entries=3, max_bytes=10)
    for name in "abcd":
        store.save(name, b"12")
    assert [name for name in "abcd" if store.load(name)] == ["b", "c", "d"]
    store.save("e", b"1234567")
    assert [name for name in "abcde" if store.load(name)] == ["d", "e"]
    with pytest.raises(EntryTooLargeError, match="11 bytes, and the store holds 10"):
        store.save("f", b"x" * 11)
    assert [name for name in "def" if store.load(name)] == ["d", "e"]


def test_threads_share_a_store(store: ResponseStore) -> None:
    """Nothing is lost and nothing breaks."""

    def work(number: int) -> bytes | None:
        store.save(str(number), str(number).encode())
        return store.load(str(number))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(64))) == [str(number).encode() for number in range(64)]


def test_processes_share_a_file(tmp_path: Path) -> None:
    """What one wrote another reads, and only the owner may."""
    file = tmp_path / "responses.sqlite"
    code = f"import tess_openai; tess_openai.SQLiteResponseStore({str(file)!r}).save('a', b'1')"
    subprocess.run([sys.executable, "-c", code], check=True)
    store = SQLiteResponseStore(file)
    assert store.load("a") == b"1"
    store.close()
    assert store.load("a") == b"1"
    store.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_path_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is the same after the program changes its folder, and in another process's copy."""
    monkeypatch.chdir(tmp_path)
    store = SQLiteResponseStore("responses.sqlite")
    copied = pickle.dumps(store)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    store.save("a", b"1")
    other: SQLiteResponseStore = pickle.loads(copied)  # noqa: S301 - it was made here
    assert other.load("a") == b"1"
    assert not list((tmp_path / "below").iterdir())
    store.close()
    other.close()


def test_the_memory_of_sqlite_is_no_file() -> None:
    """A file of that name would be a surprise, and so would one memory for each process."""
    with pytest.raises(TessConfigurationError, match=r"MemoryResponseStore\(\)"):
        SQLiteResponseStore(":memory:")


def test_a_file_that_cannot_be_used_is_not_kept_open(tmp_path: Path) -> None:
    """Each call tries it again, so that each would leave one more file open."""
    path = tmp_path / "responses.sqlite"
    path.write_bytes(b"no database " * 100)
    store = SQLiteResponseStore(path)
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir())) if open_files.exists() else 0
    failures: list[Exception] = []  # their tracebacks would keep what was not closed
    for _ in range(5):
        with pytest.raises(sqlite3.DatabaseError) as raised:
            store.save("a", b"1")
        failures.append(raised.value)
    after = len(list(open_files.iterdir())) if open_files.exists() else 0
    assert after == before, failures


def test_conversations_that_have_expired_leave_the_file(tmp_path: Path, clock: Clock) -> None:
    """The file is not encrypted, so it holds nothing longer than its owner wants."""
    path = tmp_path / "responses.sqlite"
    store = SQLiteResponseStore(path, max_age_seconds=10, clock=clock)
    store.save("a", b"1")
    clock.now += 10
    store.save("b", b"2")
    store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT key FROM responses").fetchall() == [("b",)]
    connection.close()


def test_a_pickled_store_keeps_how_long_entries_live(tmp_path: Path) -> None:
    """Another process uses the same file by the same rule."""
    store = SQLiteResponseStore(tmp_path / "responses.sqlite", max_age_seconds=0)
    other: SQLiteResponseStore = pickle.loads(pickle.dumps(store))  # noqa: S301 - it was made here
    other.save("a", b"1")
    assert other.load("a") is None
    other.close()


def test_what_was_removed_makes_room() -> None:
    """An entry that is deleted, replaced or expired no longer counts."""
    clock = Clock()
    store = MemoryResponseStore(max_bytes=10, max_age_seconds=10, clock=clock)
    for _ in range(3):
        store.save("a", b"12345")
        store.save("b", b"12345")
        store.delete("a")
    store.save("c", b"12345")
    assert (store.load("b"), store.load("c")) == (b"12345", b"12345")
    clock.now += 10
    store.save("d", b"1234567890")
    assert store.load("d") == b"1234567890"


def test_the_failure_of_a_store_is_named_and_ends_no_call() -> None:
    """The name of the exception is enough; its text may contain a part of the conversation."""

    class Failing(MemoryResponseStore):
        """Fails when it is read."""

        def load(self, key: str) -> bytes | None:
            """Fail."""
            raise OSError(key)

    store = Failing(max_bytes=100)
    assert access_store(store, StoreAccess("load", "a")) == StoreResult(None, "OSError")
    assert access_store(store, StoreAccess("save", "a", b"1")) == StoreResult()
    assert access_store(store, StoreAccess("save", "b", b"x" * 200)) == StoreResult(
        None, "EntryTooLargeError"
    )
    assert MemoryResponseStore.load(store, "a") == b"1"
    assert access_store(store, StoreAccess("delete", "a")) == StoreResult()
    assert MemoryResponseStore.load(store, "a") is None


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_an_async_call_uses_a_store_without_blocking_its_event_loop(kind: str, tmp_path: Path) -> None:
    """A store that may wait for a disk is used in another thread."""
    threads: list[threading.Thread] = []

    def note_thread() -> float:
        threads.append(threading.current_thread())
        return 1000.0

    sqlite = SQLiteResponseStore(tmp_path / "responses.sqlite", clock=note_thread)
    store = sqlite if kind == "sqlite" else MemoryResponseStore(clock=note_thread)
    assert await async_access_store(store, StoreAccess("save", "a", b"1")) == StoreResult()
    assert await async_access_store(store, StoreAccess("load", "a")) == StoreResult(b"1")
    assert await async_access_store(store, StoreAccess("load", "b")) == StoreResult(None)
    assert (threading.current_thread() in threads) == (kind == "memory")
    sqlite.close()


def test_a_file_is_opened_once_and_closed(tmp_path: Path) -> None:
    """Only its owner may read it; closing it twice, or before it was opened, does nothing."""
    path = tmp_path / "responses.sqlite"
    store = SQLiteResponseStore(path)
    store.close()
    connection = store._connect()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert store._connect() is connection
    for _ in range(2):
        store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("is_closed", [False, True], ids=["used", "closed, then used"])
def test_a_forked_child_neither_uses_nor_closes_its_parents_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_closed: bool
) -> None:
    """Source: "How To Corrupt An SQLite Database File", section 2.6 (documented by SQLite)."""
    store = SQLiteResponseStore(tmp_path / "responses.sqlite")
    store.save("a", b"1")
    parents = store._connect()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    if is_closed:
        store.close()
    assert store.load("a") == b"1"
    assert store._connect() is not parents
    assert store._inherited == [parents]  # else it would be closed with its last reference
    store.close()
    parents.execute("SELECT 1")
    parents.close()


def test_a_pickled_store_keeps_its_clock(tmp_path: Path) -> None:
    """By another clock, all entries could have expired."""
    store = SQLiteResponseStore(tmp_path / "responses.sqlite", max_age_seconds=1e6, clock=time.monotonic)
    other: SQLiteResponseStore = pickle.loads(pickle.dumps(store))  # noqa: S301 - it was made here
    store.save("a", b"1")
    assert other.load("a") == b"1"
    store.close()
    other.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent(store: Any) -> None:
    """A thread that used the store when the process forked does not run in the child."""
    child = multiprocessing.get_context("fork").Process(target=store.load, args=("a",))
    with store._lock:
        child.start()
    child.join(60)
    child.kill()
    child.join()
    assert child.exitcode == 0
