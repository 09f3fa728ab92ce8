"""A request of the Responses API becomes this chat request, parameter by parameter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.calls import Call
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.response_request import (
    ResponseRequest,
    read_response_request,
    to_chat_request,
)
from tess_openai.core.translated_chat import read_call
from tests.flows import JSON

BODY: JSON = {"model": "m", "input": "hi"}
CHAT: JSON = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "x"}
USAGE: JSON = {"include_usage": True}


def read(body: JSON, action: Any = "forward", **options: Any) -> ResponseRequest:
    """Read a request under a policy."""
    call = Call("POST", "/responses", {}, json.dumps(body).encode(), 0, lambda: 1, lambda: "x", agent="42")
    return read_response_request(*read_call(call, Options(policy=Policy(action), **options)))


@pytest.mark.parametrize(
    ("fields", "chat"),
    [
        pytest.param({}, {}, id="an input"),
        pytest.param(
            {"instructions": "Be brief."},
            {"messages": [{"role": "system", "content": "Be brief."}, *CHAT["messages"]]},
            id="instructions",
        ),
        pytest.param(
            {"instructions": [{"role": "developer", "content": "Be brief."}]},
            {"messages": [{"role": "developer", "content": "Be brief."}, *CHAT["messages"]]},
            id="instructions that are items",
        ),
        pytest.param({"instructions": ""}, {}, id="empty instructions"),
        pytest.param(
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "n",
                        "schema": {"type": "object"},
                        "strict": True,
                    }
                }
            },
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
                }
            },
            id="a schema",
        ),
        pytest.param(
            {"text": {"format": {"type": "json_object"}, "verbosity": "low"}},
            {"response_format": {"type": "json_object"}, "verbosity": "low"},
            id="JSON and a verbosity",
        ),
        pytest.param({"max_output_tokens": 5}, {"max_completion_tokens": 5}, id="a limit"),
        pytest.param({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}, id="an effort"),
        pytest.param(
            {"temperature": 0.5, "user": "u"}, {"temperature": 0.5, "user": "u"}, id="the same in chat"
        ),
        pytest.param({"root_id": 7}, {"root_id": 7}, id="a field of the agent"),
        pytest.param({"stream": True}, {"stream": True, "stream_options": USAGE}, id="a stream"),
        pytest.param(
            {"stream": True, "stream_options": {"include_obfuscation": False}},
            {"stream": True, "stream_options": {"include_obfuscation": False, **USAGE}},
            id="a stream with options",
        ),
        pytest.param({"stream": False}, {"stream": False}, id="no stream"),
        pytest.param(
            {"tools": [{"type": "function", "name": "f", "parameters": {}, "strict": None}]},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
            id="a function",
        ),
        pytest.param(
            {"tools": [{"type": "custom", "name": "g", "format": GRAMMAR}]},
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {
                            "name": "g",
                            "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}},
                        },
                    }
                ]
            },
            id="a custom tool with a grammar",
        ),
        pytest.param(
            {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "web_search"}]},
            {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "web_search"}]},
            id="a function of chat, and a tool of OpenAI's",
        ),
        pytest.param(
            {"tool_choice": {"type": "function", "name": "f"}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            id="the choice of a function",
        ),
        pytest.param({"tool_choice": "required"}, {"tool_choice": "required"}, id="a choice in one word"),
        pytest.param(
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "custom", "name": "g"}],
                }
            },
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "custom", "custom": {"name": "g"}}]},
                }
            },
            id="the choice of some tools",
        ),
        pytest.param(
            {"store": False, "previous_response_id": "resp_1"}, {}, id="what the adapter does itself"
        ),
    ],
)
def test_each_parameter_has_its_name_and_form_in_chat(fields: JSON, chat: JSON) -> None:
    """What has another name or form is translated, and what is the same is copied; none of it is a change."""
    request = read({**BODY, **fields})
    assert to_chat_request(request, request.items) == {**CHAT, **chat}
    assert not request.ledger.changes


def test_what_the_adapter_does_itself_is_read() -> None:
    """A response is stored and whole unless the caller asks for something else."""
    request = read(BODY)
    assert (request.shall_store, request.stream, request.previous_id) == (True, False, "")
    request = read({"model": "m", "store": False, "stream": True, "previous_response_id": "resp_1"})
    assert (request.shall_store, request.stream, request.previous_id, request.items) == (
        False,
        True,
        "resp_1",
        [],
    )


def test_no_usage_is_asked_for_where_the_client_wants_none() -> None:
    """The option `usage="none"` holds for responses too."""
    request = read({**BODY, "stream": True}, usage="none")
    assert to_chat_request(request, request.items)["stream_options"] == {}


@pytest.mark.parametrize(
    ("fields", "param", "given", "forwarded"),
    [
        pytest.param(
            {"reasoning": {"effort": "low", "summary": "auto"}},
            *("reasoning.summary", '"auto"'),
            {"reasoning": {"summary": "auto"}},
            id="a summary",
        ),
        pytest.param({"text": {"odd": 1}}, "text.odd", "1", {"text": {"odd": 1}}, id="a field of text"),
        pytest.param(
            {"text": {"a b": 1}}, "text.unknown", "1", {"text": {"a b": 1}}, id="a field without a name"
        ),
        pytest.param(
            {"include": ["message.output_text.logprobs"]},
            *("include", "message.output_text.logprobs"),
            {"include": ["message.output_text.logprobs"]},
            id="log probabilities",
        ),
        pytest.param(
            {"include": ["a secret"]}, "include", "a string", {"include": ["a secret"]}, id="a text"
        ),
    ],
)
def test_what_chat_does_not_have_is_recorded_and_sent_only_if_it_is_forwarded(
    fields: JSON, param: str, given: str, forwarded: JSON
) -> None:
    """The ledger shows words of OpenAI's, and no other text of the caller."""
    request = read({**BODY, **fields})
    chat = to_chat_request(request, request.items)
    assert chat | forwarded == chat
    assert [(each.action, each.param, each.given) for each in request.ledger.changes] == [
        ("forwarded", param, given)
    ]
    request = read({**BODY, **fields}, "warn")
    assert not to_chat_request(request, request.items).keys() & forwarded.keys()
    assert [(each.action, each.param) for each in request.ledger.changes] == [("stripped", param)]


@pytest.mark.parametrize(
    ("fields", "param", "code", "text"),
    [
        ({"messages": []}, "messages", "unknown_parameter", "Use input."),
        ({"max_tokens": 5}, "max_tokens", "unknown_parameter", "Use max_output_tokens."),
        ({"stream": "yes"}, "stream", "invalid_type", "stream must be a boolean."),
        ({"max_output_tokens": True}, "max_output_tokens", "invalid_type", "must be an integer."),
        ({"input": None}, "input", "missing_required_parameter", "Pass a string, or a list of items."),
        ({"conversation": "c"}, "conversation", "unsupported_parameter", 'extra_body={"root_id": ...}'),
    ],
)
def test_a_request_that_is_none_of_this_api_is_refused(
    fields: JSON, param: str, code: str, text: str
) -> None:
    """The error names the parameter, and what to write instead."""
    with pytest.raises(Refused) as caught:
        read({**BODY, **fields})
    assert (caught.value.param, caught.value.code, caught.value.status) == (param, code, 400)
    assert text in caught.value.message
