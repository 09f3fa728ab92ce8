"""Read prompts at a terminal: one line, several lines, or a text that is pasted."""

from __future__ import annotations

import contextlib
import importlib
import sys
from typing import Final

PROMPT: Final = "> "
MORE: Final = ". "
FENCE: Final = '"""'
_PASTE_SECONDS: Final = 0.05
"""A line that follows within this time was pasted: typing one takes longer."""


class PromptInput:
    """Reads prompts. A pasted text is one prompt, even if it has several lines.

    The terminal marks the beginning and the end of a pasted text for GNU readline (bracketed paste). With
    libedit or on Windows, lines that can be read at once belong to the line before them.
    """

    def __init__(self) -> None:
        self._knows_pastes = False
        with contextlib.suppress(ImportError):
            readline = importlib.import_module("readline")  # input() then has a history, and can be edited
            self._knows_pastes = "libedit" not in (readline.__doc__ or "")
            readline.parse_and_bind("set enable-bracketed-paste on")

    def read(self) -> str:
        """Read one prompt: a line, lines joined by backslashes, a text between three quotes, or a paste.

        Raises:
            EOFError: The user pressed Ctrl-D.
            KeyboardInterrupt: The user pressed Ctrl-C.
        """
        line = self._read_line(PROMPT)
        lines: list[str] = []
        if line.strip() == FENCE:
            while (line := input(MORE)).strip() != FENCE:
                lines.append(line)
            return "\n".join(lines)
        while line.endswith("\\"):
            lines.append(line[:-1])
            line = self._read_line(MORE)
        return "\n".join([*lines, line])

    def discard_rest(self) -> None:
        """Discard input that was typed and not read, so that the shell does not execute it."""
        with contextlib.suppress(Exception):  # not a terminal, or not Unix
            termios = importlib.import_module("termios")
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    def _read_line(self, prompt: str) -> str:
        lines = [input(prompt)]
        while not self._knows_pastes and _is_more_there():
            lines.append(input())
        return "\n".join(lines)


def _is_more_there() -> bool:
    """Whether another line can be read at once."""
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.kbhit()
    import select

    return bool(select.select([sys.stdin], [], [], _PASTE_SECONDS)[0])
