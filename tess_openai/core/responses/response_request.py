"""Translate a request of the Responses API to a chat request.

Source: OpenAI's API reference, responses and chat completions (documented).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.changes import Change, accept_advice, counted, describe
from tess_openai.core.chat.parameters import keeps_unsupported
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.input_items import to_chat_messages, to_items
from tess_openai.core.responses.response_parameters import (
    ONLY_IN_CHAT,
    PARAMETER_TYPES,
    RESPONSES_UNSUPPORTED,
    TRANSLATED,
)

_EMPTY: Final[tuple[object, ...]] = (None, [], {}, "")
_INCLUDABLE: Final = {
    "code_interpreter_call.outputs": False,
    "computer_call_output.output.image_url": True,
    "file_search_call.results": False,
    "message.input_image.image_url": True,
    "message.output_text.logprobs": False,
    "reasoning.encrypted_content": True,
    "web_search_call.action.sources": False,
    "web_search_call.results": False,
}
"""Value of `include` -> whether it has no effect, since Tess never returns the items that it extends."""
_TEXT_KEYS: Final = ("format", "verbosity")
_TOOL_KEYS: Final = frozenset(
    {"type", "name", "description", "parameters", "strict", "format", "function", "custom"}
)
_TOOL_DEFAULTS: Final[tuple[object, ...]] = (*_EMPTY, False, ["direct"])
"""Values of other fields of a tool without an effect; with `["direct"]`, only the model calls the tool."""
_REASONING_KEYS: Final = ("effort", "summary", "generate_summary")


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class ResponseRequest:
    """A parsed request of the Responses API.

    Attributes:
        given: The caller's request; must not be mutated.
        options: The options of this call.
        ledger: The ledger of this call.
        items: The items of its input.
        previous_id: The id of the response that it continues; `""` for none.
        shall_store: Whether the response is to be saved.
        stream: Whether the caller wants a stream.
    """

    given: JSONObject = field(repr=False)
    options: Options
    ledger: Ledger
    items: Sequence[JSONObject] = field(repr=False)
    previous_id: str
    shall_store: bool
    stream: bool


def read_response_request(given: JSONObject, options: Options) -> ResponseRequest:
    """Read a request; `options` are those of the call.

    Raises:
        Refused: A parameter is missing, invalid or not supported, or belongs to chat completions only.
    """
    for name, value in given.items():
        if value is not None:
            _check_parameter(name, value)
    if given.get("conversation") is not None:
        message = (
            "conversation: Tess has no conversations of OpenAI's. Continue with previous_response_id, or "
            'continue one of Tess\'s with extra_body={"root_id": ...}.'
        )
        raise Refused(message, param="conversation", code="unsupported_parameter")
    previous = given.get("previous_response_id")
    if given.get("input") in (None, []) and not previous:
        message = "Missing required parameter: 'input'. Pass a string, or a list of items."
        if given.get("prompt") is not None:
            message += " Tess does not have OpenAI's stored prompts: pass the text of the prompt."
        raise Refused(message, param="input", code="missing_required_parameter")
    return ResponseRequest(
        given=given,
        options=options,
        ledger=Ledger(options.policy),
        items=[] if given.get("input") is None else to_items(given["input"]),
        previous_id=previous or "",
        shall_store=given.get("store") is not False,
        stream=given.get("stream") is True,
    )


def _check_parameter(name: str, value: object) -> None:
    """Check that a parameter belongs to this API, and has its type."""
    if name in ONLY_IN_CHAT:
        instead = ONLY_IN_CHAT[name]
        hint = f" Use {instead}." if instead else ""
        message = f"{name} is a parameter of chat completions, not of the Responses API.{hint}"
        raise Refused(message, param=name, code="unknown_parameter")
    expected = PARAMETER_TYPES.get(name)
    if expected is not None and not _IS_OF_TYPE[expected](value):
        raise Refused(f"{name} must be {expected}.", param=name, code="invalid_type")


def _is_object_of_strings(value: object) -> bool:
    fields = to_object(value)
    return fields is not None and all(isinstance(each, str) for each in fields.values())


_IS_OF_TYPE: Final[Mapping[str, Callable[[object], bool]]] = {
    "a boolean": lambda value: isinstance(value, bool),
    "a list": lambda value: isinstance(value, list),
    "a number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "a string": lambda value: isinstance(value, str),
    "an integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "an object": lambda value: isinstance(value, dict),
    "an object of strings": _is_object_of_strings,
}


def to_chat_request(request: ResponseRequest, items: Sequence[JSONObject]) -> JSONObject:
    """Return the chat request; the ledger records the parameters that chat does not have.

    Args:
        request: The caller's request.
        items: The whole conversation: earlier items and the input.

    Raises:
        Refused: A parameter is not supported, and the policy is `"error"`.
    """
    given, ledger = request.given, request.ledger
    chat = {name: value for name, value in given.items() if _is_kept(name, value, ledger)}
    if given.get("max_output_tokens") is not None:
        chat["max_completion_tokens"] = given["max_output_tokens"]
    chat |= _text(given, ledger) | _reasoning(given, ledger) | _tools(given, ledger)
    if request.stream:
        chat["stream_options"] = _stream_options(given, request.options)
    elif given.get("stream_options") is not None:
        chat["stream_options"] = given["stream_options"]
    instructions = given.get("instructions")
    before: list[object] = [] if instructions in (None, "") else _instructions(instructions, ledger)
    chat["messages"] = before + to_chat_messages(items, ledger)
    return chat


def _is_kept(name: str, value: object, ledger: Ledger) -> bool:
    """Whether to copy a root field to the chat: it means the same there, is the agent's, or is forwarded."""
    if name == "include":
        return keeps_include(value, ledger)
    if name in RESPONSES_UNSUPPORTED:
        return keeps_unsupported(name, value, ledger, RESPONSES_UNSUPPORTED)
    return name not in TRANSLATED and name not in ONLY_IN_CHAT and name != CALL_FIELD


