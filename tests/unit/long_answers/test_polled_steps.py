"""The steps for an execution that is asked for: their order, and what follows when one of them fails."""

from __future__ import annotations

import json

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tests.unit.long_answers.driven import JSON, NOT_SENT, Exchange, ask

POLL = Options(long_answers="poll", policy=Policy("ignore"), agent_names={"other": 9})


def state(output: object = None, status: object = "running", **more: object) -> JSON:
    """Return a state of the execution."""
    return {"id": 7, "status": status, "output": output, **more}


def shown(fields: object) -> Exchange:
    """Return an answer of Tess with these fields."""
    return 200, [json.dumps(fields).encode()]


STARTED = shown({"responses": [state(status="starting")]})
ENDED = shown(state("Once upon a time", "succeeded"))


def test_a_text_is_passed_on_before_the_next_wait() -> None:
    """The caller sees it grow."""
    run = ask(STARTED, shown(state("Once")), shown(state("Once")), ENDED, options=POLL, stream=True)
    assert run.steps == [
        *["request", "wait", "request"],  # the start, and the first state
        *["piece", "wait", "request"],
        *["wait", "request"],  # a state without a new text
        "piece",
    ]
    assert run.sent[1].headers == {"content-type": None}


def test_an_execution_that_has_ended_at_once_is_not_asked_for() -> None:
    """Its start shows its whole output."""
    run = ask(shown({"responses": [state("Once", "succeeded")]}), options=POLL)
    assert (run.text, run.steps) == ("Once", ["request"])


@pytest.mark.parametrize(
    "start", [{}, {"responses": []}, {"responses": [{"status": "starting"}]}, {"responses": ["x"]}, []]
)
def test_a_start_without_a_number_is_an_error_at_once(start: object) -> None:
    """There is nothing to ask for."""
    run = ask(shown(start), options=POLL)
    assert (run.answer.status, run.error["code"]) == (502, "not_an_answer")
    assert run.steps == ["request"]


@pytest.mark.parametrize(("status", "answered"), [(300, 502), (422, 422)])
def test_a_start_that_fails_is_the_answer(status: int, answered: int) -> None:
    """Nothing was started."""
    run = ask((status, [b'{"error": "No."}']), options=POLL)
    assert (run.answer.status, run.steps) == (answered, ["request"])


def test_the_execution_is_that_of_the_agent_that_the_call_names() -> None:
    """Its path contains the number of the agent once."""
    run = ask(STARTED, ENDED, options=POLL, model="other")
    assert [each.path for each in run.sent] == ["/agents/9/execute", "/agent-responses/7"]


def test_a_request_that_emulation_repeats_is_a_further_execution() -> None:
    """It says what was wrong with the answer."""
    options = Options(long_answers="poll", policy=Policy("emulate"))
    ends = [shown(state(text, "succeeded")) for text in ("no JSON", '{"a": 1}')]
    answers = [STARTED, ends[0], STARTED, ends[1]]
    run = ask(*answers, options=options, response_format={"type": "json_object"})
    assert json.loads(run.text) == {"a": 1}
    starts = [request for request in run.sent if request.method is None]
    assert ["there is no JSON in the answer" in (each.body or b"").decode() for each in starts] == [
        False,
        True,
    ]
    assert not any(each.with_first_piece for each in starts)


def test_the_wait_ends_at_the_time_limit_with_the_text_so_far() -> None:
    """The execution continues, and the error says why the call did not wait for it."""
    run = ask(STARTED, shown(state("Once")), options=POLL, waits=2)
    assert (run.answer.status, run.error["code"], run.error["partial"]) == (502, "stream_truncated", "Once")
    assert run.error["message"].endswith(": peer closed connection")


def test_a_wait_that_ends_without_a_text_is_for_the_driver_to_report() -> None:
    """The driver raises the SDK's own exception."""
    with pytest.raises(ConnectionError, match="peer closed connection"):
        ask(STARTED, shown(state()), options=POLL, waits=2)


def test_a_connection_may_break_five_times_in_a_row() -> None:
    """The execution continues meanwhile; a state begins the count again."""
    breaks = [NOT_SENT] * 5
    run = ask(STARTED, *breaks, shown(state("Once")), *breaks, ENDED, options=POLL)
    assert run.text == "Once upon a time"
    with pytest.raises(ConnectionError, match="connection refused"):
        ask(STARTED, *breaks, NOT_SENT, options=POLL)


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_is_not_lost_when_the_connection_breaks_too_often(*, stream: bool) -> None:
    """It was paid for; the error says why no more of it was read."""
    run = ask(STARTED, shown(state("Once")), *[NOT_SENT] * 6, options=POLL, stream=stream)
    if stream:
        assert b'"content":"Once"' in run.body
        assert b'"code":"stream_truncated"' in run.body
    else:
        assert (run.answer.status, run.error["code"], run.error["partial"]) == (
            502,
            "stream_truncated",
            "Once",
        )
        assert run.error["message"].endswith(": connection refused")


def test_a_state_that_is_redirected_is_an_error() -> None:
    """The request has no body that a redirect could drop."""
    run = ask(STARTED, (300, [b""]), options=POLL)
    assert run.error["message"].startswith(
        "Tess answered 300 with a redirect to another page, which is not followed"
    )


def test_a_part_of_the_output_that_no_text_can_hold_is_noticed() -> None:
    """The caller learns what is missing in the text."""
    image = {"type": "image", "url": "https://example.com/a.png"}
    output = [{"type": "text", "text": "Once"}, image]
    run = ask(STARTED, shown(state(output, "succeeded")), options=POLL)
    assert run.text == "Once"
    (change,) = [change for report in run.reports for change in report if change.param == "content"]
    assert (change.action, change.warn) == ("noticed", "answer")


def test_a_text_that_changes_while_it_is_streamed_is_an_error_of_the_stream() -> None:
    """A program that has shown the old text cannot take it back."""
    run = ask(STARTED, shown(state("Once")), shown(state("Twice", "succeeded")), options=POLL, stream=True)
    error = json.loads(run.body.split(b"\n\n")[-2].removeprefix(b"data: "))["error"]
    assert (error["code"], error["type"]) == ("stream_error", "server_error")


@pytest.mark.parametrize(("given", "sent"), [(0.45, "0.45"), (1, "1"), ("0.3", "0.3"), (True, True)])
def test_any_temperature_that_is_a_number_is_sent_as_a_text(given: object, sent: object) -> None:
    """Tess documents it as one, also where the client has no list of them."""
    options = Options(long_answers="poll", policy=Policy("forward"), temperatures=None)
    run = ask(STARTED, ENDED, options=options, temperature=given)
    assert run.requests[0]["temperature"] == sent
    assert type(run.requests[0]["temperature"]) is type(sent)


def test_an_execution_is_not_started_as_a_stream() -> None:
    """Its route has no streams, even where the policy forwards their options."""
    options = Options(long_answers="poll", policy=Policy("forward"))
    run = ask(STARTED, ENDED, options=options, stream=True, stream_options={"include_obfuscation": False})
    assert run.requests[0].keys() == {"model", "messages", "waitExecution"}


def test_an_output_that_vanishes_does_not_take_the_text_away() -> None:
    """The last text that Tess gave is the answer."""
    assert ask(STARTED, shown(state("Once")), shown(state("", "succeeded")), options=POLL).text == "Once"
