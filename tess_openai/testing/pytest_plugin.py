"""Fixtures for pytest, which finds them by itself; nothing heavy is imported before one is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tess_openai.testing import Profile, TessSimulator


@pytest.fixture
def tess_simulator_profile() -> Profile:
    """Return the strict profile; override this fixture for another one."""
    from tess_openai.testing import Profile

    return Profile.strict()


@pytest.fixture
def tess_simulator(tess_simulator_profile: Profile) -> Iterator[TessSimulator]:
    """Serve a fresh simulated Tess on a loopback port: `tess_simulator.base_url`."""
    from tess_openai.testing import TessSimulator

    with TessSimulator(profile=tess_simulator_profile) as simulator:
        simulator.serve()
        yield simulator


@pytest.fixture
def tess_environment(tess_simulator: TessSimulator, monkeypatch: pytest.MonkeyPatch) -> TessSimulator:
    """Point the `TESS_*` environment at `tess_simulator` and its agent 42."""
    from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID

    monkeypatch.setenv("TESS_BASE_URL", tess_simulator.base_url)
    monkeypatch.setenv("TESS_API_KEY", SIMULATOR_API_KEY)
    monkeypatch.setenv("TESS_AGENT_ID", "42")
    monkeypatch.setenv("TESS_WORKSPACE_ID", str(SIMULATOR_WORKSPACE_ID))
    return tess_simulator
