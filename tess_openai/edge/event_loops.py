"""Event loops that ended: what their tasks were about to do, nobody does any more."""

from __future__ import annotations

import asyncio


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs this code; None in a thread without one, and under another library's."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def is_closed_loop(loop: asyncio.AbstractEventLoop | None) -> bool:
    """Whether a loop was closed, perhaps with tasks of its own still waiting."""
    return loop is not None and loop.is_closed()
