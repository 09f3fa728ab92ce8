"""The body of an answer, piece by piece: its form, where it is complete, and what of it cannot be read."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import READ, READ_LAST
from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead, read_answer_piece, to_stream_items
from tess_openai.core.chat.chunk_templates import MatchedChunks
from tess_openai.core.chat.chunks import Chunk, ChunkReader, StreamEnd
from tess_openai.core.chat.completion import Completion
from tess_openai.core.chat.stream_faults import StreamFault

JSON: TypeAlias = dict[str, Any]
DONE = b"data: [DONE]\n\n"


def new_body(notes: list[Change] | None = None) -> AnswerBody:
    """Return the reader of a body, which records changes in `notes`."""
    kept: list[Change] = [] if notes is None else notes
    reader = ChunkReader("asked-for", lambda: 99, lambda: "made-up", kept.append)
    return AnswerBody(reader, AnswerHead(content_type="application/json"), expected="a completion")


def whole(**message: object) -> bytes:
    """Return a whole answer with a message."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


def event(text: str, reason: str | None = None, **delta: object) -> bytes:
    """Return the event of a complete chunk."""
    choice = {"index": 0, "delta": {"content": text, **delta}, "finish_reason": reason}
    root = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(root).encode() + b"\n\n"


def test_a_whole_answer_is_given_as_soon_as_it_is_complete() -> None:
    """A connection that stays open after the last byte holds up nothing."""
    body, data = new_body(), whole(content="Hi")
    assert list(body.feed(data[:20])) == []
    (item,) = body.feed(data[20:])
    assert isinstance(item, Completion)
    assert (item.body, item.untouched, body.ended, body.is_complete) == (data, True, True, True)


@pytest.mark.parametrize("filler", [b" ", b"\n", b"\0", b"\xef\xbb\xbf"])
def test_the_form_of_a_body_is_detected_in_linear_time(filler: bytes) -> None:
    """What a server sends before an answer is looked at once, however many pieces follow."""
    body, began = new_body(), time.process_time()
    for _ in range(4096):
        assert list(body.feed(filler * 4096)) == []
    assert time.process_time() - began < 5


@pytest.mark.parametrize("cut", [b"data", b"ev", b"Er"])
def test_a_body_that_ends_in_its_first_line_is_judged_by_all_of_it(cut: bytes) -> None:
    """The end of a stream is missing, or the body is none; the pieces in which it came do not matter."""
    faults: list[object] = []
    for size in (1, len(cut)):
        reader = ChunkReader("asked-for", lambda: 99, lambda: "made-up", list[Change]().append)
        body = AnswerBody(reader, AnswerHead(content_type="text/event-stream"), expected="a stream")
        for at in range(0, len(cut), size):
            assert list(body.feed(cut[at : at + size])) == []
        faults.append((body.form, *body.finish()))
    assert faults[0] == faults[1]


def test_texts_of_a_known_form_are_not_parsed() -> None:
    """Most events of a stream differ in their text only."""
    body = new_body()
    first = [*body.feed(event("", role="assistant")), *body.feed(event("sea"))]
    assert [type(item) for item in first] == [Chunk, Chunk]
    data = event("wind") + event("sun")
    assert list(body.feed(data)) == [MatchedChunks([b"wind", b"sun"], data, 0)]
    assert [type(item) for item in body.feed(event("", "stop") + DONE)] == [Chunk, StreamEnd]
    assert body.ended


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ({"tool_calls": [7]}, "message.tool_calls[0] is 7"),
        ({"tool_calls": [{"function": {"name": 7}}]}, "message.tool_calls[0].function.name is 7"),
    ],
)
def test_a_whole_answer_that_cannot_be_read_is_an_error_that_names_the_part(message: JSON, part: str) -> None:
    """The error contains what Tess sent, for the user to report it."""
    data = whole(**message)
    (item,) = new_body().feed(data)
    assert isinstance(item, StreamFault)
    error = item.envelope["error"]
    assert error["message"].endswith(part)
    assert (error["code"], error["tess"]) == ("invalid_answer", json.loads(data))


def test_a_whole_answer_that_cannot_be_streamed_is_an_error_that_names_the_part() -> None:
    """The older form of a call is read only where the answer is converted to chunks."""
    body = new_body()
    (item,) = body.feed(whole(content="Hi", function_call=7))
    assert isinstance(item, Completion)
    (fault,) = to_stream_items(item, body.reader)
    assert isinstance(fault, StreamFault)
    error = fault.envelope["error"]
    assert error["message"].endswith("function_call is 7")
    assert error["tess"]["choices"][0]["message"]["function_call"] == 7


def test_a_part_of_a_whole_answer_that_is_left_out_is_recorded() -> None:
    """An image in the content has no place in OpenAI's messages."""
    notes: list[Change] = []
    (item,) = new_body(notes).feed(whole(content=[{"type": "image"}, "Hi"]))
    assert isinstance(item, Completion)
    assert [note.param for note in notes] == ["content"]


def test_a_connection_that_breaks_after_the_answer_is_its_end() -> None:
    """Before that the caller gets the error of the connection."""
    body = new_body()
    list(body.feed(event("Hi")))
    reading = read_answer_piece(body)
    assert next(reading) == READ
    with pytest.raises(ConnectionError):
        reading.throw(ConnectionError())
    list(body.feed(event("", "stop")))
    reading = read_answer_piece(body)
    assert next(reading) == READ_LAST
    with pytest.raises(StopIteration) as caught:
        reading.throw(ConnectionError())
    assert caught.value.value == b""


def test_whole_events_of_a_known_form_give_their_texts() -> None:
    """Before that, inside of an event, and after the end, the bytes are for `feed`."""
    body, data = new_body(), event("wind") + event("sun")
    assert body.texts_of(data) is None
    list(body.feed(event("", role="assistant") + event("sea")))
    assert body.texts_of(data) == [b"wind", b"sun"]
    assert body.texts_of(event("", "stop")) is None
    list(body.feed(event("rain")[:20]))
    assert body.texts_of(data) is None
    list(body.feed(event("rain")[20:]))
    assert body.texts_of(data) == [b"wind", b"sun"]
    list(body.feed(DONE))
    assert body.texts_of(data) is None


def test_only_events_that_match_no_earlier_one_are_parsed() -> None:
    """Those before and behind them in the same piece are recognised by their bytes."""
    body = new_body()
    first = b"".join([event("", role="assistant"), event("sea"), event("wind"), event("sun")])
    kinds = [type(item) for item in body.feed(first)]
    assert kinds == [Chunk, Chunk, MatchedChunks, MatchedChunks]
    last = b"".join([event("rain"), b": ping\n\n", event("", "stop"), event("late"), DONE, event("later")])
    items = list(body.feed(last))
    assert [type(item) for item in items] == [MatchedChunks, Chunk, Chunk, StreamEnd]
    assert items[0] == MatchedChunks([b"rain"], event("rain"), 0)


@pytest.mark.parametrize("before", [b"", b": comment\n\n", b"odd\n\n"])
def test_a_stream_is_not_kept_in_memory(before: bytes) -> None:
    """Only the bytes of an answer in JSON are kept, to parse them together."""
    body = new_body()
    list(body.feed(before + event("", role="assistant") + event("sea")))
    text = "x" * 1000
    tracemalloc.start()
    try:
        for _ in range(500):
            list(body.feed(event(text)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100_000
