"""The program as a whole: help, exit status, errors, colours, what is missing without the extra."""

from __future__ import annotations

import importlib.metadata
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from programs import COMMAND, Program, environment

import tess_openai.cli

COMMANDS = ("chat", "agents", "agent", "simulate", "doctor", "check", "probe")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str, tess_openai: Program) -> None:
    """Each command shows how it is used, and its exit status."""
    shown = tess_openai(command, "--help").stdout
    assert "Examples:" in shown
    assert f"tess-openai {command}" in shown
    assert "Exit status" in shown


def test_help_lists_every_command(tess_openai: Program) -> None:
    """Each has one line; the program without arguments prints the same."""
    shown = tess_openai("--help").stdout
    assert all(f" {command} " in shown for command in COMMANDS)
    assert "Exit status" in shown
    assert "Commands" in tess_openai().stdout


def test_the_version(tess_openai: Program) -> None:
    """It is printed alone, so that scripts can read it."""
    assert tess_openai("--version").stdout.split() == [
        "tess-openai",
        importlib.metadata.version("tess-openai"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "'chekc'"),
        (["check"], "PATH"),
        (["check", "nowhere"], "nowhere"),
        (["agents", "--limit", "x"], "--limit"),
        (["agents", "--nope"], "--nope"),
        (["agents", "--timeout", "-1"], "--timeout"),
        (["chat", "x", "--timeout", "nan"], "--timeout"),
        (["doctor", "--timeout", "inf"], "--timeout"),
        (["simulate", "--port", "99999"], "--port"),
        (["simulate", "--port", "-1"], "--port"),
    ],
)
def test_a_wrong_command_line_is_status_2(arguments: list[str], words: str, tess_openai: Program) -> None:
    """The error is one line on stderr."""
    ended = tess_openai(*arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.startswith("tess-openai: ")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


@pytest.mark.skipif(sys.platform == "win32", reason="streams are closed and full on Unix")
@pytest.mark.parametrize(
    ("line", "status", "errors"),
    [
        ("agents >&-", 0, 0),
        ("doctor --json >&-", 0, 0),
        ("chat -q hello >&-", 0, 0),
        ("chat -q hello <&-", 0, 0),
        ("agents 2>&-", 0, 0),
        ("check . >&-", 0, 0),
        ("agents >/dev/full", 74, 1),
        ("agents --json >/dev/full", 74, 1),
        ("chat -q hello >/dev/full", 74, 1),
        ("check . >/dev/full", 74, 1),
        ("chat hello 2>/dev/full", 74, 0),
    ],
)
def test_streams_that_are_closed_or_full_are_no_bug(
    line: str, status: int, errors: int, tmp_path: Path, simulated: dict[str, str]
) -> None:
    """A closed one is an empty one; a full one is one line and a status of its own."""
    if "full" in line and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" {line}', *COMMAND],
        cwd=tmp_path,
        env=environment(simulated),
        input="" if "<&-" not in line else None,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    assert ended.stderr.count("\n") == errors, ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe breaks so on Unix")
@pytest.mark.parametrize("line", ["agents", "agents --json", "chat -q hello", "agent"])
def test_a_reader_that_has_left_is_silent_and_141(line: str, simulated: dict[str, str]) -> None:
    """Shells give 141 for `| head`; 1 is reserved for findings of check and doctor."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*COMMAND, *line.split()],
        env=environment(simulated),
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("where", ["tess_openai.cli.app", "tess_openai.cli.connect", "tess_openai.agent_api"])
def test_ctrl_c_while_it_starts_is_130_without_a_trace(where: str, simulated: dict[str, str]) -> None:
    """This holds during the first import and during those of a command."""
    program = f"""
import sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {where!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from tess_openai.cli import main
sys.exit(main(["agents"]))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(simulated),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 130
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_the_entry_point_is_the_same_program() -> None:
    """`tess-openai` is installed with the package."""
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="tess-openai")
    assert entry.load() is tess_openai.cli.main


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_it_states_what_to_install(missing: str) -> None:
    """The error is one line with the command to type."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None\nfrom tess_openai.cli import main\nsys.exit(main())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "pip install 'tess-openai[cli]'" in ended.stderr


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("doctor --offline", 1, "wrong   SDK         openai is not installed"),
        ("doctor", 1, "wrong   SDK         openai is not installed"),
        ("chat hello", 2, "openai is not installed; install it with: pip install openai"),
        ("check .", 0, "no calls"),
        ("simulate --help", 0, "Serve a local Tess"),
    ],
)
def test_a_missing_sdk_is_a_finding(
    line: str, status: int, words: str, simulated: dict[str, str], tmp_path: Path
) -> None:
    """The doctor reports it; a command that needs the SDK says what to install, and the others work."""
    program = f"""
import importlib.metadata, sys
sys.modules["openai"] = None
of = importlib.metadata.version
def version(name):
    if name == "openai":
        raise importlib.metadata.PackageNotFoundError(name)
    return of(name)
importlib.metadata.version = version
from tess_openai.cli import main
sys.exit(main({line.split()!r}))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(simulated),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    assert words in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_colour_in_a_pipe(tess_openai: Program, tmp_path: Path) -> None:
    """Programs that read the output get plain text."""
    (tmp_path / "a.py").write_text("import openai\nopenai.embeddings.create(input='x')\n")
    assert "\x1b" not in tess_openai("check", "a.py").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is Unix's")
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_only_without_no_color(no_color: str, coloured: bool, tmp_path: Path) -> None:
    """The variable NO_COLOR turns them off."""
    import pty

    (tmp_path / "a.py").write_text("import openai\nopenai.embeddings.create(input='x')\n")
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [*COMMAND, "check", "a.py"],
        cwd=tmp_path,
        env=environment({"NO_COLOR": no_color or None, "TERM": "xterm"}),
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert ended.returncode == 1
    assert (b"\x1b" in shown) is coloured
    assert b"embeddings" in shown


def test_a_bug_is_one_line_and_a_trace_with_debug(tmp_path: Path) -> None:
    """The exit status is 70, and the traceback is shown only on demand."""
    program = (
        "import sys\nfrom tess_openai.cli.check import check_command\n"
        "check_command.check_paths = lambda *_, **__: 1 / 0\n"
        "from tess_openai.cli import main\nsys.exit(main(sys.argv[1:]))"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments, "check", "."],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    quiet, loud = run(), run("--debug")
    assert (quiet.returncode, loud.returncode) == (70, 70)
    assert quiet.stderr == "tess-openai: internal error: ZeroDivisionError; --debug shows the traceback\n"
    assert "Traceback" in loud.stderr


@pytest.mark.parametrize("arguments", [("chat", "Hello"), ("agents",), ("doctor",), ("doctor", "--offline")])
@pytest.mark.parametrize("key", [None, "", "9|wrong"])
def test_a_missing_or_wrong_key_is_reported_in_words_of_the_command_line(
    key: str | None, arguments: tuple[str, ...], tess_openai: Program
) -> None:
    """There is no argument `api_key=` here."""
    ended = tess_openai(*arguments, TESS_API_KEY=key)
    shown = ended.stdout + ended.stderr
    assert ended.returncode == 0 or "key" in shown
    assert "api_key=" not in shown
    assert key == "9|wrong" or "set TESS_API_KEY" in shown


def test_a_missing_workspace_is_reported_in_words_of_the_command_line(tess_openai: Program) -> None:
    """Its option is `--workspace`."""
    shown = tess_openai("agents", TESS_WORKSPACE_ID=None).stderr
    assert "Pass --workspace or set TESS_WORKSPACE_ID" in shown
    assert "workspace_id=" not in shown


def test_a_refused_connection_names_the_address(tess_openai: Program) -> None:
    """It shows host and port, without the path."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        root = f"http://127.0.0.1:{closed.getsockname()[1]}"
    ended = tess_openai("agents", TESS_BASE_URL=root)
    assert ended.returncode == 3
    assert f"Tess cannot be reached at {root}: " in ended.stderr
    assert f"the connection fails on the way to {root}: " in tess_openai("doctor", TESS_BASE_URL=root).stdout
