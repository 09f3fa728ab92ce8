"""The flow of a chat, driven by hand: what it yields, step by step, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tess_openai.core.agents import Agent
from tess_openai.core.calls import Answer, Incoming, Outgoing
from tess_openai.core.chat.context import LEDGER_HEADER, ledger_header
from tess_openai.core.error_hints import RATE_HINT
from tess_openai.core.jsons import parse_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile
from tess_openai.response_changes import changes_of
from tests.unit.chat.driven import ANSWER, AS_EVENTS, AS_JSON, CHAT, CHUNK, EVENTS, drive, encoded


def test_an_ordinary_call_goes_and_comes_as_it_is() -> None:
    """The flow sends the caller's own bytes with the workspace, and returns the answer as it was read."""
    run = drive(CHAT, pieces=[encoded(ANSWER)])
    assert run.sent == [Outgoing(body=None, headers={"x-workspace-id": "7001"}, with_first_piece=True)]
    assert run.reported == []
    assert run.answer == Answer(200, body=encoded(ANSWER), base="as read")


def test_what_changes_is_reported_before_it_is_sent_and_is_on_the_answer() -> None:
    """One report, a header and a field of the answer list the changes."""
    run = drive({**CHAT, "seed": 7, "temperature": 0.7}, pieces=[encoded(ANSWER)])
    assert run.reported == [["seed", "temperature"]]
    assert [parse_object(sent.body or b"") for sent in run.sent] == [{**CHAT, "temperature": "0.75"}]
    assert run.payload["choices"] == ANSWER["choices"]
    header = json.loads(run.answer.headers[LEDGER_HEADER] or "")
    assert header == run.payload["tess_openai"]["changes"]
    assert [change["param"] for change in header] == ["seed", "temperature"]


def test_a_retry_is_not_reported_again() -> None:
    """It is the same request; the answer's ledger still lists the change."""
    run = drive({**CHAT, "seed": 7}, pieces=[encoded(ANSWER)], attempt=1)
    assert run.reported == []
    assert [change.param for change in changes_of(run.payload)] == ["seed"]


def test_a_refusal_is_an_answer_without_the_network() -> None:
    """The status is 400, the code is one of OpenAI's, and the SDK does not retry."""
    run = drive({**CHAT, "seed": 7}, options=Options(policy=Policy("error")))
    assert run.sent == []
    assert (run.answer.status, run.answer.base) == (400, "none")
    assert run.answer.headers["x-should-retry"] == "false"
    assert (run.error["param"], run.error["code"]) == ("seed", "unsupported_parameter")


def test_a_warning_that_the_callers_filters_refuse_is_a_refusal() -> None:
    """The request is not sent, and the error has the text of the warning."""
    run = drive({**CHAT, "seed": 7}, refusing="seed was stripped")
    assert run.sent == []
    assert (run.answer.status, run.error["code"], run.error["message"]) == (
        400,
        "warning_is_error",
        "seed was stripped",
    )


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param(b"", ": Expecting value (line 1, column 1)", id="nothing"),
        pytest.param(b"[1]", "", id="a list"),
        pytest.param(b'{"a": "b"\n "c"}', ": Expecting ',' delimiter (line 2, column 2)", id="no comma"),
        pytest.param(
            b'\xef\xbb\xbf{"a"}', ": Expecting ':' delimiter (line 1, column 5)", id="a byte order mark"
        ),
        pytest.param(b'{"a": "\\q"}', ": Invalid \\escape (line 1, column 8)", id="an escape"),
        pytest.param(b"a\xff", ": byte 2 is not UTF-8", id="no text"),
        pytest.param(b"[" * 100_000, "", id="a hundred thousand brackets"),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: bytes, where: str) -> None:
    """The error names the place of the mistake; Tess would only say that a field is missing."""
    run = drive(body, options=Options(tools="internet"))
    assert run.sent == []
    assert (run.answer.status, run.error["code"]) == (400, "invalid_json")
    assert run.error["message"] == f"The body of the request is not a JSON object{where}. It was not sent."


def test_a_call_refuses_the_loss_of_a_parameter_for_itself() -> None:
    """The other parameters keep the action of the client."""
    own = {"tess_openai": {"unsupported": {"seed": "error"}}}
    refused = drive({**CHAT, "seed": 7, **own})
    assert (refused.sent, refused.error["param"]) == ([], "seed")
    assert drive({**CHAT, "top_p": 0.5, **own}).reported == [["top_p"]]


