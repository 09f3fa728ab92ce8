"""An answer that was cut and its continuations become the events of one stream."""

from __future__ import annotations

import json
import time
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import Answer
from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.stream_faults import StreamFault
from tess_openai.core.long_answers.answer_layer import with_partial_text
from tess_openai.core.long_answers.joined_answer import JoinedAnswer

JSON: TypeAlias = dict[str, Any]
DONE = b"data: [DONE]\n\n"
CUT = "The quick brown fox jumps over the lazy dog, and then it sle"
TEXT = "The quick brown fox jumps over the lazy dog, and then it "
REST = "over the lazy dog, and then it sleeps."


def new_body() -> AnswerBody:
    """Return the reader of one answer of Tess."""
    reader = ChunkReader("tess-6", lambda: 1, lambda: "x")
    return AnswerBody(reader, AnswerHead(content_type="text/event-stream"), expected="a stream")


def event(content: str | None, reason: str | None = None, **more: object) -> bytes:
    """Return the event of a complete chunk."""
    delta = {} if content is None else {"content": content}
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    root = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return b"data: " + json.dumps({**root, "choices": choices, **more}).encode() + b"\n\n"


def begun(*pieces: bytes, continues: bool = True, prompts: list[str] | None = None) -> JoinedAnswer:
    """Return the stream of a first answer, which begins with a role."""
    answer = JoinedAnswer(new_body(), prompts, continues=continues)
    first = event("").replace(b'"content": ""', b'"role": "assistant", "content": ""')
    for piece in (first, *pieces):
        answer.feed(piece)
    return answer


def continued(answer: JoinedAnswer, *pieces: bytes, prompts: list[str] | None = None) -> None:
    """Continue it with a further answer."""
    answer.continue_with(new_body(), prompts)
    for piece in pieces:
        answer.feed(piece)


def read(answer: JoinedAnswer) -> list[Any]:
    """Return the events that are ready, `[DONE]` as a string."""
    blocks = answer.take_events().decode().split("\n\n")[:-1]
    return [block[6:] if block.endswith("[DONE]") else json.loads(block[6:]) for block in blocks]


def summary(events: list[Any]) -> tuple[str, list[str], list[JSON]]:
    """Return the text, the finish reasons and the usages of events."""
    chunks = [each for each in events if each != "[DONE]"]
    choices = [choice for each in chunks for choice in each["choices"]]
    return (
        "".join(choice["delta"].get("content") or "" for choice in choices),
        [choice["finish_reason"] for choice in choices if choice["finish_reason"]],
        [each["usage"] for each in chunks if each.get("usage")],
    )


