"""Find the line of a program that waits for a task in which a library makes a call.

asyncio offers this only from Python 3.14 on (`asyncio.capture_call_graph`). In earlier versions this module
reads the callbacks of a task, since each task that waits for another one is woken by such a callback.

Source: asyncio and anyio, read. `_callbacks` of a future or a task lists `(callback, context)`. A task that
awaits it registers one of its own methods; `gather`, `wait` and `shield` register closures over the future
that they wait for, task groups a method or a closure of theirs, `as_completed` a closure over a queue.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any, Final
from weakref import WeakSet

_MAX_WAITING: Final = 64
"""At most so many tasks and futures are examined for one warning."""
_MAX_FRAMES: Final = 1_000
"""At most so many frames of one coroutine are examined."""
_MAX_TASKS: Final = 8
"""In a loop with more tasks the caller is not guessed, because the cost would grow with their number."""
_crowded_loops: Final[WeakSet[Any]] = WeakSet()
"""Loops that had more than `_MAX_TASKS` tasks once; their tasks are not counted again."""


def current_task() -> Any:
    """Return the task that runs now; None outside of asyncio."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None


def first_frame(task: Any) -> FrameType | None:
    """Return the outermost frame of a task's coroutine."""
    return next(_frames_of(task), None)


def awaiting_frame(task: Any, wanted: Callable[[FrameType], bool]) -> FrameType | None:
    """Return the innermost wanted frame of the nearest task that waits for this one.

    If no task is found to wait (the library delivers its results through an event), and the loop has few
    tasks, it is the only wanted frame of all of them; None if there are several.
    """
    try:
        return _frame_of_waiters(task, wanted) or _only_frame(task, wanted)
    except Exception:  # noqa: BLE001 - no call fails because another library is built differently
        return None


def _frame_of_waiters(task: Any, wanted: Callable[[FrameType], bool]) -> FrameType | None:
    queue: deque[Any] = deque([task])
    seen = {id(task)}
    while queue:
        for waiting in _waiters(queue.popleft()):
            if id(waiting) in seen:
                continue
            if len(seen) >= _MAX_WAITING:
                return None
            seen.add(id(waiting))
            found = _innermost(waiting, wanted)
            if found is not None:
                return found
            queue.append(waiting)
    return None


def _only_frame(task: Any, wanted: Callable[[FrameType], bool]) -> FrameType | None:
    loop = task.get_loop()
    if loop in _crowded_loops:
        return None
    tasks = sys.modules["asyncio"].all_tasks(loop)
    if len(tasks) > _MAX_TASKS:
        _crowded_loops.add(loop)
        return None
    lines: dict[tuple[str, int], FrameType] = {}
    for other in tasks:
        frame = _innermost(other, wanted)
        if frame is not None:
            lines[frame.f_code.co_filename, frame.f_lineno] = frame
    return next(iter(lines.values())) if len(lines) == 1 else None


def _innermost(task: Any, wanted: Callable[[FrameType], bool]) -> FrameType | None:
    found: FrameType | None = None
    for frame in _frames_of(task):
        if wanted(frame):
            found = frame
    return found


def _frames_of(task: Any) -> Iterator[FrameType]:
    """Yield the frames of a task's coroutine and of what it awaits, the outermost first.

    A future that is not a task has none; an asynchronous generator in an `async for` is not visible.
    """
    awaited: Any = task.get_coro() if hasattr(task, "get_coro") else None
    for _ in range(_MAX_FRAMES):
        frame: FrameType | None = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            return
        yield frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)


def _waiters(future: Any) -> Iterator[Any]:
    """Yield the tasks and futures that are woken when this one is done."""
    is_future: Callable[[object], bool] = sys.modules["asyncio"].isfuture
    for callback, _ in getattr(future, "_callbacks", None) or ():
        for held in _held_by(callback):
            yield from filter(is_future, _woken_by(held))


def _woken_by(held: Any) -> Iterable[Any]:
    """Return the tasks or futures that continue when the object that a callback acts on is woken."""
    name = type(held).__name__
    if name == "TaskGroup":  # asyncio's, anyio's
        return [getattr(held, "_parent_task", None) or getattr(held.cancel_scope, "_host_task", None)]
    if name == "_AsCompletedIterator":  # from Python 3.13 on; before, its queue itself
        return _woken_by(getattr(held, "_done", None))
    if name == "Queue":
        return getattr(held, "_getters", ())
    return [held]


def _held_by(callback: Any) -> Iterator[Any]:
    """Yield what a callback acts on: its `self`, the arguments of a partial, or a closure's cells."""
    if isinstance(callback, functools.partial):
        yield from callback.args
        callback = callback.func
    yield getattr(callback, "__self__", None)
    for cell in getattr(callback, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # the cell is still empty
            yield cell.cell_contents
