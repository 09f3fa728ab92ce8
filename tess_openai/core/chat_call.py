"""One `POST /chat/completions`: translate it, and let the flow with or without emulation answer it."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Final

from tess_openai.core.agents import Agent
from tess_openai.core.calls import Answer, Call, Event, Flow, Outgoing, Step
from tess_openai.core.changes import Change
from tess_openai.core.chat.chat_flow import completion_without_emulation, untouched_completion
from tess_openai.core.chat.context import ChatContext, report_changes
from tess_openai.core.chat.request_translation import (
    TranslatedRequest,
    translate_parameters,
    untranslated_request,
)
from tess_openai.core.chat.target import to_target
from tess_openai.core.chat.untranslated_request import needs_no_translation
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.emulation_flow import emulated_completion
from tess_openai.core.emulate.emulation_request import to_emulation
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import BYTE_ORDER_MARK, JSONObject, dump_json, parse_object
from tess_openai.core.long_answers.polled_answers import POLLED, PolledAnswers
from tess_openai.core.long_answers.streamed_answers import STREAMED, StreamedAnswers
from tess_openai.core.lookups import find_destination, not_validated
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.refusals import Refused, refuse
from tess_openai.core.uploads import UploadedRequest, upload_attachments, with_placeholders

CHAT_PATH: Final = "/chat/completions"


def chat_completion(call: Call, options: Options) -> Flow:
    """Return the flow of one chat call."""
    try:
        fields = read_fields(call)
    except Refused as refused:
        return refuse(refused)
    if call.agent.isdigit() and needs_no_translation(fields, options):
        return untouched_completion(call, fields, options)
    return _translated_completion(call, fields, options)


def _translated_completion(call: Call, fields: JSONObject, options: Options) -> Flow:
    """Run a chat call that may need changes."""
    try:
        named = to_target(fields.get("model"), options).agent
        destination = yield from find_destination(named, call, options)
        if isinstance(destination, Answer):
            yield destination
            return
        other = destination.other_agent
        agent_options = options if other is None else options.for_agent(other)
        uploaded: UploadedRequest | Answer = UploadedRequest(fields)
        if agent_options.attachments is not None or CALL_FIELD in fields:
            uploaded = yield from _upload(fields, agent_options, destination.agent, call)
        if isinstance(uploaded, Answer):
            yield uploaded
            return
        translated, emulation = _translate(uploaded.fields, agent_options, destination.agent, call.new_id)
    except Refused as refused:
        yield refused.to_answer()
        return
    chat = ChatContext(call, translated, destination)
    translated.ledger.extend(uploaded.changes)
    translated.ledger.extend(_notes_on_long_answers(translated))
    if destination.problem:
        translated.ledger.add(not_validated(destination.problem))
    # A retry is the same request, whose changes were reported with the first.
    refused_by_filter = yield from report_changes(translated.ledger, silently=call.attempt > 0)
    if refused_by_filter is not None:
        yield refused_by_filter.to_answer()
        return
    body = None if translated.untouched else dump_json(translated.body)
    yield from _answer(chat, emulation, body)


def read_fields(call: Call) -> JSONObject:
    """Return the JSON object of a call.

    Raises:
        Refused: The body is not a JSON object. Tess would only answer that a field is missing.
    """
    fields = parse_object(call.body) if call.fields is None else call.fields
    if fields is None:
        raise Refused(
            f"The body of the request is not a JSON object{_unreadable(call.body)}. It was not sent.",
            param=None,
            code="invalid_json",
        )
    return fields


def _unreadable(body: bytes) -> str:
    """Return where and why parsing a body fails, without repeating any of its text."""
    try:
        json.loads(body.removeprefix(BYTE_ORDER_MARK).decode())
    except json.JSONDecodeError as error:
        return f": {error.msg.partition(': ')[0]} (line {error.lineno}, column {error.colno})"
    except UnicodeDecodeError as error:
        return f": byte {error.start + 1} is not UTF-8"
    except (ValueError, RecursionError):  # such as a number of thousands of digits
        pass
    return ""


def _answer(chat: ChatContext, emulation: Emulation | None, body: bytes | None) -> Flow:
    """Return the flow that sends the request and answers the caller; `body=None` sends the caller's body."""
    options = chat.translated.options
    wants_whole = emulation is None and not chat.translated.stream and not options.reads_as_stream
    headers = request_headers(chat.call, options)
    outgoing = Outgoing(body, headers, path=chat.destination.path, with_first_piece=wants_whole)
    if emulation is None:
        flow = completion_without_emulation(chat, outgoing)
    else:
        flow = emulated_completion(chat, emulation, outgoing)
    if options.long_answers == "poll":
        flow = PolledAnswers(chat).run(flow)
    elif options.reads_as_stream:
        flow = StreamedAnswers(chat).run(flow)
    return flow


def _notes_on_long_answers(translated: TranslatedRequest) -> list[Change]:
    """Return the changes that `long_answers` makes to how the answer is fetched."""
    if translated.options.long_answers == "poll":
        return [POLLED]
    return [STREAMED] if translated.options.long_answers == "stream" and not translated.stream else []


def _upload(
    given: JSONObject, options: Options, agent: Agent | None, call: Call
) -> Generator[Step, Event, UploadedRequest | Answer]:
    """Upload the files in a request, where the client or the call asks for that.

    Raises:
        Refused: The translated request cannot be sent; nothing is uploaded then.
    """
    if CALL_FIELD in given:
        options = options.for_call(given[CALL_FIELD], POLICY_PARAMETERS)
    if options.attachments != "upload" or options.policy.action_for("messages.content") == "forward":
        return UploadedRequest(given)
    planned = with_placeholders(given)
    if planned is given:
        return UploadedRequest(given)
    _translate(planned, options, agent, call.new_id)
    return (yield from upload_attachments(given, call, options))


def translate_request(
    given: JSONObject, options: Options, agent: Agent | None = None, *, new_id: Callable[[], str]
) -> TranslatedRequest:
    """Translate a request without mutating it; the result shares unchanged values with `given`.

    Args:
        given: The caller's request.
        options: The options of the client.
        agent: The agent that answers, if it is known what it offers.
        new_id: Returns a new identifier.

    Raises:
        Refused: The policy, the options of the call or the agent's own fields do not allow the request.
    """
    return _translate(given, options, agent, new_id)[0]


def translate_changed_request(
    given: JSONObject, options: Options, agent: Agent | None, *, new_id: Callable[[], str]
) -> TranslatedRequest:
    """Translate a request without testing first whether it needs that; else as `translate_request`."""
    return _translate_changed(given, options, agent, new_id)[0]


def _translate(
    given: JSONObject, options: Options, agent: Agent | None, new_id: Callable[[], str]
) -> tuple[TranslatedRequest, Emulation | None]:
    """Return the translated request, and its emulation if it needs one; see `translate_request`."""
    if agent is None and needs_no_translation(given, options):
        return untranslated_request(given, options), None
    return _translate_changed(given, options, agent, new_id)


def _translate_changed(
    given: JSONObject, options: Options, agent: Agent | None, new_id: Callable[[], str]
) -> tuple[TranslatedRequest, Emulation | None]:
    translation = translate_parameters(given, options, agent)
    emulation = to_emulation(
        given, translation.options, new_id, with_functions=translation.emulates_functions
    )
    return translation.with_messages(emulation), emulation
