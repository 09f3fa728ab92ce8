"""A strict local Tess to test programs against: a model of documented and reported behaviour.

It refuses what Tess is not documented to accept and can misbehave on demand. Serve it on a loopback
port (`TessSimulator.serve`), use it in-process as the transport of a client (`transport`,
`async_transport`), or use the pytest fixture `tess_simulator`.

The names below are imported by their first use, because pytest imports this package in every run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tess_openai.testing import faults
    from tess_openai.testing.faults import Fault
    from tess_openai.testing.records import RecordedRequest
    from tess_openai.testing.server import SimulatorServer
    from tess_openai.testing.simulated_agents import DEFAULT_AGENTS, SimulatedAgent, SimulatedQuestion
    from tess_openai.testing.simulator import TessSimulator
    from tess_openai.testing.simulator_profile import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Profile

__all__ = [
    "DEFAULT_AGENTS",
    "SIMULATOR_API_KEY",
    "SIMULATOR_WORKSPACE_ID",
    "Fault",
    "Profile",
    "RecordedRequest",
    "SimulatedAgent",
    "SimulatedQuestion",
    "SimulatorServer",
    "TessSimulator",
    "faults",
]

_HOMES = {
    "DEFAULT_AGENTS": "simulated_agents",
    "SimulatedQuestion": "simulated_agents",
    "SimulatedAgent": "simulated_agents",
    "Fault": "faults",
    "SIMULATOR_API_KEY": "simulator_profile",
    "SIMULATOR_WORKSPACE_ID": "simulator_profile",
    "Profile": "simulator_profile",
    "RecordedRequest": "records",
    "SimulatorServer": "server",
    "TessSimulator": "simulator",
}


if not TYPE_CHECKING:  # else a type checker would accept every name

    def __getattr__(name: str) -> object:
        if name == "faults":
            return importlib.import_module(f"{__name__}.faults")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
