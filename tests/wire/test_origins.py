"""What is Tess's goes to the configured origin only, wherever a redirect or a base URL leads."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
import pytest

from tess_openai import TessRequestWarning, TessWarning
from tess_openai.edge.origins import MAX_REDIRECTS
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
def test_a_redirect_that_drops_the_request_is_an_error(driver: Driver, status: int, location: str) -> None:
    """The SDK would follow it with a GET, and report what that finds."""
    error = driver.fails(driver.client(max_retries=2), faults.redirect(location=location, status=status))
    assert error.code == "redirected"
    assert len(driver.simulator.requests) == 1


@pytest.mark.parametrize("location", ["", "http://[bad", "https://", "http://127.0.0.1:99999/x", "\x7f"])
def test_a_redirect_to_nowhere_is_an_error(driver: Driver, location: str) -> None:
    """Its `location` is missing or not a URL."""
    error = driver.fails(driver.client(max_retries=2), faults.redirect(location=location, status=307))
    assert error.code == "redirected"
    assert len(driver.simulator.requests) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_within_the_agents_is_followed(driver: Driver, status: int, *, stream: bool) -> None:
    """The same request is sent, translated as the first one was."""
    driver.simulator.fault(faults.redirect(location="/agents/44/openai/chat/completions", status=status))
    client = driver.client(unsupported="ignore")
    assert "Agent 44" in driver.text(client, stream=stream, seed=1, temperature=1)
    first, second = driver.simulator.calls
    assert first.json == second.json
    assert second.headers["authorization"] == f"Bearer {SIMULATOR_API_KEY}"
    assert second.headers["x-workspace-id"] == "7001"


def test_a_followed_redirect_reports_its_changes_once(driver: Driver) -> None:
    """The second hop is the same call."""
    reported: list[object] = []
    driver.simulator.fault(faults.redirect(location=CHAT, status=307))
    with pytest.warns(TessRequestWarning) as caught:
        driver.ask(driver.client(on_change=reported.append), temperature=0.7)
    assert len(caught) == len(reported) == 1


def test_redirects_without_end_are_an_error(driver: Driver) -> None:
    """They end after a few, and the SDK does not retry; without a limit it sent 63 requests."""
    driver.simulator.fault(faults.redirect(location=CHAT, status=307), times=80)
    error = driver.fails(driver.client(max_retries=2))
    assert isinstance(error, openai.InternalServerError)
    assert error.code == "redirected"
    assert f"after {MAX_REDIRECTS} redirects in a row" in str(error)
    assert len(driver.simulator.calls) == MAX_REDIRECTS + 1


def test_a_client_turned_elsewhere_sends_nothing_of_ours(driver: Driver, foreign: TessSimulator) -> None:
    """`with_options(base_url=...)` keeps the key, so the call is refused before it is sent."""
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
    """It is not sent even with the key of another service."""
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
def test_the_base_url_may_be_written_in_other_ways(driver: Driver, given: str) -> None:
    """It may have a host in capitals, a slash at its end, or the whole path of the agent."""
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
    """The error has the reason and the remedy."""
    with pytest.warns(TessWarning, match="No workspace is named"):
        client = driver.client(workspace_id=None)
    error = driver.fails(client)
    assert isinstance(error, openai.UnprocessableEntityError)
    assert (error.code, error.param) == ("workspace_required", "x-workspace-id")
    assert "TESS_WORKSPACE_ID" in str(error)


@pytest.mark.parametrize(
    "path",
    ["//agents/42/openai", "/agents//42/openai/", "/agents/42/openai/v1", "/agents/42//openai//v1//"],
    ids=["two slashes in front", "two slashes inside", "a version", "both"],
)
def test_a_client_of_ones_own_may_join_its_base_url_in_other_ways(
    driver: Driver, path: str, *, stream: bool
) -> None:
    """Frameworks do; the call is translated and sent to the path that Tess has."""
    client = own_client(driver, f"{driver.simulator.base_url}{path}")
    assert driver.text(client, stream=stream, seed=1) == driver.answer
    (call,) = driver.simulator.calls
    assert call.path == CHAT
    assert call.json == {**driver.hello, **({"stream": True} if stream else {})}


@pytest.mark.parametrize(
    "path", ["/v1", "", "/agents/42", "/agents/42/v1", "/openai"], ids=lambda path: path or "the host alone"
)
def test_a_base_url_without_an_agent_is_refused_with_the_cause(driver: Driver, path: str) -> None:
    """Nothing is sent: Tess would answer with a 404 that does not say why."""
    error = driver.fails(own_client(driver, f"{driver.simulator.base_url}{path}"))
    assert isinstance(error, openai.NotFoundError)
    assert error.code == "endpoint_not_supported"
    assert 'connection(8794)["base_url"]' in str(error)
    assert driver.simulator.requests == []


def test_a_base_url_outside_the_configured_prefix_is_refused_with_the_cause(driver: Driver) -> None:
    """`https://tess.pareto.io/agents/...` for a client of `https://tess.pareto.io/api`."""
    root = driver.simulator.base_url
    error = driver.fails(own_client(driver, f"{root}/agents/42/openai", base_url=f"{root}/api"))
    assert error.code == "endpoint_not_supported"
    assert "is not below an agent of the configured base URL" in str(error)
    assert driver.simulator.requests == []


def own_client(driver: Driver, url: str, **options: Any) -> Any:
    """Make the SDK's client as a framework does, over an http client of ours."""
    http_client = driver.adapted_http_client(**{"unsupported": "ignore", **options})
    kind = openai.AsyncOpenAI if driver.is_async else openai.OpenAI
    client = kind(base_url=url, api_key=SIMULATOR_API_KEY, http_client=http_client, max_retries=0)
    driver.clients.append(client)
    return client


