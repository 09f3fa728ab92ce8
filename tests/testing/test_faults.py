"""What goes wrong on demand, as a client meets it in each way of serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tess_openai.core.jsons import parse_object
from tess_openai.testing import Fault, Profile, TessSimulator, faults

Talk: TypeAlias = Callable[..., Any]

GOOD_STREAM = (
    'data: {"choices":[{"delta":{"role":"assistant","content":"Olá"},"index":0}],"model":"tess-6"}\n\n'
    'data: {"choices":[{"delta":{"content":" você"},"index":0}],"model":"tess-6"}\n\n'
    "data: [DONE]\n\n"
)
FIRST, SECOND, DONE = (f"{event}\n\n" for event in GOOD_STREAM.split("\n\n")[:3])
GOOD_JSON = '{"choices":[{"message":{"content":"Olá você"}}]}'
NATIVE = '"status":"failed","output":"","credits":null,"root_id":123,"error":"The agent stopped"}\n\n'

INSTEAD: dict[str, tuple[Fault, int, str, str]] = {
    "a 429": (faults.rate_limited(retry_after_seconds=2), 429, "json", '"retry_after":2'),
    "a 524": (faults.gateway_timeout(), 524, "plain", "error code: 524"),
    "a 500": (faults.server_error(), 500, "json", '{"error":"Internal server error"}'),
    "a 502 in HTML": (faults.bad_gateway(), 502, "html", "<h1>Error 502</h1>"),
    "a 503 in HTML": (faults.bad_gateway(status=503), 503, "html", "<h1>Error 503</h1>"),
    "no credits": (faults.no_credits(), 402, "json", "user has no credits"),
    "a 413": (faults.too_large(), 413, "json", '{"error":"Payload too large"}'),
    "a login page": (faults.login_page(), 200, "html", "Please log in"),
    "an empty 200": (faults.empty_answer(), 200, "json", ""),
    "an error in a 200": (faults.error_in_200(), 200, "json", '{"error":"The agent could not run"}'),
    "a redirect": (faults.redirect(), 302, "html", ""),
    "an answer of one's own": (faults.answers(418, {"a": 1}), 418, "json", '{"a":1}'),
    "a compressed error": (
        faults.together(faults.server_error(), faults.compressed()),
        500,
        "json",
        "Internal",
    ),
}


def simulate(*faults_to_come: Fault) -> TessSimulator:
    """Simulate an agent that says "Olá você" in the smallest shapes, and these faults."""
    simulator = TessSimulator(profile=Profile(completion="minimal", chunks="minimal"))
    simulator.script("Olá você", "Olá você", "Olá você")
    simulator.fault(*faults_to_come)
    return simulator


@pytest.mark.parametrize(("fault", "status", "kind", "text"), INSTEAD.values(), ids=INSTEAD)
@pytest.mark.parametrize("stream", [False, True], ids=["completion", "stream"])
def test_another_answer_comes(
    fault: Fault, status: int, kind: str, text: str, *, stream: bool, talk: Talk
) -> None:
    """The fault replaces one answer of any kind; the next answer is right, and the script is not used up."""
    simulator = simulate(fault)
    got = talk(simulator, {"stream": stream})
    assert (got.status, got.error) == (status, "")
    assert kind in got.headers["content-type"]
    assert text in got.body.decode()
    assert bool(got.body) is bool(text)
    assert talk(simulator).body.decode() == GOOD_JSON


STREAMS: dict[str, tuple[Fault, str]] = {
    "an early end": (faults.ends_early(after_events=1), FIRST),
    "no DONE": (faults.without_done(), FIRST + SECOND),
    "an error as text": (faults.error_event(), FIRST + 'data: {"error":"The agent stopped"}\n\n'),
    "an error as an object": (
        faults.error_event(shape="object"),
        FIRST + 'data: {"error":{"message":"The agent stopped"}}\n\n',
    ),
    "Tess's own failed event": (faults.error_event(shape="native"), FIRST + 'data: {"id":123,' + NATIVE),
    "an event named error": (
        faults.error_event(shape="event", after_events=0),
        'event: error\ndata: {"message":"The agent stopped"}\n\n',
    ),
    "comments": (
        faults.keep_alives(kind="comment"),
        "".join(f": keep-alive\n\n{event}" for event in (FIRST, SECOND, DONE)),
    ),
    "pings": (
        faults.keep_alives(kind="ping"),
        "".join(f"event: ping\ndata: {{}}\n\n{event}" for event in (FIRST, SECOND, DONE)),
    ),
    "data without data": (
        faults.keep_alives(kind="empty data"),
        "".join(f"data:\n\n{event}" for event in (FIRST, SECOND, DONE)),
    ),
    "ids and retries": (
        faults.keep_alives(kind="id and retry"),
        "".join(f"id: 7\nretry: 3000\n\n{event}" for event in (FIRST, SECOND, DONE)),
    ),
    "a line that is not JSON": (faults.non_json_line(), FIRST + "data: upstream is busy\n\n" + SECOND + DONE),
    "CR LF": (faults.crlf(), GOOD_STREAM.replace("\n", "\r\n")),
    "single newlines": (faults.single_newlines(), GOOD_STREAM.replace("\n\n", "\n")),
    "a byte order mark": (faults.byte_order_mark(), "\ufeff" + GOOD_STREAM),
    "single bytes": (faults.in_bytes(), GOOD_STREAM),
    "compression": (faults.compressed(), GOOD_STREAM),
    "a slow drip": (faults.slow(delay_seconds=0.01), GOOD_STREAM),
    "an empty text": (
        faults.empty_content(),
        FIRST.replace("Olá", "") + DONE,
    ),
    "JSON": (faults.json_for_stream(), GOOD_JSON),
    "several faults": (
        faults.together(faults.without_done(), faults.crlf(), faults.compressed()),
        (FIRST + SECOND).replace("\n", "\r\n"),
    ),
}


@pytest.mark.parametrize(("fault", "text"), STREAMS.values(), ids=STREAMS)
def test_a_stream_comes_differently(fault: Fault, text: str, talk: Talk) -> None:
    """Byte for byte as the fault says, and without an error of HTTP; then streams are good again."""
    simulator = simulate(fault)
    got = talk(simulator, {"stream": True})
    assert (got.status, got.error, got.body.decode()) == (200, "", text)
    assert talk(simulator, {"stream": True}).body.decode() == GOOD_STREAM


COMPLETIONS: dict[str, tuple[Fault, str]] = {
    "a stream": (faults.stream_for_json(), GOOD_STREAM),
    "an empty text": (faults.empty_content(), '{"choices":[{"message":{"content":""}}]}'),
    "compression": (faults.compressed(), GOOD_JSON),
    "single bytes": (faults.in_bytes(), GOOD_JSON),
    "pieces of seven bytes": (faults.in_bytes(size=7), GOOD_JSON),
    "slowly": (faults.slow(first_seconds=0.01), GOOD_JSON),
}


@pytest.mark.parametrize(("fault", "text"), COMPLETIONS.values(), ids=COMPLETIONS)
def test_a_completion_comes_differently(fault: Fault, text: str, talk: Talk) -> None:
    """The next completion is right again."""
    simulator = simulate(fault)
    assert talk(simulator).body.decode() == text
    assert talk(simulator).body.decode() == GOOD_JSON


def test_a_finish_reason_can_be_anything(talk: Talk) -> None:
    """It may be empty, null, or one of OpenAI's."""
    simulator = TessSimulator()
    simulator.fault(*(faults.finish_reason(value=value) for value in ("", None, "length")))
    reasons = [(parse_object(talk(simulator).body) or {})["choices"][0]["finish_reason"] for _ in range(3)]
    assert reasons == ["", None, "length"]


