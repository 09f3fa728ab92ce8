"""The keys that are written into source are never shown, however their names are written."""

from __future__ import annotations

import ast

import pytest

from tess_openai.cli.check.redaction import shown_lines


def shown(source: str) -> str:
    """Return source as it may be shown."""
    return "\n".join(shown_lines(ast.parse(source), source.split("\n")))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("h = {'api_k\\x65y': 'hidden'}", id="an escape"),
        pytest.param("h = {'api_\\N{LATIN SMALL LETTER K}ey': 'hidden'}", id="the name of a letter"),
        pytest.param("h = {'api_\\153ey': 'hidden'}", id="an octal escape"),
        pytest.param("h = {'api_k' 'ey': 'hidden'}", id="two strings"),
        pytest.param("h = {'api_k'r'ey': 'hidden'}", id="two strings, the second raw"),
        pytest.param("h = {\n    'Author'\n    'ization': 'hidden'\n}", id="two strings on two lines"),
        pytest.param("h['api_k\\\ney'] = 'hidden'", id="a string on two lines"),
        pytest.param("\uff41\uff50\uff49_\uff4b\uff45\uff59 = 'hidden'", id="full-width letters"),
    ],
)
@pytest.mark.parametrize("before", ["", "token = 1\n"], ids=["alone", "beside a plain name"])
def test_a_name_that_no_line_holds_as_it_is_read_is_found(before: str, source: str) -> None:
    """Statements without the name of a key are skipped; this is a key to Python nevertheless."""
    assert "hidden" not in shown(before + source)
    assert "<key>" in shown(before + source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("@call(\n    api_key=\n    'hidden'\n)\n\n\ndef f():\n    pass", id="a decorator"),
        pytest.param("class A:\n    class B:\n        token: str = (\n'hidden'\n)", id="a class in a class"),
        pytest.param("f = (lambda\n    key=\n    'hidden': 'b')", id="a lambda"),
        pytest.param("match {\n    'token':\n    'hidden'}:\n    case 1:\n        a = 'b'", id="a subject"),
        pytest.param("match a:\n    case 1 if f(token=\n    'hidden'):\n        a = 'b'", id="a guard"),
        pytest.param("try:\n    a\nexcept f('key',\n    'hidden'):\n    a = 'b'", id="an exception"),
        pytest.param("def f(\n    a,\n    key\n    =\n    'hidden',\n): return 'b'", id="a default"),
    ],
)
def test_a_key_in_another_line_than_its_name_is_blanked(source: str) -> None:
    """The statement counts, and not the line."""
    assert "hidden" not in shown(source)
    assert "<key>" in shown(source)


def test_other_strings_are_shown() -> None:
    """A reader needs them to find the place."""
    source = 'token = 1\n"""Of a module."""\nmodel = "tess-6"\nnames = [\n    "a" "b",\n    "\\x41\u00e9",\n]'
    assert shown(source) == source
