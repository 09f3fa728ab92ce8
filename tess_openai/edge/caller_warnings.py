"""Warnings at the caller's own line, through all the libraries in between."""

from __future__ import annotations

import os
import sys
import sysconfig
import warnings
from collections.abc import Hashable
from functools import lru_cache
from types import FrameType
from typing import Final, Literal, TypeAlias

from tess_openai.core.changes import Change, Topic
from tess_openai.edge.task_callers import awaiting_frame, current_task, first_frame
from tess_openai.exceptions import (
    TessAnswerWarning,
    TessMessagesWarning,
    TessParameterWarning,
    TessTemperatureWarning,
    TessToolsWarning,
    TessWarning,
)

CATEGORIES: Final[dict[Topic, type[TessWarning]]] = {
    "parameter": TessParameterWarning,
    "temperature": TessTemperatureWarning,
    "tools": TessToolsWarning,
    "messages": TessMessagesWarning,
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
"""Never the caller, even where all lines are a library's."""
_Place: TypeAlias = tuple[str, str, int, Hashable]
"""A line of the caller's, by module, file and number, and what is to be said of a call that is made there."""
_SETTLED: Final = 256
"""Places that are remembered; what is to be said may differ from call to call."""


def warn_changes(changes: tuple[Change, ...]) -> str | None:
    """Warn of changes at the caller's line; the text of the first that the filters there make an error."""
    if all(change.warn is None for change in changes):
        return None
    frame = find_caller()
    settled = _deduplicator.settled()
    said = (
        changes
        if _deduplicator.by_text
        else tuple([(change.warn, change.param, change.why) for change in changes])
    )
    place = None if frame is None else (_module(frame), frame.f_code.co_filename, frame.f_lineno, said)
    if place in settled:
        return None
    problems: list[str] = []
    was_said = True
    for change in changes:
        if change.warn is not None:
            try:
                about = f"{change.param}: {change.why}"
                was_said &= warn(str(change), CATEGORIES[change.warn], frame, about=about)
            except Warning as warning:
                problems.append(str(warning))
    if place is not None and was_said and not problems:
        settled.add(place)
    return problems[0] if problems else None


def warn(
    message: str, category: type[TessWarning], line: FrameType | None = None, *, about: str = ""
) -> bool:
    """Warn at the caller's line, once for what it is `about`, whatever values the message tells.

    Args:
        message: One line.
        category: Of the warning.
        line: The caller's frame when `caller()` has already found it.
        about: A parameter; `""` for the message itself.

    Returns:
        Whether it was said before, and the filters want it once.
    """
    frame = line or find_caller()
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
        return False
    module = _module(frame)
    if _deduplicator.is_repeated(message, category, module, frame, about or message):
        return True
    warnings.warn_explicit(
        message,
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=module,
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )
    return False


def find_caller() -> FrameType | None:
    """Return the nearest frame that is neither this package's nor an installed library's.

    Where a library makes the call in a task of its own, that is a frame of what waits for the task. Where
    there is none (a program that is installed itself, or a framework that runs its calls in threads), the
    nearest that is neither the SDK's, nor of what is below it; else the nearest of these.
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
        if frame is first:  # below it there is but the event loop, and the line that runs it
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
def _owner(filename: str, module: str) -> Literal["us", "program", "library", "machinery"]:
    """Return whose the code of a module is."""
    if filename.startswith(_OWN):
        return "us"
    if not filename.startswith(("<frozen", *_LIBRARIES)):
        return "program"
    return "machinery" if module.partition(".")[0] in _MACHINERY else "library"


class _WarningDeduplicator:
    """What was said under the filters that now hold, so that a loop is warned once.

    Python's own memory of it is void as soon as any filter moves, and frameworks move filters in every call
    (`catch_warnings`). They put the same list back, though, and as long as it is the same this memory holds.
    """

    def __init__(self) -> None:
        self._filters: object = None
        self._content: list[object] = []
        self._lines: set[tuple[str, int, type[TessWarning], str]] = set()
        self._settled: set[_Place] = set()
        self.by_text = False  # whether a filter looks at the text of a warning, with the values in it

    def settled(self) -> set[_Place]:
        """Return what may go without a word under the filters that now hold."""
        self._look_at_filters()
        if len(self._settled) >= _SETTLED:
            self._settled.clear()
        return self._settled

    def _look_at_filters(self) -> None:
        filters = warnings.filters
        if filters is not self._filters or filters != self._content:
            self._filters, self._content = filters, list(filters)
            self._lines, self._settled = set(), set()
            self.by_text = any(text is not None for _, text, *_ in filters)

    def is_repeated(
        self, message: str, category: type[TessWarning], module: str, frame: FrameType, about: str
    ) -> bool:
        """Whether this was said at this line, and the filters want it there once at most."""
        self._look_at_filters()
        line = (frame.f_code.co_filename, frame.f_lineno, category, about)
        if line not in self._lines:
            self._lines.add(line)
            return False
        return _action(message, category, module, frame.f_lineno) in ("default", "module", "once", "ignore")


def _action(message: str, category: type[TessWarning], module: str, lineno: int) -> str:
    """Return what the filters say, as `warnings` itself finds it."""
    for action, text, kind, where, number in warnings.filters:
        if (
            (text is None or text.match(message))
            and issubclass(category, kind)
            and (where is None or where.match(module))
            and number in (0, lineno)
        ):
            return action
    return "default"


_deduplicator: Final = _WarningDeduplicator()
