"""How long a call waits and how often it is sent: each execution is paid for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import openai
import pytest

from tess_openai.testing import (
    SIMULATOR_API_KEY,
    SIMULATOR_WORKSPACE_ID,
    Fault,
    Profile,
    TessSimulator,
    faults,
)
from tess_openai.testing.wire import json_response

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


@pytest.mark.parametrize("header", [False, True], ids=["in the body", "in the header too"])
def test_a_429_is_waited_out(driver: Driver, *, header: bool, stream: bool) -> None:
    """The wait is in Tess's body, where the SDK does not look."""
    driver.simulator.fault(faults.rate_limited(retry_after_seconds=0.9, header=header))
    began = time.monotonic()
    assert driver.text(driver.client(max_retries=1), stream=stream) == driver.answer
    assert 0.9 <= time.monotonic() - began < 5
    assert [call.status for call in driver.simulator.calls] == [429, 200]


def test_a_wait_beyond_the_budget_fails_at_once(driver: Driver) -> None:
    """The program is not blocked for minutes, and the error says how long to wait."""
    began = time.monotonic()
    client = driver.client(max_retries=2, max_retry_wait=30)
    error = driver.fails(client, faults.rate_limited(retry_after_seconds=31))
    assert isinstance(error, openai.RateLimitError)
    assert "31 seconds" in str(error)
    assert error.response.headers["retry-after"] == "31"
    assert len(driver.simulator.calls) == 1
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after-ms": "31000"},
        {"retry-after": "Wed, 21 Oct 2026 12:00:31 GMT", "date": "Wed, 21 Oct 2026 12:00:00 GMT"},
    ],
    ids=["in milliseconds", "as a moment"],
)
def test_a_proxys_wait_beyond_the_budget_fails_at_once_too(driver: Driver, headers: dict[str, str]) -> None:
    """A proxy may give it in several forms, and the SDK would sleep through each of them."""
    limited = json_response(429, {"error": "Too many requests"}).with_headers(**headers)
    client = driver.client(max_retries=2, max_retry_wait=30)
    error = driver.fails(client, Fault(name="limited by a proxy", instead=limited))
    assert isinstance(error, openai.RateLimitError)
    assert "31 seconds" in str(error)
    assert error.response.headers["retry-after"] == "31"
    assert "retry-after-ms" not in error.response.headers
    assert len(driver.simulator.calls) == 1


def test_a_rate_limited_program_gets_all_its_answers(driver: Driver) -> None:
    """One request a second is what users report."""
    profile = Profile(requests_per_second=1)
    with TessSimulator(profile=profile) as simulator, simulator.serve() as server:
        client = driver.client(base_url=server.base_url, max_retries=2)
        assert [driver.text(client) for _ in range(2)] == [driver.answer] * 2
        assert [call.status for call in simulator.calls] == [200, 429, 200]


def test_the_sdks_own_retries_send_the_same(driver: Driver) -> None:
    """Each is translated from the caller's request, not from the last attempt's."""
    driver.simulator.fault(faults.server_error())
    client = driver.client(max_retries=1, unsupported="ignore")
    driver.ask(client, seed=1, messages=[{"role": "developer", "content": "a"}, *driver.hello["messages"]])
    first, second = driver.simulator.calls
    assert first.json == second.json
    assert second.headers["x-workspace-id"] == str(SIMULATOR_WORKSPACE_ID)
    assert second.headers["authorization"] == f"Bearer {SIMULATOR_API_KEY}"


def test_no_retries_are_no_retries(driver: Driver) -> None:
    """`max_retries=0` holds for whatever the adapter does."""
    driver.fails(driver.client(max_retries=0), faults.server_error())
    assert len(driver.simulator.calls) == 1


def test_the_timeout_of_a_call_holds(driver: Driver) -> None:
    """`timeout=` reaches the inner transport, although the request is a new one."""
    began = time.monotonic()
    driver.simulator.fault(faults.hang())
    with pytest.raises(openai.APITimeoutError):
        driver.ask(driver.client(unsupported="ignore"), seed=1, timeout=0.2)
    assert time.monotonic() - began < 5


def test_the_timeout_of_a_changed_client_holds(driver: Driver) -> None:
    """`with_options(timeout=...)` sets it."""
    driver.simulator.fault(faults.hang())
    with pytest.raises(openai.APITimeoutError):
        driver.ask(driver.client().with_options(timeout=0.2))


def test_no_server_is_a_connection_error(driver: Driver) -> None:
    """The exception is the one for OpenAI's server."""
    client = driver.client()
    driver.simulator.close()
    with pytest.raises(openai.APIConnectionError):
        driver.ask(client)
