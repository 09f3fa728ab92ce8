"""The parameters that a response shows: those that reached the model, and OpenAI's defaults for the rest."""

from __future__ import annotations

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy
from tess_openai.core.responses.used_parameters import used_parameters
from tests.flows import JSON

SCHEMA: JSON = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
PLAIN: JSON = {"format": {"type": "text"}, "verbosity": "medium"}


def shown(given: JSON, *changes: Change) -> JSON:
    """Return what a response shows of a request whose call had these changes."""
    ledger = Ledger(Policy("ignore"))
    for change in changes:
        ledger.add(change)
    return used_parameters(given, ledger)


def stripped(param: str) -> Change:
    """Return the change of a parameter that was not sent."""
    return Change("stripped", param, "x", "", "why")


def test_a_request_without_parameters_shows_the_defaults() -> None:
    """The SDK's types require most of them."""
    fields = shown({})
    assert fields == {
        **fields,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "temperature": 1.0,
        "text": PLAIN,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
    }


@pytest.mark.parametrize(
    ("given", "changes", "fields"),
    [
        pytest.param({"top_p": 0.5}, [], {"top_p": 0.5}, id="a parameter that was sent"),
        pytest.param({"top_p": 0.5}, [stripped("top_p")], {"top_p": 1.0}, id="one that was not sent"),
        pytest.param({"top_p": None, "unknown": 1}, [], {"top_p": 1.0}, id="null, and one that is unknown"),
        pytest.param({"user": "u"}, [stripped("user")], {"user": "u"}, id="a label that was not sent"),
        pytest.param(
            {"metadata": {"a": "b"}}, [stripped("metadata")], {"metadata": {"a": "b"}}, id="metadata"
        ),
        pytest.param({"service_tier": "flex"}, [], {"service_tier": "default"}, id="a tier"),
        pytest.param({"temperature": 0.3}, [], {"temperature": 0.3}, id="a temperature"),
        pytest.param(
            {"temperature": 0.3},
            [Change("rewritten", "temperature", "0.3", "0.25", "why")],
            {"temperature": 0.25},
            id="a temperature that was changed",
        ),
        pytest.param(
            {"temperature": "0.3"},
            [],
            {"temperature": 0.3},
            id="a temperature that is a text",
        ),
        pytest.param({"temperature": "hot"}, [], {"temperature": 1.0}, id="a word of the agent's own"),
        pytest.param({"temperature": [0.3]}, [], {"temperature": 1.0}, id="a temperature that is a list"),
        pytest.param({"temperature": "nan"}, [], {"temperature": 1.0}, id="a number that JSON does not have"),
        pytest.param(
            {"temperature": 0.3}, [stripped("temperature")], {"temperature": 1.0}, id="a temperature not sent"
        ),
        pytest.param(
            {"reasoning": {"effort": "low", "summary": "auto"}},
            [],
            {"reasoning": {"effort": "low", "summary": None}},
            id="an effort, and a summary that Tess does not make",
        ),
        pytest.param(
            {"reasoning": {"effort": "low"}},
            [stripped("reasoning.effort")],
            {"reasoning": {"effort": None, "summary": None}},
            id="an effort that was not sent",
        ),
        pytest.param(
            {"text": {"format": SCHEMA, "verbosity": "low"}},
            [],
            {"text": {"format": {**SCHEMA, "description": None, "strict": None}, "verbosity": "low"}},
            id="a schema and a verbosity",
        ),
        pytest.param(
            {"text": {"format": {**SCHEMA, "strict": True}}},
            [],
            {"text": {**PLAIN, "format": {**SCHEMA, "description": None, "strict": True}}},
            id="a strict schema",
        ),
        pytest.param(
            {"text": {"format": {"type": "json_object"}}},
            [],
            {"text": {**PLAIN, "format": {"type": "json_object"}}},
            id="JSON without a schema",
        ),
        pytest.param(
            {"text": {"format": SCHEMA, "verbosity": "low"}},
            [stripped("text.format"), stripped("text.verbosity")],
            {"text": PLAIN},
            id="a schema and a verbosity that were not sent",
        ),
    ],
)
def test_what_reached_the_model_is_shown(given: JSON, changes: list[Change], fields: JSON) -> None:
    """A program that reads the response learns what its answer was made with."""
    result = shown(given, *changes)
    assert {name: result[name] for name in fields} == fields


def test_a_response_shares_no_object_with_the_next() -> None:
    """A later change of the defaults of one response must not show in the next."""
    first = shown({})
    first["metadata"]["a"] = "b"
    first["text"]["verbosity"] = "low"
    assert shown({})["metadata"] == {}
    assert shown({})["text"] == PLAIN


@pytest.mark.parametrize(
    ("tool", "is_shown"),
    [
        pytest.param({"type": "function", "name": "my_search"}, True, id="a function that the client maps"),
        pytest.param({"type": "function", "name": "other"}, False, id="another function"),
        pytest.param({"type": "wiki"}, True, id="a type that the client maps"),
        pytest.param({"type": "wiki", "pages": 7}, False, id="a type that the client maps, with settings"),
    ],
)
def test_tools_that_the_client_maps_are_shown_while_others_are_not_sent(
    tool: JSON, *, is_shown: bool
) -> None:
    """OpenAI does not define the settings of such a type, and Tess did not receive them."""
    mapped = [Change("mapped", "tools", name, "internet", "why") for name in ("my_search", "wiki")]
    tools = shown({"tools": [tool, {"type": "mcp"}]}, *mapped, stripped("tools"))["tools"]
    assert [each["type"] for each in tools] == ([tool["type"]] if is_shown else [])
