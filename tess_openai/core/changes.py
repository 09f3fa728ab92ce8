"""The record of one difference between what the caller asked and what was done.

The same record is shown as a warning, as a log line, to `on_change` and on the answer. It never contains a
prompt, a key or another free text of the caller: `describe` shows the type and the size of such a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject, to_list, to_object

Action: TypeAlias = Literal[
    "mapped",  # sent in another form with the same meaning
    "rewritten",  # sent in another form, whose meaning may differ
    "stripped",  # not sent
    "forwarded",  # sent although Tess does not document it
    "emulated",  # done by the adapter itself
    "asked again",  # in a further, paid request
    "noticed",  # nothing was changed, but the caller should know something about the answer
]
Topic: TypeAlias = Literal["request", "answer"]
"""The topic of a warning: each is a category that users can silence separately."""

_PHRASES: Final[dict[Action, tuple[str, str]]] = {
    # the phrase when nothing was sent instead, and the phrase with what was sent instead
    "mapped": ("was left out", "was sent as {}"),
    "rewritten": ("was changed", "was changed to {}"),
    "stripped": ("was not sent", "was replaced by {}"),
    "forwarded": ("was forwarded", "was forwarded"),
    "emulated": ("is emulated", "is emulated ({})"),
    "asked again": ("led to a further request", "led to {}"),
    "noticed": ("needs attention", "needs attention ({})"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between what the caller asked and what was done.

    Attributes:
        action: What was done.
        param: Which parameter, dotted below the root: `"top_p"`, `"messages.name"`.
        given: The caller's value as `describe` shows it, without free text.
        sent: What was sent instead, to Tess or to the caller; `""` for nothing.
        why: The reason, one clause.
        remedy: What the caller can do; `""` when nothing has to be done.
        warn: The topic of the warning; None records the change in the ledger and the log only.
        fields: The change as it is on an answer: `{"action", "param", "given", "sent", "why"}`; must not be
            mutated.
        json_text: The same as JSON in ASCII.
    """

    action: Action
    param: str
    given: str
    sent: str
    why: str
    remedy: str = ""
    warn: Topic | None = None
    fields: Mapping[str, str] = field(init=False, repr=False, compare=False)
    json_text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shown = ("action", "param", "given", "sent", "why")
        fields = {name: getattr(self, name) for name in shown}
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "json_text", json.dumps(fields))

    def __hash__(self) -> int:
        return hash((self.param, self.given, self.why))  # nearly unique, and cheaper than all fields

    def __str__(self) -> str:
        return " ".join(part for part in (f"{self.summary}.", self.remedy) if part)

    @property
    def summary(self) -> str:
        """The change without its remedy, `top_p=0.5 was not sent: Tess does not have it`."""
        head = f"{self.param}={self.given}" if _LITERAL.match(self.given) else self.param
        if self.given and head == self.param:
            head = f"{self.param} ({self.given})"
        phrase = _PHRASES[self.action][bool(self.sent)].format(self.sent)
        return f"{head} {phrase}: {self.why}"

    def to_json(self) -> JSONObject:
        """Return a copy of `fields`."""
        return dict(self.fields)


def accept_advice(params: Sequence[str]) -> str:
    """Return the advice for parameters that are not sent, with the exact option that accepts this."""
    entries = ", ".join(f'"{param}": "ignore"' for param in params)
    return f"Leave {'it' if len(params) == 1 else 'them'} out, or accept this: {unsupported_option(entries)}."


def unsupported_option(entries: str) -> str:
    """Return the option that sets a policy, `create_client(unsupported={"seed": "ignore"})`."""
    return f"create_client(unsupported={{{entries}}})"


def summarize(changes: Sequence[Change]) -> str:
    """Return one line for all changes of a warning: a list where there are several.

    The option that accepts all of them is named once, at the end.
    """
    if len(changes) == 1:
        return str(changes[0])
    accepted = [change.param for change in changes if change.remedy == accept_advice([change.param])]
    parts = [change.summary + "." if change.param in accepted else str(change) for change in changes]
    numbered = [f"({number}) {part}" for number, part in enumerate(parts, 1)]
    advice = [accept_advice(list(dict.fromkeys(accepted)))] if accepted else []
    return " ".join([f"{len(changes)} changes:", *numbered, *advice])


def describe(value: object, known_values: Iterable[str] = ()) -> str:
    """Describe a JSON value without repeating free text: `0.7`, `a string of 12 characters`.

    Numbers of up to 24 characters, booleans and null are shown; a string, list or object only by its size,
    since it may contain a prompt, a user's name or a secret.

    Args:
        value: Any JSON value.
        known_values: Strings that OpenAI defines for this parameter; they are shown, `"required"`, also as
            the only elements of a list or the `type` of an object.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        text = repr(value) if isinstance(value, int) else f"{value:.6g}"
        return text if len(text) <= 24 else "a number"
    if isinstance(value, str):
        return f'"{value}"' if value in known_values else f"a string of {counted(len(value), 'character')}"
    if (items := to_list(value)) is not None:
        known = [item for item in items if isinstance(item, str) and item in known_values]
        return json.dumps(known) if known and len(known) == len(items) else f"a list of {len(items)}"
    if (members := to_object(value)) is not None:
        kind = members.get("type")
        typed = f' of type "{kind}"' if isinstance(kind, str) and kind in known_values else ""
        return "an object" + (typed or f" with {counted(len(members), 'key')}")
    return f"a {type(value).__name__}"


def quoted(value: object) -> str:
    """Return `repr(value)` for a message; a value that may be an API key is not repeated.

    Source: keys of Tess are a number, a pipe and about 48 letters and digits (observed), those of OpenAI
    begin with `sk-`. A shell cuts an unquoted key of Tess at its pipe, so each part of one is recognised too.
    """
    text = repr(value)
    return "what looks like an API key" if could_be_key(text) else text


def could_be_key(text: str) -> bool:
    """Whether a text may contain an API key, by its form or by a run of 24 letters and digits."""
    return _LIKE_A_KEY.search(text) is not None


_LIKE_A_KEY: Final = re.compile(
    r"\d(?:\||%7C)\w|\bsk-\w|\bBearer\b|(?=[a-z]{0,23}\d)(?=\d{0,23}[a-z])[a-z0-9]{24}", re.IGNORECASE
)
_LITERAL: Final = re.compile(r'-?\d\S*$|true$|false$|null$|"|\[')
"""Matches a description that shows the value itself instead of its type and size."""


def counted(number: int, noun: str) -> str:
    """Return `"1 file"`, `"2 files"`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
