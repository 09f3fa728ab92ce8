"""`tess-openai probe` finds each difference between readings of Tess."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from programs import COMMAND, Program, Terminal, environment, hear_interrupts

from tess_openai import create_client
from tess_openai.cli import main
from tess_openai.cli.probe.questions import questions_for
from tess_openai.core.agents import Agent
from tess_openai.core.probe_profile import parse_profile
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Profile, TessSimulator, faults
from tess_openai.testing.profile_from_probe import to_simulator_profile

NAMES = [question.name for question in questions_for(Agent(id=1))]
Probe = Callable[..., dict[str, Any]]
Capture = pytest.CaptureFixture[str]


def obey(body: dict[str, Any]) -> str:
    """Play a model that sees everything and honours what is sent to it."""
    reply = json.dumps(body["messages"])
    if "max_tokens" in body or "max_completion_tokens" in body:
        return "One"
    if "stop" in body:
        return "a "
    if body.get("response_format") == {"type": "json_object"}:
        return '{"fruits": []}'
    if "image_url" in reply:
        return "It is red."
    return " ".join(["Received:", *(code for code in ("KUMQUAT", "PERSIMMON") if code in reply)])


@pytest.fixture
def tess_simulator() -> Iterator[TessSimulator]:
    """Serve a Tess whose profile a test sets."""
    with TessSimulator() as simulator:
        simulator.script(*[obey] * 200)
        simulator.serve()
        yield simulator


@pytest.fixture
def probe(
    simulated: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Probe:
    """Probe in this process; return the file's content."""

    def run(*arguments: str, status: int = 0) -> dict[str, Any]:
        for name, value in simulated.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        assert main(["probe", "--yes", "--pause", "0", *arguments]) == status, capsys.readouterr().err
        found: dict[str, Any] = json.loads((tmp_path / "tess-profile.json").read_text())
        return found

    return run


STRICT = Profile.strict()
DIFFERENCES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a parameter is ignored": ({"ignored_parameters": frozenset({"top_p"})}, "top_p", "refused", "accepted"),
    "a parameter works": ({"ignored_parameters": frozenset({"stop"})}, "stop", "refused", "supported"),
    "a limit works": (
        {"ignored_parameters": frozenset({"max_tokens"})},
        "max_tokens",
        "refused",
        "supported",
    ),
    "JSON mode works": (
        {"ignored_parameters": frozenset({"response_format"})},
        "response_format",
        "refused",
        "supported",
    ),
    "temperatures are strings": (
        {"temperature_types": "strings"},
        "temperature.number",
        "accepted",
        "refused",
    ),
    "temperatures are numbers": (
        {"temperature_types": "numbers"},
        "temperature.string",
        "accepted",
        "refused",
    ),
    "temperatures are free": ({"temperature": "free"}, "temperature.between", "refused", "accepted"),
    "temperatures go above 1": ({"temperature": "free"}, "temperature.above_1", "refused", "accepted"),
    "developers speak": (
        {"roles": frozenset({"system", "user", "assistant", "developer"})},
        "role.developer",
        "refused",
        "supported",
    ),
    "tools speak": (
        {
            "roles": frozenset({"system", "user", "assistant", "tool"}),
            "message_keys": "ignored",
            "content": frozenset({"text", "null"}),
        },
        "role.tool",
        "refused",
        "supported",
    ),
    "roles alternate": (
        {"message_order": frozenset({"paired"})},
        "messages.neighbours",
        "supported",
        "refused",
    ),
    "one system message": (
        {"message_order": frozenset({"one system"})},
        "messages.two_systems",
        "supported",
        "refused",
    ),
    "system comes first": (
        {"message_order": frozenset({"system first"})},
        "messages.system_later",
        "supported",
        "refused",
    ),
    "the user speaks last": (
        {"message_order": frozenset({"user last"})},
        "messages.assistant_last",
        "accepted",
        "refused",
    ),
    "messages have names": ({"message_keys": "ignored"}, "messages.name", "refused", "accepted"),
    "text parts": (
        {"content": frozenset({"text", "text parts"})},
        "content.text_parts",
        "refused",
        "supported",
    ),
    "pictures": (
        {"content": frozenset({"text", "other parts"})},
        "content.image_parts",
        "refused",
        "supported",
    ),
    "empty content": ({"content": frozenset({"text", "empty"})}, "content.empty", "refused", "accepted"),
    "lists of tools": ({"tools": "ignored"}, "tools.list", "refused", "accepted"),
    "nulls": ({"nulls": "absent"}, "null", "refused", "accepted"),
    "no root_id": ({"refused_parameters": frozenset({"root_id"})}, "root_id", "accepted", "refused"),
    "no file_ids": ({"refused_parameters": frozenset({"file_ids"})}, "file_ids", "accepted", "refused"),
    "usage in streams": (
        {"stream_usage": "own chunk", "ignored_parameters": frozenset({"stream_options"})},
        "stream_options",
        "refused",
        "supported",
    ),
}


@pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)
def test_each_difference_is_found(
    difference: tuple[dict[str, Any], str, str, str], probe: Probe, tess_simulator: TessSimulator
) -> None:
    """The strict Tess gives one answer, the other Tess another."""
    switches, name, strict, other = difference
    assert probe("--only", name)["answers"] == {name: strict}
    tess_simulator.profile = Profile(**switches)
    assert probe("--only", name, "--again")["answers"] == {name: other}


@pytest.mark.parametrize(
    ("switches", "name", "strict", "other"),
    [
        ({"workspace_header": "optional"}, "workspace.missing", 422, 200),
        ({"malformed_workspace_status": 400}, "workspace.malformed", 422, 400),
        ({"auth_error": "documented"}, "key.wrong", 401, 403),
        ({"without_system": "times out"}, "messages.without_system", 200, 524),
    ],
)
def test_each_status_is_recorded(  # noqa: PLR0917 - a row and its fixtures
    switches: dict[str, Any], name: str, strict: int, other: int, probe: Probe, tess_simulator: TessSimulator
) -> None:
    """Some questions are answered by an HTTP status."""
    assert probe("--only", name)["statuses"] == {name: strict}
    tess_simulator.profile = Profile(**switches)
    assert probe("--only", name, "--again")["statuses"] == {name: other}


@pytest.mark.parametrize(
    ("switches", "shape", "field", "there"),
    [
        ({}, "completion", "id", True),
        ({"completion": "minimal"}, "completion", "id", False),
        ({}, "completion", "usage", False),
        ({"completion_usage": True}, "completion", "usage", True),
        ({}, "chunk", "object", True),
        ({"chunks": "minimal"}, "chunk", "object", False),
        ({}, "error", "errors", True),
        ({"error_dialect": "documented"}, "error", "messages", True),
    ],
)
def test_each_shape_is_recorded(  # noqa: PLR0917 - a row and its fixtures
    switches: dict[str, Any],
    shape: str,
    field: str,
    there: bool,
    probe: Probe,
    tess_simulator: TessSimulator,
) -> None:
    """The profile has the names of the fields that have a value."""
    tess_simulator.profile = Profile(**switches)
    found = probe("--only", "plain", "--only", "stream", "--only", "seed")
    assert (field in found["shapes"][shape]) is there


@pytest.mark.parametrize(
    "profile",
    [Profile.strict(), Profile.documented(), Profile.lenient()],
    ids=["strict", "documented", "lenient"],
)
def test_a_simulator_with_the_profile_answers_alike(
    profile: Profile, probe: Probe, tess_simulator: TessSimulator
) -> None:
    """What is probed of it is what was probed of the first."""
    tess_simulator.profile = profile
    first = probe()
    tess_simulator.profile = to_simulator_profile(parse_profile(first))
    second = probe("--again")
    assert second["answers"] == first["answers"]
    assert second["statuses"] == first["statuses"]
    assert {*first["answers"], *first["statuses"]} == set(NAMES)


def test_the_file_holds_no_secret_and_no_text(probe: Probe, tmp_path: Path) -> None:
    """It has a version, and neither key, workspace nor text."""
    assert probe()["tess_openai_profile"] == 1
    text = (tmp_path / "tess-profile.json").read_text()
    for secret in (SIMULATOR_API_KEY, str(SIMULATOR_WORKSPACE_ID), "KUMQUAT", "Received", "127.0.0.1"):
        assert secret not in text


def test_a_probe_continues_where_it_was_interrupted(
    probe: Probe, tess_simulator: TessSimulator, tmp_path: Path
) -> None:
    """What was answered is kept, whatever ends it, and not asked again."""
    tess_simulator.fault(*[faults.slow(delay_seconds=0)] * 3, faults.dropped_connection())
    first = probe(status=3)
    asked = len(tess_simulator.calls)
    assert 0 < len(first["answers"]) < asked < len(NAMES)
    whole = probe()
    assert {*whole["answers"], *whole["statuses"]} == set(NAMES)
    assert len(tess_simulator.calls) == asked + len(NAMES) - len(first["answers"])
    probe()
    assert len(tess_simulator.calls) == asked + len(NAMES) - len(first["answers"])


def test_a_server_error_answers_nothing(probe: Probe, tess_simulator: TessSimulator) -> None:
    """It is asked again the next time."""
    tess_simulator.fault(faults.server_error())
    assert probe("--only", "root_id")["answers"] == {}
    assert probe("--only", "root_id")["answers"] == {"root_id": "accepted"}


