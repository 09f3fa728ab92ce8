"""`tess-openai doctor` without a mistake, with its options, and where this machine lacks something."""

from __future__ import annotations

import importlib.metadata
import json
import time
from types import SimpleNamespace

import pytest
from programs import Program

from tess_openai.cli import main
from tess_openai.cli.doctor import server_clock
from tess_openai.cli.error_messages import to_problem
from tess_openai.testing import TessSimulator


def steps_of(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Run the doctor and return its verdicts by their steps."""
    main(["doctor", "--json"])
    return {each["step"]: each for each in json.loads(capsys.readouterr().out)["steps"]}


@pytest.mark.parametrize(
    ("ahead", "state", "finding"),
    [
        (0, "ok", "it agrees"),
        (50, "ok", "it agrees"),
        (300, "warning", "5 minutes ahead of the server's"),
        (-8000, "warning", "2 hours behind the server's"),
    ],
)
def test_the_clock_is_compared_with_the_servers(
    *,
    ahead: float,
    state: str,
    finding: str,
    simulated: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The `Date` of an answer gives the server's time; a wrong clock is a warning."""
    for name, value in simulated.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(server_clock, "time", SimpleNamespace(time=lambda: time.time() + ahead))
    clock = steps_of(capsys)["clock"]
    assert clock["state"] == state
    assert finding in clock["finding"]


@pytest.mark.parametrize(
    "date", ["", "soon", "Thu, 99 Nov 2026 00:00:00 GMT", "Thu, 26 Nov 99999999 00:00:00 GMT"]
)
def test_a_date_that_is_none_is_not_compared(date: str) -> None:
    """Nothing is known then."""
    assert server_clock.seconds_ahead(date, 0.0) is None


def test_a_missing_sdk_is_a_finding(
    simulated: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The doctor reports it, and other commands end with one line instead of a traceback."""
    for name, value in simulated.items():
        monkeypatch.setenv(name, value)
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "openai":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["doctor", "--json"]) == 1
    steps = {each["step"]: each for each in json.loads(capsys.readouterr().out)["steps"]}
    assert steps["SDK"]["state"] == "wrong"
    assert steps["SDK"]["remedy"] == "Install it: pip install openai"
    assert steps["network"]["state"] == "skipped"
    problem = to_problem(ModuleNotFoundError("No module named 'openai'", name="openai"))
    assert problem is not None
    assert "pip install openai" in str(problem)


WRONG_SURROUNDINGS = [
    ("SSL_CERT_FILE", __file__, "not name a file of certificates"),
    ("SSL_CERT_FILE", ".", "not name a file of certificates"),
    ("HTTPS_PROXY", "http://h:notaport", "not the address of a proxy"),
    ("HTTPS_PROXY", "http://[::1", "not the address of a proxy"),
    ("ALL_PROXY", "socks4://h:1080", "not the address of a proxy"),
    ("ALL_PROXY", "socks5://user:hidden@h:1080", "socksio is not installed"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG_SURROUNDINGS)
def test_proxies_and_certificates_are_no_bug_of_other_commands(
    name: str, value: str, words: str, tess_openai: Program
) -> None:
    """One line that names the variable, without a password; nothing was sent."""
    ended = tess_openai("agents", **{name: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"tess-openai: {name} ")
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr
    assert "hidden" not in ended.stderr


class TestAllIsWell:
    """Nothing is wrong."""

    def test_everything_is_ok(self, tess_openai: Program, tess_simulator: TessSimulator) -> None:
        """Each step says so; the calls are two."""
        ended = tess_openai("doctor", SSL_CERT_FILE=None)
        assert ended.returncode == 0, ended.stdout
        assert [line.split()[0] for line in ended.stdout.splitlines()] == ["ok"] * 12
        assert len(tess_simulator.calls) == 2

    @pytest.mark.parametrize("agent", ["45", "48"])
    def test_an_agent_with_fields_of_its_own_is_asked_with_them(
        self, agent: str, tess_openai: Program, tess_simulator: TessSimulator
    ) -> None:
        """`--field` gives their values; without them, Tess refuses the call."""
        name = "audience" if agent == "48" else "nome-da-empresa"
        fields = ("--field", f"{name}=all")
        assert tess_openai("doctor", "--agent", agent, *fields, SSL_CERT_FILE=None).returncode == 0
        assert len(tess_simulator.calls) == 2
        assert tess_openai("doctor", "--agent", agent, SSL_CERT_FILE=None).returncode == 1

    @pytest.mark.parametrize(("option", "requests"), [("--offline", 0), ("--no-calls", 1)])
    def test_it_asks_no_more_than_wanted(
        self, option: str, requests: int, tess_openai: Program, tess_simulator: TessSimulator
    ) -> None:
        """Options avoid all requests, or those that cost credits."""
        assert tess_openai("doctor", option, SSL_CERT_FILE=None).returncode == 0
        assert len(tess_simulator.requests) == requests

    def test_causes_stand_before_consequences(
        self, tess_openai: Program, tess_simulator: TessSimulator
    ) -> None:
        """Without a key nothing is sent, and the report says why."""
        ended = tess_openai("doctor", TESS_API_KEY=None, TESS_WORKSPACE_ID="x", SSL_CERT_FILE=None)
        states = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert states[1] == ["wrong", "key"]
        assert states[2] == ["wrong", "workspace"]
        assert states[-1] == ["skipped", "network"]
        assert tess_simulator.requests == []

    @pytest.mark.parametrize("option", ["--offline", "--no-calls"])
    def test_a_missing_workspace_is_reported_once(self, option: str, tess_openai: Program) -> None:
        """Tess's own answer reports it, or else the check of the settings."""
        ended = tess_openai("doctor", option, TESS_WORKSPACE_ID=None, SSL_CERT_FILE=None)
        finding = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert [state for state, step in finding if step == "workspace"] == [
            "warning" if option == "--offline" else "wrong"
        ]

    def test_a_missing_workspace_is_reported_with_other_mistakes(self, tess_openai: Program) -> None:
        """It is reported even if another mistake prevents the request to Tess."""
        ended = tess_openai("doctor", TESS_WORKSPACE_ID=None, TESS_AGENT_ID=None, SSL_CERT_FILE=None)
        finding = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert [state for state, step in finding if step == "workspace"] == ["warning"]
