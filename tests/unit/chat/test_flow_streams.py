"""The flow of a chat whose answer is a stream, or is called one, driven by hand."""

from __future__ import annotations

import json

import pytest

from tess_openai.core.calls import Answer, Incoming
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.response_changes import changes_of
from tests.unit.chat.driven import ANSWER, AS_EVENTS, CHAT, CHUNK, EVENTS, drive, encoded


def two_choices() -> bytes:
    """Stream two choices of which one has no end."""
    first, second = CHUNK["choices"][0], {"index": 1, "delta": {"content": "Ho"}, "finish_reason": None}
    return b"data: " + encoded({**CHUNK, "choices": [first, second]}) + b"\n\n"


def test_a_stream_passes_piece_by_piece() -> None:
    """The head of the answer is first, and the bytes are the same."""
    pieces = [EVENTS[at : at + 7] for at in range(0, len(EVENTS), 7)]
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert run.answer == Answer(200, {})
    assert run.body == EVENTS


def test_a_stream_of_another_content_type_is_answered_once() -> None:
    """Its first event shows that it is a stream; the pieces after that event belong to the same answer."""
    pieces = [EVENTS[at : at + 7] for at in range(0, len(EVENTS), 7)]
    run = drive({**CHAT, "stream": True}, Incoming(200, {"content-type": "text/plain"}), pieces)
    assert run.answer == Answer(200, {"content-type": "text/event-stream"})
    assert run.body == EVENTS


@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream;charset=UTF-8"])
def test_a_stream_is_known_by_its_content_type(content_type: str) -> None:
    """The case of the letters does not matter."""
    run = drive({**CHAT, "stream": True}, Incoming(200, {"content-type": content_type}), [EVENTS])
    assert run.body == EVENTS


def test_usage_of_a_stream_is_estimated_for_those_who_asked() -> None:
    """The estimate is made from the prompt that was sent and the text that was received."""
    asking = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
    run = drive(asking, Incoming(200, AS_EVENTS), [EVENTS])
    assert run.events[1]["usage"]["estimated"] is True
    assert run.events[1]["choices"] == []
    none = drive(
        asking, Incoming(200, AS_EVENTS), [EVENTS], options=Options(usage="none", policy=Policy("ignore"))
    )
    assert [set(event) & {"usage"} for event in none.events] == [set(), set()]


def test_an_error_after_a_text_is_in_the_stream_though_both_come_at_once() -> None:
    """Without a text before it, the same error is an error answer, for which the SDK raises at once."""
    text = EVENTS.replace(b'"finish_reason": "stop"', b'"finish_reason": null').removesuffix(
        b"data: [DONE]\n\n"
    )
    error = b'data: {"error": "boom"}\n\n'
    run = drive({**CHAT, "stream": True}, Incoming(200, {}), [text + error])
    assert run.answer.status == 200
    assert [event.get("error", {}).get("message") for event in run.events] == [None, "boom"]
    run = drive({**CHAT, "stream": True}, Incoming(200, {}), [error])
    assert run.answer.status >= 400


@pytest.mark.parametrize("pieces", [[EVENTS[:50]], [EVENTS[:50], b""], []])
def test_a_cut_stream_ends_in_an_error(pieces: list[bytes]) -> None:
    """The caller gets what was received before the break."""
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert run.events[-1]["error"]["code"] == "stream_truncated"


def test_a_connection_that_breaks_before_the_finish_reason_is_for_the_driver_to_report() -> None:
    """The driver raises the SDK's own exception."""
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
    """Reading the rest lets the connection be reused; it is skipped where the body has ended already."""
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert (run.body, run.rests) == (EVENTS, rests)


def test_a_whole_answer_becomes_a_stream() -> None:
    """This happens when the caller asked for a stream; the ledger and a report list the change."""
    run = drive({**CHAT, "stream": True}, pieces=[encoded(ANSWER)])
    assert run.answer.headers["content-type"] == "text/event-stream"
    assert run.events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hi"}
    assert run.events[-1] == {"done": True}
    assert [change.param for change in changes_of(run.events[-2])] == ["stream"]
    assert run.reported == [["stream"]]


def test_a_stream_becomes_a_whole_answer() -> None:
    """This happens when the caller did not ask for a stream."""
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
    """The status is 502, and the SDK does not retry."""
    run = drive(CHAT, Incoming(200, AS_EVENTS), [body])
    assert (run.answer.status, run.error["code"]) == (502, code)
    assert run.answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("mark", [b"[DONE]", b'"[DONE]"', b" [DONE] "])
def test_an_end_mark_alone_is_an_answer_without_text(*, mark: bytes, stream: bool) -> None:
    """A program can read the answer, whether it streams or not, and the caller is warned."""
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
    """The error is in the caller's stream, or is the answer where the caller did not ask for a stream."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    run = drive({**CHAT, "stream": stream}, Incoming(200, AS_EVENTS), pieces)
    error = run.events[-1]["error"] if stream else run.error
    assert error["code"] == code
    assert reason in error["message"]


@pytest.mark.parametrize("size", [7, 1000])
def test_a_whole_answer_that_is_called_a_stream_is_not_lost(size: int) -> None:
    """The caller gets the answer, because it was paid for."""
    body = json.dumps(ANSWER, indent=1).encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    streamed = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), pieces)
    assert streamed.events[0]["choices"][0]["delta"] == {"role": "assistant", "content": "Hi"}
    assert streamed.events[-1] == {"done": True}
    assert streamed.reported == [["stream"]]
    whole = drive(CHAT, Incoming(200, AS_EVENTS), pieces)
    assert whole.payload == ANSWER
    assert whole.answer.headers["content-type"] == "application/json"


def test_a_chunk_that_names_no_model_gets_that_of_the_request() -> None:
    """Programs read the field of every chunk."""
    nameless = {name: value for name, value in CHUNK.items() if name != "model"}
    run = drive({**CHAT, "stream": True}, Incoming(200, AS_EVENTS), [b"data: " + encoded(nameless) + b"\n\n"])
    assert run.events[0]["model"] == CHAT["model"]
