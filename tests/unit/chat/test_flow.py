"""The flow of a chat, driven by hand: what it yields, step by step, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import (
    READ_REST,
    Answer,
    Call,
    Event,
    Incoming,
    Outgoing,
    PauseKey,
    Read,
    ReadAll,
    ReportChanges,
)
from tess_openai.core.chat.context import LEDGER_HEADER, ledger_header
from tess_openai.core.chat_call import chat_completion
from tess_openai.core.error_hints import RATE_HINT
from tess_openai.core.errors import ERROR_BODY_LIMIT
from tess_openai.core.flow_steps import exchange, read_all, read_piece
from tess_openai.core.jsons import parse_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.response_changes import changes_of

JSON: TypeAlias = dict[str, Any]

CHAT: JSON = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}
ANSWER: JSON = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1,
    "model": "tess-6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CHUNK: JSON = {
    "id": "chatcmpl-7",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "tess-6",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}
EVENTS = b"data: " + json.dumps(CHUNK).encode() + b"\n\ndata: [DONE]\n\n"
AS_JSON = {"content-type": "application/json"}
AS_EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


def encoded(value: object) -> bytes:
    """Encode as a server does."""
    return json.dumps(value).encode()


def two_choices() -> bytes:
    """Stream two choices of which one has no end."""
    first, second = CHUNK["choices"][0], {"index": 1, "delta": {"content": "Ho"}, "finish_reason": None}
    return b"data: " + encoded({**CHUNK, "choices": [first, second]}) + b"\n\n"


@dataclass
class Run:
    """One call, driven to its end.

    Attributes:
        sent: Every request.
        reported: The parameters of each report.
        held: Seconds for which the calls of this key were held back.
        answer: The caller's answer.
        body: The caller's body.
        rests: How often the rest behind an answer was read.
    """

    sent: list[Outgoing] = field(default_factory=list[Outgoing])
    reported: list[list[str]] = field(default_factory=list[list[str]])
    held: list[float] = field(default_factory=list[float])
    answer: Answer = field(default_factory=lambda: Answer(0))
    body: bytes = b""
    rests: int = 0

    def read(self, step: Read, left: list[bytes | Exception]) -> tuple[bytes | None, Exception | None]:
        """Read the next piece, or the rest."""
        if step is READ_REST:
            self.rests += 1
            return None, None
        piece = left.pop(0) if left else b""
        return (None, piece) if isinstance(piece, Exception) else (piece, None)

    @property
    def payload(self) -> JSON:
        """The caller's body as JSON."""
        return parse_object(self.body) or {}

    @property
    def error(self) -> JSON:
        """The error in the caller's body."""
        error: JSON = self.payload["error"]
        return error

    @property
    def events(self) -> list[JSON]:
        """The events in the caller's body."""
        blocks = self.body.split(b"\n\n")[:-1]
        return [
            parse_object(block.removeprefix(b"data: ")) or {"done": block == b"data: [DONE]"}
            for block in blocks
        ]


def drive(
    body: object,
    incoming: Incoming | None = None,
    pieces: Sequence[bytes | Exception] = (),
    *,
    options: Options | None = None,
    attempt: int = 0,
    refusing: str | None = None,
) -> Run:
    """Drive one call against one answer in pieces.

    Args:
        body: Of the call; bytes as they are, else as JSON.
        incoming: The head of the answer; a JSON 200 by default.
        pieces: Its body; an exception is thrown at its place.
        options: Of the client.
        attempt: Of the SDK.
        refusing: What the last report is answered with; a text refuses.
    """
    data = body if isinstance(body, bytes) else encoded(body)
    call = Call("POST", "/chat/completions", {}, data, attempt, lambda: 99, lambda: "made-up")
    flow = chat_completion(call, Options(workspace_id="7001") if options is None else options)
    left, run = list(pieces), Run()
    event: Event = None
    error: Exception | None = None
    while True:
        try:
            step = flow.send(event) if error is None else flow.throw(error)
        except StopIteration:
            return run
        event = error = None
        if isinstance(step, Outgoing):
            run.sent.append(step)
            event = Incoming(200, AS_JSON) if incoming is None else incoming
        elif isinstance(step, ReportChanges):
            run.reported.append([change.param for change in step.changes])
            event = refusing
        elif isinstance(step, ReadAll):
            event = b"".join(piece for piece in left if isinstance(piece, bytes))
            if incoming is not None and incoming.status >= 400:
                assert step == ReadAll(ERROR_BODY_LIMIT, allow_truncation=True)
        elif isinstance(step, Read):
            event, error = run.read(step, left)
        elif isinstance(step, PauseKey):
            run.held.append(step.seconds)
        elif isinstance(step, Answer):
            run.answer = step
            run.body += step.body or b""
        else:
            assert isinstance(step, bytes)
            assert step
            run.body += step


