"""One question and its answer, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from tess_openai.cli import console
from tess_openai.cli.connect import AGENTS_OWN
from tess_openai.cli.error_messages import Exit, ProblemError, root_cause, to_problem
from tess_openai.core.changes import Change
from tess_openai.core.jsons import JSONObject
from tess_openai.response_changes import changes_of

if TYPE_CHECKING:
    import openai
_HTTP_PACKAGES: Final = frozenset({"httpcore", "httpcore2", "httpx", "httpx2", "openai"})
"""Packages whose errors may end a stream: older SDKs pass on those of the HTTP library."""


@dataclass(slots=True, kw_only=True)
class Wishes:
    """The settings of a call; None means the agent's default."""

    model: str | None = None
    tools: str | None = None
    temperature: str | None = None
    fields: JSONObject = field(default_factory=dict[str, Any])

    def to_arguments(self) -> dict[str, Any]:
        """Return the settings as arguments of the SDK's `create`."""
        given: dict[str, Any] = {"model": AGENTS_OWN if self.model is None else self.model}
        if self.temperature is not None:
            given["temperature"] = self.temperature
        tools = {} if self.tools is None else {"tools": self.tools}
        if tools or self.fields:
            given["extra_body"] = {**self.fields, **tools}
        return given


@dataclass(slots=True, kw_only=True)
class ChatReply:
    """The answer to one prompt.

    Attributes:
        text: The text received so far.
        model: The model that the answer names.
        finish_reason: The finish reason of the answer.
        usage: Token counts; with `estimated` when the adapter estimated them.
        changes: The ledger.
        first_seconds: The time until the first text; None without text.
        seconds: The time until the end of the answer.
        interrupted: Whether the user pressed Ctrl-C.
    """

    text: str = ""
    model: str = ""
    finish_reason: str | None = None
    usage: JSONObject = field(default_factory=dict[str, Any])
    changes: tuple[Change, ...] = ()
    first_seconds: float | None = None
    seconds: float = 0.0
    interrupted: bool = False

    def to_json(self) -> JSONObject:
        """Return the JSON object that `--json` prints."""
        return {
            "text": self.text,
            "model": self.model,
            "finish_reason": self.finish_reason,
            "usage": self.usage,
            "seconds_to_first_token": None if self.first_seconds is None else round(self.first_seconds, 3),
            "seconds": round(self.seconds, 3),
            "changes": [change.to_json() for change in self.changes],
        }


def ask(
    client: openai.OpenAI, messages: Iterable[Any], wishes: Wishes, on_text: Callable[[str], object]
) -> ChatReply:
    """Send a prompt and stream the answer to `on_text`. Ctrl-C ends the answer, not the program.

    Raises:
        ProblemError: The connection broke after some text.
        Exception: An error of the SDK before any text.
    """
    answer, began = ChatReply(), time.monotonic()
    try:
        with client.chat.completions.create(
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            **wishes.to_arguments(),
        ) as stream:
            for chunk in stream:
                piece = _note(answer, chunk)
                if piece and answer.first_seconds is None:
                    answer.first_seconds = time.monotonic() - began
                if piece:
                    on_text(piece)
    except KeyboardInterrupt:
        answer.interrupted = True
    except Exception as error:
        broken = _broken_off(error) if answer.text else None
        if broken is None:
            raise
        on_text("\n")
        raise broken from error
    answer.seconds = time.monotonic() - began
    return answer


def _broken_off(error: Exception) -> ProblemError | None:
    """Return the error for an answer that broke off; None when the error is not one of the connection."""
    if type(error).__module__.partition(".")[0] not in _HTTP_PACKAGES:
        return None
    problem = to_problem(error)
    # The SDK raises a plain `APIError` for an error event within the stream.
    is_written = problem is not None and type(error).__name__ == "APIError"
    return ProblemError(f"the answer broke off: {problem if is_written else root_cause(error)}", Exit.REFUSED)


def _note(answer: ChatReply, chunk: Any) -> str:  # noqa: ANN401 - the SDK's own type
    answer.changes = changes_of(chunk) or answer.changes
    answer.model = chunk.model or answer.model
    if chunk.usage is not None:
        answer.usage = chunk.usage.model_dump(exclude_none=True)
    if not chunk.choices:
        return ""
    choice = chunk.choices[0]
    answer.finish_reason = choice.finish_reason or answer.finish_reason
    piece = console.without_surrogates(choice.delta.content or "")
    answer.text += piece
    return piece


def show_account(answer: ChatReply) -> None:
    """Print time, tokens, model and ledger of an answer to stderr."""
    parts: list[str] = []
    if answer.interrupted:
        parts.append("stopped")
    if answer.first_seconds is not None:
        parts.append(f"first token {answer.first_seconds:.2f} s")
    parts.append(f"all {answer.seconds:.2f} s")
    if "total_tokens" in answer.usage:
        about = "about " if answer.usage.get("estimated") else ""
        parts.append(f"{about}{answer.usage['total_tokens']} tokens")
    if answer.model:
        parts.append(answer.model)
    text = Text(", ".join(parts) + "\n", "dim")
    for change in answer.changes:
        text.append(f"{change}\n", "yellow" if change.action in ("stripped", "rewritten") else "dim")
    console.err().print(text, end="", soft_wrap=True)
