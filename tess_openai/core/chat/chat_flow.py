"""The flow of a chat completion: request side, one exchange, answer side."""

from __future__ import annotations

from tess_openai.core.calls import (
    Answer,
    Call,
    Flow,
    Incoming,
    Outgoing,
    exchange,
    read_all,
    read_piece,
    read_rest,
)
from tess_openai.core.chat.chunks import (
    ChunkReader,
    StreamEnd,
    StreamFault,
    truncated_fault,
)
from tess_openai.core.chat.completion import from_chunks, is_completion, to_chunks
from tess_openai.core.chat.context import (
    EVENT_STREAM,
    STREAM_AS_WHOLE,
    WHOLE_AS_STREAM,
    ChatContext,
    error_answer,
    error_response,
    is_stream,
    ledger_header,
    report_changes,
    respond_with_completion,
    stream_fault_response,
)
from tess_openai.core.chat.fast_path import is_complete
from tess_openai.core.chat.request_translation import translate_request
from tess_openai.core.chat.stream_filter import StreamFilter
from tess_openai.core.chat.target import to_target
from tess_openai.core.emulate.emulation_flow import emulated_completion
from tess_openai.core.errors import TessError, parse_error_in_200
from tess_openai.core.headers import request_headers
from tess_openai.core.json_body import read_json_body
from tess_openai.core.jsons import JSONObject, dump_json, parse_object
from tess_openai.core.lookups import locate, without_agent
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused
from tess_openai.core.sse import EventDecoder, is_event_stream


def chat_completion(call: Call, options: Options) -> Flow:
    """Run one `POST /chat/completions`. A body that is no JSON object is sent as is, for Tess to refuse."""
    given = parse_object(call.body) if call.fields is None else call.fields
    fields = {} if given is None else given
    try:
        place = yield from locate(to_target(fields.get("model"), options).agent, call, options)
        if isinstance(place, Answer):
            yield place
            return
        asked = options if place.other is None else options.for_agent(place.other)
        translated = translate_request(fields, asked, place.agent, new_id=call.new_id)
    except Refused as refused:
        yield refused.to_answer()
        return
    chat = ChatContext(call, translated, place)
    if place.problem:
        translated.ledger.add(without_agent(place.problem))
    # A retry is the same request, whose changes were reported with the first.
    refused_by_filter = yield from report_changes(translated.ledger, silently=call.attempt > 0)
    if refused_by_filter is not None:
        yield refused_by_filter.to_answer()
        return
    body = None if translated.untouched or given is None else dump_json(translated.body)
    outgoing = Outgoing(body, request_headers(call, options), path=place.path)
    if translated.emulation is not None:
        yield from emulated_completion(chat, translated.emulation, outgoing)
        return
    incoming = yield from exchange(outgoing)
    yield from answer(chat, incoming)


def answer(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer the caller as OpenAI would."""
    if incoming.status >= 300:
        yield (yield from error_answer(chat, incoming))
        return
    streamed = is_stream(incoming)
    if chat.translated.stream:
        yield from _stream(chat, incoming) if streamed else _stream_from_whole(chat, incoming)
    elif streamed:
        yield from _whole_from_stream(chat, incoming)
    else:
        yield from _whole(chat, incoming)


def _whole(chat: ChatContext, incoming: Incoming) -> Flow:
    read = yield from read_json_body()
    body, fields = bytes(read.data), read.parse()
    needs_nothing = fields is not None and is_complete(fields, chat.translated.options)
    if fields is None or not (needs_nothing or is_completion(fields)):
        yield error_response(chat, _wrong_200(incoming, body, asked="a chat completion"))
        return
    is_json = incoming.headers.get("content-type", "").startswith("application/json")
    yield from respond_with_completion(chat, fields, body if is_json else None, is_complete=needs_nothing)


def _stream(chat: ChatContext, incoming: Incoming) -> Flow:
    """Filter Tess's stream. A connection that breaks behind the last finish reason is no error."""
    reader = chat.reader()
    stream = StreamFilter(reader, chat.writer(reader))
    yield Answer(200, ledger_header(chat.ledger))
    piece, ended = b"", False
    while not ended:
        try:
            piece = yield from read_piece()
        except ConnectionError:
            if not reader.is_whole:
                raise
            piece = b""
        out = stream.feed(piece) if piece else _end(chat, incoming, reader, stream)
        ended = stream.ended
        if ended:
            refused = yield from report_changes(chat.ledger)
            out = out if refused is None else stream.fail(StreamFault(refused.to_json()))
        if out:
            yield out
    if piece and not stream.failed:  # the caller already has the complete answer
        yield from read_rest()


def _end(chat: ChatContext, incoming: Incoming, reader: ChunkReader, stream: StreamFilter) -> bytes:
    """Return the end of the caller's stream. A body that is no event stream is read as a whole answer."""
    body = stream.no_stream
    if body is None:
        return stream.finish()
    fields = parse_object(body)
    if fields is None or not is_completion(fields):
        return stream.fail(StreamFault(_wrong_200(incoming, body, asked="a stream").to_json()))
    chat.ledger.add(WHOLE_AS_STREAM)
    return stream.give(to_chunks(fields, reader))


def _wrong_200(incoming: Incoming, body: bytes, *, asked: str) -> TessError:
    content_type = incoming.headers.get("content-type", "")
    return parse_error_in_200(body, content_type, expected=asked, status=incoming.status)


def _stream_from_whole(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer with a stream made of a whole answer."""
    read = yield from read_json_body()
    body, fields = bytes(read.data), read.parse()
    if fields is None or not is_completion(fields):
        yield error_response(chat, _wrong_200(incoming, body, asked="a stream"))
        return
    chat.ledger.add(WHOLE_AS_STREAM)
    reader = chat.reader()
    stream = StreamFilter(reader, chat.writer(reader))
    events = stream.give(to_chunks(fields, reader))
    refused = yield from report_changes(chat.ledger)
    if refused is not None:
        yield refused.to_answer()
        return
    headers = {"content-type": EVENT_STREAM, **ledger_header(chat.ledger)}
    yield Answer(200, headers, events)


def _whole_from_stream(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer with a whole answer made of a stream."""
    body = yield from read_all()
    reader, decoder = chat.reader(), EventDecoder()
    chunks: list[JSONObject] = []
    fault: StreamFault | None = None
    ended = False
    events = [*decoder.feed(body), *decoder.finish()]
    if not events and not is_event_stream(body):
        fields = parse_object(body)
        if fields is not None and is_completion(fields):
            yield from respond_with_completion(chat, fields)
        else:
            yield error_response(chat, _wrong_200(incoming, body, asked="a chat completion"))
        return
    for event in events:
        item = reader.read(event)
        if isinstance(item, StreamFault):
            fault = item
            break
        if isinstance(item, StreamEnd):
            ended = True
            break
        if item is not None:
            chunks.append(item.fields)
    if fault is None and (not chunks or not (ended or reader.is_whole)):
        fault = truncated_fault()
    if fault is not None:
        yield stream_fault_response(chat, fault)
        return
    chat.ledger.add(STREAM_AS_WHOLE)
    yield from respond_with_completion(chat, from_chunks(chunks))
