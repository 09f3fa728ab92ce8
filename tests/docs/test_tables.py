"""The tables that the pages take from the code are those of this code."""

from __future__ import annotations

import re
from pathlib import Path

import pages
import pytest

import tess_openai

WITH_TABLES = [page for page in sorted(pages.DOCS.rglob("*.md")) if pages.MADE.search(page.read_text())]


@pytest.mark.parametrize("page", WITH_TABLES, ids=lambda page: str(page.relative_to(pages.DOCS)))
def test_a_page_is_up_to_date(page: Path) -> None:
    """After a change of the code, `make pages` must be run to renew the tables."""
    text = page.read_text()
    assert pages.rewritten(text) == text


def test_every_table_is_shown_once() -> None:
    """Every table is shown by a page."""
    shown = [mark["name"] for page in WITH_TABLES for mark in pages.MADE.finditer(page.read_text())]
    assert sorted(shown) == sorted(pages.TABLES)


def test_an_outdated_table_is_renewed_in_place() -> None:
    """What is around it stays."""
    page = "before\n<!-- made by make pages: endpoints -->\nold\n<!-- end -->\nafter\n"
    renewed = pages.rewritten(page)
    assert renewed.startswith("before\n")
    assert renewed.endswith("<!-- end -->\nafter\n")
    assert "old" not in renewed
    assert "`/embeddings`" in renewed
    assert pages.rewritten(renewed) == renewed


def test_a_table_without_a_maker_is_an_error() -> None:
    """A misspelt mark would stay as it is for ever."""
    with pytest.raises(KeyError, match="endpoint"):
        pages.rewritten("<!-- made by make pages: endpoint -->\n<!-- end -->")


def test_each_public_name_has_a_reason() -> None:
    """The page lists what is exported, and nothing else."""
    section = (pages.DOCS / "how-it-works.md").read_text().partition("## Public names")[2]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == set(tess_openai.__all__)
