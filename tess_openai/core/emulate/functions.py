"""Turns the text of calls into calls that can be made: read, find the function, check, coerce."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.emulate.answer_parser import Block
from tess_openai.core.emulate.declared_keys import undeclared_key
from tess_openai.core.emulate.marks import restore, restore_all
from tess_openai.core.emulate.offers import Offer, OfferedFunction
from tess_openai.core.emulate.outcomes import FunctionCall
from tess_openai.core.emulate.schema_copies import copies_description, schema_echo
from tess_openai.core.emulate.single_value import read_first_value, read_only_value
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.name_matching import bare_name, match_name
from tess_openai.core.schemas.schema_checker import SchemaChecker
from tess_openai.core.strict_json import Reading, UnreadableError, compact_json

_NAME_KEYS: Final = ("name", "function", "functionname", "tool", "toolname", "action", "recipientname")
_ARGUMENT_KEYS: Final = (
    *("arguments", "argument", "parameters", "parameter", "args", "params", "kwargs"),
    *("input", "toolinput", "actioninput", "functionarguments"),
)
_WRAPPER_KEYS: Final = ("toolcalls", "functioncalls", "calls", "toolcall", "functioncall", "function", "call")
_ENVELOPE_KEYS: Final = frozenset({"id", "type", "index", "callid", "toolcallid"})
_DESCRIBED_KEYS: Final = frozenset({"name", "arguments"})
_MESSAGE_KEYS: Final = frozenset({"role", "content", "refusal"})
_MAX_WRAPPERS: Final = 4
MAX_CALLS: Final = 128
"""In one answer; a model that writes more has lost its way."""
_MAX_PROBLEMS: Final = 5
_MAX_NAMES: Final = 30
_PIECE: Final = 256
_EDGES: Final = " \t\r\n`(:"
_OPENING: Final = re.compile(r"[{\[]")


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as the model wrote it.

    Attributes:
        name: As written.
        arguments: As written; None when there were none.
        others: The members other than name and arguments.
        is_repaired: Whether the syntax of the text was repaired.
        holds_raw_text: Whether a string in the text was not escaped.
    """

    name: str
    arguments: object = None
    others: JSONObject = field(default_factory=dict[str, object])
    is_repaired: bool = False
    holds_raw_text: bool = False


@dataclass(frozen=True, slots=True)
class CustomInput:
    """The input of a custom tool, as the model wrote it."""

    text: str


@dataclass(slots=True)
class Settlement:
    """What became of the calls of one answer.

    Attributes:
        calls: Those that can be made.
        usable: These, and those whose arguments can be read but do not follow the schema of a function
            without `strict`; in order.
        problems: What is wrong with the others, one line each, for the model.
        surplus: How many calls were left out because only one may be made.
    """

    calls: list[FunctionCall] = field(default_factory=list[FunctionCall])
    usable: list[FunctionCall] = field(default_factory=list[FunctionCall])
    problems: list[str] = field(default_factory=list[str])
    surplus: int = 0


def settle(
    blocks: Sequence[Block], offer: Offer, check: SchemaChecker, new_id: Callable[[], str], *, is_cut: bool
) -> Settlement:
    """Read the calls in the texts between marks, and check each.

    Args:
        blocks: The texts.
        offer: What may be called.
        check: Checks arguments against a schema.
        new_id: Makes the calls' identifiers.
        is_cut: Whether the answer is known to be incomplete; a call that was not ended is then not made.
    """
    settlement = Settlement()
    written: list[WrittenCall] = []
    for number, block in enumerate(blocks[: MAX_CALLS + 1]):
        if written and not offer.allows_several:
            settlement.surplus = len(blocks) - number
            break
        calls, problem = _try_to_read(block, offer, is_cut=is_cut)
        written += calls
        settlement.problems += [f"- {problem}"] * bool(problem)
    if not offer.allows_several:
        settlement.surplus += max(0, len(written) - 1)
        written = written[:1]
    if len(written) > MAX_CALLS or len(blocks) > MAX_CALLS:
        return Settlement(problems=[f"- there are more than {MAX_CALLS} calls; make fewer at once"])
    for call in written:
        name = _find(call.name, offer.functions)
        if name is None:
            names = ", ".join(list(offer.functions)[:_MAX_NAMES])
            settlement.problems.append(f"- there is no function {call.name[:64]!r}; there are: {names}")
            continue
        function = offer.functions[name]
        text, errors = (
            _checked_input(call) if function.is_custom else _checked_arguments(call, function, check)
        )
        settlement.problems += [f"- {name}: {error}" for error in errors[:_MAX_PROBLEMS]]
        if text is None or (errors and function.is_strict):
            continue
        made = FunctionCall(f"call_{new_id()}", name, text, function.is_custom)
        settlement.usable.append(made)
        settlement.calls += [made] * (not errors)
    return settlement


