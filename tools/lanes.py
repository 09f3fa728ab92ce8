"""Run the one test suite as lanes: every SDK and Python that the package promises to work with.

The wheel is built once and installed into a fresh environment for each lane, so that the tests run against
what a user installs, and not against the checkout.

    python tools/lanes.py                  all lanes, three at a time
    python tools/lanes.py openai-1.66.0    only this one, its whole output shown
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal

from environment import ROOT, VENV, CommandError, install, interpreter, run, uv

LANES_DIR: Final = ROOT / ".lanes"
PINS_DIR: Final = ROOT / "requirements" / "lanes"
AT_ONCE: Final = 3
"""A lane waits, for servers and time limits, for more than half of its time, so two cores carry three."""
LIMIT_SECONDS: Final = 30 * 60
"""For a lane that hangs. The longest took 16 minutes beside two others, and up to 20 on a slow machine."""
LISTED: Final = 12
FRAMES: Final = 6
STARTED: Final = time.monotonic()

_FRAME: Final = re.compile(r'File "[^"]*/((?:tests|tess_openai)/[^"]+)", line (\d+) in ')

# `-I` keeps the checkout off the import path, so that `tess_openai` is the installed wheel.
SUITE: Final = (
    *("-I", "-m", "pytest", "tests"),
    *(
        "--ignore=tests/clients",
        "--ignore=tests/docs",
        "--ignore=tests/frameworks",
        "--ignore=tests/gateway",
        "--ignore=tests/workshop",
    ),
    *("--hypothesis-profile=lane", "-q", "-p", "no:cacheprovider"),
)
WITHOUT_CORE: Final = (
    *SUITE,
    *(f"--ignore=tests/unit/{room}" for room in ("chat", "emulate", "long_answers", "responses")),
    "--ignore-glob=tests/cli/test_check_*.py",
)
"""For the oldest SDK: without the tests of the core and of `tess-openai check`, which import no SDK.

`make suite` runs these on the newest SDK, and the lanes of Python 3.10 and 3.13 from the wheel.
"""
SDK_DEPENDENT: Final = (*WITHOUT_CORE, "--ignore=tests/testing", "--ignore=tests/cli")
"""For all other SDKs: without the tests of the simulator and of the command line too."""
HTTPX: Final = ("respx",)
HTTPX2: Final = ("pytest-httpx2",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One way in which a user may have installed the package.

    Attributes:
        name: The name, which says what differs from the other lanes.
        needs: What is installed besides the wheel; `requirements/lanes/<pins>.txt` pins all of it.
        pins: The name of the lane whose pins are installed; `""` for the lane's own.
        python: `"3.13"`; `""` for the Python of `.venv`.
        since: The oldest Python on which `needs` can be installed.
        program: The arguments of Python that run the tests.
        bare: Whether the pins contain neither the extras nor a test runner.
    """

    name: str
    needs: tuple[str, ...] = ()
    pins: str = ""
    python: str = ""
    since: tuple[int, int] = (3, 10)
    program: tuple[str, ...] = SUITE
    bare: bool = False

    @property
    def pins_file(self) -> Path:
        """The pinned requirements of this lane."""
        return PINS_DIR / f"{self.pins or self.name}.txt"