ODD_LOCATIONS = (
    "http:/agents/42/openai/chat/completions",
    "http:agents/42/openai/chat/completions",
    "http:///agents/42/openai/chat/completions",
    "//evil.example/agents/42/openai/chat/completions",
    "/\\evil.example/agents/42/openai/chat/completions",
    "\\\\evil.example/agents/42/openai/chat/completions",
    "http://@/agents/42/openai/chat/completions",
    "http://127.0.0.1:PORT@evil.example/agents/42/openai/chat/completions",
    "http://evil.example\\@127.0.0.1:PORT/agents/42/openai/chat/completions",
    "http://127.0.0.1:PORT\\.evil.example/agents/42/openai/chat/completions",
    "http://127.0.0.1/agents/42/openai/chat/completions",
    "https://127.0.0.1:PORT/agents/42/openai/chat/completions",
    "HTTPS:///agents/42/openai/chat/completions",
    "http://127.1:PORT/agents/42/openai/chat/completions",
    "http://127.0.0.1:PORT/agents/42/../../../login",
    "http://127.0.0.1:PORT/login",
    "?x=1",
    "#x",
    ".",
)


PIECES = (
    *(
        "http:",
        "HTTPS:",
        "https:",
        "/",
        "//",
        "///",
        "\\",
        "@",
        ":",
        "?",
        "#",
        "%2f",
        "%5c",
        "\t",
        " ",
        "\x00",
    ),
    *(
        "127.0.0.1",
        "localhost",
        "[::1]",
        "evil.example",
        ":PORT",
        ":80",
        ":443",
        ":0",
        ":99999",
        "..",
        "\u3002",
    ),
    *("agents/42/openai", "/agents/42/openai/chat/completions", "chat/completions", "user"),
)


def odd_locations(port: int, count: int) -> list[str]:
    """Return odd `location`s: those above, and what chance makes of pieces of URLs, the same in each run."""
    chance = random.Random(19)  # noqa: S311 - no secret
    made = list(ODD_LOCATIONS)
    while len(made) < count:
        head = chance.choice(("", "http://127.0.0.1:PORT", "http://127.0.0.1", "http:", "//", "/"))
        made.append(head + "".join(chance.choices(PIECES, k=chance.randint(1, 6))))
    return [location.replace("PORT", str(port)) for location in made]


