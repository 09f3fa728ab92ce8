"""What holds for every output of a model, every cut of it, and every text of a user or a tool."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tess_openai.core.emulate.answer_parser import AnswerParser
from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.marks import MarkKind, Marks, escape, restore
from tess_openai.core.emulate.outcomes import AskAgain, FailedOutcome, Outcome, TextOutcome, ToolCallOutcome

NONCE = "tokibanuve"
MARKS = Marks(NONCE)
FRAGMENTS = [
    *(
        "<",
        ">",
        "</",
        "<~",
        "<~~",
        "~",
        " ",
        "\n",
        "\n\n",
        "`",
        "```",
        "```json\n",
        "\n```",
        "{",
        "}",
        "[",
        "]",
    ),
    *("<call", "call", ":", NONCE, NONCE.upper(), "tool_call", "result", "<call:", "</call:", "s", "_", "/"),
    *(
        "<call>",
        "</call>",
        "<tool_call>",
        "</tool_call>",
        "< call",
        "<call:wrong1>",
        "</call:wrong1>",
        "<result:",
    ),
    *(
        MARKS.open,
        MARKS.close,
        MARKS.result_open,
        MARKS.result_close,
        f"<~call:{NONCE}>",
        f"<~/call:{NONCE}>",
    ),
    *(
        f"<tool:{NONCE}>",
        f"</end:{NONCE}>",
        f'<call id="{NONCE}">',
        f"<|call:{NONCE}|>",
        "<function:",
        "<|",
        "id=",
    ),
    *("[{", "\n```\nx\n```\n", "````"),
    *('{"name": "get_time", "arguments": {}}', '{"name": "get_weather", "arguments": {"city": "Rio"}}'),
    *("{'name': 'note', 'arguments': {'text': 'it's'}}", '{"name": "fly"}', '"', "'", "“", "\\", ",", "null"),
    *(
        "Some prose. ",
        "é",
        "🙂",
        "\ud83d",
        "STOP",
        "ST",
        "OP",
        '{"name": "Ana", "age": 31}',
        "...",
        "//",
        "#",
    ),
]
OUTPUTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=24).map("".join)
REQUESTS: list[dict[str, Any]] = [
    {},
    {"stop": ["STOP", "\n\n", "POST"], "max_tokens": 20},
    {"tool_choice": "required", "stop": ["prose"]},
    {"parallel_tool_calls": False, "response_format": {"type": "json_object"}},
    {"tools": None, "max_tokens": 3, "response_format": {"type": "json_object"}},
    {"tool_choice": "none", "messages": [{"role": "tool", "content": "noon"}]},
]


def cut(text: str, borders: list[int]) -> list[str]:
    """Return `text` in pieces, at these places where they lie within it."""
    places = sorted({0, len(text), *(border % (len(text) + 1) for border in borders)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


def result(emulation: Emulation, pieces: list[str], *, is_truncated: bool = False) -> tuple[object, ...]:
    """Read an answer and return all the caller would see, whenever it was given out."""
    reader = AnswerReader(emulation)
    shown = "".join([reader.feed(piece) for piece in pieces])
    outcome: Outcome = reader.finish(is_truncated=is_truncated)
    if isinstance(outcome, AskAgain):
        return (
            shown + outcome.text,
            outcome.answer,
            outcome.repair_note,
            outcome.change,
            *_settled("", outcome.fallback),
        )
    return _settled(shown, outcome)


def _settled(shown: str, outcome: TextOutcome | ToolCallOutcome | FailedOutcome) -> tuple[object, ...]:
    if isinstance(outcome, FailedOutcome):
        return (shown, outcome.refused.message)
    if isinstance(outcome, ToolCallOutcome):
        return (
            shown + outcome.text,
            [(call.name, call.arguments) for call in outcome.calls],
            outcome.changes,
        )
    return (shown + outcome.text, outcome.refusal, outcome.finish_reason)


@pytest.mark.parametrize("request_body", REQUESTS, ids=json.dumps)
@given(output=OUTPUTS, borders=st.lists(st.integers(0, 500), max_size=12), is_truncated=st.booleans())
def test_any_cut_of_an_output_gives_the_same_result_as_the_whole(
    request_body: dict[str, Any],
    make_emulation: Callable[..., Emulation],
    output: str,
    borders: list[int],
    is_truncated: bool,
) -> None:
    """Where the network divides an answer only decides when its text is sent."""
    whole = result(make_emulation(**request_body), [output], is_truncated=is_truncated)
    pieces = result(make_emulation(**request_body), cut(output, borders), is_truncated=is_truncated)
    # After an end made by the adapter the rest is not read, so only the part before it is compared.
    assert pieces == whole


@given(text=OUTPUTS, borders=st.lists(st.integers(0, 500), max_size=12))
def test_what_was_escaped_comes_back_as_it_was_and_is_never_a_call(text: str, borders: list[int]) -> None:
    """A model that repeats a user or a tool, marks and all, makes no call, and its text is theirs."""
    sent = escape(text)
    assume(
        all(mark.kind is not MarkKind.STRAY for mark in MARKS.find(sent, final=True))
    )  # who would know it?
    parser = AnswerParser(MARKS)
    shown = "".join([parser.feed(piece) for piece in cut(sent, borders)])
    rest = parser.finish()
    assert rest.blocks == ()
    assert shown + rest.verbatim == text
    assert restore(sent) == text


@given(text=OUTPUTS, start=st.integers(0, 400), length=st.integers(0, 400))
def test_no_part_of_what_was_escaped_is_a_call(text: str, start: int, length: int) -> None:
    """Repeating only a part, from anywhere to anywhere, makes no call either."""
    parser = AnswerParser(MARKS)
    parser.feed(escape(text)[start : start + length])
    assert parser.finish().blocks == ()


@given(text=OUTPUTS)
def test_text_without_the_nonce_is_never_a_call(text: str) -> None:
    """Text by an author who does not know the nonce can at most cause a further question to the model."""
    parser = AnswerParser(Marks("n0n0n0"))
    parser.feed(text)
    assert parser.finish().blocks == ()


@given(user=OUTPUTS, tool=OUTPUTS, echo=st.tuples(st.integers(0, 400), st.integers(0, 400)))
def test_a_model_that_repeats_a_user_or_a_tool_makes_no_call(
    make_emulation: Callable[..., Emulation], user: str, tool: str, echo: tuple[int, int]
) -> None:
    """Messages are rendered, and repeating any part of them is not read as a call."""
    messages = [
        {"role": "user", "content": user},
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "note", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": tool},
        {"role": "user", "content": [{"type": "text", "text": tool + user}]},
    ]
    emulation = make_emulation(messages=messages)
    _, reply, _, result_message, parts = emulation.messages(messages)
    for sent in (reply["content"], result_message["content"], parts["content"][0]["text"]):  # type: ignore[index] # messages are objects
        reader = AnswerReader(emulation)
        reader.feed(sent[echo[0] : echo[0] + echo[1]])
        outcome = reader.finish()
        settled = outcome.fallback if isinstance(outcome, AskAgain) else outcome
        assert isinstance(settled, TextOutcome)


@given(output=OUTPUTS)
def test_reading_never_fails_and_calls_only_what_was_offered(
    make_emulation: Callable[..., Emulation], output: str
) -> None:
    """Nothing a model writes raises, and every call is of an offered function with an object of arguments."""
    emulation = make_emulation()
    reader = AnswerReader(emulation)
    reader.feed(f"{MARKS.open}{output}")
    outcome = reader.finish()
    settled = outcome.fallback if isinstance(outcome, AskAgain) else outcome
    assert emulation.offer is not None
    if isinstance(settled, ToolCallOutcome):
        for call in settled.calls:
            assert call.name in emulation.offer.functions
            assert isinstance(json.loads(call.arguments), dict)
