"""The files that are read, and which dotted name is which of them."""

from __future__ import annotations

import os
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from tess_openai.cli.check.libraries import LIBRARIES, SINGLE_FILES, WORDS
from tess_openai.cli.check.notebooks import NOTEBOOK, read_notebook
from tess_openai.cli.check.recorder import read_module
from tess_openai.cli.check.scopes import Module, Use

SKIPPED: Final = frozenset(
    {"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env", ".tox", ".git"}
)
Progress: TypeAlias = Callable[[int, int], None]
"""Gets how many are done, and of how many."""
Item = TypeVar("Item")
_PROGRESS_EVERY: Final = 25
MAX_BYTES: Final = 1_000_000
"""Of a file: a longer one, which no person has written, takes Python alone a second to parse. A notebook,
whose pictures count too, may have ten times as much."""

_ASIDE: Final = frozenset(
    {
        *("benchmark", "benchmarks", "cookbook", "cookbooks", "demo", "demos", "doc", "docs", "example"),
        *("examples", "notebook", "notebooks", "sample", "samples", "test", "testing", "tests"),
    }
)
"""Words in the name of a folder that holds no part of the program itself."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read, or not to its end, and why.

    Attributes:
        path: As it was given.
        why: The reason.
        is_partial: Whether the rest of it was read.
    """

    path: str
    why: str
    is_partial: bool = False


@dataclass(slots=True)
class Project:
    """All files below the given paths; each is parsed when it is first needed.

    Attributes:
        files: As they are shown -> where they are.
        names: By which they are imported -> as they are shown.
        aside: Those that are tests or examples, as they are shown.
        unreadable: Grows as they are read.
    """

    files: dict[str, Path]
    names: dict[str, str]
    aside: set[str]
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    _modules: dict[str, Module | None] = field(default_factory=dict[str, "Module | None"])
    _mentioning: list[Module] | None = None
    _calls: dict[str, list[Use]] | None = None

    def modules(self, progress: Progress | None = None) -> list[Module]:
        """Return each file that mentions anything of OpenAI's, and report the reading."""
        if self._mentioning is None:
            shown = counted(list(self.files), progress)
            read = (self._load(each, only_if_it_mentions=True) for each in shown)
            self._mentioning = [module for module in read if module is not None]
        return self._mentioning

    def find(self, name: str) -> Module | None:
        """Return the module of a dotted name, as far as it is one of the files."""
        shown = self.names.get(name)
        return None if shown is None else self._load(shown, only_if_it_mentions=False)

    def calls_of(self, name: str) -> list[Use]:
        """Return the calls of anything of a name, in the files that mention OpenAI."""
        if self._calls is None:
            self._calls = {}
            for module in self.modules():
                for called, uses in module.calls_by_name.items():
                    self._calls.setdefault(called, []).extend(uses)
        return self._calls.get(name, [])

    def _load(self, shown: str, *, only_if_it_mentions: bool) -> Module | None:
        if shown in self._modules:
            return self._modules[shown]
        file = self.files[shown]
        cells: list[tuple[int, int]] = []
        try:
            source = _text_of(file)
            if only_if_it_mentions and not _mentions(source):
                return None
            if file.suffix == NOTEBOOK:
                source, cells, broken = read_notebook(source)
                if broken:
                    listed = ", ".join(map(str, broken))
                    self.unreadable.append(Unreadable(shown, f"no Python in cell {listed}", is_partial=True))
            name, is_package = module_name(file)
            module = read_module(source, path=shown, name=name, is_package=is_package, cells=cells)
            module.is_aside = shown in self.aside
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            where = f" (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else ""
            message = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            self.unreadable.append(Unreadable(shown, f"{message}{where}"))
            self._modules[shown] = None
            return None
        self._modules[shown] = module
        return module


def counted(items: Sequence[Item], progress: Progress | None) -> Iterator[Item]:
    """Yield items, and report now and then how many are done."""
    for number, item in enumerate(items):
        if progress is not None and number and number % _PROGRESS_EVERY == 0:
            progress(number, len(items))
        yield item


def find_project(paths: Sequence[Path]) -> Project:
    """List the Python files and notebooks of files and folders.

    Hidden folders, caches and environments are left out.
    """
    files: dict[str, Path] = {}
    names: dict[str, str] = {}
    aside: set[str] = set()
    for path in paths:
        for file in [path] if path.is_file() else _below(path):
            shown = file.as_posix()
            if shown not in files:
                files[shown] = file
                if _is_aside(file.relative_to(path if path.is_dir() else path.parent)):
                    aside.add(shown)
                for name in _names_of(file, path):
                    names.setdefault(name, shown)
    return Project(files, names, aside)


def _mentions(source: str) -> bool:
    """Whether a file can have a call site; a search for each word is faster than one for all."""
    lowered = source.lower()
    return any(word in lowered for word in WORDS)


def _text_of(file: Path) -> str:
    if file.stat().st_size > MAX_BYTES * (10 if file.suffix == NOTEBOOK else 1):
        raise ValueError(f"longer than {MAX_BYTES:,} bytes")
    if file.suffix == NOTEBOOK:
        return file.read_text(encoding="utf-8")
    with tokenize.open(file) as opened:
        return opened.read()


def _names_of(file: Path, root: Path) -> set[str]:
    """Return the names a file may be imported by: of its packages, and of the folders below the root."""
    if file.suffix == NOTEBOOK:
        return set()
    names = {module_name(file)[0]}
    if root.is_dir():
        parts = list(file.relative_to(root).with_suffix("").parts)
        names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    if file.stem != "__init__":
        names -= SINGLE_FILES
    return {name for name in names if name and name.partition(".")[0] not in LIBRARIES}


def _is_aside(file: Path) -> bool:
    """Whether a file, from where the reading began, is a test or an example by its name or its folders'."""
    *folders, name = (part.lower() for part in file.parts)
    words = {word for folder in folders for word in folder.replace("-", "_").split("_")}
    return bool(words & _ASIDE) or name.startswith(("test_", "conftest")) or name.endswith("_test.py")


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
