"""A gateway as its users start it, in front of the simulated Tess with an obedient model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator
from tests.clients.door import KEY, Door
from tests.clients.obedient import obey

if "CLIENTS_NODE_MODULES" not in os.environ:  # set by tools/clients.py, which installs them
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """`tess-openai serve` with a key for its caller and emulation, and nothing else."""
    keys = tmp_path / "keys"
    keys.write_text(f"me {KEY}\n")
    home = tmp_path / "home"
    home.mkdir()
    with TessSimulator() as simulator:
        simulator.script(*[obey] * 100)
        simulator.serve()
        variables = {
            "PATH": os.environ["PATH"],
            "TESS_API_KEY": SIMULATOR_API_KEY,
            "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
            "TESS_BASE_URL": simulator.base_url,
        }
        command = [sys.executable, "-I", "-m", "tess_openai.cli", "serve", "--agent", "42", "--port", "0"]
        command += ["--emulate", "--key-file", str(keys)]
        with subprocess.Popen(
            command, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as gateway:
            try:
                assert gateway.stdout is not None
                found = re.search(r"http://\S+", gateway.stdout.readline())
                assert found is not None
                yield Door(found[0], home, simulator)
            finally:
                gateway.terminate()
                gateway.wait(30)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Where npm has installed the clients from `requirements/clients/package.json`."""
    folder = os.environ.get("CLIENTS_NODE_MODULES", "")
    if not folder:
        pytest.skip("there is no npm on this machine")
    return Path(folder)
