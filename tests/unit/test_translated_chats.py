"""The chat behind a call of another API: what is sent for it, and what of its answer the caller gets."""

from __future__ import annotations

import json

import pytest

from tess_openai.core.calls import Answer, Incoming, Outgoing, ReadAll, ReportChanges, StoreResult
from tess_openai.core.changes import Change
from tess_openai.core.chat.context import LEDGER_HEADER
from tess_openai.core.errors import ERROR_BODY_LIMIT
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.responses.response_parameters import RESPONSES_NAME_OF_CHAT
from tess_openai.core.translated_chat import renamed, renamed_change, renamed_envelope
from tests.flows import JSON, TessAnswer, carry_call
from tests.unit.chat.driven import ANSWER, AS_EVENTS, AS_JSON, EVENTS, encoded
from tests.unit.taken_steps import Driven, error_of, to_call

EACH_API = pytest.mark.parametrize("path", ["/completions", "/responses"])


@EACH_API
@pytest.mark.parametrize("stream", [False, True])
def test_the_request_of_the_chat_is_sent(path: str, *, stream: bool) -> None:
    """The path and the body are those of a chat; headers and the first piece are as for a chat."""
    given = {"openai-project": "p"}
    sent = Driven(path, options=Options(workspace_id="7001"), headers=given, stream=stream).request()
    assert (sent.path, sent.method, sent.query) == ("/agents/42/openai/chat/completions", None, None)
    assert sent.headers == {"x-workspace-id": "7001", "openai-project": None}
    assert sent.with_first_piece is not stream
    assert json.loads(sent.body or b"")["messages"] == [{"role": "user", "content": "a"}]


@EACH_API
def test_the_chat_goes_to_the_agent_that_the_call_names(path: str) -> None:
    """It need not be the agent of the client."""
    options = Options(agent_names={"other": 9})
    assert Driven(path, options=options, model="other").request().path == "/agents/9/openai/chat/completions"


@EACH_API
def test_an_execution_of_the_agent_is_started_without_the_query_of_the_call(path: str) -> None:
    """Its route is not that of the chat."""
    sent = Driven(path, options=Options(long_answers="poll"), query="a=1").flow
    steps = [next(sent), next(sent), next(sent)]
    (execute,) = [step for step in steps if isinstance(step, Outgoing)]
    assert (execute.path, execute.query) == ("/agents/42/execute", "")


@pytest.mark.parametrize(("attempt", "is_reported"), [(0, True), (1, False)])
def test_a_change_of_the_chat_is_reported_at_the_first_attempt(attempt: int, *, is_reported: bool) -> None:
    """A retry is the same request."""
    step = Driven("/completions", attempt=attempt, seed=7).next()
    assert isinstance(step, ReportChanges if is_reported else Outgoing)


def test_a_change_of_the_chat_that_a_filter_refuses_is_not_sent() -> None:
    """The filter has made its warning an error, whose text the caller reads."""
    driven = Driven("/completions", seed=7)
    assert isinstance(driven.next(), ReportChanges)
    answer = driven.next("seed was stripped")
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert (error_of(answer)["code"], error_of(answer)["message"]) == (
        "warning_is_error",
        "seed was stripped",
    )


def test_the_options_of_a_call_are_checked() -> None:
    """A misspelt name in them would do nothing."""
    own = {"unsupported": {"sed": "error"}}
    answer = Driven("/completions", tess_openai=own).answer()
    assert (answer.status, error_of(answer)["code"]) == (400, "invalid_option")
    assert "sed" in error_of(answer)["message"]


@EACH_API
def test_the_head_of_a_stream_replaces_the_ledger_of_tess(path: str) -> None:
    """A header of that name that is not the adapter's would be read as its ledger."""
    driven = Driven(path, stream=True)
    driven.request()
    head = {LEDGER_HEADER: None, "content-type": "text/event-stream"}
    assert driven.answer(Incoming(200, AS_EVENTS)) == Answer(200, head)


@EACH_API
def test_the_head_of_a_stream_has_the_ledger(path: str) -> None:
    """It lists what happened so far."""
    driven = Driven(path, stream=True, model="other", options=Options(agent_names={"other": 9}))
    driven.request()
    changes = json.loads(driven.answer(Incoming(200, AS_EVENTS)).headers[LEDGER_HEADER] or "")
    assert [change["param"] for change in changes] == ["model"]


