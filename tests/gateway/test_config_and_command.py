"""The file of a gateway, `tess-openai serve`, and what both say of mistakes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis_server import running_redis

from tess_openai import Prompts, SQLiteResponseStore, TessConfigurationError, gateway
from tess_openai.cli import main
from tess_openai.gateway.config import find_problems, parse_config, read_config
from tess_openai.gateway.gateway_server import shared_by_workers
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, RecordedRequest, TessSimulator
from tests.gateway.running import HELLO

FILE = f"""
agent_id = 42
workspace_id = {SIMULATOR_WORKSPACE_ID}
unsupported = {{ seed = "ignore", "*" = "warn" }}
emulate = true
requests_per_second = 50
responses_store = "sqlite:///responses.sqlite"
pacing = "sqlite:///line.sqlite"

[agents]
support = 43

[models]
"gpt-4o" = "tess-6"
"*" = ""

[prompts]
reminder = "Remember."

[gateway]
host = "127.0.0.1"
port = 0
key_file = "keys"
heartbeat_seconds = 5
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a gateway's file and its callers' keys; the key of Tess is in the environment."""
    (tmp_path / "gateway.toml").write_text(FILE)
    (tmp_path / "keys").write_text("alice gw-0123456789abcdef\n")
    monkeypatch.setenv("TESS_API_KEY", SIMULATOR_API_KEY)
    return tmp_path


def test_a_file_becomes_the_arguments_of_create_app(folder: Path) -> None:
    """The names are the same; paths are relative to the file, and an empty alias means the agent's model."""
    config = read_config(folder / "gateway.toml")
    assert config.problems == ()
    assert config.agent_id == 42
    assert config.options["models"] == {"gpt-4o": "tess-6", "*": None}
    assert config.options["prompts"] == Prompts(reminder="Remember.")
    assert isinstance(config.options["responses_store"], SQLiteResponseStore)
    assert config.options["pacing"] == f"sqlite:///{folder / 'line.sqlite'}"
    assert config.options["key_file"] == folder / "keys"
    assert (config.server.host, config.server.port) == ("127.0.0.1", 0)
    assert find_problems(config) == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"emulat": True}, "no option emulat; did you mean emulate?"),
        ({"emulate": "yes"}, "emulate is 'yes'; it must be True or False"),
        ({"agent_id": 4.5}, "agent_id is 4.5"),
        ({"api_key": "1|x"}, "read from TESS_API_KEY only"),
        ({"unsupported": {"sead": "ignore"}}, "sead"),
        ({"prompts": {"functions": "no holes"}}, "prompts is wrong"),
        ({"prompts": {"nothing": ""}}, "prompts is wrong"),
        ({"prompts": 3}, "prompts is wrong: it must be a table"),
        ({"responses_store": "redis://x"}, "responses_store is wrong"),
        ({"models": ["a"]}, "models is"),
        ({"gateway": 1}, "gateway is not a table"),
        ({"gateway": {"prt": 1}}, "no option gateway.prt; did you mean port?"),
        ({"gateway": {"port": "x"}}, "port is 'x'"),
        ({"gateway": {"workers": 0}}, "workers is 0"),
        ({"gateway": {"heartbeat_seconds": -1}}, "heartbeat_seconds is -1"),
        ({"gateway": {"allow_origins": ["example.com/path"]}}, "allow_origins is"),
        ({"gateway": {"max_body_bytes": 0}}, "max_body_bytes is 0"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, fields: Mapping[str, Any], problem: str) -> None:
    """Each with what must be there instead; and every one that is there."""
    config = parse_config({**fields, "colour": "red"}, folder=tmp_path)
    assert any(problem in each for each in config.problems), config.problems
    assert any("no option colour" in each for each in config.problems)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It is missing, or no TOML."""
    (tmp_path / "x.toml").write_text("agent_id = ")
    with pytest.raises(TessConfigurationError, match="is not TOML"):
        read_config(tmp_path / "x.toml")
    with pytest.raises(TessConfigurationError, match="cannot be read"):
        read_config(tmp_path / "y.toml")


def test_check_says_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong file ends with exit status 1, and a right one with 0."""
    path = folder / "gateway.toml"
    assert main(["serve", "--config", str(path), "--check"]) == 0
    assert "the settings are right" in capsys.readouterr().out
    path.write_text(FILE.replace("emulate", "emulat").replace('key_file = "keys"', 'key_file = "nowhere"'))
    assert main(["serve", "--config", str(path), "--check"]) == 1
    shown = capsys.readouterr().out
    assert "did you mean emulate?" in shown
    assert "nowhere" in shown


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "gateway.example"])  # noqa: S104 - that is the point
def test_other_machines_are_not_served_without_keys(
    folder: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    """Beyond loopback the gateway needs a key file or pass-through; without them it does not start."""
    assert main(["serve", "--agent", "42", "--workspace", "1", "--host", host]) == 2
    assert "--key-file" in capsys.readouterr().err
    for more in (["--key-file", str(folder / "keys")], ["--pass-through"]):
        given = ["serve", "--agent", "42", "--workspace", "1", "--host", host, *more, "--check"]
        assert main(given) == 0


def test_pass_through_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others do."""
    monkeypatch.delenv("TESS_API_KEY", raising=False)
    assert main(["serve", "--agent", "42", "--workspace", "1", "--pass-through", "--check"]) == 0
    assert main(["serve", "--agent", "42", "--workspace", "1", "--check"]) == 1


@contextmanager
def serving(simulator: TessSimulator, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the command, and read the address that it prints."""
    variables = {
        **os.environ,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
        "TESS_BASE_URL": simulator.base_url,
        "TESS_AGENT_ID": "42",
    }
    command = [sys.executable, "-m", "tess_openai.cli", "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        command, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0], process
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_and_stops(simulator: TessSimulator, stop: signal.Signals) -> None:
    """One command, one address; the log has a line for each call, and the end is no failure."""
    with serving(simulator) as (url, process):
        answer = httpx2.post(f"{url}/chat/completions", json=HELLO, headers={"authorization": "Bearer x"})
        assert answer.status_code == 200
        process.send_signal(stop)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stopped" in out
    assert "POST chat 200" in err
    assert "Traceback" not in err


def test_workers_share_responses_and_numbers(simulator: TessSimulator) -> None:
    """A conversation continues in whichever process answers, and `/metrics` adds all of them up."""
    with serving(simulator, "--workers", "2") as (url, process):
        with httpx2.Client(timeout=150) as http:
            first = http.post(f"{url}/responses", json={"model": "tess-6", "input": "hello"}).json()["id"]
        for _ in range(12):
            with httpx2.Client(timeout=150) as http:
                answer = http.get(f"{url}/responses/{first}")
                assert (answer.status_code, answer.json()["id"]) == (200, first)
        numbers = httpx2.get(url.replace("/v1", "/metrics")).text
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert 'tess_gateway_calls_total{route="responses",status="200"} 13.0' in numbers
    assert process.returncode == 0


@pytest.fixture(params=["sqlite", "redis"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store of pacing: for the processes of one machine, and for several machines."""
    if request.param == "sqlite":
        yield "sqlite:///line.sqlite"
        return
    with running_redis(tmp_path) as url:
        yield url


def test_two_gateways_share_the_rate_of_the_key(tmp_path: Path, line: str) -> None:
    """Each of them alone would send at the whole rate, and both together at twice that."""
    (tmp_path / "gateway.toml").write_text(f'requests_per_second = 20\npacing = "{line}"\n')
    arrived: list[float] = []

    def note(request: RecordedRequest) -> None:
        if request.path.endswith("/chat/completions"):
            arrived.append(time.monotonic())

    async def call_at_once(urls: list[str]) -> list[int]:
        async with httpx2.AsyncClient(timeout=150) as http:
            calls = [http.post(f"{url}/chat/completions", json=HELLO) for url in urls]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    settings = ("--config", str(tmp_path / "gateway.toml"))
    with TessSimulator(on_request=note) as simulator:
        simulator.serve()
        with serving(simulator, *settings) as (first, _), serving(simulator, *settings) as (second, _):
            assert asyncio.run(call_at_once([first, second] * 15)) == [200] * 30
    assert arrived[-1] - arrived[0] >= 29 / 20


def test_workers_share_one_line(tmp_path: Path) -> None:
    """They do so by default, unless another store is named or no rate is set."""
    paced = shared_by_workers({"requests_per_second": 1, "pacing": None}, tmp_path)
    assert paced["pacing"] == f"sqlite:///{tmp_path / 'line.sqlite'}"
    own = {"requests_per_second": 1, "pacing": "sqlite:////elsewhere/line.sqlite"}
    assert shared_by_workers(own, tmp_path)["pacing"] == own["pacing"]
    assert "pacing" not in shared_by_workers({}, tmp_path)


def test_a_port_that_is_taken(simulator: TessSimulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one line that says so."""
    port = simulator.base_url.rpartition(":")[2]
    given = ["serve", "--agent", "42", "--workspace", "1", "--port", port]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TESS_API_KEY", SIMULATOR_API_KEY)
        assert main(given) == 2
    assert "--port 0" in capsys.readouterr().err


def test_without_the_extra_the_application_states_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application and the command give the same command to type."""
    monkeypatch.delitem(sys.modules, "tess_openai.gateway.asgi_app", raising=False)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tess-openai\[gateway\]'"):
        gateway.create_app  # noqa: B018 - it is imported when it is asked for
