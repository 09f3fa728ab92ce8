"""How many requests an emulated answer takes, what each failure gives the caller, and what is recorded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tess_openai.core.calls import Incoming
from tess_openai.core.jsons import parse_object
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import ProbeVerdict, TessProfile
from tests.unit.emulate.test_flow import (
    BAD,
    CHAT,
    DONE,
    GOOD,
    JSON,
    OPTIONS,
    Exchange,
    Run,
    drive,
    event,
    saying,
    streamed,
)

FAILED: Exchange = (Incoming(500, {"content-type": "application/json"}), [b'{"message": "No."}'])
OVERLOADED: Exchange = streamed(b'data: {"error": {"message": "overloaded", "code": 529}}\n\n')
WHOLE: Exchange = (
    Incoming(200, {"content-type": "application/json"}),
    [json.dumps({"choices": [{"index": 0, "message": {"content": "Hm"}, "finish_reason": "stop"}]}).encode()],
)
BADS = [BAD.replace("{}", f'{{"n": {number}}}') for number in range(4)]


def body_of(run: Run) -> dict[str, Any]:
    """Return the caller's answer."""
    return parse_object(run.body) or {}


@pytest.mark.parametrize("repairs", [0, 1, 2])
def test_as_many_further_calls_are_made_as_the_caller_allows(repairs: int) -> None:
    """Then the caller gets what can be made of the last answer."""
    options = replace(OPTIONS, max_repairs=repairs)
    run = drive(CHAT, *map(saying, BADS), options=options)
    assert len(run.sent) == repairs + 1
    (choice,) = body_of(run)["choices"]
    assert json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"]) == {"n": repairs}


def test_a_model_that_repeats_its_answer_is_not_asked_again() -> None:
    """It would repeat it once more."""
    run = drive(CHAT, saying(BAD), saying(BAD), saying(GOOD), options=replace(OPTIONS, max_repairs=3))
    assert len(run.sent) == 2


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_is_not_retried_once_an_answer_was_paid_for(*, stream: bool) -> None:
    """The SDK would repeat all calls of the answer."""
    run = drive({**CHAT, "stream": stream}, FAILED)
    assert run.answer.status == 500
    assert run.answer.headers.get("x-should-retry") != "false"
    run = drive({**CHAT, "stream": stream}, saying(BAD), FAILED)
    assert (run.answer.status, run.answer.headers["x-should-retry"]) == (500, "false")


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_in_a_stream_is_an_error_of_the_call(*, stream: bool) -> None:
    """The caller had no text yet, so the error has a status."""
    run = drive({**CHAT, "stream": stream}, OVERLOADED)
    assert run.answer.status >= 500
    assert "overloaded" in body_of(run)["error"]["message"]


def test_the_error_of_a_broken_connection_says_what_happened() -> None:
    """The text of an exception is repeated only where it is known to hold nothing of the caller's."""
    run = drive({**CHAT, "stream": True}, saying(BAD), streamed(event(GOOD), ConnectionError("reset")))
    assert "reset" in body_of(run)["error"]["message"]
    run = drive(CHAT, saying(BAD), OSError("no route"))
    assert "OSError" in body_of(run)["error"]["message"]
    assert "no route" not in body_of(run)["error"]["message"]


def test_a_call_that_was_demanded_and_never_made_is_an_error_with_the_ledger() -> None:
    """Its header says what was sent for the demand."""
    run = drive({**CHAT, "tool_choice": "required"}, saying("No."), saying("No."))
    assert (run.answer.status, body_of(run)["error"]["code"]) == (422, "function_call_missing")
    assert "tools" in {change["param"] for change in json.loads(run.answer.headers["x-tess-openai"] or "[]")}


def test_what_is_left_of_a_stream_is_read_where_a_whole_answer_was_asked_for() -> None:
    """The connection can then be used again, also before a further call."""
    rest = [b": bye\n\n", b": bye\n\n"]
    run = drive(CHAT, streamed(event("Hm", "stop"), DONE, *rest))
    assert run.unread == []
    run = drive({**CHAT, "stop": "X"}, streamed(event("Hm X"), event("Hm", "stop"), DONE, *rest))
    assert len(run.unread) == 4  # the connection is closed, so that the model need not write on


