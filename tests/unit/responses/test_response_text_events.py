"""Chunks that differ in their text only are translated without being parsed, to the same events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.responses.driven import drive

TEXTS = ["a", ' "quoted" \\ /', "\u00e9 \U0001f600", "\n\t\x7f", "", "b"]
BODIES: dict[str, dict[str, Any]] = {
    "/responses": {"model": "tess-6", "input": "Hello", "stream": True},
    "/completions": {"model": "tess-6", "prompt": "Hello", "stream": True},
}


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    """Return a complete chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return {**head, "choices": [choice]}


def stream(extra: dict[str, Any], *, alike: bool, ascii_only: bool = True) -> list[bytes]:
    """Return the events of a stream, whose chunks are written in one way or in two."""
    deltas = [{"role": "assistant", "content": ""}, *({"content": text, **extra} for text in TEXTS)]
    chunks = [*map(chunk, deltas), chunk({}, "stop")]
    ways: list[Any] = [(", ", ": "), (", ", ": ") if alike else (",", ":")]
    return [
        b"data: " + json.dumps(each, separators=ways[at % 2], ensure_ascii=ascii_only).encode() + b"\n\n"
        for at, each in enumerate(chunks)
    ] + [b"data: [DONE]\n\n"]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("extra", [{}, {"refusal": "No"}, {"tool_calls": []}], ids=str)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_alike_chunks_are_translated_like_others(
    path: str, extra: dict[str, Any], *, ascii_only: bool
) -> None:
    """Chunks that match the template give the same events as parsed ones, one by one or many in a piece."""
    pieces = stream(extra, alike=True, ascii_only=ascii_only)
    expected = drive(BODIES[path], stream(extra, alike=False), path=path)
    one_by_one = drive(BODIES[path], pieces, path=path)
    together = drive(BODIES[path], [b"".join(pieces[:2]), b"".join(pieces[2:-2]), *pieces[-2:]], path=path)
    assert [json.loads(line[6:]) for line in one_by_one.body.split(b"\n") if line[:7] == b"data: {"] == [
        json.loads(line[6:]) for line in expected.body.split(b"\n") if line[:7] == b"data: {"
    ]
    assert together.body == one_by_one.body
    assert b"quoted" in expected.body
