"""Make this project's own environment in `.venv`, from nothing but Python and a package index.

uv installs the packages, because it is fast; pip installs uv from its wheel. uv does not read pip's
configuration, so this module translates it for uv. Where uv cannot install, pip does.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
VENV: Final = ROOT / ".venv"
PINS: Final = ROOT / "requirements" / "dev.txt"
OLDEST_PYTHON: Final = (3, 10)

UV_NAMES: Final = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}
"""For each option of pip, the variable of uv with the same meaning, and the separator of several values."""

UV_LIKE_PIP: Final = {
    "UV_INDEX_STRATEGY": "unsafe-best-match",  # pip treats all indexes as one
    "UV_SYSTEM_CERTS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_NO_CONFIG": "1",
}


class CommandError(Exception):
    """A command that failed; its text is the command's own output."""


def main() -> None:
    """Make or renew `.venv`, and say how long it took."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Python 3.10 or newer is needed; {sys.executable} is {sys.version.split()[0]}")
    started = time.monotonic()
    python = interpreter(VENV)
    try:
        if not _has_pip(python):
            run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        run([str(python), "-m", "pip", "install", "--quiet", "--constraint", str(PINS), "uv"])
        install(python, "--exact", "--requirement", str(PINS))
        install(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    except CommandError as error:
        sys.exit(str(error))
    (VENV / ".ready").touch()
    version = run([str(python), "--version"]).strip()
    print(f"environment ready in {time.monotonic() - started:.0f} s: {VENV.name} with {version}")


def interpreter(venv: Path) -> Path:
    """Return the Python of a virtual environment, whether it is there or not."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(python: Path, *arguments: str) -> None:
    """Install into the environment of `python`: with uv, or with pip where uv cannot.

    Args:
        python: The interpreter of the environment to install into.
        arguments: The arguments of `uv pip install`. pip has no `--exact`, so pip removes no packages.
    """
    try:
        uv("pip", "install", "--python", str(python), *arguments)
    except CommandError as error:
        print(f"uv could not install, so pip is used.\n{error}", file=sys.stderr)
        known = [argument for argument in arguments if argument != "--exact"]
        pip = [str(interpreter(VENV)), "-m", "pip", "--python", str(python)]
        run([*pip, "install", "--quiet", *known])


def uv(*arguments: str) -> str:
    """Run the environment's own uv as pip is configured; return what it printed."""
    python = str(interpreter(VENV))
    pip_options = run([python, "-m", "pip", "config", "list"])
    variables = {**UV_LIKE_PIP, **to_uv_variables(pip_options), **os.environ}
    return run([python, "-m", "uv", "--quiet", *arguments], variables)


def to_uv_variables(pip_options: str) -> dict[str, str]:
    """Translate what `pip config list` prints, files and variables alike, to uv's variables."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in pip_options.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in sections and option in UV_NAMES:
            sections[section][option] = str(ast.literal_eval(value))
    merged = {**sections["global"], **sections["install"], **sections[":env:"]}
    return {
        variable: separator.join(merged[option].split())
        for option, (variable, separator) in UV_NAMES.items()
        if option in merged
    }


def run(command: list[str], variables: dict[str, str] | None = None) -> str:
    """Run a command in the root of the project and return its output.

    Raises:
        CommandError: There is no such program, or it ended with another status than 0.
    """
    try:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise CommandError(str(error)) from error
    if ended.returncode != 0:
        raise CommandError(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}".strip())
    return ended.stdout


def _has_pip(python: Path) -> bool:
    try:
        run([str(python), "-m", "pip", "--version"])
    except CommandError:
        return False
    return True


if __name__ == "__main__":
    main()
