"""The simulator on a loopback port, over plain HTTP and under OpenAI's own SDK."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, cast

import openai
import pytest

import tess_openai.testing
from tess_openai.testing import Profile, SimulatorServer, TessSimulator, faults

CHAT = "/agents/42/openai/chat/completions"
BODY = {"messages": [{"role": "user", "content": "hello"}]}
STREAM = {**BODY, "stream": True}


@pytest.fixture
def server(simulator: TessSimulator) -> Iterator[SimulatorServer]:
    """A simulator that is served."""
    with simulator, simulator.serve() as server:
        yield server


@pytest.fixture
def connection(server: SimulatorServer) -> Iterator[http.client.HTTPConnection]:
    """One connection to it."""
    connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=5)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection, headers: dict[str, str], body: Mapping[str, object] = BODY
) -> http.client.HTTPResponse:
    """Send a chat call."""
    connection.request("POST", CHAT, json.dumps(body), headers)
    return connection.getresponse()


def test_a_connection_lives_on(connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
    """It is reused after good answers, streams and refusals."""
    sockets: list[object] = []
    for body, status in ((BODY, 200), (STREAM, 200), ({"messages": []}, 422), (BODY, 200)):
        response = ask(connection, headers, body)
        sockets.append(connection.sock)
        response.read()
        assert response.status == status
    assert len(set(map(id, sockets))) == 1


def test_the_framing_is_that_of_http(connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
    """JSON has a length, and a stream has chunks; the answer says that it is simulated."""
    completion = ask(connection, headers)
    assert int(completion.getheader("content-length", "0")) == len(completion.read())
    stream = ask(connection, headers, STREAM)
    assert (stream.getheader("transfer-encoding"), stream.getheader("content-length")) == ("chunked", None)
    assert "model of documented" in (stream.getheader("x-tess-simulator") or "")


def test_an_upload_may_come_in_chunks(
    connection: http.client.HTTPConnection, headers: dict[str, str], simulator: TessSimulator
) -> None:
    """A large file is streamed without a length; the connection is reused afterwards."""
    pieces = [b"--line\r\nContent-Disposition: form-data; name=", b'"file"; filename="a"\r\n\r\n']
    form = [*pieces, *[b"x" * 1000] * 50, b"\r\n--line--\r\n"]
    upload = {**headers, "content-type": "multipart/form-data; boundary=line"}
    connection.request("POST", "/files", iter(form), upload, encode_chunked=True)
    response = connection.getresponse()
    assert json.loads(response.read())["bytes"] == 50_000
    assert simulator.requests[0].body == b"".join(form)
    assert ask(connection, headers).status == 200


def test_other_methods_reach_the_rules(
    connection: http.client.HTTPConnection, headers: dict[str, str]
) -> None:
    """The rules answer them, with 404 where they are undocumented."""
    statuses: list[int] = []
    for method, path in (("GET", "/agents/42"), ("DELETE", "/agents/42"), ("PUT", CHAT), ("PATCH", CHAT)):
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    assert statuses == [200, 404, 404, 404]


def test_a_header_sent_twice_is_seen(connection: http.client.HTTPConnection, headers: dict[str, str]) -> None:
    """Two workspace headers are joined to a value that is not a number."""
    connection.putrequest("POST", CHAT)
    for name, value in (*headers.items(), ("X-Workspace-Id", "7001"), ("content-length", "2")):
        connection.putheader(name, value)
    connection.endheaders(b"{}")
    assert connection.getresponse().status == 422


def test_a_cut_stream_closes_the_socket(
    connection: http.client.HTTPConnection, headers: dict[str, str], simulator: TessSimulator
) -> None:
    """It is closed between chunks, so that the client sees an incomplete body."""
    simulator.fault(faults.breaks_off())
    with pytest.raises(http.client.IncompleteRead):
        ask(connection, headers, STREAM).read()


def test_a_client_that_disconnects_is_noticed(
    connection: http.client.HTTPConnection, headers: dict[str, str], simulator: TessSimulator
) -> None:
    """It is noticed while the stream still waits."""
    simulator.fault(faults.stalls())
    response = ask(connection, headers, STREAM)
    assert response.read(20)
    response.close()
    connection.close()
    (call,) = simulator.calls
    assert call.over.wait(5)
    assert call.closed_early


def test_a_client_that_stays_is_not_taken_for_gone(headers: dict[str, str]) -> None:
    """It may send its next request while the answer to the first still waits."""
    arrived = Event()
    with TessSimulator(on_request=lambda _: arrived.set()) as simulator, simulator.serve() as server:
        simulator.fault(faults.slow(delay_seconds=0.05, first_seconds=0.05))
        host, _, port = server.base_url.removeprefix("http://").partition(":")
        body = json.dumps(BODY)
        head = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
        request = f"POST {CHAT} HTTP/1.1\r\n{head}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(request)
            assert arrived.wait(5)
            client.sendall(request)
            received = b""
            while received.count(b"received: hello") < 2:
                received += client.recv(65536)
        assert received.count(b"HTTP/1.1 200") == 2
        assert [call.closed_early for call in simulator.calls] == [False, False]


def test_a_client_that_disconnects_in_its_request_is_not_answered(
    server: SimulatorServer,
    headers: dict[str, str],
    simulator: TessSimulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A request with a part of its body is not answered, with a length or in chunks."""
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    head = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    for rest in ("content-length: 9\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n5\r\n{"):
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(f"POST {CHAT} HTTP/1.1\r\n{head}\r\n{rest}".encode())
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
    simulator.close()
    assert simulator.requests == []
    assert capfd.readouterr().err == ""


