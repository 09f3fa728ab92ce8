"""The API reference has every public name, and every public name has a docstring that says what it is."""

from __future__ import annotations

import importlib
import inspect
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tess_openai.client_options import OPTIONS

MODULES = (
    "tess_openai",
    "tess_openai.gateway",
    "tess_openai.presets",
    "tess_openai.testing",
    "tess_openai.testing.faults",
)
NAMES = [f"{module}.{name}" for module in MODULES for name in importlib.import_module(module).__all__]


def _found(name: str) -> object:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _members(thing: object) -> Iterator[tuple[str, object]]:
    """Yield the public methods and properties that a class of this package defines."""
    if inspect.isclass(thing) and thing.__module__.startswith("tess_openai"):
        for name, member in vars(thing).items():
            if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
                yield name, member


def test_every_public_name_is_on_the_reference(site: Path) -> None:
    """The reference shows every exported name."""
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    shown = {line.split(" ")[0] for line in zlib.decompress(inventory).decode().splitlines()}
    assert {name for name in NAMES if name not in shown} - {"tess_openai.testing.faults"} == set()


def test_every_option_is_on_the_reference(site: Path) -> None:
    """It is shown with its type, without the check with which the package annotates it."""
    page = (site / "reference" / "clients.html").read_text()
    section = page.partition('id="tess_openai.TessOptions"')[2]
    assert [name for name in OPTIONS if f">{name}</" not in section] == []
    assert "Annotated" not in section


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_described(name: str) -> None:
    """Its docstring has sentences, and so do those of a class's methods and properties."""
    thing = _found(name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing) or inspect.ismodule(thing)):
        return  # a constant, whose description is beside it in the source
    for member, described in [("itself", thing), *_members(thing)]:
        summary = (inspect.getdoc(described) or "").partition("\n")[0]
        assert summary[-1:] in {".", ":"}, f"{name}, {member}: {summary!r}"
        assert summary[0].isupper(), f"{name}, {member}: {summary!r}"
