"""Tests of a program that calls Tess, without a key and without a network: docs/testing.md.

Run it with pytest: `python -m pytest examples/testing_your_code.py`. The fixture `tess_environment` comes
with the package.
"""

import openai
import pytest

from tess_openai import create_client
from tess_openai.testing import TessSimulator, faults


def title_of(text: str) -> str:
    """Ask for a title; this is the program under test."""
    with create_client() as client:
        completion = client.chat.completions.create(
            model="tess-6",
            messages=[{"role": "system", "content": "Give a title."}, {"role": "user", "content": text}],
            temperature=0.25,
        )
    return (completion.choices[0].message.content or "").strip('"')


def test_the_title_has_no_quotes(tess_environment: TessSimulator) -> None:
    """Models like to put them."""
    tess_environment.script('"The Sea"')
    assert title_of("Waves, salt, wind.") == "The Sea"


def test_the_text_is_sent(tess_environment: TessSimulator) -> None:
    """The simulator records what it gets."""
    title_of("Waves, salt, wind.")
    (call,) = tess_environment.calls
    assert call.json["messages"][1] == {"role": "user", "content": "Waves, salt, wind."}
    assert call.json["temperature"] == "0.25"


def test_a_busy_tess_is_waited_for(tess_environment: TessSimulator) -> None:
    """It can fail on demand."""
    tess_environment.fault(faults.rate_limited(retry_after_seconds=0.01))
    title_of("Waves, salt, wind.")
    assert [call.status for call in tess_environment.calls] == [429, 200]


def test_no_credits_is_no_title(tess_environment: TessSimulator) -> None:
    """The error is OpenAI's."""
    tess_environment.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        title_of("Waves, salt, wind.")