def test_a_429_is_waited_out(probe: Probe, tess_simulator: TessSimulator) -> None:
    """The probe waits as long as Tess asks."""
    tess_simulator.fault(faults.rate_limited(retry_after_seconds=0.2))
    began = time.monotonic()
    assert probe("--only", "root_id")["answers"] == {"root_id": "accepted"}
    assert time.monotonic() - began >= 0.2


def test_it_asks_first(tess_openai: Program, tess_simulator: TessSimulator) -> None:
    """It shows the number of calls and sends nothing, since stdin is not a terminal."""
    ended = tess_openai("probe")
    assert ended.returncode == 2
    assert f"{len(NAMES)} short calls to agent 42" in ended.stderr
    assert "--yes" in ended.stderr
    assert tess_simulator.calls == []


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
@pytest.mark.parametrize(("key", "status"), [("C", 130), ("D", 130), ("n", 0)])
def test_a_user_who_does_not_agree_is_not_asked_twice(
    key: str, status: int, open_terminal: Callable[..., Terminal], tess_simulator: TessSimulator
) -> None:
    """Ctrl-C and Ctrl-D interrupt, as the help says; nothing was sent."""
    terminal = open_terminal("probe")
    terminal.wait_for("Begin? [y/N]: ")
    if key == "C":
        terminal.interrupt("nothing was asked")
    else:
        terminal.type(key) if key == "n" else terminal.press(key)
        terminal.wait_for("nothing was asked")
    assert terminal.program.wait(30) == status
    assert tess_simulator.calls == []


def test_an_agent_that_hangs_without_a_system_message_is_still_probed(
    probe: Probe, tess_simulator: TessSimulator
) -> None:
    """Only questions about system messages can do without one, so the others are sent with one."""
    tess_simulator.profile = replace(Profile.lenient(), without_system="times out")
    found = probe()
    assert found["statuses"]["messages.without_system"] == 524
    assert {*found["answers"], *found["statuses"]} == set(NAMES)


def test_what_is_not_settled_is_named(probe: Probe, tess_simulator: TessSimulator, capsys: Capture) -> None:
    """The report gives the reason, and says that the same command asks again."""
    tess_simulator.fault(faults.gateway_timeout())
    probe("--only", "root_id")
    reported = capsys.readouterr().err
    assert "1 not settled: root_id" in reported
    assert "the same command asks these again" in reported
    probe("--only", "root_id")
    assert "not settled" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "."], ". is a folder; name a file with --out"),
        (["--out", "nowhere/x.json"], "nowhere/x.json cannot be written: No such file or directory"),
        (["--only", "root_ids"], "there is no question 'root_ids'; did you mean root_id"),
        (["--only", "zzz"], "--list shows them all"),
        (["--pause", "nan"], "--pause"),
    ],
)
def test_what_cannot_work_costs_no_call(
    arguments: list[str], words: str, tess_openai: Program, tess_simulator: TessSimulator
) -> None:
    """It is shown before the first."""
    ended = tess_openai("probe", "--yes", *arguments)
    assert (ended.returncode, tess_simulator.calls) == (2, [])
    assert words in ended.stderr


def test_it_can_be_interrupted(
    simulated: dict[str, str], tess_simulator: TessSimulator, tmp_path: Path
) -> None:
    """Ctrl-C ends it with status 130, and the answers so far are saved."""
    with subprocess.Popen(
        [*COMMAND, "probe", "--yes", "--pause", "0.05"],
        cwd=tmp_path,
        env=environment(simulated),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 - it calls nothing but the system
    ) as program:
        assert program.stdout is not None
        for _ in range(3):
            program.stdout.readline()
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=30)
    assert program.returncode == 130
    assert "the same command resumes" in errors
    assert len(json.loads((tmp_path / "tess-profile.json").read_text())["answers"]) >= 3


def test_an_agent_with_fields_of_its_own(probe: Probe, simulated: dict[str, str]) -> None:
    """Given these fields, it is probed like any other agent."""
    simulated["TESS_AGENT_ID"] = "48"
    assert probe("--only", "plain", "--field", "audience=all")["answers"] == {"plain": "supported"}


def test_a_client_reads_the_file(
    tess_simulator: TessSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, probe: Probe
) -> None:
    """The option or TESS_OPENAI_PROFILE names it."""
    tess_simulator.profile = Profile(ignored_parameters=frozenset({"stop"}))
    probe("--only", "stop")
    file = tmp_path / "tess-profile.json"
    hello: Any = {"model": "tess-6", "messages": [{"role": "user", "content": "x"}]}
    with create_client(42, profile=file) as client:
        client.chat.completions.create(**hello, stop="x")
    monkeypatch.setenv("TESS_OPENAI_PROFILE", os.fspath(file))
    with create_client(42) as client:
        client.chat.completions.create(**hello, stop="y")
    bodies: list[Any] = [call.json for call in tess_simulator.calls[-2:]]
    assert [body["stop"] for body in bodies] == ["x", "y"]
