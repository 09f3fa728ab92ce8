"""`tess-openai probe`."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from tess_openai.cli import console
from tess_openai.cli.connect import (
    AgentOption,
    BaseUrlOption,
    TimeoutOption,
    WorkspaceOption,
    connect,
    finite,
)
from tess_openai.cli.error_messages import Exit, ProblemError
from tess_openai.cli.fields import FieldOption, missing_fields, read_fields
from tess_openai.cli.help import worded
from tess_openai.cli.whole_files import temporary_path, write_whole
from tess_openai.core.changes import counted
from tess_openai.core.jsons import parse_json
from tess_openai.core.probe_profile import TessProfile, parse_profile

if TYPE_CHECKING:
    from tess_openai.cli.probe.asking import Asker
    from tess_openai.cli.probe.questions import ProbeQuestion

OutOption = Annotated[Path, typer.Option("--out", "-o", help="The file; an incomplete one is resumed.")]
HELP = worded(
    "Find out with your own key what is not documented about Tess.",
    "A paced series of short calls to one agent: is a parameter ignored or refused, does it work; which "
    "roles, contents and temperatures; what answers and errors look like. It shows the number of calls "
    "and asks first, can be interrupted and resumed. The result is a file without key, workspace and "
    "text, for create_client(profile=...), TESS_OPENAI_PROFILE and simulate --load.",
    examples={
        "tess-openai probe --agent 8794": "ask, then write tess-profile.json",
        "tess-openai probe --list": "the questions, without asking any",
        "tess-openai probe --yes --out my.json": "in a script",
    },
    epilogue="Exit status: 0 when all questions were asked; 130 when interrupted (answers are kept).",
)


def probe(
    *,
    agent: AgentOption = None,
    out: OutOption = Path("tess-profile.json"),
    only: Annotated[
        list[str] | None, typer.Option(metavar="QUESTION", help="Only this question; repeatable.")
    ] = None,
    fields: FieldOption = None,
    pause: Annotated[float, typer.Option(min=0, callback=finite, help="Seconds between two calls.")] = 1.2,
    again: Annotated[bool, typer.Option("--again", help="Ask all questions again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Begin without a question.")] = False,
    show: Annotated[bool, typer.Option("--list", help="List the questions without asking them.")] = False,
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    timeout: TimeoutOption = 120.0,
) -> None:
    """Ask the questions, and write the profile."""
    from tess_openai.agent_api import get_agent
    from tess_openai.cli.probe.asking import open_asker
    from tess_openai.cli.probe.questions import questions_for
    from tess_openai.core.agents import Agent

    if show:
        for question in questions_for(Agent(id=1)):
            console.out().print(question.name)
        return
    with connect(agent, workspace, base_url, timeout=timeout) as client:
        found = get_agent(client=client)
        given = read_fields(fields)
        if missing := missing_fields(found, given):
            raise ProblemError(
                f"the agent asks for {', '.join(missing)}: give it with --field {missing[0]}=..."
            )
        fresh = TessProfile(agent_id=found.id, made=dt.date.today().isoformat())  # noqa: DTZ011 - a day
        profile = fresh if again else _begun(out, fresh)
        known = {*profile.answers, *profile.statuses}
        questions = _chosen(questions_for(found), only or [])
        wanted = [each for each in questions if each.name not in known]
        if not wanted:
            console.err().print(f"every question has an answer in {out}; --again asks all of them again")
            return
        _check(out)
        _confirm(len(wanted), found.id, pause, yes=yes)
        number = workspace or os.environ.get("TESS_WORKSPACE_ID") or None
        asker = open_asker(client, found.id, number, pause_seconds=pause, timeout=timeout)
        asker.fields = given
        with asker.http:
            _ask_all(asker, wanted, profile, out)


def _ask_all(asker: Asker, questions: list[ProbeQuestion], profile: TessProfile, out: Path) -> None:
    from tess_openai.cli.probe.asking import learn

    unsettled: list[str] = []
    try:
        for number, question in enumerate(questions, 1):
            reply = asker.ask(question)
            profile = learn(profile, question, reply)
            _write(profile, out)
            if question.name not in {*profile.answers, *profile.statuses}:
                unsettled.append(question.name)
            message = profile.answers.get(question.name) or f"{reply.status}"
            line = Text(f"{number:>3}/{len(questions)}  ", "dim")
            line.append(f"{question.name:<26}")
            line.append(message, {"supported": "green", "refused": "red"}.get(message, ""))
            console.out().print(line, soft_wrap=True)
    except KeyboardInterrupt:
        console.err().print(
            f"\nstopped; {out} keeps the answers so far, and the same command resumes", soft_wrap=True
        )
        raise typer.Exit(Exit.INTERRUPTED) from None
    finally:
        tokens = f", {asker.tokens} tokens as Tess counts" if asker.tokens else ""
        summary = f"{counted(asker.calls, 'call')}, {asker.answered} answered and therefore paid for{tokens}"
        console.err().print(summary, style="dim", soft_wrap=True)
    if unsettled:
        summary = (
            f"{len(unsettled)} not settled: {', '.join(unsettled)}. Tess answered with an error of its own"
        )
        console.err().print(f"{summary}; the same command asks these again", style="yellow", soft_wrap=True)
    console.err().print(f"written: {out}. Use it: create_client(profile={str(out)!r})", soft_wrap=True)


def _confirm(calls: int, agent_id: int, pause: float, *, yes: bool) -> None:
    summary = (
        f"{counted(calls, 'short call')} to agent {agent_id}, one every {pause:g} s or slower. Each that "
        "is answered costs what one message to this agent costs; refused ones should cost nothing."
    )
    console.err().print(summary, soft_wrap=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise ProblemError("stdin is not a terminal; pass --yes to begin without the question")
    try:
        begin = typer.confirm("Begin?", err=True)
    except typer.Abort:  # Ctrl-C or Ctrl-D
        console.err().print()
        raise ProblemError("nothing was asked", Exit.INTERRUPTED) from None
    if not begin:
        raise ProblemError("nothing was asked", Exit.OK)


def _chosen(questions: list[ProbeQuestion], only: list[str]) -> list[ProbeQuestion]:
    """Return the questions of these names; all when none is named."""
    names = [each.name for each in questions]
    for name in only:
        if name not in names:
            near = difflib.get_close_matches(name, names)
            message = f"did you mean {' or '.join(near)}?" if near else "--list shows them all"
            raise ProblemError(f"there is no question {name!r}; {message}")
    return [each for each in questions if not only or each.name in only]


def _check(out: Path) -> None:
    """Check, before the first paid call, that the file can be written."""
    new = temporary_path(out)
    try:
        if out.is_dir():
            raise ProblemError(f"{out} is a folder; name a file with --out")
        new.touch()
        new.unlink()
    except OSError as error:
        raise ProblemError(f"{out} cannot be written: {error.strerror}") from error


def _begun(out: Path, fresh: TessProfile) -> TessProfile:
    """Return the profile in an existing file of the same agent; `fresh` when there is no file."""
    if not out.is_file():
        return fresh
    try:
        begun = parse_profile(parse_json(out.read_bytes()))
    except ValueError as error:
        raise ProblemError(f"{out} cannot be resumed: {error}") from error
    if begun.agent_id != fresh.agent_id:
        raise ProblemError(f"{out} belongs to agent {begun.agent_id}; choose another file with --out")
    return begun


def _write(profile: TessProfile, out: Path) -> None:
    try:
        write_whole(out, json.dumps(profile.to_json(), indent=2) + "\n")
    except OSError as error:
        raise ProblemError(f"{out} cannot be written: {error.strerror}") from error
