"""Who may call: keys of the gateway's own, keys of Tess that pass through, and pages in browsers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tess_openai import TessConfigurationError
from tess_openai.core.refusals import Refused
from tess_openai.gateway import create_app
from tess_openai.gateway.bounded_http import BoundedHttpProtocol
from tess_openai.gateway.keys import KeyFile, ThisMachine
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator
from tests.gateway.running import HELLO, Gateway, Start, running

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
ALICE, BOB = "gw-" + "a" * 24, "gw-" + "b" * 24


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The keys of two callers."""
    path = tmp_path / "keys"
    path.write_text(f"# who may call\n\nalice {ALICE}\nbob\t{BOB}\n")
    return path


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """Return them."""
        return self.now


def test_callers_with_keys_of_their_own(start: Start, simulator: TessSimulator, key_file: Path) -> None:
    """Their calls are made with the gateway's Tess key; an unknown key gets OpenAI's error."""
    with start(key_file=key_file) as gateway:
        for key, status in ((ALICE, 200), (BOB, 200), ("gw-" + "c" * 24, 401), (SIMULATOR_API_KEY, 401)):
            with gateway.http(key) as http:
                answer = http.post("/v1/chat/completions", json=HELLO)
                assert (answer.status_code, http.get("/metrics").status_code) == (status, status)
                if status == 401:
                    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert {call.headers["authorization"] for call in simulator.calls} == {f"Bearer {SIMULATOR_API_KEY}"}


def test_a_key_of_tess_that_passes_through(start: Start, simulator: TessSimulator) -> None:
    """Each caller's own key and workspace reach Tess, which judges them."""
    with start(pass_through=True) as gateway:
        with gateway.http(SIMULATOR_API_KEY, **{"x-workspace-id": str(SIMULATOR_WORKSPACE_ID)}) as http:
            assert http.post("/v1/chat/completions", json=HELLO).status_code == 200
        with gateway.http("2|" + "k" * 48) as http:
            assert http.post("/v1/chat/completions", json=HELLO).status_code == 401
        with gateway.http("sk-" + "o" * 48) as http:
            assert http.post("/v1/chat/completions", json=HELLO).json()["error"]["code"] == "foreign_key"
        with gateway.http() as http:
            del http.headers["authorization"]
            assert http.post("/v1/chat/completions", json=HELLO).status_code == 401
    keys = [call.headers["authorization"].split("|")[0] for call in simulator.calls]
    assert keys == [f"Bearer {SIMULATOR_API_KEY.split('|')[0]}", "Bearer 2"]


def test_one_of_the_two_only(key_file: Path) -> None:
    """Keys and pass-through exclude each other."""
    with pytest.raises(TessConfigurationError, match="exclude each other"):
        create_app(42, key_file=key_file, pass_through=True, api_key=SIMULATOR_API_KEY, workspace_id=1)


async def test_without_keys_only_this_machine_is_answered() -> None:
    """This holds under any ASGI server, and for any address on which it listens."""
    admission = ThisMachine(SIMULATOR_API_KEY)
    here: tuple[str, ...] = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    elsewhere: tuple[str | None, ...] = ("192.0.2.7", "2001:db8::1", None)
    for client in here:
        assert (await admission.admit("Bearer any", client)).authorization == f"Bearer {SIMULATOR_API_KEY}"
    for stranger in elsewhere:
        with pytest.raises(Refused) as refused:
            await admission.admit("Bearer any", stranger)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    "kind", [lambda: SIMULATOR_API_KEY, "async"], ids=["a function", "an async function"]
)
async def test_the_key_of_tess_from_a_function(kind: Any) -> None:
    """The gateway takes a function for its key, as `create_client` does."""

    async def get_key() -> str:
        return SIMULATOR_API_KEY

    admission = ThisMachine(get_key if kind == "async" else kind)
    assert (await admission.admit("", "127.0.0.1")).authorization == f"Bearer {SIMULATOR_API_KEY}"


