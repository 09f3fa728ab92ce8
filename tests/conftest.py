"""What holds for every test: no environment of the developer's, no network, hypothesis without surprises."""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import os
from pathlib import Path
from typing import Literal, TypeAlias, cast

import loopback
import pytest
from hypothesis import HealthCheck, settings

HttpClientKind: TypeAlias = Literal["default", "legacy", "aiohttp"]

loopback.install()

# A failure must come back on the next run, and a busy machine must not look like one: no chance, no clock.
settings.register_profile("steady", derandomize=True, database=None, deadline=None)
# In the lanes the laws of the pure core are only confirmed: no SDK version can bend them.
settings.register_profile("lane", settings.get_profile("steady"), max_examples=20)
# For a hunt by hand: pytest --hypothesis-profile=explore
settings.register_profile(
    "explore", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a lane choose which http client the tests hand to the SDK."""
    parser.addoption(
        "--http-client",
        choices=("default", "legacy", "aiohttp"),
        default="default",
        help="default: the SDK's own; legacy: an httpx client under openai 3; aiohttp: openai[aiohttp]",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker `needs`, and hide keys, settings and proxies of the developer who runs the tests.

    Here rather than in a fixture, since modules imported at collection read the environment too.
    """
    for name in list(os.environ):
        if name.upper().startswith(("OPENAI_", "TESS_")) or name.upper().endswith("_PROXY"):
            del os.environ[name]
    # Each client reads the certificates of all authorities, which takes longer than a call on loopback.
    os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "guard" / "authority.pem")
    config.addinivalue_line("markers", "needs(*modules): skip where a lane does not install one of these")


def pytest_report_header(config: pytest.Config) -> str:
    """Name what this run tests against."""
    versions = [
        f"{name} {importlib.metadata.version(name)}"
        for name in ("openai", "httpx", "httpx2", "aiohttp")
        if importlib.util.find_spec(name) is not None
    ]
    return f"lane: {', '.join(versions)}; http client: {config.getoption('--http-client')}"


def pytest_collection_finish() -> None:
    """Exclude the collected tests from garbage collection, which would visit all of them each time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs` where the lane lacks what it names."""
    for marker in item.iter_markers("needs"):
        for module in cast("tuple[str, ...]", marker.args):
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"{module} is not installed in this lane")


@pytest.fixture(scope="session")
def http_client_kind(request: pytest.FixtureRequest) -> HttpClientKind:
    """Which http client this run hands to the SDK."""
    return cast("HttpClientKind", request.config.getoption("--http-client"))
