"""Warnings at the caller's own line, through all the libraries in between."""

from __future__ import annotations

import os
import sys
import sysconfig
import warnings
from types import FrameType
from typing import Final

from tess_openai.core.changes import Topic
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


def warn(message: str, category: type[TessWarning], line: FrameType | None = None) -> None:
    """Warn at the caller's line; `line` is its frame when `caller()` has already found it."""
    frame = line or caller()
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
        return
    warnings.warn_explicit(
        message,
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__", "<unknown>"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def caller() -> FrameType | None:
    """Return the nearest frame that is neither this package's nor an installed library's.

    Where all are (a program that is installed itself), the nearest that is not this package's; where the
    caller's line is not on the stack (a task, a thread pool), that of whatever started it.
    """
    frame: FrameType | None = sys._getframe()  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - documented by sys
    fallback: FrameType | None = None
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_OWN):
            if not filename.startswith(_LIBRARIES) and not filename.startswith("<frozen"):
                return frame
            fallback = fallback or frame
        frame = frame.f_back
    return fallback
