"""A real Redis on loopback for the tests that need one: Debian's `redis-server`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

REQUIRED = "REQUIRE_REDIS"
"""An environment variable, set by `.ci/run`, with which a missing server is a failure."""


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Start a Redis that keeps nothing on disk; return its URL. Skip where there is no such program."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get(REQUIRED):
            pytest.fail(f"redis-server is not installed, and {REQUIRED} is set")
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    for _ in range(5):
        port, server = _start(program, folder)
        try:
            if _is_ready(port, server):
                yield f"redis://127.0.0.1:{port}/0"
                return
        finally:
            server.kill()
            server.wait(10)
    pytest.fail("redis-server does not listen")


def _start(program: str, folder: Path) -> tuple[int, subprocess.Popen[bytes]]:
    """Start the server on a port that is free now, and perhaps not when it listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
    command = [program, "--port", str(port), *options]
    return port, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _is_ready(port: int, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False if it has ended, or another program answers on its port."""
    deadline = time.monotonic() + 20
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(7) == b"+PONG\r\n"
        time.sleep(0.02)
    return False