@pytest.mark.parametrize(
    ("stream", "exchange", "is_recorded"),
    [
        pytest.param(False, saying("Hm"), True, id="a stream instead of a whole answer"),
        pytest.param(True, WHOLE, True, id="a whole answer instead of a stream"),
        pytest.param(True, saying("Hm"), False, id="a stream"),
        pytest.param(False, WHOLE, False, id="a whole answer"),
    ],
)
def test_the_other_form_of_an_answer_is_recorded(
    exchange: Exchange, *, stream: bool, is_recorded: bool
) -> None:
    """The caller gets the form that was asked for."""
    run = drive({**CHAT, "stream": stream}, exchange)
    ledgers = [
        each["tess_openai"] for each in (run.events if stream else [body_of(run)]) if "tess_openai" in each
    ]
    changes = [change for ledger in ledgers for change in ledger["changes"] if change["param"] == "stream"]
    wholes = [(change["given"], change["sent"]) for change in changes]
    forms = [("a stream", "one piece")] if stream else [("no stream", "a stream")]
    assert wholes == (forms if is_recorded else [])
    assert (run.text if stream else body_of(run)["choices"][0]["message"]["content"]) == "Hm"


@pytest.mark.parametrize("stream", [True, False])
def test_the_identifier_is_that_of_the_first_answer(*, stream: bool) -> None:
    """The choices of one answer have one."""
    first, second = (
        streamed(event("Hm", "stop").replace(b'{"choices"', b'{"id": "%s", "choices"' % name), DONE)
        for name in (b"first", b"second")
    )
    run = drive({**CHAT, "n": 2, "stream": stream}, first, second)
    events = run.events[:-1] if stream else [body_of(run)]
    assert {each["id"] for each in events} == {"first"}


def test_missing_token_counts_are_estimated_unless_the_caller_wants_none() -> None:
    """An estimate counts the instructions too, since Tess bills them, and is marked as one."""
    usage = body_of(drive(CHAT, saying("Hm")))["usage"]
    assert usage["prompt_tokens"] > 100
    assert usage["estimated"] is True
    assert "usage" not in body_of(drive(CHAT, saying("Hm"), options=replace(OPTIONS, usage="none")))


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_a_model_that_says_nothing_is_asked_again_for_a_call_that_is_required(reason: str) -> None:
    """An empty answer is an answer, and not yet a repeated one."""
    empty = streamed(event("", reason), DONE)
    run = drive({**CHAT, "tool_choice": "required"}, empty, saying(GOOD))
    assert len(run.sent) == 2
    assert body_of(run)["choices"][0]["finish_reason"] == "tool_calls"
    run = drive({**CHAT, "tool_choice": "required"}, empty, empty, options=replace(OPTIONS, max_repairs=3))
    assert len(run.sent) == 2
    assert body_of(run)["error"]["code"] == "function_call_missing"


def asking_for_json(schema: JSON) -> JSON:
    """Return a request for JSON that follows a schema."""
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    return {"messages": CHAT["messages"], "response_format": form}


@pytest.mark.parametrize(("reason", "requests"), [("length", 1), ("content_filter", 1), ("stop", 2)])
def test_json_that_was_cut_is_not_asked_for_again(reason: str, requests: int) -> None:
    """The next answer would be cut too; the finish reason tells the caller."""
    body = asking_for_json({"type": "object", "required": ["a"]})
    run = drive(body, streamed(event('{"b": ', reason), DONE), saying('{"a": 1}'))
    assert len(run.sent) == requests
    (choice,) = body_of(run)["choices"]
    assert choice["finish_reason"] == reason
    assert choice["message"]["content"] == ('{"b": ' if requests == 1 else '{"a": 1}')


@pytest.mark.parametrize("stream", [True, False])
def test_prose_that_was_held_before_a_bad_call_is_not_lost(*, stream: bool) -> None:
    """What might have begun a mark or a stop sequence is given to the caller before the next answer."""
    for held in ("<", "EN"):
        body = {**CHAT, "stream": stream, "stop": "END"}
        run = drive(body, saying(f"Is 1 {held}{BAD}"), saying("Yes."))
        text = run.text if stream else body_of(run)["choices"][0]["message"]["content"]
        assert text == f"Is 1 {held}\n\nYes."


