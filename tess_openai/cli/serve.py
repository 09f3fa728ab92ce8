"""`tess-openai serve`: the gateway."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import typer

from tess_openai.cli import console
from tess_openai.cli.connect import AgentOption, BaseUrlOption, WorkspaceOption
from tess_openai.cli.error_messages import Exit, ProblemError, in_words_of_options
from tess_openai.cli.help import worded
from tess_openai.exceptions import TessConfigurationError

if TYPE_CHECKING:
    from tess_openai.gateway.config import GatewayConfig

_EXTRA: Final = ("httptools", "prometheus_client", "starlette", "uvicorn")
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

HELP = worded(
    "Serve Tess agents to every program that takes a base URL and a key.",
    "It speaks OpenAI's HTTP API: chat completions, responses, completions, models and files, below /v1. The "
    "key of Tess is read from TESS_API_KEY. Without --key-file and --pass-through it answers to this machine "
    "only, whatever key a program sends.",
    examples={
        "tess-openai serve --agent 8794": "for programs of this machine",
        "tess-openai serve --agent 8794 --emulate": "with function calls and structured output",
        "tess-openai serve --config gateway.toml": "settings from a file",
        "tess-openai serve --config gateway.toml --check": "what is wrong with it?",
        "tess-openai serve --host 0.0.0.0 --key-file keys": "for others, each with a key of their own",
    },
    epilogue="Options win over the file. Needs pip install 'tess-openai[gateway]'. Exit status: 0 when "
    "stopped with Ctrl-C; 1 when --check finds something; 2 for wrong settings.",
)


def serve(
    *,
    agent: AgentOption = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes a free one. Default: 8484.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes. Default: 1.")] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A file in TOML.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="The callers' keys: a name and a key on each line.")
    ] = None,
    pass_through: Annotated[
        bool, typer.Option("--pass-through", help="Each caller sends a key of Tess instead.")
    ] = False,
    allow_origin: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="An origin whose pages may call; repeatable.")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that Host may have on loopback; repeatable."),
    ] = None,
    emulate: Annotated[
        bool,
        typer.Option("--emulate", help="Emulate function calls, structured output, stop, n, max_tokens."),
    ] = False,
    heartbeat: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds of silence before a comment line; 0: none. Default: 15."),
    ] = None,
    shutdown: Annotated[
        float | None, typer.Option(min=0, help="Seconds that running answers get at the end. Default: 30.")
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="info logs each call: who, what, how long.")] = "info",
    workspace: WorkspaceOption = None,
    base_url: BaseUrlOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong with the settings.")] = False,
) -> None:
    """Serve until interrupted."""
    _require_extra()
    options = {
        "workspace_id": workspace,
        "base_url": base_url,
        "emulate": emulate or None,
        "key_file": key_file,
        "pass_through": pass_through or None,
        "allow_origins": None if allow_origin is None else tuple(allow_origin),
        "allow_hosts": None if allow_host is None else tuple(allow_host),
        "heartbeat_seconds": heartbeat,
    }
    server = {"host": host, "port": port, "workers": workers, "shutdown_seconds": shutdown}
    settings = _combine(config, agent, _given(options), _given(server))
    if check:
        _check(settings)
    else:
        _serve(settings, log_level)


def _require_extra() -> None:
    for name in _EXTRA:
        if importlib.util.find_spec(name) is None:
            raise ProblemError(
                f"the gateway is an extra, and {name} is not installed; install it with: "
                "pip install 'tess-openai[gateway]'"
            )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _combine(
    path: Path | None, agent: str | None, options: dict[str, Any], server: dict[str, Any]
) -> GatewayConfig:
    """Return the settings of the file, replaced by those of the command line where both are given."""
    from tess_openai.gateway.config import GatewayConfig, read_config

    read = GatewayConfig() if path is None else read_config(path)
    return replace(
        read,
        agent_id=read.agent_id if agent is None else agent,
        options={**read.options, **options},
        server=replace(read.server, **server),
    )


def _check(settings: GatewayConfig) -> None:
    """Print the problems and warnings of the settings; exit with status 1 if there are any."""
    from tess_openai.gateway.config import find_problems, find_warnings

    found = [*find_problems(settings), *find_warnings(settings)]
    for each in found:
        console.out().print(in_words_of_options(each), soft_wrap=True)
    if found:
        raise typer.Exit(Exit.FOUND)
    console.out().print("the settings are right")


def _serve(settings: GatewayConfig, log_level: str) -> None:
    from tess_openai.gateway.config import find_problems, find_warnings
    from tess_openai.gateway.gateway_server import serve as serve_gateway

    if problems := find_problems(settings):
        raise TessConfigurationError("; ".join(problems))
    for warning in find_warnings(settings):
        console.err().print(f"tess-openai: {in_words_of_options(warning)}", soft_wrap=True, style="yellow")

    def announce(url: str) -> None:
        console.out().print(f"Tess agents at {url} (Ctrl-C stops)", soft_wrap=True)

    try:
        serve_gateway(settings, announce, log_level=log_level.upper())
    except OSError as error:
        where = f"{settings.server.host}:{settings.server.port}"
        raise ProblemError(f"{where}: {error.strerror}; --port 0 takes a free port") from error
    console.out().print("stopped")
