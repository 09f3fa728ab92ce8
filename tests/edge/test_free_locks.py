"""What the garbage collector closes never waits for a lock that its own thread holds."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tess_openai.edge import free_locks
from tess_openai.edge.families import Family
from tess_openai.edge.free_locks import run_if_free, run_in_thread
from tess_openai.edge.own_responses import StreamedResponse


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
    """So it is when the interpreter ends."""

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    threads: list[int] = []
    run_in_thread(lambda: threads.append(threading.get_ident()))
    assert threads == [threading.get_ident()]


class LockedStream:
    """A body whose connection is returned to its pool under a lock, once."""

    def __init__(self) -> None:
        self.pool_lock = threading.Lock()
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    def close(self) -> None:
        """Return the connection."""
        with self.pool_lock:
            self.closed.set()


@pytest.fixture
def open_stream(family: Family) -> Callable[[], tuple[LockedStream, Any, Iterator[bytes]]]:
    """Return a function that makes a streamed response of which one piece was read."""

    def make() -> tuple[LockedStream, Any, Iterator[bytes]]:
        body = family.derive(LockedStream, family.SyncByteStream)()
        response = family.derive(StreamedResponse, family.Response)(200, stream=body)
        response.own_stream = body
        pieces = response.iter_bytes()
        assert next(pieces) == b"one"
        return body, response, pieces

    return make


def test_an_abandoned_stream_is_closed_while_its_pool_is_locked(
    open_stream: Callable[[], tuple[LockedStream, Any, Iterator[bytes]]],
) -> None:
    """The garbage collector finds it while this thread asks the pool for another connection."""
    body, response, pieces = open_stream()
    circle: list[object] = [response, pieces]
    circle.append(circle)
    with body.pool_lock:
        del circle, response, pieces
        gc.collect()
        assert not body.closed.is_set()
    assert body.closed.wait(10)


def test_a_stream_that_is_left_is_closed_at_once(
    open_stream: Callable[[], tuple[LockedStream, Any, Iterator[bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that breaks out of its loop may look at its connections."""
    monkeypatch.setattr(free_locks, "WAIT_SECONDS", 60)
    body, response, pieces = open_stream()
    del pieces
    assert body.closed.is_set()
    assert response.is_closed


def test_a_closed_stream_starts_no_thread(
    open_stream: Callable[[], tuple[LockedStream, Any, Iterator[bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK closes the response of a stream that is used in `with`."""
    _, response, pieces = open_stream()
    response.close()
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    del pieces
    assert not started
