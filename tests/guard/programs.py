"""The real command line, in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

COMMAND = (str(Path(sysconfig.get_path("scripts")) / "tess-openai"),)
Ended: TypeAlias = "subprocess.CompletedProcess[str]"
Program: TypeAlias = Callable[..., Ended]


def environment(variables: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Return this process's environment with others set, or with None removed; no way out of loopback."""
    changed = {"PYTHONPATH": str(Path(__file__).parent), **(variables or {})}
    return {name: value for name, value in {**os.environ, **changed}.items() if value is not None}


def hear_interrupts() -> None:
    """Give a program the default handler of Ctrl-C before it starts (`preexec_fn`).

    A shell that starts the suite in the background ignores SIGINT, and programs inherit that: without this,
    the tests that press Ctrl-C wait for ever under `nohup make test &`.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A program at a pseudo-terminal."""

    def __init__(self, *arguments: str, folder: Path, variables: dict[str, str]) -> None:
        import fcntl
        import pty
        import termios

        def take_terminal() -> None:
            hear_interrupts()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # without it Ctrl-C is a letter

        self.ours, theirs = pty.openpty()
        self.program = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=folder,
            env=environment({**variables, "TERM": "dumb", "INPUTRC": os.devnull}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - it calls nothing but the system
        )
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str) -> str:
        """Read until a text appears; return all that came up to it."""
        assert self._shows(text, seconds=30), f"{text!r} did not come: {self.shown!r}"
        before, _, self.shown = self.shown.partition(text)
        return before

    def _shows(self, text: str, seconds: float) -> bool:
        """Read until a text appears, the time is over or the program has gone; tell whether it appeared."""
        import select

        until = time.monotonic() + seconds
        while text not in self.shown and time.monotonic() < until:
            if select.select([self.ours], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.ours, 4096).decode(errors="replace")
                except OSError:  # Linux's way to say that the program has gone
                    break
        return text in self.shown

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self.ours, f"{text}\n".encode())

    def paste(self, text: str) -> None:
        """Paste a text as a terminal does that was asked to mark what is pasted."""
        lines = text.replace("\n", "\r")
        os.write(self.ours, f"\x1b[200~{lines}\x1b[201~".encode())

    def press(self, key: str) -> None:
        """Press Ctrl and a key."""
        os.write(self.ours, bytes([ord(key) - ord("@")]))

    def interrupt(self, text: str) -> None:
        """Press Ctrl-C until a text appears, as a person does.

        Python's `input()` looks for signals only once it waits: one that comes between its prompt and its
        wait is noticed at the next key.
        """
        for _ in range(6):
            self.press("C")
            if self._shows(text, seconds=5):
                break
        self.wait_for(text)

    def close(self) -> None:
        """End it, whatever it does."""
        self.program.kill()
        self.program.wait()
        os.close(self.ours)
