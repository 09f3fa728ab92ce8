"""Chunks with halves of characters, with calls, and with errors beside a text."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.chunks import ChunkReader, StreamEnd
from tess_openai.core.chat.stream_faults import ERROR_BESIDE_OUTPUT, StreamFault
from tests.unit.chat.chunk_events import FULL, choice, chunk_of, error_of, event, reader

JSON: TypeAlias = dict[str, Any]


def text_of(content: str, index: object = 0, reason: str | None = None) -> JSON:
    """Return one choice of a chunk with a text."""
    return {"index": index, "delta": {"content": content}, "finish_reason": reason}


@pytest.mark.parametrize(
    ("choices", "texts"),
    [
        pytest.param([[text_of("a\ud83d")], [text_of("\ude42b")]], [["a"], ["🙂b"]], id="two chunks"),
        pytest.param([[text_of("a\ud83d")], [text_of("", 0, "stop")]], [["a"], ["\ufffd"]], id="the end"),
        pytest.param([[text_of("a\ud83d", 0, "stop")]], [["a\ufffd"]], id="the text and the end at once"),
        pytest.param(
            [[text_of("\ud83d", 1)], [text_of("\ude42", 0), text_of("\ude42", 1)]],
            [[""], ["\ufffd", "🙂"]],
            id="the choice is found by its index",
        ),
        pytest.param(
            [[text_of("\ud83d", "1")], [text_of("a", None), text_of("\ude42", None)]],
            [[""], ["a", "🙂"]],
            id="indices of other types",
        ),
    ],
)
def test_a_character_that_is_split_between_chunks_is_joined(
    choices: list[list[JSON]], texts: list[list[str]]
) -> None:
    """Chunks with a half of it are encoded again, since no program can print their own bytes."""
    of = reader()
    chunks = [chunk_of({**FULL, "choices": each}, of) for each in choices]
    assert [[each["delta"]["content"] for each in chunk.fields["choices"]] for chunk in chunks] == texts
    assert not any(chunk.untouched for chunk in chunks)


def test_half_a_character_holds_up_only_its_own_choice() -> None:
    """Complete chunks of another choice pass as they are, and the end without a reason replaces the half."""
    of = reader()
    chunk_of({**FULL, "choices": [text_of("a"), text_of("b\ud83d", 1)]}, of)
    assert chunk_of({**FULL, "choices": [text_of("c")]}, of).untouched
    assert chunk_of({**FULL, "choices": [text_of("", 0, "stop")]}, of).untouched
    closing = of.closing_chunk()
    assert closing is not None
    assert closing["choices"] == [{"index": 1, "delta": {"content": "\ufffd"}, "finish_reason": "stop"}]


def test_half_a_character_outside_of_the_text_is_replaced() -> None:
    """Fields of Tess's own are printed and saved too."""
    given = choice(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason=None, extra="\ud83d")
    chunk = chunk_of({**given, "note": "a\ud83d"})
    assert chunk.fields["note"] == "a\ufffd"
    assert chunk.fields["choices"][0]["extra"] == "\ufffd"
    assert not chunk.untouched


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("delta", "is_untouched"),
    [
        ({"tool_calls": [{"index": 0, **CALL}]}, True),
        ({"tool_calls": [CALL]}, False),
        ({"function_call": {"name": "f", "arguments": "{}"}}, True),
        ({"function_call": {"name": "f", "arguments": {}}}, False),
    ],
)
def test_a_chunk_with_calls_is_untouched_only_if_they_are_complete(
    *, delta: JSON, is_untouched: bool
) -> None:
    """The bytes of Tess must not pass if the index of a call was added."""
    given = choice(index=0, delta={"role": "assistant", **delta}, finish_reason=None)
    assert chunk_of(given).untouched is is_untouched


def test_the_calls_of_each_choice_are_counted_separately() -> None:
    """The first call of each choice has the index 0."""
    choices = [{"delta": {"tool_calls": [{**CALL, "id": call_id}]}} for call_id in ("a", "b")]
    chunk = chunk_of({**FULL, "choices": choices})
    indices = [each["delta"]["tool_calls"][0]["index"] for each in chunk.fields["choices"]]
    assert indices == [0, 0]


