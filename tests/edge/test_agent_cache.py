"""Look-ups: one for all who ask, in threads and in tasks."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tess_openai.core.agents import Agent
from tess_openai.core.calls import AgentNotFound, Answer, LookupResult, UploadedFile, UploadResult
from tess_openai.edge.agent_cache import (
    FAILURE_KEPT_SECONDS,
    KEPT_SECONDS,
    MOST_KNOWN,
    AgentCache,
    UploadCache,
)

AGENT = Agent(id=42)
FAILED = AgentNotFound(Answer(500), "it failed")
PASSING = AgentNotFound(Answer(429), "too early", is_permanent=False)


class Source:
    """Gives one thing after another, and counts."""

    def __init__(self, *found: LookupResult | Exception) -> None:
        self.found = list(found)
        self.asked = 0

    def __call__(self) -> LookupResult:
        """Give the next."""
        self.asked += 1
        found = self.found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def later(self) -> LookupResult:
        """Give the next after a moment."""
        await asyncio.sleep(0.02)
        return self()


def test_fifty_threads_make_one_look_up() -> None:
    """All get what it brings."""
    agent_cache, source, gate = AgentCache(), Source(AGENT), threading.Barrier(50)
    release = threading.Event()

    def slow() -> LookupResult:
        release.wait(5)
        return source()

    def ask() -> LookupResult | None:
        gate.wait(5)
        return agent_cache.find(42, slow)

    with ThreadPoolExecutor(50) as pool:
        futures = [pool.submit(ask) for _ in range(50)]
        release.set()
        assert [future.result(5) for future in futures] == [AGENT] * 50
    assert source.asked == 1


async def test_fifty_tasks_make_one_look_up() -> None:
    """Tasks that need the same agent share one look-up, and a later call makes none."""
    agent_cache, source = AgentCache(), Source(AGENT)
    found = await asyncio.gather(*(agent_cache.async_find(42, source.later) for _ in range(50)))
    assert found == [AGENT] * 50
    assert agent_cache.find(42, source) is AGENT
    assert source.asked == 1


async def test_a_cancelled_look_up_is_taken_over() -> None:
    """When the call that makes the look-up is cancelled, one that waits for it makes it."""
    agent_cache, source = AgentCache(), Source(AGENT)
    first, second = (asyncio.create_task(agent_cache.async_find(42, source.later)) for _ in range(2))
    await asyncio.sleep(0.005)
    first.cancel()
    assert await second is AGENT
    assert source.asked == 1


def test_an_error_of_a_look_up_is_its_own() -> None:
    """The next who asks looks up again."""
    agent_cache, source = AgentCache(), Source(RuntimeError("bug"), AGENT)
    with pytest.raises(RuntimeError):
        agent_cache.find(42, source)
    assert agent_cache.find(42, source) is AGENT


@pytest.mark.parametrize(
    ("found", "kept_seconds"), [(AGENT, KEPT_SECONDS), (FAILED, FAILURE_KEPT_SECONDS), (PASSING, 0.0)]
)
def test_what_was_found_is_kept_for_its_time(found: LookupResult, kept_seconds: float) -> None:
    """An agent is cached for long, a permanent failure for a short time, and a temporary one not at all."""
    now = 0.0
    agent_cache, source = AgentCache(lambda: now), Source(found, AGENT)
    assert agent_cache.find(42, source) is found
    if kept_seconds:
        now = kept_seconds - 0.1
        assert agent_cache.find(42, source) is found
        assert source.asked == 1
    now = kept_seconds
    assert agent_cache.find(42, source) is AGENT


def test_what_was_known_stays_where_looking_again_fails() -> None:
    """A slug's number does not change, and old options are better than none; it is asked again soon."""
    now = 0.0
    agent_cache, source = AgentCache(lambda: now), Source(AGENT, FAILED, PASSING, Agent(id=42, title="new"))
    agent_cache.find(42, source)
    now = KEPT_SECONDS
    assert agent_cache.find(42, source) is AGENT
    assert agent_cache.find(42, source) is AGENT
    assert source.asked == 2
    now += FAILURE_KEPT_SECONDS
    assert agent_cache.find(42, source) is AGENT
    assert agent_cache.find(42, source) == Agent(id=42, title="new")
    assert source.asked == 4


def test_no_more_is_kept_than_is_worth_it() -> None:
    """A program that uses a new key for each call does not fill the memory; the newest entries stay."""
    agent_cache = AgentCache()
    for key in range(MOST_KNOWN + 50):
        agent_cache.find(key, lambda: AGENT)
    assert list(agent_cache._known) == list(range(50, MOST_KNOWN + 50))


def test_a_thread_waits_for_anothers_look_up_as_long_as_it_would_for_its_own() -> None:
    """It gets no result, and the look-up continues for the other callers."""
    agent_cache, source = AgentCache(), Source(AGENT)
    began, release = threading.Event(), threading.Event()

    def slow() -> LookupResult:
        began.set()
        release.wait(5)
        return source()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(agent_cache.find, 42, slow)
        began.wait(5)
        assert agent_cache.find(42, source, 0.01) is None
        release.set()
        assert first.result(5) is AGENT
    assert agent_cache.find(42, source, 0.01) is AGENT
    assert source.asked == 1


