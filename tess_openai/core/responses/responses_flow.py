"""The flow of `POST /responses`: makes a chat request from the caller's, and translates the chat's answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import cached_property
from typing import Final

from tess_openai.core.calls import Answer, Call, Event, Flow, Step
from tess_openai.core.changes import Change
from tess_openai.core.chat.chunk_templates import Template
from tess_openai.core.chat.context import LEDGER_HEADER, ledger_header, report_changes
from tess_openai.core.chat.stream_filter import add_ledger_to_fields, append_ledger_to_json
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, json_headers
from tess_openai.core.responses.conversation_items import conversation_items
from tess_openai.core.responses.conversation_store import StoredResponse, save_response
from tess_openai.core.responses.event_writer import ResponseEventWriter
from tess_openai.core.responses.response_object import new_draft, to_response, with_ids
from tess_openai.core.responses.response_parameters import RESPONSES_NAME_OF_CHAT
from tess_openai.core.responses.response_request import (
    ResponseRequest,
    read_response_request,
    to_chat_request,
)
from tess_openai.core.translated_chat import AnswerTranslator, read_call, translated_chat

RESPONSES_PATH: Final = "/responses"


def create_response(call: Call, options: Options) -> Flow:
    """Run one `POST /responses`."""
    try:
        request = read_response_request(*read_call(call, options))
        items = yield from conversation_items(call, request)
        chat = to_chat_request(request, items)
        yield from translated_chat(call, chat, request.options, _ResponseTranslator(call, request, items))
    except Refused as refused:
        yield refused.to_answer()


class _ResponseTranslator(AnswerTranslator):
    """Translates the answer of a chat to a response, whole or as events, for `translated_chat`."""

    names = RESPONSES_NAME_OF_CHAT

    def __init__(self, call: Call, request: ResponseRequest, items: Sequence[JSONObject]) -> None:
        self.ledger = request.ledger
        self._request = request
        self._items = items
        self._call = call
        self._draft = new_draft(request, call)

    @cached_property
    def _writer(self) -> ResponseEventWriter:
        return ResponseEventWriter(self._draft)

    def whole(self, completion: JSONObject) -> Flow:
        """Yield the whole response."""
        response = to_response(self._draft, completion, now=self._call.now())
        data = yield from self._saved(response)
        refused = yield from report_changes(self.ledger)
        if refused is not None:
            yield refused.to_answer()
            return
        # None removes a header of this name that Tess sent.
        headers = json_headers({LEDGER_HEADER: None, **ledger_header(self.ledger)})
        add_ledger_to_fields(response, self.ledger)
        yield Answer(200, headers, append_ledger_to_json(data, self.ledger), fields=response)

    def _saved(self, response: JSONObject) -> Generator[Step, Event, bytes]:
        """Save the response if the caller wants that, and return it as JSON.

        A store that fails does not fail the paid answer: `store` becomes false, and the ledger says why.
        """
        data = dump_json(response)
        if not self._request.shall_store:
            return data
        background = self._request.given.get("background") is True
        stored = StoredResponse(response, with_ids(self._items, self._draft), background)
        problem = yield from save_response(self._call, stored, data)
        if not problem:
            return data
        why = f"the store of responses failed with {problem}, so this response cannot be continued"
        remedy = "Check the store of create_client(responses_store=...)."
        self.ledger.add_once(
            Change("noticed", "store", given="", sent="", why=why, remedy=remedy, warn="answer")
        )
        response["store"] = False
        return dump_json(response)

    def error(self, answer: Answer) -> Flow:
        """Yield an error."""
        yield answer

    def begin(self, answer: Answer) -> Flow:
        """Yield the first events of a response."""
        yield answer
        yield self._writer.begin()

    def chunk(self, fields: JSONObject) -> bytes:
        """Return the events for one chunk."""
        return self._writer.chunk(fields)

    def texts(self, template: Template, texts: list[bytes]) -> bytes:
        """Return the events for chunks that match a template; `texts` are their texts."""
        return self._writer.texts(template.choice, texts)

    def end(self) -> Flow:
        """Yield the events that end the output items, then the final event with the whole response."""
        events, incomplete = self._writer.end()
        if incomplete is None:
            response = self._draft.to_json("completed", ended=self._call.now())
        else:
            response = self._draft.to_json("incomplete", incomplete=incomplete)
        data = yield from self._saved(response)
        refused = yield from report_changes(self.ledger)
        if refused is not None:
            yield events + self._writer.fail(refused.to_json())
            return
        yield events + self._writer.last(append_ledger_to_json(data, self.ledger), str(response["status"]))

    def fail(self, envelope: JSONObject) -> bytes:
        """Return the events of a stream that failed."""
        return self._writer.fail(envelope)
