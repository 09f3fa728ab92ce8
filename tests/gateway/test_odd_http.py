"""Requests and answers in rare forms of HTTP: the caller gets an answer, or the true reason."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from fault_server import DONE, EVENTS, JSON_BODY, TEXT, Connection, serving

from tess_openai.gateway import create_app
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator
from tests.gateway.running import HELLO, Gateway, Start, running

BODY = json.dumps(HELLO).encode()
STREAMED = json.dumps({**HELLO, "stream": True}).encode()


OWN = ("Host: localhost", "Connection: close")


def ask(
    gateway: Gateway,
    headers: Sequence[str] = OWN,
    *,
    body: bytes = BODY,
    path: str = "/v1/chat/completions",
    version: str = "1.1",
) -> bytes:
    """Send a request, and return all that comes back until the connection is closed."""
    lines = [f"POST {path} HTTP/{version}", *headers, f"Content-Length: {len(body)}", "", ""]
    head = "\r\n".join(lines)
    with socket.create_connection(gateway.address, 10) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    return received


@pytest.mark.parametrize("body", [BODY, STREAMED], ids=["whole", "stream"])
@pytest.mark.parametrize("host", [("Host: localhost",), ()], ids=["host", "no host"])
def test_http_1_0_is_answered_without_chunks(gateway: Gateway, host: tuple[str, ...], body: bytes) -> None:
    """HTTP/1.0 has no chunks and no required host; the end of the connection ends the answer."""
    answer = ask(gateway, host, body=body, version="1.0")
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"chunked" not in head
    if body is BODY:
        assert json.loads(content)["object"] == "chat.completion"
    else:
        assert content.startswith(b"data: {")
        assert content.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "tess/9"])
def test_a_request_for_another_protocol_keeps_its_body(gateway: Gateway, protocol: str) -> None:
    """Java's own client asks for HTTP/2 with its first request, which is answered in HTTP/1.1."""
    headers = (
        "Host: localhost",
        f"Upgrade: {protocol}",
        "Connection: Upgrade, HTTP2-Settings, close",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
    )
    answer = ask(gateway, headers)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"received: hello" in answer


def test_a_body_behind_a_request_for_another_protocol_may_come_later(gateway: Gateway) -> None:
    """The body is read even if it arrives in packets of its own."""
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(gateway.address, 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (head[:40], head[40:], b"%x\r\n" % len(BODY), BODY, b"\r\n0\r\n\r\n"):
            connection.sendall(part)
        assert connection.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize(
    "path",
    [
        "//v1//chat/completions",
        "/v1/chat/completions/",
        "/v1//chat//completions//",
        "//chat/completions",
        "/v1/chat%2Fcompletions",
    ],
)
def test_slashes_of_joined_base_urls_do_no_harm(gateway: Gateway, path: str) -> None:
    """Programs join base URLs in many ways."""
    assert ask(gateway, path=path).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("headers", "body", "refusal"),
    [
        pytest.param(["Content-Encoding: gzip"], gzip.compress(BODY), (415, "compressed_body"), id="gzip"),
        pytest.param(
            ["Transfer-Encoding: chunked"], b"0\r\n\r\n", (400, "invalid_http_request"), id="lengths"
        ),
        pytest.param(["Host : evil"], BODY, (400, "invalid_http_request"), id="a space in a name"),
        pytest.param([], BODY[:-1] + b', "seed": NaN}', (400, "invalid_json"), id="NaN"),
        pytest.param([], BODY[:-1] + b', "top_p": -Infinity}', (400, "invalid_json"), id="Infinity"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    gateway: Gateway, simulator: TessSimulator, headers: list[str], body: bytes, refusal: tuple[int, str]
) -> None:
    """The error has OpenAI's format, and nothing is sent to Tess."""
    answer = ask(gateway, [*OWN, *headers], body=body)
    code = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]
    assert (int(answer[9:12]), code) == refusal
    assert not simulator.calls


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + BODY, BODY.replace(b"hello", b"NaN")])
def test_a_mark_before_the_body_and_a_word_in_it_do_no_harm(gateway: Gateway, body: bytes) -> None:
    """PowerShell writes the one, and a text may have the other; Tess gets plain JSON."""
    assert ask(gateway, body=body).startswith(b"HTTP/1.1 200")


