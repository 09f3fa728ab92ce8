"""Streams over the gateway: signs of life in a silence, callers who leave, and the end of the gateway."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest
from fault_server import DONE, EVENTS, Connection, FaultServer, serving

from tess_openai.gateway import create_app
from tess_openai.testing import SIMULATOR_API_KEY, TessSimulator, faults
from tests.gateway.running import HELLO, Gateway, Start, running, until

STREAM: Any = {**HELLO, "stream": True}


@contextmanager
def before_faults(
    fault: Callable[[Connection], None], **options: Any
) -> Iterator[tuple[Gateway, FaultServer]]:
    """A gateway in front of a server that does with a call what a test wants."""
    with serving(fault) as server:
        given: Any = {"api_key": SIMULATOR_API_KEY, "workspace_id": 1, "base_url": server.url, **options}
        with running(create_app(42, **given)) as gateway:
            yield gateway, server


def test_a_comment_in_each_silence(start: Start, simulator: TessSimulator) -> None:
    """Proxies and clients give up on silence; the SDK ignores the comments."""
    simulator.fault(faults.slow(delay_seconds=0.3), times=2)
    with start(heartbeat_seconds=0.1) as gateway:
        with gateway.http() as http:
            text = http.post("/v1/chat/completions", json=STREAM).text
        with gateway.sdk() as client:
            pieces = [
                chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**STREAM)
            ]
    assert text.count(": keep-alive\n\n") >= 5
    assert text.endswith("data: [DONE]\n\n")
    assert "".join(pieces).endswith("received: hello")


def test_no_comment_where_it_is_switched_off(start: Start, simulator: TessSimulator) -> None:
    """0 seconds switches the comments off."""
    simulator.fault(faults.slow(delay_seconds=0.2))
    with start(heartbeat_seconds=0) as gateway, gateway.http() as http:
        assert "keep-alive" not in http.post("/v1/chat/completions", json=STREAM).text


def test_no_comment_inside_an_event() -> None:
    """An event may arrive in two halves with a silence between them."""

    def in_halves(connection: Connection) -> None:
        connection.head()
        connection.part(EVENTS[:-20])
        connection.over.wait(0.5)
        connection.part(EVENTS[-20:] + DONE)
        connection.end()

    with before_faults(in_halves, heartbeat_seconds=0.1) as (gateway, _), gateway.sdk() as client:
        chunks = list(client.chat.completions.create(**STREAM))
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_stream_that_tess_has_not_begun_is_begun(start: Start, simulator: TessSimulator) -> None:
    """A call that waits for its turn, or for the first word, is silent too."""
    simulator.fault(faults.gateway_timeout(wait_seconds=0.5))
    with start(heartbeat_seconds=0.1) as gateway:
        with gateway.http() as http:
            late = http.post("/v1/chat/completions", json=STREAM)
        simulator.fault(faults.gateway_timeout(wait_seconds=0.5), times=2)
        with gateway.sdk() as client:
            with pytest.raises(openai.APIError, match="Cloudflare"):
                list(client.chat.completions.create(**STREAM))
            with pytest.raises(openai.APIStatusError) as whole:  # not a stream: its status is its own
                client.chat.completions.create(**HELLO)
    assert late.status_code == 200
    assert late.text.startswith(": keep-alive\n\n")
    assert '"error"' in late.text
    assert whole.value.status_code >= 500


def unfinished(connection: Connection) -> None:
    """Begin a stream and nothing more; of a whole answer not even that."""
    if connection.wants_stream:
        connection.head()
        connection.part(EVENTS)
    connection.hold()


@pytest.mark.parametrize("body", [STREAM, HELLO], ids=["in a stream", "before an answer"])
def test_a_disconnect_ends_the_call_at_tess(body: Any) -> None:
    """It is ended at once: an answer that no caller reads is still paid for."""
    with before_faults(unfinished) as (gateway, server), gateway.http() as http:
        http.timeout = 1.0
        with pytest.raises(httpx2.ReadTimeout):
            http.post("/v1/chat/completions", json=body)
        assert (server.posts, server.opened) == (1, 1)
        assert until(lambda: server.open_now() == 0)


def test_an_upload_that_is_broken_off(start: Start, simulator: TessSimulator) -> None:
    """A part of a file is not sent to Tess as a whole one."""

    def half() -> Iterator[bytes]:
        yield b"x" * 1000
        raise ConnectionAbortedError

    with start() as gateway:
        with gateway.http() as http, pytest.raises(ConnectionAbortedError):
            http.post(
                "/v1/files", content=half(), headers={"content-type": "multipart/form-data; boundary=x"}
            )
        with gateway.http() as http:
            assert http.get("/healthz").status_code == 200
    assert [request for request in simulator.requests if request.status < 400] == []


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_stream_that_the_shutdown_cuts_ends_in_an_error(
    simulator: TessSimulator, start: Start, api: str
) -> None:
    """A running stream has its time; then its caller's SDK raises."""
    simulator.fault(faults.stalls(after_events=2))
    with start(shutdown_seconds=1) as gateway, gateway.sdk() as client:
        if api == "chat":
            stream: Any = client.chat.completions.create(**STREAM)
        else:
            stream = client.responses.create(model="tess-6", input="hello", stream=True)
        next(stream)
        gateway.server.should_exit = True
        with pytest.raises(openai.APIError, match="shuts down"):
            list(stream)


