"""What the tests of `tess-openai check` share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tess_openai.cli.check.findings import Site
    from tess_openai.cli.check.summary import CheckReport
    from tess_openai.core.agents import Agent

CALL = "client.chat.completions.create(model='tess-6', messages=[], seed=1)\n"
Check = Callable[..., "CheckReport"]


def calls(report: CheckReport) -> list[Site]:
    """Return the calls of a report."""
    return [site for site in report.sites if site.kind == "call"]


def notebook(*cells: str) -> str:
    """Return a notebook with these code cells, and a text before them."""
    code = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": ["# openai"]}, *code], "nbformat": 4})


def writing_check(folder: Path) -> Check:
    """Return what writes files into a folder and checks them."""

    def run(files: dict[str, str], *, policy: str = "warn", agent: Agent | None = None) -> CheckReport:
        from tess_openai.cli.check.check_command import check_paths  # not in lanes without the extra
        from tess_openai.core.policy_parameters import resolve_policy

        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return check_paths([folder], resolve_policy(policy), agent=agent)

    return run
