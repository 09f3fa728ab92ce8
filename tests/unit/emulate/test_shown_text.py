"""What of an answer is shown as text, however it is cut into pieces: escaped marks, code fences, calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.outcomes import TextOutcome, ToolCallOutcome

CALL = '<call:tokibanuve>{"name": "get_time", "arguments": {}}</call:tokibanuve>'
CODE = "```py\nprint(1)\n```"


def read(emulation: Emulation, text: str, size: int) -> tuple[str, str, bool]:
    """Feed an answer in pieces of a size; return what was shown before its end, all its text, if it calls."""
    reader = AnswerReader(emulation)
    shown = "".join(reader.feed(text[start : start + size]) for start in range(0, len(text), size))
    outcome = reader.finish()
    assert isinstance(outcome, TextOutcome | ToolCallOutcome)
    return shown, shown + outcome.text, isinstance(outcome, ToolCallOutcome)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 999])
@pytest.mark.parametrize(
    ("answer", "text", "has_call"),
    [
        pytest.param(
            "Write <~call:x> or <~/call:x> here.", "Write <call:x> or </call:x> here.", False, id="escaped"
        ),
        pytest.param("Write <~~call:x> here.", "Write <~call:x> here.", False, id="escaped twice"),
        pytest.param(
            "a <~call:x>\nb <~call:y> c", "a <call:x>\nb <call:y> c", False, id="escaped in two lines"
        ),
        pytest.param("1 < 2 and <b>bold</b> <", "1 < 2 and <b>bold</b> <", False, id="other brackets"),
        pytest.param(f"Look: {CALL}", "Look:", True, id="a call after a text"),
        pytest.param(f"See <~call:x>. {CALL}", "See <call:x>.", True, id="a call after an escaped mark"),
        pytest.param(f"Look:\n```json\n{CALL}\n```", "Look:", True, id="a call in a fence"),
        pytest.param(f"{CODE}\nNow:\n```\n{CALL}\n```", f"{CODE}\nNow:", True, id="a call in a second fence"),
        pytest.param(f"{CODE}\n{CALL}", CODE, True, id="a call after a fence that is closed"),
        pytest.param(f"{CODE}\n\nDone.", f"{CODE}\n\nDone.", False, id="a fence without a call"),
        pytest.param("", "", False, id="no text"),
    ],
)
def test_the_text_of_an_answer_does_not_depend_on_its_pieces(
    make_emulation: Callable[..., Emulation], answer: str, text: str, size: int, *, has_call: bool
) -> None:
    """What the model escaped is shown as it meant it, and the fence around a call belongs to the call."""
    _, whole, calls = read(make_emulation(), answer, size)
    assert (whole, calls) == (text, has_call)


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        pytest.param(["Hi ", "there ", "you"], ["Hi", " there", " you"], id="words"),
        pytest.param(["a <~ca", "ll:x> b"], ["a", " <call:x> b"], id="an escaped mark in two pieces"),
        pytest.param(
            ["a <~call:x> b <", "b> and"], ["a <call:x> b", " <b> and"], id="an escaped mark and a bracket"
        ),
        pytest.param(["a\n``", "`py\nx\n", "``` b"], ["a", "\n```py\nx", "\n``` b"], id="a fence"),
    ],
)
def test_text_is_shown_as_soon_as_it_can_be_no_part_of_a_call(
    make_emulation: Callable[..., Emulation], pieces: list[str], shown: list[str]
) -> None:
    """White space is held with what follows it, since a call drops the white space before it."""
    reader = AnswerReader(make_emulation())
    assert [reader.feed(piece) for piece in pieces] == shown
