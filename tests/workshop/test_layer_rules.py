"""The linter's exceptions to the layers apply to the listed files and to no others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def banned_imports(program: str, *, file: str) -> list[str]:
    """Name what the layers forbid this program, were it that file."""
    rules = ["--select=TID251", "--output-format=concise", f"--stdin-filename={file}", "-"]
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", *rules],
        cwd=ROOT,
        input=program,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode < 2, ended.stderr
    return [line.split("`")[1] for line in ended.stdout.splitlines() if "TID251" in line]


@pytest.mark.parametrize("file", ["tess_openai/core/a.py", "tess_openai/core/chat/a.py"])
@pytest.mark.parametrize("name", ["openai", "httpx", "httpx2", "os", "time", "warnings", "tess_openai.edge"])
def test_core_may_not_import_what_does_something(name: str, file: str) -> None:
    """The rule holds at any depth, and inside functions."""
    assert banned_imports(f"def f():\n    import {name}\n", file=file) == [name]


@pytest.mark.parametrize("file", ["tess_openai/clients.py", "tess_openai/edge/a.py", "tests/unit/a.py"])
def test_modules_outside_core_may_import_what_core_may_not(file: str) -> None:
    """The bans are core's."""
    assert banned_imports("import os\n\nimport httpx\n", file=file) == []
