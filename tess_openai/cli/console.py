"""What goes to the terminal: answers to stdout, everything about them to stderr.

Colours are off where the stream is no terminal or `NO_COLOR` is set.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from rich.console import Console
from rich.table import Table

from tess_openai.core.jsons import dump_json

_PIPE_WIDTH: Final = 110


def out() -> Console:
    """Return the console of stdout."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console of stderr."""
    return _console(stderr=True)


def table(*columns: str) -> Table:
    """Return an empty table in the house's look."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_json(value: object) -> None:
    """Print one JSON value on one line, for programs."""
    sys.stdout.write(dump_json(value).decode() + "\n")
    sys.stdout.flush()


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(
        stderr=stderr,
        width=width,
        color_system=None if os.environ.get("NO_COLOR") else "auto",  # rich alone would still print bold
        highlight=False,
        markup=False,
        emoji=False,
    )
