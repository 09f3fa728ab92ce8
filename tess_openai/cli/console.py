"""What goes to the terminal, and what comes from it: answers to stdout, everything about them to stderr.

Colours are off where the stream is no terminal or `NO_COLOR` is set.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tess_openai.core.jsons import dump_json

_PIPE_WIDTH: Final = 110


def prepare_streams() -> None:
    """Let no character end the program, and let a closed stream be an empty one.

    What the terminal or the file cannot hold becomes a question mark: by then the call may be paid.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed with <&- or >&-
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the program
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def read_piped() -> str:
    """Return the text that is piped into the program; `""` at a terminal. It is read as UTF-8."""
    if sys.stdin.isatty():
        return ""
    raw = sys.stdin.buffer.read()
    return raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").strip("\n")


def well_formed(text: str) -> str:
    """Return an argument of the command line, whose bytes need not be UTF-8, as text that can be sent."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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


def print_text(text: Text) -> None:
    """Print a long text with its lines as they are; where there are no colours without looking for any."""
    console = out()
    if console.color_system is None:
        sys.stdout.write(text.plain)
        sys.stdout.flush()
    else:
        console.print(text, end="", soft_wrap=True)


def print_json(value: object) -> None:
    """Print one JSON value on one line, for programs; in UTF-8, whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(dump_json(value) + b"\n")
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
