"""What real clients send to the Responses API reaches a strict Tess; the ledger accounts for all changes.

`responses_bodies.jsonl` holds 276 requests to `/responses` and `/completions` as they were sent by openai
1.109, 2.54 and 3.54, openai-agents, LangChain, LlamaIndex, pydantic-ai, instructor, LiteLLM and CrewAI;
`name` says by whom and for what, and ends in `__later` for a later request of one conversation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import openai
import pytest
from openai.types import Completion
from openai.types.responses import Response

from tests.contract.conftest import EARLIER

JSON: TypeAlias = dict[str, Any]

LINES = Path(__file__).with_name("responses_bodies.jsonl").read_text(encoding="utf-8").splitlines()
BODIES: list[JSON] = [json.loads(line) for line in LINES]
RESPONSES = [
    pytest.param(row["body"], id=row["name"])
    for row in BODIES
    if "input" in row["body"] and row["body"]["model"] != "no-such-model"
]

PROMPTS = [
    pytest.param(row["body"], id=row["name"])
    for row in BODIES
    if "prompt" in row["body"] and "input" not in row["body"] and row["body"]["model"] != "no-such-model"
]


def test_the_file_is_whole() -> None:
    """A body that is lost would not be missed otherwise."""
    assert (len(BODIES), len(RESPONSES), len(PROMPTS)) == (276, 248, 24)


@pytest.mark.parametrize("body", RESPONSES)
def test_a_body_is_accepted_and_gives_the_sdks_model(body: JSON, carry: Callable[..., Any]) -> None:
    """The strict simulator accepts it, the SDK parses the response, and the ledger has all changes."""
    before = json.dumps(body)
    carried = carry("POST", "/responses", body)
    assert json.dumps(body) == before
    assert carried.status == 200, carried.body
    fields = last_event(carried.body)["response"] if body.get("stream") else json.loads(carried.body)
    response = to_model(fields)
    assert response.status == "completed"
    assert "received" in response.output_text
    assert carried.sent is not None
    assert {change.param for change in carried.changes} == differences(body, carried.sent)


def to_model(fields: JSON) -> Response:
    """Return the SDK's model; openai 1, which does not know newer tools, makes it without validation."""
    if int(openai.VERSION.partition(".")[0]) >= 2:
        return Response.model_validate(fields)
    return Response.construct(**fields)


@pytest.mark.parametrize("body", PROMPTS)
def test_a_prompt_is_accepted(body: JSON, carry: Callable[..., Any]) -> None:
    """The strict simulator accepts it, and each prompt gets a choice; lists of tokens are refused by name."""
    before = json.dumps(body)
    carried = carry("POST", "/completions", body)
    assert json.dumps(body) == before
    prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
    if isinstance(prompts[0], int):
        assert (carried.status, json.loads(carried.body)["error"]["param"]) == (400, "prompt")
        return
    assert carried.status == 200, carried.body
    if not body.get("stream"):
        assert len(Completion.model_validate_json(carried.body).choices) == len(prompts)
    assert carried.body.count(b"received") == len(prompts)
    assert carried.sent is not None
    assert carried.sent["messages"] == [{"role": "user", "content": prompts[-1]}]
    changed = {
        name
        for name in set(body) - {"prompt", "echo", "stream_options"}
        if is_changed(name, body, carried.sent)
    }
    if body.get("best_of") == body.get("n"):
        changed -= {"best_of"}  # the best of as many as are asked for are all of them
    assert {change.param for change in carried.changes} == changed


# Values that ask for nothing, of those in the file.
NEUTRAL: JSON = {
    "background": False,
    "best_of": 1,
    "frequency_penalty": 0,
    "include": [],
    "metadata": {},
    "n": 1,
    "presence_penalty": 0,
    "service_tier": "auto",
    "stream_options": {"include_obfuscation": False},
    "top_logprobs": 0,
    "top_p": 1,
    "truncation": "disabled",
}
OWN_TESTS = {
    *("input", "instructions", "parallel_tool_calls", "previous_response_id", "reasoning", "store", "text"),
    *("tool_choice", "tools"),
}
BOOKKEEPING = {"type", "id", "status", "phase"}