def test_a_profile_counts_for_its_own_agent_only() -> None:
    """What was proven about one agent may be wrong for another one that the call chooses."""
    profile = TessProfile(agent_id=42, made="2026-11-23", answers={"seed": "supported"})
    options = Options(profile=profile, agents={9: Agent(id=9)}, agent_names={"other": 9})
    assert drive({**CHAT, "seed": 7}, options=options).reported == []
    assert drive({**CHAT, "seed": 7, "model": "other"}, options=options).reported == [["model", "seed"]]


@pytest.mark.parametrize(
    ("options", "own"),
    [
        (Options(), {"usage": "none"}),
        (Options(policy=Policy("warn", {"messages.content": "forward"})), {"attachments": "upload"}),
    ],
)
def test_a_file_is_not_uploaded(options: Options, own: dict[str, object]) -> None:
    """The caller did not ask for it, or wants the message sent unchanged."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    run = drive(
        {**CHAT, "messages": [{"role": "user", "content": [image]}], "tess_openai": own}, options=options
    )
    assert len(run.sent) == 1


@pytest.mark.parametrize(("stream", "params"), [(False, ["stream"]), (True, [])])
def test_reading_an_answer_as_a_stream_is_in_the_ledger(*, stream: bool, params: list[str]) -> None:
    """It is no change for a caller who asked for a stream."""
    run = drive(
        {**CHAT, "stream": stream}, Incoming(200, AS_EVENTS), [EVENTS], options=Options(long_answers="stream")
    )
    assert [param for reported in run.reported for param in reported] == params


WRONG = [
    pytest.param(b"", AS_JSON, "empty_answer", id="nothing"),
    pytest.param(b'{"error":"boom"}', AS_JSON, "error_in_200", id="an error"),
    pytest.param(b"<html>", {"content-type": "text/html"}, "not_an_answer", id="a page"),
    pytest.param(b"{}", {}, "not_an_answer", id="an empty object"),
    pytest.param(b'{"choices":null}', AS_JSON, "not_an_answer", id="null choices"),
    pytest.param(b"[" * 100_000, AS_JSON, "not_an_answer", id="a hundred thousand brackets"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "headers", "code"), WRONG)
def test_a_200_that_is_no_answer_is_an_error(
    *, body: bytes, headers: Mapping[str, str], code: str, stream: bool
) -> None:
    """The answer has the status 502 and the ledger, and the SDK does not retry; streams have it too."""
    run = drive({**CHAT, "seed": 7, "stream": stream}, Incoming(200, headers), [body])
    assert (run.answer.status, run.error["code"]) == (502, code)
    assert run.answer.headers["x-should-retry"] == "false"
    assert LEDGER_HEADER in run.answer.headers


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_is_translated_and_keeps_the_ledger(*, stream: bool) -> None:
    """A stream gets the same error; the wait in its body becomes the header that the SDK obeys."""
    run = drive(
        {**CHAT, "seed": 7, "stream": stream}, Incoming(429, AS_JSON), [b'{"error":"Slow.","retry_after":7}']
    )
    assert (run.answer.status, run.error["message"], run.error["code"]) == (
        429,
        f"Slow. {RATE_HINT}",
        "rate_limit_exceeded",
    )
    assert run.answer.headers["retry-after"] == "7"
    assert run.held == [7.0]
    assert LEDGER_HEADER in run.answer.headers


def test_the_clients_patience_decides_over_a_wait() -> None:
    """The call fails at once when Tess asks for a longer wait."""
    options = Options(max_retry_wait_seconds=5)
    run = drive(CHAT, Incoming(429, AS_JSON), [b'{"error":"Slow.","retry_after":7}'], options=options)
    assert run.answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("status", "redirects_within_api", "outcome"),
    [
        (307, True, "as is"),
        (308, True, "as is"),
        (302, True, 502),
        (307, False, 502),
        (302, False, 502),
        (304, False, 502),
    ],
)
def test_a_redirect_is_followed_only_where_nothing_is_lost_or_leaks(
    *, status: int, redirects_within_api: bool, outcome: object
) -> None:
    """A redirect is followed to the same API with the same request, or not at all."""
    run = drive(CHAT, Incoming(status, {"location": "/x"}, redirects_within_api))
    assert (run.answer.base if outcome == "as is" else run.answer.status) == outcome
    if outcome == "as is":
        assert run.answer.status == status
    else:
        assert run.error["code"] == "redirected"


def test_an_answer_is_completed() -> None:
    """The missing fields are added, and the estimated usage is marked."""
    run = drive(CHAT, pieces=[b'{"choices":[{"message":{"content":"Hi"}}]}'])
    assert (run.answer.status, run.answer.base) == (200, "incoming")
    assert run.payload == {**ANSWER, "id": "chatcmpl-made-up", "created": 99, "usage": run.payload["usage"]}
    assert run.payload["usage"]["estimated"] is True


def test_no_usage_is_made_up_when_none_is_wanted() -> None:
    """With `usage="none"`, an answer without token counts stays without them."""
    given = {key: value for key, value in ANSWER.items() if key != "usage"}
    run = drive(CHAT, pieces=[encoded(given)], options=Options(usage="none"))
    assert run.answer == Answer(200, body=encoded(given), base="as read")


def test_an_answer_of_another_content_type_is_answered_as_json() -> None:
    """The SDK gives text for what is not called JSON."""
    run = drive(CHAT, Incoming(200, {"content-type": "text/plain"}), [encoded(ANSWER)])
    assert run.answer.headers["content-type"] == "application/json"
    assert run.payload == ANSWER


def test_an_answer_without_text_is_reported() -> None:
    """The report follows the answer; a filter that makes warnings errors turns it into an error."""
    silent = {**ANSWER, "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}}]}
    run = drive(CHAT, pieces=[encoded(silent)])
    assert run.reported == [["answer"]]
    refused = drive(CHAT, pieces=[encoded(silent)], refusing="no text")
    assert (refused.answer.status, refused.error["code"]) == (400, "warning_is_error")
    events = EVENTS.replace(b'"Hi"', b'""')
    refused = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), [events], refusing="no text")
    assert refused.events[-1]["error"]["code"] == "warning_is_error"
    refused = drive({**CHAT, "stream": True}, pieces=[encoded(silent)], refusing="no text")
    assert (refused.answer.status, refused.error["code"]) == (400, "warning_is_error")


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_beside_a_text_does_not_drop_the_text(*, stream: bool) -> None:
    """It warns, in both ways to answer; without a text it is the answer."""
    error = {"error": "partial failure"}
    chunk, answer = {**CHUNK, **error}, {**ANSWER, **error}
    for incoming, body in (
        (Incoming(200, AS_EVENTS), b"data: " + encoded(chunk) + b"\n\ndata: [DONE]\n\n"),
        (Incoming(200, AS_JSON), encoded(answer)),
    ):
        run = drive({**CHAT, "stream": stream}, incoming, [body])
        assert b'"Hi"' in run.body
        assert b'"error":"partial failure"' in run.body
        assert not stream or not any("error" in event for event in run.events)
        assert "answer" in run.reported[-1]
        silent = drive({**CHAT, "stream": stream}, incoming, [body.replace(b'"Hi"', b'""')])
        error_seen = silent.events[-1]["error"] if silent.body.startswith(b"data:") else silent.error
        assert "partial failure" in error_seen["message"]


def test_the_status_of_an_empty_answer_is_reported() -> None:
    """A 204 is not called a 200."""
    run = drive(CHAT, Incoming(204, {}), [b""])
    assert run.error["message"] == "Tess answered 204 with an empty body instead of a chat completion"


@pytest.mark.parametrize("model", [None, 7, ["tess-6"]])
def test_a_model_that_is_no_text_is_not_repeated(model: object) -> None:
    """The answer's model is then empty, when Tess names none."""
    run = drive({**CHAT, "model": model}, pieces=[b'{"choices":[{"message":{"content":"Hi"}}]}'])
    assert run.payload["model"] == ""


