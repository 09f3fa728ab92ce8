"""Translate a chat request of OpenAI to one that Tess documents, and record what changed.

The parameters are translated first, since they decide what is emulated; then the messages, to which an
emulation adds its instructions. `core/chat_call.py` does both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from tess_openai.core.agents import Agent
from tess_openai.core.changes import Change
from tess_openai.core.chat.agent_validation import validate_for_agent
from tess_openai.core.chat.attachments import move_files_to_file_ids
from tess_openai.core.chat.messages import to_messages
from tess_openai.core.chat.parameters import (
    CHAT_PARAMETERS,
    TOOL_PARAMETERS,
    UNSUPPORTED,
    keeps_stream_options,
    keeps_unsupported,
    wants_usage,
)
from tess_openai.core.chat.probe_rules import format_temperature, native_tools, refuse_disproven
from tess_openai.core.chat.target import to_model
from tess_openai.core.chat.temperature import to_temperature
from tess_openai.core.chat.tools import TessTools, to_tools
from tess_openai.core.jsons import JSONObject, to_list
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.policy_parameters import POLICY_PARAMETERS


class RequestEmulation(Protocol):
    """The part of an emulation that changes the request."""

    def messages(self, messages: list[object]) -> list[object]:
        """Return the messages for the model, still with OpenAI's roles and content parts."""
        ...

    def changes(self, messages: object = None) -> tuple[Change, ...]:
        """Return the changes to record before the request is sent; `messages` are the caller's."""
        ...


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class TranslatedRequest:
    """A chat request ready for Tess.

    Attributes:
        body: The body to send.
        untouched: Whether it equals the caller's body, so that the caller's own bytes can be sent.
        ledger: The changes so far; those of the answer are added to it.
        options: The options of this call.
        stream: Whether the caller wants a stream.
        include_usage: Whether the caller wants a last chunk with `usage`.
        emulation: What the adapter emulates; None for nothing.
    """

    body: JSONObject = field(repr=False)
    untouched: bool
    ledger: Ledger
    options: Options
    stream: bool
    include_usage: bool
    emulation: RequestEmulation | None = None


def untranslated_request(given: JSONObject, options: Options) -> TranslatedRequest:
    """Return a request that needs no translation."""
    return TranslatedRequest(
        body=given,
        untouched=True,
        ledger=Ledger(options.policy),
        options=options,
        stream=given.get("stream") is True,
        include_usage=False,
    )


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class ParameterTranslation:
    """A request in which everything but the messages has been translated.

    Attributes:
        given: The caller's request.
        with_file_ids: The same request with its files moved to `file_ids`; it shares values with `given`.
        options: The options of this call.
        agent: The agent that answers, if its options are known.
        ledger: The changes so far.
        parameters: The translation of all fields but the messages.
    """

    given: JSONObject = field(repr=False)
    with_file_ids: JSONObject = field(repr=False)
    options: Options
    agent: Agent | None
    ledger: Ledger
    parameters: _TranslatedParameters

    @property
    def emulates_functions(self) -> bool:
        """Whether calls of the caller's functions are emulated."""
        return self.parameters.emulates_functions

    def with_messages(self, emulation: RequestEmulation | None) -> TranslatedRequest:
        """Translate the messages, which `emulation` extends, and complete the request.

        Raises:
            Refused: The policy or the agent's own fields do not allow the request.
        """
        given, request, ledger, parameters = self.given, self.with_file_ids, self.ledger, self.parameters
        body = {name: request[name] if sent is _AS_GIVEN else sent for name, sent in parameters.body.items()}
        if request.get("messages") is None:
            body.pop("messages", None)
        else:
            body["messages"] = _translate_messages(request["messages"], self.options, ledger, emulation)
        ledger.extend(parameters.changes)
        for change in () if emulation is None else emulation.changes(given.get("messages")):
            ledger.add(change)
        if self.agent is not None:
            validate_for_agent(body, given, self.agent, ledger)
        return TranslatedRequest(
            body=body,
            untouched=body == given,
            ledger=ledger,
            options=self.options,
            stream=given.get("stream") is True,
            include_usage=wants_usage(given),
            emulation=emulation,
        )


