"""A finish reason of another maker becomes OpenAI's."""

from __future__ import annotations

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.finish_reasons import (
    FINISH_REASON_ALIASES,
    FINISH_REASONS,
    normalise_finish_reason,
)


@pytest.mark.parametrize(("given", "known"), FINISH_REASON_ALIASES.items())
def test_a_known_reason_of_another_maker_is_mapped(given: str, known: str) -> None:
    """Nothing is lost, so nothing is noted."""
    noted: list[Change] = []
    assert normalise_finish_reason(given, noted.append) == known
    assert known in FINISH_REASONS
    assert noted == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("recitation", "recitation"),
        ("R" * 39, "R" * 39),
        ("R" * 40, "a string of 40 characters"),
        ("a text of the model", "a string of 19 characters"),
        (7, "7"),
        ({"reason": "stop"}, "an object with 1 key"),
    ],
)
def test_an_unknown_reason_is_noted_and_becomes_stop(given: object, shown: str) -> None:
    """A program knows OpenAI's reasons only; a reason that may be a text is not shown."""
    noted: list[Change] = []
    assert normalise_finish_reason(given, noted.append) == "stop"
    assert noted == [Change("noticed", "finish_reason", shown, "stop", "OpenAI has no such finish reason")]
