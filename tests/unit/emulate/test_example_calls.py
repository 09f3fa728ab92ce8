"""The example in the instructions is a call that its schema allows, with values made from the schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.emulate.instructions import functions_text
from tess_openai.core.emulate.marks import Marks
from tess_openai.core.emulate.offers import parse_offer
from tess_openai.core.prompts import Prompts
from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.patterns import compile_pattern


def text_for(*functions: dict[str, Any]) -> str:
    """Return the instructions for these functions."""
    tools = [{"type": "function", "function": function} for function in functions]
    checker = SchemaCache(compile_pattern).checker()
    return functions_text(parse_offer({"tools": tools}), Marks("tokibanuve"), Prompts(), checker)


def nested(levels: int) -> dict[str, Any]:
    """Return the schema of objects in one another around a text."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        pytest.param({"properties": {"n": {"type": "integer"}}}, {}, id="nothing is required"),
        pytest.param(
            {
                "properties": {
                    "n": {"type": "integer"},
                    "m": {"type": "number"},
                    "o": {"type": ["null", "integer"]},
                },
                "required": ["n", "m", "o"],
            },
            {"n": 2, "m": 2.5, "o": 2},
            id="numbers without bounds",
        ),
        pytest.param(
            {
                "properties": {
                    "p": {"oneOf": [{"type": "boolean"}]},
                    "q": {"allOf": [{"type": "integer"}]},
                    "r": {"type": "array", "items": {"type": "string"}},
                    "s": {"type": "string", "examples": ["t"]},
                },
                "required": ["p", "q", "r", "s"],
            },
            {"p": True, "q": 2, "r": ["some r"], "s": "t"},
            id="branches, items and examples",
        ),
        pytest.param(nested(6), {"a": {"a": {"a": {"a": {"a": {"a": "some a"}}}}}}, id="six levels"),
        pytest.param(nested(7), None, id="too many levels"),
        pytest.param({"properties": {"a": {"type": "null"}}, "required": ["a"]}, None, id="nothing but null"),
        pytest.param(
            {"properties": {"home_town": {"type": "string"}}, "required": ["home_town"]},
            {"home_town": "some home town"},
            id="a text",
        ),
        pytest.param(
            {
                "properties": {"n": {"$ref": "#/$defs/N"}, "m": {"$ref": "#/$defs/M"}},
                "required": ["n", "m"],
                "$defs": {"N": {"type": "integer", "minimum": 9}, "M": {"type": "number", "maximum": 1}},
            },
            {"n": 9, "m": 1},
            id="numbers within their bounds, by reference",
        ),
        pytest.param(
            {
                "properties": {
                    "a": {"type": "array", "items": {"enum": ["x", "y"]}},
                    "b": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
                    "c": {"type": "string", "format": "date"},
                    "d": {"const": 5},
                    "e": {"type": "object", "properties": {"f": {}}, "required": ["f"]},
                    "g": {"type": ["null", "string"], "default": "h"},
                },
                "required": ["a", "b", "c", "d", "e", "g"],
            },
            {"a": ["x"], "b": True, "c": "2030-01-31", "d": 5, "e": {"f": "some f"}, "g": "h"},
            id="of each kind",
        ),
        pytest.param(
            {"properties": {"agent": {"type": "string", "enum": []}}, "required": ["agent"]},
            None,
            id="a choice of nothing",
        ),
    ],
)
def test_the_example_is_a_call_of_an_offered_function(
    parameters: dict[str, Any], arguments: dict[str, Any] | None
) -> None:
    """Its values are made from the schema, and it has the required arguments only.

    A schema that no value follows is still described, and the form alone is shown.
    """
    lines = text_for({"name": "go", "parameters": {"type": "object", **parameters}}).splitlines()
    example = json.loads(lines[lines.index("<call:tokibanuve>") + 1])
    assert example == {"name": "go", "arguments": {"argument": "value"} if arguments is None else arguments}


def test_an_example_that_breaks_its_schema_is_not_shown() -> None:
    """The next function is the example, and where there is none, the form alone is shown."""
    text = {"properties": {"a": {"type": "string", "pattern": "^[0-9]$"}}, "required": ["a"]}
    first, second = {"name": "first", "parameters": text}, {"name": "second"}
    assert '\n{"name": "second", "arguments": {}}\n' in text_for(first, second)
    form = '{"name": "first", "arguments": {"argument":"value"}}'
    assert f"\n{form}\n" in text_for(first)


def test_a_schema_that_refers_to_itself_does_not_fail() -> None:
    """Making the instructions takes little time although each part refers to the whole many times."""
    names = [f"n{number}" for number in range(40)]
    node = {"properties": {name: {"$ref": "#/$defs/node"} for name in names}, "required": names}
    loop = {"$ref": "#/$defs/node", "$defs": {"node": node}}
    assert '{"argument":"value"}' in text_for({"name": "go", "parameters": loop})
