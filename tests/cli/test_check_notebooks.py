"""`tess-openai check` reads notebooks: cell by cell, past what is for IPython alone."""

from __future__ import annotations

import json

import pytest
from checking import CALL, Check, calls, notebook

from tess_openai.cli.check.report import place_of, to_text
from tess_openai.cli.check.sarif import to_sarif


def test_a_notebook_is_read_cell_by_cell(check: Check) -> None:
    """What one cell makes, the next uses; a place is the cell and the line in it."""
    text = notebook("%pip install openai\nfrom openai import OpenAI\nclient = OpenAI()", "# ask\n" + CALL)
    report = check({"a.ipynb": text})
    (call,) = calls(report)
    assert (call.cell, call.line, call.verdict, call.certain) == (2, 2, "left out", True)
    assert place_of(call).endswith("a.ipynb:cell 2:2:1")
    assert [(each.line, each.subject) for each in call.effects if each.level == "warning"] == [(2, "seed")]


def test_magics_and_other_languages_do_not_hide_calls(check: Check) -> None:
    """Lines for IPython are left out, code behind them is read, and a cell that is no Python is named."""
    cells = (
        "%%bash\nexport OPENAI_API_KEY=x",
        "!ls\nopenai?\nawait f()",
        "this is no python(",
        "x = 1\n%time " + CALL,
    )
    report = check({"a.ipynb": notebook("import openai\nclient = openai.OpenAI()", *cells, CALL)})
    assert [(call.cell, call.column) for call in calls(report)] == [(5, 7), (6, 1)]
    assert [(each.why, each.is_partial) for each in report.unreadable] == [("no Python in cell 4", True)]


@pytest.mark.parametrize(
    "cell",
    [
        f"files = !ls\nout = %sql select 1\nfor f in files:\n    !cat {{f}}\n    {CALL}",
        f"!pip install -q x && \\\n    echo hi\n{CALL}",
        f"?client\nclient.chat?\n{CALL}",
        f"{CALL.strip()}  # is it so?\n%time x = 1",
        f'text = """Who are you?\n%not a magic\n!nor a command\n"""\n%time {CALL}',
        f"%%timeit -n 1\n{CALL}",
        f"%%capture out\n{CALL}",
        f"%timeit -n 1 -r 2 {CALL}",
        f"x = 5 \\\n  %3\n{CALL}",
    ],
)
def test_a_call_beside_magics_is_read(cell: str, check: Check) -> None:
    """Magics of IPython are skipped wherever they are, and plain Python is not changed."""
    report = check({"a.ipynb": notebook("import openai\nclient = openai.OpenAI()", cell)})
    assert [call.cell for call in calls(report)] == [2]
    assert not report.unreadable


def test_a_variable_that_a_magic_sets_is_found(check: Check) -> None:
    """`%env` sets it for all cells."""
    report = check({"a.ipynb": notebook("import openai\n%env OPENAI_API_KEY=sk-1234567890")})
    assert [(site.line, site.name) for site in report.sites] == [(2, "OPENAI_API_KEY")]
    assert "sk-1234" not in str(to_text(report, everything=True))


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 1}', "openai"])
def test_what_is_no_notebook_is_reported(text: str, check: Check) -> None:
    """It is reported as a file that cannot be read, if it mentions OpenAI at all."""
    report = check({"a.ipynb": f"{text} openai" if "openai" not in text else text})
    assert [each.why.startswith("no notebook") for each in report.unreadable] == [True]


def test_a_place_in_a_notebook_is_no_line_of_its_file(check: Check) -> None:
    """Code scanning gets the cell as a logical location."""
    log = to_sarif(check({"a.ipynb": notebook("import openai\nopenai.embeddings.create()")}))
    text = json.dumps(log)
    assert '"name": "cell 1, line 2"' in text
    assert '"region"' not in text
