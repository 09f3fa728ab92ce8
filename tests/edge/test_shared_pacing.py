"""The line of a key in a store: SQLite and a real Redis, processes that die in it, and stores that fail."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tess_openai.core.pacing_line import CLAIM_AHEAD_SECONDS, Line, PacedCaller, Slot, current_line
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS
from tess_openai.edge.key_queues import KeyQueues
from tess_openai.edge.pacing import Pacer, hash_key
from tess_openai.edge.redis_pacing import RedisPacingStore
from tess_openai.edge.shared_pacing import PacingStore, shared_pacing
from tess_openai.edge.sqlite_pacing import SQLitePacingStore

KEY = hash_key("Bearer 1|a")
CALLER = PacedCaller(1.0, 60.0, 0.0)


def test_a_slot_is_reserved_and_taken(store: PacingStore) -> None:
    """The first caller goes at once, the next in its slot, and keys do not wait for each other."""
    assert store.claim(KEY, None, CALLER).has_turn
    turn = store.claim(KEY, None, CALLER)
    assert 0.5 < turn.wait_seconds <= 1.0 - CLAIM_AHEAD_SECONDS
    assert not store.claim(KEY, turn.slot, CALLER).has_turn
    assert store.claim(hash_key("Bearer 1|b"), None, CALLER).has_turn
    time.sleep(turn.wait_seconds)
    taken = store.claim(KEY, turn.slot, CALLER)
    assert (taken.has_turn, taken.slot) == (True, None)
    assert taken.wait_seconds <= CLAIM_AHEAD_SECONDS


def test_a_returned_slot_is_reserved_again(store: PacingStore) -> None:
    """The next caller does not wait for the turn of a caller that gave up."""
    caller = PacedCaller(10.0, 60.0, 0.0)
    store.claim(KEY, None, caller)
    turn = store.claim(KEY, None, caller)
    store.release(KEY, turn.slot)
    assert store.claim(KEY, None, caller).wait_seconds == pytest.approx(10.0, abs=2)
    assert store.claim(KEY, None, caller).wait_seconds == pytest.approx(20.0, abs=2)


def test_a_pause_holds_all(store: PacingStore) -> None:
    """A 429 pauses all callers, for an hour at most; one that would not wait so long reserves no slot."""
    store.pause(KEY, 30.0)
    assert store.claim(KEY, None, CALLER).wait_seconds == pytest.approx(30.0, abs=2)
    store.pause(KEY, 1e9)
    turn = store.claim(KEY, None, PacedCaller(0.1, 60.0, 1e9))
    assert turn.wait_seconds == pytest.approx(3600.0, abs=2)
    assert turn.slot is None
    assert turn.pause_seconds == turn.wait_seconds


def test_a_call_that_is_sent_late_holds_the_next_one(store: PacingStore) -> None:
    """The interval counts from the moment of sending, also over a new connection to the store."""
    store.mark_sent(KEY)
    store.forget_connection()
    assert not store.claim(KEY, None, PacedCaller(20.0, 60.0, 0.0)).has_turn
    assert store.claim(hash_key("Bearer 1|b"), None, CALLER).has_turn


def test_redis_keeps_the_rule_of_core(redis_url: str) -> None:
    """The script in Lua and the rule in Python agree on each step of a long random run."""
    chance, key = random.Random(7), hash_key("Bearer 1|rule")  # noqa: S311 - a test that repeats itself
    store, line, slots = RedisPacingStore(redis_url), None, list[tuple[Slot, Slot]]()
    kept: Line | None = line
    for _ in range(400):
        caller = PacedCaller(
            chance.choice([0.01, 0.5]), chance.choice([1.0, 60.0]), chance.choice([0.0, 1e6])
        )
        theirs, ours = (
            slots.pop(chance.randrange(len(slots))) if slots and chance.random() < 0.7 else (None, None)
        )
        now, turn = store.claim_at(key, theirs, caller)
        kept, at = current_line(kept, now)
        assert at == pytest.approx(now, abs=1e-5)
        kept, expected = kept.claim(ours, caller, now)
        assert turn.wait_seconds == pytest.approx(expected.wait_seconds, abs=1e-3)
        assert turn.pause_seconds == pytest.approx(expected.pause_seconds, abs=1e-3)
        assert (turn.has_turn, turn.slot is None) == (expected.has_turn, expected.slot is None)
        if turn.slot is not None:
            if chance.random() < 0.2:
                store.release(key, turn.slot)
                kept = kept.release(expected.slot)
            else:
                slots.append((turn.slot, expected.slot))
        if chance.random() < 0.02:
            seconds = chance.choice([0.02, 5.0])
            (then,) = store._run(key, "pause", seconds)
            kept = kept.pause(seconds, float(then))


def test_threads_and_tasks_of_two_processes_share_a_line(url: str, make_pacer: Callable[..., Pacer]) -> None:
    """Sync and async callers, each with its own connection, are all sent, and none too early."""
    sent: list[float] = []
    one, other = make_pacer(url), make_pacer(url)

    def thread(_: int) -> None:
        assert one.wait("Bearer 1|a") == 0.0
        sent.append(time.monotonic())

    async def task() -> None:
        assert await other.async_wait("Bearer 1|a") == 0.0
        sent.append(time.monotonic())

    async def tasks() -> None:
        await asyncio.gather(*(task() for _ in range(8)))

    with ThreadPoolExecutor(9) as pool:
        others = pool.submit(asyncio.run, tasks())
        list(pool.map(thread, range(8)))
        others.result()
    assert len(sent) == 16
    assert max(sent) - min(sent) >= 15 * 0.05 - 0.1


PROGRAM = """
import sys, threading, time
from tess_openai.edge.pacing import new_pacer
pacer = new_pacer(float(sys.argv[2]), 60.0, sys.argv[1])
def call():
    assert pacer.wait("Bearer 1|a") == 0.0
    print(f"{time.monotonic()}", flush=True)
