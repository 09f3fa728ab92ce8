"""The http client below: proxies, limits and redirects are kept, and a client of the user's stays theirs."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import json
from typing import TYPE_CHECKING, Any, Literal

import openai
import pytest

from tess_openai import TessConfigurationError
from tess_openai.edge.async_transports import AsyncTessTransport
from tess_openai.edge.transports import TessTransport
from tess_openai.testing import TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver, Relay


def test_a_client_of_either_family_is_served(driver: Driver, family: str, *, stream: bool) -> None:
    """Over a real socket, the adapter does everything that it does otherwise."""
    with driver.users_client(family) as http_client:
        client = driver.client(http_client=http_client, unsupported="ignore")
        assert driver.text(client, stream=stream, seed=1) == driver.answer
        assert driver.fails(client, faults.server_error(), stream=stream).code == "server_error"


def test_a_client_with_a_transport_of_its_own_is_served(
    driver: Driver, family: Literal["httpx", "httpx2"], *, stream: bool
) -> None:
    """In-process, with no socket: the simulator's transport below ours."""
    with TessSimulator() as simulator:
        transport = simulator.async_transport(family) if driver.is_async else simulator.transport(family)
        with driver.users_client(family, transport=transport) as http_client:
            client = driver.client(
                http_client=http_client, base_url="https://api.tess.im", unsupported="ignore"
            )
            assert driver.text(client, stream=stream, seed=1) == driver.answer
            simulator.fault(faults.error_event() if stream else faults.error_in_200())
            assert "agent" in str(driver.fails(client, stream=stream)).lower()


def test_answers_that_were_read_before_are_served(driver: Driver, family: str) -> None:
    """A mock transport returns whole answers, which work as they are and with a ledger."""
    http = importlib.import_module(family)
    choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    transport = http.MockTransport(lambda _: http.Response(200, json=whole))
    with driver.users_client(family, transport=transport) as theirs:
        client = driver.client(http_client=theirs, usage="none", unsupported="ignore")
        assert driver.ask(client).model_extra == {}
        asked = driver.ask(client, seed=1)
    assert asked.choices[0].message.content == "yes"
    assert [change["param"] for change in asked.tess_openai["changes"]] == ["seed"]


@pytest.mark.parametrize("rest", [b"\n", b"junk", b'{"error": "late"}'])
def test_bytes_behind_an_answer_that_was_read_before_are_no_part_of_it(
    driver: Driver, family: str, rest: bytes
) -> None:
    """The SDK gets the answer without them, with its own length."""
    http = importlib.import_module(family)
    choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    body = json.dumps({**whole, "usage": usage}).encode() + rest
    headers = {"content-type": "application/json"}
    transport = http.MockTransport(lambda _: http.Response(200, headers=headers, content=body))
    with driver.users_client(family, transport=transport) as theirs:
        client = driver.client(http_client=theirs)
        raw = driver.run(client.chat.completions.with_raw_response.create(**driver.hello))
    assert raw.parse().choices[0].message.content == "yes"
    assert json.loads(raw.content) == {**whole, "usage": usage}
    assert raw.headers["content-length"] == str(len(raw.content))


def test_an_answer_in_one_piece_is_bounded_too(driver: Driver, family: str) -> None:
    """Its length is known at once; one that is too long is refused, and the call is not repeated."""
    http, received = importlib.import_module(family), list[Any]()
    choice = {"index": 0, "message": {"role": "assistant", "content": "x" * 500}, "finish_reason": "stop"}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}

    def answer(request: Any) -> Any:
        received.append(request)
        return http.Response(200, json=whole)

    with driver.users_client(family, transport=http.MockTransport(answer)) as theirs:
        with pytest.raises(openai.APIConnectionError):
            driver.ask(driver.client(http_client=theirs, max_answer_bytes=400, max_retries=2))
        assert len(received) == 1
        assert driver.ask(driver.client(http_client=theirs, max_answer_bytes=1000)).id == "x"


