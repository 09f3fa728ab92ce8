"""The seven tests of the public Open Responses compliance suite, written from their description.

Each answer is validated against the specification's own models where the package `openresponses-types` is
installed, and against the SDK's in any case.
"""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openai.types.responses import Response

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42"
    "YAAAAASUVORK5CYII="
)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def validated(response: Any) -> Response:
    """Validate a response as both sets of models see it."""
    fields = json.loads(response.model_dump_json(exclude_unset=True))
    if importlib.util.find_spec("openresponses_types"):
        models = importlib.import_module("openresponses_types.types")
        models.ResponseResource.model_validate(fields)
    return Response.model_validate(fields)


def test_benchmark_answer() -> None:
    """The plain SDK of the benchmarks gets a complete response, so that both clients parse as much."""
    path = Path(__file__).parents[3] / "benchmarks" / "fixed_answers.py"
    answers = runpy.run_path(str(path))
    fields = answers["response"]([answers["message"]("Hello.", "completed")], "completed")
    assert validated(Response.model_validate(fields)).output_text == "Hello."


def call_weather(body: dict[str, Any]) -> str:
    """Play a model that calls the function."""
    mark = re.findall(r"<call:(\w+)>", body["messages"][0]["content"])[0]
    call = {"name": "get_weather", "arguments": {"city": "San Francisco"}}
    return f"<call:{mark}>{json.dumps(call)}</call:{mark}>"


def test_basic_text(driver: Driver) -> None:
    """A text is answered with a text."""
    driver.simulator.script("Hello to you.")
    message = [{"type": "message", "role": "user", "content": "Say hello in exactly 3 words."}]
    response = validated(driver.run(driver.client().responses.create(model="tess-6", input=message)))
    assert response.status == "completed"
    assert response.output_text == "Hello to you."


def test_streaming(driver: Driver) -> None:
    """Events from created to completed, whose deltas are the text."""
    driver.simulator.script("One, two, three.")
    stream = driver.run(
        driver.client().responses.create(model="tess-6", input="Count from 1 to 3.", stream=True)
    )
    events = driver.items(stream)
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "One, two, three."
    assert validated(events[-1].response).output_text == "One, two, three."


def test_a_system_prompt(driver: Driver) -> None:
    """It reaches the model as its system message."""
    items = [
        {"type": "message", "role": "system", "content": "You are a pirate. Always answer like one."},
        {"type": "message", "role": "user", "content": "Say hello."},
    ]
    validated(driver.run(driver.client().responses.create(model="tess-6", input=items)))
    request: Any = driver.simulator.calls[0].json
    assert request["messages"] == [{"role": item["role"], "content": item["content"]} for item in items]


def test_a_tool_call(driver: Driver, *, stream: bool) -> None:
    """The output has a `function_call` item, whole and streamed."""
    driver.simulator.script(call_weather)
    question = [{"type": "message", "role": "user", "content": "What's the weather in San Francisco?"}]
    given = {"model": "tess-6", "input": question, "tools": [WEATHER], "stream": stream}
    answer = driver.run(driver.client(emulate=True).responses.create(**given))
    events = driver.items(answer) if stream else []
    response = validated(events[-1].response if stream else answer)
    (call,) = response.output
    assert call.type == "function_call"
    assert json.loads(call.arguments) == {"city": "San Francisco"}
    kinds = {event.type for event in events}
    assert (
        not stream
        or {
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
        }
        <= kinds
    )


def test_an_image_by_data_url(driver: Driver) -> None:
    """It is accepted; Tess takes text only, so a warning and a note to the model say that it is missing."""
    parts = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PIXEL}]
    items = [{"type": "message", "role": "user", "content": parts}]
    client = driver.client()
    with pytest.warns(match="1 image"):
        response = validated(driver.run(client.responses.create(model="tess-6", input=items)))
    assert response.status == "completed"


def test_several_turns(driver: Driver) -> None:
    """The whole conversation is in the input, the assistant's turns among it."""
    items = [
        {"type": "message", "role": "user", "content": "My name is Alice."},
        {"type": "message", "role": "assistant", "content": "Hello Alice! Nice to meet you."},
        {"type": "message", "role": "user", "content": "What is my name?"},
    ]
    validated(driver.run(driver.client().responses.create(model="tess-6", input=items)))
    request: Any = driver.simulator.calls[0].json
    assert [message["content"] for message in request["messages"]] == [item["content"] for item in items]
