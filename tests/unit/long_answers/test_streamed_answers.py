"""Answers that are fetched as streams: what is requested, and what follows when a stream is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tests.unit.long_answers.driven import (
    BROKEN,
    CONTINUE,
    DONE,
    NOT_SENT,
    Exchange,
    ask,
    breaks,
    event,
    says,
)


def test_a_whole_answer_is_requested_as_a_stream() -> None:
    """The caller gets it whole, and learns how it was fetched."""
    options = Options(long_answers="stream", workspace_id="7001", max_answer_seconds=60.0)
    run = ask(says("Hi ", "there"), options=options, temperature=0.7)
    assert run.requests == [
        {
            "model": "tess-6",
            "messages": [{"role": "user", "content": "hello"}],
            "temperature": "0.75",
            "stream": True,
        }
    ]
    assert (run.sent[0].headers, run.sent[0].path) == ({"x-workspace-id": "7001"}, None)
    assert run.limits == [60.0]
    assert [change.param for change in run.reports[0]] == ["temperature", "stream"]
    assert (run.text, run.reason, run.changes) == ("Hi there", "stop", [])


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_may_be_cut_is_requested_as_the_caller_asked(*, stream: bool) -> None:
    """Only `long_answers` makes a stream of a whole answer."""
    run = ask(says("Hi"), options=Options(on_cut="return"), stream=stream)
    assert [request.get("stream", False) for request in run.requests] == [stream]
    assert run.body.startswith(b"data: ") is stream


def test_a_request_that_emulation_repeats_is_sent_as_it_made_it() -> None:
    """It says what was wrong with the answer, and is a stream too."""
    options = Options(long_answers="stream", policy=Policy("emulate"))
    form = {"type": "json_object"}
    run = ask(says("no JSON"), says('{"a": 1}'), options=options, response_format=form)
    first, second = run.requests
    assert (first["stream"], second["stream"]) == (True, True)
    assert "there is no JSON in the answer" in second["messages"][-1]["content"]
    assert first["messages"][-1]["content"] == "hello"
    assert json.loads(run.text) == {"a": 1}


@pytest.mark.parametrize("options", [Options(long_answers="stream"), Options(on_cut="return")])
def test_a_connection_that_breaks_before_a_text_is_for_the_driver_to_report(options: Options) -> None:
    """The driver raises the SDK's own exception."""
    with pytest.raises(ConnectionError, match="peer closed connection"):
        ask(breaks(), options=options)


@pytest.mark.parametrize("options", [Options(long_answers="stream"), Options(on_cut="return"), CONTINUE])
def test_a_stream_that_ends_before_a_text_is_an_error(options: Options) -> None:
    """There is nothing to return or to continue."""
    run = ask((200, [event("")]), options=options)
    assert (run.answer.status, run.error["code"]) == (502, "stream_truncated")
    assert "partial" not in run.error


def test_an_answer_that_is_cut_is_an_error_with_its_text() -> None:
    """The error says how it was cut."""
    options = Options(long_answers="stream")
    run = ask(breaks("Hi "), options=options)
    assert (run.answer.status, run.error["code"], run.error["partial"]) == (502, "stream_truncated", "Hi ")
    assert run.error["message"].endswith(": peer closed connection")
    ended = ask((200, [event("Hi ")]), options=options)
    assert ended.error["partial"] == "Hi "
    assert ended.error["message"].startswith("The stream ended before the answer was complete")


def test_an_answer_that_is_cut_is_returned_where_the_client_asks_for_it() -> None:
    """Its finish reason is that of a length, and the caller is warned."""
    run = ask(breaks("Hi ", "the"), options=Options(on_cut="return"))
    assert (run.answer.status, run.text, run.reason) == (200, "Hi the", "length")
    assert run.changes == [
        Change(
            action="noticed",
            param="answer",
            given="6 characters",
            sent="",
            why='the stream broke, so finish_reason is "length"',
            remedy="Ask for the rest in a further call, or let the adapter do so: "
            'create_client(on_cut="continue").',
            warn="answer",
        )
    ]


