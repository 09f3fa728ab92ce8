"""Runs the chat flow for a call of the Responses API or of legacy completions, and translates its answer.

So these APIs use the policy, look-ups, errors, waits and emulation of chat without a second implementation.
The chat flow names chat parameters in its changes; they are reported under the names that the caller used.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from tess_openai.core.calls import Answer, Call, Event, Flow, Outgoing, ReportChanges, Step
from tess_openai.core.changes import Change
from tess_openai.core.chat.chunk_templates import Template, template_of
from tess_openai.core.chat.context import EVENT_STREAM, LEDGER_HEADER, ledger_header, report_changes
from tess_openai.core.chat_call import CHAT_PATH, chat_completion, read_fields
from tess_openai.core.errors import parse_redirect
from tess_openai.core.flow_steps import drive
from tess_openai.core.jsons import JSONObject, dump_json, parse_object, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.lookups import AGENTS_PATH
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.sse import DONE, EventDecoder

_MESSAGE_PATH: Final = re.compile(r"(?<![\w.])messages(?:\.\d+|\[\d+\])(?:\.\w+|\[\w+\])*")
"""A path into the messages that were sent, `messages.0.content`, which the caller's request does not have."""


class AnswerTranslator(Protocol):
    """Translates the answer of a chat call into the answer of another API; `_ChatRun` calls its methods.

    Attributes:
        ledger: The ledger of the caller's call, to which the changes of the chat call are added.
        names: Chat parameter, or the first part of its name -> the caller's name for it.
    """

    ledger: Ledger
    names: Mapping[str, str]

    def whole(self, completion: JSONObject) -> Flow:
        """Yield the answer for a whole completion."""
        ...

    def error(self, answer: Answer) -> Flow:
        """Yield an error answer."""
        ...

    def begin(self, answer: Answer) -> Flow:
        """Yield the head of a stream, and its first events."""
        ...

    def chunk(self, fields: JSONObject) -> bytes:
        """Return the events for one chunk."""
        ...

    def texts(self, template: Template, texts: list[bytes]) -> bytes:
        """Return the events for chunks that match a template; `texts` are JSON string bodies, escaped."""
        ...

    def end(self) -> Flow:
        """Yield the last events of a stream."""
        ...

    def fail(self, envelope: JSONObject) -> bytes:
        """Return the last events of a stream that failed; `envelope` is OpenAI's error envelope."""
        ...


def read_call(call: Call, options: Options) -> tuple[JSONObject, Options]:
    """Return the JSON object of a call, and the client's options with those of the call applied.

    Raises:
        Refused: The body is not a JSON object, or an option of the call is wrong.
    """
    given = read_fields(call)
    if CALL_FIELD in given:
        options = options.for_call(given[CALL_FIELD], POLICY_PARAMETERS)
    return given, options


def translated_chat(call: Call, fields: JSONObject, options: Options, translator: AnswerTranslator) -> Flow:
    """Return the flow of a chat call for a call of another API, which yields the translated answer.

    Args:
        call: The caller's call.
        fields: The chat request made from it.
        options: The options of the call.
        translator: Translates the answer.
    """
    # With `attempt=0`, the chat flow reports its changes in a retry too; `_ChatRun` decides whether to warn.
    chat_call = Call(
        call.method,
        CHAT_PATH,
        call.headers,
        body=b"",
        attempt=0,
        now=call.now,
        new_id=call.new_id,
        agent=call.agent,
        query=call.query,
        fields=fields,
    )
    run = _ChatRun(call, fields, translator)
    return drive(chat_completion(chat_call, options), run.carry_out)


