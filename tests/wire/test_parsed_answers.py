"""The SDK gets parsed JSON that equals the body, and a program that mutates it changes no other call."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")
TOOL: Final = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
CALLS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "a chat": ("chat", {}),
    "a chat with changes": ("chat", {"seed": 1, "stop": ["END"], "temperature": 0.3, "user": "ann"}),
    "a response": ("responses", {}),
    "a response with changes": (
        "responses",
        {"top_p": 0.5, "metadata": {"a": "b"}, "tools": [TOOL], "reasoning": {"effort": "low"}},
    ),
    "a response that is not stored": ("responses", {"store": False, "metadata": {}, "tools": []}),
}


def answer(driver: Driver, client: Any, api: str, fields: dict[str, Any]) -> Any:
    """Make a call, and return the response of the http client."""
    if api == "chat":
        create = client.chat.completions.with_raw_response.create
        return driver.run(create(**{**driver.hello, **fields})).http_response
    if not hasattr(client, "responses"):
        pytest.skip("this SDK has no responses")
    create = client.responses.with_raw_response.create
    return driver.run(create(model="tess-6", input="hello", **fields)).http_response


def empty(value: Any) -> None:
    """Remove everything from a JSON value and from what it contains."""
    if isinstance(value, dict | list):
        for member in list(value.values() if isinstance(value, dict) else value):
            empty(member)
        value.clear()


def shape(value: object) -> object:
    """Return a JSON value with the type of each part, since 1, 1.0 and True are equal."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value), value


def without_numbers(text: str) -> str:
    """Return a text without ids and times, which differ from call to call."""
    return re.sub(r"[0-9a-f]{24,}|[0-9]+", "0", text)


@pytest.mark.parametrize("call", CALLS)
def test_the_parsed_answer_equals_the_body(driver: Driver, call: str) -> None:
    """The SDK reads the object that the adapter parsed or made, and the body that is written from it."""
    response = answer(driver, driver.client(), *CALLS[call])
    parsed = response.json()
    assert shape(parsed) == shape(json.loads(response.content))
    assert list(parsed) == list(json.loads(response.content))


@pytest.mark.parametrize("call", CALLS)
def test_a_mutated_answer_changes_no_later_one(driver: Driver, call: str) -> None:
    """Nothing in it is shared with the adapter's own constants and caches, or with another answer."""
    client = driver.client()
    first = answer(driver, client, *CALLS[call])
    empty(first.json())
    later = answer(driver, client, *CALLS[call])
    assert shape(later.json()) == shape(json.loads(later.content))
    assert without_numbers(later.text) == without_numbers(first.text)
