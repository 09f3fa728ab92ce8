"""What the tests of all frameworks share: the strict simulator, a scripted model, and the table they fill.

A test marked `cell` shows one cell of the table in the pages; `test_matrix.py`, run after them, compares or
records what they showed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from matrix import RESULTS, Cell

from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

HERE = Path(__file__).parent
NEEDS = {
    "test_crewai.py": "crewai",
    "test_instructor.py": "instructor",
    "test_langchain.py": "langchain",
    "test_litellm.py": "litellm",
    "test_llama_index.py": "llama_index",
    "test_observability.py": "langfuse",
    "test_model_texts_instructor.py": "instructor",
    "test_model_texts_langchain.py": "langchain",
    "test_model_texts_openai_agents.py": "agents",
    "test_model_texts_pydantic_ai.py": "pydantic_ai",
    "test_openai_agents.py": "agents",
    "test_pydantic_ai.py": "pydantic_ai",
}
# Each framework is tested in its own environment; elsewhere its file is not even imported.
collect_ignore = [name for name, module in NEEDS.items() if find_spec(module) is None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `tools/frameworks.py --record` write the table's rows down."""
    parser.addoption("--record", action="store_true", help="write what the frameworks' tests showed")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and keep the frameworks from calling home."""
    config.addinivalue_line(
        "markers", "cell(column, gives=True, emulated=False, note=''): shows this cell of the table"
    )
    config.stash[RESULTS] = {}
    os.environ.update(
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        CREWAI_DISABLE_TELEMETRY="true",
        CREWAI_DISABLE_TRACKING="true",
        OTEL_SDK_DISABLED="true",
        OPENAI_AGENTS_DISABLE_TRACING="1",
        LANGSMITH_TRACING="false",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make a warning of this package's an error unless a test expects it; the frameworks' own are theirs."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("error::tess_openai.TessWarning"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Note what a test marked `cell` has shown."""
    report = yield
    marker = item.get_closest_marker("cell")
    if marker is not None and call.when == "call" and report.passed:
        cell = Cell(*marker.args, **marker.kwargs)
        item.config.stash[RESULTS][cell] = item.path.stem.removeprefix("test_")
    return report


@pytest.fixture
def simulator() -> Iterator[TessSimulator]:
    """A strict simulator on a loopback port."""
    with TessSimulator() as simulator:
        simulator.serve()
        yield simulator


@pytest.fixture
def tess(simulator: TessSimulator) -> dict[str, Any]:
    """What every preset takes besides the agent, for a client of the simulator."""
    return {
        "api_key": SIMULATOR_API_KEY,
        "workspace_id": SIMULATOR_WORKSPACE_ID,
        "base_url": simulator.base_url,
    }


@pytest.fixture
def emulating(tess: dict[str, Any]) -> dict[str, Any]:
    """The same, with emulation."""
    return {**tess, "emulate": True}
