"""The simulated model that follows instructions: emulation works with it as with a good model, unscripted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tess_openai.testing import TessSimulator

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
QUESTION: list[dict[str, Any]] = [
    {"role": "user", "content": "What will the weather in Paris be, for 3 days?"}
]


@pytest.fixture
def client(driver: Driver) -> Iterator[Any]:
    """Emulate on a simulated Tess whose model is obedient."""
    with TessSimulator(model="obedient") as simulator:
        yield driver.client(base_url=simulator.serve().base_url, emulate=True, max_repairs=0)


def test_a_function_loop_ends(driver: Driver, client: Any, *, stream: bool) -> None:
    """The function is called with words of the question; after its result comes a text with it."""
    if stream:
        chunks = driver.items(driver.ask(client, messages=QUESTION, tools=[WEATHER], stream=True))
        deltas = [
            call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or []
        ]
        name = next(call.function.name for call in deltas if call.function.name)
        arguments = "".join(call.function.arguments or "" for call in deltas)
    else:
        (call,) = driver.ask(client, messages=QUESTION, tools=[WEATHER]).choices[0].message.tool_calls
        name, arguments = call.function.name, call.function.arguments
    assert (name, arguments) == ("get_weather", '{"city":"Paris","days":3}')
    function = {"name": name, "arguments": arguments}
    history = [
        *QUESTION,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "18 degrees"},
    ]
    assert "18 degrees" in driver.text(client, messages=history, tools=[WEATHER], stream=stream)


def test_a_function_that_the_question_does_not_mention_is_not_called(driver: Driver, client: Any) -> None:
    """The simulated model calls it only if a call is required."""
    hello = [{"role": "user", "content": "Hello"}]
    assert (
        driver.ask(client, messages=hello, tools=[WEATHER]).choices[0].message.content == "You wrote: Hello"
    )
    demanded = driver.ask(client, messages=hello, tools=[WEATHER], tool_choice="required")
    assert demanded.choices[0].message.tool_calls[0].function.name == "get_weather"
    named = {"type": "function", "function": {"name": "get_weather"}}
    assert (
        driver.ask(client, messages=hello, tools=[WEATHER], tool_choice=named).choices[0].message.tool_calls
    )


def test_json_follows_its_schema(driver: Driver, client: Any) -> None:
    """References, choices, formats and limits included: the adapter checks the answer."""
    schema = {
        "type": "object",
        "$defs": {
            "Guest": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        },
        "properties": {
            "guests": {"type": "array", "items": {"$ref": "#/$defs/Guest"}, "minItems": 2},
            "kind": {"enum": ["meeting", "party"]},
            "day": {"type": "string", "format": "date"},
            "room": {"type": "integer", "maximum": 5},
            "note": {"anyOf": [{"type": "string", "minLength": 20}, {"type": "null"}]},
            "open": {"type": "boolean"},
        },
        "required": ["guests", "kind", "day", "room", "note", "open"],
    }
    answer = driver.text(
        client,
        messages=[{"role": "user", "content": "Plan: Anna and Bob meet in room 7."}],
        response_format={"type": "json_schema", "json_schema": {"name": "event", "schema": schema}},
    )
    assert '"guests": [{"name": "Anna"}, {"name": "Bob"}]' in answer
    assert '"room": 5' in answer
    assert driver.text(client, response_format={"type": "json_object"}) == '{"answer": "hello"}'


def test_responses_work_too(driver: Driver, client: Any) -> None:
    """They are chats of the same agent."""
    tool = {"type": "function", **WEATHER["function"]}
    response = driver.run(client.responses.create(model="tess-6", input=QUESTION, tools=[tool]))
    assert [item.name for item in response.output if item.type == "function_call"] == ["get_weather"]


def test_an_unknown_model_is_refused() -> None:
    """The error lists the models that the simulator has."""
    with pytest.raises(ValueError, match="one of echo, obedient"):
        TessSimulator(model="wise")  # type: ignore[arg-type] # the wrong value is what is tested
