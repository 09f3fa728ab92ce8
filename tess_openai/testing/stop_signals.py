"""Stop a served simulator or gateway by Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Final

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_POLL_SECONDS: Final = 0.5
"""On Windows a wait without a limit does not notice Ctrl-C."""


@contextmanager
def stop_on_signals() -> Generator[Event]:
    """Return an event that SIGINT and SIGTERM set, for the duration of the block.

    Like a web server, it installs its own handlers: a shell that starts a program in the background makes it
    ignore SIGINT, and Python then installs no handler. Main thread only.
    """
    stop = Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, set_stop) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def wait_until_set(stop: Event) -> None:
    """Block until the event is set."""
    while not stop.wait(_POLL_SECONDS):
        pass