@EACH_API
@pytest.mark.parametrize("stream", [False, True])
def test_the_answer_has_one_ledger(path: str, *, stream: bool) -> None:
    """That of the chat, which has the names of chat, is left out."""
    options = Options(agent_names={"other": 9}, usage="none")
    call = to_call(path, stream=stream, model="other", store=False)
    answer = TessAnswer(200, AS_EVENTS, [EVENTS]) if stream else TessAnswer(200, AS_JSON, [encoded(ANSWER)])
    body = carry_call(call, options, tess=lambda _: answer, store=lambda _: StoreResult()).body
    assert body.count(b'"tess_openai"') == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_is_not_followed_with_the_request_of_another_api(status: int) -> None:
    """The SDK would send the prompt, and not the chat, to the new place."""
    driven = Driven("/completions")
    driven.request()
    answer = driven.answer(Incoming(status, {"location": "/x"}, redirects_within_api=True))
    assert (answer.status, answer.base, error_of(answer)["code"]) == (502, "none", "redirected")
    message = f"Tess answered {status} with a redirect to another page, which is not followed"
    assert error_of(answer)["message"].startswith(message)


@pytest.mark.parametrize("refuses", [False, True])
def test_an_error_keeps_its_origin(*, refuses: bool) -> None:
    """What the adapter refuses has no headers of Tess, whose own error keeps them."""
    driven = Driven("/completions", seed=7, options=Options(policy=Policy("error" if refuses else "ignore")))
    if refuses:
        answer = driven.answer()
        assert (answer.status, answer.base) == (400, "none")
    else:
        driven.request()
        assert driven.next(Incoming(422, AS_JSON)) == ReadAll(ERROR_BODY_LIMIT, allow_truncation=True)
        answer = driven.answer(b'{"error": "No."}')
        assert (answer.status, answer.base) == (422, "incoming")


@pytest.mark.parametrize(
    ("param", "name"),
    [
        ("temperature", "temperature"),
        ("temperature.x", "temperature.x"),
        ("messages", "input"),
        ("messages.role", "input.role"),
        ("messages.tool_calls", "input.function_call"),
        ("messages.0.role", "input"),
        ("messages[0].content[1]", "input"),
        ("reasoning_effort", "reasoning.effort"),
        ("response_format.json_schema.name", "text.format.json_schema.name"),
    ],
)
def test_a_parameter_of_chat_has_the_name_of_the_callers_api(param: str, name: str) -> None:
    """A message of the chat need not be an item of the caller, so its number is left out."""
    assert renamed(param, RESPONSES_NAME_OF_CHAT) == name
    assert renamed(param, {}) == param


def test_a_change_gives_its_advice_with_the_callers_name() -> None:
    """The other name would not be accepted."""
    remedy = 'Pass create_client(unsupported={"messages": "ignore"}).'
    change = Change(
        action="stripped",
        param="messages.name",
        given="a name",
        sent="",
        why="Tess does not have it",
        remedy=remedy,
        warn="request",
    )
    found = renamed_change(change, RESPONSES_NAME_OF_CHAT)
    assert (found.param, found.remedy) == ("input.name", remedy.replace("messages", "input"))
    assert (found.action, found.given, found.why, found.warn) == (
        "stripped",
        "a name",
        "Tess does not have it",
        "request",
    )
    assert renamed_change(change, {"seed": "other"}) is change


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ({"param": "messages", "message": "messages: No."}, {"param": "input", "message": "input: No."}),
        ({"param": "messages", "message": "No messages."}, {"param": "input", "message": "No messages."}),
        (
            {"param": None, "message": "At messages[0].content: No."},
            {"param": None, "message": "At input: No."},
        ),
        ({"param": "seed", "message": "No."}, {"param": "seed", "message": "No."}),
        ({"param": "messages"}, {"param": "input", "message": ""}),
    ],
)
def test_an_error_has_the_callers_names(error: JSON, found: JSON) -> None:
    """Its parameter, and each place in the messages that its text names."""
    given = {"error": {**error, "code": "c"}}
    assert renamed_envelope(given, RESPONSES_NAME_OF_CHAT) == {"error": {**found, "code": "c"}}
    assert given == {"error": {**error, "code": "c"}}
    assert renamed_envelope({"no": "error"}, RESPONSES_NAME_OF_CHAT) == {"no": "error"}


def test_an_error_of_a_chat_without_other_names_stays_as_it_is() -> None:
    """Its places are those of the caller's own messages."""
    given = {"error": {"param": "messages", "message": "At messages.0: No."}}
    assert renamed_envelope(given, {}) == given
