"""Finds the call that each result in a conversation belongs to.

Identifiers of calls may be empty, missing or repeated, since many programs number the calls of each answer
from one. The nth result with an identifier belongs to the nth call with it, or to the last. Without a call of
its identifier, a result belongs to the first call that has neither an identifier nor a result; a result
without an identifier belongs else to the first call without a result. If a result has a name, its call has it
too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Call:
    identifier: str
    name: str
    label: str  # how a result names its call for the model: `get_weather (call 2)`
    has_result: bool = False


class PastCalls:
    """The calls of a conversation so far, in order."""

    def __init__(self) -> None:
        self._by_identifier: dict[str, list[_Call]] = {}
        self._result_counts: dict[str, int] = {}
        self._waiting = _WaitingCalls()
        self._waiting_without_identifier = _WaitingCalls()

    def add(self, calls: Iterable[tuple[str, str, str]]) -> None:
        """Add the calls of one message: identifier (or `""`), name and label of each."""
        for identifier, name, label in calls:
            call = _Call(identifier, name, label)
            self._waiting.add(call)
            if identifier:
                self._by_identifier.setdefault(identifier, []).append(call)
            else:
                self._waiting_without_identifier.add(call)

    def label_of_result(self, identifier: str, name: str) -> str:
        """Return the label of the call that the next result belongs to.

        Args:
            identifier: The identifier in the result; `""` without one.
            name: The name of the function in the result; `""` without one.

        Returns:
            The label; without a matching call the name, or `"function"`.
        """
        call = self._find(identifier, name)
        if call is None:
            return name or "function"
        call.has_result = True
        return call.label

    def _find(self, identifier: str, name: str) -> _Call | None:
        calls = self._by_identifier.get(identifier)
        if calls:
            number = self._result_counts.get(identifier, 0)
            self._result_counts[identifier] = number + 1
            return calls[min(number, len(calls) - 1)]
        found = self._waiting_without_identifier.first(name)
        return self._waiting.first(name) if found is None and not identifier else found


class _WaitingCalls:
    """Calls that may have no result yet, in order; the first is found in constant time on average."""

    def __init__(self) -> None:
        self._by_name: dict[str, deque[_Call]] = {"": deque()}  # all calls under ""

    def add(self, call: _Call) -> None:
        """Add a call behind the others."""
        for name in {"", call.name}:
            self._by_name.setdefault(name, deque()).append(call)

    def first(self, name: str) -> _Call | None:
        """Return the first call without a result, of this name unless it is `""`; None if there is none."""
        calls = self._by_name.get(name, deque[_Call]())
        while calls and calls[0].has_result:
            calls.popleft()
        return calls[0] if calls else None
