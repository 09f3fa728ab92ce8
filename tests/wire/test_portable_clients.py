"""Http clients with the adapter are copied and pickled as frameworks do, and never drop it in silence."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import TessConfigurationError, connection
from tess_openai.testing import SIMULATOR_API_KEY

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

WAYS = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda client: pickle.loads(pickle.dumps(client)),  # noqa: S301 - our own
}


def http_client(driver: Driver, **options: Any) -> Any:
    """Make an http client as for a framework, with settings that a copy must keep."""
    given: dict[str, Any] = {**driver.connection, "unsupported": "ignore", "tools": "internet", **options}
    client = connected(driver, **given)
    client.headers["x-team"] = "a"
    client.timeout = 77
    return client


def connected(driver: Driver, **options: Any) -> Any:
    """Return the http client of a connection that is of the driver's kind."""
    tess = connection(42, **options)
    return tess["async_http_client"] if driver.is_async else tess["http_client"]


def sdk_client(driver: Driver, made: Any) -> Any:
    """Make the SDK's client over an http client."""
    kind = openai.AsyncOpenAI if driver.is_async else openai.OpenAI
    base_url = f"{driver.simulator.base_url}/agents/42/openai"
    client = kind(base_url=base_url, api_key=SIMULATOR_API_KEY, http_client=made, max_retries=0)
    driver.clients.append(client)
    return client


