"""One line for a key over the wire: clients that share a store, and the simulator that counts their calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from redis_server import running_redis

from tess_openai import TessConfigurationError, TessConfigurationWarning, create_client
from tess_openai.edge.key_queues import KeyQueues
from tess_openai.edge.shared_pacing import SharedPacing, _new_store
from tess_openai.testing import Profile, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

KEY = "77|one-line-for-a-key"


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Name each kind of store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/line.sqlite"
        return
    pytest.importorskip("redis", reason="this lane does not install redis")
    with running_redis(tmp_path) as url:
        yield url


def as_another_process(client: Any, url: str) -> None:
    """Give a client a connection to the store, and queues, that no other client shares."""
    transport = client._client._transport
    adapter = transport.adapter
    shared = SharedPacing(url, _new_store(url))
    object.__setattr__(adapter.pacer, "shared", shared)
    object.__setattr__(adapter.pacer, "queues", KeyQueues())


def wait_for_store(client: Any) -> None:
    """Let the thread that asks the store carry out what it was given."""
    client._client._transport.adapter.pacer.shared._thread.submit(lambda: None).result(10)


def test_clients_of_two_processes_are_refused_nothing(driver: Driver, url: str, *, stream: bool) -> None:
    """Together they do not exceed the rate of the key, for whole answers and streams."""
    profile = Profile(requests_per_second=1)
    with TessSimulator(profile=profile, clock=lambda: 40 * time.monotonic(), api_keys=[KEY]) as simulator:
        options: dict[str, Any] = {
            "base_url": simulator.serve().base_url,
            "api_key": KEY,
            "requests_per_second": 5,
            "pacing": url,
        }
        clients = [driver.client(**options) for _ in range(2)]
        for each in clients:
            as_another_process(each, url)
        for _ in range(3):
            for each in clients:
                assert driver.text(each, stream=stream) == driver.answer
        assert [call.status for call in simulator.requests] == [200] * 6


def test_a_429_holds_the_calls_of_another_process(driver: Driver, url: str) -> None:
    """They wait until its time has passed; if that is too long, they fail at once and say how long it is."""
    with TessSimulator(api_keys=[KEY]) as simulator:
        options: dict[str, Any] = {
            "base_url": simulator.serve().base_url,
            "api_key": KEY,
            "requests_per_second": 100,
            "pacing": url,
            "max_retry_wait": 5,
        }
        first, second = driver.client(**options), driver.client(**options)
        as_another_process(first, url)
        as_another_process(second, url)
        simulator.fault(faults.rate_limited(retry_after_seconds=0.6))
        began = time.monotonic()
        driver.fails(first)
        wait_for_store(first)
        assert driver.text(second) == driver.answer
        assert 0.6 < time.monotonic() - began < 9
        simulator.fault(faults.rate_limited(retry_after_seconds=300))
        driver.fails(first)
        wait_for_store(first)
        error = driver.fails(second)
        assert isinstance(error, openai.RateLimitError)
        assert float(error.response.headers["retry-after"]) == pytest.approx(300, abs=9)
        assert len(simulator.requests) == 3


def test_a_store_alone_paces_at_one_request_a_second(driver: Driver, tmp_path: Path) -> None:
    """Tess is known to accept this rate."""
    client = driver.client(pacing=f"sqlite:///{tmp_path}/line.sqlite")
    adapter = client._client._transport.adapter
    assert adapter.pacer.interval_seconds == pytest.approx(1.1)
    assert driver.text(client) == driver.answer


def test_the_environment_names_the_store(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TESS_PACING`, for programs that are not changed."""
    monkeypatch.setenv("TESS_PACING", f"sqlite:///{tmp_path}/line.sqlite")
    assert driver.text(driver.client()) == driver.answer
    assert (tmp_path / "line.sqlite").exists()


def test_a_store_that_fails_is_reported_at_the_line_of_the_call(driver: Driver, tmp_path: Path) -> None:
    """Once, and the answer comes."""
    file = tmp_path / "line.sqlite"
    client = driver.client(pacing=f"sqlite:///{file}", requests_per_second=100)
    file.mkdir()
    with pytest.warns(TessConfigurationWarning, match="does not work") as caught:
        assert [driver.text(client) for _ in range(3)] == [driver.answer] * 3
    assert len(caught) == 1
    assert caught[0].filename.endswith("conftest.py")  # the driver makes the call


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("sqlite:///no-such-folder/line.sqlite", "a fourth slash"),
        ("memcached://SECRET@host", "known are sqlite:///path"),
        ("SECRET", "must be a URL"),
    ],
)
def test_a_store_that_cannot_work_is_refused_by_the_factory(given: str, reason: str) -> None:
    """Nothing is sent, and the message does not contain the password."""
    with pytest.raises(TessConfigurationError, match=reason) as caught:
        create_client(42, api_key=KEY, workspace_id=1, pacing=given)
    assert "SECRET" not in str(caught.value)
