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


def ask(states: Iterator[object], *, number: object = 7) -> Carried:
    """Carry out a chat whose execution has these states, each a body or a status; `number` is its id."""
    data = json.dumps(CHAT).encode()
    call = Call("POST", "/chat/completions", {}, data, 0, lambda: 1, lambda: "0" * 24, agent="42")

    def tess(step: Outgoing) -> TessAnswer:
        answer = (
            next(states) if step.method == "GET" else {"responses": [{"id": number, "status": "starting"}]}
        )
        status, body = (answer, {"message": "No."}) if isinstance(answer, int) else (200, answer)
        return TessAnswer(status, {"content-type": "application/json"}, [json.dumps(body).encode()])

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


@pytest.mark.parametrize("number", ["7", 7.0])
def test_a_number_of_another_type_is_that_number(number: object) -> None:
    """The execution was started, and is paid for."""
    carried = ask(iter([ENDED]), number=number)
    assert json.loads(carried.body)["choices"][0]["message"]["content"] == ENDED["output"]


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ([{"type": "text", "text": "Once"}, {"type": "text", "text": " upon"}], "Once upon"),
        ({"type": "text", "text": "Once"}, "Once"),
        ({"a": 1}, '{"a":1}'),
        (["Once", " upon"], "Once upon"),
        (7, "7"),
    ],
)
def test_an_output_of_another_type_is_its_text(output: object, text: str) -> None:
    """It is converted as the content of a chat completion is."""
    carried = ask(iter([{**ENDED, "output": output}]))
    assert json.loads(carried.body)["choices"][0]["message"]["content"] == text


def test_an_execution_that_is_not_found_is_looked_for_again() -> None:
    """Another server may not know of it yet; after a few requests the error says what is missing."""
    assert ask(iter([404, RUNNING, 404, 404, ENDED])).status == 200
    carried = ask(iter([RUNNING, *[404] * 50]))
    error = json.loads(carried.body)["error"]
    assert (carried.status, error["code"], error["partial"]) == (502, "execution_not_found", "Once")