def test_a_body_breaks_off(talk: Talk) -> None:
    """It ends within an event or within the JSON: the client has the beginning, and an error."""
    simulator = simulate(faults.breaks_off(after_events=1), faults.breaks_off())
    stream, completion = talk(simulator, {"stream": True}), talk(simulator)
    assert (
        (stream.status, stream.error) == (completion.status, completion.error) == (200, "RemoteProtocolError")
    )
    assert stream.body.decode().startswith(FIRST)
    assert FIRST + SECOND not in stream.body.decode()
    assert GOOD_JSON.startswith(completion.body.decode(errors="ignore"))
    assert [call.closed_early for call in simulator.calls] == [False, False]


def test_a_connection_drops(talk: Talk) -> None:
    """It is closed before any answer."""
    assert talk(simulate(faults.dropped_connection())).error == "RemoteProtocolError"


def test_an_answer_never_comes(talk: Talk) -> None:
    """The client's own timeout ends the wait."""
    simulator = simulate(faults.hang())
    assert talk(simulator, timeout=0.1).error == "ReadTimeout"
    assert simulator.calls[0].over.wait(2)
    assert simulator.calls[0].closed_early


def test_a_stream_stalls(talk: Talk) -> None:
    """It stops after its beginning, and the client's own timeout ends it."""
    simulator = simulate(faults.stalls(after_events=1))
    got = talk(simulator, {"stream": True}, timeout=0.1)
    assert (got.status, got.body.decode(), got.error) == (200, FIRST, "ReadTimeout")
    assert simulator.calls[0].over.wait(2)
    assert simulator.calls[0].closed_early


