"""How an execution is started and asked for, which failures end it, and what of its states is streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.calls import Call, Outgoing
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.edge.response_stores import MemoryResponseStore, access_store
from tests.flows import JSON, Carried, TessAnswer, carry_call

RUNNING: JSON = {"id": 7, "status": "running", "output": "Once"}
ENDED: JSON = {"id": 7, "status": "succeeded", "output": "Once upon a time", "root_id": 3, "credits": 0.5}


def ask(*states: JSON | int, **fields: Any) -> tuple[Carried, list[Outgoing]]:
    """Carry out a chat whose execution has these states, each a body or a status; return the requests too."""
    body = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}], **fields}
    left, sent = list(states), list[Outgoing]()
    data = json.dumps(body).encode()
    call = Call("POST", "/chat/completions", {}, data, 0, lambda: 1, lambda: "0" * 24, agent="42")

    def tess(step: Outgoing) -> TessAnswer:
        sent.append(step)
        started = {"responses": [{"id": 7, "status": "starting"}]}
        answer = left.pop(0) if step.method == "GET" else started
        status, given = (answer, {"message": "No."}) if isinstance(answer, int) else (200, answer)
        return TessAnswer(status, {"content-type": "application/json"}, [json.dumps(given).encode()])

    carried = carry_call(
        call,
        Options(long_answers="poll", policy=Policy("ignore")),
        tess=tess,
        store=lambda access: access_store(MemoryResponseStore(), access),
    )
    return carried, sent


def streamed(carried: Carried) -> list[Any]:
    """Return the events of a stream of chat."""
    blocks = carried.body.decode().strip().split("\n\n")
    return [block[6:] if block.endswith("[DONE]") else json.loads(block[6:]) for block in blocks]


def test_an_execution_is_started_on_tess_own_route_and_asked_for_by_its_number() -> None:
    """Tess answers at once, since it does not wait for the end of the execution."""
    _, (start, *polls) = ask(RUNNING, ENDED, temperature=0.5, stream=True, root_id=3)
    assert (start.path, start.query, start.with_first_piece) == ("/agents/42/execute", "", False)
    assert json.loads(start.body or b"") == {
        "model": "tess-6",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": "0.5",
        "root_id": 3,
        "waitExecution": False,
    }
    assert [(each.method, each.path) for each in polls] == [("GET", "/agent-responses/7")] * 2


def test_the_time_between_two_requests_grows_to_a_limit() -> None:
    """Each request counts towards the rate limit of the key."""
    carried, _ = ask(*[RUNNING] * 14, ENDED)
    assert carried.slept[:3] == [1.0, pytest.approx(1.3), pytest.approx(1.69)]
    assert carried.slept == sorted(carried.slept)
    assert carried.slept[-1] == 15.0


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
def test_a_failure_that_may_pass_is_counted(status: int) -> None:
    """Five in a row may fail, since the execution continues meanwhile; a state begins the count again."""
    carried, _ = ask(*[status] * 5, RUNNING, *[status] * 5, ENDED)
    assert carried.status == 200
    carried, sent = ask(RUNNING, *[status] * 6, ENDED)
    assert carried.status >= 400
    assert len(sent) == 1 + 1 + 6
    assert json.loads(carried.body)["error"]["partial"] == "Once"


@pytest.mark.parametrize("status", [400, 401, 403, 409])
def test_any_other_failure_ends_the_wait_at_once(status: int) -> None:
    """Another request would fail in the same way."""
    carried, sent = ask(RUNNING, status, ENDED)
    assert len(sent) == 1 + 2
    error = json.loads(carried.body)["error"]
    assert carried.status >= 400
    assert "No." in error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_execution_that_fails_is_an_error_with_its_reason(*, stream: bool) -> None:
    """The text so far was paid for."""
    carried, _ = ask(RUNNING, {"id": 7, "status": "failed", "error": "boom"}, stream=stream)
    if stream:
        first, error = streamed(carried)
        assert first["choices"][0]["delta"]["content"] == "Once"
        assert error["error"]["message"] == "boom"
    else:
        error = json.loads(carried.body)["error"]
        assert (error["message"], error["partial"]) == ("boom", "Once")


@pytest.mark.parametrize("status", ["succeeded", "completed"])
def test_the_output_is_streamed_as_far_as_it_has_grown(status: str) -> None:
    """A state without new text gives no event, and the last one gives the fields of Tess's own."""
    states = [RUNNING, RUNNING, {**RUNNING, "output": None}, {**RUNNING, "output": "Once upon"}]
    carried, _ = ask(*states, {**ENDED, "status": status}, stream=True)
    *chunks, done = streamed(carried)
    choices = [chunk["choices"][0] for chunk in chunks]
    assert [(choice["delta"]["content"], choice["finish_reason"]) for choice in choices] == [
        ("Once", None),
        (" upon", None),
        (" a time", "stop"),
    ]
    assert chunks[-1]["tess"] == {"id": 7, "root_id": 3, "credits": 0.5}
    assert done == "[DONE]"


def test_a_text_that_changes_is_an_error_only_where_its_beginning_was_streamed() -> None:
    """A program that has shown the old text cannot take it back."""
    other = {**ENDED, "output": "Twice upon a time"}
    carried, _ = ask(RUNNING, other)
    assert json.loads(carried.body)["choices"][0]["message"]["content"] == "Twice upon a time"
    carried, _ = ask(RUNNING, other, stream=True)
    assert streamed(carried)[-1]["error"]["message"] == (
        "Tess changed the text of the execution while it was streamed"
    )
    carried, _ = ask(RUNNING, {**RUNNING, "output": "On"}, ENDED, stream=True)
    assert streamed(carried)[-1] == "[DONE]"


@pytest.mark.parametrize(("given", "sent"), [(1, "1"), (0.25, "0.25"), (0.0, "0")])
def test_a_temperature_is_a_text_on_this_route(given: float, sent: str) -> None:
    """Tess documents it as one."""
    _, (start, *_) = ask(ENDED, temperature=given)
    assert json.loads(start.body or b"")["temperature"] == sent
