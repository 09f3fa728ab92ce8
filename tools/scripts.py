"""Let simulated agents answer with the texts of `scripts/NAME.json` while a recipe runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tess_openai.testing import TessSimulator


def play(simulator: TessSimulator, page: Path) -> None:
    """Let the simulated agents answer with the script of a recipe; without one, their model answers."""
    script = page.parent / "scripts" / f"{page.stem}.json"
    if script.exists():
        texts: list[str] = json.loads(script.read_text())
        simulator.script(*map(_saying, texts))


def _saying(text: str) -> Callable[[dict[str, Any]], str]:
    """Return a script that answers a text, with the marks of the request for `{open}` and `{close}`."""

    def say(body: dict[str, Any]) -> str:
        nonce = re.search(r"<call:(\w+)>", body["messages"][0]["content"])
        if nonce is None:
            return text
        return text.replace("{open}", f"<call:{nonce[1]}>").replace("{close}", f"</call:{nonce[1]}>")

    return say
