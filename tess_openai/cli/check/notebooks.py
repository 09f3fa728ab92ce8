"""Reads a notebook as one module: the code of its cells, and which lines are which cell's."""

from __future__ import annotations

import ast
import json
import re
from typing import Final

from tess_openai.core.jsons import to_list, to_object

NOTEBOOK: Final = ".ipynb"
_RUNNING: Final = r"(?:time|timeit|prun|memit)"
_OPTIONS: Final = r"(?:-\w+(?:[ \t]+\d+)?[ \t]+)*"
_MAGIC_BEFORE_CODE: Final = re.compile(rf"^([ \t]*)(%{_RUNNING}[ \t]+{_OPTIONS})(?=\S)", re.MULTILINE)
_CODE_CELL: Final = re.compile(rf"\s*%%(?:{_RUNNING}|capture)\b")
_VARIABLE: Final = re.compile(r"^([ \t]*)%(?:set_)?env[ \t]+(\w+)[^\n]*", re.MULTILINE)
_COMMAND: Final = re.compile(
    r"^([ \t]*(?:[\w.,][\w., \t]*=[ \t]*)?)[%!?](?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE
)
"""Magics and shell commands, also `files = !ls` and those that go on behind a backslash, and `?name`."""
_HELP: Final = re.compile(r"^([ \t]*)(?=\S)[^\n#'\"]*\?[ \t]*$", re.MULTILINE)


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
    if code.lstrip().startswith("%%") and not _CODE_CELL.match(code):
        return "\n" * code.count("\n")
    return code if _is_python(code) else _without_commands(code)


def _without_commands(code: str) -> str:
    """Return code without what is for IPython alone, each line and column of the rest in its place."""
    code = _MAGIC_BEFORE_CODE.sub(lambda found: found[1] + "0;".ljust(len(found[2])), code)
    code = _VARIABLE.sub(r'\1setenv("\2")', code)
    code = _COMMAND.sub(lambda found: found[1] + "None" + "\n" * found[0].count("\n"), code)
    return _HELP.sub(r"\1pass", code)


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
