"""A strict local Tess to test programs against: a model of documented and reported behaviour.

It refuses what Tess is not documented to accept and can misbehave on demand. Serve it on a loopback
port (`TessSimulator.serve`), put it under a client in-process (`transport`, `async_transport`), or take
the pytest fixture `tess_simulator`.
"""

from __future__ import annotations

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