@pytest.mark.parametrize(
    "also", [faults.in_bytes(size=50), faults.slow(delay_seconds=0)], ids=["in bytes", "slow"]
)
def test_a_stall_stays_a_stall(also: Fault, talk: Talk) -> None:
    """A fault that is set in addition does not end the stall."""
    simulator = simulate(faults.together(faults.stalls(after_events=1), also))
    assert talk(simulator, {"stream": True}, timeout=0.1).error == "ReadTimeout"


def test_a_gateway_timeout_takes_its_time(talk: Talk) -> None:
    """A client that waits less never hears of it."""
    assert talk(simulate(faults.gateway_timeout(wait_seconds=30)), timeout=0.1).error == "ReadTimeout"


def test_a_phantom_run_spoils_the_next_request(talk: Talk) -> None:
    """The statuses are 524, then 500, and then the answer is right."""
    simulator = simulate(faults.gateway_timeout(phantom=True))
    assert [talk(simulator).status for _ in range(3)] == [524, 500, 200]


def test_the_wait_of_a_429_can_stand_in_the_header(talk: Talk) -> None:
    """Tess is not known to send it there."""
    got = talk(simulate(faults.rate_limited(retry_after_seconds=1.5, header=True)))
    assert got.headers["retry-after"] == "1.5"
    assert "retry-after" not in talk(simulate(faults.rate_limited())).headers


def test_a_redirect_names_its_place(talk: Talk) -> None:
    """It may lead to the same origin or to another one."""
    got = talk(simulate(faults.redirect(location="https://elsewhere.invalid/x", status=307)))
    assert (got.status, got.headers["location"]) == (307, "https://elsewhere.invalid/x")


def test_a_fault_may_strike_several_times(talk: Talk) -> None:
    """Several faults may be queued one after another."""
    simulator = simulate()
    simulator.fault(faults.server_error(), faults.bad_gateway(), times=2)
    assert [talk(simulator).status for _ in range(5)] == [500, 502, 500, 502, 200]


def test_a_refused_request_keeps_the_fault_queued(talk: Talk) -> None:
    """A fault never hides that the request was wrong."""
    simulator = simulate(faults.server_error())
    assert [talk(simulator, {"top_p": 1}).status, talk(simulator).status] == [422, 500]


def test_a_fault_of_streams_waits_for_a_stream(talk: Talk) -> None:
    """A fault that is queued behind it may occur first."""
    simulator = simulate(faults.without_done(), faults.server_error())
    assert [talk(simulator).status, talk(simulator).status] == [500, 200]
    assert not talk(simulator, {"stream": True}).body.endswith(b"[DONE]\n\n")


@pytest.mark.parametrize("make", faults.FAULTS.values(), ids=faults.FAULTS)
def test_every_fault_needs_no_argument(make: Callable[[], Fault]) -> None:
    """The command line takes a fault by its name, and knows each name."""
    assert make().name == make.__name__
    assert faults.FAULTS[make.__name__] is make


def test_every_fault_is_listed() -> None:
    """Each public function that makes one, but those that need arguments."""
    made = {name for name in faults.__all__ if name.islower()}
    assert made - set(faults.FAULTS) == {"answers", "together"}