def test_a_ledger_that_a_header_can_just_hold_is_not_cut() -> None:
    """4000 characters are not too long."""
    ledger = Ledger(Policy())
    ledger.mapped("a", "given", "sent", "why")
    fitting = Ledger(Policy())
    fitting.mapped("a" * (4001 - len(ledger.to_text())), "given", "sent", "why")
    assert ledger_header(fitting) == {LEDGER_HEADER: fitting.to_text()}
    assert len(fitting.to_text()) == 4000


def test_a_long_ledger_in_the_header_is_cut_and_stays_json() -> None:
    """It is reduced to the names of the changes first, and then to the first of the names."""
    for count, shape, least in ((2, 5, 100), (60, 2, 2000), (3000, 2, 2000)):
        ledger = Ledger(Policy())
        for number in range(count):
            ledger.mapped(f"messages.{number}", "given", "sent", "why")
        header = ledger_header(ledger)[LEDGER_HEADER] or ""
        changes = json.loads(header)
        assert least < len(header) <= 4000, "half of the names are removed at a time"
        assert {len(change) for change in changes} == {shape}
        assert changes[0]["param"] == "messages.0"
    for letter in ("é", "\N{GRINNING FACE}"):
        ledger = Ledger(Policy())
        ledger.mapped(letter * 5000, "given", "sent", "why")
        (change,) = json.loads(ledger_header(ledger)[LEDGER_HEADER] or "")
        assert change["action"] == "mapped"
        assert 100 < len(change["param"]) < 5000
        assert set(change["param"]) == {letter}
