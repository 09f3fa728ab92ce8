"""The verdict of `tess-openai check` on a call is what happens when the call is made.

Each line of the corpus that ends in `# verdict: VERDICT` holds one call with that verdict, with a `?` behind
it where it depends on what is not written out; `A | B` means B under `--policy emulate`. Those of
`runnable.py` are also run, against the strict simulator.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import tess_openai
from tess_openai import Change, TessWarning
from tess_openai.cli.check.check_command import check_paths
from tess_openai.cli.check.findings import Site
from tess_openai.core.policy_parameters import resolve_policy
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator

CORPUS = Path(__file__).parent / "corpus" / "verdicts"
RUNNABLE = CORPUS / "runnable.py"
MARK = "  # verdict: "
NOT_IN_THIS_SDK = "an older SDK has no such parameter"
POLICIES = {"warn": 0, "emulate": 1}


def marked_lines(file: Path, policy: str) -> dict[int, str]:
    """Return the verdict of each marked line under a policy."""
    found: dict[int, str] = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        _, mark, verdicts = line.partition(MARK)
        if mark:
            given = verdicts.strip().split(" | ")
            found[number] = given[min(POLICIES[policy], len(given) - 1)]
    return found


def calls_in(file: Path, policy: str) -> dict[int, list[Site]]:
    """Return the calls that are found on each line."""
    report = check_paths([CORPUS], resolve_policy("warn", emulate=policy == "emulate"))
    calls: dict[int, list[Site]] = {}
    for site in report.sites:
        if site.kind == "call" and Path(site.path) == file:
            calls.setdefault(site.line, []).append(site)
    return calls


def verdict_of(sites: list[Site]) -> str:
    """Say the worst verdict of a line as the corpus does."""
    worst = max(sites, key=lambda site: VERDICT_ORDER.index(str(site.verdict)))
    return f"{worst.verdict}{'' if worst.is_sure else ' ?'}"


VERDICT_ORDER = ["as it is", "emulated", "left out", "needs emulation", "cannot"]
FILES = sorted(CORPUS.rglob("*.py"))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORPUS)))
def test_the_verdicts_of_a_file(file: Path, policy: str) -> None:
    """Each marked line has the verdict that was written by hand, and no other line has a call."""
    found = {line: verdict_of(sites) for line, sites in calls_in(file, policy).items()}
    assert found == marked_lines(file, policy)


def source_lines() -> dict[int, str]:
    """Return the calls of the file that is run."""
    return {
        number: line.partition(MARK)[0]
        for number, line in enumerate(RUNNABLE.read_text().splitlines(), 1)
        if MARK in line
    }


@pytest.mark.parametrize("policy", POLICIES)
def test_the_calls_that_are_run(policy: str, tess_simulator: TessSimulator) -> None:
    """What happens is what the mark says: refused, changed with a warning, emulated, or nothing of these."""
    changes: list[Change] = []
    namespace = prepared(tess_simulator, changes, emulate=policy == "emulate")
    happened: dict[int, str] = {}
    for number, source in source_lines().items():
        changes.clear()
        happened[number] = observed(source, namespace, changes)
    marked = marked_lines(RUNNABLE, policy)
    ran = {number: each for number, each in happened.items() if each != NOT_IN_THIS_SDK}
    assert ran == {number: marked[number].removesuffix(" ?") for number in ran}
    assert len(ran) > 80


def prepared(simulator: TessSimulator, changes: list[Change], *, emulate: bool) -> dict[str, Any]:
    """Run what comes before the calls, with a client of the simulator's."""
    before = RUNNABLE.read_text().partition("client.chat")[0].replace("client = create_client(42)", "")
    namespace: dict[str, Any] = {}
    exec(before, namespace)  # noqa: S102 - a file of the tests
    namespace["client"] = tess_openai.create_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        base_url=simulator.base_url,
        emulate=emulate,
        max_repairs=0,
        on_change=changes.append,
    )
    return namespace


def observed(source: str, namespace: dict[str, Any], changes: list[Change]) -> str:
    """Make a call and say what happened to it."""
    import openai

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TessWarning)
        warnings.simplefilter("ignore", DeprecationWarning)  # of the SDK's, for what OpenAI gives up
        try:
            exec(source, namespace)  # noqa: S102 - a file of the tests
        except openai.APIStatusError:
            return "cannot"
        except TypeError as error:
            if "unexpected keyword argument" not in str(error):
                raise
            return NOT_IN_THIS_SDK
    warned = [change for change in changes if change.warn is not None]
    if any(change.action == "stripped" and breaks(change) for change in warned):
        return "needs emulation"
    if warned:
        return "left out"
    return "emulated" if any(change.action == "emulated" for change in changes) else "as it is"


def breaks(change: Change) -> bool:
    """Whether a program that asked for this reads calls or JSON that are not there."""
    return (
        change.param in ("tools", "functions", "response_format", "text.format")
        and "function" in change.given
    )


def test_the_corpus_is_large() -> None:
    """It has at least 150 calls with a verdict, of which at least 80 are run."""
    assert sum(len(marked_lines(file, "warn")) for file in FILES) >= 150
    assert len(source_lines()) >= 80


def test_the_servers_that_clients_call_are_named() -> None:
    """Addresses are read in every form; where branches make several clients, all are named."""
    report = check_paths([CORPUS.parent], resolve_policy("warn"))
    named = {
        Path(site.path).name: [each.provider for each in report.sites if each.path == site.path]
        for site in report.sites
        if site.kind == "call"
    }
    local = "a server on this machine"
    assert [each for each in named["providers.py"] if each] == [
        *(["DeepSeek"] * 2),
        *(["Groq"] * 4),
        *([local] * 2),
        "xAI",
        *([local] * 2),
        *(["Mistral"] * 2),
        *(["Cerebras"] * 2),
    ]
    several = {each for each in named["held.py"] if " or " in each}
    assert several == {"Azure or OpenAI", "OpenAI or OpenRouter"}


def test_a_name_of_a_function_that_is_not_written_out_refuses_nothing(tmp_path: Path) -> None:
    """`tool_choice` may name one of the functions."""
    file = tmp_path / "a.py"
    tools = '[{"type": "function", "function": {"name": "a"}}]'
    choice = '{"type": "function", "function": {"name": name}}'
    file.write_text(
        "import openai\ndef ask(name):\n    return openai.OpenAI().chat.completions.create("
        f'model="tess-6", messages=[], tools={tools}, tool_choice={choice})\n'
    )
    report = check_paths([file], resolve_policy("warn", emulate=True))
    assert [site.verdict for site in report.sites if site.kind == "call"] == ["emulated"]