@pytest.mark.parametrize("agent", ["42", "simulated-agent-42"])
@pytest.mark.parametrize("more", [{}, {"seed": 1}], ids=["plain", "changed"])
def test_a_body_in_chunks_is_sent_as_a_whole(driver: Driver, agent: str, more: dict[str, Any]) -> None:
    """HTTP allows a length or chunks, not both, in a chat as in the look-up of its agent."""
    body = json.dumps({**driver.hello, **more}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (body[:9], body[9:]):
            yield piece

    client = http_client(driver)
    answer = driver.run(
        client.post(
            f"{driver.simulator.base_url}/agents/{agent}/openai/chat/completions",
            content=pieces() if driver.is_async else iter((body[:9], body[9:])),
            headers={"authorization": f"Bearer {SIMULATOR_API_KEY}", "content-type": "application/json"},
        )
    )
    driver.close(client)
    assert answer.status_code == 200
    for request in driver.simulator.requests:
        assert "transfer-encoding" not in request.headers
        assert request.headers["content-length"] == str(len(request.body))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_http_client_survives(driver: Driver, family: str, way: Any, *, stream: bool) -> None:
    """It keeps workspace, translation and settings, even after the original is gone."""
    if family == "httpx2" and driver.sdk < (2, 47):
        pytest.skip("this SDK refuses clients of httpx2")
    first = http_client(driver, family=family)
    made: Any = way(first)
    assert (made.headers["x-team"], made.timeout.read) == ("a", 77)
    if way is not copy.copy:
        driver.close(first)
    del first
    text = driver.text(sdk_client(driver, made), stream=stream, seed=1)
    assert text == driver.answer.replace("tools by default", "tools internet")
    (call,) = driver.simulator.calls
    assert call.headers["x-workspace-id"] == "7001"
    assert call.headers["x-team"] == "a"
    assert "seed" not in (call.json if isinstance(call.json, dict) else {})


def test_a_pickle_holds_no_key(driver: Driver) -> None:
    """Its hash is enough to keep the key at home: what comes out of the pickle still knows it."""
    key = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    with pytest.warns(UserWarning, match="no pipe"):
        made = http_client(driver, api_key=key)
    pickled = pickle.dumps(made)
    assert key.encode() not in pickled
    assert SIMULATOR_API_KEY.encode() not in pickle.dumps(http_client(driver))
    again = pickle.loads(pickled)  # noqa: S301 - our own
    kind = openai.AsyncOpenAI if driver.is_async else openai.OpenAI
    client = kind(base_url="http://127.0.0.1:9/v1", api_key=key, http_client=again, max_retries=0)
    driver.clients.append(client)
    assert driver.fails(client).code == "foreign_origin"
    driver.close(made)


def test_both_clients_of_a_connection_are_pickled_together(driver: Driver) -> None:
    """The model of a framework contains both."""
    tess = connection(42, **driver.connection, requests_per_second=1000)
    made = pickle.loads(pickle.dumps([tess["http_client"], tess["async_http_client"]]))  # noqa: S301 - our own
    assert driver.text(sdk_client(driver, made[driver.is_async])) == driver.answer


def test_a_shared_line_is_pickled_by_its_url(driver: Driver, tmp_path: Path) -> None:
    """The other process waits in the same line; a URL that may contain a password is not written down."""
    made = http_client(driver, pacing=f"sqlite:///{tmp_path}/line.sqlite", requests_per_second=1000)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own
    assert driver.text(sdk_client(driver, again)).endswith("received: hello")
    assert (tmp_path / "line.sqlite").exists()
    driver.close(made)


@pytest.mark.needs("redis")
def test_a_password_of_a_shared_line_is_not_pickled(driver: Driver) -> None:
    """The error says what to do."""
    made = http_client(driver, pacing="redis://:SECRET@127.0.0.1:1/0")
    with pytest.raises(TessConfigurationError, match="pacing= may contain a password") as caught:
        pickle.dumps(made)
    assert "SECRET" not in str(caught.value) + repr(made._transport.adapter)
    driver.close(made)


def test_a_client_of_the_sdk_is_copied_deeply_but_not_pickled(driver: Driver) -> None:
    """It holds its key; the plain one cannot be pickled either."""
    client = driver.client(http_client=None, unsupported="ignore")
    http = client._client
    with pytest.raises(TessConfigurationError, match=r"create_client\(8794\)"):
        pickle.dumps(http)
    with pytest.raises((TessConfigurationError, TypeError, pickle.PicklingError)):
        pickle.dumps(client)
    with pytest.raises(TessConfigurationError, match="holds its API key"):
        pickle.dumps(copy.deepcopy(http))
    assert driver.text(sdk_client(driver, copy.deepcopy(http)), seed=1) == driver.answer


def test_a_client_of_the_users_is_copied_but_not_pickled(driver: Driver, family: str) -> None:
    """Its connections are theirs: copies share them, and a pickle says what to do."""
    with driver.users_client(family) as theirs:
        name = "async_http_client" if driver.is_async else "http_client"
        wrapped = connected(driver, **{name: theirs}, **driver.connection)
        for way in (copy.copy, copy.deepcopy):
            made = way(wrapped)
            assert made._transport.inner is theirs._transport
            assert driver.text(sdk_client(driver, made)) == driver.answer
        with pytest.raises(TessConfigurationError, match=r"connection\(8794\)"):
            pickle.dumps(wrapped)
        assert not hasattr(theirs, "_tess_installation")


@pytest.mark.parametrize("secret", ["authorization", "x-api-key"])
def test_a_key_in_a_header_is_not_pickled(driver: Driver, secret: str) -> None:
    """Frameworks put one there; pickling is then refused."""
    made = http_client(driver)
    made.headers[secret] = f"Bearer {SIMULATOR_API_KEY}"
    with pytest.raises(TessConfigurationError, match="api_key=") as caught:
        pickle.dumps(made)
    assert SIMULATOR_API_KEY not in str(caught.value)
    driver.close(made)


def test_another_process_needs_no_settings(driver: Driver) -> None:
    """A worker that was spawned gets the client by pickle, and asks through the adapter."""
    if driver.is_async:
        pytest.skip("one kind is enough for a process of its own")
    made = http_client(driver)
    program = (
        "import pickle, sys, openai\n"
        "http_client = pickle.load(sys.stdin.buffer)\n"
        "client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], http_client=http_client)\n"
        "print(client.chat.completions.create(model='tess-6', seed=1, "
        "messages=[{'role': 'user', 'content': 'hello'}]).choices[0].message.content)\n"
    )
    url = f"{driver.simulator.base_url}/agents/42/openai"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, url, SIMULATOR_API_KEY],
        input=pickle.dumps(made),
        capture_output=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("TESS_")},
    )
    driver.close(made)
    assert ran.stdout.decode().strip().endswith("hello"), ran.stderr.decode()[-500:]
    assert driver.simulator.calls[0].headers["x-workspace-id"] == "7001"
