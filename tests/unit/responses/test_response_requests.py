"""Parameters of the Responses API, usual and unusual: nothing vanishes without a word."""

from __future__ import annotations

import json

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.policy_parameters import resolve_policy
from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}


def asked(**fields: object) -> Carried:
    """Ask with fields under the default policy."""
    return drive({"input": "hi", **fields}, [ANSWER])


LOST: dict[str, tuple[JSON, dict[str, str]]] = {
    "background": ({"background": True}, {"background": "true"}),
    "prompt": ({"prompt": {"id": "pmpt_1"}}, {"prompt": "an object with 1 key"}),
    "truncation": ({"truncation": "auto"}, {"truncation": '"auto"'}),
    "reasoning": (
        {"reasoning": {"effort": "high", "summary": "auto"}},
        {"reasoning.effort": '"high"', "reasoning.summary": '"auto"'},
    ),
    "old summary": ({"reasoning": {"generate_summary": "concise"}}, {"reasoning.summary": '"concise"'}),
    "text": (
        {"text": {"format": {"type": "json_object"}, "verbosity": "low"}},
        {"text.format": 'an object of type "json_object"', "text.verbosity": '"low"'},
    ),
    "a key of text": ({"text": {"stop": [1]}}, {"text.stop": "a list of 1"}),
    "logprobs": (
        {"include": ["message.output_text.logprobs"], "top_logprobs": 5},
        {"include": "message.output_text.logprobs", "top_logprobs": "5"},
    ),
    "citations": (
        {"include": ["web_search_call.action.sources"]},
        {"include": "web_search_call.action.sources"},
    ),
    "labels": (
        {"metadata": {"a": "b"}, "user": "u", "safety_identifier": "s", "prompt_cache_key": "k"},
        {
            "metadata": "an object with 1 key",
            "user": "a string of 1 character",
            "safety_identifier": "a string of 1 character",
            "prompt_cache_key": "a string of 1 character",
        },
    ),
    "service_tier": ({"service_tier": "flex"}, {"service_tier": '"flex"'}),
    "stream_options": (
        {"stream_options": {"include_obfuscation": True}},
        {"stream_options": "include_obfuscation"},
    ),
    "hosted tools": (
        {"tools": [{"type": "file_search"}, {"type": "mcp"}], "tool_choice": {"type": "file_search"}},
        {"tools": "file_search, mcp", "tool_choice": 'an object of type "file_search"'},
    ),
    "allowed tools": (
        {
            "tools": [FUNCTION],
            "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"name": "f"}]},
        },
        {"tools": "1 function", "tool_choice": 'an object of type "allowed_tools"'},
    ),
    "a custom tool": (
        {"tools": [{"type": "custom", "name": "g", "format": {"type": "grammar", "syntax": "lark"}}]},
        {"tools": "1 function"},
    ),
    "max_tool_calls": ({"max_tool_calls": 3}, {"max_tool_calls": "3"}),
    "context_management": (
        {"context_management": [{"type": "compaction"}]},
        {"context_management": "a list of 1"},
    ),
}


@pytest.mark.parametrize(("fields", "expected"), LOST.values(), ids=LOST)
def test_what_cannot_be_honoured_is_named(fields: JSON, expected: dict[str, str]) -> None:
    """The change has the caller's name, and the value unless it is free text; a policy can refuse it."""
    carried = asked(**fields)
    assert carried.status == 200
    assert {change.param: change.given for change in carried.changes} == expected
    assert all(change.warn == "request" for change in carried.changes)
    refused = drive({"input": "hi", **fields}, [ANSWER], options=Options(policy=Policy("error")))
    assert refused.status == 400
    assert json.loads(refused.body)["error"]["param"] in expected
    assert refused.sent is None


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"reasoning": {"summary": "auto", "x": 1}}, {"reasoning": {"x": 1, "summary": "auto"}}),
        ({"reasoning": {"effort": "low", "x": None}}, {"reasoning_effort": "low"}),
        ({"text": {"verbosity": "low", "x": [1]}}, {"verbosity": "low", "text": {"x": [1]}}),
    ],
)
def test_what_is_forwarded_is_sent(fields: JSON, sent: JSON) -> None:
    """The ledger does not claim it otherwise."""
    carried = drive({"input": "hi", **fields}, [ANSWER], options=Options(policy=Policy("forward")))
    assert carried.sent == {**sent, "messages": [{"role": "user", "content": "hi"}]}
    assert {change.action for change in carried.changes} == {"forwarded"}


@pytest.mark.parametrize("name", ["reasoning", "text"])
def test_the_word_of_a_parameter_counts_for_its_unknown_fields(name: str) -> None:
    """The advice of the warning, followed, ends the warning."""
    fields: JSON = {"input": "hi", name: {"other": 1}}
    (warned,) = drive(fields, [ANSWER]).changes
    assert f'unsupported={{"{name}": "ignore"}}' in warned.remedy
    ignoring = Options(policy=resolve_policy({name: "ignore"}))
    (change,) = drive(fields, [ANSWER], options=ignoring).changes
    assert (change.action, change.param, change.warn) == ("stripped", f"{name}.other", None)


