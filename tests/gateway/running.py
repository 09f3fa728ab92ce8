"""A gateway on a loopback port, and its clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx2
import openai
import uvicorn

from tess_openai.gateway.bounded_http import BoundedHttpProtocol

HELLO: Any = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}


@dataclass(slots=True)
class Gateway:
    """A running gateway.

    Attributes:
        url: Up to its port.
        loop: The event loop that it runs in.
        server: The server around it.
    """

    url: str
    loop: asyncio.AbstractEventLoop
    server: uvicorn.Server

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def http(self, key: str = "any", **headers: str) -> httpx2.Client:
        """Return a plain http client for it."""
        given = {"authorization": f"Bearer {key}", **headers}
        return httpx2.Client(base_url=self.url, headers=given, timeout=30)

    def sdk(self, key: str = "any") -> openai.OpenAI:
        """Return OpenAI's own client, which knows nothing but a URL and a key."""
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0)


Start: TypeAlias = Callable[..., AbstractContextManager[Gateway]]


@contextmanager
def running(
    app: Any, *, shutdown_seconds: int = 1, protocol: type[BoundedHttpProtocol] = BoundedHttpProtocol
) -> Iterator[Gateway]:
    """Serve an application on a free port until the block ends."""
    config = uvicorn.Config(
        app,
        port=0,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=shutdown_seconds,
    )
    server = uvicorn.Server(config)
    loop = asyncio.new_event_loop()

    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),))
    thread.start()
    assert until(lambda: server.started, 20)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Gateway(f"http://127.0.0.1:{port}", loop, server)
    finally:
        server.should_exit = True
        thread.join(20)
        loop.close()
        assert not thread.is_alive()


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