def test_an_ordinary_call_goes_and_comes_as_it_is() -> None:
    """The caller's own bytes, the workspace added, the answer as it was read."""
    run = drive(CHAT, pieces=[encoded(ANSWER)])
    assert run.sent == [Outgoing(body=None, headers={"x-workspace-id": "7001"}, with_first_piece=True)]
    assert run.reported == []
    assert run.answer == Answer(200, body=encoded(ANSWER), base="as read")


def test_what_changes_is_reported_before_it_is_sent_and_is_on_the_answer() -> None:
    """In one report, in a header, in a field of the answer."""
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
    """400, in OpenAI's words, and no second attempt."""
    run = drive({**CHAT, "seed": 7}, options=Options(policy=Policy("error")))
    assert run.sent == []
    assert (run.answer.status, run.answer.base) == (400, "none")
    assert run.answer.headers["x-should-retry"] == "false"
    assert (run.error["param"], run.error["code"]) == ("seed", "unsupported_parameter")


def test_a_warning_that_the_callers_filters_refuse_is_a_refusal() -> None:
    """Before the network."""
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
        pytest.param(b"a\xff", ": byte 2 is not UTF-8", id="no text"),
        pytest.param(b"[" * 100_000, "", id="a hundred thousand brackets"),
    ],
)
def test_a_body_that_is_no_object_is_refused(body: bytes, where: str) -> None:
    """With the place of the mistake: Tess would only say that a field is missing."""
    run = drive(body, options=Options(tools="internet"))
    assert run.sent == []
    assert (run.answer.status, run.error["code"]) == (400, "invalid_json")
    assert run.error["message"] == f"The body of the request is not a JSON object{where}. It was not sent."


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
    """Streaming or not, with the ledger, and without a second attempt."""
    run = drive({**CHAT, "seed": 7, "stream": stream}, Incoming(200, headers), [body])
    assert (run.answer.status, run.error["code"]) == (502, code)
    assert run.answer.headers["x-should-retry"] == "false"
    assert LEDGER_HEADER in run.answer.headers


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_is_translated_and_keeps_the_ledger(*, stream: bool) -> None:
    """Also where a stream was asked for; its wait becomes the header that the SDK obeys."""
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
    """A longer one fails at once."""
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
    """To the same place and with the same request, or not at all."""
    run = drive(CHAT, Incoming(status, {"location": "/x"}, redirects_within_api))
    assert (run.answer.base if outcome == "as is" else run.answer.status) == outcome
    if outcome == 502:
        assert run.error["code"] == "redirected"


def test_an_answer_is_completed() -> None:
    """And the estimate is marked."""
    run = drive(CHAT, pieces=[b'{"choices":[{"message":{"content":"Hi"}}]}'])
    assert run.answer.base == "incoming"
    assert run.payload == {**ANSWER, "id": "chatcmpl-made-up", "created": 99, "usage": run.payload["usage"]}
    assert run.payload["usage"]["estimated"] is True


def test_no_usage_is_made_up_when_none_is_wanted() -> None:
    """`usage="none"` omits it."""
    given = {key: value for key, value in ANSWER.items() if key != "usage"}
    run = drive(CHAT, pieces=[encoded(given)], options=Options(usage="none"))
    assert run.answer == Answer(200, body=encoded(given), base="as read")


def test_an_answer_of_another_content_type_is_answered_as_json() -> None:
    """The SDK gives text for what is not called JSON."""
    run = drive(CHAT, Incoming(200, {"content-type": "text/plain"}), [encoded(ANSWER)])
    assert run.answer.headers["content-type"] == "application/json"
    assert run.payload == ANSWER


