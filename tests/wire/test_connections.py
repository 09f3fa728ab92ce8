"""The pool below the adapter: connections are reused, shared by threads and tasks, closed, never leaked."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai.testing import SIMULATOR_API_KEY, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver, Relay


def test_completions_share_a_connection(driver: Driver, relay: Relay) -> None:
    """Calls that follow each other reuse it."""
    client = driver.client(base_url=relay.url)
    for _ in range(5):
        assert driver.text(client) == driver.answer
    assert relay.connections == 1


def test_refusals_of_tess_keep_the_connection(driver: Driver, relay: Relay) -> None:
    """An error's body is read to its end."""
    client = driver.client(base_url=relay.url)
    for _ in range(3):
        driver.fails(client, extra_headers={"x-workspace-id": "8888"})
    assert relay.connections == 1


def test_streams_share_a_connection_where_the_sdk_lets_them(driver: Driver, relay: Relay) -> None:
    """The adapter reads past `[DONE]`; some SDKs close the connection there themselves."""
    if (2, 9) <= driver.sdk < (3, 54) or (driver.sdk >= (2, 9) and not driver.is_async):
        pytest.skip("this SDK closes the connection after [DONE]")
    client = driver.client(base_url=relay.url)
    for _ in range(5):
        assert driver.text(client, stream=True) == driver.answer
    assert relay.connections == 1


def test_threads_share_a_client(driver: Driver) -> None:
    """16 threads, 20 calls each, streams and completions; every answer is the asker's own."""
    if driver.is_async:
        pytest.skip("threads are for the sync client")
    client = driver.client(unsupported="ignore", timeout=30)

    def ask(number: int) -> bool:
        messages = [{"role": "user", "content": f"call {number}"}]
        text = driver.text(client, stream=number % 2 == 0, messages=messages, seed=number)
        return text.endswith(f"received: call {number}")

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(320)))
    assert len(driver.simulator.calls) == 320


def test_tasks_share_a_client(driver: Driver) -> None:
    """50 at once, streams and completions; every answer is the asker's own."""
    if not driver.is_async:
        pytest.skip("tasks are for the async client")
    client = driver.client(unsupported="ignore", timeout=30)

    async def ask(number: int) -> bool:
        messages = [{"role": "user", "content": f"call {number}"}]
        fields: Any = {"model": "tess-6", "messages": messages, "seed": number}
        if number % 2:
            answer = await client.chat.completions.create(**fields)
            text = answer.choices[0].message.content
        else:
            stream = await client.chat.completions.create(**fields, stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        return bool(text.endswith(f"received: call {number}"))

    async def ask_all() -> list[bool]:
        return await asyncio.gather(*map(ask, range(50)))

    assert all(driver.run(ask_all()))


def test_closing_a_client_closes_its_connections(driver: Driver) -> None:
    """This includes the connection of a stream that is still open; closing again does nothing."""
    client = driver.client()
    driver.simulator.fault(faults.stalls())
    stream = driver.ask(client, stream=True)
    driver.next(stream)
    driver.close(client)
    assert driver.simulator.calls[0].over.wait(2)
    driver.close(client)
    assert client.is_closed()


def test_a_closed_client_states_it(driver: Driver) -> None:
    """The error is that of its SDK, and nothing is sent."""
    client = driver.client()
    driver.close(client)
    with pytest.raises((RuntimeError, openai.APIConnectionError)):
        driver.ask(client)
    assert driver.simulator.requests == []


def test_a_block_closes_its_client(driver: Driver) -> None:
    """`with create_client(...) as client:` works."""
    with driver.entered(driver.client()) as client:
        assert driver.text(client) == driver.answer
    assert client.is_closed()


PROGRAM = """
import asyncio, gc, warnings
warnings.simplefilter("error")
import openai
from tess_openai import create_async_client, create_client

hello = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}

def sync_program():
    client = create_client(42)
    client.chat.completions.create(**hello)
    for chunk in client.chat.completions.create(**hello, stream=True):
        break

async def async_program():
    asyncio.get_running_loop().slow_callback_duration = 60  # a slow machine is not what is tested
    client = create_async_client(42)
    await client.chat.completions.create(**hello)
    async for chunk in await client.chat.completions.create(**hello, stream=True):
        pass
    if CLOSED:
        await client.close()
    del client
    for _ in range(4):  # a client that is forgotten closes in its loop, once its last stream has let go of it
        gc.collect()
        await asyncio.sleep(0.05)

sync_program()
gc.collect()
asyncio.run(async_program())
gc.collect()
print("done")
"""


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "forgotten"])
def test_a_program_ends_without_a_word(driver: Driver, *, closed: bool) -> None:
    """With `-X dev`, even clients that were never closed cause no ResourceWarning and no stray task."""
    if driver.is_async:
        pytest.skip("the program uses both clients")
    environment = {
        **os.environ,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_WORKSPACE_ID": "7001",
        "TESS_BASE_URL": driver.simulator.base_url,
    }
    ended = subprocess.run(
        [sys.executable, "-I", "-X", "dev", "-c", PROGRAM.replace("CLOSED", str(closed))],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("done\n", "")
