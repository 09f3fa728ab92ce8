"""Run the commands that a page of the command line shows, and write what they print into the page.

    python tests/cli/capture.py

A block of the language `console` begins with `$ tess-openai ...`; the lines below are its output. Blocks of
code with a title are files in the folder in which the commands run.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "cli").glob("*.md"))
COMMAND = re.compile(
    r"^```console(?P<options>[^\n]*)\n\$ (?P<command>[^\n]*tess-openai [^\n]*)\n(?P<output>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
TITLED = re.compile(r"^```\w+ title=\"(?P<name>[^\"]+)\"\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGING = {
    r"127\.0\.0\.1:\d+": "127.0.0.1:8765",
    r"\b\d+\.\d+ s\b": "0.12 s",
    r"(\"seconds\w*\": )\d+\.\d+": r"\g<1>0.12",
    r"\b\d\d:\d\d:\d\d\b": "12:00:00",
    r"\b20\d\d-\d\d-\d\d\b": "2026-11-23",
    r"openai \d+\.\d+\.\d+ with [\w ]+": "openai 3.54.0 with httpx2",
    r"[ \t]+$": "",
}
"""What differs from run to run, and what replaces it in a page."""

_OWN = re.compile(r"^(TESS|OPENAI|SSL)_|_PROXY$", re.IGNORECASE)
"""Settings of the developer who renews the pages; readers do not have them."""


def captured(page: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return a page with the output of its commands as it is now."""
    for file in TITLED.finditer(page):
        (folder / file["name"]).write_text(file["text"])

    def run(block: re.Match[str]) -> str:
        if block["command"].startswith("tess-openai simulate") and "--help" not in block["command"]:
            return as_block(block, served(block["command"].split(), folder, environment))
        ended = subprocess.run(  # noqa: S602 - the pages' own commands
            block["command"],
            shell=True,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return as_block(block, ended.stdout)

    return COMMAND.sub(run, page)


def as_block(block: re.Match[str], output: str) -> str:
    """Return a block with its output, without what differs from run to run."""
    for pattern, word in CHANGING.items():
        output = re.sub(pattern, word, output, flags=re.MULTILINE)
    return f"```console{block['options']}\n$ {block['command']}\n{output.strip()}\n```"


def served(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Start the simulator, send it three requests, stop it, and return what it printed."""
    lines: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(program.stdout.readline())
        root = next(line.strip().partition("=")[2] for line in lines if "TESS_BASE_URL" in line)
        for more in ({}, {}, {"seed": 7}):
            post(f"{root}/agents/42/openai/chat/completions", more)
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate(timeout=30)
    return "".join(lines) + rest


def post(url: str, more: Mapping[str, object]) -> None:
    """Make one chat call, without the adapter."""
    body = {"messages": [{"role": "user", "content": "Hello"}], **more}
    headers = {
        "authorization": f"Bearer {SIMULATOR_API_KEY}",
        "x-workspace-id": str(SIMULATOR_WORKSPACE_ID),
        "content-type": "application/json",
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - loopback
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:  # noqa: S310 - the URL of a loopback server
        answer.read()


def environment_for(simulator: TessSimulator) -> dict[str, str]:
    """Return what the reader of a page has set."""
    scripts = str(Path(sys.executable).parent)
    return {
        **{name: value for name, value in os.environ.items() if not _OWN.search(name)},
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT / "tests" / "guard"),
        "COLUMNS": "100",
        "TERMINAL_WIDTH": "100",
        "TESS_BASE_URL": simulator.base_url,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_AGENT_ID": "42",
        "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
    }


def main() -> None:
    """Renew all pages."""
    for page in PAGES:
        folder = Path(tempfile.mkdtemp())
        with TessSimulator() as simulator, simulator.serve():
            page.write_text(captured(page.read_text(), folder, environment_for(simulator)))
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
