"""A completion is converted to chunks, and chunks are joined to a completion."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

from tess_openai.core.chat.completion import (
    from_chunks,
    to_chunks,
)
from tests.unit.chat.completions import CALLS, FULL, reader

JSON: TypeAlias = dict[str, Any]


def test_a_completion_becomes_chunks_and_again_a_completion() -> None:
    """The text, finish reason, usage and Tess's own fields survive both conversions."""
    given = {**FULL, "root_id": 3}
    chunks = [each.fields for each in to_chunks(copy.deepcopy(given), reader())]
    assert [each["object"] for each in chunks] == ["chat.completion.chunk"] * 3
    assert [each["id"] for each in chunks] == ["chatcmpl-7"] * 3
    assert chunks[0]["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}
    ]
    assert chunks[1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert chunks[2]["choices"] == []
    assert from_chunks(chunks) == given


def test_calls_get_an_index_in_chunks() -> None:
    """The SDK joins them by it."""
    given = {"choices": [{"message": {"tool_calls": [*CALLS, {}]}, "finish_reason": "tool_calls"}]}
    reply, ended = (each.fields for each in to_chunks(given, reader()))
    assert reply["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, **CALLS[0]},
        {"index": 1, "id": "call_made-up", "type": "function"},
    ]
    assert ended["choices"][0]["finish_reason"] == "tool_calls"


def test_pieces_are_joined_by_choice() -> None:
    """Chunks of several choices may arrive in any order."""
    of = reader()
    pieces: list[JSON] = [
        {"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}]},
        {"choices": [{"index": 0, "delta": {"content": None}, "finish_reason": "length"}], "model": "m"},
        {"choices": [{"index": 1, "delta": {"content": "c"}}], "usage": FULL["usage"]},
    ]
    joined = from_chunks([of.normalise(piece).fields for piece in pieces])
    assert joined["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "length"},
        {"index": 1, "message": {"role": "assistant", "content": "bc"}, "finish_reason": None},
    ]
    assert (joined["object"], joined["usage"]) == ("chat.completion", FULL["usage"])


def test_all_that_a_stream_sent_is_joined() -> None:
    """Calls, refusals and further fields are joined as the text is."""
    pieces: list[JSON] = [
        {"role": "assistant", "content": None, "reasoning_content": "Let me "},
        {"reasoning_content": "see.", "refusal": "I "},
        {"refusal": "cannot.", "annotations": [{"url": "a"}]},
        {"tool_calls": [{"index": 1, "id": "d", "type": "function", "function": {"name": "g"}}]},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ": 1}"}}]},
        {"annotations": [{"url": "b"}]},
    ]
    of = reader()
    chunks = [of.normalise({"choices": [{"index": 0, "delta": each}]}).fields for each in pieces]
    assert from_chunks(chunks)["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "Let me see.",
        "refusal": "I cannot.",
        "annotations": [{"url": "a"}, {"url": "b"}],
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "d", "type": "function", "function": {"name": "g"}},
        ],
    }
