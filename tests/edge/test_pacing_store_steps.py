"""Which steps of a store for pacing are carried out, for which key, and what happens after it has failed."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Generator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest

from tess_openai import TessConfigurationWarning
from tess_openai.core.pacing_line import ClaimResult, PacedCaller, Slot
from tess_openai.edge.shared_pacing import (
    ALONE_SECONDS,
    LONGEST_WAIT_SECONDS,
    SharedPacing,
    StoreThread,
    _new_store,
    shared_pacing,
)
from tests.edge.paced_callers import Clock

KEY: Final = b"key"
SLOT: Final = Slot(1.0, 2.0)
CALLER: Final = PacedCaller(1.0, 60.0, 0.0)
TAKEN: Final = ClaimResult(0.0, has_turn=True)


class Recorder:
    """A store that records its steps and answers each claim as a test says."""

    def __init__(self) -> None:
        self.steps: list[tuple[object, ...]] = []
        self.answer: Callable[[], ClaimResult] = lambda: TAKEN

    def claim(self, key: bytes, slot: Slot | None, caller: PacedCaller) -> ClaimResult:
        """Record the claim and answer it."""
        self.steps.append(("claim", key, slot, caller))
        return self.answer()

    def release(self, key: bytes, slot: Slot) -> None:
        """Record a slot that was given back."""
        self.steps.append(("release", key, slot))

    def mark_sent(self, key: bytes) -> None:
        """Record that a call was late."""
        self.steps.append(("mark_sent", key))

    def pause(self, key: bytes, seconds: float) -> None:
        """Record a pause."""
        self.steps.append(("pause", key, seconds))

    def describe(self, error: Exception) -> str:
        """Name the error."""
        return f"{type(error).__name__} of the recorder"

    def forget_connection(self) -> None:
        """Record the fork."""
        self.steps.append(("forget_connection",))


@pytest.fixture
def store() -> Recorder:
    """Make a store that works."""
    return Recorder()


@pytest.fixture
def shared(store: Recorder, clock: Clock) -> SharedPacing:
    """Make the lines of the store."""
    return SharedPacing("redis://127.0.0.1:1/0", store, clock)


def fail() -> ClaimResult:
    """Fail as a store does whose server is gone."""
    raise OSError("gone")


def after(is_free: threading.Event, answer: Callable[[], ClaimResult]) -> Callable[[], ClaimResult]:
    """Return an answer that the store gives only when a test allows it."""

    def answer_later() -> ClaimResult:
        is_free.wait(10)
        return answer()

    return answer_later


def finish(steps: Generator[Future[Any], None, ClaimResult | None]) -> ClaimResult | None:
    """Wait for each answer of the store until a claim is decided."""
    while True:
        try:
            future = next(steps)
        except StopIteration as end:
            turn: ClaimResult | None = end.value
            return turn
        future.exception(10)


def claim(shared: SharedPacing, slot: Slot | None = None, waited: float = 0.0) -> ClaimResult | None:
    """Claim a turn and wait for the decision."""
    return finish(shared.claim(KEY, slot, CALLER, waited))


def carry_out(shared: SharedPacing) -> None:
    """Wait until the store has carried out what it was given."""
    shared._thread.submit(lambda: None).result(10)


def test_each_step_reaches_the_store_with_its_key_and_values(shared: SharedPacing, store: Recorder) -> None:
    """A step for another key would delay the callers of that key."""
    assert claim(shared, SLOT) is TAKEN
    shared.release(KEY, SLOT)
    shared.mark_sent(KEY)
    shared.pause(KEY, 7.0)
    carry_out(shared)
    assert store.steps == [
        ("claim", KEY, SLOT, CALLER),
        ("release", KEY, SLOT),
        ("mark_sent", KEY),
        ("pause", KEY, 7.0),
    ]


def test_no_step_is_given_to_a_store_that_fails(shared: SharedPacing, store: Recorder, clock: Clock) -> None:
    """Its lines are out of date; after half a minute one call alone tries it, and all use it if it works."""
    store.answer = fail
    with pytest.warns(TessConfigurationWarning, match="OSError of the recorder"):
        assert claim(shared) is None
    for _ in range(2):
        assert claim(shared) is None
        shared.release(KEY, SLOT)
        shared.mark_sent(KEY)
        shared.pause(KEY, 7.0)
        clock.now += ALONE_SECONDS - 1
    is_free = threading.Event()
    store.answer, store.steps = after(is_free, lambda: TAKEN), []
    first = shared.claim(KEY, None, CALLER, 0.0)
    next(first)
    assert claim(shared) is None
    is_free.set()
    assert finish(first) is TAKEN
    assert claim(shared, SLOT) is TAKEN
    shared.mark_sent(KEY)
    carry_out(shared)
    assert store.steps == [("claim", KEY, None, CALLER), ("claim", KEY, SLOT, CALLER), ("mark_sent", KEY)]


def test_a_store_that_fails_again_is_left_alone_again(
    shared: SharedPacing, store: Recorder, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The program is warned once; the log has each failure."""
    store.answer = fail
    with caplog.at_level(logging.DEBUG, "tess_openai"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            assert [claim(shared), claim(shared)] == [None, None]
            clock.now += ALONE_SECONDS
    assert len(store.steps) == len(caplog.records) == 3
    assert len(caught) == 1
    assert str(caught[0].message) == caplog.records[0].getMessage()


def test_a_warning_that_is_an_error_is_logged_instead(
    shared: SharedPacing, store: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """The call continues, so the log is the only place where the program can see it."""
    store.answer = fail
    with caplog.at_level(logging.WARNING, "tess_openai"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert claim(shared) is None
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "pacing='redis://127.0.0.1:1/0' does not work: OSError of the recorder" in record.getMessage()


def test_a_wait_of_two_hours_in_all_is_the_longest(shared: SharedPacing, store: Recorder) -> None:
    """A store that makes a call wait longer has a wrong clock; what was waited before counts."""
    for wait, waited in ((LONGEST_WAIT_SECONDS, 0.0), (LONGEST_WAIT_SECONDS - 60, 60.0), (0.0, 60.0)):
        turn = ClaimResult(wait, slot=SLOT)
        store.answer = lambda turn=turn: turn  # type: ignore[misc] # mypy does not infer the default's type
        assert claim(shared, waited=waited) is turn
    store.answer = lambda: ClaimResult(LONGEST_WAIT_SECONDS - 59, slot=SLOT)
    with pytest.warns(TessConfigurationWarning, match="longer than two hours"):
        assert claim(shared, waited=60.0) is None


@pytest.mark.parametrize(
    ("answer", "released"),
    [
        pytest.param(lambda: ClaimResult(5.0, slot=SLOT), [("release", KEY, SLOT)], id="a slot"),
        pytest.param(lambda: TAKEN, [], id="no slot"),
        pytest.param(fail, [], id="a failure"),
    ],
)
def test_the_slot_of_a_caller_that_gave_up_is_released_when_it_comes(
    shared: SharedPacing,
    store: Recorder,
    answer: Callable[[], ClaimResult],
    released: list[tuple[object, ...]],
) -> None:
    """The next caller does not wait for a turn that is never taken."""
    is_free = threading.Event()
    store.answer = after(is_free, answer)
    steps = shared.claim(KEY, None, CALLER, 0.0)
    next(steps)
    steps.close()
    is_free.set()
    carry_out(shared)
    carry_out(shared)  # the first wait may have been queued before the release
    assert store.steps[1:] == released


def test_a_claim_that_was_answered_releases_nothing(shared: SharedPacing, store: Recorder) -> None:
    """The caller has its slot and will take its turn."""
    store.answer = lambda: ClaimResult(5.0, slot=SLOT)
    assert claim(shared) is not None
    carry_out(shared)
    carry_out(shared)
    assert len(store.steps) == 1


def test_a_forked_child_uses_a_connection_of_its_own(shared: SharedPacing, store: Recorder) -> None:
    """The parent's thread does not exist in the child, and its connection must not be used there."""
    assert claim(shared) is TAKEN
    parent = shared._thread
    shared.reset_after_fork()
    assert claim(shared) is TAKEN
    assert shared._thread is not parent
    assert [step[0] for step in store.steps] == ["claim", "forget_connection", "claim"]


def test_the_thread_of_a_store_keeps_no_program_alive() -> None:
    """A program ends although the thread still waits for jobs; one thread carries out all of them."""
    thread, used = StoreThread(), list[threading.Thread]()
    for _ in range(3):
        thread.submit(lambda: used.append(threading.current_thread())).result(10)
    assert len(set(used)) == 1
    assert used[0].daemon
    assert not thread.is_stuck


def test_a_job_that_fails_does_not_end_the_thread() -> None:
    """The caller gets the exception as the result, and the next job is carried out."""
    thread = StoreThread()
    assert isinstance(thread.submit(fail).result(10), OSError)
    assert thread.submit(lambda: 7).result(10) == 7
    assert not thread.is_stuck


def test_clients_with_one_url_share_its_store(tmp_path: Path) -> None:
    """With a store for each client, each would have a connection, and tries of its own when it fails."""
    one, other = f"sqlite:///{tmp_path}/one.sqlite", f"sqlite:///{tmp_path}/other.sqlite"
    assert shared_pacing(one) is shared_pacing(one)
    assert shared_pacing(one) is not shared_pacing(other)
    for url in (one, other):
        assert shared_pacing(url).url == url
        assert claim(shared_pacing(url)) == ClaimResult(0.0, has_turn=True)
        assert Path(url.removeprefix("sqlite:///")).exists()


@pytest.mark.needs("redis")
def test_a_url_of_redis_names_a_redis() -> None:
    """Its failures are those of the Redis library."""
    assert _new_store("redis://127.0.0.1:1/0").describe(OSError()) == "OSError of redis-py"
