"""Request a stream instead of a whole answer, and handle answers that are cut.

This layer is between the flow that answers the caller and Tess. The flow, with or without emulation, reads
one complete stream: where Tess's stream was cut, this layer adds an end or an error, or the rest of the text
from a further request, as `on_cut` says.

Source: a connection that is silent for 100 to 125 s is ended with a 524, and streams are cut too (observed).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Final

from tess_openai.core.calls import Event, Flow, Incoming, Outgoing, Step
from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_body import read_answer_piece
from tess_openai.core.chat.context import ChatContext, read_error_answer, report_changes
from tess_openai.core.chat.message_texts import texts_of
from tess_openai.core.chat.messages import to_messages
from tess_openai.core.chat.stream_faults import StreamFault, broken_connection_fault
from tess_openai.core.flow_steps import exchange
from tess_openai.core.jsons import JSONObject, dump_json, parse_object, to_list
from tess_openai.core.ledger import Ledger
from tess_openai.core.long_answers.answer_layer import AnswerLayer
from tess_openai.core.long_answers.continuation_joiner import last_words
from tess_openai.core.long_answers.joined_answer import JoinedAnswer
from tess_openai.core.prompts import fill

MAX_CONTINUATIONS: Final = 5
"""The highest number of further requests for one answer; each is paid for."""
_LENGTH_LIMITS: Final = ("max_tokens", "max_completion_tokens")
STREAMED: Final = Change(
    action="mapped",
    param="stream",
    given="no stream",
    sent="a stream",
    why='long_answers="stream" joins the pieces into a whole answer',
)


class StreamedAnswers(AnswerLayer[JoinedAnswer]):
    """Fetches answers, and ends or continues those that are cut.

    It requests a stream if the caller did, or with `long_answers="stream"`; else it reads a whole answer.
    """

    def __init__(self, chat: ChatContext) -> None:
        super().__init__(chat)
        self._is_stream = chat.translated.stream or chat.translated.options.long_answers == "stream"
        self._on_cut = chat.translated.options.on_cut
        self._outgoing = Outgoing()
        self._request: JSONObject = {}

    def _exchange(self, outgoing: Outgoing) -> Generator[Step, Event, Incoming]:
        body = self._chat.translated.body if outgoing.body is None else parse_object(outgoing.body)
        stream = {"stream": True} if self._is_stream else {}
        self._outgoing, self._request = outgoing, {**(body or {}), **stream}
        incoming = yield from exchange(replace(outgoing, body=dump_json(self._request)))
        if incoming.status < 300:
            chat = self._chat
            self._answer = JoinedAnswer(
                chat.body_reader(incoming), chat.prompts, continues=self._may_continue
            )
        return incoming

    @property
    def _may_continue(self) -> bool:
        """Whether an answer that is cut is continued; not if the caller limited its length."""
        return self._on_cut == "continue" and all(self._request.get(name) is None for name in _LENGTH_LIMITS)

    def _read(self, answer: JoinedAnswer) -> Generator[Step, Event, bytes]:
        """Return the next piece of the stream for the flow; `b""` at its end."""
        while not answer.out and not answer.is_over:
            try:
                piece = yield from read_answer_piece(answer.body)
                answer.feed(piece)
            except ConnectionError as broken:
                if not answer.text:
                    raise
                answer.cut = broken_connection_fault(str(broken))
            if answer.cut is not None:
                yield from self._handle_cut(answer)
        return answer.take_events()

    def _handle_cut(self, answer: JoinedAnswer) -> Flow:
        """End an answer that was cut, or continue it with a further request."""
        if not answer.text:
            answer.is_over = True  # the flow reports a stream without its end
        elif not answer.is_single_text and self._on_cut == "continue":
            answer.fail()
        elif self._may_continue and answer.continuations < MAX_CONTINUATIONS and answer.has_grown:
            yield from self._continue(answer)
        elif self._on_cut == "error":
            answer.fail()
        else:
            why_not_continued = self._why_not_continued(answer) if self._on_cut == "continue" else ""
            self._chat.ledger.add(_returned(answer, why_not_continued))
            answer.end("length")

    def _why_not_continued(self, answer: JoinedAnswer) -> str:
        limits = [name for name in _LENGTH_LIMITS if self._request.get(name) is not None]
        if limits:
            return f"{limits[0]} limits its length"
        if answer.continuations >= MAX_CONTINUATIONS:
            return f"at most {MAX_CONTINUATIONS} further requests are sent for the rest"
        return "the last further request added no text"

    def _continue(self, answer: JoinedAnswer) -> Flow:
        """Request the rest of an answer."""
        chat = self._chat
        chat.ledger.add(_continued(answer))
        refused = yield from report_changes(chat.ledger)
        if refused is not None:
            answer.fail(StreamFault(refused.to_json()))
            return
        body = self._continuation(answer.text)
        prompts = None if chat.prompts is None else texts_of(body.get("messages"))
        try:
            incoming = yield from exchange(replace(self._outgoing, body=dump_json(body)))
        except ConnectionError as broken:
            answer.fail(broken_connection_fault(str(broken)))
            return
        if incoming.status >= 300:
            error = yield from read_error_answer(chat, incoming)
            answer.fail(StreamFault(parse_object(error.body or b"") or {}))
            return
        answer.continue_with(chat.body_reader(incoming), prompts)

    def _continuation(self, text: str) -> JSONObject:
        """Return the request that continues `text`."""
        options = self._chat.translated.options
        note = fill(options.prompts.continuation, last_words=last_words(text))
        further = [{"role": "assistant", "content": text.rstrip()}, {"role": "user", "content": note}]
        messages = [*(to_list(self._request.get("messages")) or []), *further]
        recorded = Ledger(options.policy)  # the ledger of the call has these changes already
        merged = to_messages(messages, recorded, merge=options.merge_messages, profile=options.profile)
        return {**self._request, "messages": merged}


def _reason_of_cut(answer: JoinedAnswer) -> str:
    if answer.has_diverged:
        return "the model began its answer again and wrote another text"
    return "Tess stopped at its length limit" if answer.is_cut_by_length else "the stream broke"


def _continued(answer: JoinedAnswer) -> Change:
    """Return the change that records a further request for the rest of an answer."""
    given = f"{len(answer.text)} characters"
    return Change(
        action="asked again",
        param="answer",
        given=given,
        sent="a further paid request",
        why=f"{_reason_of_cut(answer)}, so the rest was requested",
        warn="answer",
    )


def _returned(answer: JoinedAnswer, why_not_continued: str) -> Change:
    """Return the change that records an answer that is returned although it is incomplete.

    Args:
        answer: The answer.
        why_not_continued: Why it is not continued; `""` unless `on_cut="continue"`.
    """
    why = _reason_of_cut(answer)
    remedy = 'Ask for the rest in a further call, or let the adapter do so: create_client(on_cut="continue").'
    if why_not_continued:
        why, remedy = f"{why}, and {why_not_continued}", "Ask for less at once."
    why = f'{why}, so finish_reason is "length"'
    return Change(
        action="noticed",
        param="answer",
        given=f"{len(answer.text)} characters",
        sent="",
        why=why,
        remedy=remedy,
        warn="answer",
    )
