"""`tess-openai agents`, `agent` and `simulate`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path

import openai
import pytest
from programs import COMMAND, Program, environment

from tess_openai import create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID


def test_agents_are_listed(tess_openai: Program) -> None:
    """The list has the chat agents with their questions; no agent need be configured."""
    shown = tess_openai("agents", TESS_AGENT_ID=None, COLUMNS="120").stdout.splitlines()
    assert shown[0].split() == ["ID", "TITLE", "TYPE", "MODELS", "ASKS", "FOR"]
    assert [line.split()[0] for line in shown[1:]] == ["42", "43", "44", "48"]
    assert "fixed" in shown[2]
    assert "audience" in shown[4]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--type", "all"], [42, 43, 44, 45, 47, 48]),
        (["--type", "image"], [47]),
        (["--search", "fixed"], [43]),
        (["--limit", "2"], [42, 43]),
        (["--search", "no such agent"], []),
    ],
)
def test_agents_are_chosen(options: list[str], numbers: list[int], tess_openai: Program) -> None:
    """They are filtered by type, words and number, and printed as JSON for programs."""
    assert [each["id"] for each in json.loads(tess_openai("agents", *options, "--json").stdout)] == numbers


def test_one_agent_is_shown(tess_openai: Program) -> None:
    """The command shows its fields, and what an OpenAI program may send."""
    shown = tess_openai("agent", "48").stdout
    assert "audience" in shown
    assert 'must hold "audience": text' in shown
    assert "the nearest of 0, 1 is sent" in shown
    assert "fixed" in tess_openai("agent", "43").stdout


@pytest.mark.parametrize(
    ("agent", "words", "sends"),
    [
        ("47", "type image: does not accept chat calls", 0),
        ("45", "type text: only chat agents are documented", 1),
        ("42", "An OpenAI program may send", 1),
    ],
)
def test_an_agent_that_takes_no_chat_calls_states_it(
    agent: str,
    words: str,
    sends: int,
    tess_openai: Program,
) -> None:
    """It says so, and for an image agent does not show what a program may send."""
    shown = tess_openai("agent", agent).stdout
    assert words in shown
    assert shown.count("An OpenAI program may send") == sends


def test_the_agent_of_the_environment_is_the_default(tess_openai: Program) -> None:
    """All commands read `TESS_AGENT_ID`."""
    assert json.loads(tess_openai("agent", "--json").stdout)["id"] == 42


def test_an_unknown_agent_is_one_line(tess_openai: Program) -> None:
    """The error is printed on one line, with exit status 3."""
    ended = tess_openai("agent", "99")
    assert (ended.returncode, ended.stderr.count("\n")) == (3, 1)


def test_simulate_serves_and_logs(tmp_path: Path) -> None:
    """A client reaches it; the log tells fields by kind and size, no key and no text; faults strike."""
    command = [
        *COMMAND,
        "simulate",
        "--port",
        "0",
        "--profile",
        "lenient",
        "--fault",
        "bad_gateway:status=503",
    ]
    with subprocess.Popen(
        [*command, "--set", "workspace_header=required"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        banner: list[str] = []
        while not banner or "Ctrl-C" not in banner[-1]:
            banner.append(program.stdout.readline())
        exports = [line.strip() for line in banner if line.startswith("export ")]
        root = exports[0].removeprefix("export TESS_BASE_URL=")
        assert root.startswith("http://127.0.0.1:")
        assert exports[1:] == [
            f"export TESS_API_KEY='{SIMULATOR_API_KEY}'",
            f"export TESS_WORKSPACE_ID={SIMULATOR_WORKSPACE_ID}",
            "export TESS_AGENT_ID=42",
        ]
        with create_client(
            42, api_key=SIMULATOR_API_KEY, workspace_id=SIMULATOR_WORKSPACE_ID, base_url=root
        ) as client:
            answer = client.chat.completions.create(
                model="tess-6", messages=[{"role": "user", "content": "a secret"}]
            )
            with pytest.raises(openai.NotFoundError):
                client.chat.completions.create(
                    model="agent:99", messages=[{"role": "user", "content": "a secret"}]
                )
        assert "a secret" in (answer.choices[0].message.content or "")
        program.send_signal(signal.SIGINT)
        shown, errors = program.communicate(timeout=30)
    assert program.returncode == 0
    assert errors == ""
    log = shown.splitlines()
    assert [line.split()[1] for line in log[:2]] == ["503", "200"]
    assert "fault: bad_gateway" in log[0]
    assert "messages: a list of 1" in log[1]
    assert "model: 'tess-6'" in log[1]
    assert log[2].split()[1] == "404"
    assert "refused: Agent not found." in log[2]
    assert "a secret" not in shown
    assert log[-1] == "stopped"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fault", "earthquake"], "no fault 'earthquake'"),
        (
            ["--fault", "rate_limited:foo=3"],
            "rate_limited has no option 'foo'; it has retry_after_seconds, header, times",
        ),
        (["--set", "weather=fair"], "no switch 'weather'"),
        (["--set", "tools=sometimes"], "Profile.tools is one of"),
        (["--profile", "mild"], "mild"),
        (["--load", "missing.json"], "cannot be read"),
    ],
)
def test_a_wrong_option_of_simulate_is_explained(
    options: list[str], words: str, tess_openai: Program
) -> None:
    """The error is printed before the simulator serves anything."""
    ended = tess_openai("simulate", *options)
    assert ended.returncode == 2
    assert words in ended.stderr


def test_a_port_in_use_is_explained(tess_openai: Program) -> None:
    """The error says how to use another port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = tess_openai("simulate", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "already in use; --port 0 takes a free one" in ended.stderr


def test_a_key_of_the_users_is_not_shown(tmp_path: Path) -> None:
    """The user knows a key that they gave, and logs must not have it."""
    with subprocess.Popen(
        [*COMMAND, "simulate", "--port", "0", "--key", "5|hidden"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        banner = [program.stdout.readline() for _ in range(3)]
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate(timeout=30)
    assert banner[2] == "# TESS_API_KEY: the key that you gave\n"
    assert "hidden" not in "".join(banner) + rest