def keeps_include(given: object, ledger: Ledger) -> bool:
    """Ask the policy about `include`; True when it is forwarded.

    Values that have no effect are recorded without a warning.
    """
    names = [name for name in to_list(given) or [] if isinstance(name, str)]
    if given is None or given == []:
        return False
    parameter = RESPONSES_UNSUPPORTED["include"]
    decision = ledger.resolve_unsupported(
        "include",
        given=", ".join(name if name in _INCLUDABLE else "a string" for name in names) or describe(given),
        why=f"Tess does not have it, so {parameter.consequence}",
        quiet=bool(names) and all(_INCLUDABLE.get(name) for name in names),
    )
    return decision == "keep"


def _instructions(given: object, ledger: Ledger) -> list[object]:
    if isinstance(given, str):
        return [{"role": "system", "content": given}]
    return to_chat_messages([] if given == [] else to_items(given, "instructions"), ledger)


def _text(given: JSONObject, ledger: Ledger) -> JSONObject:
    """Return `response_format` and `verbosity`, and `text` with what is forwarded of it."""
    text = to_object(given.get("text")) or {}
    chat: JSONObject = {}
    if text.get("verbosity") is not None:
        chat["verbosity"] = text["verbosity"]
    form = to_object(text.get("format"))
    if form is not None and form.get("type") == "json_schema":
        chat["response_format"] = {
            "type": "json_schema",
            "json_schema": {key: value for key, value in form.items() if key != "type"},
        }
    elif text.get("format") is not None:
        chat["response_format"] = text["format"]
    kept = _kept_unknown("text", text, _TEXT_KEYS, ledger)
    return {**chat, "text": kept} if kept else chat


