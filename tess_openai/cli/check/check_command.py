"""`tess-openai check PATH...`."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast

import typer

from tess_openai.cli import console
from tess_openai.cli.check.findings import Level
from tess_openai.cli.check.inference import Inference
from tess_openai.cli.check.project import find_project
from tess_openai.cli.check.report import CheckReport, to_json, to_sarif, to_text
from tess_openai.cli.check.sites import Finder
from tess_openai.cli.error_messages import Exit, ProblemError
from tess_openai.cli.help import worded
from tess_openai.core.policy import Policy, Unsupported, Word
from tess_openai.core.policy_parameters import resolve_policy

Format: TypeAlias = Literal["text", "json", "sarif"]
FailOn: TypeAlias = Literal["error", "warning", "note", "never"]

HELP = worded(
    "Tell what each OpenAI call in Python source becomes on Tess.",
    "Reads source only: nothing is imported or run. For every call it says, argument by argument, what is "
    "kept, rewritten, emulated, stripped or refused, by the very rules of the adapter, and it finds what "
    "Tess has not: other endpoints, other services' clients, OpenAI's environment variables.",
    examples={
        "tess-openai check .": "this code base",
        "tess-openai check src --policy emulate": 'as unsupported="emulate" would have it',
        "tess-openai check src --policy seed=ignore,*=error": "a word per parameter",
        "tess-openai check . --format sarif > tess.sarif": "for code scanning",
    },
    epilogue="Exit status: 1 when anything of the level of --fail-on is found, or a file cannot be read.",
)


def check(
    paths: Annotated[
        list[Path], typer.Argument(exists=True, metavar="PATH", help="Files and folders to read.")
    ],
    *,
    policy: Annotated[
        str, typer.Option(help="unsupported= where the source says none: a word, or PARAMETER=WORD,...")
    ] = "warn",
    format_: Annotated[Format, typer.Option("--format", help="How to say it.")] = "text",
    fail_on: Annotated[FailOn, typer.Option(help="From which level on the exit status is 1.")] = "error",
    everything: Annotated[bool, typer.Option("--all", help="Also show what stays as it is.")] = False,
) -> None:
    """Tell what each OpenAI call in Python source becomes on Tess."""
    with _no_collection():
        report = check_paths(paths, parse_policy(policy))
        if format_ == "json":
            console.print_json(to_json(report))
        elif format_ == "sarif":
            console.print_json(to_sarif(report))
        else:
            console.print_text(to_text(report, everything=everything))
    if fail_on != "never" and report.reaches(cast("Level", fail_on)):
        raise typer.Exit(Exit.FOUND)


def check_paths(paths: list[Path], policy: Policy) -> CheckReport:
    """Read files and folders and report what is in them."""
    project = find_project(paths)
    finder = Finder(Inference(project), policy)
    sites = [site for module in project.modules() for site in finder.sites(module)]
    return CheckReport(len(project.files), sites, project.unreadable, project.notebooks)


@contextmanager
def _no_collection() -> Generator[None, None, None]:
    """Keep Python from looking again and again for garbage in trees that are all kept: half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def parse_policy(text: str) -> Policy:
    """Read `--policy`: `warn`, or `seed=ignore,*=error`."""
    words: Unsupported = cast("Word", text)
    if "=" in text:
        pairs = (pair.partition("=") for pair in text.split(","))
        words = {name.strip(): cast("Word", word.strip()) for name, _, word in pairs}
    try:
        return resolve_policy(words)
    except ValueError as error:
        raise ProblemError(str(error).replace("unsupported", "--policy", 1)) from error
