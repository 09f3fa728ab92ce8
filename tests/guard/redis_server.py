"""A real Redis on loopback for the tests that need one: Debian's `redis-server`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
    server = subprocess.Popen(
        [program, "--port", str(port), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_open(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 20
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) != 0:
            if time.monotonic() > deadline:
                pytest.fail("redis-server does not listen")
            time.sleep(0.02)
