"""The flow of a chat completion: request side, one exchange, answer side."""

from __future__ import annotations

from tess_openai.core.calls import Answer, Call, Flow, Incoming, Outgoing, exchange, read_rest
from tess_openai.core.chat.answer_body import STREAM_AS_WHOLE, BodyItem, read_answer_piece
from tess_openai.core.chat.chunks import StreamFault
from tess_openai.core.chat.completion import Completion, from_items
from tess_openai.core.chat.context import (
    EVENT_STREAM,
    ChatContext,
    error_answer,
    is_stream,
    ledger_header,
    report_changes,
    respond_with_completion,
    stream_fault_response,
)
from tess_openai.core.chat.request_translation import translate_request
from tess_openai.core.chat.stream_filter import StreamFilter
from tess_openai.core.chat.target import to_target
from tess_openai.core.emulate.emulation_flow import emulated_completion
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import dump_json, parse_object
from tess_openai.core.lookups import locate, without_agent
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused


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
    elif chat.translated.stream:
        yield from _stream(chat, incoming)
    else:
        yield from _whole(chat, incoming)


def _whole(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer with a whole answer, also where Tess streams it."""
    body, items, piece = chat.body(incoming), list[BodyItem](), b""
    while not body.ended:
        piece = yield from read_answer_piece(body)
        items += body.feed(piece) if piece else body.finish()
    if piece:
        yield from read_rest()
    end = items[-1]
    if isinstance(end, StreamFault):
        yield stream_fault_response(chat, end)
    elif isinstance(end, Completion):
        is_json = incoming.headers.get("content-type", "").startswith("application/json")
        own_bytes = end.body if is_json and end.untouched else None
        yield from respond_with_completion(chat, end.fields, own_bytes)
    else:
        chat.ledger.add(STREAM_AS_WHOLE)
        yield from respond_with_completion(chat, from_items(items, body.reader))


def _stream(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer with a stream, also where Tess answers whole."""
    body = chat.body(incoming)
    stream = StreamFilter(body, chat.writer(body.reader), chat.ledger)
    has_begun = is_stream(incoming)  # then its head is passed on before its first event
    if has_begun:
        yield Answer(200, ledger_header(chat.ledger))
    piece, ended, refused = b"", False, None
    while not ended:
        piece = yield from read_answer_piece(body)
        out, ended = stream.feed(piece), stream.ended
        if ended:
            refused = yield from report_changes(chat.ledger)
            out = out if refused is None else stream.fail(StreamFault(refused.to_json()))
        if out and not has_begun:
            has_begun = True
            head = _stream_head(chat, stream) if refused is None else refused.to_answer()
            yield head
            if head.body is not None:
                return
        if out:
            yield out
    if piece and stream.fault is None:
        yield from read_rest()


def _stream_head(chat: ChatContext, stream: StreamFilter) -> Answer:
    """Return the head of the caller's stream; an error when there is nothing else to stream."""
    if stream.fault is not None and not stream.has_begun:
        return stream_fault_response(chat, stream.fault)
    return Answer(200, {"content-type": EVENT_STREAM, **ledger_header(chat.ledger)})
