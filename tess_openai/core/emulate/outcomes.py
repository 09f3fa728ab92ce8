"""What comes of one answer of the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tess_openai.core.changes import Change
from tess_openai.core.jsons import JSONObject
from tess_openai.core.refusals import Refused


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call that the model made, checked.

    Attributes:
        id: `"call_"` and something never used before.
        name: Of a function that was offered.
        arguments: A JSON object, as text.
    """

    id: str
    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOutcome:
    """The answer is text.

    Attributes:
        text: What has not been given out yet.
        refusal: The text in which the model would not give the JSON asked for; `text` is then empty.
        finish_reason: Why the adapter ended the text; None when the model did.
        changes: For the ledger.
    """

    text: str = field(default="", repr=False)
    refusal: str | None = field(default=None, repr=False)
    finish_reason: Literal["stop", "length"] | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallOutcome:
    """The answer is calls, perhaps after prose.

    Attributes:
        text: Prose before the calls that has not been given out yet.
        calls: One or more.
        changes: For the ledger.
    """

    text: str = field(default="", repr=False)
    calls: tuple[FunctionCall, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOutcome:
    """The request demanded what the model did not do.

    Attributes:
        refused: The error for the caller.
    """

    refused: Refused


FinalOutcome: TypeAlias = TextOutcome | ToolCallOutcome | FailedOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAgain:
    """The answer cannot be used; a further call may mend it.

    Attributes:
        text: Prose that goes to the caller whatever happens next.
        messages: To append to those that were sent: the answer, and what is wrong with it.
        change: For the ledger, when the further call is made.
        otherwise: The honest answer, when it is not.
    """

    text: str = field(default="", repr=False)
    messages: tuple[JSONObject, ...] = field(repr=False)
    change: Change
    fallback: FinalOutcome


Outcome: TypeAlias = FinalOutcome | AskAgain