def test_running_streams_may_end(simulator: TessSimulator, start: Start) -> None:
    """A stream that ends in time is whole, although the gateway was stopped meanwhile."""
    simulator.fault(faults.slow(delay_seconds=0.05))
    with start(shutdown_seconds=20) as gateway, gateway.sdk() as client:
        stream = client.chat.completions.create(**STREAM)
        next(stream)
        gateway.server.should_exit = True
        chunks = list(stream)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_nothing_of_a_body_is_logged(
    start: Start, simulator: TessSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says who called what, and for how long; also for a call that fails."""
    caplog.set_level(logging.DEBUG)
    simulator.script("a private answer")
    simulator.fault(faults.rate_limited())
    body = {
        "model": "tess-6",
        "messages": [{"role": "user", "content": "a private question"}],
        "user": "private",
    }
    with start() as gateway, gateway.http("a-private-key") as http:
        statuses = [http.post("/v1/chat/completions", json=body).status_code for _ in range(2)]
    assert statuses == [429, 200]
    assert "POST chat 200" in caplog.text
    assert "private" not in caplog.text
    assert SIMULATOR_API_KEY not in caplog.text


def test_the_log_says_why_a_request_is_refused(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """The log shows why a page, or a program with a wrong URL, gets no answer."""
    caplog.set_level(logging.INFO)
    with start() as gateway, gateway.http() as http:
        http.post("/v1/chat/completions", json=HELLO, headers={"origin": "https://private.example"})
        http.get("/v1/private")
    logged = [record.getMessage() for record in caplog.records if record.name == "tess_openai.gateway"]
    assert logged == ["refused with 403: origin_not_allowed", "refused with 404: unknown_url"]


def test_numbers_without_names(start: Start, simulator: TessSimulator) -> None:
    """They count calls, errors, events and times, and have neither ids nor texts."""
    simulator.fault(faults.rate_limited())
    with start() as gateway, gateway.http() as http:
        for body in (HELLO, HELLO, STREAM):
            http.post("/v1/chat/completions", json=body)
        http.get("/v1/responses/resp_private")
        text = http.get("/metrics").text
    for line in (
        'tess_gateway_calls_total{route="chat",status="200"} 2.0',
        'tess_gateway_calls_total{route="chat",status="429"} 1.0',
        'tess_gateway_errors_total{code="rate_limit_exceeded"} 1.0',
        'tess_gateway_first_byte_seconds_count{route="chat"} 3.0',
        "tess_gateway_stream_events_total 15.0",
        "tess_gateway_waiting_in_line 0.0",
        "tess_gateway_open_calls 0.0",
    ):
        assert line in text
    assert "private" not in text
    assert "tess-6" not in text


def test_the_gateway_is_ready_when_tess_takes_its_key(start: Start) -> None:
    """`/healthz` says that it runs, `/readyz` that calls can succeed."""
    for options, status in (
        ({}, 200),
        ({"api_key": "2|" + "k" * 48}, 503),
        ({"base_url": "http://127.0.0.1:9"}, 503),
    ):
        with start(**options) as gateway, gateway.http() as http:
            assert (http.get("/healthz").status_code, http.get("/readyz").status_code) == (200, status)
