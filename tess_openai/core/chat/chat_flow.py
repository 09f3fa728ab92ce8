"""The flow of a chat completion without emulation: one exchange, and its answer."""

from __future__ import annotations

from tess_openai.core.calls import (
    NO_HEADERS,
    READ,
    READ_LAST,
    READ_REST,
    Answer,
    Call,
    Flow,
    Incoming,
    Outgoing,
)
from tess_openai.core.chat.answer_body import STREAMED_UNASKED, BodyItem, read_answer_piece, to_piece
from tess_openai.core.chat.completion import Completion, completion_of_items
from tess_openai.core.chat.context import (
    EVENT_STREAM,
    ChatContext,
    is_stream,
    ledger_header,
    read_error_answer,
    report_changes,
    respond_with_completion,
    stream_fault_answer,
    to_completion_answer,
)
from tess_openai.core.chat.finished_answer import is_json, parse_finished_answer
from tess_openai.core.chat.request_translation import untranslated_request
from tess_openai.core.chat.stream_faults import StreamFault
from tess_openai.core.chat.stream_filter import StreamFilter
from tess_openai.core.flow_steps import read_rest, to_head
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject
from tess_openai.core.lookups import Destination, to_ref
from tess_openai.core.options import Options


def untouched_completion(call: Call, given: JSONObject, options: Options) -> Flow:
    """Run a chat call that `needs_no_translation`, without a look-up, and without a context if possible."""
    with_first_piece = given.get("stream") is not True
    outgoing = Outgoing(None, request_headers(call, options), with_first_piece=with_first_piece)
    incoming = to_head((yield outgoing))
    fields = parse_finished_answer(incoming)
    if fields is not None:
        if not incoming.is_read:
            yield READ_REST  # as `read_rest` does, without its generator: most calls end here
        yield Answer(200, NO_HEADERS, incoming.first_piece, "as read", fields)
        return
    chat = ChatContext(call, untranslated_request(given, options), Destination(to_ref(call.agent)))
    yield from _answer(chat, incoming)


def completion_without_emulation(chat: ChatContext, outgoing: Outgoing) -> Flow:
    """Run a chat call without emulation: send it, and answer the caller as OpenAI would."""
    incoming = to_head((yield outgoing))
    fields = parse_finished_answer(incoming)
    if fields is not None:
        if not incoming.is_read:
            yield READ_REST  # as `read_rest` does, without its generator: most calls end here
        yield to_completion_answer(chat.ledger, incoming.first_piece or b"", fields)
        return
    yield from _answer(chat, incoming)


def _answer(chat: ChatContext, incoming: Incoming) -> Flow:
    """Return the flow that reads Tess's answer and answers the caller."""
    if incoming.status >= 300:
        return _error(chat, incoming)
    return _stream(chat, incoming) if chat.translated.stream else _whole(chat, incoming)


def _error(chat: ChatContext, incoming: Incoming) -> Flow:
    yield (yield from read_error_answer(chat, incoming))


def _whole(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer the caller with one completion, even if Tess streams."""
    body, items = chat.body_reader(incoming), list[BodyItem]()
    piece = incoming.first_piece  # None: not read yet; b"": the answer has ended; else its next bytes
    while True:
        if piece is None:
            piece = yield from read_answer_piece(body)
        items += body.feed(piece) if piece else body.finish()
        if body.ended:
            break
        piece = None
    if piece:
        yield from read_rest()
    end = items[-1]
    if isinstance(end, StreamFault):
        yield stream_fault_answer(chat, end)
    elif isinstance(end, Completion):
        tess_bytes = end.body if is_json(incoming) and end.untouched else None
        yield from respond_with_completion(chat, end.fields, tess_bytes)
    else:
        if not chat.translated.options.reads_as_stream:
            chat.ledger.add(STREAMED_UNASKED)
        yield from respond_with_completion(chat, completion_of_items(items, body.reader))


def _stream(chat: ChatContext, incoming: Incoming) -> Flow:
    """Answer the caller with a stream, even if Tess sends a whole completion."""
    body = chat.body_reader(incoming)
    stream = StreamFilter(body, chat.writer(body.reader), chat.ledger)
    head_sent = is_stream(incoming)  # a stream's head is passed on before its first event
    if head_sent:
        yield Answer(200, ledger_header(chat.ledger))
    piece, ended, refused = b"", False, None
    while not ended:
        try:  # as `read_answer_piece` does, without its generator: a stream has many pieces
            piece = to_piece((yield READ_LAST if body.reader.is_complete else READ))
        except ConnectionError:
            if not body.is_complete:
                raise
            piece = b""
        out, ended = stream.feed(piece), stream.ended
        if ended:
            refused = yield from report_changes(chat.ledger)
            out = out if refused is None else stream.fail(StreamFault(refused.to_json()))
        if out and not head_sent:
            head_sent = True
            head = _stream_head(chat, stream) if refused is None else refused.to_answer()
            yield head
            if head.body is not None:
                return
        if out:
            yield out
    if piece and stream.fault is None:
        yield from read_rest()


def _stream_head(chat: ChatContext, stream: StreamFilter) -> Answer:
    """Return the head of the caller's stream; an error answer when the stream contains only an error."""
    if stream.fault is not None and not stream.has_content:
        return stream_fault_answer(chat, stream.fault)
    return Answer(200, {"content-type": EVENT_STREAM, **ledger_header(chat.ledger)})