def test_a_changed_key_file_counts(key_file: Path) -> None:
    """A key that was taken out opens nothing any more, and a new one works, without a restart."""
    clock = Clock()
    keys = KeyFile(key_file, clock)
    assert (keys.name_of(ALICE), keys.name_of(BOB)) == ("alice", "bob")
    key_file.write_text(f"carol {ALICE}x\nbob {BOB}\n")
    clock.now += 2
    assert (keys.name_of(ALICE), keys.name_of(f"{ALICE}x"), keys.name_of(BOB)) == (None, "carol", "bob")


@pytest.mark.parametrize("change", [lambda path: path.write_text("alice"), lambda path: path.unlink()])
def test_a_key_file_that_became_wrong_changes_nothing(
    key_file: Path, caplog: pytest.LogCaptureFixture, change: Callable[[Path], object]
) -> None:
    """A file may be half written: the earlier keys stay in use, and the log says why without any key."""
    clock = Clock()
    keys = KeyFile(key_file, clock)
    change(key_file)
    clock.now += 2
    assert keys.name_of(ALICE) == "alice"
    assert "the earlier keys stay in use" in caplog.text
    assert ALICE not in caplog.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no key"),
        ("alice", "line 1 .* a name and a key"),
        ("alice short", "16 or more"),
        (f"alice {ALICE}\nbob {ALICE}", "line 2 .* the same key"),
        (f"a/b {ALICE}", "a name and a key"),
        (f"alice {ALICE} more", "a name and a key"),
    ],
)
def test_what_a_key_file_must_be(tmp_path: Path, text: str, reason: str) -> None:
    """The message names the line, and never shows a key."""
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(TessConfigurationError, match=reason) as refused:
        KeyFile(path)
    assert ALICE not in str(refused.value)


def test_keys_are_in_no_repr(key_file: Path) -> None:
    """This holds for the callers' keys and for Tess's."""
    assert ALICE not in repr(vars(KeyFile(key_file)))
    assert SIMULATOR_API_KEY not in repr(ThisMachine(SIMULATOR_API_KEY))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"host": "evil.example"}, "host_not_allowed"),
        ({"host": "evil.example:8484"}, "host_not_allowed"),
        ({"host": ""}, "host_not_allowed"),
        ({"host": "127.0.0.1.evil.example"}, "host_not_allowed"),
        ({"origin": "https://evil.example"}, "origin_not_allowed"),
        ({"origin": "null"}, "origin_not_allowed"),
        ({"origin": "http://localhost:3000"}, "origin_not_allowed"),
        ({"sec-fetch-site": "cross-site"}, "origin_not_allowed"),
    ],
)
def test_pages_in_browsers_are_refused(
    gateway: Gateway, simulator: TessSimulator, headers: dict[str, str], code: str
) -> None:
    """A page must not spend its visitor's credits, nor by a name that resolves to loopback."""
    with gateway.http(**headers) as http:
        answers = [http.get(path) for path in ("/v1/models", "/healthz", "/metrics")]
        answers.append(http.post("/v1/chat/completions", json=HELLO))
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(403, code)}
    assert simulator.requests == []


def test_hosts_of_this_machine_are_answered(start: Start) -> None:
    """Host names that are allowed for a reverse proxy are answered too."""
    with start(allow_hosts=("tess.example",)) as gateway:
        for host in ("localhost:1", "127.0.0.1", "[::1]:8484", "LOCALHOST", "tess.example"):
            with gateway.http(host=host) as http:
                assert http.get("/v1/models").status_code == 200


