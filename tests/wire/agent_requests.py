"""What the simulated Tess recorded about agents."""

from __future__ import annotations

from tess_openai.testing import TessSimulator


def requests(simulator: TessSimulator) -> list[str]:
    """Return method and path of each request so far, chats shortened."""
    return [
        f"{each.method} {each.path}".replace("/openai/chat/completions", " chat")
        for each in simulator.requests
    ]
