"""A stream that is closed from elsewhere ends at once, and a client that is dropped keeps nothing open."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
from fault_server import TEXT, Connection, Fault, chunk, serving

from tess_openai.testing import SIMULATOR_API_KEY

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

ROUNDS: Final = 12


def first_words_then_hold(connection: Connection) -> None:
    """Begin to answer, and continue when no caller waits any more."""
    connection.head()
    connection.part(chunk(TEXT))
    connection.hold()


def never_ends(connection: Connection) -> None:
    """Send one chunk after another for as long as the client reads."""
    connection.head()
    connection.repeat(chunk("x"), 0.001)


@pytest.mark.parametrize("fields", [{}, {"stop": "never written"}], ids=["plain", "emulated"])
@pytest.mark.parametrize("fault", [first_words_then_hold, never_ends])
def test_a_stream_is_closed_while_it_is_read(driver: Driver, fault: Fault, fields: dict[str, Any]) -> None:
    """The reader gets an error of the SDK's or the end, the server the end of its connection."""
    for _ in range(ROUNDS):
        with serving(fault) as server:
            client = driver.client(base_url=server.url, timeout=20, emulate=bool(fields), max_retries=0)
            stream = driver.ask(client, stream=True, **fields)
            ended = (
                driver.run(close_while_a_task_reads(stream)) if driver.is_async else close_meanwhile(stream)
            )
            assert ended is None or isinstance(ended, openai.OpenAIError)
            wait_until_closed(server)
            driver.close(client)


def close_meanwhile(stream: Any) -> BaseException | None:
    """Close a stream while another thread reads it; what the reader got."""
    caught: list[BaseException] = []
    has_begun = threading.Event()

    def read() -> None:
        try:
            for _ in stream:
                has_begun.set()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            caught.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert has_begun.wait(10)
    started = time.monotonic()
    stream.close()
    reader.join(10)
    assert not reader.is_alive()
    assert time.monotonic() - started < 5
    return caught[0] if caught else None


async def close_while_a_task_reads(stream: Any) -> BaseException | None:
    """Close a stream while another task reads it; what the reader got."""
    has_begun = asyncio.Event()

    async def read() -> None:
        async for _ in stream:
            has_begun.set()

    reader = asyncio.create_task(read())
    await asyncio.wait_for(has_begun.wait(), 10)
    await asyncio.sleep(0)
    started = time.monotonic()
    await stream.close()
    (ended,) = await asyncio.wait_for(asyncio.gather(reader, return_exceptions=True), 10)
    assert time.monotonic() - started < 5
    return ended


def wait_until_closed(server: Any) -> None:
    """Wait until the client has closed every connection."""
    deadline = time.monotonic() + 5
    while server.open_now():
        assert time.monotonic() < deadline, "the paid stream runs on"
        time.sleep(0.005)  # polls a socket, which does not report that it was closed


DROPPED: Final = """
import asyncio, gc, os
from tess_openai import create_async_client

hello = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}

def sockets():
    found = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except OSError:  # the one that lists the folder
            pass
    return found

async def ask(client):
    asyncio.get_running_loop().slow_callback_duration = 60
    await asyncio.gather(*(client.chat.completions.create(**hello) for _ in range(5)))
    async for chunk in await client.chat.completions.create(**hello, stream=True):
        pass

async def drop(clients):
    asyncio.get_running_loop().slow_callback_duration = 60
    clients.clear()
    for _ in range(4):
        gc.collect()
        await asyncio.sleep(0.02)

before = sockets()
for _ in range(3):
    clients = [create_async_client(42)]
    asyncio.run(ask(clients[0]))
    if REUSED:
        asyncio.run(ask(clients[0]))  # a second loop finds no connection of the first
    if IN_LOOP:
        asyncio.run(drop(clients))
    clients.clear()
    gc.collect()
print("sockets left:", sockets() - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts the sockets in /proc")  # noqa: PTH112 - pathlib would be imported for this line only
@pytest.mark.parametrize("in_loop", [True, False], ids=["in another loop", "without a loop"])
@pytest.mark.parametrize("reused", [True, False], ids=["used in two loops", "used in one loop"])
def test_a_client_that_outlives_its_loop_keeps_nothing(
    driver: Driver, *, in_loop: bool, reused: bool
) -> None:
    """There is no open socket, no warning, and no error of an abandoned task."""
    if not driver.is_async:
        pytest.skip("a sync client has no loop")
    environment = {
        **os.environ,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_WORKSPACE_ID": "7001",
        "TESS_BASE_URL": driver.simulator.base_url,
    }
    program = DROPPED.replace("IN_LOOP", str(in_loop)).replace("REUSED", str(reused))
    ended = subprocess.run(
        [sys.executable, "-I", "-X", "dev", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("sockets left: 0\n", "")
