"""Coding agents and programs of the command line, given an address and a key."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.clients.door import KEY, Door

CODEX = """\
model = "tess-6"
model_provider = "tess"

[model_providers.tess]
name = "Tess"
base_url = "{url}"
env_key = "GATEWAY_KEY"
wire_api = "responses"
"""
LLM = """\
- model_id: tess
  model_name: tess-6
  api_base: {url}
  api_key_name: tess
  supports_tools: true
  supports_schema: true
"""


@pytest.fixture
def work(door: Door) -> Path:
    """An empty folder to work in."""
    folder = door.home / "work"
    folder.mkdir()
    return folder


def test_codex_runs_a_command_and_answers(door: Door, node_modules: Path, work: Path) -> None:
    """The client needs one turn and no confirmation."""
    settings = door.home / ".codex" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(CODEX.format(url=door.url))
    command = [str(node_modules / ".bin" / "codex"), "exec", "--skip-git-repo-check"]
    command += [
        "--sandbox",
        "danger-full-access",
    ]  # the sandbox needs rights that a test machine may not give
    prompt = 'CALL exec_command {"cmd": "echo made by codex > made.txt"} ENDCALL SAY all done ENDSAY'
    shown = door.run([*command, prompt], folder=work)
    assert (work / "made.txt").read_text() == "made by codex\n"
    assert shown.strip().endswith("all done")


def test_opencode_runs_a_command_and_answers(door: Door, node_modules: Path, work: Path) -> None:
    """The client needs one turn and no confirmation, over chat completions."""
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": door.url, "apiKey": KEY},
        "models": {"tess-6": {}},
    }
    settings = {"model": "tess/tess-6", "small_model": "tess/tess-6", "provider": {"tess": provider}}
    (work / "opencode.json").write_text(json.dumps(settings))
    command = [str(node_modules / ".bin" / "opencode"), "run"]
    asked = json.dumps({"command": "echo made by opencode > made.txt", "description": "Make a file"})
    shown = door.run([*command, f"CALL bash {asked} ENDCALL SAY all done ENDSAY"], folder=work)
    assert (work / "made.txt").read_text() == "made by opencode\n"
    assert "all done" in shown


def test_llm(door: Door) -> None:
    """A stream, a tool and a schema work."""
    llm = str(Path(sys.executable).with_name("llm"))
    settings = Path(door.run([llm, "logs", "path"]).strip()).parent / "extra-openai-models.yaml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(LLM.format(url=door.url))
    door.run([llm, "keys", "set", "tess", "--value", KEY])
    ask = [llm, "-m", "tess"]
    assert door.run([*ask, "SAY hello ENDSAY"]).strip() == "hello"
    tool = door.run([*ask, "-T", "llm_version", "CALL llm_version {} ENDCALL SAY it has one ENDSAY"])
    assert tool.strip().endswith("it has one")
    made = door.run([*ask, "--schema", "name, country", 'SAY {"name": "Rome", "country": "Italy"} ENDSAY'])
    assert json.loads(made) == {"name": "Rome", "country": "Italy"}


def test_aider_edits_a_file(door: Door, work: Path) -> None:
    """The client needs one message and no confirmation."""
    aider = os.environ["CLIENTS_AIDER"]
    (work / "hello.py").write_text('print("hello")\n')
    command = [aider, "--model", "openai/tess-6", "--openai-api-base", door.url, "--openai-api-key", KEY]
    command += ["--edit-format", "whole", "--yes-always", "--no-git", "--no-check-update", "--no-analytics"]
    command += ["--no-show-model-warnings", "--no-show-release-notes"]
    message = 'SAY hello.py\n```\nprint("made by aider")\n```\n ENDSAY'
    door.run([*command, "--message", message, "hello.py"], folder=work)
    assert (work / "hello.py").read_text() == 'print("made by aider")\n'


def test_curl(door: Door) -> None:
    """The page's recipe and a stream work."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl on this machine")
    body = {"model": "tess-6", "messages": [{"role": "user", "content": "SAY hello ENDSAY"}]}
    ask = [curl, "--silent", "--no-buffer", f"{door.url}/chat/completions"]
    ask += ["-H", "content-type: application/json", "-H", f"authorization: Bearer {KEY}"]
    whole = json.loads(door.run([*ask, "-d", json.dumps(body)]))
    assert whole["choices"][0]["message"]["content"] == "hello"
    assert door.run([*ask, "-d", json.dumps({**body, "stream": True})]).endswith("data: [DONE]\n\n")
