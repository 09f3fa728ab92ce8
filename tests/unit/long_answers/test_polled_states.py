"""The states of an execution that is asked for: how long, and what counts as one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tess_openai.core.calls import Call, Outgoing
from tess_openai.core.options import Options
from tess_openai.edge.response_stores import MemoryResponseStore, access_store
from tests.flows import JSON, Carried, TessAnswer, carry_call

CHAT = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}
RUNNING: JSON = {"id": 7, "status": "running", "output": "Once"}
ENDED: JSON = {"id": 7, "status": "succeeded", "output": "Once upon a time"}


def ask(states: Iterator[object]) -> Carried:
    """Carry out a chat whose execution has these states, the last of them for ever."""
    data = json.dumps(CHAT).encode()
    call = Call("POST", "/chat/completions", {}, data, 0, lambda: 1, lambda: "0" * 24, agent="42")

    def tess(step: Outgoing) -> TessAnswer:
        answer = next(states) if step.method == "GET" else {"responses": [{"id": 7, "status": "starting"}]}
        return TessAnswer(200, {"content-type": "application/json"}, [json.dumps(answer).encode()])

    options = Options(long_answers="poll")
    return carry_call(
        call, options, tess=tess, store=lambda access: access_store(MemoryResponseStore(), access)
    )


def test_an_execution_may_take_days() -> None:
    """The time between two requests has a limit, however many there were."""
    carried = ask(iter([RUNNING] * 4000 + [ENDED]))
    assert carried.status == 200
    assert json.loads(carried.body)["choices"][0]["message"]["content"] == ENDED["output"]


@pytest.mark.parametrize("odd", [{}, [], "maintenance", {"status": 5}])
def test_an_answer_without_a_state_is_a_failure(odd: object) -> None:
    """It is not waited for without end: after a few the caller gets an error, with the text so far."""
    carried = ask(iter([RUNNING, odd, odd, ENDED]))
    assert carried.status == 200
    carried = ask(iter([RUNNING, *[odd] * 50]))
    error = json.loads(carried.body)["error"]
    assert (carried.status, error["code"], error["partial"]) == (502, "not_an_answer", "Once")
