"""The exit codes, and every error as one clear line."""

from __future__ import annotations

import re
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from tess_openai.core.error_hints import RATE_HINT
from tess_openai.core.jsons import to_object
from tess_openai.exceptions import TessConfigurationError

if TYPE_CHECKING:
    import openai

_OPTIONS: Final = {
    r"(pass )?api_key= or (set )?TESS_API_KEY": r"\g<2>TESS_API_KEY",
    r"TESS_API_KEY or api_key=": "TESS_API_KEY",
    r"\bcreate_client\(workspace_id=\d+\)": "--workspace",
    r"\bworkspace_id=": "--workspace",
    r"pass its number, create_client\(8794\), or set": "name it with --agent 8794, or set",
    r"\bbase_url=": "--base-url",
    rf" ?{re.escape(RATE_HINT)}": " Ask less often: Tess allows about one request a second.",
    r" ?For long answers use stream=True.*?\"poll\"\)\.?": "",
    r"The ([\w-]+) field is required\.?": r"The \g<1> field is required; give it with --field \g<1>=...",
}
"""Parts of messages for programs -> the wording for the command line: the key is never an option there."""


class Exit(IntEnum):
    """Exit status of every command."""

    OK = 0
    FOUND = 1
    """The command ran and found a problem (`check`, `doctor`)."""
    USAGE = 2
    """The command line, the environment or a file is wrong; nothing was sent."""
    REFUSED = 3
    """Tess refused the request, or could not be reached."""
    BROKEN = 70
    """An internal error; `--debug` shows the traceback."""
    OUTPUT = 74
    """The output cannot be written: the disk is full."""
    INTERRUPTED = 130
    PIPE = 141
    """The output pipe was closed, as by `| head`; shells use this status for SIGPIPE."""


class ProblemError(Exception):
    """Ends a command with one line and an exit status."""

    def __init__(self, message: str, status: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.status = status


def to_problem(error: Exception) -> ProblemError | None:
    """Return the line for an error that a user can act on; None for a bug."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, TessConfigurationError):
        return ProblemError(in_words_of_options(str(error)))
    if isinstance(error, ModuleNotFoundError) and error.name == "openai":
        return ProblemError("openai is not installed; install it with: pip install openai")
    if "openai" not in sys.modules:  # it is slow to import, and then it cannot have raised anything
        return None
    import openai

    if isinstance(error, openai.APIStatusError):
        return ProblemError(
            f"{in_words_of_options(message_of(error))} (HTTP {error.status_code})", Exit.REFUSED
        )
    if isinstance(error, openai.APITimeoutError):
        return ProblemError("Tess did not answer in time; raise the limit with --timeout", Exit.REFUSED)
    if isinstance(error, openai.APIConnectionError):
        return ProblemError(
            f"Tess cannot be reached at {address_of(error)}: {root_cause(error)}", Exit.REFUSED
        )
    if isinstance(error, openai.APIError):
        return ProblemError(in_words_of_options(message_of(error)), Exit.REFUSED)
    if isinstance(error, openai.OpenAIError):
        return ProblemError(str(error))
    return None


def message_of(error: openai.APIError) -> str:
    """Return the message of Tess, without the prefix `Error code: 422 - {...}` of the SDK."""
    message = (to_object(error.body) or {}).get("message")
    return message if isinstance(message, str) and message else error.message


def in_words_of_options(text: str) -> str:
    """Reword a message about factory arguments for the options and variables of the program."""
    for argument, option in _OPTIONS.items():
        text = re.sub(argument, option, text)
    return text


def address_of(error: openai.APIConnectionError) -> str:
    """Return scheme, host and port of the requested URL: no path, no user."""
    url = error.request.url
    return f"{url.scheme}://{url.netloc.decode()}"


def root_cause(error: BaseException) -> str:
    """Return the message of the root cause of an error."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error) or type(error).__name__
