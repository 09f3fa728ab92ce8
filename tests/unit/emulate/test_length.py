"""A text ends at about as many tokens as are allowed, counted as usage counts them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.usage import estimate_tokens
from tess_openai.core.emulate.length import LengthCutter, Limit, length_text, parse_limit
from tess_openai.core.prompts import Prompts
from tess_openai.core.refusals import Refused

BOTH = ("max_tokens", "max_completion_tokens")


@given(st.lists(st.text(max_size=10), max_size=10), st.integers(1, 20))
def test_the_text_is_the_longest_beginning_within_the_limit(pieces: list[str], tokens: int) -> None:
    """It has whole characters, however it is divided, and the cutter knows whether text is missing."""
    cutter = LengthCutter(tokens)
    shown = "".join([cutter.feed(piece) for piece in pieces])
    text = "".join(pieces)
    assert text.startswith(shown)
    assert estimate_tokens(shown) <= tokens
    assert cutter.is_done == (shown != text)
    if cutter.is_done:
        assert estimate_tokens(text[: len(shown) + 1]) > tokens


@pytest.mark.parametrize(
    ("body", "params", "limit"),
    [
        pytest.param({"max_tokens": 5}, BOTH, Limit("max_tokens", 5), id="the older parameter"),
        pytest.param(
            {"max_tokens": 5, "max_completion_tokens": 6},
            BOTH,
            Limit("max_tokens", 5),
            id="the smaller wins",
        ),
        pytest.param({"max_tokens": 5}, ("max_completion_tokens",), None, id="not to be emulated"),
        pytest.param({"max_tokens": None}, BOTH, None, id="null"),
        pytest.param({}, BOTH, None, id="absent"),
    ],
)
def test_the_limit_of_a_request(body: dict[str, Any], params: tuple[str, ...], limit: Limit | None) -> None:
    """It is read from either parameter."""
    assert parse_limit(body, params) == limit


@pytest.mark.parametrize("tokens", [0, -1, True, "5", 5.5, []])
def test_a_limit_that_is_none_is_refused(tokens: object) -> None:
    """OpenAI refuses it too; ignoring it would give an answer of any length."""
    with pytest.raises(Refused) as caught:
        parse_limit({"max_tokens": tokens}, BOTH)
    assert (caught.value.param, caught.value.status) == ("max_tokens", 400)
    assert parse_limit({"max_tokens": tokens}, ()) is None


def test_the_model_is_instructed_of_a_short_limit_only() -> None:
    """A hint of thousands of tokens would only tempt it."""
    assert "100 tokens (about 75 words)" in length_text(Limit("max_tokens", 100), Prompts())
    assert length_text(Limit("max_tokens", 100_000), Prompts()) == ""
