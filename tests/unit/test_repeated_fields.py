"""A long field of one chunk of Tess is passed on once, and not with every chunk that follows."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import Call, StoreResult
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tests.flows import TessAnswer, carry_call

JSON: TypeAlias = dict[str, Any]
CALLS: dict[str, JSON] = {
    "/completions": {"prompt": "Hi"},
    "/chat/completions": {"messages": [{"role": "user", "content": "Hi"}], "stop": ["END"]},
}


def event(**fields: object) -> bytes:
    """Return an event of a stream with a text."""
    choice = {"index": 0, "delta": {"content": "a "}, "finish_reason": None}
    return b"data: " + json.dumps({"choices": [choice], **fields}).encode() + b"\n\n"


@pytest.mark.parametrize("path", CALLS)
def test_a_long_field_is_passed_on_once_and_a_short_one_with_each_chunk(path: str) -> None:
    """A few bytes of a hostile server do not become a chunk of a hundred kilobytes."""
    given = {"model": "tess-6", "stream": True, **CALLS[path]}
    call = Call(
        "POST", path, {}, json.dumps(given).encode(), 0, lambda: 9, lambda: f"{0x123456789:032x}", agent="42"
    )
    first = event(sources="x" * 100_000, region="eu-west")
    answer = TessAnswer(
        200, {"content-type": "text/event-stream"}, [first, *[event()] * 100, b"data: [DONE]\n\n"]
    )
    options = Options(policy=Policy("emulate"))
    carried = carry_call(call, options, tess=lambda _: answer, store=lambda _: StoreResult())
    assert carried.body.count(b"x" * 100_000) == 1
    assert len(carried.body) < 200_000
    assert carried.body.count(b"eu-west") > 100
