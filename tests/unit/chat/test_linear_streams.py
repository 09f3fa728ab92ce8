"""No stream of a server, however ill-meant, takes more time or gives more bytes than in proportion to it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest

from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.stream_filter import ChunkWriter, StreamFilter
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy

JSON: TypeAlias = dict[str, Any]
MANY = 12_000


def event(**fields: object) -> bytes:
    """Return an event of a stream."""
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def of_choice(index: int = 0, reason: str | None = None, **delta: object) -> JSON:
    """Return a choice of a chunk."""
    return {"index": index, "delta": delta, "finish_reason": reason}


def call(arguments: str, **fields: object) -> bytes:
    """Return the delta of a call."""
    given = {**fields, "function": {"name": "f", "arguments": arguments}}
    return event(choices=[of_choice(tool_calls=[given])])


def half(name: str) -> bytes:
    """Return a delta with a text that ends in half a character."""
    return event(choices=[{"index": 0, "delta": {name: "\ud83d"}}])


PING = b": \n\n"
OTHER_STOP = event(choices=[of_choice(1, "stop")])
STREAMS: dict[str, Sequence[bytes]] = {
    "one index, many ids": [call('{"' + "a" * 50, index=0, id=str(each)) for each in range(MANY)],
    "neither index nor id": [call('{"' + "a" * 50) for _ in range(MANY)],
    "arguments that seem to end": [
        call('{"' + "a" * 50 + "}", index=0, id=str(each)) for each in range(MANY)
    ],
    "many calls": [call("{}", id=str(each)) for each in range(MANY)],
    "many counts": [event(choices=[], usage={str(each): 1}) for each in range(MANY)],
    "many finish reasons": [event(choices=[of_choice(reason=f"r{each}")]) for each in range(MANY)],
    "many choices": [
        event(choices=[of_choice(index, "stop") for index in range(10 * MANY)]),
        *[PING] * MANY,
    ],
    "many halves": [*(half(str(each)) for each in range(MANY)), *[OTHER_STOP] * MANY],
}


def new_stream() -> StreamFilter:
    """Return what converts a stream."""
    ledger = Ledger(Policy())
    reader = ChunkReader("asked-for", lambda: 9, lambda: "made-up", ledger.add_once)
    body = AnswerBody(reader, AnswerHead(), expected="a stream")
    return StreamFilter(body, ChunkWriter(reader, ledger, include_usage=False, estimate_for=None), ledger)


@pytest.mark.parametrize("pieces", STREAMS.values(), ids=STREAMS)
def test_each_piece_of_a_stream_is_read_once(pieces: Sequence[bytes]) -> None:
    """The chunks before it are not parsed, searched or copied again with each piece."""
    stream, began = new_stream(), time.process_time()
    for piece in pieces:
        assert not stream.body.ended
        stream.feed(piece)
        assert stream.body.is_complete in (True, False)
    assert time.process_time() - began < 6


@pytest.mark.parametrize("name", ["id", "model"])
def test_a_long_field_of_one_chunk_is_not_repeated_in_all(name: str) -> None:
    """Chunks without an id and a model get those of an earlier one only if they are short."""
    stream = new_stream()
    size = len(stream.feed(event(choices=[of_choice(content="a")], **{name: "x" * 100_000})))
    for _ in range(1000):
        size += len(stream.feed(event(choices=[of_choice(content="a")])))
    assert size < 500_000
    stream = new_stream()
    stream.feed(event(choices=[of_choice(content="a")], **{name: "x" * 2000}))
    assert b"x" * 2000 in stream.feed(event(choices=[of_choice(content="a")]))
    stream = new_stream()
    stream.feed(event(choices=[of_choice(content="a")], **{name: "x" * 2001}))
    assert b"x" * 2001 not in stream.feed(event(choices=[of_choice(content="a")]))


def test_a_long_count_of_one_chunk_is_not_repeated_in_all() -> None:
    """Counts that arrive in parts are put together only as far as they are short."""
    stream = new_stream()
    for part in ({"prompt_tokens": 3}, {"more": "x" * 100_000}, {"completion_tokens": 4}, {"cost": 1}):
        stream.feed(event(choices=[], usage=part))
    assert stream.body.reader.usage == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
        "cost": 1,
    }
