"""Legacy completions: when the caller learns of a change, and what follows when a filter refuses it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.calls import Answer, Incoming, ReportChanges
from tess_openai.core.chat.context import LEDGER_HEADER
from tess_openai.core.options import Options
from tests.unit.chat.driven import ANSWER, AS_EVENTS, AS_JSON, CHUNK, encoded
from tests.unit.taken_steps import Driven, error_of

REFUSAL = "the filter refuses this"
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
"""A call of Tess, which an answer to a prompt cannot hold."""


def event(reason: str | None = None, **delta: Any) -> bytes:
    """Return one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + encoded({**CHUNK, "choices": [choice]}) + b"\n\n"


def reported(step: object) -> list[str]:
    """Return the parameters of the changes in a report."""
    assert isinstance(step, ReportChanges)
    return [change.param for change in step.changes]


def whole_with_call() -> bytes:
    """Return a whole answer with a text and a call."""
    choice = {**ANSWER["choices"][0], "message": {"role": "assistant", "content": "Hi", "tool_calls": [CALL]}}
    return encoded({**ANSWER, "choices": [choice]})


def reading(*, stream: bool, **given: Any) -> Driven:
    """Return a call whose request was sent, and whose answer is read next."""
    driven = Driven("/completions", stream=stream, **given)
    driven.request()
    step = driven.next(Incoming(200, AS_EVENTS if stream else AS_JSON))
    if stream:
        assert isinstance(step, Answer)
        driven.next()
    return driven


def test_a_change_of_the_prompt_that_a_filter_refuses_is_not_sent() -> None:
    """Nothing is paid for."""
    driven = Driven("/completions", logprobs=1)
    assert reported(driven.next()) == ["logprobs"]
    answer = driven.answer(REFUSAL)
    assert answer.status == 400
    assert (error_of(answer)["code"], error_of(answer)["message"]) == ("warning_is_error", REFUSAL)
    with pytest.raises(StopIteration):
        driven.next()


def test_a_change_of_the_messages_has_the_name_of_the_prompt() -> None:
    """The caller has no messages."""
    driven = Driven("/completions", options=Options(long_answers="poll"))
    steps = [driven.next(), driven.next()]
    assert [reported(step) for step in steps if isinstance(step, ReportChanges)] == [["prompt"]]


@pytest.mark.parametrize("refusal", [None, REFUSAL])
def test_a_change_in_the_answer_to_the_last_prompt_is_reported(refusal: str | None) -> None:
    """A filter makes the whole answer an error."""
    driven = reading(stream=False)
    step = driven.next(whole_with_call())
    assert isinstance(step, ReportChanges)
    (change,) = step.changes
    assert (change.action, change.param, change.sent) == ("noticed", "tool_calls", "")
    assert "Tess returned a function call" in change.why
    assert change.remedy.startswith("client.chat.completions and client.responses ")
    answer = driven.next(refusal)
    assert isinstance(answer, Answer)
    assert answer.status == (200 if refusal is None else 400)
    body = json.loads(answer.body or b"")
    assert ("choices" in body, body.get("error", {}).get("message")) == (refusal is None, refusal)
    with pytest.raises(StopIteration):
        driven.next()


@pytest.mark.parametrize("refusal", [None, REFUSAL])
def test_a_change_in_the_stream_of_the_last_prompt_is_reported(refusal: str | None) -> None:
    """A filter ends the stream with an error instead of its end; the last chunk is not lost."""
    driven = reading(stream=True)
    events = event(content="Hi", tool_calls=[CALL]) + event("stop") + b"data: [DONE]\n\n"
    first = driven.next(events)
    assert isinstance(first, bytes)
    assert b'"Hi"' in first
    assert reported(driven.next()) == ["tool_calls"]
    last = driven.next(refusal)
    assert isinstance(last, bytes)
    assert b'"finish_reason":"stop"' in last
    assert last.endswith(b"data: [DONE]\n\n") is (refusal is None)
    assert (REFUSAL.encode() in last) is (refusal is not None)


def test_a_change_in_a_stream_that_fails_is_reported() -> None:
    """The answer was paid for, and the change may explain what went wrong."""
    driven = reading(stream=True)
    part = {"type": "image", "url": "https://example.com/a.png"}
    driven.next(event(content=[{"type": "text", "text": "Hi"}, part]))
    step = driven.next()
    seen = list[str]()
    while not (isinstance(step, bytes) and b'"error"' in step):
        seen += reported(step) if isinstance(step, ReportChanges) else []
        step = driven.next(None if isinstance(step, ReportChanges | bytes) else b"")
    assert seen == ["content"]


def test_a_whole_answer_has_the_headers_of_its_own_body() -> None:
    """A header of Tess that has the name of the ledger's is not passed on."""
    driven = reading(stream=False)
    answer = driven.answer(encoded(ANSWER))
    assert answer.headers == {"content-type": "application/json", LEDGER_HEADER: None}
    header = json.loads(
        reading(stream=False, logprobs=1).answer(encoded(ANSWER)).headers[LEDGER_HEADER] or ""
    )
    assert [change["param"] for change in header] == ["logprobs"]