@pytest.mark.parametrize(
    ("fields", "params"),
    [
        pytest.param(choice(index=0, delta={"content": [{"type": "image_url"}]}), ["content"], id="a part"),
        pytest.param(choice(index=0, delta={}, logprobs=7), ["logprobs"], id="log probabilities"),
        pytest.param({**FULL, "service_tier": "gold"}, ["service_tier"], id="a tier"),
        pytest.param(choice(index=0, delta={}, finish_reason="odd"), ["finish_reason"], id="a finish reason"),
        pytest.param({"status": "completed", "output": "Hi"}, [], id="the end of an execution"),
    ],
)
def test_a_part_of_a_chunk_that_is_left_out_is_recorded(fields: JSON, params: list[str]) -> None:
    """Nothing that Tess sent disappears from the ledger."""
    notes: list[Change] = []
    chunk_of(fields, ChunkReader("asked-for", lambda: 99, lambda: "made-up", notes.append))
    assert [note.param for note in notes] == params


def test_a_message_alone_is_an_error_only_if_no_text_follows() -> None:
    """A server may report its progress in that form before the answer."""
    progress = event({"message": "Searching"})
    of = reader()
    assert of.read(progress) is None
    fault = of.read(event("[DONE]"))
    assert isinstance(fault, StreamFault)
    assert fault.envelope["error"]["message"] == "Searching"
    assert of.end_fault() is fault
    chunk_of(FULL, of)
    assert isinstance(of.read(event("[DONE]")), StreamEnd)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [("bye", "", StreamEnd), ("[]", "", StreamEnd), ("bye", "error", StreamFault)],
)
def test_data_after_a_complete_answer_is_ignored_unless_it_is_an_error(
    data: str, name: str, expected: type
) -> None:
    """Before the end of the answer the same data is an error."""
    of = reader()
    chunk_of(choice(index=0, delta={"content": "Hi"}, finish_reason="stop"), of)
    assert isinstance(of.read(event(data, name)), expected)
    assert isinstance(reader().read(event(data, name)), StreamFault)


@pytest.mark.parametrize("key", ["delta", "message"])
def test_an_error_together_with_a_text_does_not_drop_the_text(key: str) -> None:
    """The text was paid for; the error is moved to a field for which the SDK does not raise."""
    notes: list[Change] = []
    of = ChunkReader("asked-for", lambda: 99, lambda: "made-up", notes.append)
    chunk = chunk_of({**FULL, "error": "boom", "choices": [{"index": 0, key: {"content": "Hi"}}]}, of)
    assert chunk.fields["choices"][0]["delta"]["content"] == "Hi"
    assert "error" not in chunk.fields
    assert chunk.fields["tess"] == {"error": "boom"}
    assert not chunk.untouched
    assert notes == [ERROR_BESIDE_OUTPUT]


def test_an_error_event_with_a_text_is_an_error() -> None:
    """An event that is named an error, or whose finish reason is one, ends the stream in any case."""
    failed = choice(index=0, delta={"content": "Hi"}, finish_reason="error")
    assert error_of({**failed, "error": "boom"})["code"] == "stream_error"
    assert error_of({**FULL, "message": "boom"}, "error")["message"] == "boom"


def test_a_chunk_that_cannot_be_read_is_an_error_that_names_the_part() -> None:
    """The error contains what Tess sent, for the user to report it."""
    error = error_of({**FULL, "choices": [7]})
    assert "choices[0] is 7" in error["message"]
    assert (error["code"], error["tess"]) == ("invalid_answer", {**FULL, "choices": [7]})


@pytest.mark.parametrize("reason", ["stop", None])
def test_a_text_that_ends_inside_a_character_is_output(reason: str | None) -> None:
    """The caller gets a replacement, so the warning that there is no text would be wrong."""
    of = reader()
    chunk_of({**FULL, "choices": [text_of("\ud83d")]}, of)
    assert not of.has_output
    if reason is None:
        of.closing_chunk()
    else:
        chunk_of({**FULL, "choices": [text_of("", 0, reason)]}, of)
    assert of.has_output
