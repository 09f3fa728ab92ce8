"""The ledger of one call: it asks the policy about unsupported parameters and records every change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from tess_openai.core.changes import Action, Change, Topic, accept_advice, unsupported_option
from tess_openai.core.jsons import JSONObject
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused

PolicyDecision: TypeAlias = Literal["drop", "keep", "emulate"]
_MAX_ANSWER_CHANGES: Final = 64
"""How many different changes of its answer a call records; a hostile server may cause any number."""
_FORWARDED: Final = "sent as given, as unsupported= says; Tess may ignore or refuse it"


class Ledger:
    """Collects the changes of one call."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._changes: list[Change] = []
        self._reported_count = 0
        self._answer_changes = 0
        self._text: tuple[int, str] = (0, "[]")  # cached: the number of changes, and the changes as JSON

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes so far, in order."""
        return tuple(self._changes)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was changed."""
        return not self._changes

    def to_json(self) -> list[JSONObject]:
        """Return the changes as answers contain them, in new objects."""
        return [dict(change.fields) for change in self._changes]

    def to_text(self) -> str:
        """Return the changes as a JSON list in ASCII, for the header and the body of the answer."""
        count, text = self._text
        if count != len(self._changes):
            text = f"[{', '.join([change.json_text for change in self._changes])}]"
            self._text = len(self._changes), text
        return text

    def take_unreported(self) -> tuple[Change, ...]:
        """Return the changes that no warning or log line has reported yet, and count them as reported."""
        changes = tuple(self._changes[self._reported_count :])
        self._reported_count = len(self._changes)
        return changes

    def add(self, change: Change) -> None:
        """Record a change without asking the policy."""
        self._changes.append(change)

    def extend(self, changes: Iterable[Change]) -> None:
        """Record changes that another ledger collected."""
        self._changes.extend(changes)

    def add_once(self, change: Change) -> None:
        """Record a change of the answer once, however often it occurs."""
        if self._answer_changes < _MAX_ANSWER_CHANGES and change not in self._changes:
            self._changes.append(change)
            self._answer_changes += 1

    def mapped(self, param: str, given: str, sent: str, why: str) -> None:
        """Record that a value was sent in another form with the same meaning."""
        self.add(_change("mapped", param, given, sent, why))

    def resolve_unsupported(
        self,
        param: str,
        *,
        given: str,
        why: str,
        sent: str = "",
        remedy: str = "",
        recorded_as: Action = "stripped",
        topic: Topic = "request",
        quiet: bool = False,
        can_emulate: bool = False,
        parent: str | None = None,
    ) -> PolicyDecision:
        """Ask the policy about a parameter that Tess does not support, and record the change.

        Args:
            param: Which parameter.
            given: The caller's value, described.
            why: The reason, one clause.
            sent: What is sent instead.
            remedy: What the caller can do; by default, to leave the parameter out or to accept the change.
            recorded_as: The action of the change when the parameter is not sent as given.
            topic: The topic of the warning.
            quiet: Whether to record without a warning, unless the policy names this parameter itself.
            can_emulate: Whether the adapter can emulate it.
            parent: The parameter whose policy action applies when the policy does not name this one.

        Returns:
            `"drop"`: continue without it. `"keep"`: send it as given. `"emulate"`: only with
            `can_emulate`; the emulation records its own change.

        Raises:
            Refused: The policy's action is `"error"`.
        """
        action = self.policy.action_for(param, parent=parent)
        if action == "emulate":
            if can_emulate:
                return "emulate"
            action = "warn"
        if action == "error":
            allowed = unsupported_option(f'"{param}": "warn"')
            advice = remedy or f"Leave it out, or allow this: {allowed}."
            raise Refused(f"{param}: {why}. {advice}", param=param, code="unsupported_parameter")
        if action == "forward":
            self.add(_change("forwarded", param, given, given, _FORWARDED))
            return "keep"
        if action == "warn" and not remedy:
            remedy = accept_advice([param])
        warns = action == "warn" and (not quiet or self.policy.has_own(param))
        self.add(_change(recorded_as, param, given, sent, why, remedy, topic if warns else None))
        return "drop"


_change = lru_cache(maxsize=256)(Change)  # the calls of a program need the same changes again and again
