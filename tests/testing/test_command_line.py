"""`python -m tess_openai.testing`."""

from __future__ import annotations

import http.client
import subprocess
import sys
from pathlib import Path

import pytest

import tess_openai.testing
from tess_openai.testing import SIMULATOR_API_KEY, TessSimulator, faults
from tess_openai.testing.__main__ import describe, main, parse_fault, parse_switch

HOME = Path(tess_openai.testing.__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        ("workspace_header=optional", ("workspace_header", "optional")),
        ("requests-per-second=2", ("requests_per_second", 2)),
        ("requests_per_second=null", ("requests_per_second", None)),
        ('roles=["user","assistant"]', ("roles", frozenset({"user", "assistant"}))),
        ("workspace_ids=[1,2]", ("workspace_ids", frozenset({1, 2}))),
    ],
)
def test_a_switch_is_read(text: str, switch: tuple[str, object]) -> None:
    """A value is read as JSON where it is JSON, a list as a set, and anything else as a word."""
    assert parse_switch(text) == switch


def test_a_fault_is_read() -> None:
    """It may have options, and the number of times it occurs."""
    fault, times = parse_fault("gateway-timeout:wait_seconds=0.5,phantom=true,times=3")
    assert (fault.name, times) == ("gateway_timeout", 3)
    assert fault.instead is not None
    assert fault.instead.delay_seconds == 0.5
    assert fault.then == faults.server_error()


@pytest.mark.parametrize(
    ("system", "shell", "line"),
    [
        ("nt", None, f"$env:TESS_API_KEY = '{SIMULATOR_API_KEY}'"),
        ("nt", "/usr/bin/bash", f"export TESS_API_KEY='{SIMULATOR_API_KEY}'"),
        ("posix", "/bin/zsh", f"export TESS_API_KEY='{SIMULATOR_API_KEY}'"),
    ],
)
def test_the_settings_are_lines_of_the_users_shell(
    system: str, shell: str | None, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PowerShell does not know `export`; the shell of Git for Windows does."""
    with TessSimulator() as simulator, simulator.serve(), monkeypatch.context() as patched:
        patched.delenv("SHELL", raising=False)
        if shell is not None:
            patched.setenv("SHELL", shell)
        patched.setattr("os.name", system)
        lines = describe(simulator).splitlines()
    assert line in lines


WRONG = {
    "an unknown fault": (["--fault", "earthquake"], "no fault 'earthquake'"),
    "an unknown option of a fault": (
        ["--fault", "slow:speed=1"],
        "slow has no option 'speed'; it has delay_seconds, first_seconds, times",
    ),
    "an unknown kind": (["--fault", "keep_alives:kind=loud"], "keep_alives: 'loud'"),
    "an unknown switch": (["--set", "weather=fair"], "no switch 'weather'"),
    "a wrong value": (["--set", "tools=sometimes"], "Profile.tools is one of ('options', 'ignored')"),
    "an unknown profile": (["--profile", "mild"], "invalid choice: 'mild'"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_explained(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The error is printed before anything is served."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_the_command_serves(headers: dict[str, str]) -> None:
    """It says what it is and where; requests are shown by method, path and status; faults strike."""
    command = [sys.executable, "-u", "-m", "tess_openai.testing", "--port", "0", "--fault", "bad_gateway"]
    with subprocess.Popen(
        command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            banner = [next(program.stdout).strip() for _ in range(4)]
            assert "not the service" in banner[0]
            host = banner[1].rpartition("http://")[2]
            connection = http.client.HTTPConnection(host, timeout=5)
            body = '{"messages":[{"role":"user","content":"a secret"}]}'
            connection.request("POST", "/agents/42/openai/chat/completions", body, headers)
            assert connection.getresponse().status == 502
            connection.close()
        finally:
            program.terminate()
        shown, errors = program.communicate(timeout=10)
    assert "POST /agents/42/openai/chat/completions -> 502" in shown
    assert "a secret" not in shown
    assert errors == ""
