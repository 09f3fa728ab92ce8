"""What real clients send to the Responses API reaches a strict Tess, and the SDK's model comes back.

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
    """200 from the strict simulator, and a response without a hole; the caller's body is not changed."""
    before = json.dumps(body)
    carried = carry("POST", "/responses", body)
    assert json.dumps(body) == before
    assert carried.status == 200, carried.body
    fields = last_event(carried.body)["response"] if body.get("stream") else json.loads(carried.body)
    response = to_model(fields)
    assert response.status == "completed"
    assert "received" in response.output_text


def to_model(fields: JSON) -> Response:
    """Return the SDK's model; openai 1, which does not know newer tools, makes it without validation."""
    if int(openai.VERSION.partition(".")[0]) >= 2:
        return Response.model_validate(fields)
    return Response.construct(**fields)


@pytest.mark.parametrize("body", PROMPTS)
def test_a_prompt_is_accepted(body: JSON, carry: Callable[..., Any]) -> None:
    """200 from the strict simulator and a choice for each prompt; tokens are refused by name."""
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


def last_event(body: bytes) -> JSON:
    """Return the data of the last event of a stream."""
    *_, last = body.decode().strip().split("\n\n")
    data: JSON = json.loads(last.partition("data: ")[2])
    return data
