"""The layers of the package hold when it runs, not only in the linter's eyes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tess_openai

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