def test_an_answer_that_is_cut_is_continued_by_a_further_request() -> None:
    """It contains the text so far, and the words to repeat; it is reported before it is paid for."""
    run = ask(breaks("One two thr"), says("One two three four."))
    assert (run.text, run.reason) == ("One two three four.", "stop")
    first, second = run.requests
    assert second == {**first, "messages": second["messages"]}
    given, partial, note = second["messages"]
    assert given == first["messages"][0]
    assert partial == {"role": "assistant", "content": "One two"}
    assert (note["role"], '"One two"' in note["content"]) == ("user", True)
    assert run.reports[1] == [
        Change(
            action="asked again",
            param="answer",
            given="8 characters",
            sent="a further paid request",
            why="the stream broke, so the rest was requested",
            warn="answer",
        )
    ]
    assert run.payload["usage"]["estimated"] is True


def test_the_usage_of_a_continued_answer_is_that_of_its_requests_together() -> None:
    """Both were paid for."""
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    first: Exchange = (200, [event("One two ", usage=counts), BROKEN])
    second = (200, [event("three.", "stop", usage=counts), DONE])
    run = ask(first, second)
    assert run.payload["usage"] == {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10}
    silent = ask(
        breaks("One two "), says("three."), options=Options(on_cut="continue", usage="none"), stream=False
    )
    assert silent.text == "One two three."
    assert silent.payload.get("usage") is None


def test_an_estimated_usage_counts_the_prompt_of_each_request() -> None:
    """The further one contains the text so far."""
    alone = ask(says("One two three.")).payload["usage"]["prompt_tokens"]
    both = ask(breaks("One two "), says("three.")).payload["usage"]["prompt_tokens"]
    assert both > 2 * alone


def test_an_answer_that_its_length_cut_is_continued() -> None:
    """The reason is another one."""
    run = ask(says("One two ", reason="length"), says("three."))
    assert (run.text, run.reason) == ("One two three.", "stop")
    assert [change.why for change in run.changes] == [
        "Tess stopped at its length limit, so the rest was requested"
    ]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_whose_length_the_caller_limited_is_not_continued(name: str) -> None:
    """It is as long as was asked for."""
    options = Options(on_cut="continue", policy=Policy("forward"))
    limit: dict[str, Any] = {name: 2}
    run = ask(says("One two ", reason="length"), options=options, **limit)
    assert (run.text, run.reason) == ("One two ", "length")
    broken = ask(breaks("One two thr"), options=options, **limit)
    assert (broken.text, broken.reason) == ("One two thr", "length")
    assert len(broken.sent) == 1
    why = f'the stream broke, and {name} limits its length, so finish_reason is "length"'
    assert broken.changes[-1].why == why


def test_an_answer_is_continued_five_times_at_most() -> None:
    """Each request is paid for; what there is after them is returned."""
    run = ask(*(says(f"part {number} ", reason="length") for number in range(6)))
    assert len(run.sent) == 6
    assert (run.text.split(), run.reason) == (
        [word for number in range(6) for word in ("part", str(number))],
        "length",
    )
    *_, last = run.changes
    assert str(last) == (
        "answer (42 characters) needs attention: Tess stopped at its length limit, and at most 5 further "
        'requests are sent for the rest, so finish_reason is "length". Ask for less at once.'
    )


def test_an_answer_is_not_continued_again_after_nothing_was_added() -> None:
    """A further request would add nothing either."""
    run = ask(breaks("One two "), (200, [event("One two "), BROKEN]))
    assert (run.text, run.reason) == ("One two ", "length")
    assert [change.action for change in run.changes] == ["asked again", "noticed"]
    assert run.changes[-1].why == (
        'the stream broke, and the last further request added no text, so finish_reason is "length"'
    )