def test_a_status_300_is_no_answer() -> None:
    """It is a redirect without a place, whatever its body is."""
    _, pieces = saying("Hm")
    run = drive(CHAT, (Incoming(300, {"content-type": "text/event-stream"}), pieces))
    assert (run.answer.status, body_of(run)["error"]["code"]) == (502, "redirected")


def test_a_check_that_takes_too_long_is_noticed() -> None:
    """What is left unchecked counts as right, and the ledger says so."""
    items = {"anyOf": [{"const": number} for number in range(1000)]}
    run = drive(asking_for_json({"type": "array", "items": items}), saying(str([*range(1000)])))
    changes = body_of(run)["tess_openai"]["changes"]
    (noticed,) = [change for change in changes if change["action"] == "noticed"]
    assert (noticed["param"], noticed["given"]) == ("response_format", "a part of the answer")
    assert noticed["why"].endswith("so a part of it was not checked")


IMAGE: list[JSON] = [
    {"type": "text", "text": "a"},
    {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
]
MESSAGES: list[JSON] = [
    {"role": "developer", "content": "b"},
    {"role": "user", "content": "c"},
    {"role": "user", "content": IMAGE},
]


def test_a_further_call_sends_what_the_probe_proved_as_the_first_did() -> None:
    """The messages are those that were sent, with their images, their roles and their number."""
    proven = ("messages.neighbours", "role.developer", "content.image_parts")
    answers: dict[str, ProbeVerdict] = dict.fromkeys(proven, "supported")
    options = replace(OPTIONS, profile=TessProfile(agent_id=42, made="2026-11-23", answers=answers))
    run = drive({**CHAT, "messages": MESSAGES}, saying(BAD), saying(GOOD), options=options)
    first, second = ((parse_object(sent.body or b"") or {})["messages"] for sent in run.sent)
    assert [message["role"] for message in first] == ["developer", "user", "user"]
    assert second[:-1] == first[:-1]
    assert second[-1]["content"][:-1] == first[-1]["content"] == IMAGE
    assert second[-1]["content"][-1]["text"].startswith("(An earlier answer")


def test_what_the_policy_forwards_is_recorded_once() -> None:
    """A further call forwards it again, with the same messages."""
    options = replace(OPTIONS, policy=Policy("emulate", {"messages.content": "forward"}))
    messages = [{"role": "user", "content": IMAGE}]
    run = drive({**CHAT, "messages": messages}, saying(BAD), saying(GOOD), options=options)
    changes = body_of(run)["tess_openai"]["changes"]
    assert [change["param"] for change in changes if change["action"] == "forwarded"] == ["messages.content"]
    assert [change["action"] for change in changes if change["param"].startswith("messages")] == ["forwarded"]


def test_the_usage_counts_all_requests_and_each_piece_of_text() -> None:
    """Tess gave no numbers, so they are estimated of what was sent and received."""

    def usage(*exchanges: Exchange) -> JSON:
        counted: JSON = body_of(drive(CHAT, *exchanges))["usage"]
        return counted

    once, twice = usage(saying(GOOD)), usage(saying(BAD), saying(GOOD))
    assert twice["prompt_tokens"] > 2 * once["prompt_tokens"]
    assert usage(streamed(event("abcd"), event("efgh", "stop"), DONE))["completion_tokens"] == 2
    none = drive(CHAT, saying("Hm"), options=replace(OPTIONS, usage="none"))
    assert body_of(none).get("usage") is None


def test_the_rest_of_an_answer_is_read_before_the_next_request() -> None:
    """The connection can then be used for it; in a stream, the caller does not wait for the rest."""
    rest = [b": bye\n\n", b": bye\n\n"]
    for stream, left in ((False, 0), (True, 2)):
        bad = streamed(event(BAD, "stop"), DONE, *rest)
        assert drive({**CHAT, "stream": stream}, bad, saying(GOOD)).left == [left]


@pytest.mark.parametrize(("on_cut", "is_noted"), [("error", True), ("return", False)])
def test_a_stream_that_was_not_asked_for_is_noted(on_cut: Any, *, is_noted: bool) -> None:
    """Where answers are read as streams in any case, it is no surprise."""
    run = drive(CHAT, saying("Hm"), options=replace(OPTIONS, on_cut=on_cut))
    noted = [each for each in body_of(run)["tess_openai"]["changes"] if each["param"] == "stream"]
    assert bool(noted) is is_noted