def names_a_function(blocks: Sequence[Block], functions: Iterable[str]) -> bool:
    """Whether texts that bear no valid marks hold a call all the same, to one of the functions."""
    known = tuple(functions)
    return any(_names_one(block.body, known) for block in blocks[:MAX_CALLS])


def _names_one(text: str, known: tuple[str, ...]) -> bool:
    with suppress(UnreadableError):
        calls = _calls_in(text, read_first_value(text), known)
        return any(_find(call.name, known) for call in calls)
    return False


def _try_to_read(block: Block, offer: Offer, *, is_cut: bool) -> tuple[list[WrittenCall], str]:
    try:
        custom = read_custom_call(block, offer)
        return [custom] if custom is not None else read_calls(block, offer.functions, is_cut=is_cut), ""
    except UnreadableError as reason:
        return [], f"it is not valid JSON: {reason}"


def read_custom_call(block: Block, offer: Offer) -> WrittenCall | None:
    """Read a call of a custom tool: its name in the first line, and below it its input.

    Returns:
        The call, with the input exactly as the model wrote it; None when no custom tool is named.

    Raises:
        UnreadableError: The closing mark is missing, so nobody knows whether the input is complete.
    """
    name, _, text = block.body.lstrip().partition("\n")
    function = offer.functions.get(name.strip())
    if function is None or not function.is_custom:
        return None
    if not block.is_closed:
        raise UnreadableError(f"the block of {name.strip()} has no closing mark")
    return WrittenCall(function.name, CustomInput(restore(text.removesuffix("\n"))))


def read_calls(block: Block, functions: Iterable[str], *, is_cut: bool) -> list[WrittenCall]:
    """Read the calls in one text: an object, or an array of some, in any of the spellings models use.

    Raises:
        UnreadableError: There is nothing that can be read as a call, or more than can be separated.
    """
    known = tuple(functions)
    reading = read_only_value(block.body, is_closed=block.is_closed)
    if block.holds_marks and reading is not None and reading.is_repaired:
        raise UnreadableError("a mark is in a string that is not written as JSON")
    if is_cut and not block.is_closed and (reading is None or not reading.is_whole):
        raise UnreadableError("it ends in the middle")
    if reading is None and not block.is_closed and _find(block.body.strip(_EDGES), known) is not None:
        raise UnreadableError("it ends after its name")
    calls = _calls_in(block.body, reading, known)
    if not calls:
        raise UnreadableError('there is no object with "name" and "arguments" in it')
    if reading is None or not reading.is_repaired:
        return calls
    return [replace(call, is_repaired=True, holds_raw_text=reading.holds_raw_text) for call in calls]


def _calls_in(text: str, reading: Reading | None, known: tuple[str, ...]) -> list[WrittenCall]:
    """Return the calls of a text, and of the value that was read in it."""
    calls = [] if reading is None else _written_calls(reading.value, known)
    name = _find(_OPENING.split(text, maxsplit=1)[0].strip(_EDGES), known)
    if name is None:
        return calls
    if [_find(call.name, known) for call in calls if call.arguments is not None] == [name]:
        return calls  # the name precedes the whole call
    return [WrittenCall(name, None if reading is None else reading.value)]


def _written_calls(value: object, known: tuple[str, ...], depth: int = 0) -> list[WrittenCall]:
    if depth > _MAX_WRAPPERS:
        return []
    if (items := to_list(value)) is not None:
        return [call for item in items for call in _written_calls(item, known, depth + 1)]
    members = to_object(value)
    if members is None:
        return []
    if members.keys() == _DESCRIBED_KEYS and isinstance(members["name"], str):
        return [WrittenCall(members["name"], members["arguments"])]
    keys = {bare_name(key): key for key in members}
    wrappers = [key for key in keys if key not in _ENVELOPE_KEYS | _MESSAGE_KEYS]
    if len(wrappers) == 1 and wrappers[0] in _WRAPPER_KEYS:
        calls = _written_calls(members[keys[wrappers[0]]], known, depth + 1)
        if calls:
            return calls
    only = next(iter(members), "")
    if len(members) == 1 and only in known and isinstance(members[only], dict):
        return [WrittenCall(only, members[only])]
    names = [key for bare in _NAME_KEYS if isinstance(members.get(key := keys.get(bare, "")), str)]
    if not names:
        return []
    key = next((key for key in names if _find(members[key], known)), names[0])
    arguments = next((keys[bare] for bare in _ARGUMENT_KEYS if bare in keys and keys[bare] != key), None)
    used = {key, arguments}
    others = {
        other: member
        for other, member in members.items()
        if other not in used and member is not None and bare_name(other) not in _ENVELOPE_KEYS
    }
    return [WrittenCall(members[key], None if arguments is None else members[arguments], others)]


