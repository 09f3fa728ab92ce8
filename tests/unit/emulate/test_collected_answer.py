"""What emulation takes from an answer of Tess: its text, root, finish reason, token counts and error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.stream_faults import ERROR_BESIDE_OUTPUT
from tess_openai.core.emulate.collected_answer import NATIVE_CALLS, CollectedAnswer

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
ERROR = {"message": "The model is overloaded.", "code": 529}
DONE = b"data: [DONE]\n\n"


def new_source(notes: list[Change] | None = None) -> CollectedAnswer:
    """Return a source without an answer yet, which records changes in `notes`."""
    kept: list[Change] = [] if notes is None else notes
    reader = ChunkReader("asked-for", lambda: 99, lambda: "made-up", kept.append)
    return CollectedAnswer(
        AnswerBody(reader, AnswerHead(content_type="text/event-stream"), expected="a stream")
    )


def whole(message: dict[str, Any], reason: str | None = "stop", **root: object) -> bytes:
    """Return a whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    fixed = {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return json.dumps({**fixed, **root}).encode()


def event(delta: dict[str, Any], reason: str | None = None, **root: object) -> bytes:
    """Return one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    fixed = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps({**fixed, **root}).encode() + b"\n\n"


def read(source: CollectedAnswer, pieces: Iterable[bytes]) -> list[str]:
    """Feed an answer to a source; return the text that each piece completes."""
    return [source.feed(piece) for piece in pieces]


def test_a_whole_answer_gives_everything_at_once() -> None:
    """The root has none of the fields that only a completion or only its choices have."""
    source = new_source()
    data = whole({"content": "Hi"}, "length", usage=USAGE, system_fingerprint="f")
    assert read(source, [data[:30], data[30:]]) == ["", "Hi"]
    assert source.texts == ["Hi"]
    assert source.root == {"id": "a", "created": 1, "model": "m", "system_fingerprint": "f"}
    assert (source.finish_reason, source.usage, source.fault) == ("length", USAGE, None)
    assert source.ended


def test_a_stream_gives_each_piece_as_it_arrives() -> None:
    """Texts of a known form, which are not parsed, count like the others, with their escapes resolved."""
    source = new_source()
    pieces = [
        event({"role": "assistant", "content": ""}),
        event({"content": "sea"}),
        event({"content": " \n"}) + event({"content": "wind"}),
        event({"content": "\u00e9"}),
        event({"content": "!"}, "content_filter"),
        event({}, usage=USAGE),
        DONE,
    ]
    assert read(source, pieces) == ["", "sea", " \nwind", "\u00e9", "!", "", ""]
    assert "".join(source.texts) == "sea \nwind\u00e9!"
    assert source.root == {"id": "a", "created": 1, "model": "m"}
    assert (source.finish_reason, source.usage, source.fault) == ("content_filter", USAGE, None)
    assert source.ended


def test_the_root_is_that_of_the_first_chunk() -> None:
    """Later chunks may have another identifier, which the caller does not see."""
    source = new_source()
    read(source, [event({"content": "a"}, id="first"), event({"content": "b"}, id="second")])
    assert source.root["id"] == "first"


def test_a_stream_that_ends_without_its_end_gives_a_fault() -> None:
    """The text that arrived is kept, and the fault says that the answer is incomplete."""
    source = new_source()
    assert read(source, [event({"content": "a"}), b""]) == ["a", ""]
    assert source.ended
    assert source.fault is not None
    assert source.finish_reason is None


def test_an_error_instead_of_an_answer_is_the_fault() -> None:
    """It arrives as an event, as a server reports an error after it has sent status 200."""
    source = new_source()
    read(source, [b"data: " + json.dumps({"error": ERROR}).encode() + b"\n\n"])
    assert source.fault is not None
    assert "overloaded" in json.dumps(source.fault.envelope)


def test_an_error_with_text_is_kept_in_the_field_tess() -> None:
    """The answer has text, so the error is reported by a change and not raised."""
    notes: list[Change] = []
    source = new_source(notes)
    assert read(source, [whole({"content": "Hi"}, error=ERROR)]) == ["Hi"]
    assert source.root["tess"] == {"error": ERROR}
    assert "error" not in source.root
    assert notes == [ERROR_BESIDE_OUTPUT]
    source = new_source()
    assert read(source, [event({"content": "Hi"}), event({"content": "!"}, error=ERROR)]) == ["Hi", "!"]
    assert source.root["tess"] == {"error": ERROR}


@pytest.mark.parametrize(
    ("given", "expected", "changes"),
    [
        ("stop", "stop", 0),
        ("function_call", "function_call", 0),
        ("max_tokens", "length", 0),
        ("safety", "content_filter", 0),
        ("exhausted", "stop", 1),
        (None, None, 0),
    ],
)
def test_the_finish_reason_of_a_whole_answer_is_one_of_openai(
    given: str | None, expected: str | None, changes: int
) -> None:
    """A reason that OpenAI does not have is mapped; one that is not known is reported too."""
    notes: list[Change] = []
    source = new_source(notes)
    read(source, [whole({"content": "Hi"}, given)])
    assert source.finish_reason == expected
    assert [note.param for note in notes] == ["finish_reason"] * changes


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_function_calls_of_tess_itself_are_reported(form: str) -> None:
    """Emulation reads the text only, so the caller learns that calls were not read."""
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    notes: list[Change] = []
    source = new_source(notes)
    if form == "whole":
        read(source, [whole({"content": "Hi", "tool_calls": [call]}, "tool_calls")])
    else:
        read(source, [event({"content": "Hi", "tool_calls": [{"index": 0, **call}]})])
    assert source.texts == ["Hi"]
    assert NATIVE_CALLS in notes
