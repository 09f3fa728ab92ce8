"""The command line against a simulated Tess."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checking import Check, writing_check
from programs import COMMAND, Ended, Program, Terminal, environment

from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the extra where it is not installed."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.needs("typer", "rich"))


@pytest.fixture
def simulated(tess_simulator: TessSimulator) -> dict[str, str]:
    """What a user has set: everything right, for the simulated Tess."""
    return {
        "TESS_BASE_URL": tess_simulator.base_url,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_AGENT_ID": "42",
        "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
    }


@pytest.fixture
def tess_openai(tmp_path: Path, simulated: dict[str, str]) -> Program:
    """Run the command: `tess_openai("chat", "Hello", TESS_API_KEY="x", stdin="...")`."""

    def run(
        *arguments: str,
        stdin: str = "",
        folder: Path = tmp_path,
        timeout: float = 60,
        **variables: str | None,
    ) -> Ended:
        ended = subprocess.run(
            [*COMMAND, *arguments],
            cwd=folder,
            env=environment({**simulated, **variables}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert SIMULATOR_API_KEY not in ended.stdout + ended.stderr
        return ended

    return run


@pytest.fixture
def open_terminal(tmp_path: Path, simulated: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Start the command at a pseudo-terminal: `open_terminal("chat")`; it ends with the test."""
    opened: list[Terminal] = []

    def run(*arguments: str, **variables: str) -> Terminal:
        opened.append(Terminal(*arguments, folder=tmp_path, variables={**simulated, **variables}))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write files and check them: `check({"a.py": "..."}, agent=...)`."""
    return writing_check(tmp_path)
