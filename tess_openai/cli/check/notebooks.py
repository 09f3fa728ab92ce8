"""Reads a notebook as one module: the code of its cells, and which lines are which cell's."""

from __future__ import annotations

import ast
import json
import re
from typing import Final

from tess_openai.core.jsons import to_list, to_object

NOTEBOOK: Final = ".ipynb"
_NOT_PYTHON: Final = re.compile(r"^(\s*)(?:[%!?]|.*\?\s*$)", re.MULTILINE)
"""Lines for IPython: magics, shell commands, help."""


def read_notebook(text: str) -> tuple[str, list[tuple[int, int]], list[int]]:
    """Return the code of a notebook, where its cells begin, and the cells that are no Python.

    Shape of the second: `[(first line, number of the code cell)]`, both from 1. A cell that is no Python,
    such as one of another language's magic, is left empty.

    Raises:
        ValueError: The text is no notebook.
    """
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no notebook: {error}") from None
    cells = to_list((to_object(found) or {}).get("cells"))
    if cells is None:
        raise ValueError("no notebook: it has no cells")
    lines: list[str] = []
    begins: list[tuple[int, int]] = []
    broken: list[int] = []
    number = 0
    for cell in cells:
        fields = to_object(cell) or {}
        if fields.get("cell_type", "code") != "code":
            continue
        number += 1
        source = _source_of(fields.get("source"))
        if not _is_python(source):
            broken.append(number)
            source = "\n" * source.count("\n")
        begins.append((len(lines) + 1, number))
        lines += source.split("\n")
    return "\n".join(lines), begins, broken


def _source_of(given: object) -> str:
    parts = to_list(given)
    text = given if parts is None else "".join(part for part in parts if isinstance(part, str))
    code = text.replace("\r\n", "\n") if isinstance(text, str) else ""
    if code.lstrip().startswith("%%") and not code.lstrip().startswith(("%%time", "%%capture", "%%timeit")):
        return "\n" * code.count("\n")
    return _NOT_PYTHON.sub(r"\1pass #", code)


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