print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=call, daemon=True) for _ in range(int(sys.argv[3]))]
for each in threads: each.start()
for each in threads: each.join()
assert pacer.shared._alone_until is None
"""


def start(url: str, interval: float, threads: int) -> subprocess.Popen[str]:
    """Start a process whose threads take a turn each, once it reads a line."""
    program = [sys.executable, "-c", PROGRAM, url, str(interval), str(threads)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_processes_share_a_line(url: str) -> None:
    """Four processes with four threads each are all served, and the line is hardly longer than ideal."""
    interval = 0.05
    processes = [start(url, interval, 4) for _ in range(4)]
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    outputs = [each.communicate(timeout=60)[0] for each in processes]
    assert [each.returncode for each in processes] == [0] * 4
    moments = sorted(float(line) for output in outputs for line in output.split())
    assert len(moments) == 16
    assert 15 * interval - 0.1 <= moments[-1] - moments[0] <= 15 * interval + 2


def test_processes_that_are_killed_in_the_line_block_no_others(url: str) -> None:
    """The slots of killed processes pass, and the callers behind them are sent."""
    victim = start(url, 0.2, 6)
    assert victim.stdin is not None
    assert victim.stdout is not None
    victim.stdin.write("\n")
    victim.stdin.flush()
    victim.stdout.readline()  # the first was sent; five of them wait in the line
    survivor = start(url, 0.2, 2)
    victim.kill()
    victim.communicate()
    began = time.monotonic()
    output, _ = survivor.communicate("\n", timeout=60)
    assert survivor.returncode == 0
    assert len(output.split()) == 2
    assert time.monotonic() - began < 8 * 0.2 + 5


async def test_a_cancelled_task_returns_its_slot(url: str, make_pacer: Callable[..., Pacer]) -> None:
    """The next caller has it."""
    mine = make_pacer(url, 5.0)
    await mine.async_wait("Bearer 1|a")
    waiting = asyncio.create_task(mine.async_wait("Bearer 1|a"))
    while not waiting.done():
        await asyncio.sleep(0.1)
        waiting.cancel()
    assert waiting.cancelled()
    assert mine.shared is not None
    turn = mine.shared._thread.submit(lambda: mine.shared._store.claim(KEY, None, CALLER)).result(5)  # type: ignore[union-attr] # it is shared
    assert turn.wait_seconds < 5.5


def test_a_store_keeps_no_key(url: str, tmp_path: Path, make_pacer: Callable[..., Pacer]) -> None:
    """The store has neither the key nor a plain hash of it, and only its owner can read a file."""
    import hashlib

    authorization = "Bearer 77|secret-of-this-test"
    assert make_pacer(url).wait(authorization) == 0.0
    if url.startswith("sqlite"):
        files = list(tmp_path.glob("line.sqlite*"))
        kept = b"".join(each.read_bytes() for each in files)
        assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in files)
    else:
        import redis

        with redis.Redis.from_url(url) as client:
            kept = b"".join(bytes(each) for each in client.scan_iter())
    assert hash_key(authorization) in kept or hash_key(authorization).hex().encode() in kept
    for secret in (authorization, authorization.removeprefix("Bearer ")):
        assert secret.encode() not in kept
        assert hashlib.sha256(secret.encode()).digest() not in kept
        assert hashlib.sha256(secret.encode()).hexdigest().encode() not in kept


def test_lines_without_a_waiting_caller_are_removed(tmp_path: Path) -> None:
    """They are removed while the store is in use: invalid keys do not fill the disk."""
    path, now = tmp_path / "line.sqlite", 1000.0
    store = SQLitePacingStore(path, lambda: now)
    for number in range(20):
        store.claim(hash_key(f"Bearer {number}"), None, CALLER)
    now += 3 * MAX_KEY_PAUSE_SECONDS
    store.claim(KEY, None, CALLER)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT key FROM lines").fetchall() == [(KEY,)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_continues_in_the_same_line(url: str) -> None:
    """The child has its own connection and thread, and the parent's still work."""
    mine = Pacer(0.3, 60.0, KeyQueues(), shared=shared_pacing(url))
    assert mine.wait("key") == 0.0
    child = multiprocessing.get_context("fork").Process(target=_take_turns_in_child, args=(mine,))
    child.start()
    child.join(20)
    child.kill()
    child.join()
    assert child.exitcode == 0
    assert mine.wait("key") == 0.0
    assert mine.shared is not None
    assert mine.shared._alone_until is None
    assert shared_pacing(mine.shared.url) is mine.shared


def _take_turns_in_child(mine: Pacer) -> None:
    moments = []
    for _ in range(3):
        assert mine.wait("key") == 0.0
        moments.append(time.monotonic())
    assert all(later - earlier > 0.2 for earlier, later in pairwise(moments))
    assert mine.shared is not None
    assert mine.shared._alone_until is None
    assert shared_pacing(mine.shared.url) is mine.shared