def _reasoning(given: JSONObject, ledger: Ledger) -> JSONObject:
    """Return `reasoning_effort`, and `reasoning` with what is forwarded of it."""
    reasoning = to_object(given.get("reasoning")) or {}
    summary = reasoning.get("summary") or reasoning.get("generate_summary")
    keeps_summary = keeps_unsupported("reasoning.summary", summary, ledger, RESPONSES_UNSUPPORTED)
    kept = _kept_unknown("reasoning", reasoning, _REASONING_KEYS, ledger)
    if keeps_summary:
        kept |= {name: reasoning[name] for name in _REASONING_KEYS[1:] if reasoning.get(name)}
    chat: JSONObject = {"reasoning": kept} if kept else {}
    return chat if reasoning.get("effort") is None else {**chat, "reasoning_effort": reasoning["effort"]}


def _kept_unknown(name: str, fields: JSONObject, known: Sequence[str], ledger: Ledger) -> JSONObject:
    """Ask the policy about the fields of a parameter that are not known; return those that are forwarded."""
    kept: JSONObject = {}
    for key, value in fields.items():
        if key not in known and value not in _EMPTY:
            shown = key if key.isidentifier() and len(key) < 40 else "unknown"
            decision = ledger.resolve_unsupported(
                f"{name}.{shown}",
                given=describe(value),
                why="Tess does not have it",
                remedy=accept_advice([name]),
            )
            if decision == "keep":
                kept[key] = value
    return kept


def _tools(given: JSONObject, ledger: Ledger) -> JSONObject:
    """Return `tools` and `tool_choice` in the nested form of chat."""
    chat: JSONObject = {}
    items = to_list(given.get("tools"))
    if items is not None:
        chat["tools"] = [_nested_tool(item) for item in items]
        if ledger.policy.action_for("tools") == "emulate":
            _record_tool_fields(items, ledger)
    elif given.get("tools") is not None:
        chat["tools"] = given["tools"]
    if given.get("tool_choice") is not None:
        chat["tool_choice"] = _nested_choice(given["tool_choice"])
    return chat


def _record_tool_fields(items: Iterable[object], ledger: Ledger) -> None:
    """Record the fields of functions and custom tools that their emulation does not use."""
    counts: Counter[str] = Counter()
    for tool in map(to_object, items):
        if tool is not None and tool.get("type") in ("function", "custom"):
            names = [name for name, value in tool.items() if value not in _TOOL_DEFAULTS]
            counts.update(name for name in names if name not in _TOOL_KEYS)
    for name, count in counts.items():
        shown = name if name.isidentifier() and len(name) < 40 else "unknown"
        why = "emulated functions do not have it"
        ledger.add(
            Change(action="stripped", param=f"tools.{shown}", given=counted(count, "tool"), sent="", why=why)
        )


def _nested_tool(given: object) -> object:
    tool = to_object(given)
    kind = None if tool is None else tool.get("type")
    if tool is None or kind not in ("function", "custom") or kind in tool:
        return given
    inner = {key: value for key, value in tool.items() if key != "type" and value is not None}
    form = to_object(inner.get("format"))
    if kind == "custom" and form is not None and form.get("type") == "grammar":
        grammar = {key: value for key, value in form.items() if key != "type"}
        inner["format"] = {"type": "grammar", "grammar": grammar}
    return {"type": kind, kind: inner}


def _nested_choice(given: object) -> object:
    choice = to_object(given)
    kind = None if choice is None else choice.get("type")
    if choice is None:
        return given
    if kind == "allowed_tools" and kind not in choice:
        tools = [_nested_choice(tool) for tool in to_list(choice.get("tools")) or []]
        return {"type": kind, kind: {"mode": choice.get("mode"), "tools": tools}}
    if kind in ("function", "custom") and kind not in choice:
        return {"type": kind, kind: {"name": choice.get("name")}}
    return given


def _stream_options(given: JSONObject, options: Options) -> JSONObject:
    """Return the stream options for the chat, which must return its usage, unless `usage="none"`."""
    # The ledger has no entry for `include_usage`, also where the options are forwarded: each stream of
    # responses ends with its usage, so the caller of this API asked for it by asking for a stream.
    asked = to_object(given.get("stream_options")) or {}
    return asked if options.usage == "none" else {**asked, "include_usage": True}
