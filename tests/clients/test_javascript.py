"""The official SDK for JavaScript and Vercel's AI SDK, given an address and a key."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.clients.door import Door

PROGRAMS = Path(__file__).parent / "programs"


def node(door: Door, node_modules: Path, program: str) -> dict[str, object]:
    """Run a program beside the modules that it imports."""
    (door.home / "node_modules").symlink_to(node_modules)
    shutil.copy(PROGRAMS / program, door.home)
    return door.answers(["node", program])


def test_the_official_sdk(door: Door, node_modules: Path) -> None:
    """Chat, stream, the tools helper, responses, models and errors."""
    assert node(door, node_modules, "openai_sdk.mjs") == {
        "chat": "hello",
        "stream": ["one", " two", " three"],
        "tools": ["it is sunny", ["user", "assistant", "tool", "assistant"], "sunny in Rome"],
        "responses": "hello",
        "responses, continued": "again",
        "responses, stream": ["a b c", True],
        "models": True,
        "error": [True, "endpoint_not_supported"],
    }


def test_vercels_ai_sdk(door: Door, node_modules: Path) -> None:
    """Text, streams, tools and objects work, over the Responses API and over chat completions."""
    wanted: dict[str, object] = {}
    for api in ("responses", "chat"):
        wanted |= {
            f"{api}: generateText": "hello",
            f"{api}: streamText": ["one", " two", " three"],
            f"{api}: tools": ["it is sunny", "sunny in Rome"],
            f"{api}: generateObject": {"name": "Rome", "country": "Italy"},
        }
    assert node(door, node_modules, "ai_sdk.mjs") == wanted