REFUSED: dict[str, tuple[JSON, str, str]] = {
    "a conversation": ({"conversation": "conv_1"}, "conversation", "root_id"),
    "text that is no object": ({"text": "x"}, "text", "must be an object"),
    "reasoning that is no object": ({"reasoning": 5}, "reasoning", "must be an object"),
    "instructions of no kind": ({"instructions": 5}, "instructions", "instructions must be a string"),
    "instructions that are an object": ({"instructions": {}}, "instructions", "must be a string"),
    "metadata that is no object": ({"metadata": "x"}, "metadata", "must be an object of strings"),
    "metadata with a number": ({"metadata": {"a": 1}}, "metadata", "must be an object of strings"),
    "a user that is no string": ({"user": 7}, "user", "user must be a string"),
    "store as a word": ({"store": "no"}, "store", "store must be a boolean"),
    "store as a number": ({"store": 0}, "store", "store must be a boolean"),
    "background as a word": ({"background": "no"}, "background", "must be a boolean"),
    "stream as a word": ({"stream": "true"}, "stream", "must be a boolean"),
    "tokens as a text": ({"max_output_tokens": "9"}, "max_output_tokens", "must be an integer"),
    "tokens as a boolean": ({"max_output_tokens": True}, "max_output_tokens", "must be an integer"),
    "a boolean for zero": ({"top_logprobs": False}, "top_logprobs", "must be an integer"),
    "a boolean for one": ({"top_p": True}, "top_p", "must be a number"),
    "one thing to include": ({"include": "x"}, "include", "must be a list"),
    "a tier that is no word": ({"service_tier": 1}, "service_tier", "must be a string"),
    "stream options of no kind": ({"stream_options": [1]}, "stream_options", "must be an object"),
    "an id that is no string": ({"previous_response_id": 5}, "previous_response_id", "must be a string"),
    "a previous response": ({"previous_response_id": "resp_x"}, "previous_response_id", "'resp_x'"),
    "a stored prompt alone": ({"input": None, "prompt": {"id": "p"}}, "input", "text of the prompt"),
    "no input": ({"input": []}, "input", "Missing required parameter"),
    "input of no kind": ({"input": {"role": "user"}}, "input", "input must be a string"),
}


@pytest.mark.parametrize(("fields", "param", "reason"), REFUSED.values(), ids=REFUSED)
def test_invalid_requests_are_refused(fields: JSON, param: str, reason: str) -> None:
    """400 that names the parameter, whatever the policy says."""
    carried = drive({"input": "hi", **fields}, [ANSWER], options=Options(policy=Policy("ignore")))
    error = json.loads(carried.body)["error"]
    assert (carried.status, error["param"]) == (400, param)
    assert reason in error["message"]
    assert error["type"] == "invalid_request_error"
    assert carried.sent is None


def test_a_text_that_is_no_id_is_not_repeated() -> None:
    """It could be anything."""
    carried = asked(previous_response_id="a secret: 1")
    assert json.loads(carried.body)["error"]["message"].startswith("Previous response not found.")


def test_an_emulated_parameter_is_refused_under_the_callers_name() -> None:
    """The message and `param` have the name that the caller used."""
    options = Options(policy=resolve_policy({}, emulate=True))
    carried = drive({"input": "hi", "max_output_tokens": 0}, [ANSWER], options=options)
    error = json.loads(carried.body)["error"]
    assert (carried.status, error["param"]) == (400, "max_output_tokens")
    assert error["message"].startswith("max_output_tokens must be")


@pytest.mark.parametrize("kind", ["file_search", "mcp"])
def test_hosted_tools_alone_add_nothing_to_the_messages(kind: str) -> None:
    """There is no function to describe and none to forbid; the warning has the tool."""
    options = Options(policy=resolve_policy({}, emulate=True))
    carried = drive({"input": "hi", "tools": [{"type": kind}]}, [ANSWER], options=options)
    assert carried.messages == [{"role": "user", "content": "hi"}]
    (change,) = carried.changes
    assert (change.action, change.param, change.given, change.warn) == ("stripped", "tools", kind, "request")


@pytest.mark.parametrize("emulate", [False, True])
def test_fields_of_tools_that_emulation_does_not_use_are_in_the_ledger(*, emulate: bool) -> None:
    """Those that change nothing are not, and a tool that is left out is reported as a whole."""
    unused = {"output_schema": {"type": "object"}, "async": True}
    neutral = {"defer_loading": False, "allowed_callers": ["direct"], "description": None}
    tools = [{**FUNCTION, **neutral, **unused}, {"type": "custom", "name": "g", "async": True}]
    options = Options(policy=resolve_policy({}, emulate=emulate))
    changes = drive({"input": "hi", "tools": tools}, [ANSWER], options=options).changes
    found = {change.param: change.given for change in changes if change.param.startswith("tools.")}
    assert found == ({"tools.output_schema": "1 tool", "tools.async": "2 tools"} if emulate else {})