def usage(prompt: int, completion: int) -> JSON:
    """Return complete token counts."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def test_an_answer_that_is_not_continued_passes_byte_by_byte() -> None:
    """Only the end is written by the adapter."""
    pieces = [event(text) for text in ("sea", "wind", "sun")] + [event(None, "stop", usage=usage(1, 2))]
    answer = begun(*pieces, DONE, continues=False)
    out = answer.take_events()
    assert out.endswith(b"".join(pieces) + DONE)
    assert (answer.is_over, answer.text, answer.whole_text, answer.cut, answer.fault) == (
        *(True, "seawindsun", "seawindsun"),
        None,
        None,
    )
    assert answer.take_events() == b""


def test_an_answer_that_its_length_cut_is_continued_at_the_end_of_a_word() -> None:
    """The finish reason comes once, and the usage is the sum of both answers."""
    answer = begun(event(CUT[:20]), event(CUT[20:]), event(None, "length", usage=usage(5, 7)), DONE)
    cut = answer.cut
    assert cut is not None
    assert answer.is_cut_by_length
    assert (answer.text, answer.whole_text, answer.is_over) == (TEXT, CUT, False)
    first = read(answer)
    continued(answer, event(REST[:15]), event(REST[15:]), event(None, "stop", usage=usage(9, 4)), DONE)
    assert (answer.is_over, answer.cut, answer.continuations) == (True, None, 1)
    events = [*first, *read(answer)]
    assert summary(events) == (f"{TEXT}sleeps.", ["stop"], [usage(14, 11)])
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    assert {choice["index"] for each in events[:-1] for choice in each["choices"]} == {0}
    assert answer.text == answer.whole_text == f"{TEXT}sleeps."
    assert not answer.is_cut_by_length


def test_an_answer_that_is_not_cut_is_complete_at_once() -> None:
    """Its last word may come together with the finish reason, and its usage comes once, at the end."""
    answer = begun(event("Hello big wor"), event("ld, and more", "stop", usage=usage(1, 2)), DONE)
    events = read(answer)
    assert summary(events) == ("Hello big world, and more", ["stop"], [usage(1, 2)])
    assert events[-2]["choices"] == []
    assert (answer.is_over, answer.continuations, answer.text) == (True, 0, "Hello big world, and more")


def test_an_answer_in_one_piece_becomes_a_stream() -> None:
    """Tess may answer a request for a stream with a whole completion."""
    message = {"index": 0, "message": {"role": "assistant", "content": "Hi there"}, "finish_reason": "stop"}
    answer = JoinedAnswer(new_body(), None, continues=True)
    answer.feed(json.dumps({"choices": [message], "usage": usage(1, 2)}).encode())
    answer.feed(b"")
    assert summary(read(answer)) == ("Hi there", ["stop"], [usage(1, 2)])
    assert answer.is_over


def test_a_chunk_that_lacks_a_field_is_completed_where_nothing_is_continued() -> None:
    """The flow that reads the stream must see the same stream as the caller."""
    answer = begun(event("Hi").replace(b'"object": "chat.completion.chunk", ', b""), continues=False)
    assert {each["object"] for each in read(answer)} == {"chat.completion.chunk"}


def test_usage_that_tess_does_not_give_is_estimated_for_each_request() -> None:
    """Each was paid for: the prompt of each, and the text of each with what it repeats."""
    answer = begun(event("x" * 16 + " "), event(None, "length"), DONE, prompts=["12345678"])
    continued(answer, event("yyyy"), event(None, "stop"), DONE, prompts=["12345678"])
    (counts,) = summary(read(answer))[2]
    assert counts["estimated"] is True
    assert counts["completion_tokens"] == 5 + 1
    unknown = begun(event("x "), event(None, "length"), DONE)
    continued(unknown, event("y"), event(None, "stop"), DONE)
    assert summary(read(unknown))[2] == []


def test_a_stream_that_breaks_is_cut_and_keeps_its_last_word() -> None:
    """The incomplete word is not given to the caller until it is known how the answer continues."""
    answer = begun(event(CUT))
    answer.feed(b"")
    cut = answer.cut
    assert cut is not None
    assert not answer.is_cut_by_length
    assert summary(read(answer))[0] == TEXT
    assert (answer.text, answer.whole_text) == (TEXT, CUT)
    answer.end("length")
    assert summary(read(answer)) == ("sle", ["length"], [])
    assert (answer.cut, answer.is_over, answer.text) == (None, True, CUT)


def test_a_continuation_that_adds_nothing_gives_the_last_word_back() -> None:
    """A further request would add nothing either, so that no other is paid for."""
    answer = begun(event(CUT), event(None, "length"), DONE)
    read(answer)
    grown = [answer.has_grown]
    continued(answer, event(None, "length"), DONE)
    assert [*grown, answer.has_grown] == [True, False]
    assert answer.whole_text == CUT
    answer.end("length")
    assert summary(read(answer)) == ("sle", ["length"], [])
    assert answer.text == CUT


def test_a_stream_that_breaks_after_a_word_gets_its_finish_reason() -> None:
    """Also a second continuation may break, and each is counted."""
    answer = begun(event("Hi "))
    answer.feed(b"")
    continued(answer, event("there, "), b"")
    continued(answer, event("my friend "), b"")
    assert answer.continuations == 2
    read(answer)
    answer.end("length")
    assert summary(read(answer)) == ("", ["length"], [])
    assert answer.text == "Hi there, my friend "


def test_a_continuation_that_begins_another_text_is_cut() -> None:
    """No part of it is given to the caller, since it does not belong to the text so far."""
    before = "".join(f"word{number} " for number in range(60))
    answer = begun(event(before), event(None, "length"), DONE)
    read(answer)
    continued(answer, event(before[:100] + "other words, and then some more of them"))
    assert answer.cut is not None
    assert answer.text == before
    answer.feed(event("late"))
    assert summary(read(answer))[0] == ""


def test_an_error_of_tess_ends_the_stream_as_tess_sent_it() -> None:
    """The flow that reads the stream makes the same error of it; what follows is ignored."""
    error = {"error": {"message": "boom", "code": "x"}}
    answer = begun(event("Hi "), b"data: " + json.dumps(error).encode() + b"\n\n" + event("too late "))
    assert read(answer)[-1] == error
    assert answer.is_over
    assert answer.fault is not None
    assert answer.fault.envelope["error"]["message"] == "boom"


def test_an_error_of_the_adapter_ends_the_stream() -> None:
    """Without another fault it is the one with which the answer was cut."""
    fault = StreamFault({"error": {"message": "no", "code": "c"}})
    answer = begun(event("Hi "))
    read(answer)
    answer.fail(fault)
    assert (answer.fault, read(answer)) == (fault, [fault.envelope])
    cut = begun(event("Hi "))
    cut.feed(b"")
    read(cut)
    was = cut.cut
    cut.fail()
    assert cut.fault is was
    assert read(cut)[0]["error"]["code"] == "stream_truncated"


@pytest.mark.parametrize(
    "choices",
    [
        [{"index": 1, "delta": {"content": "b"}, "finish_reason": None}],
        [{"index": index, "delta": {"content": "b"}, "finish_reason": None} for index in (0, 1)],
        [
            {
                "index": 0,
                "delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]},
                "finish_reason": None,
            }
        ],
        [{"index": 0, "delta": {"refusal": "no"}, "finish_reason": None}],
    ],
    ids=["another choice", "two choices", "a call", "a refusal"],
)
def test_an_answer_of_more_than_one_text_is_not_continued(choices: list[JSON]) -> None:
    """Its chunks pass at once, after the word that was held."""
    answer = begun(event("a wor"), event(None, choices=choices), event("ld"))
    assert not answer.is_single_text
    events = read(answer)
    held = [each["choices"][0]["delta"].get("content") for each in events]
    assert held[1:3] == ["a ", "wor"]
    assert [len(each["choices"]) for each in events][3] == len(choices)
    assert held[4] == "ld"


def test_texts_of_several_choices_do_not_mix() -> None:
    """A chunk that differs from an earlier one in its text only has the choice of that one."""
    choices = [{"index": index, "delta": {"role": "assistant", "content": ""}} for index in (0, 1)]
    other = [event(text).replace(b'"index": 0', b'"index": 1') for text in ("sea", "wind", "sun")]
    answer = begun(event(None, choices=choices), *other, event("rain"))
    texts = [
        (choice["index"], choice["delta"]["content"]) for each in read(answer) for choice in each["choices"]
    ]
    assert [each for each in texts if each[1]] == [(1, "sea"), (1, "wind"), (1, "sun"), (0, "rain")]


@pytest.mark.parametrize(
    ("status", "text", "fault", "error"),
    [
        (502, "Hi", None, {"message": "m", "partial": "Hi"}),
        (400, "Hi", None, {"message": "m", "partial": "Hi"}),
        (502, "Hi", StreamFault({"error": {"message": "f"}}), {"message": "f", "partial": "Hi"}),
        (502, "", None, {"message": "m"}),
        (200, "Hi", None, {"message": "m"}),
    ],
)
def test_an_error_shows_the_text_so_far(
    status: int, text: str, fault: StreamFault | None, error: JSON
) -> None:
    """It was paid for; an answer that is no error is not changed."""
    given = Answer(status, {}, b'{"error": {"message": "m"}}')
    shown = with_partial_text(given, text, fault)
    assert json.loads(shown.body or b"")["error"] == error
    head = Answer(502, {})
    assert with_partial_text(head, "Hi") is head


@pytest.mark.parametrize("continues", [False, True])
def test_each_event_of_an_answer_is_added_at_its_end_once(*, continues: bool) -> None:
    """Neither the text so far nor the events that are ready are copied again with each piece."""
    events = event("x" * 63 + " ") * 30_000
    answer, began = begun(continues=continues), time.process_time()
    answer.feed(events)
    for _ in range(2000):
        answer.feed(event("y" * 63 + " "))
    assert time.process_time() - began < 6
    assert len(answer.text) == 32_000 * 64
