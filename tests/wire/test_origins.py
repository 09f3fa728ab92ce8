"""What is Tess's goes to the configured origin only, wherever a redirect or a base URL leads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import openai
import pytest

from tess_openai import TessRequestWarning, TessWarning
from tess_openai.testing import SIMULATOR_API_KEY, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

REDIRECTS = (301, 302, 303, 307, 308)
CHAT = "/agents/42/openai/chat/completions"


@pytest.fixture
def foreign() -> Iterator[TessSimulator]:
    """Serve another origin, which must never be asked."""
    with TessSimulator() as simulator:
        simulator.serve()
        yield simulator


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_elsewhere_is_an_error(
    driver: Driver, foreign: TessSimulator, status: int, *, stream: bool
) -> None:
    """Nothing is sent there, nothing is sent again; 307 and 308 would repeat the whole prompt."""
    fault = faults.redirect(location=f"{foreign.base_url}{CHAT}", status=status)
    error = driver.fails(driver.client(max_retries=2), fault, stream=stream)
    assert isinstance(error, openai.InternalServerError)
    assert error.code == "redirected"
    assert "nothing was sent there" in str(error)
    assert len(driver.simulator.calls) == 1
    assert foreign.requests == []


@pytest.mark.parametrize(
    "location",
    ["/agents/42/openai/chat/completions", "/login", "/agents/42"],
    ids=["to the same place", "to a login page", "out of the agent"],
)
@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_loses_the_request_is_an_error(driver: Driver, status: int, location: str) -> None:
    """The SDK would follow it with a GET, and report what that finds."""
    error = driver.fails(driver.client(max_retries=2), faults.redirect(location=location, status=status))
    assert error.code == "redirected"
    assert len(driver.simulator.requests) == 1


@pytest.mark.parametrize("location", ["", "http://[bad", "https://", "http://127.0.0.1:99999/x", "\x7f"])
def test_a_redirect_to_nowhere_is_an_error(driver: Driver, location: str) -> None:
    """Where its `location` is absent, or no URL at all."""
    error = driver.fails(driver.client(max_retries=2), faults.redirect(location=location, status=307))
    assert error.code == "redirected"
    assert len(driver.simulator.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_agents_is_followed(driver: Driver, status: int, *, stream: bool) -> None:
    """With the same request, translated as the first was."""
    driver.simulator.fault(faults.redirect(location="/agents/44/openai/chat/completions", status=status))
    client = driver.client(unsupported="ignore")
    assert "Agent 44" in driver.text(client, stream=stream, seed=1, temperature=1)
    first, second = driver.simulator.calls
    assert first.json == second.json
    assert second.headers["authorization"] == f"Bearer {SIMULATOR_API_KEY}"
    assert second.headers["x-workspace-id"] == "7001"


def test_a_followed_redirect_tells_its_changes_once(driver: Driver) -> None:
    """The second hop is the same call."""
    reported: list[object] = []
    driver.simulator.fault(faults.redirect(location=CHAT, status=307))
    with pytest.warns(TessRequestWarning) as caught:
        driver.ask(driver.client(on_change=reported.append), temperature=0.7)
    assert len(caught) == len(reported) == 1


def test_redirects_without_end_are_an_error(driver: Driver) -> None:
    """The http client counts them."""
    driver.simulator.fault(faults.redirect(location=CHAT, status=307), times=30)
    error = driver.fails(driver.client())
    assert isinstance(error, openai.APIConnectionError)
    assert len(driver.simulator.calls) < 30


def test_a_client_turned_elsewhere_sends_nothing_of_ours(driver: Driver, foreign: TessSimulator) -> None:
    """`with_options(base_url=...)` keeps the key, so the call is refused before it leaves."""
    client = driver.client().with_options(base_url=f"{foreign.base_url}/agents/42/openai")
    error = driver.fails(client)
    assert error.code == "foreign_origin"
    assert foreign.requests == []


def test_a_client_turned_elsewhere_with_another_key_is_left_alone(
    driver: Driver, foreign: TessSimulator
) -> None:
    """It is then a client of that service: nothing is added, nothing is taken away."""
    client = driver.client().with_options(
        base_url=f"{foreign.base_url}/agents/42/openai", api_key="key-of-another-service"
    )
    with pytest.raises(openai.AuthenticationError):
        driver.ask(client, seed=1, temperature=0.7)
    (call,) = foreign.calls
    assert call.headers["authorization"] == "Bearer key-of-another-service"
    assert "x-workspace-id" not in call.headers
    assert call.json == {**driver.hello, "seed": 1, "temperature": 0.7}


def test_a_workspace_is_not_sent_elsewhere(driver: Driver, foreign: TessSimulator) -> None:
    """Even where the key is another service's."""
    client = driver.client(default_headers={"x-workspace-id": "7001"}).with_options(
        base_url=f"{foreign.base_url}/v1", api_key="key-of-another-service"
    )
    assert driver.fails(client).code == "foreign_origin"
    assert foreign.requests == []


def test_a_key_that_a_function_gives_is_not_sent_elsewhere(driver: Driver, foreign: TessSimulator) -> None:
    """It is known by its form."""
    if driver.sdk < (1, 106):
        pytest.skip("this SDK cannot call a key")

    async def give_later() -> str:
        return SIMULATOR_API_KEY

    client = driver.client(api_key=give_later if driver.is_async else lambda: SIMULATOR_API_KEY)
    error = driver.fails(client.with_options(base_url=f"{foreign.base_url}/v1"))
    assert error.code == "foreign_origin"
    assert foreign.requests == []


def test_a_whole_url_elsewhere_sends_nothing_of_ours(driver: Driver, foreign: TessSimulator) -> None:
    """`client.post()` takes one, and the SDK would add the key."""
    with pytest.raises(openai.APIStatusError) as caught:
        driver.run(driver.client().post(f"{foreign.base_url}/x", cast_to=object, body={"a": 1}))
    assert caught.value.code == "foreign_origin"
    assert foreign.requests == []


@pytest.mark.parametrize("given", ["HOST", "port", "slash", "agent"])
def test_the_base_url_may_be_spelt_in_other_ways(driver: Driver, given: str) -> None:
    """A host in capitals, a slash at the end, the whole path of the agent."""
    root = driver.simulator.base_url
    written = {
        "HOST": root.replace("127.0.0.1", "LOCALHOST"),
        "port": root,
        "slash": f"{root}/",
        "agent": f"{root}/agents/42/openai/",
    }[given]
    assert driver.text(driver.client(base_url=written)) == driver.answer


def test_the_older_hosts_prefix_works(driver: Driver) -> None:
    """`https://tess.pareto.io/api` has its routes below `/api`."""
    client = driver.client(base_url=f"{driver.simulator.base_url}/api")
    assert driver.text(client) == driver.answer
    assert driver.simulator.calls[0].path == f"/api{CHAT}"


def test_no_workspace_is_warned_of_and_refused_by_tess(driver: Driver) -> None:
    """With the reason and the remedy in the error."""
    with pytest.warns(TessWarning, match="No workspace is named"):
        client = driver.client(workspace_id=None)
    error = driver.fails(client)
    assert isinstance(error, openai.UnprocessableEntityError)
    assert (error.code, error.param) == ("workspace_required", "x-workspace-id")
    assert "TESS_WORKSPACE_ID" in str(error)
