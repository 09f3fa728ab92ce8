"""Warnings at the caller's own line; their cost does not grow with the tasks of the loop or the filters."""

from __future__ import annotations

import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from types import FrameType
from typing import Any, Final, Literal, TypeAlias

from tess_openai.core.changes import Change, Topic, summarize
from tess_openai.edge.task_callers import awaiting_frame, current_task, first_frame
from tess_openai.exceptions import TessAnswerWarning, TessRequestWarning, TessWarning

CATEGORIES: Final[dict[Topic, type[TessWarning]]] = {
    "request": TessRequestWarning,
    "answer": TessAnswerWarning,
}

_OWN: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")  # noqa: PTH100, PTH118, PTH120 - pathlib costs import time
_LIBRARIES: Final = tuple(
    {
        os.path.join(path, "")  # noqa: PTH118
        for name, path in sysconfig.get_paths().items()
        if name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
)
_MACHINERY: Final = sys.stdlib_module_names | {"openai", "httpx", "httpx2", "anyio"}
"""Modules that `find_caller` chooses last, even where every frame belongs to an installed library."""
_AT_MOST_ONCE: Final = frozenset({"default", "module", "once", "ignore"})
"""Actions of filters that show a warning at most once at each line."""
_MOST_PLACES: Final = 256
_MOST_FILTER_LISTS: Final = 64

Filter: TypeAlias = tuple[str, Any, Any, Any, int]
"""Action, pattern of the text, category, pattern of the module, line. Source: `warnings`, read."""


def warn_changes(changes: Sequence[Change]) -> str | None:
    """Warn of changes at the caller's line, with one warning for all of a category.

    Returns:
        The text of the first warning that the filters turn into an error; None when there is none.
    """
    by_topic: dict[Topic, list[Change]] = {}
    for change in changes:
        if change.warn is not None:
            by_topic.setdefault(change.warn, []).append(change)
    errors: list[str] = []
    for topic, category in CATEGORIES.items():
        if topic in by_topic:
            try:
                _warn(by_topic[topic], category)
            except Warning as warning:
                errors.append(str(warning))
    return errors[0] if errors else None


def warn(message: str, category: type[TessWarning]) -> None:
    """Warn at the caller's line, once.

    Raises:
        Warning: The filters turn it into an error.
    """
    memory = _memories.current()
    frame = None if memory.ignores(category) else find_caller()
    if frame is not None and memory.must_show(message, category, frame, [(message, "")]):
        _show(message, category, frame)


def _warn(changes: list[Change], category: type[TessWarning]) -> None:
    memory = _memories.current()
    if memory.ignores(category):
        return
    frame = find_caller()
    if frame is None:
        warnings.warn(summarize(changes), category, stacklevel=2)
        return
    place = (_module(frame), frame.f_code.co_filename, frame.f_lineno)
    key: Hashable = (place, tuple(changes) if memory.reads_texts else tuple(map(_warning_key, changes)))
    if key in memory.silenced:
        return
    action = memory.action(summarize(changes), category, frame)
    if action in _AT_MOST_ONCE:
        memory.silence(key)
        if action == "ignore":  # of these values, perhaps; others at this line may be shown
            return
        known = memory.warning_keys_at(frame, category)
        changes = [change for change in changes if _warning_key(change) not in known]
        known.update(map(_warning_key, changes))
    if changes:
        _show(summarize(changes), category, frame)


def _warning_key(change: Change) -> tuple[str, str]:
    """Return the warning key of a change: its parameter and reason, without the values it shows."""
    return change.param, change.why


def _show(message: str, category: type[TessWarning], frame: FrameType) -> None:
    warnings.warn_explicit(
        message,
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=_module(frame),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def find_caller() -> FrameType | None:
    """Return the nearest frame that belongs neither to this package nor to an installed library.

    If a library makes the call in a task of its own, the frames of the code that awaits the task count too.
    If there is no such frame (the program itself is installed, or a framework runs its calls in threads), it
    is the nearest frame of a library outside `_MACHINERY`, else the nearest one within it.
    """
    frame: FrameType | None = sys._getframe()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - documented by sys
    library: FrameType | None = None
    machinery: FrameType | None = None
    task = current_task()
    first = None if task is None else first_frame(task)
    while frame is not None:
        owner = _owner(frame.f_code.co_filename, frame.f_globals.get("__name__", ""))
        if owner == "program":
            return frame
        if owner == "library":
            library = library or frame
        elif owner == "machinery":
            machinery = machinery or frame
        if frame is first:  # its callers are the event loop and the line that runs the loop
            waiting = awaiting_frame(task, _is_of_a_program)
            if waiting is not None:
                return waiting
        frame = frame.f_back
    return library or machinery


def _module(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "<unknown>")
    return name


def _is_of_a_program(frame: FrameType) -> bool:
    return _owner(frame.f_code.co_filename, frame.f_globals.get("__name__", "")) == "program"


@lru_cache(maxsize=1024)
def _owner(filename: str, module: str) -> Literal["own", "program", "library", "machinery"]:
    """Return to whom the code of a module belongs."""
    if filename.startswith(_OWN):
        return "own"
    if not filename.startswith(("<frozen", *_LIBRARIES)):
        return "program"
    return "machinery" if module.partition(".")[0] in _MACHINERY else "library"


class _FilterMemory:
    """The warnings that were shown under one list of filters.

    Python's own registry is cleared as soon as any filter changes, and frameworks change filters in every
    call with `catch_warnings`. They then restore the same list, for which this memory is still valid.

    Attributes:
        filters: The list.
        content: A copy of the list from when the memory was made; the memory is valid while both are equal.
        reads_texts: Whether a filter looks at the text of a warning, which shows values.
        silenced: Places together with their changes for which no further warning is needed.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        self.filters = filters
        self.content = list(filters)
        self.reads_texts = any(text is not None for _, text, *_ in filters)
        self.silenced: set[Hashable] = set()
        self._known: dict[Hashable, set[tuple[str, str]]] = {}
        self._ignored: dict[type[TessWarning], bool] = {}

    def ignores(self, category: type[TessWarning]) -> bool:
        """Whether the filters ignore a category at every place and with every text."""
        found = self._ignored.get(category)
        if found is None:
            found = self._ignored[category] = _is_ignored(self.content, category)
        return found

    def warning_keys_at(self, frame: FrameType, category: type[TessWarning]) -> set[tuple[str, str]]:
        """Return the changes that were already reported at this line."""
        if len(self._known) >= _MOST_PLACES:
            self._known.clear()
        return self._known.setdefault((frame.f_code.co_filename, frame.f_lineno, category), set())

    def silence(self, key: Hashable) -> None:
        """Record that no further warning is needed at a place."""
        if len(self.silenced) >= _MOST_PLACES:
            self.silenced.clear()
        self.silenced.add(key)

    def must_show(
        self, message: str, category: type[TessWarning], frame: FrameType, warning_keys: list[tuple[str, str]]
    ) -> bool:
        """Whether to show a warning at a line: it is new there, or the filters show every repetition."""
        known = self.warning_keys_at(frame, category)
        is_new = not known.issuperset(warning_keys)
        known.update(warning_keys)
        return is_new or self.action(message, category, frame) not in _AT_MOST_ONCE

    def action(self, message: str, category: type[TessWarning], frame: FrameType) -> str:
        """Return the action of the first filter that matches, as `warnings` itself finds it."""
        module, lineno = _module(frame), frame.f_lineno
        for action, text, kind, where, number in self.content:
            if (
                (text is None or text.match(message))
                and issubclass(category, kind)
                and (where is None or where.match(module))
                and number in (0, lineno)
            ):
                return action
        return "default"


def _is_ignored(filters: Sequence[Filter], category: type[TessWarning]) -> bool:
    for action, text, kind, where, number in filters:
        if issubclass(category, kind):
            if action != "ignore":
                return False
            if text is None and where is None and number == 0:
                return True
    return False


class _FilterMemories:
    """A memory for each list of filters: from Python 3.14 on each context may have its own."""

    def __init__(self) -> None:
        self._memories: dict[int, _FilterMemory] = {}

    def current(self) -> _FilterMemory:
        """Return the memory of the current filters."""
        filters = _current_filters()
        memory = self._memories.get(id(filters))
        if memory is None or memory.filters is not filters or memory.content != filters:
            memory = _FilterMemory(filters)
            while len(self._memories) >= _MOST_FILTER_LISTS:
                self._memories.pop(next(iter(self._memories)), None)
            self._memories[id(filters)] = memory
        return memory


def _current_filters() -> Sequence[Filter]:
    """Return the current filters, which from Python 3.14 on may belong to a context.

    Source: `warnings` of 3.14, read; `sys.flags.context_aware_warnings` switches it on.
    """
    return warnings.filters if _get_filters is None else _get_filters()


_get_filters: Final[Callable[[], Sequence[Filter]] | None] = getattr(warnings, "_get_filters", None)
_memories: Final = _FilterMemories()
