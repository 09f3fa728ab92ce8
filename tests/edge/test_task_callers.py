"""The line of a program that waits for a task of a library, found without a call."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Awaitable, Callable, Generator
from types import FrameType, SimpleNamespace
from typing import Any, Final

import pytest

from tess_openai.edge.task_callers import awaiting_frame, current_task, first_frame

Waiting = Callable[["asyncio.Task[None]"], Awaitable[object]]


async def wait_directly(task: asyncio.Task[None]) -> None:
    """Wait for the task and nothing else."""
    await task


@types.coroutine
def wait_in_a_generator(task: asyncio.Task[None]) -> Generator[Any, None, None]:
    """Wait as coroutines did before `async def`, and as compiled ones may."""
    yield from task


async def wait_for_a_generator(task: asyncio.Task[None]) -> None:
    """Wait for it; the innermost line is in the generator."""
    await wait_in_a_generator(task)


async def wait_for_a_partial(task: asyncio.Task[None]) -> None:
    """Wait for a queue that is filled by a partial of its method."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    task.add_done_callback(functools.partial(queue.put_nowait))
    await queue.get()


async def wait_with_arguments(task: asyncio.Task[None]) -> None:
    """Wait for a future that a callback gets as an argument."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finish(future: asyncio.Future[None], _: object) -> None:
        future.set_result(None)

    task.add_done_callback(functools.partial(finish, future))
    await future


async def wait_with_an_empty_cell(task: asyncio.Task[None]) -> None:
    """Wait with a callback that refers to a variable which has no value yet."""
    future: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def finish(_: object) -> None:
        future.set_result(answer if future.done() else None)

    task.add_done_callback(finish)
    await future
    answer = None


WAYS: Final[dict[str, Waiting]] = {
    "wait_directly": wait_directly,
    "wait_in_a_generator": wait_for_a_generator,
    "wait_for_a_partial": wait_for_a_partial,
    "wait_with_arguments": wait_with_arguments,
    "wait_with_an_empty_cell": wait_with_an_empty_cell,
}


def is_wanted(frame: FrameType) -> bool:
    """Whether a frame belongs to the program of these tests."""
    return frame.f_code.co_filename == __file__ and frame.f_code.co_name.startswith("wait_")


async def ask(found: list[FrameType | None]) -> None:
    """Look for the line that waits for this task, as a warning in a library does."""
    await asyncio.sleep(0)
    found.append(awaiting_frame(current_task(), is_wanted))


async def wait_for_nothing(event: asyncio.Event) -> None:
    """Wait at another line of the program."""
    await event.wait()


@pytest.mark.parametrize("name", WAYS)
async def test_the_line_that_waits_for_a_task_is_found(name: str) -> None:
    """It is the innermost line of the program, although another of its tasks waits for something else."""
    found: list[FrameType | None] = []
    event = asyncio.Event()
    other = asyncio.create_task(wait_for_nothing(event))
    await WAYS[name](asyncio.create_task(ask(found)))
    event.set()
    await other
    (frame,) = found
    assert frame is not None
    assert frame.f_code.co_name == name


async def test_a_task_that_is_not_awaited_belongs_to_the_only_line_that_waits() -> None:
    """With two such lines, or in a loop with many tasks, none is chosen: it could be the wrong one."""
    for count, is_found in ((1, True), (2, False), (20, False), (1, False)):
        found: list[FrameType | None] = []
        event = asyncio.Event()
        waiting: list[Awaitable[None]] = [
            asyncio.create_task(each(event))
            for each in [wait_for_nothing, wait_elsewhere, *[asleep] * 20][:count]
        ]
        task = asyncio.create_task(ask(found))
        await asyncio.wait([task])
        event.set()
        await asyncio.gather(*waiting)
        assert [frame is not None for frame in found] == [is_found]


async def wait_elsewhere(event: asyncio.Event) -> None:
    """Wait at a line of its own."""
    await event.wait()


async def asleep(event: asyncio.Event) -> None:
    """Wait at a line of no program."""
    await event.wait()


def test_what_has_no_frames_is_no_task_of_a_program() -> None:
    """Compiled coroutines show none; outside of asyncio there is no task."""
    compiled: Any = SimpleNamespace(get_coro=object)
    assert first_frame(compiled) is None
    assert first_frame(object()) is None
    assert current_task() is None
