"""The container's files name what exists: no Docker engine runs where the tests do, so they are read."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tess_openai.cli import main
from tess_openai.gateway.server_options import DEFAULT_PORT
from tests.gateway.running import running

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: Any = importlib.import_module("yaml").safe_load((ROOT / "compose.yaml").read_text())
SERVICE = COMPOSE["services"]["gateway"]


def instructions(name: str) -> list[str]:
    """Return what follows an instruction of the Dockerfile, each time it occurs."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def in_form_of_json(name: str) -> list[str]:
    """Return the words of an instruction that starts a program."""
    (given,) = instructions(name)
    words: list[str] = json.loads(given)
    return words


def test_what_is_copied_is_enough_to_build(tmp_path: Path) -> None:
    """The wheel is built from the copied files alone, and the build's context has all of them."""
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in instructions("COPY"):
        *sources, _ = line.split()
        for source in sources:
            assert f"!{source}" in ignored
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, tmp_path / source)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    assert len(list(tmp_path.glob("dist/*.whl"))) == 1


def test_the_extras_and_the_python_exist() -> None:
    """The image uses only what the project defines."""
    project = (ROOT / "pyproject.toml").read_text()
    (extras,) = re.findall(r'"\.\[(.+?)\]"', DOCKERFILE)
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE)
    (image,) = instructions("FROM")
    version = re.match(r"python:(3\.\d+)-slim$", image)
    assert version is not None
    assert f"Python :: {version[1]}" in project


def test_it_runs_without_rights() -> None:
    """It runs as a user that the image makes, in a file system that cannot be written."""
    (user,) = instructions("USER")
    assert user != "root"
    assert re.search(rf"useradd .*\b{user}$", DOCKERFILE, re.MULTILINE)
    assert DOCKERFILE.index("USER ") < DOCKERFILE.index("ENTRYPOINT ")
    assert (SERVICE["read_only"], SERVICE["cap_drop"]) == (True, ["ALL"])


def test_the_command_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings that the page shows are accepted, from the folder in which they are mounted."""
    page = (ROOT / "docs" / "gateway.md").read_text()
    (settings,) = re.findall(r'```toml title="gateway.toml"\n(.+?)```', page, re.DOTALL)
    (tmp_path / "gateway.toml").write_text(settings)
    (tmp_path / "keys").write_text("alice gw-0123456789abcdef\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TESS_API_KEY", "1|" + "k" * 48)
    program, *words = [*in_form_of_json("ENTRYPOINT"), *in_form_of_json("CMD")]
    assert program == "tess-openai"
    assert main([*words, "--check"]) == 0, capsys.readouterr().out


def test_ports_and_places_agree() -> None:
    """The image, the service and the gateway's default have the same port and paths."""
    (folder,) = set(instructions("WORKDIR")) - {"/build"}
    assert instructions("EXPOSE") == [str(DEFAULT_PORT)]
    assert SERVICE["ports"] == [f"{DEFAULT_PORT}:{DEFAULT_PORT}"]
    assert SERVICE["volumes"] == [f"./{name}:{folder}/{name}:ro" for name in ("gateway.toml", "keys")]
    assert set(SERVICE["environment"]) == {"TESS_API_KEY", "TESS_WORKSPACE_ID"}
    assert (ROOT / SERVICE["build"] / "Dockerfile").is_file()


def test_the_health_check_works() -> None:
    """Its program ends well while the gateway runs, and badly when it does not."""
    from tess_openai.gateway import create_app

    (given,) = re.findall(r"^HEALTHCHECK .*CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    _, option, program = json.loads(given)
    app = create_app(42, api_key="1|" + "k" * 48, workspace_id=1)
    with running(app) as gateway:
        there = program.replace(f"http://127.0.0.1:{DEFAULT_PORT}", gateway.url)
        assert there != program
        assert subprocess.run([sys.executable, option, there], check=False).returncode == 0
    ended = subprocess.run([sys.executable, option, there], check=False, capture_output=True)
    assert ended.returncode != 0
