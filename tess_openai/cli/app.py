"""The program: its commands, its common options, and its exit status."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, cast

import typer
from typer.main import get_command

import tess_openai
from tess_openai.cli import agent_commands, console, serve, simulate
from tess_openai.cli.chat import chat_command as chat
from tess_openai.cli.check import check_command as check
from tess_openai.cli.doctor import doctor_command as doctor
from tess_openai.cli.error_messages import Exit, ProblemError, to_problem
from tess_openai.cli.help import worded
from tess_openai.cli.probe import probe_command as probe

app = typer.Typer(
    name="tess-openai",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_USAGE: Final = cast(
    "type[typer.BadParameter]",
    next(each for each in typer.BadParameter.__mro__ if each.__name__ == "UsageError"),
)
"""The exception of typer for a wrong command line; in newer releases it is not click's."""
_FULL: Final = frozenset({errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG})


@dataclass(slots=True)
class Invocation:
    """The state that one run of the program shares."""

    debug: bool = False


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    console.prepare_streams()
    invocation = Invocation()
    command = get_command(app)
    try:
        ended = command(args=arguments, prog_name="tess-openai", obj=invocation, standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as exited:
        # typer exits by itself, with status 1, when a pipe is closed
        return _unwritten(exited.__context__) or int(exited.code or 0)
    except typer.Abort:  # Ctrl-C, in older releases of typer
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - every error is printed as one line
        return _unwritten(error) or _fail(error, debug=invocation.debug)
    return ended if isinstance(ended, int) else Exit.OK


def _fail(error: Exception, *, debug: bool) -> int:
    """Print an error in one line, and return the exit status."""
    if type(error).__name__ == "NoArgsIsHelpError":
        console.out().print(str(error), soft_wrap=True)
        return Exit.USAGE
    if debug:
        console.err().print(traceback.format_exc(), end="", soft_wrap=True)
    problem = _to_usage(error) if isinstance(error, _USAGE) else to_problem(error)
    if problem is None:
        message = f"internal error: {type(error).__name__}; --debug shows the traceback"
        problem = ProblemError(message, Exit.BROKEN)
    console.err().print(f"tess-openai: {problem}", soft_wrap=True)
    return problem.status


def _to_usage(error: typer.BadParameter) -> ProblemError:
    message = " ".join(error.format_message().split()).rstrip(".")
    asked = f"{error.ctx.command_path} --help" if error.ctx is not None else "--help"
    return ProblemError(f"{message} ({asked} shows how)")


def _unwritten(error: BaseException | None) -> int:
    """Return the exit status for an error of writing to stdout or stderr; 0 for any other error."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in _FULL:
        return 0
    if error.errno != errno.EPIPE:
        with contextlib.suppress(OSError):
            message = f"tess-openai: the output cannot be written: {error.strerror}"
            console.err().print(message, soft_wrap=True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (
        1,
        2,
    ):  # or Python fails to flush it and exits with its own status
        os.dup2(nowhere, stream)
    return Exit.PIPE if error.errno == errno.EPIPE else Exit.OUTPUT


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's way of calling it
    if wanted:
        typer.echo(f"tess-openai {tess_openai.__version__}")
        raise typer.Exit


@app.callback(
    help=worded(
        "Inspect Tess agents, talk to them, diagnose a set-up, and check OpenAI code against Tess.",
        "Settings come from options, else from the environment: TESS_API_KEY (only there, so that it "
        "stays out of the shell's history), TESS_AGENT_ID, TESS_WORKSPACE_ID, TESS_BASE_URL.",
        examples={
            "tess-openai doctor": "is the set-up right?",
            'tess-openai chat --agent 8794 "Hello"': "talk",
            "tess-openai check src": "what will change for a code base?",
            "tess-openai simulate": "a local Tess, without key and credits",
        },
        epilogue="Exit status: 0 done; 1 found something wrong (check, doctor); 2 wrong command line or "
        "settings; 3 Tess refused or was not reached; 70 a bug; 74 the output cannot be written; "
        "130 interrupted; 141 the output pipe was closed.",
    )
)
def _options(
    context: typer.Context,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    cast("Invocation", context.obj).debug = debug


app.command("chat", help=chat.HELP)(chat.chat)
app.command("agents", help=agent_commands.AGENTS_HELP)(agent_commands.agents)
app.command("agent", help=agent_commands.AGENT_HELP)(agent_commands.agent)
app.command("simulate", help=simulate.HELP)(simulate.simulate)
app.command("serve", help=serve.HELP)(serve.serve)
app.command("doctor", help=doctor.HELP)(doctor.doctor)
app.command("check", help=check.HELP)(check.check)
app.command("probe", help=probe.HELP)(probe.probe)
