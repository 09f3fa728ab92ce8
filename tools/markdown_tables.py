"""Markdown for the tables of the pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from tess_openai.core.jsons import JSONObject

_MAX_LENGTH: Final = 90


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table.

    Raises:
        ValueError: A cell contains a line break.
    """
    lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
    for line in lines:
        if "\n" in line:
            raise ValueError(f"a line break ends a row of a table: {line!r}")
    return "\n".join(lines)


def fields(body: JSONObject) -> str:
    """Return the fields of a body, one on each line of a cell."""
    return "<br>".join(code(f"{name}={json_text(value)}") for name, value in body.items())


def lines(items: Iterable[object]) -> str:
    """Return JSON values, one on each line of a cell."""
    return "<br>".join(code(json_text(item)) for item in items)


def listed(names: Iterable[str]) -> str:
    """Return names as a list in a sentence."""
    return ", ".join(code(name) for name in sorted(names))


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def code(text: str) -> str:
    """Return a text as code."""
    return f"`{escaped(text)}`"


def escaped(text: str) -> str:
    """Return a text in which no character ends a cell."""
    return text.replace("|", "\\|")


def short(text: str) -> str:
    """Return a text on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_LENGTH else f"{line[:_MAX_LENGTH]} ..."
