"""The project speaks the field's English: words of an earlier private dialect do not come back."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DIALECT: Final = (
    "told",
    "untold",
    "heard",
    "said",
    "spelt",
    "mend",
    "mends",
    "mended",
    "stands",
    "lose",
    "loses",
    "hurry",
    "leaves",
    "fate",
    "fates",
)
"""In any case, as whole words; each has a standard word: reported, received, written, coerced, ..."""
RIDDLES: Final = (
    "all the same",
    "anew",
    "anybody",
    "as it came",
    "go on with",
    "goes on",
    "less what",
    "makes no sense",
    "nobody",
    "nothing of it",
    "of that kind",
    "plays a part",
    "settlement",
    "somebody",
    "speaks of",
    "what came",
    "whoever",
    "wordless",
)
"""Phrases and words that a reader had to guess; in any case, as whole words."""
FORMER_CLASSES: Final = ("Flight", "Voice", "Said", "Fate")
WORDS: Final = re.compile(
    rf"(?<!max_)(?<![A-Za-z])(?:(?i:{'|'.join(DIALECT)})|{'|'.join(FORMER_CLASSES)})(?![A-Za-z])"
)
DATA: Final = (
    "tests/cli/corpus/",
    "tests/contract/",
    "tests/workshop/test_vocabulary.py",
    "docs/frameworks/results/",
)
"""What others wrote, or what is read by a test as data."""
PACKAGE: Final = ROOT / "tess_openai"


def texts() -> list[str]:
    """Return the paths of all texts of the project."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - git as the developer has it
    endings = (".py", ".md", ".toml", ".yml", ".txt", "Makefile", ".ci/run")
    return [path for path in listed.split() if path.endswith(endings) and not path.startswith(DATA)]


def test_no_word_of_the_dialect_occurs() -> None:
    """No name, docstring, comment, message or page has one of these words."""
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in texts()
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if WORDS.search(line)
    ]
    assert found == []


def test_no_program_has_riddles() -> None:
    """The prose and the names of the package, its tests, tools and benchmarks say who does what."""
    riddles = re.compile(rf"\b(?:{'|'.join(RIDDLES)})\b", re.IGNORECASE)
    found = [
        f"{path}: {match[0]}"
        for path in texts()
        if path.endswith(".py")
        for match in riddles.finditer(
            " ".join((ROOT / path).read_text(encoding="utf-8").replace("_", " ").split())
        )
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("def test_it_is_told() -> None:", True),
        ("class Voice:", True),
        ("# What stands below", True),
        ("the audio has a voice", False),
        ("a folder, a threshold, an aforesaid", False),
    ],
)
def test_a_word_is_found_as_a_whole(line: str, *, is_found: bool) -> None:
    """It is found as a part of a name, and not within another word."""
    assert (WORDS.search(line) is not None) is is_found


def test_names_of_classes_and_modules_occur_once() -> None:
    """A name that is searched for leads to one place."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.name.startswith("__"):
            places[path.stem].append(str(path.relative_to(ROOT)))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[f"class {node.name}"].append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_vocabulary_is_short_and_names_files_that_exist() -> None:
    """A contributor reads it at once, and finds in the code what it explains."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| term | meaning | where |\n")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[1:]]
    assert [len(row) for row in rows] == [3] * len(rows)
    assert 20 <= len(rows) <= 30
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    named = re.findall(r"`([\w/.]+)`", " ".join(row[2] for row in rows))
    assert [path for path in named if not (PACKAGE / path).exists()] == []
