"""The lanes count what ran, pin what they install, and say so when a Python is absent."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from environment import PINS, to_uv_variables
from frameworks import FRAMEWORKS
from lanes import LANES, PINS_DIR, Lane, Outcome, count, find_failures, find_python, run_tests
from peers import PEERS

PINS_FILES = [PINS, *sorted(PINS_DIR.glob("*.txt"))]


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("....\n12 passed in 0.31s\n", {"passed": 12}),
        (
            "1 failed, 2 passed, 3 skipped, 4 errors in 1.00s",
            {"failed": 1, "passed": 2, "skipped": 3, "errors": 4},
        ),
        ("it printed 7 passed\nno tests ran in 0.01s", {}),
        ("", {}),
    ],
    ids=["all passed", "some did not", "none ran", "no output"],
)
def test_a_lane_is_counted_by_its_closing_line(output: str, counts: dict[str, int]) -> None:
    """Similar lines that tests print are not counted."""
    assert count(output) == counts


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [
        (Outcome("ok", counts=Counter(passed=3)), 0),
        (Outcome("failed", counts=Counter(passed=3, failed=1, errors=2)), 3),
        (Outcome("failed", output="no such package"), 1),
        (Outcome("absent"), 0),
    ],
    ids=["ok", "failed tests", "failed before its tests", "absent"],
)
def test_a_failed_lane_never_counts_as_none_failed(outcome: Outcome, failures: int) -> None:
    """This holds even for a lane that failed before its first test."""
    assert outcome.failures == failures


def test_a_lane_ends_with_its_program(tmp_path: Path) -> None:
    """It does not wait for a process that the program has started, and ends that process too."""
    log, sign = tmp_path / "lane.log", tmp_path / "sign"
    left = f"import pathlib, time; time.sleep(2); pathlib.Path({str(sign)!r}).touch(); time.sleep(60)"
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {left!r}]); print('ended')"
    assert run_tests([sys.executable, "-c", program], log, limit_seconds=30.0) == (True, "ended\n")
    time.sleep(3)  # longer than the process that was left behind would have needed for its sign
    assert not sign.exists()


def test_a_lane_that_hangs_shows_where(tmp_path: Path) -> None:
    """What it has printed, and the lines at which its threads wait."""
    program = "import sys, threading\nprint('begun', flush=True)\nthreading.Event().wait()"
    passed, output = run_tests([sys.executable, "-c", program], tmp_path / "lane.log", limit_seconds=3.0)
    assert not passed
    assert output.startswith("begun\n")
    assert 'File "<string>", line 3 in <module>' in output
    assert output.endswith("did not end within 3 s")


def test_what_failed_is_listed_in_few_lines() -> None:
    """A report that is cut off shows only the end of the output."""
    tests = "".join(f"FAILED tests/test_a.py::test_{number} - {'x' * 999}\n" for number in range(99))
    listed = find_failures(f"F..F\n{tests}99 failed in 1.00s")
    assert len(listed) == 12
    assert listed[0].startswith("FAILED tests/test_a.py::test_0 - xxx")
    assert max(map(len, listed)) < 300
    assert find_failures("2 passed in 1.00s") == []


def test_of_a_run_that_hung_the_waiting_lines_are_listed(tmp_path: Path) -> None:
    """Those of the tests and of the package, for each thread; the main thread is the last."""
    module = tmp_path / "tests" / "test_hangs.py"
    module.parent.mkdir()
    module.write_text(
        "import faulthandler, threading\n"
        "faulthandler.dump_traceback_later(1, exit=True)\n"
        "def wait():\n    threading.Event().wait()\n"
        "threading.Thread(target=wait, daemon=True).start()\nwait()\n"
    )
    passed, output = run_tests([sys.executable, str(module)], tmp_path / "lane.log")
    assert not passed
    assert find_failures(output) == [
        "tests/test_hangs.py:4",
        "tests/test_hangs.py:4 < tests/test_hangs.py:6",
    ]


@pytest.mark.parametrize(
    "lane", [lane for lane in (*LANES, *FRAMEWORKS, PEERS) if lane.needs], ids=lambda lane: lane.name
)
def test_a_lane_pins_what_it_declares(lane: Lane) -> None:
    """A lane with another version of the SDK would prove nothing."""
    pins = lane.pins_file.read_text().splitlines()
    for requirement in lane.needs:
        wanted = re.sub(r"\[.*\]", "", requirement)
        assert any(pin == wanted or pin.startswith(f"{wanted}==") for pin in pins), requirement


@pytest.mark.parametrize("pins", PINS_FILES, ids=lambda path: path.name)
def test_pins_are_versions_and_nothing_else(pins: Path) -> None:
    """No address, no path, no open range: the same versions from any index."""
    for line in pins.read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+]*( ; [^/@]+)?", line)


def test_only_an_interpreter_of_the_version_asked_for_is_found() -> None:
    """None where the machine has none, and the lane is then reported as absent."""
    assert find_python("3.99") is None
    here = "{}.{}".format(*sys.version_info)
    assert find_python(here) is not None


def test_pips_configuration_is_translated_for_uv() -> None:
    """Variables before the section of `install` before the global one, several values each in uv's way."""
    listing = (
        "global.index-url='https://mirror.example/simple'\n"
        "install.index-url='https://nearer.example/simple'\n"
        "global.extra-index-url='\\nhttps://a.example\\nhttps://b.example'\n"
        ":env:.find-links='one two'\n"
        "global.find-links='three'\n"
        "global.timeout='60'\n"
        "download.cert='other.pem'\n"
    )
    assert to_uv_variables(listing) == {
        "UV_DEFAULT_INDEX": "https://nearer.example/simple",
        "UV_INDEX": "https://a.example https://b.example",
        "UV_FIND_LINKS": "one,two",
    }
