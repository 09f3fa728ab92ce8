"""The outcomes of one answer of the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tess_openai.core.changes import Change
from tess_openai.core.refusals import Refused


@dataclass(slots=True)  # made for each call of an answer: creating a frozen dataclass takes twice as long
class FunctionCall:
    """A call that the model made; its function and its arguments were checked.

    Attributes:
        id: `"call_"` and a fresh identifier.
        name: The name of an offered function.
        arguments: A JSON object as text; for a custom tool, its input.
        is_custom: Whether it calls a custom tool.
    """

    id: str
    name: str
    arguments: str = field(repr=False)
    is_custom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOutcome:
    """The answer is text.

    Attributes:
        text: The text that the caller has not received yet.
        refusal: The text with which the model declined to give the JSON; `text` is then empty.
        finish_reason: Why the adapter ended the text; None when the model ended it.
        changes: Changes for the ledger.
    """

    text: str = field(default="", repr=False)
    refusal: str | None = field(default=None, repr=False)
    finish_reason: Literal["stop", "length"] | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallOutcome:
    """The answer is one or more calls, perhaps after prose.

    Attributes:
        text: The prose before the calls that the caller has not received yet.
        calls: One or more calls.
        changes: Changes for the ledger.
    """

    text: str = field(default="", repr=False)
    calls: tuple[FunctionCall, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOutcome:
    """The answer cannot be used, and the caller gets an error.

    Attributes:
        refused: The error for the caller.
    """

    refused: Refused


FinalOutcome: TypeAlias = TextOutcome | ToolCallOutcome | FailedOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAgain:
    """The answer cannot be used; a further request may repair it.

    Attributes:
        text: The prose that the caller receives before the outcome, whether or not a further request is sent.
        answer: The text of the whole answer.
        repair_note: Tells the model what is wrong and what to do; follows the last message of the further
            request.
        change: The change that the ledger records if the further request is sent.
        fallback: The outcome when no further request is sent.
    """

    text: str = field(default="", repr=False)
    answer: str = field(repr=False)
    repair_note: str = field(repr=False)
    change: Change
    fallback: FinalOutcome


Outcome: TypeAlias = FinalOutcome | AskAgain
