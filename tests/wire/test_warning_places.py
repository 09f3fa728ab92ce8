"""A warning points at the caller's own line, also where a task makes the call."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import linecache
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from tess_openai import TessRequestWarning
from tests.wire.caught_warnings import tess_warnings

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

HELLO: Any = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}], "seed": 1}


def create(client: Any) -> None:
    """Make a plain call."""
    client.chat.completions.create(**HELLO)  # caller


def create_stream(client: Any) -> None:
    """Make a streamed call."""
    list(client.chat.completions.create(**HELLO, stream=True))  # caller


def call_stream_helper(client: Any) -> None:
    """Use `.stream()`."""
    stream = getattr(client.chat.completions, "stream", None) or client.beta.chat.completions.stream
    with stream(**HELLO):  # caller
        pass


def call_parse(client: Any) -> None:
    """Use `.parse()`."""
    parse = getattr(client.chat.completions, "parse", None) or client.beta.chat.completions.parse
    parse(**HELLO)  # caller


def call_raw(client: Any) -> None:
    """Ask for the raw response."""
    client.chat.completions.with_raw_response.create(**HELLO)  # caller


def call_streaming_response(client: Any) -> None:
    """Ask for a response to be read bit by bit."""
    with client.chat.completions.with_streaming_response.create(**HELLO):  # caller
        pass


def call_with_options(client: Any) -> None:
    """Change the client first."""
    client.with_options(timeout=9).chat.completions.create(**HELLO)  # caller


async def create_async(client: Any) -> None:
    """Async counterpart of `create`."""
    await client.chat.completions.create(**HELLO)  # caller


async def create_stream_async(client: Any) -> None:
    """Async counterpart of `create_stream`."""
    async for _ in await client.chat.completions.create(**HELLO, stream=True):  # caller
        pass


async def call_stream_helper_async(client: Any) -> None:
    """Async counterpart of `call_stream_helper`."""
    stream = getattr(client.chat.completions, "stream", None) or client.beta.chat.completions.stream
    async with stream(**HELLO):  # caller
        pass


async def call_parse_async(client: Any) -> None:
    """Async counterpart of `call_parse`."""
    parse = getattr(client.chat.completions, "parse", None) or client.beta.chat.completions.parse
    await parse(**HELLO)  # caller


async def call_raw_async(client: Any) -> None:
    """Async counterpart of `call_raw`."""
    await client.chat.completions.with_raw_response.create(**HELLO)  # caller


async def call_streaming_response_async(client: Any) -> None:
    """Async counterpart of `call_streaming_response`."""
    async with client.chat.completions.with_streaming_response.create(**HELLO):  # caller
        pass


async def gather(client: Any) -> None:
    """Run two coroutines of this file at once."""
    await asyncio.gather(create_async(client), create_async(client))


SITES: dict[str, tuple[Callable[[Any], None], Callable[[Any], Any]]] = {
    "create": (create, create_async),
    "a stream": (create_stream, create_stream_async),
    ".stream()": (call_stream_helper, call_stream_helper_async),
    ".parse()": (call_parse, call_parse_async),
    "raw response": (call_raw, call_raw_async),
    "streaming response": (call_streaming_response, call_streaming_response_async),
    "with_options or gather": (call_with_options, gather),
}


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_a_warning_points_at_the_callers_line(driver: Driver, site: Any) -> None:
    """The adapter finds the line through the SDK, the http client and the event loop."""
    client = driver.client()
    with pytest.warns(TessRequestWarning, match="seed") as caught:
        driver.run(site[driver.is_async](client))
    for warning in tess_warnings(caught):
        assert warning.filename == __file__
        assert linecache.getline(warning.filename, warning.lineno).rstrip().endswith("# caller")


def ask(client: Any) -> Any:
    """Return the SDK's own coroutine: in a task of its own, no line of this file is on the stack."""
    return client.chat.completions.create(**HELLO)


async def await_a_task(client: Any) -> None:
    """Wait for one task and nothing else."""
    await asyncio.create_task(ask(client))  # caller


async def await_with_a_limit(client: Any) -> None:
    """Wait with a time limit; this makes a task before Python 3.12."""
    await asyncio.wait_for(ask(client), 60)  # caller


async def await_several(client: Any) -> None:
    """Wait for several calls at once."""
    await asyncio.gather(ask(client), ask(client))  # caller


async def await_a_shield(client: Any) -> None:
    """Wait for a call that would continue if this task were cancelled."""
    await asyncio.shield(ask(client))  # caller


async def await_the_first(client: Any) -> None:
    """Wait for a set of tasks."""
    await asyncio.wait([asyncio.create_task(ask(client))])  # caller


async def await_as_they_come(client: Any) -> None:
    """Wait for each call in the order in which they end."""
    for answer in asyncio.as_completed([ask(client)]):
        await answer  # caller


async def await_tasks_of_tasks(client: Any) -> None:
    """Wait for nested tasks, none of which runs code of this file."""
    await asyncio.gather(asyncio.shield(asyncio.wait_for(asyncio.shield(ask(client)), 60)))  # caller