def differences(given: JSON, sent: JSON) -> set[str]:
    """Name what was not sent as given, apart from what asks for nothing; written without the core."""
    assert set(sent) <= {*given, "messages", "tools"}
    found = {name for name in set(given) - OWN_TESTS if is_changed(name, given, sent)}
    for name in ("reasoning", "text"):
        parts: JSON = given.get(name) or {}
        found |= {f"{name}.{key}" for key, value in parts.items() if asks_for_something(key, value)}
    return found | tool_differences(given, sent) | message_differences(given, sent["messages"])


def tool_differences(given: JSON, sent: JSON) -> set[str]:
    """Name the tool parameters over which something is lost; `parallel_tool_calls` goes along with them."""
    tools, choice = given.get("tools"), given.get("tool_choice")
    if choice == "none":  # nothing is called, as it was asked
        assert "tools" not in sent
        return set()
    if isinstance(tools, str):
        assert sent["tools"] == tools
        return set()
    searches = [tool for tool in tools or [] if tool["type"] in ("web_search", "web_search_preview")]
    is_met = bool(searches) and isinstance(choice, dict) and choice["type"] == searches[0]["type"]
    found = {"tool_choice"} if choice not in (None, "auto") and not is_met else set[str]()
    if not tools:
        return found
    assert sent["tools"] == ("internet" if searches else "no-tools")
    return found | {"tools"}


def is_changed(name: str, given: JSON, sent: JSON) -> bool:
    """Tell whether a parameter went missing or says something else."""
    if name in sent and name == "temperature":
        return float(sent[name]) != float(given[name])
    asks = given[name] is not None and given[name] != NEUTRAL.get(name)
    return sent[name] != given[name] if name in sent else asks


def asks_for_something(key: str, value: object) -> bool:
    """Tell whether a part of `text` or `reasoning` asks for something."""
    return value is not None and value != {"format": {"type": "text"}, "verbosity": "medium"}.get(key)


def message_differences(given: JSON, sent: list[JSON]) -> set[str]:
    """Name what changed in the conversation, and check that every text of it arrived."""
    reply = "\n".join(message["content"] for message in sent)
    found: set[str] = set()
    roles: list[str] = []
    for item in conversation_of(given):
        kind = item.get("type", "message")
        texts = texts_of(item)
        assert all(text in reply for text in texts), texts
        if kind in ("reasoning", "web_search_call", "file_search_call"):
            found.add(f"input.{kind}")
            continue
        found |= item_differences(item)
        role = {"developer": "system"}.get(item.get("role", ""), item.get("role"))
        role = role or ("user" if kind.endswith("_output") else "assistant")
        is_joined_call = kind.endswith("_call") and roles[-1:] == ["assistant"]
        if not texts or (role in roles[-1:] and not is_joined_call):
            found.add("input")
        elif not is_joined_call:
            roles.append(role)
    assert [message["role"] for message in sent] == roles
    return found


def conversation_of(given: JSON) -> list[JSON]:
    """Return all items: the instructions, what was before, the input."""
    stored = json.loads(EARLIER)
    before = [*stored["inputs"], *stored["response"]["output"]] if given.get("previous_response_id") else []
    items = given["input"]
    if isinstance(items, str):
        items = [{"role": "user", "content": items}]
    instructions = given.get("instructions")
    first = [{"role": "system", "content": instructions}] if instructions else []
    return [*first, *before, *items]


def item_differences(item: JSON) -> set[str]:
    """Name what changed in an item, its place among the others apart."""
    kind = item.get("type", "message")
    found = {"input.role"} if item.get("role") == "developer" else set[str]()
    if kind != "message":
        found.add("input.function_call")
    parts = item.get("content", item.get("output"))
    if isinstance(parts, list) and (len(parts) > 1 or "text" not in parts[0]):
        found.add("input.content")
    known = {"role", "content", "call_id", "name", "arguments", "input", "output"} | BOOKKEEPING
    return found | {f"input.{key}" for key in item.keys() - known if item[key] not in (None, [], {}, "")}


def texts_of(item: JSON) -> list[str]:
    """Return every text that an item says, and for an image its replacement."""
    content = item.get("content", item.get("output")) or []
    if item.get("type") == "reasoning":
        return []
    parts = [{"text": content}] if isinstance(content, str) else content
    texts = [part.get("text", part.get("refusal", "not sent")) for part in parts]
    return [*texts, *(item[key] for key in ("name", "arguments", "input") if key in item)]


def last_event(body: bytes) -> JSON:
    """Return the data of the last event of a stream."""
    *_, last = body.decode().strip().split("\n\n")
    data: JSON = json.loads(last.partition("data: ")[2])
    return data
