"""A response shows the parameters that were used, and nothing that was not."""

from __future__ import annotations

import json

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy_parameters import resolve_policy
from tests.flows import JSON
from tests.unit.responses.driven import drive

ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()
FUNCTION: JSON = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
SHOWN: JSON = {**FUNCTION, "description": None}
ALLOWED: JSON = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}
SEARCH: JSON = {"type": "web_search"}


@pytest.mark.parametrize(
    ("fields", "emulate", "tools", "choice"),
    [
        pytest.param({"tools": [FUNCTION], "tool_choice": ALLOWED}, False, [], "auto", id="left out"),
        pytest.param({"tools": [FUNCTION], "tool_choice": ALLOWED}, True, [SHOWN], ALLOWED, id="emulated"),
        pytest.param({"tools": [FUNCTION, {"type": "mcp"}]}, True, [SHOWN], "auto", id="one left out"),
        pytest.param({"tools": [SEARCH], "tool_choice": SEARCH}, False, [SEARCH], "auto", id="hosted"),
        pytest.param(
            {"tools": [{**SEARCH, "search_context_size": "low", "filters": {"allowed_domains": ["a.b"]}}]},
            False,
            [SEARCH],
            "auto",
            id="hosted, with settings",
        ),
        pytest.param({"tools": [FUNCTION, SEARCH]}, False, [SEARCH], "auto", id="hosted, and one left out"),
        pytest.param(
            {"tools": [SEARCH, {"type": "mcp"}, FUNCTION]},
            True,
            [SEARCH, SHOWN],
            "auto",
            id="hosted, one left out, and one emulated",
        ),
        pytest.param({"tools": [{"type": ["web_search"]}]}, False, [], "auto", id="a type that is a list"),
        pytest.param({"tools": ["internet"]}, False, [], "auto", id="a word of Tess in a list"),
        pytest.param({"tools": "internet"}, False, [], "auto", id="a word of Tess"),
        pytest.param(
            {
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "f"}]},
                },
            },
            True,
            [{**SHOWN, "strict": False}],
            ALLOWED,
            id="the form of chat",
        ),
    ],
)
def test_tools_and_choice_are_those_that_were_used(
    fields: JSON, tools: list[JSON], choice: object, *, emulate: bool
) -> None:
    """In the form that the types of the SDK accept."""
    options = Options(policy=resolve_policy({}, emulate=emulate))
    response = json.loads(drive({"input": "hi", **fields}, [ANSWER], options=options).body)
    assert (response["tools"], response["tool_choice"]) == (tools, choice)
