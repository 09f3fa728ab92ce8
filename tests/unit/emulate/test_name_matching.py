"""A name is found where it is written otherwise, and never guessed."""

from __future__ import annotations

import pytest

from tess_openai.core.name_matching import bare_name, match_name


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("look", ["look", "Look"], "look"),
        ("LOOK", ["look", "Look"], None),
        ("get-Weather", ["get_weather"], "get_weather"),
        ("getWeather", ["get_weather", "add"], "get_weather"),
        ("get_wether", ["get_weather"], None),
        ("_", ["-"], None),
        ("", ["look"], None),
    ],
)
def test_a_name_is_found_but_never_guessed(name: str, known: list[str], found: str | None) -> None:
    """Only case and punctuation may differ, and only one name may be meant."""
    assert match_name(name, known) == found


def test_a_bare_name_keeps_letters_of_every_script() -> None:
    """Only what is neither letter nor digit goes."""
    assert bare_name("Größe_2-Ω") == "grösse2ω"
