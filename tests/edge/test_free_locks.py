"""What the garbage collector closes never waits for a lock that its own thread holds."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import READ
from tess_openai.edge import free_locks
from tess_openai.edge.families import Family
from tess_openai.edge.free_locks import is_pool_locked, run_if_free, run_in_thread
from tests.edge.call_drivers import ASKED, STREAM, Inner, answer_of, carrying_out


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_locks, "WAIT_SECONDS", 0.05)


def test_a_lock_is_used_only_when_it_is_free() -> None:
    """Waiting for it could never end."""
    lock, done = threading.Lock(), list[str]()
    run_if_free(lock, lambda: done.append("free"))
    with lock:
        run_if_free(lock, lambda: done.append("held"))
    assert done == ["free"]
    assert not lock.locked()


def test_an_action_that_needs_a_held_lock_is_carried_out_later() -> None:
    """Here this thread holds it, as in the middle of a connection pool."""
    lock, done = threading.Lock(), threading.Event()

    def act() -> None:
        with lock:
            done.set()

    with lock:
        run_in_thread(act)
        assert not done.is_set()
    assert done.wait(10)


def test_an_action_that_needs_no_lock_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its errors reach no caller: it has left the stream."""
    monkeypatch.setattr(free_locks, "WAIT_SECONDS", 60)
    done: list[int] = []
    began = time.monotonic()
    run_in_thread(lambda: done.append(1))
    run_in_thread(lambda: 1 // 0)
    assert done == [1]
    assert time.monotonic() - began < 30


def test_without_another_thread_an_action_is_carried_out_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is when the system has no more of them."""

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    threads: list[int] = []
    run_in_thread(lambda: threads.append(threading.get_ident()))
    assert threads == [threading.get_ident()]


ENDS_WITH_A_GENERATOR = """
from tess_openai.edge.free_locks import run_in_thread

def pieces():
    try:
        yield 1
    finally:
        run_in_thread(lambda: print("closed"))

open_pieces = pieces()
next(open_pieces)
"""


def test_a_program_with_an_open_stream_ends() -> None:
    """Up to Python 3.11, a thread that is started at the end of the interpreter is waited for without end."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDS_WITH_A_GENERATOR], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "closed\n"


class Transport:
    """A transport over a pool as httpcore's is."""

    def __init__(self, lock: object) -> None:
        self._pool = SimpleNamespace(_optional_thread_lock=SimpleNamespace(_lock=lock))


def test_only_a_lock_that_its_holder_would_wait_for_counts_as_locked() -> None:
    """The pool of httpcore2 lets its holder in; other transports are not known."""
    plain, reentrant = threading.Lock(), threading.RLock()
    assert not is_pool_locked(Transport(plain))
    with plain, reentrant:
        assert is_pool_locked(Transport(plain))
        assert not is_pool_locked(Transport(reentrant))
    assert not is_pool_locked(object())


OpenAnswer: TypeAlias = Callable[[threading.Lock], tuple[Any, Iterator[bytes], threading.Event]]


@pytest.fixture
def open_answer(family: Family) -> OpenAnswer:
    """Return a function that opens an answer whose pool takes its connection back under a lock.

    It gives the response, its body of which one piece was read, and whether the connection was given back.
    """

    def make(lock: threading.Lock) -> tuple[Any, Iterator[bytes], threading.Event]:
        closed = threading.Event()
        response, body = answer_of(family, b"one", b"two")

        def close() -> None:
            with lock:
                closed.set()

        vars(body)["close"] = close
        inner: Any = Inner(response)
        vars(inner).update(vars(Transport(lock)))
        driver, _ = carrying_out(family, inner, ASKED, STREAM, READ, b"a", READ, b"b")
        shown: Any = driver.run()
        pieces = shown.iter_bytes()
        assert next(pieces) == b"a"
        return shown, pieces, closed

    return make


def test_a_response_that_is_closed_inside_the_lock_of_its_pool_is_closed_later(
    open_answer: OpenAnswer,
) -> None:
    """The SDK closes it when the garbage collector finds a stream, which may be inside that lock."""
    lock = threading.Lock()
    response, _pieces, closed = open_answer(lock)
    with lock:
        response.close()
        assert not closed.is_set()
    assert closed.wait(10)


def test_an_abandoned_stream_is_closed_while_its_pool_is_locked(
    open_answer: OpenAnswer,
) -> None:
    """The garbage collector finds it while this thread asks the pool for another connection."""
    lock = threading.Lock()
    response, pieces, closed = open_answer(lock)
    circle: list[object] = [response, pieces]
    circle.append(circle)
    with lock:
        del circle, response, pieces
        gc.collect()
        assert not closed.is_set()
    assert closed.wait(10)


def test_a_stream_that_is_left_is_closed_at_once_without_a_thread(
    open_answer: OpenAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that breaks out of its loop may look at its connections."""
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    response, pieces, closed = open_answer(threading.Lock())
    del pieces
    assert (closed.is_set(), response.is_closed, started) == (True, True, [])
