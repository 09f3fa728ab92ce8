"""What a client of the gateway gets: an address and a key."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tess_openai.testing import TessSimulator

KEY = "gw-0123456789abcdef0123456789"
PROGRAM_SECONDS = 150
"""Some programs look for news on the net first, and give up when there is none."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a program gets: an address and a key.

    Attributes:
        url: Up to `/v1`.
        home: A folder in which the program keeps its settings.
        simulator: The Tess behind it.
    """

    url: str
    home: Path
    simulator: TessSimulator

    def run(self, command: list[str], *, folder: Path | None = None, given: str = "", **more: str) -> str:
        """Run a program as its user does, with nothing else in its environment; return what it prints."""
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GATEWAY_URL": self.url,
            "GATEWAY_KEY": KEY,
            "TERM": "dumb",
            **more,
        }
        ended = subprocess.run(
            command,
            cwd=folder or self.home,
            env=variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def answers(self, command: list[str], **options: Any) -> dict[str, Any]:
        """Run a program that prints a name and an answer on each line."""
        return dict(json.loads(line) for line in self.run(command, **options).splitlines())
