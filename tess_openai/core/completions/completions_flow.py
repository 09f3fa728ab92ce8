"""The flow of `POST /completions`: runs a chat for each prompt, and combines the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tess_openai.core.calls import Answer, Call, Flow
from tess_openai.core.changes import Change
from tess_openai.core.chat.chunk_templates import Template
from tess_openai.core.chat.context import LEDGER_HEADER, ledger_header, report_changes
from tess_openai.core.chat.stream_filter import append_ledger_to_json
from tess_openai.core.chat.usage import UsageSum
from tess_openai.core.completions.completion_parameters import COMPLETIONS_NAME_OF_CHAT
from tess_openai.core.completions.completion_request import PromptRequest, read_prompt_request
from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object
from tess_openai.core.options import Options
from tess_openai.core.refusals import NO_RETRY, Refused, json_headers
from tess_openai.core.short_fields import ShortFields
from tess_openai.core.sse import DONE_EVENT, encode_event
from tess_openai.core.translated_chat import AnswerTranslator, read_call, translated_chat

COMPLETIONS_PATH: Final = "/completions"
TEXT_COMPLETION: Final = "text_completion"
_CALL_FIELD_NAMES: Final = ("tool_calls", "function_call")
"""Finish reasons of chat that legacy completions do not have; the fields of calls have the same names."""
_OWN_FIELDS: Final = frozenset({"id", "object", "choices", "usage"})
"""Root fields of a completion that are made here; the others are copied from the chat, also those of Tess."""


def complete_prompts(call: Call, options: Options) -> Flow:
    """Run one `POST /completions`."""
    try:
        request = read_prompt_request(*read_call(call, options))
    except Refused as refused:
        yield refused.to_answer()
        return
    translator = _CompletionTranslator(call, request)
    for prompt in request.prompts:
        translator.start(prompt)
        try:
            yield from translated_chat(call, request.chat_for(prompt), request.options, translator)
        except Refused as refused:
            yield from translator.error(refused.to_answer())
        if translator.has_failed:
            return


class _CompletionTranslator(AnswerTranslator):
    """Combines the answers of chats into one completion, whole or as a stream.

    Attributes:
        has_failed: Whether the caller got an error, so that no further prompt is sent.
    """

    def __init__(self, call: Call, request: PromptRequest) -> None:
        self.ledger = request.ledger
        self.names: Mapping[str, str] = COMPLETIONS_NAME_OF_CHAT
        self.has_failed = False
        self._request = request
        self._root: JSONObject = {"id": f"cmpl-{call.new_id()}", "object": TEXT_COMPLETION}
        self._usage = UsageSum()
        self._prompt = ""
        self._answered_prompts = 0
        self._has_begun = False
        self._first_index = 0  # index of the first choice for the prompt
        self._choices: list[JSONObject] = []
        self._begun: set[int] = set()  # indices of the choices that have begun, in a stream
        self._chat_usage: JSONObject | None = None  # that of the answer to the current prompt
        self._has_calls = False
        self._repeated = ShortFields()  # the root fields that all further chunks of a stream get
        self._held: JSONObject | None = None  # a chunk that may be the last, which carries the ledger

    def start(self, prompt: str) -> None:
        """Prepare for the answer to the next prompt."""
        self._prompt = prompt
        self._chat_usage = None
        self._first_index = max(len(self._choices), len(self._begun))

    def error(self, answer: Answer) -> Flow:
        """Yield an error; as an event if the stream has begun."""
        self.has_failed = True
        if self._has_begun:
            yield self._release() + encode_event(answer.body or b"{}")
        else:  # a retry would pay again for the prompts that were already answered
            no_retry = NO_RETRY if self._answered_prompts else {}
            yield replace(answer, headers={**answer.headers, **no_retry})

    def whole(self, completion: JSONObject) -> Flow:
        """Keep the choices for one prompt; after the last prompt, yield all of them."""
        self._root.update(self._read_root(completion))
        prefix = self._prompt if self._request.echo else ""
        for given in to_list(completion.get("choices")) or []:
            choice = to_object(given) or {}
            message = to_object(choice.get("message")) or {}
            self._record_calls(message)
            text = prefix + _text_of(message)
            self._choices.append(_choice(len(self._choices), text, choice.get("finish_reason")))
        self._end_prompt()
        if self._answered_prompts < len(self._request.prompts):
            return
        fields: JSONObject = {**self._root, "choices": self._choices}
        usage = self._usage.total()
        if usage is not None:
            fields["usage"] = usage
        refused = yield from report_changes(self.ledger)
        if refused is not None:
            yield refused.to_answer()
            return
        headers = json_headers({LEDGER_HEADER: None, **ledger_header(self.ledger)})
        yield Answer(200, headers, append_ledger_to_json(dump_json(fields), self.ledger))

    def begin(self, answer: Answer) -> Flow:
        """Begin the stream with the first prompt."""
        if not self._has_begun:
            self._has_begun = True
            yield answer

    def chunk(self, fields: JSONObject) -> bytes:
        """Translate a chunk of a chat to one of a completion; `b""` without a text or a finish reason.

        A chunk with a finish reason may be the last, so it is held until the next one or the end.
        """
        root = self._read_root(fields)
        self._repeated.keep(root)
        choices: list[JSONObject] = []
        for given in fields["choices"]:
            index = self._first_index + given["index"]
            self._record_calls(given["delta"])
            text = _text_of(given["delta"])
            if index not in self._begun:
                self._begun.add(index)
                text = self._prompt + text if self._request.echo else text
            if text or given["finish_reason"] is not None:
                choices.append(_choice(index, text, given["finish_reason"]))
        if not choices:
            return b""
        chunk: JSONObject = {**self._root, **self._repeated.fields, **root, "choices": choices}
        released = self._release()
        if any(choice["finish_reason"] is not None for choice in choices):
            self._held = chunk
            return released
        return released + encode_event(dump_json(chunk))

    def texts(self, template: Template, texts: list[bytes]) -> bytes:
        """Translate chunks of a chat to those of a completion."""
        return b"".join([self.chunk(template.with_text(text)) for text in texts])

    def end(self) -> Flow:
        """End the stream after the last prompt."""
        self._end_prompt()
        if self._answered_prompts < len(self._request.prompts):
            return
        refused = yield from report_changes(self.ledger)
        if refused is not None:
            yield from self.error(refused.to_answer())
            return
        usage = self._usage.total() if self._request.include_usage else None
        last: JSONObject | None = None
        if usage is not None:
            last = {**self._root, **self._repeated.fields, "choices": [], "usage": usage}
        events = [dump_json(chunk) for chunk in (self._held, last) if chunk is not None]
        if events:
            events[-1] = append_ledger_to_json(events[-1], self.ledger)
        yield b"".join([*map(encode_event, events), DONE_EVENT])

    def fail(self, envelope: JSONObject) -> bytes:
        """Return the held chunk, if there is one, and the error event of a stream."""
        self.has_failed = True
        return self._release() + encode_event(dump_json(envelope))

    def _release(self) -> bytes:
        """Return and remove the held chunk."""
        held, self._held = self._held, None
        return b"" if held is None else encode_event(dump_json(held))

    def _record_calls(self, message: JSONObject) -> None:
        """Record, once, that an answer contains function calls, which a legacy completion cannot contain."""
        if not self._has_calls and any(message.get(key) for key in _CALL_FIELD_NAMES):
            self._has_calls = True
            why = "Tess returned a function call, which a legacy completion cannot contain"
            remedy = "client.chat.completions and client.responses return function calls."
            self.ledger.add(
                Change(
                    action="noticed",
                    param="tool_calls",
                    given="a call",
                    sent="",
                    why=why,
                    remedy=remedy,
                    warn="answer",
                )
            )

    def _read_root(self, fields: JSONObject) -> JSONObject:
        """Take the usage of a completion or a chunk, and return its other root fields."""
        usage = to_object(fields.get("usage"))
        if usage is not None:
            self._chat_usage = usage
        return {
            name: value for name, value in fields.items() if name not in _OWN_FIELDS and value is not None
        }

    def _end_prompt(self) -> None:
        self._answered_prompts += 1
        self._usage.add(self._chat_usage, prompts=None, text="")


def _text_of(message: JSONObject) -> str:
    texts = (message.get("content"), message.get("refusal"))
    return "".join([text for text in texts if isinstance(text, str)])


def _choice(index: int, text: str, finish_reason: object) -> JSONObject:
    reason = "stop" if finish_reason in _CALL_FIELD_NAMES else finish_reason
    return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}
