"""Find the running event loop, tell whether one is closed, close connections together with their loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from tess_openai.edge.families import AsyncTransport, Transport


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the asyncio loop that runs this code; None without one, also under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def is_closed_loop(loop: asyncio.AbstractEventLoop | None) -> bool:
    """Whether a loop was closed; tasks that were still waiting in it never run again."""
    return loop is not None and loop.is_closed()


class LoopGuard:
    """Closes the connections of an async transport together with the event loop in which they were opened.

    Once its loop is closed, a connection can neither be used nor be closed without an error. So the guard
    starts an asynchronous generator in each loop, which `asyncio.run` finishes before it closes the loop. The
    next loop then finds an empty pool.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watcher: AsyncGenerator[None, None] | None = None

    def enter(self, inner: Transport) -> None:
        """Do nothing: a sync transport belongs to no loop."""

    async def async_enter(self, inner: AsyncTransport) -> None:
        """Start watching the running loop, if it is not the one of the last call."""
        loop = running_loop()
        if loop is None or loop is self._loop:
            return
        self._loop, self._watcher = loop, _close_with_loop(inner)
        await anext(self._watcher)


async def close_silently(transport: AsyncTransport) -> None:
    """Close a transport and suppress its errors, which no code could handle."""
    with suppress(Exception):
        await transport.aclose()


async def _close_with_loop(inner: AsyncTransport) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await close_silently(inner)
