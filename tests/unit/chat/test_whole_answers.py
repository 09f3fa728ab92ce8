"""Whole answers in odd forms: their calls, their conversion to chunks, and what is joined of a stream."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.chunk_templates import MatchedChunks
from tess_openai.core.chat.chunks import ChunkReader, StreamEnd
from tess_openai.core.chat.completion import completion_of_items, from_chunks, parse_completion, to_chunks
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy
from tests.unit.chat.completions import CALLS, FULL, choice, completed, reader

JSON: TypeAlias = dict[str, Any]


@pytest.mark.parametrize(
    ("message", "is_untouched"),
    [
        pytest.param({"content": None, "tool_calls": CALLS}, True, id="right calls"),
        pytest.param({"content": None, "tool_calls": CALLS[0]}, False, id="a call without a list"),
        pytest.param({"content": None, "tool_calls": [{"name": "f"}]}, False, id="a flat call"),
        pytest.param({"content": ["H", "i"], "tool_calls": CALLS}, False, id="right calls and content parts"),
        pytest.param({"content": "\ud83d"}, False, id="half a character"),
        pytest.param({"content": "🙂"}, True, id="a whole one"),
    ],
)
def test_only_an_answer_that_was_read_as_it_is_may_pass_unchanged(
    *, message: JSON, is_untouched: bool
) -> None:
    """The caller must get what the ledger describes."""
    body = json.dumps({"choices": [{"message": message}]}).encode()
    completion = parse_completion(body, None, lambda _: None)
    assert completion is not None
    assert completion.untouched is is_untouched
    assert (completion.fields == json.loads(body)) is is_untouched


def test_an_answer_that_was_parsed_before_is_not_parsed_again() -> None:
    """The object that the body holds is completed itself."""
    fields: JSON = {"choices": [{"message": {"content": "Hi"}}]}
    completion = parse_completion(b"not looked at", fields, lambda _: None)
    assert completion is not None
    assert completion.fields is fields


@pytest.mark.parametrize(
    ("message", "completed_message"),
    [
        pytest.param(
            {"tool_calls": [{"function": {"name": "f"}}]},
            {"tool_calls": [{**CALLS[0], "id": "call_made-up"}]},
            id="a call",
        ),
        pytest.param(
            {"function_call": {"name": "f"}},
            {"function_call": {"name": "f", "arguments": "{}"}},
            id="an older call",
        ),
    ],
)
def test_the_calls_of_a_whole_answer_are_completed(message: JSON, completed_message: JSON) -> None:
    """Programs run each call by its id, its name and its arguments."""
    given = {"role": "assistant", "content": None, **message}
    fields, changed = completed(choice(index=0, message=given, finish_reason="tool_calls"))
    assert changed
    assert fields["choices"][0]["message"] == {"role": "assistant", "content": None, **completed_message}


def test_a_call_without_a_name_is_refused_by_its_place() -> None:
    """The error says which choice of the answer has it."""
    choices = [*FULL["choices"], {"message": {"role": "assistant", "tool_calls": [{"id": "a"}]}}]
    with pytest.raises(
        InvalidAnswerError, match=r"^choices\[1\]\.message\.tool_calls: a call without a name$"
    ):
        completed({**FULL, "choices": choices})


def test_what_is_left_out_of_a_whole_answer_is_recorded() -> None:
    """Nothing that Tess sent disappears from the ledger."""
    ledger = Ledger(Policy())
    message = {"role": "assistant", "content": ["Hi", {"type": "image"}], "annotations": 7}
    given = {"index": 0, "message": message, "finish_reason": "odd", "logprobs": 7}
    completed({**choice(**given), "service_tier": "gold"}, ledger)
    assert {change.param for change in ledger.changes} == {
        *("content", "annotations", "finish_reason", "logprobs", "service_tier")
    }


def test_a_whole_answer_becomes_chunks_under_its_own_indices() -> None:
    """The usage comes once, in a chunk without choices, and a missing finish reason means the end."""
    choices: list[JSON] = [{"index": "2", "message": {"content": "b"}}, {"message": {"content": "c"}}]
    notes: list[Change] = []
    of = ChunkReader("asked-for", lambda: 99, lambda: "made-up", notes.append)
    chunks = to_chunks({**FULL, "choices": choices}, of)
    assert not any(chunk.untouched for chunk in chunks)
    assert [chunk.fields.get("usage") for chunk in chunks] == [None, None, FULL["usage"]]
    assert chunks[0].fields["choices"] == [
        {"index": 2, "delta": {"role": "assistant", "content": "b"}, "finish_reason": None},
        {"index": 1, "delta": {"role": "assistant", "content": "c"}, "finish_reason": None},
    ]
    assert chunks[1].fields["choices"] == [
        {"index": 2, "delta": {}, "finish_reason": "stop"},
        {"index": 1, "delta": {}, "finish_reason": "stop"},
    ]
    assert notes == []


def test_what_each_delta_repeats_is_not_joined() -> None:
    """An id, a type or a role that comes twice is one, and of other values the last counts."""
    first: JSON = {"role": "assistant", "x": 1, "tool_calls": [{"index": 0, **CALLS[0]}]}
    repeated: JSON = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": " "}}
    deltas = [first, {"role": "assistant", "x": 2, "tool_calls": [repeated]}, {"x": 3}]
    reasons = ["tool_calls", None, None]
    joined = from_chunks(
        [
            {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
            for delta, reason in zip(deltas, reasons, strict=True)
        ]
    )
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{} "}}
    assert joined["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "x": 3, "tool_calls": [call]},
            "finish_reason": "tool_calls",
        }
    ]


@pytest.mark.parametrize(
    ("delta", "content"),
    [
        ({}, ""),
        ({"refusal": "no"}, ""),
        ({"function_call": {"name": "f", "arguments": "{}"}}, None),
        ({"content": "Hi", "tool_calls": [{"index": 0, **CALLS[0]}]}, "Hi"),
    ],
)
def test_a_message_has_a_text_unless_it_has_calls(delta: JSON, content: str | None) -> None:
    """Programs join texts without looking, and take null as a sign of calls."""
    joined = from_chunks([{"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}])
    assert joined["choices"][0]["message"]["content"] == content


def test_the_items_of_a_stream_are_joined_to_one_answer() -> None:
    """Texts that were not parsed count as their chunks would, and the missing end is added."""
    of = reader()
    first = of.normalise({"choices": [{"index": 1, "delta": {"content": "a"}}]})
    items = [first, MatchedChunks([b"b", b'\\"'], b"", 1), StreamEnd()]
    joined = completion_of_items(items, of)
    assert joined["choices"] == [
        {"index": 1, "message": {"role": "assistant", "content": 'ab"'}, "finish_reason": "stop"}
    ]
    assert completion_of_items([StreamEnd()], reader())["choices"] == [
        {"index": 0, "message": {"content": "", "role": "assistant"}, "finish_reason": "stop"}
    ]
