"""The list of facts about Tess names a source and tests for each, and no source of the code is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "facts-about-tess.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| fact ")
]
TEST = re.compile(r"`(?P<file>[\w/]+\.py)::(?P<name>test_\w+)`")
TAGS = ("documented", "observed", "reported", "assumed")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_fact_has_a_source_and_tests(row: list[str]) -> None:
    """The tests it names are there."""
    _fact, source, _rule, tests = row
    assert source.startswith(TAGS)
    named = list(TEST.finditer(tests))
    assert named
    missing = [test[0] for test in named if not _is_there(test["file"], test["name"])]
    assert missing == []


def _is_there(file: str, name: str) -> bool:
    path = ROOT / "tests" / file
    return path.exists() and f"def {name}(" in path.read_text()


def _has_source(module: Path) -> bool:
    return re.search(r"\bSource:", module.read_text()) is not None


def test_each_source_in_the_code_is_listed() -> None:
    """A new room of the front or the core with facts in it gets its rows."""
    package = ROOT / "tess_openai"
    modules = [path for path in [*package.glob("core/**/*.py"), *package.glob("*.py")] if _has_source(path)]
    names = {path.relative_to(package).as_posix() for path in modules}
    assert len(names) > 5
    assert {name for name in names if not _is_listed(name)} == set()


def _is_listed(name: str) -> bool:
    return f"`{name}`" in PAGE or f"`{name.rpartition('/')[0]}/`" in PAGE
