"""`tess-openai doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Final

import typer
from rich.text import Text

from tess_openai.cli import console
from tess_openai.cli.connect import AgentOption, BaseUrlOption, TimeoutOption, WorkspaceOption, connect
from tess_openai.cli.doctor.setup import Setup, offline
from tess_openai.cli.doctor.verdicts import State, Verdict
from tess_openai.cli.error_messages import Exit, to_problem
from tess_openai.cli.fields import FieldOption, read_fields
from tess_openai.cli.help import worded
from tess_openai.core.jsons import JSONObject

HELP = worded(
    "Find what is wrong with key, workspace, agent, address or network, and how to fix it.",
    "Checks the settings, then asks Tess: the agent (free), one short call and one short stream (these two "
    "cost what your agent costs). The first problem in the report is the cause of those that follow.",
    examples={
        "tess-openai doctor": "everything",
        "tess-openai doctor --no-calls": "nothing that costs credits",
        "tess-openai doctor --offline": "the settings only",
        "tess-openai doctor --json": "for scripts",
    },
    epilogue="Exit status: 0 when calls work, 1 when something is wrong.",
)
CONFIRMED: Final = ("key", "workspace", "agent", "base URL")
"""The steps of which the form is checked first, and which Tess then confirms or refuses."""
COLOURS: Final[dict[State, str]] = {"ok": "green", "warning": "yellow", "wrong": "bold red", "skipped": "dim"}


def doctor(
    *,
    agent: AgentOption = None,
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    timeout: TimeoutOption = 60.0,
    fields: FieldOption = None,
    only_offline: Annotated[bool, typer.Option("--offline", help="Do not use the network.")] = False,
    no_calls: Annotated[bool, typer.Option("--no-calls", help="Make no call that costs credits.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Check the settings, then ask Tess."""
    setup = Setup(agent=agent, workspace=workspace, base_url=base_url)
    verdicts: list[Verdict] = []
    given = read_fields(fields)
    for verdict in _visit(setup, timeout, given, only_offline=only_offline, calls=not no_calls):
        verdicts.append(verdict)
        if not as_json:
            console.out().print(to_text(verdict), end="", soft_wrap=True)
    is_wrong = any(verdict.state == "wrong" for verdict in verdicts)
    if as_json:
        console.print_json({"ok": not is_wrong, "steps": [verdict.to_json() for verdict in verdicts]})
    if is_wrong:
        raise typer.Exit(Exit.FOUND)


def _visit(
    setup: Setup, timeout: float, fields: JSONObject, *, only_offline: bool, calls: bool
) -> Iterator[Verdict]:
    found = list(offline(setup))
    is_wrong = any(verdict.state == "wrong" for verdict in found)
    if only_offline or is_wrong:
        yield from found
        if not only_offline:
            yield Verdict("network", "skipped", "until the problem above is fixed")
        return
    from tess_openai.cli.doctor.proxy_reach import judge_reach

    unreached = judge_reach(setup.root, timeout)
    if unreached is not None:
        yield from _without(found, "proxies")
        yield unreached
        yield Verdict("network", "skipped", "until the problem above is fixed")
        return
    yield from _confirm(found, _ask(setup, timeout, fields, calls=calls))


def _ask(setup: Setup, timeout: float, fields: JSONObject, *, calls: bool) -> Iterator[Verdict]:
    """Make a client and ask Tess."""
    import openai

    from tess_openai.cli.doctor.network import online
    from tess_openai.cli.doctor.server_clock import ServerClock

    clock = ServerClock()
    try:
        http_client = openai.DefaultHttpxClient(event_hooks={"response": [clock.note]})
        client = connect(
            setup.agent,
            setup.workspace,
            setup.base_url,
            timeout=timeout,
            max_retries=0,
            quiet=True,
            http_client=http_client,
        )
    except Exception as error:
        problem = to_problem(error)
        if problem is None:
            raise
        yield Verdict("settings", "wrong", str(problem), "No client can be made with it; fix it first.")
        return
    with client:
        for verdict in online(client, fields, calls=calls):
            yield verdict
            if (compared := clock.judge_once()) is not None:
                yield compared


def _confirm(found: list[Verdict], asked: Iterator[Verdict]) -> Iterator[Verdict]:
    """Yield the verdicts of the offline checks and of Tess, one for each step.

    Where both have a verdict on a step, Tess's replaces the other: a key of the right form may be refused.
    A warning of the offline checks is then the likely cause, and its remedy the one to try.
    """
    held = list(found)
    while held and held[0].step not in CONFIRMED:
        yield held.pop(0)
    for answered in asked:
        doubts = (each for each in held if each.step == answered.step and each.state == "warning")
        verdict = _explained(answered, next(doubts, None))
        held = list(_without(held, verdict.step))
        is_known = verdict.state == "wrong" or verdict.step == "agent"
        waits = () if is_known else ("agent",)
        yield from (each for each in held if each.step not in waits)
        held = [each for each in held if each.step in waits]
        yield verdict
    yield from held


def _explained(verdict: Verdict, doubt: Verdict | None) -> Verdict:
    if doubt is None or verdict.state != "wrong":
        return verdict
    return replace(verdict, finding=f"{verdict.finding}; {doubt.finding}", remedy=doubt.remedy)


def _without(found: list[Verdict], step: str) -> Iterator[Verdict]:
    return (verdict for verdict in found if verdict.step != step)


def to_text(verdict: Verdict) -> Text:
    """Return one verdict as text for the terminal."""
    text = Text()
    text.append(f"{verdict.state:<8}", COLOURS[verdict.state])
    text.append(f"{verdict.step:<12}", "bold")
    text.append(f"{verdict.finding}\n")
    if verdict.remedy:
        text.append(f"{'':<20}{verdict.remedy}\n", "cyan")
    return text
