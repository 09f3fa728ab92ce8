"""The ledger: one record for each thing that did not go to Tess, or come back, as it was.

The same record is shown as a warning, as a log line, to `on_change` and on the answer. It never holds
a prompt, a key or another free text of the caller: `describe` says what a value is, not what it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject, to_list, to_object

Action: TypeAlias = Literal[
    "mapped",  # said in Tess's words, nothing lost
    "rewritten",  # said differently, the meaning may differ
    "stripped",  # not sent
    "forwarded",  # sent although Tess does not document it
    "emulated",  # done by the adapter itself
    "asked again",  # a further paid call
    "noticed",  # Tess's answer is as Tess gave it, and the caller should know
]
Topic: TypeAlias = Literal["parameter", "temperature", "tools", "messages", "answer"]
"""What a warning is about; each is a category that a user can silence on its own."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what the caller asked and what was done.

    Attributes:
        action: What was done.
        param: Which parameter, dotted below the root: `"top_p"`, `"messages.name"`.
        given: The caller's value as `describe` gives it; never a text of theirs.
        sent: What went out instead; `""` for nothing.
        why: The reason, one clause.
        remedy: What the caller can do; `""` when nothing need be done.
        warn: The warning category to raise it under; None for ledger and log only.
    """

    action: Action
    param: str
    given: str
    sent: str
    why: str
    remedy: str = ""
    warn: Topic | None = None

    def __hash__(self) -> int:
        return hash((self.param, self.given, self.why))  # these tell it from all others, and are soon said

    def __str__(self) -> str:
        moved = f"{self.given} -> {self.sent}" if self.sent else self.given
        head = f"{self.param} ({moved})" if moved else self.param
        return ". ".join(part for part in (f"{head} {self.action}: {self.why}", self.remedy) if part)

    def to_json(self) -> JSONObject:
        """Return `{"action", "param", "given", "sent", "why"}`, the form it has on an answer."""
        return {
            "action": self.action,
            "param": self.param,
            "given": self.given,
            "sent": self.sent,
            "why": self.why,
        }


def describe(value: object) -> str:
    """Say what a JSON value is without repeating free text: `0.7`, `a string of 12 characters`.

    Numbers, booleans and null are shown; a string, list or object only by its size, since it may hold
    a prompt, a user's name or a secret.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        text = repr(value) if isinstance(value, int) else f"{value:.6g}"
        return text if len(text) <= 24 else "a number"
    if isinstance(value, str):
        return f"a string of {_count(len(value), 'character')}"
    if (items := to_list(value)) is not None:
        return f"a list of {len(items)}"
    if (members := to_object(value)) is not None:
        return f"an object with {_count(len(members), 'key')}"
    return f"a {type(value).__name__}"


def quoted(value: object) -> str:
    """Return `repr(value)` for a message; a key that was put in a wrong place is not repeated.

    Source: keys of Tess are a number, a pipe and letters (observed), those of OpenAI begin with `sk-`.
    """
    text = repr(value)
    return "what looks like an API key" if _LIKE_A_KEY.search(text) else text


_LIKE_A_KEY: Final = re.compile(r"\d(?:\||%7C)\w|\bsk-\w|\bBearer\b", re.IGNORECASE)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
