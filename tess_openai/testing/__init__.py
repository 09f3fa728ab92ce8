"""A strict local Tess to test programs against: a model of documented and reported behaviour.

It refuses what Tess is not documented to accept and can misbehave on demand. Serve it on a loopback
port (`TessSimulator.serve`), put it under a client in-process (`transport`, `async_transport`), or take
the pytest fixture `tess_simulator`.

The names below are loaded when they are first used: pytest imports this package in every run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tess_openai.testing import faults
    from tess_openai.testing.agents import DEFAULT_AGENTS, Question, SimulatedAgent
    from tess_openai.testing.faults import Fault
    from tess_openai.testing.profile import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Profile
    from tess_openai.testing.records import RecordedRequest
    from tess_openai.testing.server import SimulatorServer
    from tess_openai.testing.simulator import TessSimulator

__all__ = [
    "DEFAULT_AGENTS",
    "SIMULATOR_API_KEY",
    "SIMULATOR_WORKSPACE_ID",
    "Fault",
    "Profile",
    "Question",
    "RecordedRequest",
    "SimulatedAgent",
    "SimulatorServer",
    "TessSimulator",
    "faults",
]

_HOMES = {
    "DEFAULT_AGENTS": "agents",
    "Question": "agents",
    "SimulatedAgent": "agents",
    "Fault": "faults",
    "SIMULATOR_API_KEY": "profile",
    "SIMULATOR_WORKSPACE_ID": "profile",
    "Profile": "profile",
    "RecordedRequest": "records",
    "SimulatorServer": "server",
    "TessSimulator": "simulator",
}


if not TYPE_CHECKING:  # else a checker would take every name for one of these

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
