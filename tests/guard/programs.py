"""The real command line, in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

COMMAND = (str(Path(sysconfig.get_path("scripts")) / "tess-openai"),)
Ended: TypeAlias = "subprocess.CompletedProcess[str]"
Program: TypeAlias = Callable[..., Ended]


def environment(variables: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Return this process's environment with others set, or with None removed; no way out of loopback."""
    changed = {"PYTHONPATH": str(Path(__file__).parent), **(variables or {})}
    return {name: value for name, value in {**os.environ, **changed}.items() if value is not None}
