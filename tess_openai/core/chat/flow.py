"""The flow of a chat completion: request side, one exchange, answer side."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    Answer,
    Call,
    Event,
    Flow,
    Incoming,
    Outgoing,
    Step,
    exchange,
    read_all,
    read_piece,
    report,
)
from tess_openai.core.chat.chunks import ChunkReader, StreamEnd, StreamFault, broken, truncated
from tess_openai.core.chat.completion import complete, from_chunks, is_completion, to_chunks
from tess_openai.core.chat.fit import refused_options, with_offers
from tess_openai.core.chat.messages import texts_of
from tess_openai.core.chat.request import Prepared, prepare
from tess_openai.core.chat.stream import ChunkWriter, StreamFilter
from tess_openai.core.chat.target import to_target
from tess_openai.core.errors import TessError, parse_error_in_200
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, dump_json, parse_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.lookups import Place, find, locate, without_agent
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, json_headers
from tess_openai.core.replies import read_error
from tess_openai.core.sse import DONE_EVENT, EventDecoder, encode_event

LEDGER_HEADER: Final = "x-tess-openai"
"""Response header with the ledger: a JSON list of changes, ASCII."""
_LEDGER_HEADER_LIMIT: Final = 4000
EVENT_STREAM: Final = "text/event-stream"


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
        return ChunkReader(self.model, self.call.now, self.call.new_id)

    def writer(self, reader: ChunkReader) -> ChunkWriter:
        """Return a writer for this call's stream."""
        include_usage = self.prepared.include_usage
        return ChunkWriter(
            reader,
            self.ledger,
            include_usage=include_usage,
            estimate_for=self.prompts if include_usage else None,
        )


def chat_completion(call: Call, options: Options) -> Flow:
    """Run one `POST /chat/completions`. A body that is no JSON object goes as it is, for Tess to refuse."""
    given = parse_object(call.body)
    fields = {} if given is None else given
    try:
        place = yield from locate(to_target(fields.get("model"), options).agent, call, options)
        if isinstance(place, Answer):
            yield place
            return
        prepared = prepare(fields, options, place.agent)
    except Refused as refused:
        yield refused.to_answer()
        return
    chat = Chat(call, prepared, place)
    if place.problem:
        prepared.ledger.add(without_agent(place.problem))
    # A retry is the same request, and was told of.
    refused_by_filter = yield from tell(prepared.ledger, silently=call.attempt > 0)
    if refused_by_filter is not None:
        yield refused_by_filter.to_answer()
        return
    body = None if prepared.untouched or given is None else dump_json(prepared.body)
    incoming = yield from exchange(Outgoing(body, request_headers(call, options), path=place.path))
    yield from answer(chat, incoming)


def tell(ledger: Ledger, *, silently: bool = False) -> Generator[Step, Event, Refused | None]:
    """Report what was not told yet; a refusal when the caller's warning filters say "error"."""
    changes = ledger.untold()
    if silently or not changes:
        return None
    problem = yield from report(changes)
    return None if problem is None else Refused(problem, param=None, code="warning_is_error")


def answer(chat: Chat, incoming: Incoming) -> Flow:
    """Give the caller what OpenAI would have said."""
    if incoming.status >= 300:
        yield from _error(chat, incoming)
        return
    streamed = incoming.headers.get("content-type", "").lower().startswith(EVENT_STREAM)
    if chat.prepared.stream:
        yield from _stream(chat) if streamed else _stream_from_whole(chat, incoming)
    elif streamed:
        yield from _whole_from_stream(chat)
    else:
        yield from _whole(chat, incoming)


def _error(chat: Chat, incoming: Incoming) -> Flow:
    if incoming.stays and incoming.status in (307, 308):
        yield Answer(incoming.status, base="as is")  # the client comes back with the same request
        return
    error = yield from read_error(incoming, chat.prepared.options.max_retry_wait_seconds)
    fields = refused_options(error)
    if fields and chat.place.ref is not None:
        found = yield from find(chat.place.ref, chat.call, chat.prepared.options)
        if isinstance(found, Agent):
            error = with_offers(error, fields, chat.prepared.body, found)
    yield _failed(chat, error)


def _failed(chat: Chat, error: TessError) -> Answer:
    answer = error.to_answer()
    return Answer(answer.status, {**answer.headers, **ledger_header(chat.ledger)}, answer.body)


