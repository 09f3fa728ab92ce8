"""What the tests of emulation share: functions to call, a schema to follow, and predictable identifiers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tess_openai.core.emulate.emulation import Emulation, parse_emulation
from tess_openai.core.prompts import Prompts
from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.patterns import compile_pattern

NONCE = "tokibanuve"
NONCE_ID = "581850f6"
"""The identifier from which that nonce is made."""
ALL_PARAMS = ("tools", "functions", "response_format", "stop", "max_tokens", "max_completion_tokens")


def _function(name: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


_TEXT = {"type": "string"}
TOOLS = [
    _function(
        "get_weather",
        {"city": _TEXT, "unit": {"enum": ["celsius", "fahrenheit"]}, "days": {"type": "integer"}},
        "city",
    ),
    _function("get_time", {}),
    _function("add", {"a": {"type": "number"}, "b": {"type": "number"}}, "a", "b"),
    _function(
        "search",
        {
            "query": _TEXT,
            "tags": {"type": "array", "items": _TEXT},
            "filters": {"$ref": "#/$defs/filters"},
        },
        "query",
    ),
    _function("send_email", {"to": _TEXT, "subject": _TEXT, "body": _TEXT}, "to", "subject", "body"),
    _function("set_flag", {"on": {"type": "boolean"}, "label": {"anyOf": [_TEXT, {"type": "null"}]}}, "on"),
    _function("note", {"text": _TEXT}, "text"),
]
TOOLS[3]["function"]["parameters"]["$defs"] = {
    "filters": {"type": "object", "properties": {"since": _TEXT, "maximum": {"type": "integer"}}}
}
PERSON = {
    "type": "object",
    "properties": {"name": _TEXT, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="session")
def make_emulation() -> Callable[..., Emulation]:
    """Return a function that reads a request of `TOOLS` and of what it is given besides."""

    def make(**body: Any) -> Emulation:
        wanted = (body.get("response_format") or {}).get("json_schema")
        if wanted is not None and wanted.get("schema") == "person":
            wanted["schema"] = PERSON
        numbers = itertools.count(1)
        ids = itertools.chain([NONCE_ID], (f"id{number}" for number in numbers))
        emulation = parse_emulation(
            {"tools": TOOLS, **body},
            ALL_PARAMS,
            agent_tools=(),
            prompts=Prompts(),
            schemas=SchemaCache(compile_pattern),
            new_id=lambda: next(ids),
        )
        assert emulation is not None
        return emulation

    return make
