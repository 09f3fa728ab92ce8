"""The context of one chat call, and the answers that the flows with and without emulation can give."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.agents import Agent
from tess_openai.core.calls import Answer, Call, Event, Flow, Incoming, ReportChanges, Step
from tess_openai.core.chat.agent_validation import rejected_options, with_available_options
from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead
from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.completion import normalise_completion
from tess_openai.core.chat.message_texts import texts_of
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat.stream_faults import StreamFault, invalid_answer_fault
from tess_openai.core.chat.stream_filter import ChunkWriter, add_ledger_to_fields, append_ledger_to_json
from tess_openai.core.errors import TessError
from tess_openai.core.fetching import read_error
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.ledger import Ledger
from tess_openai.core.lookups import Destination, get_agent
from tess_openai.core.refusals import NO_RETRY, Refused, json_headers

LEDGER_HEADER: Final = "x-tess-openai"
"""Response header with the ledger: a JSON list of changes, ASCII."""
_LEDGER_HEADER_LIMIT: Final = 4000
_LONGEST_NAME: Final = 200
"""How many characters of a parameter's name a shortened ledger contains."""
EVENT_STREAM: Final = "text/event-stream"


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class ChatContext:
    """The data that all steps of one chat call share."""

    call: Call
    translated: TranslatedRequest
    destination: Destination = field(default_factory=Destination)

    @property
    def ledger(self) -> Ledger:
        """All changes so far."""
        return self.translated.ledger

    @property
    def model(self) -> str:
        """The requested model; `""` when the request names none."""
        model = self.translated.body.get("model")
        return model if isinstance(model, str) else ""

    @property
    def prompts(self) -> list[str] | None:
        """The texts of the prompt, if token counts may be estimated from them; else None."""
        if self.translated.options.usage == "none":
            return None
        return texts_of(self.translated.body.get("messages"))

    def reader(self) -> ChunkReader:
        """Return a reader for this call's stream."""
        return ChunkReader(self.model, self.call.now, self.call.new_id, self.ledger.add_once)

    def body_reader(self, incoming: Incoming) -> AnswerBody:
        """Return a reader for the body of an answer to this call."""
        expected = "a stream" if self.translated.stream else "a chat completion"
        head = AnswerHead(incoming.status, incoming.headers.get("content-type", ""))
        return AnswerBody(self.reader(), head, expected=expected)

    def writer(self, reader: ChunkReader) -> ChunkWriter:
        """Return a writer for this call's stream."""
        include_usage = self.translated.include_usage
        return ChunkWriter(
            reader,
            self.ledger,
            include_usage=include_usage,
            estimate_for=self.prompts if include_usage else None,
        )


def report_changes(ledger: Ledger, *, silently: bool = False) -> Generator[Step, Event, Refused | None]:
    """Report the unreported changes; return a refusal when the caller's filters made a warning an error.

    With `silently`, the changes only count as reported.
    """
    changes = ledger.take_unreported()
    if silently or not changes:
        return None
    problem = yield ReportChanges(changes)
    return Refused(problem, param=None, code="warning_is_error") if isinstance(problem, str) else None


def respond_with_completion(chat: ChatContext, fields: JSONObject, body: bytes | None = None) -> Flow:
    """Answer with a completion.

    If no field of it had to be added or converted, the bytes that Tess sent, `body`, are passed on.
    """
    try:
        changed = normalise_completion(
            fields,
            model=chat.model,
            now=chat.call.now,
            new_id=chat.call.new_id,
            ledger=chat.ledger,
            estimate_for=chat.prompts,
        )
    except InvalidAnswerError as error:
        yield stream_fault_answer(chat, invalid_answer_fault(error, fields))
        return
    refused = yield from report_changes(chat.ledger)
    if refused is not None:
        yield refused.to_answer()
        return
    if body is None or changed:
        headers = ledger_header(chat.ledger)
        yield Answer(200, json_headers(headers), append_ledger_to_json(dump_json(fields), chat.ledger))
    else:
        yield to_completion_answer(chat.ledger, body)


def to_completion_answer(ledger: Ledger, body: bytes, fields: JSONObject | None = None) -> Answer:
    """Return the answer for a completion that needs no change; a ledger that is not empty is added.

    Args:
        ledger: The ledger of the call.
        body: The completion as JSON.
        fields: The same, if it was parsed and nothing else refers to it.
    """
    headers = ledger_header(ledger)
    if not headers:
        return Answer(200, headers, body, "as read", fields)
    if fields is not None:
        add_ledger_to_fields(fields, ledger)
    return Answer(200, headers, append_ledger_to_json(body, ledger), fields=fields)


def is_stream(incoming: Incoming) -> bool:
    """Whether the content type of an answer is that of an event stream."""
    return incoming.headers.get("content-type", "").lower().startswith(EVENT_STREAM)


def read_error_answer(chat: ChatContext, incoming: Incoming) -> Generator[Step, Event, Answer]:
    """Return the caller's answer for an answer of Tess whose status is not a success."""
    if incoming.redirects_within_api and incoming.status in (307, 308):
        return Answer(incoming.status, base="as is")  # the http client follows it with the same request
    wait = chat.translated.options.max_retry_wait_seconds
    error = yield from read_error(incoming, wait, names_agent=True)
    rejected = rejected_options(error)
    if rejected and chat.destination.ref is not None:
        found = yield from get_agent(chat.destination.ref, chat.call, chat.translated.options, is_hint=True)
        if isinstance(found, Agent):
            error = with_available_options(error, rejected, chat.translated.body, found)
    return _to_error_answer(chat, error)


def _to_error_answer(chat: ChatContext, error: TessError) -> Answer:
    """Return the answer for an error, with the ledger."""
    answer = error.to_answer()
    return Answer(answer.status, {**answer.headers, **ledger_header(chat.ledger)}, answer.body)


def stream_fault_answer(chat: ChatContext, fault: StreamFault) -> Answer:
    """Return the error answer for a fault, when nothing has been passed on yet."""
    headers = json_headers({**NO_RETRY, **ledger_header(chat.ledger)})
    return Answer(502, headers, dump_json(fault.envelope))


def ledger_header(ledger: Ledger) -> Mapping[str, str | None]:
    """Return the header with the ledger; no header without changes.

    A ledger that is too long for a header is shortened to `[{"action", "param"}]` with names of limited
    length, and, if it is still too long, to its first entries.
    """
    if ledger.is_empty:
        return {}
    text = ledger.to_text()
    if len(text) > _LEDGER_HEADER_LIMIT:
        entries = [{"action": each.action, "param": each.param[:_LONGEST_NAME]} for each in ledger.changes]
        while len(text) > _LEDGER_HEADER_LIMIT:
            text = json.dumps(entries)
            del entries[len(entries) // 2 :]
    return {LEDGER_HEADER: text}