def test_no_redirect_leads_the_prompt_elsewhere(driver: Driver, family: str) -> None:
    """Each of 2,000 odd URLs is an error or leads to an agent of the configured base URL."""
    http: Any = importlib.import_module(family)
    port, sent = 8123, list[Any]()
    locations = odd_locations(port, 2000)
    location = ""

    def answer(request: Any) -> Any:
        sent.append(request.url)
        head = {"location": location.encode()}
        return http.Response(307, headers=head) if len(sent) == 1 else http.Response(500, json={"error": "x"})

    followed = 0
    options = {"transport": http.MockTransport(answer), "follow_redirects": True}
    with driver.users_client(family, **options) as theirs:
        client = driver.adapted_http_client(theirs, base_url=f"http://127.0.0.1:{port}")
        for location in locations:
            sent.clear()
            response = driver.run(client.post(f"http://127.0.0.1:{port}{CHAT}", json=dict(driver.hello)))
            assert len(sent) <= 2
            assert len(sent) == 2 or response.status_code in (404, 502), location
            followed += len(sent) - 1
            for url in sent[1:]:
                parts = urlsplit(str(url))
                assert (parts.scheme, parts.hostname, parts.port) == ("http", "127.0.0.1", port), location
                assert parts.path.startswith("/agents"), location
    assert 0 < followed < len(locations) / 2


def test_a_client_that_reads_a_redirect_otherwise_sends_nothing(driver: Driver, family: str) -> None:
    """The request that it makes is checked by its own URL, before it is sent."""
    http: Any = importlib.import_module(family)
    sent: list[str] = []

    def answer(request: Any) -> Any:
        sent.append(str(request.url))
        return http.Response(307, headers={"location": CHAT})

    class OtherParser:
        def _redirect_url(self, *_: object) -> Any:
            return http.URL(f"http://127.0.0.1:9{CHAT}")

    kind = http.AsyncClient if driver.is_async else http.Client
    other: Any = type("Other", (OtherParser, kind), {})
    theirs = other(transport=http.MockTransport(answer), follow_redirects=True)
    client = driver.adapted_http_client(theirs, base_url="http://127.0.0.1:8123")
    response = driver.run(client.post(f"http://127.0.0.1:8123{CHAT}", json=dict(driver.hello)))
    assert response.json()["error"]["code"] == "redirected"
    assert sent == [f"http://127.0.0.1:8123{CHAT}"]
    driver.close(theirs)


def test_a_key_without_a_pipe_is_not_sent_elsewhere(driver: Driver, foreign: TessSimulator) -> None:
    """The configured one is known, and so is each that was sent to Tess, in whatever header it is."""
    key = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    with pytest.warns(TessWarning, match="no pipe"):
        client = driver.client(api_key=key)
    elsewhere = f"{foreign.base_url}/v1"
    assert driver.fails(client.with_options(base_url=elsewhere)).code == "foreign_origin"
    other = client.with_options(api_key="another" + key)
    driver.fails(other)
    assert driver.fails(other.with_options(base_url=elsewhere)).code == "foreign_origin"
    hidden = other.with_options(base_url=elsewhere, api_key="key-of-another-service")
    error = driver.fails(hidden, extra_headers={"X-Api-Key": key})
    assert error.code == "foreign_origin"
    assert key not in str(error)
    assert foreign.requests == []


def test_a_key_without_a_pipe_from_a_function_is_not_sent_elsewhere(
    driver: Driver, foreign: TessSimulator
) -> None:
    """This holds even before any call has used the key."""
    if driver.sdk < (1, 106):
        pytest.skip("this SDK cannot call a key")

    async def give_later() -> str:
        return "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"

    client = driver.client(
        api_key=give_later if driver.is_async else lambda: "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    )
    assert driver.fails(client.with_options(base_url=f"{foreign.base_url}/v1")).code == "foreign_origin"
    assert foreign.requests == []
