"""A whole answer, and how tests complete it with values that are known."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.completion import normalise_completion
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy

JSON: TypeAlias = dict[str, Any]

FULL: JSON = {
    "id": "chatcmpl-7",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "tess-6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def completed(
    given: JSON, ledger: Ledger | None = None, prompts: list[str] | None = None
) -> tuple[JSON, bool]:
    """Complete a copy."""
    fields = copy.deepcopy(given)
    changed = normalise_completion(
        fields,
        model="asked-for",
        now=lambda: 99,
        new_id=lambda: "made-up",
        ledger=Ledger(Policy()) if ledger is None else ledger,
        estimate_for=prompts,
    )
    return fields, changed


def choice(**fields: object) -> JSON:
    """Return a full completion with another choice."""
    return {**FULL, "choices": [fields]}


def reader() -> ChunkReader:
    """Build a reader whose made-up values are known."""
    return ChunkReader("asked-for", lambda: 99, lambda: "made-up")
