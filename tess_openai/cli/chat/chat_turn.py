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
_ON_THE_WAY: Final = frozenset({"httpcore", "httpcore2", "httpx", "httpx2", "openai"})
"""Whose errors may end a stream: older SDKs let the HTTP library's own through."""


@dataclass(slots=True, kw_only=True)
class Wishes:
    """What the user asks for beside the text; None leaves it to the agent."""

    model: str | None = None
    tools: str | None = None
    temperature: str | None = None
    fields: JSONObject = field(default_factory=dict[str, Any])

    def to_arguments(self) -> dict[str, Any]:
        """Return them as arguments of the SDK's `create`."""
        given: dict[str, Any] = {"model": AGENTS_OWN if self.model is None else self.model}
        if self.temperature is not None:
            given["temperature"] = self.temperature
        tools = {} if self.tools is None else {"tools": self.tools}
        if tools or self.fields:
            given["extra_body"] = {**self.fields, **tools}
        return given


@dataclass(slots=True, kw_only=True)
class ChatReply:
    """What came back.

    Attributes:
        text: Of the answer, so far as it came.
        model: As Tess names it.
        finish_reason: As Tess gives it.
        usage: Token counts; `estimated` in it when the adapter counted.
        changes: The ledger.
        first_seconds: Until the first text; None when none came.
        seconds: Until the end.
        interrupted: The user stopped it.
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
        """Return it for programs."""
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
    """Ask and stream; `on_text` gets each piece as it comes. Ctrl-C ends the answer, not the program.

    Raises:
        ProblemError: The answer broke off.
        Exception: Of the SDK, before any text came.
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
    """Say that an answer broke off; None when the error is not of the way to Tess."""
    if type(error).__module__.partition(".")[0] not in _ON_THE_WAY:
        return None
    problem = to_problem(error)
    is_written = (
        problem is not None and type(error).__name__ == "APIError"
    )  # Tess's own words, within the stream
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
    piece = choice.delta.content or ""
    answer.text += piece
    return piece


def show_account(answer: ChatReply) -> None:
    """Say on stderr how long it took, what it counted, and what changed on the way."""
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
