"""`tess-openai agents` and `tess-openai agent ID`."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer
from rich.text import Text

from tess_openai.cli import console
from tess_openai.cli.connect import AgentOption, BaseUrlOption, TimeoutOption, WorkspaceOption, connect
from tess_openai.cli.help import worded

if TYPE_CHECKING:
    from tess_openai.core.agents import Agent

AnyType: TypeAlias = Literal["chat", "text", "image", "video", "all"]

AGENTS_HELP = worded(
    "List the agents that your key can see.",
    examples={
        "tess-openai agents": "chat agents",
        "tess-openai agents --search support": "those that match a text",
        "tess-openai agents --type all --json": "agents of all types, as JSON",
    },
    epilogue="Exit status: 3 when Tess refuses the request or cannot be reached.",
)
AGENT_HELP = worded(
    "Show what one agent offers, and what an OpenAI program may send to it.",
    examples={"tess-openai agent 8794": "by number, slug or address", "tess-openai agent": "TESS_AGENT_ID"},
    epilogue="Exit status: 3 when Tess refuses the request or cannot be reached.",
)


def agents(
    *,
    search: Annotated[str | None, typer.Option("--search", "-q", help="Words to look for.")] = None,
    type_: Annotated[AnyType, typer.Option("--type", help="Which agents.")] = "chat",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    timeout: TimeoutOption = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List agents."""
    from tess_openai.agent_api import list_agents

    kind = None if type_ == "all" else type_
    with connect("1", workspace, base_url, timeout=timeout) as client:  # any agent's client can list them
        found = list(islice(list_agents(q=search, type=kind, client=client), limit))
    if as_json:
        console.print_json([asdict(agent) for agent in found])
        return
    table = console.table("ID", "TITLE", "TYPE", "MODELS", "ASKS FOR")
    for agent in found:
        asked = ", ".join(question.name for question in agent.required)
        table.add_row(str(agent.id), agent.title, agent.type, str(len(agent.models) or "fixed"), asked)
    console.out().print(table if found else "no agents found")


def agent(
    agent_id: Annotated[str | None, typer.Argument(metavar="ID", help="Number, slug or address.")] = None,
    *,
    named: AgentOption = None,
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    timeout: TimeoutOption = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show one agent."""
    from tess_openai.agent_api import get_agent

    with connect(agent_id or named, workspace, base_url, timeout=timeout) as client:
        found = get_agent(client=client)
    if as_json:
        console.print_json(asdict(found))
        return
    out = console.out()
    out.print(Text(f"{found.id}  {found.title}", "bold"))
    facts = [found.type, found.visibility, "" if found.active else "not active", found.slug]
    out.print(", ".join(fact for fact in facts if fact))
    if found.description:
        out.print(found.description)
    out.print()
    table = console.table("FIELD", "TYPE", "REQUIRED", "OPTIONS")
    required = set(found.required)
    for question in found.questions:
        is_required = "yes" if question in required or question.name == "messages" else ""
        table.add_row(question.name, question.type, is_required, ", ".join(question.options))
    out.print(table)
    out.print()
    if found.type not in ("", "chat", "text"):
        out.print(f"type {found.type}: does not accept chat calls, so an OpenAI program cannot use it")
        return
    if found.type == "text":
        out.print("type text: only chat agents are documented for chat calls")
    out.print(Text("An OpenAI program may send", "bold"))
    for line in what_to_send(found):
        out.print(f"  {line}")


def what_to_send(agent: Agent) -> list[str]:
    """Return lines that describe what a call may contain, in terms of OpenAI's SDK."""
    lines = ["messages     system, user, assistant; text"]
    if agent.models:
        lines.append(f'model        one of {len(agent.models)}, model="{agent.models[0]}"')
    else:
        lines.append("model        any; the agent has a fixed model, so the parameter is not sent")
    if agent.temperatures:
        lines.append(f"temperature  any number; the nearest of {', '.join(agent.temperatures)} is sent")
    if agent.tools:
        lines.append(f'tools        one word, tools="{agent.tools[-1]}" or extra_body={{"tools": ...}}')
    lines.append("stream       true or false")
    for question in agent.fields:
        must = "must hold" if question in agent.required else "may hold"
        kind = f"one of {', '.join(question.options)}" if question.options else question.type
        lines.append(f'extra_body   {must} "{question.name}": {kind}')
    return lines
