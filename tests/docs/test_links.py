"""Links in the pages at the root of the repository lead somewhere; `mkdocs build --strict` sees to docs/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)


def broken_links(page: Path) -> list[str]:
    """List the page's relative links whose file or heading is not there."""
    text = CODE.sub(lambda code: re.sub(r"[^\n]", "", code[0]), page.read_text())
    return [
        link["target"]
        for link in LINK.finditer(text)
        if "://" not in link["target"] and not _leads_somewhere(page, link["target"])
    ]


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = page.parent / path if path else page
    return file.exists() and (not anchor or anchor in _anchors(file))


def _anchors(page: Path) -> set[str]:
    titles = (heading["title"].lower() for heading in HEADING.finditer(page.read_text()))
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A reader who clicks arrives."""
    assert broken_links(page) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    """The check finds a missing file and a missing heading, and ignores links in code."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A `good` heading\n[a](page.md) [b](#a-good-heading) [c](no.md) [d](page.md#no) `[e](no.py)`\n"
        "[f](https://example.com)\n```python\nx = [g](h)\n```\n"
    )
    assert broken_links(page) == ["no.md", "page.md#no"]
