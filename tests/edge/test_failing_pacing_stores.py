"""A store for pacing that fails or hangs fails no call; a URL that cannot work is refused."""

from __future__ import annotations

import asyncio
import re
import socket
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tess_openai import TessConfigurationWarning
from tess_openai.core.pacing_line import ClaimResult, Slot
from tess_openai.edge import redis_pacing as redis_room
from tess_openai.edge import shared_pacing as room
from tess_openai.edge.key_queues import KeyQueues
from tess_openai.edge.pacing import Pacer
from tess_openai.edge.pacing_urls import has_password, parse_pacing_url, shown_url
from tess_openai.edge.redis_pacing import RedisPacingStore
from tess_openai.edge.shared_pacing import SharedPacing
from tess_openai.edge.sqlite_pacing import SQLitePacingStore


class Broken:
    """A store that does what a test says."""

    def __init__(self, claim: Any) -> None:
        self.do = claim
        self.asked = 0

    def claim(self, *_: object) -> ClaimResult:
        """Do it."""
        self.asked += 1
        turn: ClaimResult = self.do()
        return turn

    def release(self, key: bytes, slot: Slot) -> None:
        """Accept a slot."""

    def mark_sent(self, key: bytes) -> None:
        """Accept a time."""

    def pause(self, key: bytes, seconds: float) -> None:
        """Accept a pause."""

    def describe(self, error: Exception) -> str:
        """Name the error."""
        return type(error).__name__

    def forget_connection(self) -> None:
        """Have none."""


