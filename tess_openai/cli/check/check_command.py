"""`tess-openai check PATH...`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast

import typer

from tess_openai.cli import console
from tess_openai.cli.check.findings import Level, Site
from tess_openai.cli.check.inference import Inference
from tess_openai.cli.check.project import Progress, Project, Unreadable, counted, find_project
from tess_openai.cli.check.report import to_json, to_text
from tess_openai.cli.check.sarif import to_sarif
from tess_openai.cli.check.scopes import Module
from tess_openai.cli.check.sites import Finder
from tess_openai.cli.check.summary import CheckReport
from tess_openai.cli.connect import BaseUrlOption, WorkspaceOption, connect
from tess_openai.cli.error_messages import Exit, ProblemError
from tess_openai.cli.help import worded
from tess_openai.core.agents import Agent, parse_agent
from tess_openai.core.jsons import parse_object
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy, PolicyAction, Unsupported
from tess_openai.core.policy_parameters import resolve_policy

Format: TypeAlias = Literal["text", "json", "sarif"]
FailOn: TypeAlias = Literal["error", "warning", "note", "never"]

HELP = worded(
    "Tell what each OpenAI call in Python source becomes on Tess.",
    "Reads source and notebooks only: nothing is imported or run. Every call gets one verdict: it runs as it "
    "is, it runs and something is left out, it needs emulation, or it cannot be made; and, argument by "
    "argument, the reasons, by the very rules of the adapter. Constructors, other services' clients and "
    "OpenAI's environment variables are listed too.",
    examples={
        "tess-openai check .": "this code base",
        "tess-openai check src --policy emulate": 'as unsupported="emulate" would have it',
        "tess-openai check src --policy seed=ignore,*=error": "a word per parameter",
        "tess-openai check . --agent 8794": "with the models and temperatures of that agent",
        "tess-openai check . --format sarif > tess.sarif": "for code scanning",
    },
    epilogue="Exit status: 1 when anything of the level of --fail-on is found, or a file cannot be read; 3 "
    "when Tess does not describe the agent.",
)


def check(
    paths: Annotated[
        list[Path], typer.Argument(exists=True, metavar="PATH", help="Files and folders to read.")
    ],
    *,
    policy: Annotated[
        str, typer.Option(help="unsupported= where the source says none: a word, or PARAMETER=WORD,...")
    ] = "warn",
    agent: Annotated[
        str | None,
        typer.Option(help="The agent, or a file with what `tess-openai agent ID --json` printed."),
    ] = None,
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    format_: Annotated[Format, typer.Option("--format", help="How to say it.")] = "text",
    fail_on: Annotated[FailOn, typer.Option(help="From which level on the exit status is 1.")] = "error",
    everything: Annotated[bool, typer.Option("--all", help="Also show what stays as it is.")] = False,
) -> None:
    """Tell what each OpenAI call in Python source becomes on Tess."""
    known = None if agent is None else _describe(agent, workspace, base_url)
    with _no_collection():
        report = check_paths(paths, parse_policy(policy), agent=known, progress=_progress())
        if format_ == "json":
            console.print_json(to_json(report))
        elif format_ == "sarif":
            console.print_json(to_sarif(report, documentation=_documentation()))
        else:
            console.print_text(to_text(report, everything=everything))
    if fail_on != "never" and report.reaches(cast("Level", fail_on)):
        raise typer.Exit(Exit.FOUND)


def check_paths(
    paths: list[Path],
    policy: Policy,
    *,
    agent: Agent | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Read files and folders and report what is in them.

    Args:
        paths: Files and folders.
        policy: Where the source says none.
        agent: What the agent offers, if that is known.
        progress: Called with how many files are done, and of how many.
    """
    project = find_project(paths)
    inference = Inference(project)
    finder = Finder(inference, Options(policy=policy), agent)
    sites = [
        site
        for module in counted(project.modules(progress), progress)
        for site in _sites_of(module, finder, inference, project)
    ]
    if progress is not None:
        progress(1, 1)
    return CheckReport(len(project.files), sites, project.unreadable)


def _sites_of(module: Module, finder: Finder, inference: Inference, project: Project) -> Iterator[Site]:
    inference.begin_file()
    yield from finder.sites(module)
    if inference.has_given_up:
        why = (
            "it would take too many steps to follow its names; calls whose client is not seen may be missing"
        )
        project.unreadable.append(Unreadable(module.path, why, is_partial=True))


def _progress() -> Progress | None:
    """Return a function that shows progress on a terminal; None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, of: int) -> None:
        sys.stderr.write(f"\r\x1b[K{done} of {of} files" if done < of else "\r\x1b[K")
        sys.stderr.flush()

    return show


def _describe(agent: str, workspace: str | None, base_url: str | None) -> Agent:
    """Return what an agent offers, from a file or from Tess."""
    file = Path(agent)
    if file.is_file():
        found = parse_agent(parse_object(file.read_bytes()))
        if found is None:
            raise ProblemError(
                f"{agent} describes no agent. Write it with: tess-openai agent 8794 --json > FILE"
            )
        return found
    from tess_openai.agent_api import get_agent

    with connect(agent, workspace, base_url, timeout=60.0) as client:
        return get_agent(client=client)


def _documentation() -> str:
    """Return where this package's metadata says that its documentation is; `""` when it does not."""
    try:
        entries = metadata("tess-openai").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    addresses = dict(str(entry).split(", ", 1) for entry in entries)
    return addresses.get("Documentation", "")


@contextmanager
def _no_collection() -> Generator[None, None, None]:
    """Keep Python from looking again and again for garbage in trees that are all kept: half of the time.

    The process ends soon after, so that they are not searched at the end either.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()


def parse_policy(text: str) -> Policy:
    """Read `--policy`: `warn`, or `seed=ignore,*=error`."""
    words: Unsupported = cast("PolicyAction", text)
    if "=" in text:
        pairs = (pair.partition("=") for pair in text.split(","))
        words = {name.strip(): cast("PolicyAction", word.strip()) for name, _, word in pairs}
    try:
        return resolve_policy(words)
    except ValueError as error:
        raise ProblemError(str(error).replace("unsupported", "--policy", 1)) from error
