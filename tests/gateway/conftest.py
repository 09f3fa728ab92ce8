"""The gateway on a loopback port, in front of a simulated Tess."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tess_openai.gateway import create_app
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator
from tests.gateway.running import Gateway, Start, running


@pytest.fixture
def simulator() -> Iterator[TessSimulator]:
    """A simulated Tess on a loopback port."""
    with TessSimulator() as simulator:
        simulator.serve()
        yield simulator


@pytest.fixture
def start(simulator: TessSimulator) -> Start:
    """Start a gateway in front of the simulator, with further options of `create_app`."""

    def make(
        agent_id: int = 42, *, shutdown_seconds: int = 1, **options: Any
    ) -> AbstractContextManager[Gateway]:
        given = {
            "api_key": SIMULATOR_API_KEY,
            "workspace_id": SIMULATOR_WORKSPACE_ID,
            "base_url": simulator.base_url,
            **options,
        }
        return running(create_app(agent_id, **given), shutdown_seconds=shutdown_seconds)

    return make


@pytest.fixture
def gateway(start: Start) -> Iterator[Gateway]:
    """A gateway for this machine."""
    with start() as gateway:
        yield gateway