def test_nothing_comes_between_the_parts_of_an_answer(start: Start) -> None:
    """A client that writes nonsense behind its request, while that is answered, gets no second head."""

    def begins(connection: Connection) -> None:
        connection.head()
        connection.part(EVENTS[:200])
        connection.hold()

    with (
        serving(begins) as tess,
        start(base_url=tess.url) as gateway,
        socket.create_connection(gateway.address, 10) as connection,
    ):
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
        connection.sendall(f"{head}{len(STREAMED)}\r\n\r\n".encode() + STREAMED)
        received = connection.recv(65_536)
        assert received.startswith(b"HTTP/1.1 200")
        connection.sendall(b"nonsense\r\n\r\n")
        with suppress(ConnectionError):
            while piece := connection.recv(65_536):
                received += piece
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("name", ["x-request-id", "content-disposition", "retry-after"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_keeps_a_header_of_any_bytes(start: Start, name: str, stream: bool) -> None:
    """It was paid for, whatever a server on the way writes beside it."""

    def answers(connection: Connection) -> None:
        connection.head(200, f"{name}: caf\u00e9 \u65e5\u672c")
        connection.part(EVENTS + DONE if connection.wants_stream else JSON_BODY)
        connection.end()

    with serving(answers) as tess, start(base_url=tess.url) as gateway, gateway.sdk() as client:
        answer: Any = client.chat.completions.create(**HELLO, stream=stream)
        if stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in answer)
        else:
            text = answer.choices[0].message.content
    assert text == TEXT


def test_a_status_that_http_does_not_have_becomes_one(start: Start) -> None:
    """A server cannot write such a status, and clients would retry after a broken connection."""

    def answers(connection: Connection) -> None:
        connection.answer(999, b'{"message": "Denied."}')

    with serving(answers) as tess, start(base_url=tess.url) as gateway, gateway.http() as http:
        answer = http.post("/v1/chat/completions", content=BODY)
        assert tess.posts == 1
    assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
    assert "Denied." in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models"])
def test_a_key_that_no_header_can_carry_is_refused(start: Start, path: str) -> None:
    """A caller who passes a key of Tess gets the error of a wrong key."""
    with start(api_key=None, pass_through=True) as gateway, gateway.http() as http:
        headers = {b"authorization": b"Bearer 1|cl\xe9"}
        if path.endswith("models"):
            answer = http.get(path, headers=headers)
        else:
            answer = http.post(path, headers=headers, content=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/readyz")]
)
def test_a_key_that_a_function_fails_to_give_is_an_error(
    caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    """The error has OpenAI's format, without the exception's text, which may contain the key."""

    def give() -> str:
        raise RuntimeError(SIMULATOR_API_KEY)

    app = create_app(42, api_key=give, workspace_id=SIMULATOR_WORKSPACE_ID)
    with caplog.at_level(logging.INFO), running(app) as gateway, gateway.http() as http:
        answer = http.request(method, path, content=BODY if method == "POST" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_api_key")
    assert "RuntimeError" in caplog.text
    assert SIMULATOR_API_KEY not in caplog.text + answer.text


def test_a_byte_order_mark_before_the_keys_is_no_part_of_a_name(start: Start, tmp_path: Any) -> None:
    """Editors on Windows write one at the beginning of a file."""
    path = tmp_path / "keys"
    path.write_bytes(b"\xef\xbb\xbfalice gw-alice-0123456789\r\n")
    with start(key_file=path) as gateway, gateway.http("gw-alice-0123456789") as http:
        assert http.get("/v1/models").status_code == 200
