"""A server closes an idle connection at the moment of a request: that was not executed, and is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest
import raw_faults
from fault_server import TEXT, Fault, serving

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


@pytest.fixture(autouse=True)
def _knows_its_connection(driver: Driver) -> None:
    if driver.http_client_kind == "aiohttp" and driver.is_async:
        pytest.skip("aiohttp does not tell whether a connection was used before")


def fault_id(fault: Fault) -> str:
    """Name a fault as a test's id."""
    return fault.__name__.replace("_", " ")


@pytest.mark.parametrize("fault", raw_faults.KEEP_ALIVE_RACES, ids=fault_id)
def test_a_request_that_was_not_read_is_sent_again(driver: Driver, fault: Fault, *, stream: bool) -> None:
    """The SDK repeats the call on another connection."""
    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=1)
        assert driver.text(client) == TEXT  # without a stream, behind which some SDKs close the connection
        assert driver.text(client, stream=stream) == TEXT
        assert (server.posts, server.opened) == (2, 2)


@pytest.mark.parametrize("fault", raw_faults.KEEP_ALIVE_RACES, ids=fault_id)
def test_a_further_request_of_a_call_is_not_sent_again(driver: Driver, fault: Fault) -> None:
    """Its connection was not idle, and a repetition of the call would pay for its earlier answers again."""
    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=1, emulate=True)
        with pytest.raises(openai.APIError):
            driver.ask(client, n=3)
        assert server.posts == 1


def test_a_request_that_was_read_is_not_sent_again(driver: Driver, *, stream: bool) -> None:
    """A connection that ends later than at once may have lost the answer of an execution."""
    with serving(raw_faults.good, raw_faults.closes_slowly) as server:
        client = driver.client(base_url=server.url, max_retries=1)
        assert driver.text(client) == TEXT
        with pytest.raises(openai.APIConnectionError):
            driver.text(client, stream=stream)
        assert (server.posts, server.opened) == (2, 1)


def test_a_request_whose_answer_had_begun_is_not_sent_again(driver: Driver, *, stream: bool) -> None:
    """The server had read it, however soon the connection ended."""
    with serving(raw_faults.good, raw_faults.half_a_head) as server:
        client = driver.client(base_url=server.url, max_retries=1)
        assert driver.text(client) == TEXT
        with pytest.raises(openai.APIConnectionError):
            driver.text(client, stream=stream)
        assert (server.posts, server.opened) == (2, 1)


@pytest.mark.parametrize("fault", [raw_faults.closes, raw_faults.resets], ids=fault_id)
def test_a_request_on_a_new_connection_is_not_sent_again(driver: Driver, fault: Fault) -> None:
    """No server closes a connection for being idle that was opened for the request."""
    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=1)
        with pytest.raises(openai.APIConnectionError):
            driver.text(client)
        assert server.posts == 1