def test_an_allowed_origin(start: Start) -> None:
    """Its pages may call, and read the ledger; those of others may not."""
    own = "https://chat.example.com"
    with start(allow_origins=(own,)) as gateway, gateway.http(origin=own) as http:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        allowed = http.options("/v1/chat/completions", headers=asked)
        answer = http.post("/v1/chat/completions", json=HELLO)
        other = http.post("/v1/chat/completions", json=HELLO, headers={"origin": "https://other.example.com"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, own)
    assert answer.headers["access-control-allow-origin"] == own
    assert "x-tess-openai" in answer.headers["access-control-expose-headers"]
    assert other.status_code == 403


def test_bodies_are_bounded(start: Start, simulator: TessSimulator) -> None:
    """A longer body is refused, with or without an announced length, and nothing is sent to Tess."""

    def pieces() -> Any:
        for _ in range(20):
            yield b" " * 1000

    with start(max_body_bytes=10_000, max_upload_bytes=10_000) as gateway, gateway.http() as http:
        for path in ("/v1/chat/completions", "/v1/files"):
            for body in (b" " * 10_001, pieces()):
                answer = http.post(path, content=body)
                assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert simulator.calls == []


def test_a_body_is_no_part_of_the_head(gateway: Gateway) -> None:
    """A long body that arrives together with its head is accepted, also on a reused connection."""
    with gateway.http() as http:
        for length in (10, 40_000, 100_000, 1_000_000, 40_000):
            body = {"model": "tess-6", "messages": [{"role": "user", "content": "x" * length}]}
            assert http.post("/v1/chat/completions", json=body).status_code == 200


def test_heads_are_bounded(start: Start) -> None:
    """They are refused before they are complete, so that no client fills the memory with them."""
    with start() as gateway, gateway.http(**{"x-long": "a" * 100_000}) as http:
        answer = http.get("/healthz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (431, "headers_too_large")


def test_trailers_without_end_are_cut_off(start: Start, key_file: Path) -> None:
    """They follow the body and would be kept in memory, even those of a caller without a key."""
    with start(key_file=key_file) as gateway, socket.create_connection(gateway.address, 10) as connection:
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 401"
        trailers = (b"x-more: " + b"m" * 16_384 + b"\r\n") * 1000
        with pytest.raises(ConnectionError):
            connection.sendall(trailers)


class Impatient(BoundedHttpProtocol):
    """Waits a short time for a head."""

    head_seconds = 0.3


@pytest.mark.parametrize("is_later", [False, True])
@pytest.mark.parametrize("begins", [b"", b"GET /he"])
def test_a_head_that_does_not_come_is_not_waited_for(begins: bytes, is_later: bool) -> None:
    """Each open connection takes a file descriptor of the process, so first and later heads have a limit."""
    app = create_app(42, api_key=SIMULATOR_API_KEY, workspace_id=SIMULATOR_WORKSPACE_ID)
    with running(app, protocol=Impatient) as gateway:
        with socket.create_connection(gateway.address, 4) as connection:
            received = b""
            if is_later:
                connection.sendall(HEALTH)
                while not received.endswith(b'{"status":"ok"}'):
                    received += connection.recv(65_536)
            if begins or not is_later:  # uvicorn itself ends an idle connection
                connection.sendall(begins)
                assert connection.recv(65_536) == b""
        with gateway.http() as http:
            assert http.get("/healthz").status_code == 200


def test_a_call_may_take_longer_than_a_head() -> None:
    """The time limit for heads does not run while a call is answered."""

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.sleep(3 * Impatient.head_seconds)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})

    with running(answer, protocol=Impatient) as gateway, gateway.http() as http:
        assert http.get("/").content == b"late"


def test_trailers_are_no_headers(start: Start, simulator: TessSimulator) -> None:
    """A few of them do no harm, and what they say counts for nothing."""
    body = b'{"model":"tess-6","messages":[{"role":"user","content":"hello"}]}'
    with start() as gateway, socket.create_connection(gateway.address, 10) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-Late: yes\r\n\r\n" % (len(body), body)
        )
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answers = b""
        while piece := connection.recv(65_536):
            answers += piece
    assert answers.endswith(b'{"status":"ok"}')
    assert len(simulator.calls) == 1