def test_a_continuation_that_is_another_text_is_not_joined() -> None:
    """The caller gets the text that is certain, and the reason."""
    sentence = "The river crosses the old town from east to west, and its bridges are made of stone. " * 3
    run = ask(breaks(sentence), says(sentence[:200] + "quite another text follows here."))
    assert (run.text, run.reason) == (sentence, "length")
    assert run.changes[-1].why == (
        "the model began its answer again and wrote another text, and the last further request added no "
        'text, so finish_reason is "length"'
    )


@pytest.mark.parametrize("on_cut", ["return", "continue"])
def test_an_answer_of_two_texts_is_returned_but_not_continued(on_cut: Any) -> None:
    """A continuation would not know which of them it continues."""
    pieces: list[bytes | Exception] = [event("One "), event("Two ", index=1), BROKEN]
    run = ask((200, pieces), options=Options(long_answers="stream", on_cut=on_cut))
    assert len(run.sent) == 1
    if on_cut == "return":
        assert run.answer.status == 200
        assert run.text == "One "
    else:
        assert (run.answer.status, run.error["code"]) == (502, "stream_truncated")


def test_a_continuation_that_a_filter_refuses_is_not_sent() -> None:
    """The caller gets the text that was paid for with the error."""
    run = ask(breaks("One two "), refusal="no further call")
    assert len(run.sent) == 1
    assert (run.error["code"], run.error["message"]) == ("warning_is_error", "no further call")
    assert run.error["partial"] == "One two "


@pytest.mark.parametrize(
    ("further", "code", "message"),
    [
        (
            NOT_SENT,
            "stream_truncated",
            "The connection broke before the answer was complete: connection refused",
        ),
        ((402, [b'{"error": "No credits."}']), "insufficient_quota", "No credits."),
        ((300, [b""]), "redirected", "Tess answered 300 with a redirect"),
    ],
    ids=["not sent", "refused", "redirected"],
)
def test_a_continuation_that_fails_is_an_error_with_the_text(further: Any, code: str, message: str) -> None:
    """It is the error of the continuation."""
    run = ask(breaks("One two "), further)
    assert (run.error["code"], run.error["partial"]) == (code, "One two ")
    assert message in run.error["message"]
    assert run.answer.status == 502


@pytest.mark.parametrize(("status", "code"), [(500, "server_error"), (300, "redirected")])
def test_an_error_of_the_first_request_is_the_answer(status: int, code: str) -> None:
    """There is no text to keep."""
    run = ask((status, [b'{"error": "No."}']))
    assert run.answer.status == (502 if status < 400 else status)
    assert "partial" not in run.error
    assert run.error["code"] == code


def test_a_stream_is_continued_in_the_callers_stream() -> None:
    """The caller sees one stream with one end; the ledger is in its last event."""
    run = ask(breaks("One two thr"), says("One two three four."), stream=True)
    *events, done = run.body.split(b"\n\n")[:-1]
    chunks = [json.loads(each.removeprefix(b"data: ")) for each in events]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert done == b"data: [DONE]"
    assert "".join(each["delta"].get("content") or "" for each in choices) == "One two three four."
    assert [each["finish_reason"] for each in choices if each["finish_reason"]] == ["stop"]
    assert [each["action"] for each in chunks[-1]["tess_openai"]["changes"]] == ["asked again"]


def test_neighbouring_messages_of_one_role_become_one_in_a_continuation() -> None:
    """As in every request of the client."""
    messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Begin:"}]
    run = ask(breaks("One two "), says("three."), messages=messages)
    assert [message["role"] for message in run.requests[1]["messages"]] == ["user", "assistant", "user"]
    apart = Options(long_answers="stream", on_cut="continue", merge_messages=False)
    run = ask(breaks("One two "), says("three."), messages=messages, options=apart)
    assert [message["role"] for message in run.requests[1]["messages"]] == [
        "user",
        "assistant",
        "assistant",
        "user",
    ]
