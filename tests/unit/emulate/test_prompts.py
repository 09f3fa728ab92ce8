"""The texts can be replaced, and a text that cannot work is refused where it is given."""

from __future__ import annotations

import pytest

from tess_openai.core.prompts import Prompts, fill


def test_a_text_without_a_hole_it_needs_is_refused() -> None:
    """The message names the text and the missing placeholder."""
    with pytest.raises(ValueError, match=r"prompts\.json_schema lacks \{schema\}"):
        Prompts(json_schema="Answer in JSON.")


def test_holes_are_filled_once_and_other_braces_stay() -> None:
    """What is filled in is a text of the user's, and never a template."""
    assert fill('{a} {"a": 1} {b} {c}', a="{b}", b="2") == '{b} {"a": 1} 2 {c}'
