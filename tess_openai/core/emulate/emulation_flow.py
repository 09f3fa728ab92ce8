"""The flow of an emulated chat completion: send the request, read the answer, repair it if needed, respond.

One request is sent for each choice, and one more for each repair. The caller gets text as soon as it is known
to be prose, so a repair may be requested in the middle of the caller's stream.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from tess_openai.core.calls import Answer, Event, Flow, Outgoing, Step
from tess_openai.core.chat.answer_body import NOT_STREAMED, STREAMED_UNASKED, read_answer_piece
from tess_openai.core.chat.context import (
    ChatContext,
    ledger_header,
    read_error_answer,
    report_changes,
    stream_fault_answer,
)
from tess_openai.core.chat.message_texts import BLANK_LINE, texts_of
from tess_openai.core.chat.stream_faults import broken_connection_fault
from tess_openai.core.chat.usage import UsageSum
from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.collected_answer import CUT_REASONS, CollectedAnswer
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.instructions import with_note
from tess_openai.core.emulate.outcomes import AskAgain, FailedOutcome
from tess_openai.core.emulate.response_writers import CompletionWriter, ResponseWriter, StreamWriter
from tess_openai.core.flow_steps import exchange, read_rest
from tess_openai.core.jsons import JSONObject, dump_json, to_list
from tess_openai.core.refusals import NO_RETRY, Refused


class _Abort(Exception):  # noqa: N818 - ends the loops of this module; callers never see it
    """Raised to end the chat completion with an error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def emulated_completion(chat: ChatContext, emulation: Emulation, outgoing: Outgoing) -> Flow:
    """Run one emulated chat completion; `outgoing` is its first request."""
    is_legacy = emulation.offer is not None and emulation.offer.is_legacy
    writer = (StreamWriter if chat.translated.stream else CompletionWriter)(chat, is_legacy=is_legacy)
    run = _EmulatedCompletion(chat, emulation, outgoing, writer)
    try:
        for _ in range(emulation.choices):
            yield from run.choice()
    except _Abort as failure:
        yield from writer.fail(failure.answer)
        return
    yield from writer.close(run.usage.total())
    if run.may_have_rest:
        yield from read_rest()


@dataclass(slots=True)
class _EmulatedCompletion:
    """The state of one emulated chat completion.

    Attributes:
        outgoing: Its first request; the others differ in their body only.
        usage: The sum of the token counts of all requests.
        may_have_rest: Whether the current answer is complete, but the end of its body was not reached.
        has_paid: Whether an answer was read, so that a retry by the SDK would pay for it again.
        has_written: Whether any text of the current choice was written.
        is_interrupted: Whether text had been written when a repair was requested.
    """

    chat: ChatContext
    emulation: Emulation
    outgoing: Outgoing
    writer: ResponseWriter
    usage: UsageSum = field(default_factory=UsageSum)
    may_have_rest: bool = False
    has_paid: bool = False
    has_written: bool = False
    is_interrupted: bool = False

    def choice(self) -> Flow:
        """Send requests until an answer can be used or no repair is left, and write the outcome."""
        body = self.chat.translated.body
        answer: str | None = None
        repairs = self.chat.translated.options.max_repairs
        reader = AnswerReader(self.emulation)
        self.has_written = self.is_interrupted = False
        while True:
            source = yield from self._read_answer(body, reader)
            outcome = reader.finish(is_truncated=source.finish_reason in CUT_REASONS)
            for change in reader.changes_for_unchecked_part():
                self.chat.ledger.add_once(change)
            if not isinstance(outcome, AskAgain):
                break
            yield from self._write(outcome.text)
            if repairs == 0 or outcome.answer == answer:  # the model would repeat the same answer again
                outcome = outcome.fallback
                break
            repairs -= 1
            self.chat.ledger.add(outcome.change)
            yield from self.report_changes()
            self.is_interrupted = self.has_written
            answer = outcome.answer
            body = self._with_note(outcome.repair_note)
            reader = AnswerReader(self.emulation, is_repair=True)
        if isinstance(outcome, FailedOutcome):
            raise self._refuse(outcome.refused)
        if outcome.text and self.is_interrupted:
            yield from self.writer.write_text(BLANK_LINE)
        for change in outcome.changes:
            self.chat.ledger.add(change)
        yield from self.writer.end(outcome, source.finish_reason)

    def _read_answer(self, body: JSONObject, reader: AnswerReader) -> Generator[Step, Event, CollectedAnswer]:
        """Send one request, and write the text that is known to be prose as it arrives."""
        chat = self.chat
        try:
            incoming = yield from exchange(replace(self.outgoing, body=dump_json(body)))
        except Exception as error:  # noqa: BLE001 - an outer flow may raise `Refused` here too
            raise self._broken(error) from None
        if incoming.status >= 300:
            raise _Abort(self._final((yield from read_error_answer(chat, incoming))))
        source = CollectedAnswer(chat.body_reader(incoming))
        piece = b""
        while not source.ended and reader.finish_reason is None:
            try:
                piece = yield from read_answer_piece(source.body)
            except ConnectionError as error:
                raise self._broken(error) from None
            text = source.feed(piece)
            self._note_form(source)
            self.writer.root = self.writer.root or source.root
            yield from self._write(reader.feed(text))
        if source.fault is not None:
            raise _Abort(stream_fault_answer(chat, source.fault))
        self.may_have_rest = source.ended and bool(piece)
        if self.may_have_rest and not chat.translated.stream:
            yield from read_rest()
        self.has_paid = True
        estimates = chat.translated.options.usage == "estimate"
        prompts = texts_of(body.get("messages")) if estimates else None
        self.usage.add(source.usage, prompts, "".join(source.texts))
        return source

    def _write(self, text: str) -> Flow:
        if text:
            self.has_written = True
            yield from self.writer.write_text(text)

    def report_changes(self) -> Flow:
        """Report the changes that were not reported yet."""
        refused = yield from report_changes(self.chat.ledger)
        if refused is not None:
            raise self._refuse(refused)

    def _refuse(self, refused: Refused) -> _Abort:
        answer = refused.to_answer()
        return _Abort(replace(answer, headers={**answer.headers, **ledger_header(self.chat.ledger)}))

    def _broken(self, error: Exception) -> Exception:
        """Return the error that ends the completion.

        The SDK does not retry it once an answer was paid for or text was written.
        """
        if not (self.has_paid or self.has_written):
            return error
        reason = str(error) if isinstance(error, ConnectionError) else type(error).__name__
        return _Abort(stream_fault_answer(self.chat, broken_connection_fault(reason)))

    def _final(self, answer: Answer) -> Answer:
        """Return an error answer that the SDK does not retry once an answer has been paid for."""
        return replace(answer, headers={**answer.headers, **NO_RETRY}) if self.has_paid else answer

    def _note_form(self, source: CollectedAnswer) -> None:
        """Record once that Tess streamed although no stream was asked for, or the reverse."""
        options = self.chat.translated.options
        if source.body.form in ("stream", "json") and source.fault is None and not options.reads_as_stream:
            is_stream = source.body.form == "stream"
            if is_stream != self.chat.translated.stream:
                self.chat.ledger.add_once(STREAMED_UNASKED if is_stream else NOT_STREAMED)

    def _with_note(self, note: str) -> JSONObject:
        """Return the body of the first request with a note at the end of its messages.

        A bad answer is not shown to the model again, since a model that sees it tends to repeat it. The
        messages are those that were sent, so that they need no translation.
        """
        body = self.chat.translated.body
        return {**body, "messages": with_note(to_list(body.get("messages")) or [], note)}
