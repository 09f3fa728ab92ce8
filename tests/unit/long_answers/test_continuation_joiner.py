"""An answer that was cut and its continuation become one text, as if nothing had been cut."""

from __future__ import annotations

import re
import sys
import time
from types import FrameType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tess_openai.core.long_answers import continuation_joiner
from tess_openai.core.long_answers.continuation_joiner import (
    LONGEST_WORD,
    ContinuationJoiner,
    WordBuffer,
    last_words,
)

TEXT = "The quick brown fox jumps over the lazy dog, and then it sleeps until the sun is up again."
BEFORE = "The quick brown fox jumps over the lazy dog, and then it "

words = st.lists(st.text(st.sampled_from("abcdefghijkl,."), min_size=1, max_size=9), min_size=20, max_size=40)
gaps = st.sampled_from([" ", " ", " ", "\n", "\n\n", "\n    "])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a text of words, with line breaks and indentation between some of them."""
    return "".join(word + draw(gaps) for word in draw(words)).rstrip()


def joined(before: str, continuation: str, size: int = 0) -> str:
    """Join a continuation that comes whole, or in pieces of a size."""
    seam = ContinuationJoiner(before)
    pieces = [continuation]
    if size:
        pieces = [continuation[start : start + size] for start in range(0, len(continuation), size)]
    return before + "".join([*map(seam.feed, pieces), seam.finish()])


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize(
    "continuation",
    [
        last_words(BEFORE) + " sleeps until the sun is up again.",
        " " + last_words(BEFORE) + " sleeps until the sun is up again.",
        TEXT,
        "over the lazy dog, and then it sleeps until the sun is up again.",
        "the lazy dog,\nand  then it sleeps until the sun is up again.",
        "sleeps until the sun is up again.",
        " sleeps until the sun is up again.",
    ],
    ids=["as asked", "after a space", "begun again", "overlap", "other spaces", "nothing", "a space"],
)
def test_whatever_is_repeated_is_joined_once(continuation: str, size: int) -> None:
    """The words that were asked for, more than those, all of it, or nothing."""
    assert joined(BEFORE, continuation, size) == TEXT


def test_a_short_repetition_that_was_not_asked_for_is_new_text() -> None:
    """It may be what comes next: of a row of numbers nothing is lost."""
    assert joined("1, 1, 2, 3, 5, ", "5, 6") == "1, 1, 2, 3, 5, 5, 6"
    row = "0, " * 30
    assert joined(row, last_words(row) + " 0, 1") == row + "0, 1"


def test_indentation_and_blank_lines_stay() -> None:
    """What comes after a line break is not white space too much."""
    assert joined("def f():\n", "    return 1") == "def f():\n    return 1"
    assert joined("One.\n\n", "Two.") == "One.\n\nTwo."
    assert joined("One.\n\n", "\n\nTwo.") == "One.\n\nTwo."


@pytest.mark.parametrize("size", [0, 5])
def test_another_text_in_its_place_is_not_joined(size: int) -> None:
    """A model that begins again and then writes something else continues nothing."""
    seam = ContinuationJoiner(TEXT * 2)
    other = TEXT[:80] + " or so it seemed to everybody who was there at the time."
    pieces = [other[start : start + (size or 999)] for start in range(0, len(other), size or 999)]
    assert "".join([*map(seam.feed, pieces), seam.finish()]) == ""
    assert seam.diverged


def _cut(text: str, share: float) -> str:
    """Return the beginning of a text that was given to the end of a word when it was cut."""
    return WordBuffer().feed(text[: int(len(text) * share)])


shares = st.floats(0.05, 0.95)
sizes = st.integers(1, 40)


@given(texts(), shares, sizes)
def test_a_continuation_as_asked_for_shows_no_seam(text: str, share: float, size: int) -> None:
    """The model repeats the last words: in pieces of any size, the text is the one that was not cut."""
    before = _cut(text, share)
    asked = last_words(before)
    assume(asked)
    start = len(before.rstrip()) - len(asked)
    assert before.rstrip().endswith(asked)
    assert joined(before, text[start:], size) == text


@given(texts(), shares, sizes, st.integers(4, 30))
def test_an_overlap_of_any_length_shows_no_seam(text: str, share: float, size: int, count: int) -> None:
    """More words than were asked for, or fewer, as long as they are no accident."""
    before = _cut(text, share)
    start = sum(map(len, re.findall(r"\S+\s*", before)[:-count]))
    repeated = before[start:].strip()
    assume(len(repeated) >= 16 and text.count(repeated[:16]) == 1)
    assume(not repeated.startswith(last_words(before)) or last_words(before) == repeated)
    assert joined(before, text[start:], size) == text


@given(texts(), shares, sizes)
def test_a_continuation_that_repeats_nothing_shows_no_seam(text: str, share: float, size: int) -> None:
    """It begins with the next word, since a text is cut before one."""
    before = _cut(text, share)
    continuation = text[len(before) :]
    begins = " ".join(continuation.split())[:16]  # white space is no difference where a repetition is sought
    assume(before and begins not in " ".join(before.split()))
    assume(not continuation[:1].isspace() and not continuation.startswith(last_words(before)))
    assert joined(before, text[len(before) :], size) == text


@given(st.text(), st.text(), sizes)
def test_pieces_make_no_difference(before: str, continuation: str, size: int) -> None:
    """A continuation comes to the same whole and in pieces, and nothing of the text before is lost."""
    whole = joined(before, continuation)
    assert joined(before, continuation, size) == whole
    assert whole.startswith(before)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_a_word_is_held_until_it_is_complete(pieces: list[str]) -> None:
    """All text is passed on, up to white space, and no word longer than the limit is waited for."""
    ends, passed = WordBuffer(), ""
    for piece in pieces:
        passed += ends.feed(piece)
        assert len(ends.held) <= LONGEST_WORD
        assert not ends.held or not any(character.isspace() for character in ends.held)
    assert passed + ends.finish() == "".join(pieces)


def lines_run(before: str) -> int:
    """Return how many lines of the package run while a model writes a whole text again, in small pieces."""
    count = 0

    def see(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        count += event == "line"
        return see if frame.f_code.co_filename == continuation_joiner.__file__ else None

    before_trace = sys.gettrace()
    sys.settrace(see)
    try:
        assert joined(before, f"{before}and continues", 8) == f"{before}and continues"
    finally:
        sys.settrace(before_trace)
    return count


def test_a_text_that_is_written_again_costs_a_fixed_time_for_each_piece() -> None:
    """If the time grew with the text, other calls of an event loop would in the end wait for minutes."""
    text = "".join(f"word{number} " for number in range(1000))
    assert lines_run(text) < 3 * lines_run(text[: len(text) // 2])


def test_text_without_spaces_is_passed_on() -> None:
    """Chinese has no spaces, so such text may be divided anywhere."""
    assert WordBuffer().feed("好" * 100) == "好" * 100
    assert len(last_words("好" * 200)) == 80


@pytest.mark.parametrize(
    ("pieces", "passed", "held"),
    [
        pytest.param(["Hello wor"], ["Hello "], "wor", id="a word that may go further"),
        pytest.param(["Hello wor", "ld", " x"], ["Hello ", "", "world "], "x", id="a word in three pieces"),
        pytest.param(["a"], [""], "a", id="one character"),
        pytest.param(["a "], ["a "], "", id="a word and a space"),
        pytest.param(["\n"], ["\n"], "", id="a line end"),
        pytest.param(["a" * LONGEST_WORD], [""], "a" * LONGEST_WORD, id="the longest word"),
        pytest.param(["a" * (LONGEST_WORD + 1)], ["a" * (LONGEST_WORD + 1)], "", id="a longer one"),
        pytest.param(
            ["x " + "a" * LONGEST_WORD], ["x "], "a" * LONGEST_WORD, id="the longest word after another"
        ),
        pytest.param(
            ["x " + "a" * (LONGEST_WORD + 1)],
            ["x " + "a" * (LONGEST_WORD + 1)],
            "",
            id="a longer one after another",
        ),
    ],
)
def test_text_is_passed_on_up_to_the_end_of_a_word(pieces: list[str], passed: list[str], held: str) -> None:
    """A continuation writes an incomplete word again, so that it must not have been shown."""
    ends = WordBuffer()
    assert [ends.feed(piece) for piece in pieces] == passed
    assert (ends.finish(), ends.finish()) == (held, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        (" \n", ""),
        ("one two", "one two"),
        ("  one two \n", "one two"),
        ("0 1 2 3 4 5 6 7 8 9", "2 3 4 5 6 7 8 9"),
        ("a  b\nc", "a  b\nc"),
        ("x " * 20 + "y" * 79, "y" * 79),
        ("x " * 20 + "y" * 78 + " z", "y" * 78 + " z"),
        ("y" * 100, "y" * 80),
    ],
)
def test_the_last_words_are_eight_words_of_eighty_characters_at_most(text: str, words: str) -> None:
    """The model has to repeat them letter by letter, and pays for each."""
    assert last_words(text) == words


def test_a_seam_of_no_text_passes_everything_on() -> None:
    """There is nothing that could be repeated."""
    seam = ContinuationJoiner("")
    assert [seam.feed(" a"), seam.feed("b"), seam.finish()] == [" a", "b", ""]
    assert not seam.diverged


def test_the_next_text_is_given_as_soon_as_the_repetition_has_ended() -> None:
    """What is held until then is the repetition and the white space after it."""
    seam = ContinuationJoiner(BEFORE)
    repeated = last_words(BEFORE)
    pieces = [repeated[:10], repeated[10:], " ", "sleeps", " until"]
    assert [seam.feed(piece) for piece in pieces] == ["", "", "", "sleeps", " until"]
    assert seam.finish() == ""


LETTER = "\u3042"
CONTINUATIONS = {
    "white space first": (LETTER * 3000, [" " * 64] * 4096),
    "white space within": (f"{LETTER} {LETTER} " * 1000, [LETTER, *[" " * 64] * 4096]),
    "the whole text again": (LETTER * 3000 + "b" * 64 * 20_000, [LETTER * 3000, *["b" * 64] * 20_000]),
    "white space afterwards": (TEXT, [TEXT, *["\n" * 64] * 100_000]),
}


@pytest.mark.parametrize(("before", "pieces"), CONTINUATIONS.values(), ids=CONTINUATIONS)
def test_each_piece_of_a_continuation_is_compared_once(before: str, pieces: list[str]) -> None:
    """A model may repeat the whole text, or write blank space, for as long as it likes."""
    joiner, began = ContinuationJoiner(before), time.process_time()
    for piece in pieces:
        assert joiner.feed(piece) == ""
    joiner.finish()
    assert time.process_time() - began < 2
