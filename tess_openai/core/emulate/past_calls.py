"""Finds the call that each result in a conversation belongs to.

Identifiers of calls may be empty, missing or repeated, since many programs number the calls of each answer
from one. The nth result with an identifier belongs to the nth call with it. A result without an identifier
belongs to the first call that has neither an identifier nor a result, else to the first without a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        self._calls: list[_Call] = []
        self._by_identifier: dict[str, list[_Call]] = {}
        self._result_counts: dict[str, int] = {}
        self._first_without_result = 0

    def add(self, calls: Iterable[tuple[str, str, str]]) -> None:
        """Add the calls of one message: identifier (or `""`), name and label of each."""
        for identifier, name, label in calls:
            call = _Call(identifier, name, label)
            self._calls.append(call)
            if identifier:
                self._by_identifier.setdefault(identifier, []).append(call)

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
        without_result = [call for call in self._without_result() if name in ("", call.name)]
        without_identifier = next((call for call in without_result if not call.identifier), None)
        return (
            without_identifier
            if without_identifier is not None or identifier
            else next(iter(without_result), None)
        )

    def _without_result(self) -> Iterator[_Call]:
        """Yield the calls without a result, in order."""
        while (
            self._first_without_result < len(self._calls)
            and self._calls[self._first_without_result].has_result
        ):
            self._first_without_result += 1
        yield from (call for call in self._calls[self._first_without_result :] if not call.has_result)
