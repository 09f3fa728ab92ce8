"""Output and input of the command line: answers go to stdout, everything about them to stderr.

Colours are off where the stream is not a terminal or `NO_COLOR` is set. Control characters in titles,
errors and answers are shown on a terminal, not sent to it: an escape sequence could set the clipboard.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tess_openai.core.jsons import dump_json

_PIPE_WIDTH: Final = 110
_SHOWN_AS: Final = {
    **{number: chr(0x2400 + number) for number in range(0x20) if chr(number) not in "\n\t"},
    0x7F: "\u2421",
    **{number: f"\\x{number:02x}" for number in range(0x80, 0xA0)},
}
"""Control characters, C0, DEL and C1, to visible ones."""


def prepare_streams() -> None:
    """Prepare stdin, stdout and stderr so that no character and no closed stream ends the program.

    A character that the terminal or the file cannot hold becomes a question mark: the call may be paid.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed with <&- or >&-
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the program
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def read_piped() -> str:
    """Return the text that is piped into the program, decoded as UTF-8; `""` at a terminal."""
    if sys.stdin.isatty():
        return ""
    raw = sys.stdin.buffer.read()
    return raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").strip("\n")


def well_formed(text: str) -> str:
    """Return an argument of the command line as valid text: its bytes need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def visible(text: str) -> str:
    """Return a text with its control characters made visible; line ends and tabs stay."""
    return text.replace("\r\n", "\n").translate(_SHOWN_AS)


def write_answer(piece: str) -> None:
    """Write a piece of an answer to stdout; on a terminal its control characters are made visible."""
    sys.stdout.write(visible(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()


def without_surrogates(text: str) -> str:
    """Return a text that UTF-8 can encode: pairs of surrogates are joined, a lone one becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def out() -> Console:
    """Return the console of stdout."""
    return _console(stderr=False)


def err() -> Console:
    """Return the console of stderr."""
    return _console(stderr=True)


def table(*columns: str) -> Table:
    """Return an empty table in the style of this program."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_text(text: Text) -> None:
    """Print a long text without wrapping its lines."""
    console = out()
    if console.color_system is None:
        sys.stdout.write(visible(text.plain))
        sys.stdout.flush()
    else:
        console.print(text, end="", soft_wrap=True)


def print_json(value: object) -> None:
    """Print one JSON value on one line, for programs; in UTF-8, whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(dump_json(value) + b"\n")
    sys.stdout.flush()


class _VisibleConsole(Console):
    """A console that shows control characters instead of sending them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of what is printed; rich's own control segments pass."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return _VisibleConsole(
        stderr=stderr,
        width=width,
        color_system=None if os.environ.get("NO_COLOR") else "auto",  # rich alone would still print bold
        highlight=False,
        markup=False,
        emoji=False,
    )