async def test_a_task_waits_for_anothers_look_up_as_long_as_it_would_for_its_own() -> None:
    """The timeout of a waiting async call is its own, as with threads."""
    agent_cache, source, release = AgentCache(), Source(AGENT), asyncio.Event()

    async def slow() -> LookupResult:
        await release.wait()
        return source()

    first = asyncio.create_task(agent_cache.async_find(42, slow))
    await asyncio.sleep(0)
    assert await agent_cache.async_find(42, source.later, 0.02) is None
    release.set()
    assert await first is AGENT
    assert source.asked == 1


def test_a_look_up_in_a_loop_that_was_closed_is_made_again() -> None:
    """A later call, and a call that was waiting, make the look-up themselves."""
    agent_cache, source = AgentCache(), Source(AGENT)
    loop, waits = asyncio.new_event_loop(), threading.Event()

    async def never() -> LookupResult:
        await asyncio.Event().wait()
        return AGENT

    async def begin() -> asyncio.Task[LookupResult | None]:
        task = asyncio.create_task(agent_cache.async_find(42, never))
        await asyncio.sleep(0)
        return task

    async def wait() -> LookupResult | None:
        waits.set()
        return await agent_cache.async_find(42, source.later)

    unfinished = loop.run_until_complete(begin())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asyncio.run, wait())
        waits.wait(5)
        loop.close()
        assert waiting.result(5) is AGENT
    assert asyncio.run(agent_cache.async_find(42, source.later)) is AGENT
    assert source.asked == 1
    unfinished._log_destroy_pending = False  # type: ignore[attr-defined] # private to asyncio


def test_a_look_up_that_is_collected_inside_of_the_cache_is_made_again() -> None:
    """The garbage collector closes it in any thread, also in the one that holds the lock."""
    cache, source = AgentCache(), Source(AGENT)
    loop = asyncio.new_event_loop()
    unfinished = cache.async_find(42, asyncio.Event().wait)  # type: ignore[arg-type]  # it never returns
    loop.call_soon(lambda: unfinished.send(None))
    loop.run_until_complete(asyncio.sleep(0))
    with cache._lock:
        unfinished.close()
    assert asyncio.run(cache.async_find(42, source.later)) is AGENT
    loop.close()


def test_each_key_has_its_own() -> None:
    """Another key, or workspace, may see another agent."""
    agent_cache, source = AgentCache(), Source(AGENT, FAILED)
    assert agent_cache.find(("42", "a"), source) is AGENT
    assert agent_cache.find(("42", "b"), source) is FAILED


async def test_look_ups_of_two_agents_at_the_same_time_do_not_mix() -> None:
    """Each task gets the agent that it asked for, and nothing of a completed look-up is kept."""
    agent_cache, other = AgentCache(), Agent(id=43)
    found = await asyncio.gather(
        agent_cache.async_find(42, Source(AGENT).later), agent_cache.async_find(43, Source(other).later)
    )
    assert [*found] == [AGENT, other]
    assert agent_cache.find(44, Source(FAILED)) is FAILED
    assert agent_cache._in_flight == {}


async def test_what_was_known_is_used_where_another_callers_look_up_takes_too_long() -> None:
    """Old options of an agent are better than none, in threads and in tasks."""
    now = 0.0
    agent_cache = AgentCache(lambda: now)
    agent_cache.find(42, Source(AGENT))
    now = KEPT_SECONDS
    began, release = threading.Event(), threading.Event()

    def slow() -> LookupResult:
        began.set()
        release.wait(5)
        return FAILED

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(agent_cache.find, 42, slow)
        began.wait(5)
        assert agent_cache.find(42, Source(), 0.01) is AGENT
        release.set()
        assert first.result(5) is AGENT
    now += FAILURE_KEPT_SECONDS
    pending = asyncio.create_task(agent_cache.async_find(42, asyncio.Event().wait))  # type: ignore[arg-type] # it never returns
    await asyncio.sleep(0)
    assert await agent_cache.async_find(42, Source().later, 0.01) is AGENT
    assert await agent_cache.async_find_within(42, Source().later, 0.01) is AGENT
    pending.cancel()


async def test_all_who_wait_for_a_look_up_share_its_temporary_failure() -> None:
    """It is not cached, but a thousand waiting calls must not ask a thousand times."""
    agent_cache, source = AgentCache(), Source(PASSING, AGENT)
    found = await asyncio.gather(*(agent_cache.async_find(42, source.later) for _ in range(3)))
    assert found == [PASSING] * 3
    assert source.asked == 1


def test_a_file_is_uploaded_once_and_a_failed_upload_is_repeated() -> None:
    """The number of an uploaded file does not change for as long as its client lives."""
    uploads: list[UploadResult] = [Answer(500), UploadedFile(7), UploadedFile(8)]
    cache = UploadCache()
    assert cache.find("a", lambda: uploads.pop(0)) == Answer(500)
    assert [cache.find("a", lambda: uploads.pop(0)) for _ in range(3)] == [UploadedFile(7)] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_its_parents_look_up() -> None:
    """The child makes its own look-up, with a new lock."""
    cache, began, release = AgentCache(), threading.Event(), threading.Event()

    def slow() -> LookupResult:
        began.set()
        release.wait(30)
        return AGENT

    child = multiprocessing.get_context("fork").Process(target=cache.find, args=(42, Source(AGENT)))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.find, 42, slow)
        began.wait(5)
        with cache._lock:
            child.start()
        child.join(10)
        child.kill()
        child.join()
        release.set()
        assert first.result(5) is AGENT
    assert child.exitcode == 0