def test_a_server_that_was_not_closed_does_not_keep_a_program_running(headers: dict[str, str]) -> None:
    """The program ends even if a connection is still open."""
    program = """
import http.client
from tess_openai.testing import TessSimulator
server = TessSimulator().serve()
connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"))
connection.request("GET", "/")
print(connection.getresponse().status)
"""
    home = Path(tess_openai.testing.__file__).parents[2]
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=home, capture_output=True, text=True, timeout=20, check=True
    )
    assert shown.stdout == "404\n"


def test_many_clients_at_once(
    server: SimulatorServer, headers: dict[str, str], simulator: TessSimulator
) -> None:
    """Each gets its own answer, and each is recorded."""

    def call(number: int) -> str:
        connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=10)
        body = {"messages": [{"role": "user", "content": f"number {number}"}]}
        text = json.loads(ask(connection, headers, body).read())["choices"][0]["message"]["content"]
        connection.close()
        return cast("str", text)

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(call, range(40)))
    assert [text.partition("received: ")[2] for text in texts] == [f"number {n}" for n in range(40)]
    assert len(simulator.calls) == 40


def test_a_script_that_fails_is_shown(
    connection: http.client.HTTPConnection,
    headers: dict[str, str],
    simulator: TessSimulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The client's connection breaks, and the reason is on standard error."""

    def fail(_: object) -> str:
        raise LookupError("the script's own words")

    simulator.script(fail)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(connection, headers)
    simulator.close()
    assert "the script's own words" in capfd.readouterr().err


def test_closing_ends_everything(headers: dict[str, str]) -> None:
    """It ends hanging answers, idle connections and the port; closing again does nothing."""
    arrived = Event()
    simulator = TessSimulator(on_request=lambda _: arrived.set())
    server = simulator.serve()
    host = server.base_url.removeprefix("http://")
    simulator.fault(faults.hang())
    hanging = http.client.HTTPConnection(host, timeout=5)
    hanging.request("POST", CHAT, json.dumps(BODY), headers)
    assert arrived.wait(5)
    idle = http.client.HTTPConnection(host, timeout=5)
    ask(idle, headers).read()
    simulator.close()
    simulator.close()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        hanging.getresponse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.split(":")[0], int(host.split(":")[1])), timeout=5)
    hanging.close()
    idle.close()


def test_base_url_is_that_of_the_first_open_server(simulator: TessSimulator) -> None:
    """Without an open server, the error says what to do."""
    with simulator:
        with pytest.raises(RuntimeError, match="call serve"):
            _ = simulator.base_url
        with simulator.serve() as first, simulator.serve() as second:
            assert first.base_url != second.base_url
            assert simulator.base_url == first.base_url
            first.close()
            assert simulator.openai_url(43) == f"{second.base_url}/agents/43/openai"


def test_openai_speaks_to_it(server: SimulatorServer, headers: dict[str, str]) -> None:
    """The plain SDK, without the adapter, gets a chat, a stream and a refusal."""
    client = openai.OpenAI(
        api_key=headers["authorization"].removeprefix("Bearer "),
        base_url=server.openai_url(),
        default_headers={"x-workspace-id": headers["x-workspace-id"]},
        max_retries=0,
    )
    messages: Any = BODY["messages"]
    with client:
        completion = client.chat.completions.create(model="tess-5", messages=messages)
        assert completion.choices[0].message.content == (
            "Agent 42 (model tess-5, temperature by default, tools by default) received: hello"
        )
        chunks = client.chat.completions.create(model="tess-6", messages=messages, stream=True)
        reply = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert reply.endswith("received: hello")
        with pytest.raises(openai.UnprocessableEntityError, match="The selected temperature is invalid"):
            client.chat.completions.create(model="tess-6", messages=messages, temperature=0.7)


def test_openai_meets_a_rate_limit(headers: dict[str, str]) -> None:
    """The body of the 429 says how long to wait."""
    with TessSimulator(profile=Profile(requests_per_second=1), clock=lambda: 0.0) as simulator:
        simulator.serve()
        client = openai.OpenAI(
            api_key=headers["authorization"].removeprefix("Bearer "),
            base_url=simulator.openai_url(),
            default_headers={"x-workspace-id": headers["x-workspace-id"]},
            max_retries=0,
        )
        messages: Any = BODY["messages"]
        with client:
            client.chat.completions.create(model="tess-6", messages=messages)
            with pytest.raises(openai.RateLimitError) as caught:
                client.chat.completions.create(model="tess-6", messages=messages)
    assert caught.value.response.json() == {"error": "Rate limit exceeded", "retry_after": 1}
