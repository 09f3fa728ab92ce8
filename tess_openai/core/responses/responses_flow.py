"""The flow of `POST /responses`: a chat whose request and answer are translated."""

from __future__ import annotations

from typing import Final

from tess_openai.core.calls import Answer, Call, Flow
from tess_openai.core.chat.context import LEDGER_HEADER, ledger_header, report_changes
from tess_openai.core.chat.stream_filter import with_ledger
from tess_openai.core.jsons import JSONObject, dump_json, parse_object
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, json_headers
from tess_openai.core.responses.event_writer import ResponseEventWriter
from tess_openai.core.responses.response_object import new_draft, to_response
from tess_openai.core.responses.response_parameters import CHAT_NAMES
from tess_openai.core.responses.response_request import (
    ResponseRequest,
    read_response_request,
    to_chat_request,
)
from tess_openai.core.translated_chat import translated_chat

RESPONSES: Final = "/responses"


def create_response(call: Call, options: Options) -> Flow:
    """Run one `POST /responses`."""
    given = parse_object(call.body) if call.fields is None else call.fields
    try:
        request = read_response_request(given, options)
        chat = to_chat_request(request, request.items)
        yield from translated_chat(call, chat, request.options, _ResponseTranslator(call, request))
    except Refused as refused:
        yield refused.to_answer()


class _ResponseTranslator:
    """Turns the answer of a chat into a response, whole or as events."""

    names = CHAT_NAMES

    def __init__(self, call: Call, request: ResponseRequest) -> None:
        self.ledger = request.ledger
        self._call = call
        self._draft = new_draft(request, call)
        self._writer = ResponseEventWriter(self._draft)

    def whole(self, completion: JSONObject) -> Flow:
        """Give the whole response."""
        response = to_response(self._draft, completion, now=self._call.now())
        refused = yield from report_changes(self.ledger)
        if refused is not None:
            yield refused.to_answer()
            return
        headers = json_headers({LEDGER_HEADER: None, **ledger_header(self.ledger)})
        yield Answer(200, headers, with_ledger(dump_json(response), self.ledger))

    def begin(self) -> bytes:
        """Return the events with which a response begins."""
        return self._writer.begin()

    def chunk(self, fields: JSONObject) -> bytes:
        """Return the events for one chunk."""
        return self._writer.chunk(fields)

    def end(self) -> Flow:
        """End the items, and give the whole response."""
        events, incomplete = self._writer.end()
        if incomplete is None:
            response = self._draft.to_json("completed", ended=self._call.now())
        else:
            response = self._draft.to_json("incomplete", incomplete=incomplete)
        refused = yield from report_changes(self.ledger)
        if refused is not None:
            yield events + self._writer.fail(refused.to_json())
            return
        yield events + self._writer.last(
            with_ledger(dump_json(response), self.ledger), str(response["status"])
        )

    def fail(self, envelope: JSONObject) -> bytes:
        """Return the events of a stream that failed."""
        return self._writer.fail(envelope)
