"""What real clients send reaches a strict Tess, and the ledger accounts for every difference.

`request_bodies.jsonl` holds 224 requests as they were sent to an OpenAI-compatible server by openai 1.109,
2.54 and 3.54, LangChain, LlamaIndex, openai-agents, pydantic-ai, instructor, LiteLLM and CrewAI; `name` says
by whom and for what.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

JSON: TypeAlias = dict[str, Any]

LINES = Path(__file__).with_name("request_bodies.jsonl").read_text(encoding="utf-8").splitlines()
REQUESTS: list[JSON] = [json.loads(line) for line in LINES]

# Values that ask for nothing, of those in the file.
NEUTRAL = {
    "n": 1,
    "top_p": 1,
    "tools": [],
    "tool_choice": "auto",
    "stream_options": {"include_usage": True},
    "store": False,
    "logprobs": False,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "response_format": {"type": "text"},
}
ROLES = {"developer": "system", "tool": "user"}
TOOLS = {"tools", "functions", "tool_choice", "function_call", "parallel_tool_calls"}


def requests(*paths: str) -> list[Any]:
    """Return the requests to these paths, named by who sent what."""
    return [
        pytest.param(request, id=f"{request['name']} of openai {request['sdk']}")
        for request in REQUESTS
        if request["path"] in paths
    ]


CHATS = requests("/chat/completions")
ABSENT = requests("/embeddings", "/moderations")
LISTS_OF_MODELS = requests("/models")  # answered from what the agent offers; tests/wire


def test_the_file_is_whole() -> None:
    """A body that is lost would not be missed otherwise."""
    assert (len(CHATS), len(ABSENT), len(LISTS_OF_MODELS)) == (199, 9, 3)


@pytest.mark.parametrize("request_", CHATS)
def test_a_chat_is_accepted_and_accounted_for(request_: JSON, carry: Callable[..., Any]) -> None:
    """200 from the strict simulator, and as many kinds of change in the ledger as there are differences."""
    given = request_["body"]
    before = json.dumps(given)
    carried = carry("POST", "/chat/completions", given)
    assert json.dumps(given) == before
    assert carried.status == 200, carried.body
    assert b"received" in carried.body
    recorded = {change.param for change in carried.changes}
    assert recorded == differences(given, carried.sent)


@pytest.mark.parametrize("request_", ABSENT)
def test_an_endpoint_that_tess_lacks_is_answered_without_the_network(
    request_: JSON, carry: Callable[..., Any]
) -> None:
    """The status is 404, and the error says so."""
    carried = carry(request_["method"], request_["path"], request_["body"])
    assert carried.sent is None
    assert carried.status == 404
    assert json.loads(carried.body)["error"]["code"] == "endpoint_not_supported"


def differences(given: JSON, sent: JSON) -> set[str]:
    """Name what was not sent as given, apart from what asks for nothing; written without the core."""
    found = {name for name in set(given) - {"messages"} - TOOLS if is_changed(name, given, sent)}
    found |= tool_differences(given, sent) | message_differences(given["messages"], sent["messages"])
    assert set(sent) - set(given) <= {"tools"}
    return found


def is_changed(name: str, given: JSON, sent: JSON) -> bool:
    """Tell whether a parameter went missing or says something else."""
    if name in sent and name == "temperature":
        return float(sent[name]) != float(given[name])
    asks = given[name] is not None and given[name] != NEUTRAL.get(name)
    return sent[name] != given[name] if name in sent else asks


def tool_differences(given: JSON, sent: JSON) -> set[str]:
    """Name the tool parameters over which something is lost; the others go along with them."""
    assert set(sent) & TOOLS <= {"tools"}
    tools, choice = given.get("tools"), given.get("tool_choice")
    found: set[str] = set()
    if tools and tools != sent["tools"]:
        found.add("tools")
    if given.get("functions"):
        found.add("functions")
    if choice not in (None, "auto"):
        found.add("tool_choice")
    if given.get("function_call") not in (None, "auto"):
        found.add("function_call")
    return found


def message_differences(given: list[JSON], sent: list[JSON]) -> set[str]:
    """Name what changed in the messages, and check that every text of theirs arrived."""
    reply = "\n".join(message["content"] for message in sent)
    found: set[str] = set()
    roles: list[str] = []
    for message in given:
        found |= one_message_differences(message)
        texts = texts_of(message)
        assert all(text in reply for text in texts)
        role: str = ROLES.get(message["role"]) or message["role"]
        if not texts or role in roles[-1:]:  # nothing to send, or to be joined with the one before
            found.add("messages")
        else:
            roles.append(role)
    assert [message["role"] for message in sent] == roles
    return found


def one_message_differences(message: JSON) -> set[str]:
    """Name what changed in a message, its place among the others apart."""
    is_result = message["role"] == "tool"
    found = {"messages.role"} if message["role"] == "developer" else set[str]()
    if is_result or message.get("tool_calls"):
        found.add("messages.tool_calls")
    if isinstance(message.get("content"), list):
        found.add("messages.content")
    reply = {"name", "tool_call_id"} if is_result else {"tool_calls", "refusal"}
    keys = {key for key, value in message.items() if value not in (None, [])}
    return found | {f"messages.{key}" for key in keys - reply - {"role", "content"}}


def texts_of(message: JSON) -> list[str]:
    """Return every text that a message says, and for an image its replacement."""
    content = message.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [part.get("text", "[image not sent") for part in parts]
    for call in message.get("tool_calls") or []:
        texts += [call["function"]["name"], call["function"]["arguments"]]
    return texts