def test_an_answer_without_text_is_reported() -> None:
    """After the fact; a filter that makes it an error gets an error."""
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


def test_a_stream_passes_piece_by_piece() -> None:
    """With the answer's head first and the same bytes."""
    pieces = [EVENTS[at : at + 7] for at in range(0, len(EVENTS), 7)]
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert run.answer == Answer(200, {})
    assert run.body == EVENTS


@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream;charset=UTF-8"])
def test_a_stream_is_known_by_its_content_type(content_type: str) -> None:
    """In any case of letters."""
    run = drive({**CHAT, "stream": True}, Incoming(200, {"content-type": content_type}), [EVENTS])
    assert run.body == EVENTS


def test_usage_of_a_stream_is_estimated_for_those_who_asked() -> None:
    """From the prompt that was sent and the text that came."""
    asking = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
    run = drive(asking, Incoming(200, AS_EVENTS), [EVENTS])
    assert run.events[1]["usage"]["estimated"] is True
    assert run.events[1]["choices"] == []
    none = drive(
        asking, Incoming(200, AS_EVENTS), [EVENTS], options=Options(usage="none", policy=Policy("ignore"))
    )
    assert [set(event) & {"usage"} for event in none.events] == [set(), set()]


@pytest.mark.parametrize("pieces", [[EVENTS[:50]], [EVENTS[:50], b""], []])
def test_a_cut_stream_ends_in_an_error(pieces: list[bytes]) -> None:
    """The caller gets what was received before the break."""
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert run.events[-1]["error"]["code"] == "stream_truncated"


def test_a_connection_that_breaks_before_the_finish_reason_is_for_the_driver_to_report() -> None:
    """In the SDK's own exception."""
    pieces: list[bytes | Exception] = [EVENTS[:50], ConnectionError("peer closed connection")]
    with pytest.raises(ConnectionError, match="peer closed connection"):
        drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)


def test_a_connection_that_breaks_after_the_finish_reason_is_no_error() -> None:
    """The caller has the whole text; `[DONE]` is added."""
    pieces: list[bytes | Exception] = [EVENTS.removesuffix(b"data: [DONE]\n\n"), ConnectionError("reset")]
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert run.body == EVENTS


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_that_breaks_behind_complete_json_is_no_error(*, stream: bool) -> None:
    """The object is whole, whatever the head of the answer promised."""
    whole = encoded(ANSWER)
    run = drive({**CHAT, "stream": stream}, pieces=[whole[:-20], whole[-20:], ConnectionError("reset")])
    assert run.answer.status == 200
    with pytest.raises(ConnectionError):
        drive({**CHAT, "stream": stream}, pieces=[whole[:-20], ConnectionError("reset")])


def test_another_error_while_streaming_is_the_sdks_to_name() -> None:
    """It passes through the flow."""
    with pytest.raises(OSError, match="broken"):
        drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), [OSError("broken")])


@pytest.mark.parametrize(("pieces", "rests"), [([EVENTS], 1), ([EVENTS[:-14], b""], 0)])
def test_what_follows_the_end_is_read_once(pieces: list[bytes | Exception], rests: int) -> None:
    """So that the connection can be reused; not where the end of the body is known already."""
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert (run.body, run.rests) == (EVENTS, rests)


def test_a_whole_answer_becomes_a_stream() -> None:
    """When a stream was asked for; the ledger tells, and so does a report."""
    run = drive({**CHAT, "stream": True}, pieces=[encoded(ANSWER)])
    assert run.answer.headers["content-type"] == "text/event-stream"
    assert run.events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hi"}
    assert run.events[-1] == {"done": True}
    assert [change.param for change in changes_of(run.events[-2])] == ["stream"]
    assert run.reported == [["stream"]]


