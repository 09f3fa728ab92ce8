"""Items of every type that OpenAI defines, usual and unusual, become messages or are in the ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.policy_parameters import resolve_policy
from tess_openai.edge.response_stores import MemoryResponseStore
from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()
QUESTION = {"role": "user", "content": "hi"}


def sent_with(item: JSON, word: Any = "warn") -> Carried:
    """Send an item after a question."""
    return drive({"input": [QUESTION, item]}, [ANSWER], options=Options(policy=Policy(word)))


HOSTED: list[JSON] = [
    {"type": "file_search_call", "id": "fs_1", "queries": ["a"], "status": "completed", "results": None},
    {"type": "computer_call", "id": "cu_1", "call_id": "c1", "action": {"type": "wait"}},
    {"type": "computer_call_output", "call_id": "c1", "output": {"type": "computer_screenshot"}},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
    {"type": "image_generation_call", "id": "ig_1", "result": "AAAA", "status": "completed"},
    {"type": "code_interpreter_call", "id": "ci_1", "code": "1", "container_id": "x", "outputs": None},
    {"type": "local_shell_call", "id": "ls_1", "call_id": "c2", "action": {"type": "exec"}},
    {"type": "local_shell_call_output", "id": "c2", "output": "x"},
    {"type": "shell_call", "call_id": "c3", "action": {"commands": ["ls"]}},
    {"type": "shell_call_output", "call_id": "c3", "output": []},
    {"type": "apply_patch_call", "call_id": "c4", "operation": {}, "status": "completed"},
    {"type": "apply_patch_call_output", "call_id": "c4", "output": "ok", "status": "completed"},
    {"type": "mcp_list_tools", "id": "m1", "server_label": "x", "tools": []},
    {"type": "mcp_approval_request", "id": "m2", "arguments": "{}", "name": "x", "server_label": "x"},
    {"type": "mcp_approval_response", "approval_request_id": "m2", "approve": True},
    {"type": "mcp_call", "id": "m3", "arguments": "{}", "name": "x", "server_label": "x"},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "secret"},
]


@pytest.mark.parametrize("item", HOSTED, ids=lambda item: item["type"])
def test_an_item_that_tess_lacks_is_named(item: JSON) -> None:
    """It is left out with a warning, or refused with advice that gives the exact option."""
    carried = sent_with(item)
    assert carried.messages == [QUESTION]
    (change,) = carried.changes
    assert (change.action, change.param, change.warn) == ("stripped", f"input.{item['type']}", "request")
    assert 'create_client(unsupported={"input": "ignore"})' in change.remedy
    assert "secret" not in str(change)
    refused = sent_with(item, "error")
    assert refused.status == 400
    error = json.loads(refused.body)["error"]
    assert error["param"] == f"input.{item['type']}"
    assert 'create_client(unsupported={"input": "ignore"})' in error["message"]


def test_reasoning_is_left_aside_without_a_warning() -> None:
    """It is its model's own, so nothing that the program asked for is missing; the ledger has it."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"text": "thought"}], "encrypted_content": "x"}
    carried = sent_with(item, "error")
    assert carried.messages == [QUESTION]
    assert [(change.param, change.warn) for change in carried.changes] == [("input.reasoning", None)]


@pytest.mark.parametrize("item", [{"type": "item_reference", "id": "msg_0001"}, {"id": "msg_0001"}])
def test_an_id_alone_is_a_reference(item: JSON) -> None:
    """The SDK's type of a reference may be left out."""
    carried = sent_with(item)
    assert (carried.status, json.loads(carried.body)["error"]["code"]) == (404, "item_not_found")
    assert carried.sent is None


@pytest.mark.parametrize("kind", ["function_call", "function_call_output"])
@pytest.mark.parametrize("emulate", [False, True])
@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"namespace": "x", "caller": {"type": "program", "caller_id": "1"}}, ["namespace", "caller"]),
        ({"namespace": None, "caller": {"type": "direct"}, "async": False, "created_by": "me"}, []),
    ],
    ids=["fields that mean something", "fields that change nothing"],
)
def test_further_fields_of_calls_are_in_the_ledger(
    kind: str, fields: JSON, names: list[str], *, emulate: bool
) -> None:
    """Emulated or not; what changes nothing is not worth an entry."""
    items: list[JSON] = [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]
    given = [QUESTION, *({**item, **fields} if item["type"] == kind else item for item in items)]
    options = Options(policy=resolve_policy({}, emulate=emulate))
    changes = drive({"input": given}, [ANSWER], options=options).changes
    found = [change.param for change in changes if change.param.startswith("input.")]
    assert [name for name in found if name != "input.function_call"] == [f"input.{name}" for name in names]


