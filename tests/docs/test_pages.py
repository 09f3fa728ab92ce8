"""What the pages and examples show is run as shown, each as one program, against a simulated Tess.

A page's Python blocks are joined, each at its own line, so that a traceback names the page's line.
A page that shows tests is run by pytest. What a page shows in blocks of the language `output`, it must print.
A block stays out only after `<!-- not run: the reason -->`. A page with `<!-- needs: the module -->` is run
where that is installed: `make frameworks` runs each.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import scripts

from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
OBEDIENT = "<!-- model: obedient -->"
"""On a page whose simulated model follows the instructions of emulation instead of echoing."""
FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>```+) *(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)(?P=ticks) *$",
    re.MULTILINE | re.DOTALL,
)
TITLE = re.compile(r'title="([^"/]+\.py)"')
NEEDS = re.compile(r"^<!-- needs: (\w+) -->$", re.MULTILINE)
EXEMPTION = re.compile(r"<!-- not run:(?P<reason>.*?)-->\s*\Z", re.DOTALL)


def program_of(page: str) -> str:
    """Join a page's Python blocks into one program whose lines have the page's numbers.

    Raises:
        ValueError: A block is exempt without a reason.
    """
    lines = [""] * (page.count("\n") + 1)
    for fence in FENCE.finditer(page):
        if fence["language"].lower() not in {"python", "python3", "py"}:
            continue
        first = page.count("\n", 0, fence.start("code"))
        if exemption := EXEMPTION.search(page, 0, fence.start()):
            if not exemption["reason"].strip():
                raise ValueError(f"line {first}: say why the block is not run")
            continue
        code = dedent(fence["code"]).splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


def files_of(page: str) -> dict[str, str]:
    """Return the Python files that a page shows whole, ```` ```python title="a.py" ````, by their names."""
    files: dict[str, str] = {}
    for fence in FENCE.finditer(page):
        title = TITLE.search(page, fence.start(), fence.start("code"))
        if title is not None and not EXEMPTION.search(page, 0, fence.start()):
            files[title[1]] = dedent(fence["code"])
    return files


@pytest.fixture
def environment(tess_simulator: TessSimulator) -> dict[str, str]:
    """What a user has set before running what a page shows."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tests" / "guard"),
        "TESS_BASE_URL": tess_simulator.base_url,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_AGENT_ID": "42",
        "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
    }


def outputs_of(page: str) -> str:
    """Join what a page's `output` blocks say that its program prints."""
    blocks = (dedent(fence["code"]) for fence in FENCE.finditer(page) if fence["language"] == "output")
    return "".join(blocks)


def command_for(program: Path) -> list[str]:
    """Return how its reader runs a program: tests by pytest."""
    is_tests = re.search(r"^(async )?def test_", program.read_text(), re.MULTILINE)
    return ["-m", "pytest", "-v", str(program)] if is_tests else [str(program)]


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a shown program as its reader would, and fail with what it printed.

    Returns:
        What it printed to stdout.
    """
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return ended.stdout


PAGES_WITH_PROGRAMS = [
    pytest.param(
        page,
        marks=[pytest.mark.needs(*found)] if (found := NEEDS.findall(page.read_text())) else [],
        id=str(page.relative_to(ROOT)),
    )
    for page in PAGES
    if program_of(page.read_text()).strip()
]


@pytest.mark.parametrize("page", PAGES_WITH_PROGRAMS)
def test_what_a_page_shows_runs(
    page: Path, tess_simulator: TessSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    """A reader who copies a page's code gets what the page promises, and sees what it shows."""
    if OBEDIENT in page.read_text():
        tess_simulator.model = "obedient"
    scripts.play(tess_simulator, page)
    shown = tmp_path / f"test_{page.stem}.py".replace("-", "_")
    text = page.read_text()
    program = program_of(text)
    shown.write_text(program)
    printed = run(command_for(shown), tmp_path, environment)
    promised = outputs_of(text)
    assert not promised or printed == promised
    for file, code in files_of(text).items():
        (tmp_path / file).write_text(code)
        run([file], tmp_path, environment)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Each example works from any folder, with the settings its guide names, and shows something.

    The simulated model follows the instructions of emulation, as in `make demo`; nothing is scripted.
    """
    with TessSimulator(model="obedient") as simulator:
        environment["TESS_BASE_URL"] = simulator.serve().base_url
        printed = run(command_for(example), tmp_path, environment)
    assert len(printed) > 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_that_sets_variables_says_how_in_powershell(page: Path) -> None:
    """`export` is known to no shell of Windows."""
    text = page.read_text()
    assert "$ export " not in text or "$env:" in text


def test_blocks_are_joined_at_their_own_lines() -> None:
    """Indented blocks too; other languages and exempt blocks leave blank lines."""
    page = """A page.

```python
import os
```

=== "Tab"

    ```py title="x.py"
    if os:
        found = 1
    ```

```console
$ make test
```

<!-- not run: needs a real key -->
```python
undefined()
```
"""
    lines = program_of(page).split("\n")
    assert [(number, line) for number, line in enumerate(lines, 1) if line] == [
        (4, "import os"),
        (10, "if os:"),
        (11, "    found = 1"),
    ]


def test_a_file_that_a_page_shows_is_complete() -> None:
    """Only a block whose title is the name of a Python file is taken as a file."""
    page = '```python\nimport os\n```\n\n```python title="a.py"\nos\n```\n\n```yaml title="b.yaml"\nx\n```\n'
    assert files_of(page) == {"a.py": "os\n"}


def test_the_promised_output_is_found() -> None:
    """The blocks are found in order, without their indentation."""
    page = '```output\none\n```\n\n=== "Tab"\n\n    ```output\n    two\n      three\n    ```\n'
    assert outputs_of(page) == "one\ntwo\n  three\n"


def test_an_exemption_needs_a_reason() -> None:
    """It exempts only the block after it."""
    with pytest.raises(ValueError, match="line 3: say why"):
        program_of("\n<!-- not run: -->\n```python\nx = 1\n```\n")
    page = "<!-- not run: for show -->\n```python\nx = 1\n```\n\n```python\ny = 2\n```\n"
    assert program_of(page).split() == ["y", "=", "2"]


def test_a_program_that_fails_is_seen(tmp_path: Path) -> None:
    """The failure shows the last lines that the program printed."""
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('its last words')")
    with pytest.raises(AssertionError, match="its last words"):
        run([str(broken)], tmp_path, dict(os.environ))
