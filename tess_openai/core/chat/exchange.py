"""What all ways of answering a chat call share: the call, the telling of changes, errors."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.agents import Agent
from tess_openai.core.calls import Answer, Call, Event, Flow, Incoming, Step, report
from tess_openai.core.changes import Change
from tess_openai.core.chat.chunks import ChunkReader, StreamFault
from tess_openai.core.chat.completion import complete
from tess_openai.core.chat.fit import refused_options, with_offers
from tess_openai.core.chat.messages import texts_of
from tess_openai.core.chat.request import Prepared
from tess_openai.core.chat.stream import ChunkWriter, with_ledger
from tess_openai.core.errors import TessError
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.ledger import Ledger
from tess_openai.core.lookups import Place, find
from tess_openai.core.refusals import NO_RETRY, Refused, json_headers
from tess_openai.core.replies import read_error

LEDGER_HEADER: Final = "x-tess-openai"
"""Response header with the ledger: a JSON list of changes, ASCII."""
_LEDGER_HEADER_LIMIT: Final = 4000
EVENT_STREAM: Final = "text/event-stream"
WHOLE_FOR_STREAM: Final = Change(
    "mapped",
    "stream",
    "a stream",
    "one piece",
    "Tess answered at once instead of streaming, so all text comes in one chunk",
)
STREAM_FOR_WHOLE: Final = Change(
    "mapped", "stream", "no stream", "a stream", "Tess streamed unasked, so the pieces were joined"
)


@dataclass(frozen=True, slots=True)
class Chat:
    """What the parts of one chat call share."""

    call: Call
    prepared: Prepared
    place: Place = field(default_factory=Place)

    @property
    def ledger(self) -> Ledger:
        """What changed so far."""
        return self.prepared.ledger

    @property
    def model(self) -> str:
        """The model that was asked for; `""` when it was left to the agent."""
        model = self.prepared.body.get("model")
        return model if isinstance(model, str) else ""

    @property
    def prompts(self) -> list[str] | None:
        """The prompt's texts, when token counts may be estimated from them."""
        if self.prepared.options.usage == "none":
            return None
        return texts_of(self.prepared.body.get("messages"))

    def reader(self) -> ChunkReader:
        """Return a reader for this call's stream."""
        return ChunkReader(self.model, self.call.now, self.call.new_id, self.ledger.note)

    def writer(self, reader: ChunkReader) -> ChunkWriter:
        """Return a writer for this call's stream."""
        include_usage = self.prepared.include_usage
        return ChunkWriter(
            reader,
            self.ledger,
            include_usage=include_usage,
            estimate_for=self.prompts if include_usage else None,
        )


def tell(ledger: Ledger, *, silently: bool = False) -> Generator[Step, Event, Refused | None]:
    """Report what was not told yet; a refusal when the caller's warning filters say "error"."""
    changes = ledger.untold()
    if silently or not changes:
        return None
    problem = yield from report(changes)
    return None if problem is None else Refused(problem, param=None, code="warning_is_error")


def completed(
    chat: Chat, fields: JSONObject, body: bytes | None = None, *, is_complete: bool = False
) -> Flow:
    """Give a completion; `body` are its own bytes, used when there is nothing to complete."""
    changed = not is_complete and complete(
        fields,
        model=chat.model,
        now=chat.call.now,
        new_id=chat.call.new_id,
        ledger=chat.ledger,
        estimate_for=chat.prompts,
    )
    refused = yield from tell(chat.ledger)
    if refused is not None:
        yield refused.to_answer()
        return
    headers = ledger_header(chat.ledger)
    if body is None or changed:
        yield Answer(200, json_headers(headers), with_ledger(dump_json(fields), chat.ledger))
    elif headers:
        yield Answer(200, headers, with_ledger(body, chat.ledger))
    else:
        yield Answer(200, body=body, base="as read")


def is_stream(incoming: Incoming) -> bool:
    """Whether Tess streams its answer."""
    return incoming.headers.get("content-type", "").lower().startswith(EVENT_STREAM)


def error_answer(chat: Chat, incoming: Incoming) -> Generator[Step, Event, Answer]:
    """Return what the caller gets for an answer that is none of success."""
    if incoming.stays and incoming.status in (307, 308):
        return Answer(incoming.status, base="as is")  # the client comes back with the same request
    error = yield from read_error(incoming, chat.prepared.options.max_retry_wait_seconds)
    fields = refused_options(error)
    if fields and chat.place.ref is not None:
        found = yield from find(chat.place.ref, chat.call, chat.prepared.options, is_hint=True)
        if isinstance(found, Agent):
            error = with_offers(error, fields, chat.prepared.body, found)
    return failed(chat, error)


def failed(chat: Chat, error: TessError) -> Answer:
    """Return the answer for an error, with the ledger."""
    answer = error.to_answer()
    return Answer(answer.status, {**answer.headers, **ledger_header(chat.ledger)}, answer.body)


def faulty(chat: Chat, fault: StreamFault) -> Answer:
    """Return the answer for a stream that failed before the caller got anything of it."""
    headers = json_headers({**NO_RETRY, **ledger_header(chat.ledger)})
    return Answer(502, headers, dump_json(fault.envelope))


def ledger_header(ledger: Ledger) -> Mapping[str, str | None]:
    """Return the header that carries the ledger; none when nothing changed.

    A long ledger is cut to the names, `[{"action", "param"}]`, and a longer one to the first of them.
    """
    if not ledger.changes:
        return {}
    text = ledger.to_text()
    if len(text) > _LEDGER_HEADER_LIMIT:
        names = [{"action": change.action, "param": change.param} for change in ledger.changes]
        while len(text) > _LEDGER_HEADER_LIMIT:
            text = json.dumps(names)
            del names[len(names) // 2 :]
    return {LEDGER_HEADER: text}
