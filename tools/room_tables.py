"""Tables of the rooms of the package: what each is for, and what it imports, as read from its source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from markdown_tables import code, table

PACKAGE: Final = Path(__file__).parents[1] / "tess_openai"
ROOMS: Final = {
    "*.py": "the factories, their options, and what users import",
    "presets/": "the frameworks, each through its own public hook",
    "edge/": "the two HTTP families, the drivers of a call, warnings at the caller's line",
    "core/": "what Tess and OpenAI mean; no I/O, no clock, no environment",
    "gateway/": "the adapter behind an ASGI application, behind an extra",
    "testing/": "the simulated Tess, which shares no rule with the adapter",
    "cli/": "the command line, behind an extra",
}
CORE_ROOMS: Final = {
    "*.py": "what all rooms share; and above the rooms the routes, which choose a flow, and the chat call",
    "schemas/": "JSON Schemas: compiled, checked, and values coerced to them",
    "chat/": "a chat request for Tess, and its answer as OpenAI would give it",
    "emulate/": "what Tess lacks, done over plain messages",
    "long_answers/": "answers fetched as streams, and one that was cut joined with what continues it",
    "completions/": "legacy completions, over chat calls",
    "responses/": "the Responses API, over chat calls, and the store of earlier responses",
}
"""A room may import the rooms above it; the shared modules that import a room are above all rooms."""


def rooms() -> str:
    """List what each part of the package imports, as read from its source."""
    return _rooms(PACKAGE, ROOMS)


def core_rooms() -> str:
    """List what each room of the core imports, as read from its source."""
    return _rooms(PACKAGE / "core", CORE_ROOMS)


def _rooms(folder: Path, purposes: Mapping[str, str]) -> str:
    prefix = f"{folder.relative_to(PACKAGE.parent).as_posix()}/"
    rows: list[tuple[str, str, str]] = []
    for room, purpose in purposes.items():
        files = folder.glob("*.py") if room == "*.py" else (folder / room).rglob("*.py")
        imported = {name for file in files for name in _imports(file)}
        found = sorted({_room(name, prefix, purposes) for name in imported} - {room.rstrip("/")})
        rows.append((code(f"{prefix}{room}"), purpose, ", ".join(found) or "the standard library only"))
    return table(("part", "purpose", "imports, besides the standard library"), rows)


def _room(module: str, prefix: str, purposes: Mapping[str, str]) -> str:
    """Return the room that a module is in, or the name of its package when it is another package's."""
    parent = prefix.replace("/", ".")
    if not f"{module}.".startswith(parent):
        return module.partition(".")[0]
    part = module.removeprefix(parent).partition(".")[0]
    return part if f"{part}/" in purposes else "*.py"


def _imports(file: Path) -> Iterable[str]:
    """Yield the modules outside the standard library that a file imports, in functions too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and _is_for_types(node)]
    left_out = {inner for node in for_types for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if node in left_out:
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module]
            if node.module == "tess_openai":
                names = [f"tess_openai.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.partition(".")[0] not in sys.stdlib_module_names)


def _is_for_types(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
