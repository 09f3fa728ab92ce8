"""The faults that wait for the answers that they will change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tess_openai.testing.faults.fault import NO_FAULT, Fault, Struck


@dataclass(frozen=True, slots=True)
class _QueuedFault:
    fault: Fault
    on: Literal["chat", "any"]


@dataclass(slots=True)
class FaultQueue:
    """Queued faults, in order; not safe in several threads without a lock of the caller.

    Attributes:
        struck: The fault of the current answer; `NO_FAULT` if it has none.
    """

    struck: Fault = NO_FAULT
    _queued: list[_QueuedFault] = field(default_factory=list[_QueuedFault])

    def add(self, faults: Iterable[Fault], *, on: Literal["chat", "any"]) -> None:
        """Queue faults, one for each answer, for chat answers only or for answers of every route."""
        self._queued.extend(_QueuedFault(fault, on) for fault in faults)

    def take(self, kind: Struck, *, is_chat: bool) -> Fault:
        """Remove and return the first fault for such an answer; `NO_FAULT` when there is none.

        A fault with a further one, `then`, is replaced by it in the queue.
        """
        for index, queued in enumerate(self._queued):
            if queued.fault.strikes in {"any answer", kind} and (is_chat or queued.on == "any"):
                then = queued.fault.then
                self._queued[index : index + 1] = [] if then is None else [_QueuedFault(then, queued.on)]
                self.struck = queued.fault
                return queued.fault
        return NO_FAULT
