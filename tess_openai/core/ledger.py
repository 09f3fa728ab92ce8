"""The ledger of one call, and the one place where the policy decides about what Tess does not take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

from tess_openai.core.changes import Action, Change, Topic, accept_advice, unsupported_option
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused

PolicyDecision: TypeAlias = Literal["drop", "keep", "emulate"]


class Ledger:
    """Collects the changes of one call."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._changes: list[Change] = []
        self._reported = 0
        self._text: tuple[int, str] = (0, "[]")  # how many changes it holds, and them as JSON

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes so far, in order."""
        return tuple(self._changes)

    def to_text(self) -> str:
        """Return the changes as a JSON list, in ASCII: header and body carry the same."""
        count, text = self._text
        if count != len(self._changes):
            text = f"[{', '.join(map(_to_text, self._changes))}]"
            self._text = len(self._changes), text
        return text

    def unreported(self) -> tuple[Change, ...]:
        """Return the changes since this was last asked."""
        changes = tuple(self._changes[self._reported :])
        self._reported = len(self._changes)
        return changes

    def add(self, change: Change) -> None:
        """Record a change that the policy does not decide about, since nothing is lost by it."""
        self._changes.append(change)

    def extend(self, changes: Iterable[Change]) -> None:
        """Record changes that another ledger collected."""
        self._changes.extend(changes)

    def note(self, change: Change) -> None:
        """Record something about the answer once, however often it occurs."""
        if change not in self._changes:
            self._changes.append(change)

    def mapped(self, param: str, given: str, sent: str, why: str) -> None:
        """Record that something was sent in another form, with the same meaning."""
        self.add(_change("mapped", param, given, sent, why))

    def resolve_unsupported(
        self,
        param: str,
        *,
        given: str,
        why: str,
        sent: str = "",
        remedy: str = "",
        action: Action = "stripped",
        topic: Topic = "request",
        quiet: bool = False,
        can_emulate: bool = False,
        parent: str | None = None,
    ) -> PolicyDecision:
        """Ask the policy about something that Tess does not honour, and record what follows.

        Args:
            param: Which parameter.
            given: The caller's value, described.
            why: The reason, one clause.
            sent: What is sent instead.
            remedy: What the caller can do; by default to leave it out, or to accept this.
            action: What is done when it is not sent as given.
            topic: Of the warning.
            quiet: Whether the ledger is enough, unless the policy names this very parameter.
            can_emulate: Whether the adapter can do it itself.
            parent: The parameter whose action applies when the policy does not name this one.

        Returns:
            `"drop"`: continue without it. `"keep"`: send it as given. `"emulate"`: only with
            `can_emulate`; the emulation records what it does itself.

        Raises:
            Refused: The policy's action is `"error"`.
        """
        word = self.policy.word(param, parent=parent)
        if word == "emulate":
            if can_emulate:
                return "emulate"
            word = "warn"
        if word == "error":
            allowed = unsupported_option(f'"{param}": "warn"')
            advice = remedy or f"Leave it out, or allow this: {allowed}."
            raise Refused(f"{param}: {why}. {advice}", param=param, code="unsupported_parameter")
        if word == "forward":
            self.add(_change("forwarded", param, given, given, f"sent as given although {why}"))
            return "keep"
        if word == "warn" and not remedy:
            remedy = accept_advice([param])
        warns = word == "warn" and (not quiet or self.policy.has_own(param))
        self.add(_change(action, param, given, sent, why, remedy, topic if warns else None))
        return "drop"


_change = lru_cache(maxsize=256)(Change)  # the calls of a program need the same changes again and again


@lru_cache(maxsize=256)
def _to_text(change: Change) -> str:
    return json.dumps(change.to_json())
