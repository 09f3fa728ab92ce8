"""Run real clients against the gateway, as their users start them, in environments of their own.

    python tools/clients.py

npm installs the clients that are written in JavaScript, as `requirements/clients/package.json` names them.
aider pins all its requirements, so it has an environment of its own. Without npm, the tests that need it are
skipped.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from environment import ROOT, VENV, CommandError, install, interpreter, run, uv
from lanes import HTTPX2, LANES_DIR, PINS_DIR, Lane, main

GATEWAY: Final = Lane(
    name="gateway",
    needs=(
        "openai==3.54.0",
        *("httptools", "prometheus-client", "starlette", "uvicorn", "uvloop", "tomli"),
        *HTTPX2,
        "llm",
    ),
    program=("-I", "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider", "tests/clients"),
)
AIDER_PINS: Final = PINS_DIR / "aider.txt"
NODE: Final = LANES_DIR / "node"
NAMED: Final = ROOT / "requirements" / "clients" / "package.json"


def install_node_clients() -> Path | None:
    """Install the JavaScript clients; return their folder, or None where there is no npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    NODE.mkdir(parents=True, exist_ok=True)
    shutil.copy(NAMED, NODE)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock")
    run([npm, "install", "--prefix", str(NODE), *quiet])
    return NODE / "node_modules"


def install_aider() -> Path:
    """Make the environment of aider; return the path of its program."""
    environment = LANES_DIR / "aider"
    uv("venv", "--clear", "--no-project", "--python", str(interpreter(VENV)), str(environment))
    install(interpreter(environment), "--no-deps", "--requirement", str(AIDER_PINS))
    return interpreter(environment).with_name("aider")


if __name__ == "__main__":
    try:
        os.environ["CLIENTS_NODE_MODULES"] = str(install_node_clients() or "")
        os.environ["CLIENTS_AIDER"] = str(install_aider())
    except CommandError as error:
        sys.exit(str(error))
    sys.exit(main((GATEWAY,), "Run real clients against the gateway."))