def test_what_the_sdk_parsed_is_no_part_of_an_item() -> None:
    """A program may send back the dump of what `.parse()` returned."""
    text = {"type": "output_text", "text": '{"a": 1}', "annotations": [], "parsed": {"a": 1}}
    message = {"type": "message", "role": "assistant", "content": [text]}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a": 1}'}
    items = [QUESTION, message, {**call, "parsed_arguments": {"a": 1}}]
    options = Options(policy=resolve_policy("error", emulate=True))
    carried = drive({"input": items}, [ANSWER], options=options)
    assert {change.param for change in carried.changes} == {"tools"}
    assert carried.messages[-1]["content"].startswith('{"a": 1}\n<call:')


class CountingStore(MemoryResponseStore):
    """Counts how often a response is loaded."""

    loads = 0

    def load(self, key: str) -> bytes | None:
        """Count, and return the entry."""
        self.loads += 1
        return super().load(key)


def test_a_response_is_loaded_once_for_all_references_to_it() -> None:
    """A long conversation of references would otherwise take time that grows with its square."""
    store = CountingStore()
    drive({"input": [QUESTION] * 20}, [ANSWER], store=store)
    references = [{"type": "item_reference", "id": f"msg_{'0' * 24}{1000 + place}"} for place in range(20)]
    carried = drive({"input": references}, [ANSWER], store=store)
    assert carried.messages == [{"role": "user", "content": "\n\n".join(["hi"] * 20)}]
    assert store.loads == 1


@pytest.mark.parametrize("kind", ["a secret: 1", "x" * 50])
def test_what_is_no_name_of_a_type_is_not_repeated(kind: str) -> None:
    """It could be anything."""
    (change,) = sent_with({"type": kind}).changes
    assert change.param == "input.unknown"


ODD: list[JSON] = [
    *({"role": "user", "content": None}, {"role": "user", "content": []}, {"role": "user", "content": 5}),
    *({"role": "user", "content": {}}, {"role": "user", "content": [None, 1, "x", {}]}),
    *({"role": role, "content": "x"} for role in (None, 5, "critic")),
    {"type": "message", "content": "x"},
    {"type": "function_call"},
    {"type": "function_call", "call_id": 5, "name": None, "arguments": {"a": 1}},
    {"type": "function_call_output", "call_id": "x", "output": {"a": 1}},
    {"type": "custom_tool_call_output", "output": [{"type": "input_image"}, {"type": "input_file"}]},
    {"type": 5, "role": "user", "content": "x"},
    {},
]


@pytest.mark.parametrize("word", ["warn", "error", "emulate", "forward", "ignore"])
@pytest.mark.parametrize("item", ODD, ids=str)
def test_an_odd_item_is_answered_and_never_a_bug(item: JSON, word: str) -> None:
    """Passed on for Tess to judge, left out by the policy, or refused as OpenAI refuses."""
    policy = resolve_policy({}, emulate=True) if word == "emulate" else resolve_policy(word)
    carried = drive({"input": [QUESTION, item]}, [ANSWER], options=Options(policy=policy))
    assert carried.status in (200, 400)
    assert b"adapter_error" not in carried.body


def test_a_part_becomes_a_text_alone_when_it_is_nothing_else() -> None:
    """What is about a text of an earlier answer is no part of it: annotations, log probabilities."""
    part: JSON = {"type": "output_text", "text": "x", "annotations": [{"type": "url_citation"}]}
    carried = sent_with({"role": "assistant", "content": [{**part, "logprobs": [1]}]})
    assert (carried.changes, carried.messages[-1]) == ([], {"role": "assistant", "content": "x"})
    part = {"type": "input_text", "text": "x", "cache_control": {"type": "ephemeral"}}
    carried = sent_with({"role": "assistant", "content": [part]})
    assert [(change.action, change.param, change.given) for change in carried.changes] == [
        ("mapped", "input.content", "text parts"),
        ("stripped", "input.content", "cache_control of 1 part"),
    ]


def test_parallel_calls_are_one_message() -> None:
    """Two calls and their outputs become one message of the assistant and one of the user."""
    calls = [
        {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"}
        for number in (1, 2)
    ]
    outputs = [
        {"type": "function_call_output", "call_id": f"c{number}", "output": f"result {number}"}
        for number in (1, 2)
    ]
    options = Options(policy=resolve_policy({}, emulate=True))
    carried = drive({"input": [QUESTION, *calls, *outputs]}, [ANSWER], options=options)
    assert [message["role"] for message in carried.messages if message["role"] != "system"] == [
        "user",
        "assistant",
        "user",
    ]
    assert "result 1" in carried.messages[-1]["content"]
    assert "result 2" in carried.messages[-1]["content"]
