"""Token counts are estimated from bytes, say that they are, and grow with the text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.usage import (
    UsageSum,
    complete_usage,
    estimate_tokens,
    estimate_usage,
    is_usage,
    parse_usage,
    to_count,
)


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


COUNTS: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (7, 7),
        (0, 0),
        (7.0, 7),
        (" 7 ", 7),
        ("7.0", 7),
        ("9" * 15, 10**15 - 1),
        ("9" * 16, None),
        (10**15, None),
        ("1" + "." + "0" * 22, 1),
        ("1" + "." + "0" * 23, None),
        (-1, None),
        (True, None),
        ("seven", None),
        ("nan", None),
        (float("inf"), None),
        (None, None),
        ([7], None),
    ],
)
def test_a_count_is_read_in_every_spelling(value: object, count: int | None) -> None:
    """What cannot be a number of tokens is not one."""
    assert to_count(value) == count


@pytest.mark.parametrize(
    ("usage", "is_complete"),
    [
        (COUNTS, True),
        ({**COUNTS, "credits": 1}, True),
        ({**COUNTS, "prompt_tokens_details": {"cached_tokens": 4}}, True),
        (
            {**COUNTS, "prompt_tokens_details": None, "completion_tokens_details": {"audio_tokens": None}},
            True,
        ),
        ({**COUNTS, "prompt_tokens_details": {"cached_tokens": "4"}}, False),
        ({**COUNTS, "completion_tokens_details": []}, False),
        ({**COUNTS, "total_tokens": "13"}, False),
        ({**COUNTS, "prompt_tokens": True}, False),
        ({"prompt_tokens": 10, "completion_tokens": 3}, False),
        ([], False),
    ],
)
def test_a_complete_usage_is_known(usage: object, is_complete: bool) -> None:
    """It is passed on as it is; anything else is read count by count."""
    assert is_usage(usage) is is_complete


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        pytest.param(None, {}, id="nothing"),
        pytest.param({"credits": 1}, {}, id="no count"),
        pytest.param({"input_tokens": "10", "output_tokens": 3.0}, COUNTS, id="other names and types"),
        pytest.param(
            {**COUNTS, "total_tokens": 12}, {**COUNTS, "total_tokens": 12}, id="complete, left alone"
        ),
        pytest.param({**COUNTS, "total_tokens": "12"}, COUNTS, id="a total that is too small"),
        pytest.param({**COUNTS, "total_tokens": "20"}, {**COUNTS, "total_tokens": 20}, id="a larger total"),
        pytest.param({"total_tokens": 13, "completion_tokens": 3}, COUNTS, id="no prompt"),
        pytest.param({"total_tokens": 13, "prompt_tokens": 10}, COUNTS, id="no completion"),
        pytest.param(
            {"total_tokens": 2, "completion_tokens": 3},
            {"total_tokens": 2, "completion_tokens": 3, "prompt_tokens": 0},
            id="less than its part",
        ),
        pytest.param({"totalTokens": 13}, {"total_tokens": 13}, id="a total alone"),
        pytest.param(
            {"input_tokens": 0, "output_tokens": 0},
            {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            id="nothing was read or written",
        ),
        pytest.param(
            {"input_tokens": 5, "total_tokens": 5},
            {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5},
            id="nothing was written",
        ),
        pytest.param(
            {
                "input_tokens": 10,
                "output_tokens": 3,
                "input_tokens_details": {"cached_tokens": "4", "other": 1},
                "output_tokens_details": {"reasoning_tokens": None},
                "credits": 1,
            },
            {**COUNTS, "prompt_tokens_details": {"cached_tokens": 4}, "credits": 1},
            id="details, and a field of its own",
        ),
    ],
)
def test_a_usage_is_read_under_every_known_name(given_: object, read: dict[str, Any]) -> None:
    """What can be derived from two counts is not estimated."""
    assert parse_usage(given_) == read


@pytest.mark.parametrize(
    ("usage", "completed"),
    [
        pytest.param(COUNTS, COUNTS, id="complete"),
        pytest.param(
            {},
            {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8, "estimated": True},
            id="nothing",
        ),
        pytest.param(
            {"total_tokens": 100, "credits": 1},
            {
                "prompt_tokens": 75,
                "completion_tokens": 25,
                "total_tokens": 100,
                "credits": 1,
                "estimated": True,
            },
            id="a total, divided as the estimate is",
        ),
        pytest.param(
            {"prompt_tokens": 50},
            {"prompt_tokens": 50, "completion_tokens": 2, "total_tokens": 52, "estimated": True},
            id="one part",
        ),
    ],
)
def test_missing_counts_are_estimated(usage: dict[str, Any], completed: dict[str, Any]) -> None:
    """Counts that Tess gave are kept, and the result says that a part of it is an estimate."""
    result = complete_usage(usage, ["12345678"], "12345678")
    assert result == completed
    assert not any(isinstance(count, float) for count in result.values())


def test_the_requests_for_one_answer_are_summed() -> None:
    """Each was paid for; one estimate makes the sum an estimate, and one unknown part makes it unknown."""
    usages = UsageSum()
    usages.add(COUNTS, None, "")
    usages.add({"input_tokens": 1, "output_tokens": 2}, None, "")
    assert usages.total() == {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    usages.add(None, ["12345678"], "12345678")
    expected = {"prompt_tokens": 17, "completion_tokens": 7, "total_tokens": 24, "estimated": True}
    assert usages.total() == expected
    usages.add(COUNTS, None, "")
    assert (usages.total() or {})["estimated"] is True
    usages.add(None, None, "x")
    assert usages.total() is None
