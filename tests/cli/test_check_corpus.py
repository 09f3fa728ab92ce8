"""On a corpus of call sites of every shape the checker misses none and invents none.

Each line of the corpus names what is to be found on it: `# expect: NAME SUBJECT=EFFECT ... | NAME ...`, with
`?` after a name whose client cannot be seen, and after an effect that depends on an unseen value. A line
without such a comment has nothing to be found. What stays as it is, and does not matter, is not listed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tess_openai.cli.check.check_command import check_paths
from tess_openai.cli.check.findings import Site
from tess_openai.core.policy_parameters import resolve_policy

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(file for file in CORPUS.rglob("*.py") if file.parent.name != "verdicts")
MARK = "# expect:"


def expected_in(file: Path) -> list[str]:
    """List `12: NAME SUBJECT=EFFECT ...` for each site that a file promises."""
    return [
        f"{number}: {' '.join([site.split()[0], *sorted(site.split()[1:])])}"
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if MARK in line
        for site in line.partition(MARK)[2].split("|")
    ]


def found_as_text(site: Site) -> str:
    """Say a site as the corpus does."""
    effects = sorted(
        f"{effect.subject}={effect.effect}{'' if effect.certain else '?'}"
        for effect in site.effects
        if effect.level != "none"
    )
    return f"{site.line}: {' '.join([site.name + ('' if site.certain else '?'), *effects])}"


SITES = check_paths([CORPUS], resolve_policy("warn")).sites


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORPUS)))
def test_a_file_of_the_corpus(file: Path) -> None:
    """The report has exactly the findings that comments in the file promise."""
    found = [found_as_text(site) for site in SITES if Path(site.path) == file]
    assert sorted(found) == sorted(expected_in(file))


def test_the_corpus_is_large() -> None:
    """It has at least 60 call sites, of chat and of other endpoints."""
    calls = [line for file in FILES for line in expected_in(file) if ".create" in line]
    assert len(calls) > 60