def test_a_stream_becomes_a_whole_answer() -> None:
    """When none was asked for."""
    run = drive(CHAT, Incoming(200, AS_EVENTS), [b"event: ping\ndata: {}\n\n" + EVENTS])
    assert run.answer.headers["content-type"] == "application/json"
    assert run.payload["choices"] == ANSWER["choices"]
    assert run.reported == [["stream"]]
    assert [change.param for change in changes_of(run.payload)] == ["stream"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", "stream_truncated", id="nothing"),
        pytest.param(EVENTS[:50], "stream_truncated", id="half a chunk"),
        pytest.param(EVENTS.replace(b'"stop"', b"null")[:-14], "stream_truncated", id="no end"),
        pytest.param(b'data: {"error":"boom"}\n\n', "stream_error", id="an error"),
        pytest.param(b"data: boom\n\n", "stream_not_json", id="a line of text"),
        pytest.param(two_choices(), "stream_truncated", id="the end of one of two choices"),
    ],
)
def test_a_stream_that_fails_is_no_whole_answer(body: bytes, code: str) -> None:
    """502, and not tried again."""
    run = drive(CHAT, Incoming(200, AS_EVENTS), [body])
    assert (run.answer.status, run.error["code"]) == (502, code)
    assert run.answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mark", [b"[DONE]", b'"[DONE]"', b" [DONE] "])
def test_an_end_mark_alone_is_an_answer_without_text(*, mark: bytes, stream: bool) -> None:
    """Streaming and not; a program can read it, and the caller is warned."""
    run = drive({**CHAT, "stream": stream}, Incoming(200, AS_EVENTS), [b"data: " + mark + b"\n\n"])
    fields = run.events[0] if stream else run.payload
    assert run.answer.status == 200
    assert fields["choices"][0]["finish_reason"] == "stop"
    assert "answer" in run.reported[-1]


RAW = [
    pytest.param(b'{"error":"boom"}', "error_in_200", "boom", id="an error"),
    pytest.param(b'{\n "error": "boom"\n\n}\n', "error_in_200", "boom", id="an error over several lines"),
    pytest.param(b"<html><title>Login</title>", "not_an_answer", '"Login"', id="a page"),
    pytest.param(b"upstream is busy\n\n", "not_an_answer", "upstream is busy", id="a line of text"),
]


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("body", "code", "reason"), RAW)
def test_what_is_called_a_stream_and_is_none_keeps_its_reason(
    *, body: bytes, code: str, reason: str, stream: bool, size: int
) -> None:
    """In the middle of the caller's stream, and where none was asked for."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    run = drive({**CHAT, "stream": stream}, Incoming(200, AS_EVENTS), pieces)
    error = run.events[-1]["error"] if stream else run.error
    assert error["code"] == code
    assert reason in error["message"]


@pytest.mark.parametrize("size", [7, 1000])
def test_a_whole_answer_that_is_called_a_stream_is_not_lost(size: int) -> None:
    """It was paid for."""
    body = json.dumps(ANSWER, indent=1).encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    streamed = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert streamed.events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hi"}
    assert streamed.events[-1] == {"done": True}
    assert streamed.reported == [["stream"]]
    whole = drive(CHAT, Incoming(200, AS_EVENTS), pieces)
    assert whole.payload == ANSWER
    assert whole.answer.headers["content-type"] == "application/json"


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


def test_a_long_ledger_in_the_header_is_cut_and_stays_json() -> None:
    """To the names first, then to the first of them."""
    for count, shape in ((2, 5), (60, 2), (3000, 2)):
        ledger = Ledger(Policy())
        for number in range(count):
            ledger.mapped(f"messages.{number}", "given", "sent", "why")
        header = ledger_header(ledger)[LEDGER_HEADER] or ""
        changes = json.loads(header)
        assert len(header) <= 4000
        assert {len(change) for change in changes} == {shape}
        assert changes[0]["param"] == "messages.0"
    for letter in ("é", "\N{GRINNING FACE}"):
        ledger = Ledger(Policy())
        ledger.mapped(letter * 5000, "given", "sent", "why")
        (change,) = json.loads(ledger_header(ledger)[LEDGER_HEADER] or "")
        assert change["action"] == "mapped"
        assert 100 < len(change["param"]) < 5000
        assert set(change["param"]) == {letter}


@pytest.mark.parametrize("step", [exchange(Outgoing()), read_piece(), read_all()])
def test_a_driver_that_answers_with_something_else_is_reported(step: Any) -> None:
    """A mistake at the edge is seen where it is made."""
    next(step)
    with pytest.raises(TypeError, match="a driver answers"):
        step.send("nonsense")
