"""Stopping the served simulator, however its shell started it."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

COMMANDS = {
    "python -m": [sys.executable, "-u", "-m", "tess_openai.testing", "--port", "0"],
    "tess-openai": [
        sys.executable,
        "-u",
        "-c",
        "import sys; from tess_openai.cli import main; sys.exit(main(sys.argv[1:]))",
        "simulate",
        "--port",
        "0",
    ],
}


def ignore_interrupts() -> None:
    """Do what a shell does to a program that it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", COMMANDS)
def test_it_stops_in_the_background_too(name: str, stop: signal.Signals) -> None:
    """It prints its last line and ends with status 0, although the program inherited an ignored SIGINT."""
    if name == "tess-openai":
        pytest.importorskip("typer")
    with subprocess.Popen(
        COMMANDS[name],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=ignore_interrupts,  # noqa: PLW1509 - it calls nothing but the system
    ) as program:
        assert program.stdout is not None
        while "Ctrl-C" not in program.stdout.readline():
            pass
        program.send_signal(stop)
        shown, _ = program.communicate(timeout=30)
    assert program.returncode == 0
    assert shown.endswith("stopped\n")
