"""Executions on Tess's own route, whose state is asked for until they end: `long_answers="poll"`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import changes_of
from tess_openai.core.jsons import to_object
from tess_openai.testing import faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

STORY = "Once upon a time there was a fox."


def targets(driver: Driver) -> list[str]:
    """Return what was asked of Tess."""
    return [f"{each.method} {each.path}" for each in driver.simulator.requests]


def test_a_chat_is_an_execution(driver: Driver, stream: bool) -> None:
    """The caller gets a completion, or a stream that grows with it; the credits are on the answer."""
    driver.simulator.script(STORY)
    client = driver.client(long_answers="poll")
    got = driver.items(driver.ask(client, stream=True)) if stream else [driver.ask(client)]
    choices = [choice for each in got for choice in each.choices]
    texts = [(choice.delta if stream else choice.message).content or "" for choice in choices]
    assert "".join(texts) == STORY
    assert len([text for text in texts if text]) == (2 if stream else 1)
    assert choices[-1].finish_reason == "stop"
    assert got[-1].tess == {"id": 5001, "root_id": 7001, "credits": 0.000337}
    assert ("mapped", "messages") in [(change.action, change.param) for change in changes_of(got[-1])]
    assert targets(driver) == [
        "POST /agents/42/execute",
        "GET /agent-responses/5001",
        "GET /agent-responses/5001",
    ]


def test_messages_are_those_of_the_route(driver: Driver) -> None:
    """`developer` first, users and assistants in turn, a temperature as text, no `stream`."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "assistant", "content": "Hello."},
        {"role": "system", "content": "It is late."},
        {"role": "user", "content": "Hi."},
    ]
    driver.text(driver.client(long_answers="poll"), messages=messages, temperature=1, stream=True)
    body = to_object(driver.simulator.requests[0].json) or {}
    assert body == {
        "model": "tess-6",
        "temperature": "1",
        "waitExecution": False,
        "messages": [
            {"role": "developer", "content": "Be brief.\n\nBe kind."},
            {"role": "user", "content": "(The conversation begins with your message.)"},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "It is late.\n\nHi."},
        ],
    }


@pytest.mark.parametrize("form", ["responses", "functions"])
def test_other_apis_and_emulation_are_executions_too(driver: Driver, form: str) -> None:
    """They run the same chat flow."""
    driver.simulator.script(STORY)
    client = driver.client(long_answers="poll", emulate=True)
    if form == "responses":
        text = driver.run(client.responses.create(model="tess-6", input="hello")).output_text
    else:
        function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
        text = driver.text(client, tools=[{"type": "function", "function": function}])
    assert text == STORY
    assert targets(driver)[0] == "POST /agents/42/execute"


def test_a_refused_execution_is_the_error_of_a_chat(driver: Driver) -> None:
    """The error names the field, and no state is requested."""
    client = driver.client(long_answers="poll", temperatures=None)
    error = driver.fails(client, temperature=0.45)
    assert isinstance(error, openai.UnprocessableEntityError)
    assert error.param == "temperature"
    assert targets(driver)[:1] == ["POST /agents/42/execute"]
    assert not [each for each in targets(driver) if "agent-responses" in each]


def test_an_execution_that_fails_is_an_error(driver: Driver, stream: bool) -> None:
    """The error has Tess's own text."""
    state = {"id": 5001, "status": "failed", "output": "", "error": "Out of luck", "root_id": 1}
    driver.simulator.fault(faults.answers(200, state), on="any")
    client = driver.client(long_answers="poll")
    driver.simulator.fault(faults.NO_FAULT)
    with pytest.raises(openai.APIError, match="Out of luck"):
        driver.text(client, stream=stream)


def test_a_state_that_cannot_be_read_is_asked_for_again(driver: Driver) -> None:
    """The execution continues meanwhile, and is not started twice."""
    driver.simulator.fault(faults.NO_FAULT)
    driver.simulator.fault(faults.bad_gateway(), faults.dropped_connection(), on="any")
    driver.simulator.script(STORY)
    assert driver.text(driver.client(long_answers="poll")) == STORY
    assert targets(driver).count("POST /agents/42/execute") == 1


def test_a_text_survives_a_connection_that_breaks_again_and_again(driver: Driver, stream: bool) -> None:
    """The caller gets it with the error, and the execution is not started twice, whatever the SDK retries."""
    state = {"id": 5001, "status": "running", "output": "Once upon", "root_id": 1}
    driver.simulator.fault(faults.NO_FAULT)
    driver.simulator.fault(faults.answers(200, state), on="any")
    driver.simulator.fault(faults.dropped_connection(), on="any", times=80)
    client = driver.client(long_answers="poll", max_retries=2)
    texts: list[str] = []

    def read() -> None:
        made = driver.ask(client, stream=stream)
        while True:
            texts.append(driver.next(made).choices[0].delta.content or "")

    with pytest.raises(openai.APIError) as caught:
        read()
    body: Any = caught.value.body
    assert body["code"] == "stream_truncated"
    assert ("".join(texts) if stream else body["partial"]) == "Once upon"
    assert targets(driver).count("POST /agents/42/execute") == 1


def test_max_answer_seconds_bounds_the_whole(driver: Driver) -> None:
    """The error has the text so far."""
    driver.simulator.script(STORY)
    began = time.monotonic()
    error: Any = driver.fails(driver.client(long_answers="poll", max_answer_seconds=1.6))
    assert time.monotonic() - began < 5
    assert error.body["partial"] == "Once upon a time"
    assert "max_answer_seconds is over" in str(error)
    assert len(targets(driver)) == 2


def test_a_closed_stream_is_not_asked_for_again(driver: Driver) -> None:
    """Closing ends the requests."""
    driver.simulator.script(STORY)
    made = driver.ask(driver.client(long_answers="poll"), stream=True)
    while not driver.next(made).choices[0].delta.content:
        pass
    driver.close(made)
    count = len(targets(driver))
    assert count == 2
