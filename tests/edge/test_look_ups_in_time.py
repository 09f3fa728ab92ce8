"""A look-up that takes too long ends no call, and what the cache keeps is neither stale nor unbounded."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any, Final

import pytest

from tess_openai.core.agents import Agent
from tess_openai.core.calls import AgentNotFound, Answer, LookupResult, UploadedFile
from tess_openai.edge import agent_cache as room
from tess_openai.edge.agent_cache import FAILURE_KEPT_SECONDS, KEPT_SECONDS, AgentCache, UploadCache

AGENT: Final = Agent(id=42)
NEW: Final = Agent(id=42, title="new")
FAILED: Final = AgentNotFound(Answer(500), "it failed")
LONG: Final = 60.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return them."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Make time stand still."""
    return Clock()


@pytest.fixture
def agents(clock: Clock) -> AgentCache:
    """Make an empty cache."""
    return AgentCache(clock)


def giving(found: LookupResult) -> Callable[[], LookupResult]:
    """Return a look-up with this result."""
    return lambda: found


def fail() -> LookupResult:
    """Fail."""
    raise RuntimeError("broken")


def test_a_look_up_in_time_gives_its_result(agents: AgentCache) -> None:
    """It runs with the context of the call, in a thread that keeps no program alive."""
    name = contextvars.ContextVar[str]("name", default="not set")
    seen: list[tuple[str, bool, bool]] = []

    def look_up() -> LookupResult:
        thread = threading.current_thread()
        seen.append((name.get(), thread.daemon, thread is threading.main_thread()))
        return AGENT

    name.set("of the call")
    assert agents.find_within(42, look_up, LONG) is AGENT
    assert agents.find_within(42, look_up, LONG) is AGENT
    assert seen == [("of the call", True, False)]
    temporary = AgentNotFound(Answer(429), "too early", is_permanent=False)
    assert agents.find_within(43, giving(temporary), LONG) is temporary


def test_a_look_up_that_takes_too_long_continues_for_later_callers(agents: AgentCache, clock: Clock) -> None:
    """The call continues with what was known before, if anything."""
    is_free, is_over = threading.Event(), threading.Event()
    found: list[LookupResult | None] = [AGENT, NEW]

    def slow() -> LookupResult:
        is_free.wait(LONG)
        result = found.pop(0)
        assert result is not None
        is_over.set()
        return result

    for known in (None, AGENT):
        is_free.clear()
        is_over.clear()
        assert agents.find_within(42, slow, 0.01) is known
        is_free.set()
        assert is_over.wait(LONG)
        assert agents.find(42, fail) is (NEW if known else AGENT)
        clock.seconds += KEPT_SECONDS


def test_a_look_up_that_fails_ends_no_call(agents: AgentCache, clock: Clock) -> None:
    """What was known before is used; without it there is no result."""
    assert agents.find_within(42, fail, LONG) is None
    assert agents.find(42, giving(AGENT)) is AGENT
    clock.seconds += KEPT_SECONDS
    assert agents.find_within(42, fail, LONG) is AGENT
    assert agents._in_flight == {}


async def test_a_look_up_in_a_task_has_a_time_limit_too(agents: AgentCache, clock: Clock) -> None:
    """It is cancelled after its time; in time it gives its result."""

    async def never() -> LookupResult:
        await asyncio.sleep(LONG)
        return FAILED

    async def later() -> LookupResult:
        await asyncio.sleep(0)
        return AGENT

    assert await agents.async_find_within(42, never, 0.01) is None
    assert agents._in_flight == {}
    assert await agents.async_find_within(42, later, LONG) is AGENT
    assert await agents.async_find_within(42, never, LONG) is AGENT
    clock.seconds += KEPT_SECONDS
    assert await agents.async_find_within(42, never, 0.01) is AGENT


def test_a_failure_is_replaced_by_a_later_one(agents: AgentCache, clock: Clock) -> None:
    """The reason may be another one by then."""
    later = AgentNotFound(Answer(404), "it is gone")
    assert agents.find(42, giving(FAILED)) is FAILED
    clock.seconds += FAILURE_KEPT_SECONDS
    assert agents.find(42, giving(later)) is later
    assert agents.find(42, fail) is later


def test_the_agent_that_was_looked_up_first_is_removed_first(
    agents: AgentCache, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was renewed counts as new."""
    monkeypatch.setattr(room, "MOST_KNOWN", 2)
    agents.find("a", giving(AGENT))
    agents.find("b", giving(AGENT))
    clock.seconds += KEPT_SECONDS
    agents.find("a", giving(NEW))
    agents.find("c", giving(AGENT))
    assert list(agents._known) == ["a", "c"]


def test_only_the_files_that_are_gone_are_forgotten() -> None:
    """The others need not be uploaded again."""
    uploads, uploaded = UploadCache(), list[Any]()

    def upload(number: int) -> UploadedFile:
        uploaded.append(number)
        return UploadedFile(number)

    for _ in range(2):
        for number in (7, 8):
            uploads.find(number, lambda number=number: upload(number))  # type: ignore[misc] # of the default
        uploads.forget(lambda found: found == UploadedFile(7))
    assert uploaded == [7, 8, 7]
