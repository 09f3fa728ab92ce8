"""The pytest fixtures `tess_simulator` and `tess_simulator_profile`; imports nothing heavy at start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tess_openai.testing import Profile, TessSimulator


@pytest.fixture
def tess_simulator_profile() -> Profile:
    """Say how the simulated Tess behaves; override it in a test module or class to say otherwise."""
    from tess_openai.testing import Profile

    return Profile.strict()


@pytest.fixture
def tess_simulator(tess_simulator_profile: Profile) -> Iterator[TessSimulator]:
    """Serve a fresh simulated Tess on a loopback port: `tess_simulator.base_url`."""
    from tess_openai.testing import TessSimulator

    with TessSimulator(profile=tess_simulator_profile) as simulator:
        simulator.serve()
        yield simulator
