"""The repository works on any machine and contains no name of one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = {
    "the host of a package registry": r"pypi\.org|pythonhosted\.org|npmjs\.org|anaconda\.org",
    "an absolute path of one machine": r"(?<![\w.$~%)}])/(?:work|tmp|root|home|Users|opt)/|\b[A-Z]:\\Users",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
}


def foreign_words(text: str) -> list[str]:
    """List what a text says that it should not: `"2: the host of a package registry"`."""
    return [
        f"{number}: {what}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FOREIGN.items()
        if re.search(pattern, line)
    ]


def files_of_the_repository() -> list[Path]:
    """List what git keeps or would keep; nothing where this is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git as the developer has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_a_registry() -> None:
    """No file contains locks, logs or paths of the machine on which it was changed."""
    files = files_of_the_repository()
    if not files:
        pytest.skip("this is no git checkout")
    found = {
        str(file.relative_to(ROOT)): words
        for file in files
        if (words := foreign_words(file.read_text(errors="replace")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    ["see https://pypi" + ".org/simple", "open('/tmp" + "/x')", "file:///home" + "/me", r"C:" + r"\Users\me"],
)
def test_a_foreign_word_is_seen(line: str) -> None:
    """The report gives the number of its line."""
    assert [word.partition(":")[0] for word in foreign_words(f"first\n{line}")] == ["2"]


@pytest.mark.parametrize("line", ["GET /agents/42", "https://example.com/home/x", "{root}/tmp/x", "a/work/b"])
def test_ordinary_words_pass(line: str) -> None:
    """A path in a URL or below a folder names no machine."""
    assert foreign_words(line) == []
