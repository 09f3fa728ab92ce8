"""The layers of the package hold when it runs, not only in the linter's eyes."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tess_openai

CORE_ROOMS = ["schemas", "chat", "long_answers", "emulate", "completions", "responses"]
"""Each imports no room after it."""
BLOCKED = ["openai", "httpx", "httpx2", "pydantic"]

PROLOGUE = """
import sys
before = set(sys.modules)
sys.path.append(sys.argv[1])
sys.modules.update(dict.fromkeys(sys.argv[2:]))
"""
EPILOGUE = """
loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module} - before
foreign = sorted(loaded - sys.stdlib_module_names - {"tess_openai"})
print(f"also {foreign}" if foreign else "only the standard library")
"""
IMPORT_PACKAGE = "import tess_openai"
IMPORT_PRESETS = "import tess_openai.presets"
IMPORT_ALL_OF_CORE = """
import importlib, pkgutil, tess_openai.core
for module in pkgutil.walk_packages(tess_openai.core.__path__, "tess_openai.core."):
    importlib.import_module(module.name)
"""


@pytest.mark.parametrize(
    "program",
    [IMPORT_PACKAGE, IMPORT_PRESETS, IMPORT_ALL_OF_CORE],
    ids=["tess_openai", "presets", "all of core"],
)
def test_import_needs_only_the_standard_library(program: str, tmp_path: Path) -> None:
    """Importing the package costs milliseconds, and core cannot come to depend on an HTTP library."""
    assert import_in_fresh_process(program, tmp_path, blocked=BLOCKED) == "only the standard library"


def test_the_check_of_imports_sees_what_it_looks_for(tmp_path: Path) -> None:
    """A third-party import is found, blocked or not."""
    assert import_in_fresh_process("import openai", tmp_path, blocked=[]).startswith("also ")
    assert "ModuleNotFoundError" in import_in_fresh_process("import openai", tmp_path, blocked=BLOCKED)


def test_public_names_are_the_exported_ones() -> None:
    """`__all__` names all that is public, and every name in it is there, lazy or not."""
    for name in tess_openai.__all__:
        getattr(tess_openai, name)
    public = {
        name
        for name, value in vars(tess_openai).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    } - {"annotations", "TYPE_CHECKING"}
    assert public <= set(tess_openai.__all__) <= set(dir(tess_openai))


def test_each_room_of_the_core_has_its_place() -> None:
    """A new one would be held to no order otherwise."""
    rooms = {file.parent.name for file in core_folder().glob("*/__init__.py")}
    assert rooms == set(CORE_ROOMS)


@pytest.mark.parametrize("room", CORE_ROOMS)
def test_a_room_of_the_core_imports_only_rooms_before_it(room: str) -> None:
    """Chat knows nothing of emulation, and neither of the APIs that are translated to chat."""
    allowed = set(CORE_ROOMS[: CORE_ROOMS.index(room) + 1])
    for file in (core_folder() / room).rglob("*.py"):
        imported = {name.split(".")[2] for name in core_imports(file)}
        assert imported & set(CORE_ROOMS) <= allowed, file.name


def test_no_two_modules_of_the_core_import_each_other() -> None:
    """There is no circle of imports, even within functions or for types."""
    folder = core_folder()
    graph: dict[str, set[str]] = {}
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder).with_suffix("").parts
        graph[".".join(("tess_openai", "core", *parts))] = core_imports(file)
    below: set[str] = set()
    while ready := {name for name, imported in graph.items() if imported & graph.keys() <= below} - below:
        below |= ready
    assert graph.keys() - below == set()


def core_folder() -> Path:
    """Return the folder of the core, wherever the package is installed."""
    (folder,) = importlib.import_module("tess_openai.core").__path__
    return Path(folder)


def core_imports(file: Path) -> set[str]:
    """Return the modules of the core that a file imports, `{"tess_openai.core.jsons"}`."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name for name in names if name.startswith("tess_openai.core.")}


def import_in_fresh_process(program: str, folder: Path, *, blocked: list[str]) -> str:
    """Run imports in a process of their own and say what else than the standard library they loaded."""
    spec = importlib.util.find_spec("tess_openai")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    parent = Path(spec.submodule_search_locations[0]).parent
    ended = subprocess.run(
        [sys.executable, "-c", f"{PROLOGUE}{program}{EPILOGUE}", str(parent), *blocked],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return (ended.stdout + ended.stderr).strip()
