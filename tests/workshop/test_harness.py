"""The isolation of all tests: they neither see the developer's settings nor reach another machine."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import NotLoopbackError

GUARD = Path(__file__).parents[1] / "guard"


def use_this_conftest(pytester: pytest.Pytester) -> None:
    """Give a suite within the suite the same ground."""
    pytester.makeconftest((GUARD.parent / "conftest.py").read_text())
    pytester.makepyprojecttoml(f"[tool.pytest.ini_options]\npythonpath = ['{GUARD}']\n")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "api.tess.im"])
def test_a_connection_that_would_leave_the_machine_is_refused(host: str) -> None:
    """By address or by name, it raises what is no `Exception`, which a retry could swallow."""
    with pytest.raises(NotLoopbackError, match="not on loopback"):
        socket.create_connection((host, 443), timeout=0.1)


async def test_a_connection_from_an_event_loop_is_refused() -> None:
    """Asyncio does not connect with `socket.create_connection`, so it is guarded too."""
    with pytest.raises(NotLoopbackError):
        await asyncio.open_connection("192.0.2.1", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host: str) -> None:
    """What a test serves it can reach."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=5).close()


def test_programs_that_tests_start_are_guarded_too() -> None:
    """A process with the guard on its path refuses from its first line."""
    program = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=0.1)"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(GUARD)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NotLoopbackError" in ended.stderr


def test_settings_of_the_developer_are_hidden(pytester: pytest.Pytester) -> None:
    """A key or a proxy in the environment must not change what a test sees."""
    use_this_conftest(pytester)
    pytester.makepyfile(
        """
        import os

        AT_IMPORT = dict(os.environ)

        def test_environment():
            names = {"OPENAI_API_KEY", "TESS_API_KEY", "https_proxy", "NO_PROXY"}
            assert not names & set(AT_IMPORT)
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "TESS_API_KEY", "https_proxy", "NO_PROXY"):
            patch.setenv(name, "a trace of the developer")
        pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_a_test_that_needs_what_a_lane_lacks_is_skipped(pytester: pytest.Pytester) -> None:
    """The summary of the lane gives the reason, and so says what was not tried."""
    use_this_conftest(pytester)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs("no_such_family")
        def test_with_it(): ...

        @pytest.mark.needs("pytest")
        def test_without_it(http_client_kind):
            assert http_client_kind == "legacy"
        """
    )
    ran = pytester.runpytest_subprocess("-q", "-rs", "--http-client=legacy")
    ran.assert_outcomes(passed=1, skipped=1)
    ran.stdout.fnmatch_lines(["*no_such_family is not installed in this lane*"])