def _find(name: str, known: Iterable[str]) -> str | None:
    """Return the function that is meant; some models were trained to write `functions.x` for `x`."""
    name, names = name.strip(), tuple(known)
    return match_name(name, names) or match_name(name.removeprefix("functions."), names)


def _checked_input(call: WrittenCall) -> tuple[str | None, list[str]]:
    """Return the input of a call of a custom tool, or None, and what is wrong with it."""
    if isinstance(call.arguments, CustomInput):
        return call.arguments.text, []
    return None, [
        "write its name in the first line of the block and its input below, as plain text without JSON"
    ]


def _checked_arguments(
    call: WrittenCall, function: OfferedFunction, check: SchemaChecker
) -> tuple[str | None, list[str]]:
    """Return the arguments of a call as JSON, or None if they cannot be read, and what is wrong with them."""
    try:
        call = _with_arguments_read(call)
        given = restore_all(_arguments(call, function))
    except UnreadableError as reason:
        return None, [f'"arguments" cannot be used: {reason}']
    arguments, errors = check.validate_and_coerce(function.parameters, given)
    if to_object(arguments) is None:
        return None, errors or ['"arguments" must be an object']
    if (echo := schema_echo(given, function.parameters)) is not None:
        return None, [f"{echo} is a copy of the schema; write values that follow it"]
    if call.is_repaired:
        key = undeclared_key(function.parameters, arguments, holds_raw_text=call.holds_raw_text)
        if key is not None:
            problem = f"{key[:40]!r} is not in the schema; a quote in a string may lack its backslash"
            return None, [*errors, problem]
    return compact_json(arguments), errors


def _with_arguments_read(call: WrittenCall) -> WrittenCall:
    """Return the call with its arguments read, where they are a string of JSON.

    Raises:
        UnreadableError: They are not JSON.
    """
    if not isinstance(call.arguments, str) or not call.arguments.strip().startswith("{"):
        return call
    reading = read_only_value(call.arguments)
    return replace(
        call,
        arguments=None if reading is None else reading.value,
        is_repaired=call.is_repaired or (reading is not None and reading.is_repaired),
        holds_raw_text=call.holds_raw_text or (reading is not None and reading.holds_raw_text),
    )


def _arguments(call: WrittenCall, function: OfferedFunction) -> object:
    """Return the arguments, with those that are members of the call itself.

    Raises:
        UnreadableError: The call has a member that is not an argument.
    """
    given = call.arguments
    arguments = {} if given in (None, "", []) else to_object(given)
    if arguments is None:
        return given
    properties = to_object(function.parameters.get("properties")) or {}
    for key, value in call.others.items():
        if copies_description(key, value, function):
            continue
        name = match_name(key, properties)
        if name is None or match_name(name, arguments) is not None:
            raise UnreadableError(f"{key[:40]!r} is a member of the call and not one of them")
        arguments = {**arguments, name: value}
    return arguments


def message_fields(calls: Iterable[FunctionCall], *, is_legacy: bool) -> JSONObject:
    """Return the calls as fields of a message: `{"tool_calls": [...]}` or `{"function_call": {...}}`."""
    if is_legacy:
        return {"function_call": next(_call_object(call, call.arguments) for call in calls)}
    return {
        "tool_calls": [
            {"id": call.id, "type": _kind(call), _kind(call): _call_object(call, call.arguments)}
            for call in calls
        ]
    }


def deltas(calls: Iterable[FunctionCall], *, is_legacy: bool) -> Iterator[JSONObject]:
    """Give the deltas of a stream as OpenAI does: the name first, then the arguments or the input in pieces.

    Source: OpenAI's API reference (documented) for functions; for custom tools what its users report
    (reported: openai/openai-python issue 2530), since the reference lacks them.
    """
    for index, call in enumerate(calls):
        kind = _kind(call)
        head = _call_object(call, "")
        if is_legacy:
            yield {"function_call": head}
        else:
            yield {"tool_calls": [{"index": index, "id": call.id, "type": kind, kind: head}]}
        for start in range(0, len(call.arguments), _PIECE):
            piece = {_text_key(call): call.arguments[start : start + _PIECE]}
            if is_legacy:
                yield {"function_call": piece}
            else:
                yield {"tool_calls": [{"index": index, kind: piece}]}


def _kind(call: FunctionCall) -> str:
    return "custom" if call.is_custom else "function"


def _text_key(call: FunctionCall) -> str:
    return "input" if call.is_custom else "arguments"


def _call_object(call: FunctionCall, text: str) -> JSONObject:
    return {"name": call.name, _text_key(call): text}
