"""What Tess lacks and the Responses API has, done by the adapter: functions and structured output."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openai
import pytest
from pydantic import BaseModel

from tess_openai import changes_of

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "name": "get_weather", "description": "Now.", "parameters": CITY, "strict": True}
]
CALL = {"name": "get_weather", "arguments": {"city": "Lisbon"}}


class Person(BaseModel):
    """What is to be extracted."""

    name: str
    age: int


class Place(BaseModel):
    """What a function takes."""

    city: str


def calling(before: str = "") -> Callable[[dict[str, Any]], str]:
    """Return a script that calls the function as its instructions say."""

    def write(body: dict[str, Any]) -> str:
        mark = re.findall(r"<call:(\w+)>", body["messages"][0]["content"])[0]
        return f"{before}<call:{mark}>\n{json.dumps(CALL)}\n</call:{mark}>"

    return write


def respond(driver: Driver, client: Any, *, stream: bool, **fields: Any) -> Any:
    """Ask for a response, whole or by a stream; the whole response."""
    given = {"model": "tess-6", "input": "Weather in Lisbon?", **fields}
    answer = driver.run(client.responses.create(**given, stream=stream))
    return driver.items(answer)[-1].response if stream else answer


@pytest.fixture
def client(driver: Driver) -> Any:
    """Make a client that emulates all that can be."""
    return driver.client(emulate=True)


def test_text_and_a_call_are_items_of_one_response(driver: Driver, client: Any, *, stream: bool) -> None:
    """Its arguments are JSON, its tools are given back, and the ledger tells of the emulation."""
    driver.simulator.script(calling("Let me look: "))
    response = respond(driver, client, tools=TOOLS, stream=stream)
    message, call = response.output
    assert message.content[0].text.strip() == "Let me look:"
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "get_weather",
        {"city": "Lisbon"},
    )
    assert call.call_id.startswith("call_")
    assert [tool.name for tool in response.tools] == ["get_weather"]
    assert [(change.action, change.param) for change in changes_of(response)] == [("emulated", "tools")]


def test_a_tool_loop_ends_in_a_text(driver: Driver, client: Any, *, stream: bool) -> None:
    """`previous_response_id` continues it, and only the output of the call is sent."""
    driver.simulator.script(calling())
    first = respond(driver, client, tools=TOOLS, stream=stream)
    (call,) = first.output
    driver.simulator.script("It is sunny.")
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    given = {"input": [output], "previous_response_id": first.id, "tools": TOOLS}
    assert respond(driver, client, **given, stream=stream).output_text == "It is sunny."
    request: Any = driver.simulator.calls[-1].json
    _, *messages = request["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert "sunny" in messages[-1]["content"]


def test_a_schema_is_met(driver: Driver, client: Any) -> None:
    """`parse`, and `text.format` in a stream, give JSON that follows it."""
    driver.simulator.script('```json\n{"name": "Ana", "age": 31}\n```', '{"name": "Ana", "age": 31}')
    parsed = driver.run(client.responses.parse(model="tess-6", input="Who?", text_format=Person))
    assert parsed.output_parsed == Person(name="Ana", age=31)
    form = {"type": "json_schema", "name": "Person", "schema": Person.model_json_schema()}
    streamed = respond(driver, client, text={"format": form}, stream=True)
    assert Person.model_validate_json(streamed.output_text) == parsed.output_parsed
    assert streamed.text.format.type == "json_schema"


def test_arguments_are_parsed_by_the_sdk(driver: Driver, client: Any) -> None:
    """`parse` with a function made of a model gives the call's arguments as that model."""
    driver.simulator.script(calling())
    tool: Any = openai.pydantic_function_tool(Place, name="get_weather")
    flat = {"type": "function", **tool["function"]}
    parsed = driver.run(client.responses.parse(model="tess-6", input="Weather?", tools=[flat]))
    (call,) = parsed.output
    assert call.type == "function_call"
    assert Place.model_validate_json(call.arguments) == Place(city="Lisbon")


def test_a_demanded_call_wins_over_a_format(driver: Driver, client: Any, *, stream: bool) -> None:
    """Instructor sends both."""
    driver.simulator.script(calling())
    response = respond(
        driver,
        client,
        tools=TOOLS,
        tool_choice={"type": "function", "name": "get_weather"},
        text={"format": {"type": "json_object"}},
        stream=stream,
    )
    assert [item.type for item in response.output] == ["function_call"]


def test_a_cut_answer_is_incomplete(driver: Driver, client: Any, *, stream: bool) -> None:
    """The response has OpenAI's reason, and its message is marked too."""
    driver.simulator.script("one two three four five six seven eight nine ten eleven twelve")
    response = respond(driver, client, max_output_tokens=4, stream=stream)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.output[0].status == "incomplete"
    assert response.output_text.startswith("one two")


def test_the_helper_streams(driver: Driver, client: Any) -> None:
    """`.stream()` follows the events to the same response."""
    if not hasattr(client.responses, "stream"):
        pytest.skip("this SDK has no such helper")
    driver.simulator.script(calling("Let me look: "))
    kinds: list[str] = []
    with driver.entered(
        client.responses.stream(model="tess-6", input="Weather in Lisbon?", tools=TOOLS)
    ) as stream:
        kinds += [event.type for event in driver.items(stream)]
        response = driver.run(stream.get_final_response())
    assert "response.function_call_arguments.delta" in kinds
    assert kinds[-1] == "response.completed"
    assert [item.type for item in response.output] == ["message", "function_call"]
