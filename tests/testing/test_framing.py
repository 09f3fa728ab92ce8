"""What the served simulator does with requests of wrong framing, of any size, or for another host."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tess_openai.testing import SIMULATOR_API_KEY, SimulatorServer, TessSimulator

PATH = "POST /agents/42/openai/chat/completions HTTP/1.1"
HEAD = (
    f"{PATH}\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {SIMULATOR_API_KEY}\r\n"
    "Content-Type: application/json\r\n"
)
GOOD = b'{"messages":[{"role":"system","content":"x"},{"role":"user","content":"hello"}]}'


@pytest.fixture
def server(simulator: TessSimulator) -> Iterator[SimulatorServer]:
    """A simulator that is served."""
    with simulator, simulator.serve() as server:
        yield server


def status_of(server: SimulatorServer, request: bytes) -> int:
    """Send bytes; return the status of the first answer, after which the connection must be closed."""
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("framing", "body", "status"),
    [
        pytest.param("Content-Length: -1", b"{}", 400, id="a negative length"),
        pytest.param("Content-Length: +2", b"{}", 400, id="a length with a sign"),
        pytest.param("Content-Length: two", b"{}", 400, id="a length in words"),
        pytest.param("Content-Length: ", b"", 400, id="an empty length"),
        pytest.param("Content-Length: 2\r\nContent-Length: 3", b"{}", 400, id="two lengths"),
        pytest.param("Content-Length: 999999999999", b"{}", 413, id="a length beyond all memory"),
        pytest.param("Content-Length: " + "9" * 30, b"{}", 400, id="a length of 30 digits"),
        pytest.param("Transfer-Encoding: chunked", b"-2\r\n{}\r\n0\r\n\r\n", 400, id="a negative chunk"),
        pytest.param("Transfer-Encoding: chunked", b"0x2\r\n{}\r\n0\r\n\r\n", 400, id="a chunk size with 0x"),
        pytest.param(
            "Transfer-Encoding: chunked", b"2\r\n{}xx\r\n0\r\n\r\n", 400, id="a chunk that is longer"
        ),
        pytest.param("Transfer-Encoding: chunked", b"fffffffffff\r\n{}", 413, id="a chunk beyond all memory"),
        pytest.param("Transfer-Encoding: chunked", b"\r\n", 400, id="no chunk size"),
        pytest.param("Transfer-Encoding: chunked", b"0\r\n" + b"a: b\r\n" * 200, 400, id="endless trailers"),
        pytest.param("Transfer-Encoding: chunked", b"1;" + b"x" * 70_000, 400, id="an endless line"),
        pytest.param("Transfer-Encoding: gzip", b"{}", 400, id="another encoding"),
        pytest.param(
            "Transfer-Encoding: chunked\r\nContent-Length: 2",
            b"2\r\n{}\r\n0\r\n\r\n",
            400,
            id="both framings",
        ),
    ],
)
def test_wrong_framing_is_refused(server: SimulatorServer, framing: str, body: bytes, status: int) -> None:
    """It is refused at once without reading further, and the connection is closed."""
    assert status_of(server, f"{HEAD}{framing}\r\n\r\n".encode() + body) == status


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1"])
def test_another_host_is_refused(server: SimulatorServer, host: str) -> None:
    """A page in a browser can have a name of its own resolve to loopback."""
    head = HEAD.replace("Host: 127.0.0.1", f"Host: {host}")
    request = f"{head}Content-Length: {len(GOOD)}\r\n\r\n".encode() + GOOD
    assert status_of(server, request) == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8765", "127.0.0.1:1", "[::1]:80"])
def test_names_of_loopback_are_answered(server: SimulatorServer, host: str) -> None:
    """Any port in the host header is accepted, since a tunnel has its own."""
    head = HEAD.replace("Host: 127.0.0.1", f"Host: {host}")
    request = f"{head}x-workspace-id: 1\r\nConnection: close\r\nContent-Length: {len(GOOD)}\r\n\r\n".encode()
    assert status_of(server, request + GOOD) != 421
