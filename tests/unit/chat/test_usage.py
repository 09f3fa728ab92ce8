"""Token counts are estimated from bytes, say that they are, and grow with the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.usage import estimate_tokens, estimate_usage


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("", 0, id="the empty text is no token"),
        pytest.param("a", 1, id="one letter is a token"),
        pytest.param("four", 1, id="four letters are a token"),
        pytest.param("fives", 2, id="a begun token counts"),
        pytest.param("a" * 400, 100, id="English is four characters a token"),
        pytest.param("привет", 3, id="Cyrillic is two characters a token"),
        pytest.param("天气很好", 3, id="Chinese is nearly a token a character"),
        pytest.param("🙂🙂", 2, id="an emoji is a token"),
        pytest.param("\ud83d", 1, id="half a surrogate pair counts and does not fail"),
    ],
)
def test_a_text_has_this_many_tokens(text: str, tokens: int) -> None:
    """Four bytes of UTF-8 are one token."""
    assert estimate_tokens(text) == tokens


@given(st.text(), st.text())
def test_the_whole_is_never_less_than_a_part_nor_more_than_the_sum(one: str, other: str) -> None:
    """Joining texts joins their tokens, give or take the one at the seam."""
    whole = estimate_tokens(one + other)
    parts = estimate_tokens(one) + estimate_tokens(other)
    assert max(estimate_tokens(one), estimate_tokens(other)) <= whole
    assert parts - 1 <= whole <= parts


def test_usage_adds_up_and_states_that_it_is_estimated() -> None:
    """Prompt and completion are counted apart, a message's frame included."""
    assert estimate_usage(["12345678", "1234"], "123456789") == {
        "prompt_tokens": 4 + 2 + 4 + 1,
        "completion_tokens": 3,
        "total_tokens": 14,
        "estimated": True,
    }


def test_no_messages_and_no_answer_cost_nothing() -> None:
    """An empty call is zero, not a guess."""
    assert estimate_usage([], "")["total_tokens"] == 0