def fails() -> ClaimResult:
    """Fail."""
    raise OSError("broken")


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        pytest.param(fails, "OSError", id="it fails"),
        pytest.param(lambda: ClaimResult(1e9), "two hours", id="it asks to wait for years"),
        pytest.param(lambda: ClaimResult(float("nan")), "two hours", id="it asks to wait for no number"),
        pytest.param(lambda: ClaimResult(-5.0), "two hours", id="it asks to wait for less than nothing"),
        pytest.param(lambda: time.sleep(0.6), "did not answer within", id="it hangs"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_store_that_fails_fails_no_call(
    behave: Any,
    reason: str,
    *,
    is_async: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process paces alone, warns once, and asks again only after a while."""
    monkeypatch.setattr(room, "STORE_SECONDS", 0.2)
    now = [100.0]
    store = Broken(behave)
    shared = SharedPacing("redis://user:SECRET@127.0.0.1:1/0", store, clock=lambda: now[0])
    mine = Pacer(0.05, 60.0, KeyQueues(), shared=shared)

    def wait() -> float:
        return asyncio.run(mine.async_wait("key")) if is_async else mine.wait("key")

    began = time.monotonic()
    with pytest.warns(TessConfigurationWarning) as caught:
        assert [wait() for _ in range(4)] == [0.0] * 4
    assert 0.15 <= time.monotonic() - began < 3
    assert len(caught) == 1
    assert reason in str(caught[0].message)
    assert "redis://127.0.0.1:1/0" in str(caught[0].message)
    assert "SECRET" not in str(caught[0].message)
    assert caught[0].filename == __file__
    assert store.asked == 1
    time.sleep(0.7 if reason.startswith("did") else 0)
    store.do = lambda: ClaimResult(0.0, has_turn=True)
    now[0] += room.ALONE_SECONDS
    assert [wait() for _ in range(3)] == [0.0] * 3
    assert store.asked == 4


def test_a_warning_that_is_an_error_fails_no_call() -> None:
    """It would look like a broken connection; the log has it."""
    mine = Pacer(0.01, 60.0, KeyQueues(), shared=SharedPacing("redis://127.0.0.1:1/0", Broken(fails)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mine.wait("key") == 0.0


async def test_a_store_that_hangs_does_not_block_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tasks continue while one waits for the store."""
    monkeypatch.setattr(room, "STORE_SECONDS", 0.3)
    free = threading.Event()
    shared = SharedPacing("redis://127.0.0.1:1/0", Broken(lambda: free.wait(10)))
    mine, ticks = Pacer(0.01, 60.0, KeyQueues(), shared=shared), 0
    with pytest.warns(TessConfigurationWarning, match="did not answer"):  # noqa: PT031 - the loop is the test
        waiting = asyncio.create_task(mine.async_wait("key"))
        while not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
    free.set()
    assert waiting.result() == 0.0
    assert ticks > 10


def test_a_task_that_is_collected_while_the_store_starts_gives_its_slot_back() -> None:
    """The garbage collector closes it in any thread, also in the one that starts the store's."""
    store = Broken(lambda: ClaimResult(0.0, has_turn=True))
    shared = SharedPacing("redis://127.0.0.1:1/0", store)
    with shared._thread._lock:
        shared.release(b"key", Slot(0.0, 0.0))
    assert Pacer(0.01, 60.0, KeyQueues(), shared=shared).wait("key") == 0.0
    assert store.asked == 1


def test_a_locked_or_broken_file_fails_no_call(tmp_path: Path, make_pacer: Callable[..., Pacer]) -> None:
    """With the real stores, a failure is reported and the call is sent."""
    file = tmp_path / "line.sqlite"
    mine = make_pacer(f"sqlite:///{file}")
    assert mine.wait("key") == 0.0
    with sqlite3.connect(file, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.warns(TessConfigurationWarning, match="OperationalError: database is locked"):
            assert mine.wait("key") == 0.0
    holder.close()
    file.with_name("no.sqlite").write_bytes(b"x" * 4096)
    with pytest.warns(TessConfigurationWarning, match="DatabaseError: file is not a database"):
        assert make_pacer(f"sqlite:///{file.with_name('no.sqlite')}").wait("key") == 0.0


@pytest.mark.needs("redis")
def test_a_redis_that_is_not_there_fails_no_call(make_pacer: Callable[..., Pacer]) -> None:
    """No server listens on the port."""
    with pytest.warns(TessConfigurationWarning, match="ConnectionError of redis-py"):
        assert make_pacer("redis://127.0.0.1:1/0").wait("key") == 0.0


@pytest.mark.needs("redis")
def test_a_redis_that_does_not_answer_ends_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next step would wait behind it."""
    import redis

    monkeypatch.setattr(redis_room, "SOCKET_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        store = RedisPacingStore(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        with pytest.raises(redis.TimeoutError) as caught:
            store.mark_sent(b"key")
    assert store.describe(caught.value) == "TimeoutError of redis-py"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param("sqlite://line.sqlite", "a path follows three", id="two slashes"),
        pytest.param("sqlite:///", "'sqlite:///', which names no file", id="no file"),
        pytest.param("sqlite:////", "'sqlite:////', which names no file", id="a folder"),
        pytest.param("sqlite:///:memory:", "names no file", id="memory"),
        pytest.param(
            "sqlite:///no-such-folder/line.sqlite",
            "'sqlite:///no-such-folder/line.sqlite', but there is no folder 'no-such-folder'; "
            "an absolute path begins with a fourth slash",
            id="a folder that is not there",
        ),
        pytest.param("postgres://host/db", "'postgres'; known are sqlite:///path", id="another store"),
        pytest.param("memcached://:SECRET@host/redis://x", "'memcached'; known", id="a URL in another one"),
        pytest.param("redis://", "'redis' without a usable host", id="no host"),
        pytest.param("redis://host:0", "without a usable host or port", id="no port"),
        pytest.param("redis://SECRET@host:notaport", "without a usable host", id="a port that is no number"),
        pytest.param("line.sqlite", "must be a URL", id="a path"),
        pytest.param(7, "must be a URL", id="a number"),
    ],
)
def test_a_url_that_cannot_work_is_refused(given: object, reason: str) -> None:
    """The error gives a URL that works, and does not show the password."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse_pacing_url(given)
    assert reason in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_urls_are_read_shown_and_checked_for_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path names the same file after the program has changed its working directory."""
    monkeypatch.chdir(tmp_path)
    assert parse_pacing_url(None) is None
    assert parse_pacing_url("sqlite:///line.sqlite") == f"sqlite:///{tmp_path}/line.sqlite"
    assert parse_pacing_url(f"sqlite:///{tmp_path}/line.sqlite") == f"sqlite:///{tmp_path}/line.sqlite"
    with pytest.raises(ValueError, match="names no file that processes can share"):
        parse_pacing_url(f"sqlite:///{tmp_path}")
    assert shown_url("rediss://user:pass@host:6379/0?password=x") == "rediss://host:6379/0"
    assert shown_url("redis://user:p@ss://word@host/0") == "redis://host/0"
    assert shown_url("redis://host") == "redis://host"
    assert has_password("redis://:pass@host")
    assert has_password("redis://host?password=x")
    assert not has_password("redis://host:6379/0")


@pytest.mark.needs("redis")
@pytest.mark.parametrize(
    "given",
    ["redis://host", "rediss://user:pass@host:6379/0?x=1", "redis://:pass@host:1", "unix:///run/redis.sock"],
)
def test_a_url_of_redis_is_used_as_it_was_given(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Redis library reads it; where that is not installed, the error says how to install it."""
    assert parse_pacing_url(given) == given
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ValueError, match=re.escape('pacing="redis://..." needs the package redis: pip inst')):
        parse_pacing_url(given)


def test_a_file_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes of a program share one line, even if it changes its folder before the first call."""
    monkeypatch.chdir(tmp_path)
    store = SQLitePacingStore(Path("line.sqlite"))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    store.pause(b"key", 1.0)
    assert (tmp_path / "line.sqlite").exists()
    assert not list((tmp_path / "below").iterdir())
