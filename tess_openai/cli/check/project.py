"""The files that are read, and which dotted name is which of them."""

from __future__ import annotations

import os
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tess_openai.cli.check.libraries import LIBRARIES, WORDS
from tess_openai.cli.check.scopes import Module, read_module

SKIPPED: Final = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env", ".tox", ".git"}
)
NOTEBOOK: Final = ".ipynb"
NOTEBOOKS: Final = "jupyter nbconvert --to script makes it Python"
_MENTIONS: Final = re.compile("|".join(map(re.escape, WORDS)), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read, and why."""

    path: str
    why: str


@dataclass(slots=True)
class Project:
    """All files below the given paths; each is parsed when it is first needed.

    Attributes:
        files: As they are shown -> where they are.
        names: By which they are imported -> as they are shown.
        unreadable: Grows as they are read.
        notebooks: How many stand beside them in folders.
    """

    files: dict[str, Path]
    names: dict[str, str]
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    notebooks: int = 0
    _modules: dict[str, Module | None] = field(default_factory=dict[str, "Module | None"])

    def modules(self) -> Iterator[Module]:
        """Parse and give each file that mentions anything of OpenAI's."""
        for shown in self.files:
            module = self._load(shown, only_if_it_mentions=True)
            if module is not None:
                yield module

    def find(self, name: str) -> Module | None:
        """Return the module of a dotted name, as far as it is one of the files."""
        shown = self.names.get(name)
        return None if shown is None else self._load(shown, only_if_it_mentions=False)

    def _load(self, shown: str, *, only_if_it_mentions: bool) -> Module | None:
        if shown in self._modules:
            return self._modules[shown]
        file = self.files[shown]
        if file.suffix == NOTEBOOK:  # it is JSON, and as Python it would be one dict without any call
            self._refuse(shown, f"a notebook; {NOTEBOOKS}")
            return None
        try:
            with tokenize.open(file) as opened:
                source = opened.read()
            if only_if_it_mentions and _MENTIONS.search(source) is None:
                return None
            name, is_package = module_name(file)
            module = read_module(source, path=shown, name=name, is_package=is_package)
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            where = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
            message = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            self._refuse(shown, f"{message}{where}")
            return None
        self._modules[shown] = module
        return module

    def _refuse(self, shown: str, why: str) -> None:
        self.unreadable.append(Unreadable(shown, why))
        self._modules[shown] = None


def find_project(paths: Sequence[Path]) -> Project:
    """List the Python files of files and folders; hidden folders, caches and environments are left out."""
    files: dict[str, Path] = {}
    names: dict[str, str] = {}
    notebooks = 0
    for path in paths:
        for file in [path] if path.is_file() else _below(path):
            if file.suffix == NOTEBOOK and file != path:
                notebooks += 1
                continue
            shown = file.as_posix()
            if shown not in files:
                files[shown] = file
                for name in _names_of(file, path):
                    names.setdefault(name, shown)
    return Project(files, names, notebooks=notebooks)


def _names_of(file: Path, root: Path) -> set[str]:
    """Return the names a file may be imported by: of its packages, and of the folders below the root."""
    names = {module_name(file)[0]}
    if root.is_dir():
        parts = list(file.relative_to(root).with_suffix("").parts)
        names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return {name for name in names if name and name.partition(".")[0] not in LIBRARIES}


def module_name(file: Path) -> tuple[str, bool]:
    """Return the dotted name a file is imported by, and whether it is a package's `__init__`.

    Packages are followed upwards as long as they have an `__init__.py`; a file outside of any is a module of
    its own folder.
    """
    file = file.absolute()
    is_package = file.stem == "__init__"
    parts = [] if is_package else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts) or file.parent.name, is_package


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED and (not name.startswith(".") or name == ".")
        )
        here = Path(place)
        if here != folder and (here / "pyvenv.cfg").is_file():
            folders[:] = []
            continue
        for name in sorted(files):
            if (
                name.endswith((".py", ".pyw", NOTEBOOK)) and (here / name).is_file()
            ):  # no pipe, which never ends
                yield here / name