def translate_parameters(given: JSONObject, options: Options, agent: Agent | None) -> ParameterTranslation:
    """Translate everything but the messages, without mutating `given`; the result shares values with it.

    Args:
        given: The caller's request.
        options: The options of the client.
        agent: The agent that answers, if its options are known.

    Raises:
        Refused: The policy or the call's own options do not allow the request.
    """
    if CALL_FIELD in given:
        options = options.for_call(given[CALL_FIELD], POLICY_PARAMETERS)
    if agent is not None and agent.questions:
        options = replace(options, temperatures=agent.temperatures)
    ledger = Ledger(options.policy)
    with_file_ids = move_files_to_file_ids(given, ledger)
    parameters = _cached_parameters(with_file_ids, options, agent)
    return ParameterTranslation(given, with_file_ids, options, agent, ledger, parameters)


def _translate_messages(
    given: object, options: Options, ledger: Ledger, emulation: RequestEmulation | None
) -> object:
    """Return the messages for Tess; a value that is not a list is not changed."""
    refuse_disproven("messages", options.profile, options.policy)
    items = to_list(given)
    messages = given if emulation is None or items is None else emulation.messages(items)
    return to_messages(messages, ledger, merge=options.merge_messages, profile=options.profile)


_AS_GIVEN: Final = object()
"""Replaces in a translation a value that is sent unchanged, so that the value itself is not cached."""


@dataclass(frozen=True, slots=True)
class _TranslatedParameters:
    """The translation of a request without its messages.

    Attributes:
        body: The fields to send, `_AS_GIVEN` for each value that is sent unchanged.
        emulates_functions: Whether the adapter emulates calls of the caller's functions.
        changes: The recorded changes.
    """

    body: Mapping[str, object]
    emulates_functions: bool
    changes: tuple[Change, ...]


def _cached_parameters(request: JSONObject, options: Options, agent: Agent | None) -> _TranslatedParameters:
    """Translate everything but the messages, or return the cached translation of equal parameters.

    Raises:
        Refused: As in `translate_parameters`.
    """
    given: JSONObject = {**request, "messages": None} if "messages" in request else request
    if agent is not None:
        return _translate_parameters(given, options, agent)
    return options.parameter_cache.get_or_make(given, lambda: _translate_parameters(given, options, None))


def _translate_parameters(given: JSONObject, options: Options, agent: Agent | None) -> _TranslatedParameters:
    ledger = Ledger(options.policy)
    tools = native_tools(given, options.profile) or to_tools(given, options, ledger)
    body: dict[str, object] = {}
    for name, value in given.items():
        sent = _translate(name, value, given, options=options, agent=agent, ledger=ledger, tools=tools)
        # A null parameter of OpenAI's is left out. `messages` is null here in place of the caller's messages.
        if sent is not None or (value is None and (name not in CHAT_PARAMETERS or name == "messages")):
            body[name] = _AS_GIVEN if sent is value else sent
    if tools.tool is not None:
        body["tools"] = tools.tool
    return _TranslatedParameters(body, tools.emulate, ledger.changes)


def _translate(
    name: str,
    value: object,
    given: JSONObject,
    *,
    options: Options,
    agent: Agent | None,
    ledger: Ledger,
    tools: TessTools,
) -> object:
    """Return the value to send for the field `name`; None to leave it out."""
    profile = options.profile
    if value is not None:
        refuse_disproven(name, profile, ledger.policy)
    if name == "model":
        return to_model(value, options, agent, ledger)
    if name == "temperature":
        return format_temperature(to_temperature(value, options.temperature_options, ledger), profile)
    if name in TOOL_PARAMETERS:
        keep = name in tools.kept
    elif profile.supports(name):
        keep = True
    elif name == "stream_options":
        keep = keeps_stream_options(given, ledger, usage_can_be_given=options.usage == "estimate")
    elif name in UNSUPPORTED:
        keep = keeps_unsupported(name, value, ledger)
    else:
        keep = name != CALL_FIELD
    return value if keep else None