@pytest.mark.parametrize("name", ["ConnectError", "ReadTimeout"])
def test_an_upload_that_the_transport_reads_first_fails_as_any_other(
    driver: Driver, family: str, name: str
) -> None:
    """A mock transport reads each request, and puts a body in memory in the place of a stream."""
    http, received = importlib.import_module(family), list[Any]()

    def fail(request: Any) -> Any:
        received.append(request)
        raise getattr(http, name)("broken")

    with driver.users_client(family, transport=http.MockTransport(fail)) as theirs:
        client = driver.client(http_client=theirs, max_retries=int(name == "ReadTimeout"))
        with pytest.raises(openai.APIConnectionError):
            driver.run(client.files.create(file=("a.txt", b"text"), purpose="assistants"))
    assert len(received) == 1


def test_the_users_client_stays_as_it_was(driver: Driver, family: str) -> None:
    """The wrapper is in a copy: the user's client still works without it."""
    with driver.users_client(family) as theirs:
        before = (theirs._transport, dict(theirs._mounts))
        driver.ask(driver.client(http_client=theirs))
        assert (theirs._transport, theirs._mounts) == before
        response = driver.run(theirs.post(f"{driver.simulator.openai_url()}/chat/completions", json={}))
        assert response.status_code == 401
        assert "x-workspace-id" not in driver.simulator.calls[-1].headers


def test_the_users_settings_are_kept(driver: Driver, family: str) -> None:
    """Hooks, cookies, headers and parameters of the client are used."""
    seen: list[str] = []

    async def note_async(request: Any) -> None:
        seen.append(request.method)

    hook: Any = note_async if driver.is_async else lambda request: seen.append(request.method)
    options: dict[str, Any] = {
        "cookies": {"session": "blue"},
        "headers": {"x-team": "a"},
        "params": {"v": "1"},
        "event_hooks": {"request": [hook]},
    }
    with driver.users_client(family, **options) as theirs:
        driver.ask(driver.client(http_client=theirs))
    (call,) = driver.simulator.calls
    assert (call.headers["cookie"], call.target.partition("?")[2], seen) == ("session=blue", "v=1", ["POST"])


def test_a_wrapped_client_is_wrapped_again_and_not_twice(driver: Driver, family: str) -> None:
    """The settings of the last factory apply, and the transport below is the user's own."""
    with driver.users_client(family) as theirs:
        first = driver.client(http_client=theirs, tools="internet")
        second = driver.client(http_client=first._client)
        wrapper = second._client._transport
        assert isinstance(wrapper, TessTransport | AsyncTessTransport)
        assert wrapper.inner is theirs._transport
        assert "tools internet" in driver.text(first)
        assert "tools by default" in driver.text(second)


def test_several_agents_share_one_pool(driver: Driver, family: str, relay: Relay) -> None:
    """A client of the user's may serve many."""
    with driver.users_client(family) as theirs:
        for agent in (42, 44, 42):
            text = driver.text(driver.client(agent, http_client=theirs, base_url=relay.url))
            assert f"Agent {agent}" in text
        assert relay.connections == 1


def test_a_client_of_the_other_kind_is_refused(driver: Driver) -> None:
    """Sync for async, with the name of the factory that takes it."""
    other = openai.DefaultHttpxClient() if driver.is_async else openai.DefaultAsyncHttpxClient()
    with pytest.raises(TessConfigurationError, match="create_client" if driver.is_async else "create_async"):
        driver.client(http_client=other)
    if isinstance(other, openai.DefaultHttpxClient):
        other.close()
    else:
        driver.loop.run_until_complete(other.aclose())


@pytest.mark.parametrize(
    "given", ["https://proxy.invalid", 7, object()], ids=["text", "a number", "an object"]
)
def test_what_is_no_http_client_is_refused(driver: Driver, given: object) -> None:
    """The factory's error says what it must be."""
    with pytest.raises(TessConfigurationError, match="must be an httpx"):
        driver.client(http_client=given)


def test_another_family_is_refused(driver: Driver) -> None:
    """The error names the two families, whatever else is installed."""
    with pytest.raises(TessConfigurationError, match='must be "httpx" or "httpx2"'):
        driver.adapted_http_client(family="respx")


def test_limits_and_redirects_of_the_sdks_client_are_kept(driver: Driver) -> None:
    """The client has 1000 connections, 100 of them kept alive, and follows redirects."""
    for family in (None, "httpx", "httpx2"):
        if family is not None and importlib.util.find_spec(family) is None:
            continue
        client = driver.adapted_http_client(family=family)
        pool = client._transport.inner._pool
        assert (pool._max_connections, pool._max_keepalive_connections) == (1000, 100)
        assert client.follow_redirects is True
        assert (client.timeout.read, client.timeout.connect) == (600, 5)
        driver.close(client)


