"""`tess-openai chat`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tess_openai.cli import console
from tess_openai.cli.connect import AgentOption, BaseUrlOption, TimeoutOption, WorkspaceOption, connect
from tess_openai.cli.error_messages import Exit, ProblemError
from tess_openai.cli.fields import FieldOption, read_fields
from tess_openai.cli.help import worded

HELP = worded(
    "Talk to an agent: one prompt, a pipe, or a conversation.",
    "The answer streams to stdout; its time, its tokens and its ledger go to "
    "stderr. Piped text is sent below the prompt, or as the prompt. Without either a conversation begins.",
    examples={
        'tess-openai chat "Hello"': "one answer",
        'cat report.txt | tess-openai chat "Summarise:"': "about a text",
        "tess-openai chat": "a conversation; /help lists its commands",
        'tess-openai chat "Hello" --json': "one JSON object, for programs",
    },
    epilogue="Exit status: 3 when Tess refuses or is not reached.",
)


def chat(
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What to ask.")] = None,
    *,
    agent: AgentOption = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="One of the agent's models.")] = None,
    temperature: Annotated[str | None, typer.Option(help="The nearest of the agent's is sent.")] = None,
    tools: Annotated[str | None, typer.Option(help="One of the agent's tools, such as internet.")] = None,
    fields: FieldOption = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="The system message.")] = None,
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    timeout: TimeoutOption = 300.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the answer only.")] = False,
) -> None:
    """Ask once, or begin a conversation."""
    text = with_piped(prompt)
    if text is None and not sys.stdin.isatty():
        raise ProblemError('nothing to ask: tess-openai chat "Hello", or pipe a text into it')
    if text is None and (as_json or quiet):
        raise ProblemError('--json and --quiet are for one answer: tess-openai chat "Hello" --json')
    from tess_openai.cli.chat.chat_turn import Wishes, ask, show_account
    from tess_openai.cli.chat.conversation import Conversation

    wishes = Wishes(model=model, tools=tools, temperature=temperature, fields=read_fields(fields))
    with connect(agent, workspace, base_url, timeout=timeout) as client:
        if text is None:
            Conversation(client, wishes, system and console.well_formed(system)).run()
            return
        head = [{"role": "system", "content": console.well_formed(system)}] if system else []
        messages = [*head, {"role": "user", "content": text}]
        answer = ask(client, messages, wishes, _ignore if as_json else console.write_answer)
        if as_json:
            console.print_json(answer.to_json())
        else:
            console.write_answer("\n")
            if not quiet:
                show_account(answer)
    if answer.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)


def with_piped(prompt: str | None) -> str | None:
    """Return the prompt followed by the text that is piped into the program; None when there is neither."""
    given = None if prompt is None else console.well_formed(prompt)
    parts = [part for part in (given, console.read_piped()) if part]
    return "\n\n".join(parts) if parts else None


def _ignore(_: str) -> None:
    """Print nothing: the JSON object holds the whole text."""
