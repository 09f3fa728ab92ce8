"""A text ends before the stop sequence that is complete first; nothing is held back longer than need be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.emulate.stop import StopCutter

SEQUENCES = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=5)
PIECES = st.lists(st.text("ab\nc", max_size=5), max_size=12)


def expected(text: str, sequences: list[str]) -> str:
    """Cut letter by letter, as a model would be stopped."""
    for end in range(1, len(text) + 1):
        complete = [sequence for sequence in sequences if text[:end].endswith(sequence)]
        if complete:
            return text[: end - max(map(len, complete))]
    return text


@given(SEQUENCES, PIECES)
def test_the_text_ends_where_the_first_complete_sequence_begins(
    sequences: list[str], pieces: list[str]
) -> None:
    """The result does not depend on how the text is divided into pieces."""
    cutter = StopCutter(sequences)
    shown = "".join([cutter.feed(piece) for piece in pieces]) + cutter.finish()
    text = "".join(pieces)
    assert shown == expected(text, sequences)
    assert cutter.is_done == (shown != text)


@given(SEQUENCES, PIECES)
def test_only_what_may_begin_a_sequence_is_held_back(sequences: list[str], pieces: list[str]) -> None:
    """What is held is the longest end of the text with which a sequence begins, and that only."""
    cutter = StopCutter(sequences)
    shown = "".join([cutter.feed(piece) for piece in pieces])
    if not cutter.is_done:
        text = "".join(pieces)
        beginnings = [sequence[:end] for sequence in sequences for end in range(len(sequence))]
        held = max((len(beginning) for beginning in beginnings if text.endswith(beginning)), default=0)
        assert shown == text[: len(text) - held]


@pytest.mark.parametrize("sequences", [[], [""]], ids=["none", "an empty one"])
def test_without_a_sequence_text_passes(sequences: list[str]) -> None:
    """Text is passed on unchanged, and without delay."""
    cutter = StopCutter(sequences)
    assert cutter.feed("abc") == "abc"
    assert not cutter.is_done


def test_nothing_follows_the_end() -> None:
    """What comes after a stop sequence is gone."""
    cutter = StopCutter(["."])
    assert cutter.feed("a.b") + cutter.feed("c") + cutter.finish() == "a"


@pytest.mark.parametrize(
    ("sequences", "shown"),
    [
        pytest.param(["abc", "b"], "xa", id="the one that is complete first"),
        pytest.param(["bc", "abc"], "x", id="the longer of two that are complete at once"),
        pytest.param(["c", "x"], "", id="the one that occurs first"),
    ],
)
def test_of_several_sequences_one_ends_the_text(sequences: list[str], shown: str) -> None:
    """A model that is stopped while it writes would have written no more."""
    assert StopCutter(sequences).feed("xabcabc") == shown