PROXIES: dict[str, tuple[dict[str, str], bool]] = {
    "HTTP_PROXY": ({"HTTP_PROXY": "PROXY"}, True),
    "ALL_PROXY": ({"ALL_PROXY": "PROXY"}, True),
    "NO_PROXY": ({"HTTP_PROXY": "PROXY", "NO_PROXY": "127.0.0.1"}, False),
    "NO_PROXY for others": ({"HTTP_PROXY": "PROXY", "NO_PROXY": "elsewhere.invalid"}, True),
    "none": ({}, False),
}


@pytest.mark.parametrize(("environment", "is_used"), PROXIES.values(), ids=PROXIES)
def test_the_environments_proxies_are_obeyed(
    driver: Driver,
    relay: Relay,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    *,
    is_used: bool,
) -> None:
    """The adapter does everything through a proxy too."""
    for name, value in environment.items():
        monkeypatch.setenv(name.lower(), value.replace("PROXY", relay.url))
    client = driver.client(unsupported="ignore")
    assert driver.text(client, seed=1) == driver.answer
    assert driver.text(client, seed=1, stream=True) == driver.answer
    assert bool(relay.connections) is is_used
    assert {call.headers["x-workspace-id"] for call in driver.simulator.calls} == {"7001"}
    assert all(call.target.startswith("http://") is is_used for call in driver.simulator.calls)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_plain_http_does_not_leave_this_machine(
    driver: Driver, family: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A proxy of the environment on another one would get the key and the prompt in the clear."""
    monkeypatch.setenv(variable.lower(), "http://proxy.invalid:3128")
    assert driver.text(driver.client(http_client=None)) == driver.answer
    with driver.users_client(family) as theirs:
        assert driver.text(driver.client(http_client=theirs)) == driver.answer


def test_a_client_that_knows_only_a_proxy_elsewhere_is_refused(driver: Driver, family: str) -> None:
    """Plain http must not leave this machine; https may use that proxy."""
    library = importlib.import_module(family)
    make = library.AsyncHTTPTransport if driver.is_async else library.HTTPTransport
    with driver.users_client(family, transport=make(proxy="http://proxy.invalid:3128")) as theirs:
        with pytest.raises(TessConfigurationError, match="in the clear"):
            driver.client(http_client=theirs)
        driver.client(http_client=theirs, base_url="https://api.tess.im")


def test_a_proxy_of_the_users_client_is_obeyed(driver: Driver, relay: Relay, family: str) -> None:
    """It may be an argument of the client, or mounted for some hosts."""
    with driver.users_client(family, proxy=relay.url) as theirs:
        assert driver.text(driver.client(http_client=theirs)) == driver.answer
    assert relay.connections == 1


def test_the_wrapper_closes_what_it_made_and_the_users_once(driver: Driver, family: str) -> None:
    """Closing the made client closes the shared transports, as the SDK does with any it is given."""
    with driver.users_client(family) as theirs:
        client = driver.client(http_client=theirs)
        driver.ask(client)
        driver.close(client)
        assert client.is_closed()


def test_no_failure_keeps_a_connection(driver: Driver, family: str, *, stream: bool) -> None:
    """With a pool of one, a connection that is not returned would block the next call."""
    library = importlib.import_module(family)
    with driver.users_client(family, limits=library.Limits(max_connections=1)) as theirs:
        client = driver.client(http_client=theirs, timeout=2)
        driver.simulator.fault(
            faults.redirect(),
            faults.server_error(),
            faults.dropped_connection(),
            faults.breaks_off(),
            faults.error_event() if stream else faults.error_in_200(),
        )
        while len(driver.simulator.calls) < 5:
            with pytest.raises((openai.APIError, library.TransportError)):
                driver.text(client, stream=stream)
            if driver.sdk < (2, 11):  # they leave a stream that failed to the garbage collector
                gc.collect()
                driver.loop.run_until_complete(asyncio.sleep(0.01))
        if driver.is_async:
            driver.simulator.fault(faults.slow(delay_seconds=30))
            with pytest.raises(asyncio.TimeoutError):
                driver.run(asyncio.wait_for(client.chat.completions.create(**driver.hello), 0.2))
        assert "Agent 42" in driver.text(client)
