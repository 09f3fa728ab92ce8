"""The client of a command, and the options that choose it."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tess_openai.cli import console
from tess_openai.cli.doctor.environment import what_is_wrong
from tess_openai.cli.error_messages import ProblemError, in_words_of_options, to_problem
from tess_openai.exceptions import TessWarning

if TYPE_CHECKING:
    import openai

AgentOption = Annotated[
    str | None, typer.Option("--agent", "-a", help="The agent: number, slug or address; else TESS_AGENT_ID.")
]
WorkspaceOption = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Its number; else TESS_WORKSPACE_ID.")
]
BaseUrlOption = Annotated[str | None, typer.Option("--base-url", help="Of the API; else TESS_BASE_URL.")]


def finite(value: float) -> float:
    """Refuse NaN and infinity as a number of seconds; the `callback=` of an option."""
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a number of seconds")
    return value


TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.001, callback=finite, help="Seconds to wait for an answer.")
]


AGENTS_OWN: Final[Any] = None
"""The value of `model` that means the default of the agent."""


def connect(
    agent: str | None,
    workspace: str | None,
    base_url: str | None,
    *,
    timeout: float,
    max_retries: int = 2,
    quiet: bool = False,
    **options: Any,  # noqa: ANN401 - those of create_client
) -> openai.OpenAI:
    """Make the client. A warning of the factory becomes a line on stderr; calls show the ledger instead.

    Args:
        agent: See `AgentOption`.
        workspace: See `WorkspaceOption`.
        base_url: See `BaseUrlOption`.
        timeout: Seconds to wait for an answer.
        max_retries: How often the SDK repeats a failed call.
        quiet: Whether to suppress the warnings because the command reports them itself.
        **options: Further options of `create_client`.

    Raises:
        TessConfigurationError: A mistake in options or environment.
        ProblemError: No HTTP client can be made with the proxies or certificates of the environment.
    """
    from tess_openai import create_client

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TessWarning)
        try:
            client = create_client(
                agent,
                workspace_id=workspace,
                base_url=base_url,
                timeout=timeout,
                max_retries=max_retries,
                **options,
            )
        except Exception as error:
            if to_problem(error) is not None or (found := what_is_wrong()) is None:
                raise
            raise ProblemError(f"{found.finding}. {found.remedy}") from error
    warnings.simplefilter("ignore", TessWarning)  # the ledger is shown instead
    if not quiet:
        for warning in caught:
            console.err().print(
                f"tess-openai: {in_words_of_options(str(warning.message))}", soft_wrap=True, style="yellow"
            )
    return client
