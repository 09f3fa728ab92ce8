"""Patterns of schemas in the syntax of JavaScript: which are understood, and what they cost."""

from __future__ import annotations

import sys

import pytest

from tess_openai.edge.patterns import LinearPattern, compile_pattern, pattern_compiler

pytestmark = pytest.mark.needs("re2")


def compiled(pattern: str) -> LinearPattern:
    """Compile a pattern that is understood."""
    found = compile_pattern(pattern)
    assert isinstance(found, LinearPattern)
    return found


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        pytest.param("b", "abc", "ac", id="anywhere"),
        pytest.param(r"^\u00e9\u{1F600}$", "\u00e9\U0001f600", "\u00e9", id="code points"),
        pytest.param(r"^\\u0041$", r"\u0041", "A", id="a backslash before a u"),
        pytest.param(r"^(?=.*[0-9])(?!x)[a-z0-9]+$", "a1", "x1", id="two conditions"),
        pytest.param(r"^(?=.*[0-9])(?!x)[a-z0-9]+$", "1", "ab", id="the first of two conditions"),
        pytest.param(r"^(?=(?:ab)+c)[a-c]+$", "ababc", "abab", id="a group in a condition"),
        pytest.param(r"^(?=a|b)(?:b|c)d", "bd", "cd", id="a choice in a condition and in a group"),
        pytest.param(r"^(?=[)|(]+a)[^b]", "(|)a", "(|)b", id="parentheses in a class"),
        pytest.param(r"^(?!\)\|\()[()|]", "(|)", ")|(", id="parentheses after a backslash"),
        pytest.param(r"^(?=[\])]a).", ")a", "]b", id="a bracket in a class"),
    ],
)
def test_a_pattern_means_what_it_means_in_javascript(pattern: str, right: str, wrong: str) -> None:
    """Conditions at its beginning become expressions of their own, all of which must hold."""
    assert compiled(pattern).matches(right)
    assert not compiled(pattern).matches(wrong)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(", id="an open group"),
        pytest.param(r"(a)\1", id="a reference to a group"),
        pytest.param("^(?=a", id="an open condition"),
        pytest.param("^(?=a)b|c", id="a condition of one alternative"),
        pytest.param("a" * 2001, id="too long"),
        pytest.param("a{0000001}", id="numbers that would be read as text"),
        pytest.param("(?:a?){1000}" * 20, id="too much memory"),
        pytest.param("a\ud800", id="half a character"),
    ],
)
def test_a_pattern_that_is_not_understood_is_not_checked(
    pattern: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library writes nothing about it to the terminal of the program."""
    assert compile_pattern(pattern) is None
    assert capfd.readouterr() == ("", "")


def test_a_pattern_has_a_size() -> None:
    """The budget of a checker counts it for each character; classes of Unicode count as one character."""
    assert 0 < compiled("a").size < compiled("a{50}").size < compiled("a{500}").size < 4000
    assert compiled(r"\p{L}").size == compiled(r"\pL").size == compiled("x").size
    assert compiled("^(?=a{50})a").size > compiled("a{50}").size
    assert compiled("a" * 2000).matches("a" * 2000)


def test_patterns_are_checked_where_the_library_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, emulation works, and says which keywords it does not check."""
    assert pattern_compiler() is compile_pattern
    monkeypatch.setitem(sys.modules, "re2", None)
    assert pattern_compiler() is None
