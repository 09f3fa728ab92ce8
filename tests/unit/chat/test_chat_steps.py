"""The steps of a chat one by one: its look-ups, its request, and the pieces of its answer."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tess_openai.core.agents import Agent, Question
from tess_openai.core.calls import (
    READ,
    READ_REST,
    AgentNotFound,
    Answer,
    Event,
    Incoming,
    Lookup,
    Outgoing,
    ReadAll,
    ReportChanges,
    Step,
)
from tess_openai.core.chat.context import LEDGER_HEADER
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile
from tests.unit.chat.driven import ANSWER, AS_EVENTS, AS_JSON, EVENTS, encoded
from tests.unit.taken_steps import Driven, error_of

CHAT: Final = "/chat/completions"
BARE: Final = b'{"choices":[{"message":{"content":"Hi"}}]}'
"""An answer that lacks all that the adapter can complete."""
AGENT: Final = Agent(id=42, questions=(Question(name="model", options=("tess-7",)),))
FAILED: Final = AgentNotFound(Answer(500, {}, b"{}"), "the look-up failed")
DENIED: Final = AgentNotFound(Answer(401, {}, b"{}"), "the look-up failed")


def parameters(step: Step) -> list[str]:
    """Return the parameters of the changes in a report."""
    assert isinstance(step, ReportChanges)
    return [change.param for change in step.changes]


def steps_to_end(driven: Driven, event: Event) -> list[Step]:
    """Return the steps that follow an event and need no answer."""
    return [driven.flow.send(event), *driven.flow]


@pytest.mark.parametrize("is_read", [False, True])
def test_an_answer_that_came_with_its_head_is_passed_on(*, is_read: bool) -> None:
    """Nothing was changed; its end is read for the connection only, if it was not read."""
    driven = Driven(CHAT, options=Options(workspace_id="7001"))
    assert driven.next() == Outgoing(None, {"x-workspace-id": "7001"}, with_first_piece=True)
    head = Incoming(200, AS_JSON, first_piece=encoded(ANSWER), is_read=is_read)
    *before, answer = steps_to_end(driven, head)
    assert before == ([] if is_read else [READ_REST])
    assert answer == Answer(200, {}, encoded(ANSWER), "as read")
    assert isinstance(answer, Answer)
    assert answer.fields == ANSWER


@pytest.mark.parametrize("is_read", [False, True])
def test_an_answer_to_a_changed_request_gets_the_ledger_at_once(*, is_read: bool) -> None:
    """It is in a header, in the body, and in the fields that another API reads."""
    driven = Driven(CHAT, seed=7)
    assert driven.request().with_first_piece
    head = Incoming(200, AS_JSON, first_piece=encoded(ANSWER), is_read=is_read)
    *before, answer = steps_to_end(driven, head)
    assert before == ([] if is_read else [READ_REST])
    assert isinstance(answer, Answer)
    body = json.loads(answer.body or b"")
    assert [change["param"] for change in body["tess_openai"]["changes"]] == ["seed"]
    assert json.loads(answer.headers[LEDGER_HEADER] or "") == body["tess_openai"]["changes"]
    assert answer.fields == body == {**ANSWER, "tess_openai": body["tess_openai"]}


@pytest.mark.parametrize("fields", [{}, {"seed": 7}], ids=["unchanged", "changed"])
@pytest.mark.parametrize("cut", [0, 9, len(BARE)])
def test_the_pieces_after_the_first_belong_to_the_answer(cut: int, fields: Any) -> None:
    """They are read until it is complete, and what it lacks is added."""
    driven = Driven(CHAT, options=Options(policy=Policy("ignore")), **fields)
    driven.request()
    head = Incoming(200, AS_JSON, first_piece=BARE[:cut] or None)
    if cut < len(BARE):
        assert driven.next(head) == READ
        answer = driven.answer(BARE[cut:])
    else:
        answer = driven.answer(head)
    completed = json.loads(answer.body or b"")
    assert completed["choices"][0]["message"] == {"content": "Hi", "role": "assistant"}
    assert (completed["model"], completed["created"], completed["id"]) == (
        "tess-6",
        9,
        f"chatcmpl-{'0' * 24}",
    )
    assert completed["usage"]["estimated"] is True


@pytest.mark.parametrize(("stream", "wanted"), [(False, "a chat completion"), (True, "a stream")])
def test_an_answer_that_ended_with_its_head_is_empty(*, stream: bool, wanted: str) -> None:
    """Nothing more is read of a whole answer; the error names what was asked for."""
    driven = Driven(CHAT, stream=stream)
    driven.request()
    if stream:
        assert driven.next(Incoming(200, AS_JSON)) == READ
        answer = driven.answer(b"")
    else:
        answer = driven.answer(Incoming(200, AS_JSON, first_piece=b"", is_read=True))
    assert answer.status == 502
    assert error_of(answer)["message"] == f"Tess answered 200 with an empty body instead of {wanted}"


def test_the_head_of_a_stream_has_the_ledger() -> None:
    """It is passed on before the first event."""
    driven = Driven(CHAT, stream=True, seed=7)
    driven.request()
    changes = json.loads(driven.answer(Incoming(200, AS_EVENTS)).headers[LEDGER_HEADER] or "")
    assert [change["param"] for change in changes] == ["seed"]


@pytest.mark.parametrize(
    ("options", "fields", "is_whole"),
    [
        (Options(), {"seed": 7}, True),
        (Options(), {"seed": 7, "stream": True}, False),
        (Options(), {"stream": True}, False),
        (Options(long_answers="stream"), {}, False),
        (Options(on_cut="return"), {}, False),
        (Options(policy=Policy("warn", {"stop": "emulate"})), {"stop": "x"}, False),
    ],
    ids=["changed", "changed stream", "stream", "read as a stream", "cut", "emulated"],
)
def test_the_first_piece_is_read_with_the_head_of_a_whole_answer(
    options: Options, fields: Any, *, is_whole: bool
) -> None:
    """The pieces of a stream come one by one."""
    driven = Driven(CHAT, options=options, **fields)
    step = driven.next()
    while not isinstance(step, Outgoing):
        step = driven.next()
    assert step.with_first_piece is is_whole


def test_an_execution_is_reported_under_the_messages() -> None:
    """They are sent in another form."""
    (report,) = [
        step
        for driven in [Driven(CHAT, options=Options(long_answers="poll"))]
        for step in (driven.next(), driven.next())
        if isinstance(step, ReportChanges)
    ]
    assert parameters(report) == ["messages"]
    assert (report.changes[0].action, report.changes[0].sent) == ("mapped", "an execution")


def test_a_call_is_validated_against_its_agent() -> None:
    """It is looked up before the request, which is not sent."""
    driven = Driven(CHAT, options=Options(fetch_agents=True, workspace_id="7001"))
    step = driven.next()
    assert step == Lookup(42, {"x-workspace-id": "7001"}, Options().max_retry_wait_seconds)
    answer = driven.answer(AGENT)
    assert (answer.status, error_of(answer)["param"]) == (404, "model")
    assert "tess-7" in error_of(answer)["message"]


def test_a_call_whose_agent_could_not_be_looked_up_is_sent() -> None:
    """The caller learns that it was not validated, and why."""
    driven = Driven(CHAT, options=Options(fetch_agents=True))
    driven.next()
    report = driven.next(FAILED)
    assert parameters(report) == ["agent"]
    assert isinstance(report, ReportChanges)
    assert (
        report.changes[0].why
        == "the look-up failed, so the call is not checked against what the agent offers"
    )
    assert isinstance(driven.next(), Outgoing)


@pytest.mark.parametrize(("agent", "found"), [("42", DENIED), ("a-slug", FAILED)])
def test_an_error_that_the_call_would_get_too_ends_it(agent: str, found: AgentNotFound) -> None:
    """Without its number, or with a wrong key, there is nothing to send it to."""
    driven = Driven(CHAT, agent=agent, options=Options(fetch_agents=True))
    driven.next()
    assert driven.answer(found) == found.answer


@pytest.mark.parametrize("path", [CHAT, "/completions"])
def test_a_call_by_the_slug_of_an_agent_is_sent_to_its_number(path: str) -> None:
    """Tess takes numbers only."""
    driven = Driven(path, agent="a-slug")
    step = driven.next()
    assert isinstance(step, Lookup)
    assert step.agent == "a-slug"
    assert driven.request(Agent(id=9)).path == "/agents/9/openai/chat/completions"


def test_a_profile_of_the_agent_that_the_call_names_counts() -> None:
    """What was proven about it is true for this call."""
    profile = TessProfile(agent_id=9, made="2026-11-23", answers={"seed": "supported"})
    driven = Driven(CHAT, options=Options(profile=profile, agent_names={"other": 9}), model="other", seed=7)
    assert parameters(driven.next()) == ["model"]


def test_an_error_about_a_model_names_the_options_of_the_agent_of_the_call() -> None:
    """It need not be the agent of the client."""
    driven = Driven(CHAT, options=Options(agent_names={"other": 9}), model="other", temperature=0.5)
    driven.request()
    assert isinstance(driven.next(Incoming(422, AS_JSON)), ReadAll)
    step = driven.next(encoded({"errors": {"temperature": ["No."]}}))
    assert isinstance(step, Lookup)
    assert (step.agent, step.is_hint) == (9, True)
    question = Question(name="temperature", options=("0", "1"))
    answer = driven.answer(Agent(id=9, questions=(question,)))
    assert answer.status == 422
    assert "Options of agent 9 for temperature: 0, 1." in error_of(answer)["message"]


def test_events_are_passed_on_as_they_came() -> None:
    """A request that is unchanged needs no context until its answer shows that it does."""
    driven = Driven(CHAT, stream=True)
    assert driven.request() == Outgoing(None, {})
    assert driven.answer(Incoming(200, AS_EVENTS)) == Answer(200, {})
    assert driven.next() == READ
    assert steps_to_end(driven, EVENTS) == [EVENTS, READ_REST]


def test_a_whole_answer_that_cannot_be_read_is_an_error_with_the_ledger() -> None:
    """It was paid for, so the SDK does not repeat the call; the error shows what Tess sent."""
    message: Any = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "function": {"arguments": "{}"}}],
    }
    given = {**ANSWER, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    driven = Driven(CHAT, seed=7)
    driven.request()
    answer = driven.answer(Incoming(200, AS_JSON, first_piece=encoded(given)))
    assert (answer.status, answer.headers["x-should-retry"]) == (502, "false")
    assert "seed" in (answer.headers[LEDGER_HEADER] or "")
    error = error_of(answer)
    assert (error["code"], error["tess"]["id"]) == ("invalid_answer", ANSWER["id"])
    assert error["message"].endswith("choices[0].message.tool_calls: a call without a name")
