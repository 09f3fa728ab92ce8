"""Structured output: JSON and nothing but JSON, whatever the model writes around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tess_openai import changes_of

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
ADA = '{"name": "Ada", "age": 36}'


@pytest.mark.parametrize("chunking", ["words", 1, 1000])
@pytest.mark.parametrize("kind", [FORMAT, {"type": "json_object"}], ids=["json_schema", "json_object"])
@pytest.mark.parametrize(
    "written",
    [
        pytest.param(ADA, id="JSON alone"),
        pytest.param(f"Sure! Here it is:\n```json\n{ADA}\n```\nAnything else?", id="in a fence, with prose"),
        pytest.param("{name: 'Ada', 'age': 36,} // done", id="sloppy"),
    ],
)
def test_json_comes_clean(
    driver: Driver, client: Any, model: Model, *, stream: bool, chunking: Any, kind: Any, written: str
) -> None:
    """The text is JSON from the first byte to the last, so a program can parse it."""
    model.simulator.chunking = chunking
    model.simulator.script(written)
    (reply,) = model.asked(driver, client, stream=stream, response_format=kind)
    assert json.loads(str(reply.content)) == {"name": "Ada", "age": 36}
    assert reply.reason == "stop"
    assert len(model.received) == 1


def test_the_schema_reaches_the_model(driver: Driver, client: Any, model: Model) -> None:
    """It follows the caller's own text in the one system message."""
    messages = [{"role": "system", "content": "Be brief."}, *driver.hello["messages"]]
    model.simulator.script(ADA)
    driver.ask(client, messages=messages, response_format=FORMAT)
    assert model.instructions.startswith("Be brief.\n\n")
    assert '"required":["name","age"]' in model.instructions
    assert [message["role"] for message in model.received[-1]["messages"]] == ["system", "user"]


def test_json_that_breaks_the_schema_is_asked_for_again(
    driver: Driver, client: Any, model: Model, *, stream: bool
) -> None:
    """The further request says what is wrong."""
    model.simulator.script('{"name": "Ada"}', ADA)
    (reply,) = model.asked(driver, client, stream=stream, response_format=FORMAT)
    assert json.loads(str(reply.content)) == {"name": "Ada", "age": 36}
    assert "'age' is a required property" in model.received[-1]["messages"][-1]["content"]


def test_a_refusal_is_one(driver: Driver, client: Any, model: Model, *, stream: bool) -> None:
    """Programs for OpenAI test `refusal`, so it is not returned as invalid JSON."""
    model.simulator.script("I cannot say that.", "I really cannot.")
    (reply,) = model.asked(driver, client, stream=stream, response_format=FORMAT)
    assert (reply.content, reply.refusal, reply.reason) == (None, "I really cannot.", "stop")


def test_parse_gives_objects(driver: Driver, client: Any, model: Model) -> None:
    """The objects are of the program's own class."""
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        age: int

    model.simulator.script(f"Here: {ADA}")
    answer = driver.run(driver.chat(client, "parse")(**driver.hello, response_format=Person))
    assert answer.choices[0].message.parsed == Person(name="Ada", age=36)
    model.simulator.script(f"Here: {ADA}")
    with driver.entered(driver.chat(client, "stream")(**driver.hello, response_format=Person)) as stream:
        deltas = [event.delta for event in driver.items(stream) if event.type == "content.delta"]
        final = driver.run(stream.get_final_completion())
    assert "".join(deltas) == ADA
    assert final.choices[0].message.parsed == Person(name="Ada", age=36)


def test_functions_and_json_together(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool
) -> None:
    """Agents with a result type first make a call, and then return JSON from its result."""
    model.simulator.script(model.call("get_weather", {"city": "Lisbon"}, before="Looking. "), f"So: {ADA}")
    (reply,) = model.asked(driver, client, stream=stream, tools=tools, response_format=FORMAT)
    assert reply.calls == [("get_weather", {"city": "Lisbon"})]
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        *driver.hello["messages"],
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    (reply,) = model.asked(
        driver, client, stream=stream, tools=tools, response_format=FORMAT, messages=messages
    )
    assert (reply.content, reply.calls) == (ADA, [])


def test_the_ledger_is_on_the_last_chunk(driver: Driver, client: Any, model: Model) -> None:
    """It is on the chunk with the usage where that was requested."""
    for options in ({}, {"stream_options": {"include_usage": True}}):
        model.simulator.script('{"name": "Ada"}', ADA)
        chunks = driver.items(driver.ask(client, response_format=FORMAT, stream=True, **options))
        assert [bool(changes_of(chunk)) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
        assert [change.action for change in changes_of(chunks[-1])] == ["emulated", "asked again"]
        assert (chunks[-1].usage is not None) == bool(options)