LANES: Final = (
    # the longest first, so that none runs alone at the end
    Lane(name="python-3.10", pins="openai-3.54.0", python="3.10"),
    Lane(name="python-3.13", pins="openai-3.54.0", python="3.13"),
    Lane(name="openai-1.66.0", needs=("openai==1.66.0", *HTTPX), program=WITHOUT_CORE),
    Lane(name="openai-1.109.1", needs=("openai==1.109.1", *HTTPX), program=SDK_DEPENDENT),
    Lane(name="openai-2.30.0", needs=("openai==2.30.0", *HTTPX), program=SDK_DEPENDENT),
    Lane(name="openai-2.54.0", needs=("openai==2.54.0", *HTTPX), program=SDK_DEPENDENT),
    Lane(name="openai-3.0.0", needs=("openai==3.0.0", *HTTPX2), program=SDK_DEPENDENT),
    Lane(name="openai-3.54.0", needs=("openai==3.54.0", *HTTPX2), program=SDK_DEPENDENT),
    Lane(
        name="legacy-httpx",
        needs=("openai==3.54.0", "httpx", *HTTPX, *HTTPX2),
        program=(*SDK_DEPENDENT, "--http-client=legacy"),
    ),
    Lane(
        name="aiohttp",
        needs=("openai[aiohttp]==3.54.0", *HTTPX2),
        since=(3, 11),  # its yarl has no wheel for 3.10
        program=(*SDK_DEPENDENT, "--http-client=aiohttp"),
    ),
    Lane(name="core-only", needs=("openai==3.54.0",), program=("-I", "tools/smoke.py"), bare=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of running a lane."""

    verdict: Literal["ok", "failed", "absent"]
    output: str = ""
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def failures(self) -> int:
        """The number of failed tests; 1 when the lane failed before any test ran."""
        counted = self.counts["failed"] + self.counts["error"] + self.counts["errors"]
        return counted or int(self.verdict == "failed")

    def __str__(self) -> str:
        counted = ", ".join(f"{number} {word}" for word, number in self.counts.items())
        summary = self.output if self.verdict == "absent" else counted
        return f"{self.verdict:<7} {self.seconds:4.0f} s   {summary}"


def main(table: tuple[Lane, ...] = LANES, description: str = "Run the test suite in its lanes.") -> int:
    """Run the lanes of a table that the command line names, or all; return 1 when one failed."""
    parser = argparse.ArgumentParser(description=description)
    known = {lane.name: lane for lane in table}
    parser.add_argument("names", nargs="*", metavar="LANE", help=f"of {', '.join(known)}; default: all")
    names: list[str] = parser.parse_args().names
    if unknown := set(names) - set(known):
        parser.error(f"no such lane: {', '.join(sorted(unknown))}. There are {', '.join(known)}.")
    lanes = [known[name] for name in names] or list(table)
    _report("wheel", "building")
    try:
        wheel = build_wheel()
    except CommandError as error:
        print(error)
        return 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(partial(attempt, wheel=wheel), lanes))
    for lane, outcome in zip(lanes, outcomes, strict=True):
        if outcome.verdict == "failed" or len(lanes) == 1:
            print(f"\n===== {lane.name} =====\n{outcome.output}")
    print_failures(lanes, outcomes)
    print_summary(lanes, outcomes)
    return int(any(outcome.verdict == "failed" for outcome in outcomes))


def build_wheel() -> Path:
    """Build the wheel that all lanes install."""
    folder = LANES_DIR / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    run([str(interpreter(VENV)), "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def attempt(lane: Lane, *, wheel: Path) -> Outcome:
    """Make the lane's environment, run its program there, and return the outcome."""
    python = find_python(lane.python) if lane.python else str(interpreter(VENV))
    if python is None:
        outcome = Outcome("absent", f"there is no Python {lane.python} on this machine")
    elif not lane.python and sys.version_info < lane.since:
        outcome = Outcome("absent", "its SDK cannot be installed on Python {}.{}".format(*sys.version_info))
    else:
        _report(lane.name, "started")
        started = time.monotonic()
        passed, output = in_fresh_environment(lane, python, wheel)
        seconds = time.monotonic() - started
        outcome = Outcome("ok" if passed else "failed", output, seconds, count(output))
    _report(lane.name, str(outcome))
    return outcome


def in_fresh_environment(lane: Lane, python: str, wheel: Path) -> tuple[bool, str]:
    """Run the lane's program in an environment made for it; return whether it passed, and its output."""
    environment = LANES_DIR / lane.name
    try:
        uv("venv", "--clear", "--no-project", "--python", python, str(environment))
        install(interpreter(environment), "--no-deps", "--requirement", str(lane.pins_file), str(wheel))
    except CommandError as error:
        return False, str(error)
    return run_tests([str(interpreter(environment)), *lane.program], LANES_DIR / f"{lane.name}.log")


def run_tests(command: list[str], log: Path, limit_seconds: float = LIMIT_SECONDS) -> tuple[bool, str]:
    """Run a program; return whether it passed, and its output.

    The program writes to a file, because a pipe stays open until the last process that inherited it ends. The
    processes that outlive the program are killed. If the program hangs, its output ends with the stack of
    each of its threads.
    """
    with (
        log.open("wb") as sink,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as program,
    ):
        problem = ""
        try:
            program.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            problem = f"\ndid not end within {limit_seconds:g} s"
            program.send_signal(signal.SIGABRT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
    return program.returncode == 0, log.read_text(errors="replace") + problem


def find_python(version: str) -> str | None:
    """Return an interpreter of this version if the machine has one; nothing is downloaded."""
    candidates = [shutil.which(f"python{version}")]
    candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))
    with contextlib.suppress(CommandError):
        candidates.append(uv("python", "find", version).strip())
    for candidate in filter(None, candidates):
        try:
            found = run([candidate, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"])
        except CommandError:  # a version manager's shim without that version
            continue
        if found.strip() == version:
            return candidate
    return None


def count(output: str) -> Counter[str]:
    """Read `12 passed, 1 skipped` from the last line of a test run."""
    closing = output.strip().rpartition("\n")[2]
    found = re.findall(r"(\d+) (passed|failed|skipped|errors?|xfailed)", closing)
    return Counter({word: int(number) for number, word in found})


def find_failures(output: str) -> list[str]:
    """Return the lines of a test run that name what failed; of one that hung, where its threads wait.

    They are few, so that they can be read where only the end of a long output is shown. The main thread is
    the last one.
    """
    named = re.findall(r"^(?:FAILED|ERROR) .{,200}", output, re.MULTILINE)
    stacks = output.split("(most recent call first):\n")[1:]
    waits = [
        " < ".join(f"{file}:{line}" for file, line in _FRAME.findall(stack)[:FRAMES]) for stack in stacks
    ]
    return named[:LISTED] or [wait for wait in waits if wait][-LISTED:]


def print_failures(lanes: list[Lane], outcomes: list[Outcome]) -> None:
    """Print for each lane that failed what failed in it."""
    for lane, outcome in zip(lanes, outcomes, strict=True):
        if outcome.verdict == "failed":
            print(f"\n{lane.name}:", *find_failures(outcome.output), sep="\n    ")


def print_summary(lanes: list[Lane], outcomes: list[Outcome]) -> None:
    """Print a line for each lane, and a last line for the whole run."""
    print()
    for lane, outcome in zip(lanes, outcomes, strict=True):
        print(f"{lane.name:<15} {outcome}")
    total = sum((outcome.counts for outcome in outcomes), Counter[str]())
    failures = sum(outcome.failures for outcome in outcomes)
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    summary = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
    print(
        f"\n{total['passed']} passed, {failures} failed, {total['skipped']} skipped "
        f"in {len(lanes)} lanes ({summary}), {time.monotonic() - STARTED:.0f} s"
    )


def _report(name: str, what: str) -> None:
    print(f"[{time.monotonic() - STARTED:4.0f} s] {name:<15} {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