def _whole(chat: Chat, incoming: Incoming) -> Flow:
    body = yield from read_all()
    fields = parse_object(body)
    if fields is None or not is_completion(fields):
        content_type = incoming.headers.get("content-type", "")
        yield _failed(chat, parse_error_in_200(body, content_type, asked="a chat completion"))
        return
    is_json = incoming.headers.get("content-type", "").startswith("application/json")
    yield from _completed(chat, fields, body if is_json else None)


def _completed(chat: Chat, fields: JSONObject, body: bytes | None) -> Flow:
    """Give a completion; `body` are its own bytes, used when nothing had to be completed."""
    changed = complete(
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
    if body is not None and not changed:
        yield Answer(200, body=body, base="as read")
        return
    yield Answer(200, json_headers(ledger_header(chat.ledger)), dump_json(fields))


def _stream(chat: Chat) -> Flow:
    """Filter Tess's stream. A connection that breaks in the middle ends in an error event."""
    reader = chat.reader()
    stream = StreamFilter(reader, chat.writer(reader))
    yield Answer(200, ledger_header(chat.ledger))
    piece, ended = b"", False
    while not ended:
        try:
            piece = yield from read_piece()
        except ConnectionError as error:
            yield stream.fail(broken(str(error)))
            return
        out = stream.feed(piece) if piece else stream.finish()
        ended = stream.ended
        if ended:
            refused = yield from tell(chat.ledger)
            out = out if refused is None else stream.fail(StreamFault(refused.to_json()))
        if out:
            yield out
    with suppress(Exception):  # whatever breaks now: the caller has the whole answer
        while piece and not stream.failed:  # what is left after [DONE]; then the connection can be reused
            piece = yield from read_piece()


def _stream_from_whole(chat: Chat, incoming: Incoming) -> Flow:
    """Give a whole answer as a stream."""
    body = yield from read_all()
    fields = parse_object(body)
    if fields is None or not is_completion(fields):
        content_type = incoming.headers.get("content-type", "")
        yield _failed(chat, parse_error_in_200(body, content_type, asked="a stream"))
        return
    why = "Tess answered at once instead of streaming, so all text comes in one chunk"
    chat.ledger.mapped("stream", "a stream", "one piece", why)
    reader = chat.reader()
    stream = StreamFilter(reader, chat.writer(reader))
    pieces = [stream.feed(encode_event(dump_json(chunk))) for chunk in to_chunks(fields, reader)]
    pieces.append(stream.feed(DONE_EVENT))
    refused = yield from tell(chat.ledger)
    if refused is not None:
        yield refused.to_answer()
        return
    headers = {"content-type": EVENT_STREAM, **ledger_header(chat.ledger)}
    yield Answer(200, headers, b"".join(pieces))


def _whole_from_stream(chat: Chat) -> Flow:
    """Give a stream as a whole answer."""
    body = yield from read_all()
    reader, decoder = chat.reader(), EventDecoder()
    chunks: list[JSONObject] = []
    fault: StreamFault | None = None
    ended = False
    for event in [*decoder.feed(body), *decoder.finish()]:
        item = reader.read(event)
        if isinstance(item, StreamFault):
            fault = item
            break
        if isinstance(item, StreamEnd):
            ended = True
            break
        if item is not None:
            chunks.append(item.fields)
    if fault is None and (not chunks or not (ended or reader.finished)):
        fault = truncated()
    if fault is not None:
        headers = {
            "content-type": "application/json",
            "x-should-retry": "false",
            **ledger_header(chat.ledger),
        }
        yield Answer(502, headers, dump_json(fault.envelope))
        return
    chat.ledger.mapped("stream", "no stream", "a stream", "Tess streamed unasked, so the pieces were joined")
    yield from _completed(chat, from_chunks(chunks), None)


def ledger_header(ledger: Ledger) -> Mapping[str, str | None]:
    """Return the header that carries the ledger; none when nothing changed.

    A long ledger is cut to the names, `[{"action", "param"}]`, and a longer one to the first of them.
    """
    if not ledger.changes:
        return {}
    changes = [change.to_json() for change in ledger.changes]
    text = json.dumps(changes)
    while len(text) > _LEDGER_HEADER_LIMIT:
        changes = [{"action": change["action"], "param": change["param"]} for change in changes]
        text = json.dumps(changes)
        del changes[len(changes) // 2 :]
    return {LEDGER_HEADER: text}