async def await_a_group(client: Any) -> None:
    """Wait at the end of a task group of anyio, which starts its tasks itself."""
    async with anyio.create_task_group() as group:  # caller
        group.start_soon(functools.partial(client.chat.completions.create, **HELLO))


async def await_a_queue(client: Any) -> None:
    """Wait for a queue into which a task is put when it is done."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(ask(client))
    task.add_done_callback(queue.put_nowait)
    await queue.get()  # caller


async def await_an_event(client: Any) -> None:
    """Wait for an event that a callback of the task sets, without a reference from the task to this line."""
    event = asyncio.Event()
    task = asyncio.create_task(ask(client))
    task.add_done_callback(lambda _: event.set())
    await event.wait()  # caller


TASKS: dict[str, Callable[[Any], Any]] = {
    "a task": await_a_task,
    "wait_for": await_with_a_limit,
    "gather": await_several,
    "shield": await_a_shield,
    "wait": await_the_first,
    "as_completed": await_as_they_come,
    "tasks of tasks": await_tasks_of_tasks,
    "a queue": await_a_queue,
    "a group of anyio's": await_a_group,
}
if sys.version_info >= (3, 11):

    async def await_a_group_of_asyncios(client: Any) -> None:
        """Wait at the end of a task group of asyncio."""
        async with asyncio.TaskGroup() as group:  # caller
            group.create_task(ask(client))

    TASKS["a group of asyncio's"] = await_a_group_of_asyncios


async def beside_another(waiting: Any) -> None:
    """Await something while another task of this program waits at a different line."""
    other = asyncio.create_task(asyncio.Event().wait())
    bystander = asyncio.create_task(wait_for_nothing(other))
    await waiting
    other.cancel()
    await bystander


async def wait_for_nothing(other: Any) -> None:
    """Wait at a line that is not the caller's."""
    with contextlib.suppress(asyncio.CancelledError):
        await other


@pytest.mark.parametrize("driver", ["async"], indirect=True)
@pytest.mark.parametrize("site", TASKS.values(), ids=TASKS)
def test_a_warning_points_at_the_line_that_waits_for_a_task(driver: Driver, site: Any) -> None:
    """A library that makes a task of the call has no line of the program's on the stack."""
    client = driver.client()
    with pytest.warns(TessRequestWarning, match="seed") as caught:
        driver.run(beside_another(site(client)))
    for warning in tess_warnings(caught):
        assert warning.filename == __file__
        assert linecache.getline(warning.filename, warning.lineno).rstrip().endswith("# caller")


@pytest.mark.parametrize("driver", ["async"], indirect=True)
def test_without_a_waiting_task_the_caller_is_the_only_line_of_the_program(driver: Driver) -> None:
    """A library may hand its answers over unseen; with two such lines, it is whatever runs them all."""
    gc.collect()  # a client of an earlier test that is collected later closes itself in a task of this loop
    lines: list[str] = []
    for site in (await_an_event(driver.client()), beside_another(await_an_event(driver.client()))):
        with pytest.warns(TessRequestWarning, match="seed") as caught:
            driver.run(site)
        first = tess_warnings(caught)[0]
        lines.append(linecache.getline(first.filename, first.lineno).strip())
    assert lines[0].endswith("# caller")
    assert lines[1].startswith("return self.loop.run_until_complete")


@pytest.mark.parametrize("driver", ["async"], indirect=True)
def test_two_lines_that_wait_for_tasks_are_two_places(driver: Driver) -> None:
    """They are distinct although the stack of each contains only the event loop."""
    client = driver.client()

    async def loop_over_both() -> None:
        for _ in range(3):
            await asyncio.create_task(ask(client))
            await asyncio.create_task(ask(client))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        driver.run(loop_over_both())
    lines = [warning.lineno for warning in tess_warnings(caught)]
    assert len(lines) == len(set(lines)) == 2


@pytest.mark.parametrize("driver", ["async"], indirect=True)
def test_a_warning_survives_what_cannot_be_read(driver: Driver) -> None:
    """A callback of another library may refuse to be read: the warning is still shown."""

    class Unreadable:
        """A callback whose attributes cannot be read."""

        @property
        def __self__(self) -> Any:
            raise RuntimeError("not here")

        def __call__(self, _: Any) -> None:
            """Accept the finished task."""

    async def await_beside_it(client: Any) -> None:
        task = asyncio.create_task(ask(client))
        task.add_done_callback(Unreadable())
        await task

    with pytest.warns(TessRequestWarning, match="seed"):
        driver.run(await_beside_it(driver.client()))


def test_by_default_a_line_warns_once(driver: Driver) -> None:
    """Python's own filter shows each place once: two places, two warnings, however often they are run."""
    client = driver.client()
    both = SITES["create"][driver.is_async], SITES["raw response"][driver.is_async]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            for site in both:
                driver.run(site(client))
    lines = [warning.lineno for warning in tess_warnings(caught)]
    assert len(lines) == len(set(lines)) == 2