class _ChatRun:
    """Carries out the steps of one chat flow."""

    def __init__(self, call: Call, fields: JSONObject, translator: AnswerTranslator) -> None:
        self.call = call
        self.fields = fields
        self.translator = translator
        self.decoder = EventDecoder()  # decodes the chat's stream, if it is one
        self.template: Template | None = None  # matches its chunks that differ in their text only
        self.is_sent = False
        self.earlier = translator.ledger.changes  # recorded before this chat call

    def carry_out(self, step: Step) -> Generator[Step, Event, Event]:
        """Carry out one step of the chat flow."""
        ledger = self.translator.ledger
        if isinstance(step, bytes):
            yield from self._pieces(step)
            return None
        if isinstance(step, Answer):
            yield from self._answer(step)
            return None
        if isinstance(step, ReportChanges):
            changes = [renamed_change(change, self.translator.names) for change in step.changes]
            ledger.extend(change for change in changes if change not in self.earlier)
            refused = yield from report_changes(ledger, silently=self._is_silent())
            return None if refused is None else refused.message
        if isinstance(step, Outgoing):
            # Report the changes that the translation of the request recorded, if the chat flow reported none.
            refused = yield from report_changes(ledger, silently=self._is_silent())
            if refused is not None:
                raise refused
            self.is_sent = True
            step = self._outgoing(step)
        return (yield step)

    def _is_silent(self) -> bool:
        """Whether the first attempt reported these changes: a retry makes new ones only for the answer."""
        return self.call.attempt > 0 and not self.is_sent

    def _outgoing(self, outgoing: Outgoing) -> Outgoing:
        """Return the request with the path and the body of a chat, since the caller's are of another API."""
        if outgoing.method is not None:  # a request of its own, such as for the state of an execution
            return outgoing
        path = (
            f"{AGENTS_PATH}/{self.call.agent}/openai{CHAT_PATH}" if outgoing.path is None else outgoing.path
        )
        body = dump_json(self.fields) if outgoing.body is None else outgoing.body
        return Outgoing(body, outgoing.headers, None, path, outgoing.query, outgoing.with_first_piece)

    def _answer(self, answer: Answer) -> Flow:
        if answer.status >= 300:
            yield from self.translator.error(self._error(answer))
            return
        if answer.body is None:  # the head of a stream, whose pieces follow
            headers = {"content-type": EVENT_STREAM, **ledger_header(self.translator.ledger)}
            yield from self.translator.begin(Answer(200, {LEDGER_HEADER: None, **headers}, base=answer.base))
            return
        completion = (parse_object(answer.body) or {}) if answer.fields is None else answer.fields
        completion.pop(CALL_FIELD, None)
        yield from self.translator.whole(completion)

    def _error(self, answer: Answer) -> Answer:
        """Return an error answer with the caller's names of parameters, and with the ledger."""
        if answer.base == "as is":  # a redirect, which the http client would follow with the caller's request
            error = parse_redirect(answer.status, "elsewhere", redirects_within_api=True, drops_body=False)
            return replace(replace(error, tess=None).to_answer(), base="none")
        envelope = parse_object(answer.body or b"") or {}
        headers = {**answer.headers, **ledger_header(self.translator.ledger)}
        body = dump_json(renamed_envelope(envelope, self.translator.names))
        return Answer(answer.status, headers, body, base=answer.base)

    def _pieces(self, data: bytes) -> Flow:
        """Yield the translated events for `data`, which contains complete events of the chat."""
        translator, template = self.translator, self.template
        texts = None if template is None else template.texts_of(data)
        if template is not None and texts is not None:
            yield from _as_one_piece([translator.texts(template, texts)])
            return
        out: list[bytes] = []
        for event in self.decoder.feed(data):
            if event.data == DONE:
                yield from _as_one_piece(out)
                yield from translator.end()
                continue
            fields = parse_object(event.data) or {}
            fields.pop(CALL_FIELD, None)
            if "choices" in fields:
                out.append(translator.chunk(fields))
                if self.template is None:
                    self.template = template_of(fields, event)
            else:
                out.append(translator.fail(renamed_envelope(fields, translator.names)))
        yield from _as_one_piece(out)


def _as_one_piece(events: list[bytes]) -> Flow:
    """Yield the events as one piece, if there are any, and empty the list."""
    data = b"".join(events)
    events.clear()
    if data:
        yield data


def renamed(param: str, names: Mapping[str, str]) -> str:
    """Return the caller's name for a parameter of chat, `"input.role"` for `"messages.role"`.

    The positions of messages are not those of the caller's items: `"input"` for `"messages.0.role"`.
    """
    if param in names:
        return names[param]
    if "messages" in names and _MESSAGE_PATH.fullmatch(param):
        return names["messages"]
    head, dot, rest = param.partition(".")
    return f"{names[head]}{dot}{rest}" if dot and head in names else param


def renamed_change(change: Change, names: Mapping[str, str]) -> Change:
    """Return a change with the caller's name for its parameter, also in its remedy."""
    param = renamed(change.param, names)
    if param == change.param:
        return change
    return replace(change, param=param, remedy=_renamed_text(change.remedy, names))


def renamed_envelope(envelope: JSONObject, names: Mapping[str, str]) -> JSONObject:
    """Return an error envelope with the caller's name for its parameter; `envelope` is not mutated."""
    error = to_object(envelope.get("error"))
    if error is None:
        return envelope
    param, message = error.get("param"), str(error.get("message", ""))
    if isinstance(param, str) and renamed(param, names) != param:
        if message.startswith((f"{param}:", f"{param} ")):
            message = renamed(param, names) + message.removeprefix(param)
        message = _renamed_text(message, names)
        param = renamed(param, names)
    if "messages" in names:
        message = _MESSAGE_PATH.sub(names["messages"], message)
    return {**envelope, "error": {**error, "param": param, "message": message}}


def _renamed_text(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the caller's names in its advice, `unsupported={"messages": "warn"}`."""
    for name, other in names.items():
        text = text.replace(f'unsupported={{"{name}"', f'unsupported={{"{other}"')
    return text
