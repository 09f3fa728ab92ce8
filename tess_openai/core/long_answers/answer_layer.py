"""The base class of the layers between Tess and the flow that answers the caller.

A layer carries out the steps of that flow: for each request of the flow it fetches an answer in its own way,
and converts the answer to a stream, which the flow reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from tess_openai.core.calls import Answer, Event, Flow, Incoming, LimitAnswer, Outgoing, Read, Step
from tess_openai.core.chat.context import ChatContext
from tess_openai.core.chat.stream_faults import StreamFault
from tess_openai.core.flow_steps import drive
from tess_openai.core.jsons import dump_json, parse_object, to_object


class FetchedAnswer(Protocol):
    """An answer that a layer fetches.

    Attributes:
        fault: The fault that ended it; None without one.
    """

    fault: StreamFault | None

    @property
    def whole_text(self) -> str:
        """All text so far, including a last word that may be incomplete."""
        ...


AnswerT = TypeVar("AnswerT", bound=FetchedAnswer)


class AnswerLayer(ABC, Generic[AnswerT]):
    """Carries out the steps of the flow that answers one call; its subclasses fetch the answers."""

    def __init__(self, chat: ChatContext) -> None:
        self._chat = chat
        self._answer: AnswerT | None = None

    def run(self, flow: Flow) -> Flow:
        """Run the flow that answers the caller, with the answers of this layer."""
        yield LimitAnswer(self._chat.translated.options.max_answer_seconds)
        yield from drive(flow, self.carry_out)

    def carry_out(self, step: Step) -> Generator[Step, Event, Event]:
        """Carry out one step of the flow."""
        if isinstance(step, Outgoing):
            self._answer = None
            return (yield from self._exchange(step))
        answer = self._answer
        if answer is not None and step in (Read.PIECE, Read.LAST):
            return (yield from self._read(answer))
        if isinstance(step, Answer):
            yield step if answer is None else with_partial_text(step, answer.whole_text, answer.fault)
            return None
        return (yield step)

    @abstractmethod
    def _exchange(self, outgoing: Outgoing) -> Generator[Step, Event, Incoming]:
        """Send a request of the flow; set `_answer` for a successful one, and return its head."""

    @abstractmethod
    def _read(self, answer: AnswerT) -> Generator[Step, Event, bytes]:
        """Return the next bytes of the answer's stream for the flow; `b""` at its end."""


def with_partial_text(given: Answer, text: str, fault: StreamFault | None = None) -> Answer:
    """Add the text so far to an error, as `exception.body["partial"]`; return other answers unchanged.

    Args:
        given: The answer.
        text: All text so far.
        fault: The fault that ended the stream, which replaces the error; None keeps the error.
    """
    if given.status < 400 or given.body is None or not text:
        return given
    envelope = (parse_object(given.body) or {}) if fault is None else fault.envelope
    error = to_object(envelope.get("error")) or {}
    return replace(given, body=dump_json({**envelope, "error": {**error, "partial": text}}))
