"""The command line `tess-openai`. Needs the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_EXTRA = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; without the extra `cli`, print how to install it.

    Args:
        arguments: Without the name of the program; None means those of the process.

    Returns:
        The exit status, see `tess_openai.cli.error_messages.Exit`.
    """
    try:
        from tess_openai.cli.app import run

        return run(arguments)
    except KeyboardInterrupt:  # Ctrl-C while it starts
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        message = "the command line is an extra; install it with: pip install 'tess-openai[cli]'"
        print(f"tess-openai: {message}", file=sys.stderr)  # noqa: T201 - rich may be what is missing
        return 2
