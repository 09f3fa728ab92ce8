"""From the text of calls to calls that can be made: read, find the function, check, mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.emulate.lenient import UnreadableError, read_json, read_values
from tess_openai.core.emulate.marks import restore_all
from tess_openai.core.emulate.offers import Function, Offer
from tess_openai.core.emulate.outcomes import FunctionCall
from tess_openai.core.emulate.parser import Block
from tess_openai.core.emulate.protocol import compact_json
from tess_openai.core.emulate.schemas import SchemaChecker, bare_name, check_and_mend, match_name
from tess_openai.core.jsons import JSONObject, to_list, to_object

_NAME_KEYS: Final = ("name", "function", "functionname", "tool", "toolname", "action", "recipientname")
_ARGUMENT_KEYS: Final = (
    *("arguments", "argument", "parameters", "parameter", "args", "params", "kwargs"),
    *("input", "toolinput", "actioninput", "functionarguments"),
)
_WRAPPER_KEYS: Final = ("toolcalls", "functioncalls", "calls", "toolcall", "functioncall", "function", "call")
_ENVELOPE_KEYS: Final = frozenset({"id", "type"})
_MAX_WRAPPERS: Final = 4
MAX_CALLS: Final = 128
"""In one answer; a model that writes more has lost its way."""
_MAX_PROBLEMS: Final = 5
_MAX_NAMES: Final = 30
_PIECE: Final = 256
_EDGES: Final = " \t\r\n`(:"


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as the model wrote it.

    Attributes:
        name: As written.
        arguments: As written; None when there were none.
        beside: What stood beside the name where arguments were left out or were no object.
    """

    name: str
    arguments: object = None
    beside: JSONObject = field(default_factory=dict[str, object])


@dataclass(slots=True)
class Settlement:
    """What became of the calls of one answer.

    Attributes:
        calls: Those that can be made.
        problems: What is wrong with the others, one line each, for the model.
        surplus: How many calls were left aside because only one may be made.
    """

    calls: list[FunctionCall] = field(default_factory=list[FunctionCall])
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
    for block in blocks[: MAX_CALLS + 1]:
        calls, problem = _try_to_read(block, offer.functions, is_cut=is_cut)
        written += calls
        settlement.problems += [f"- {problem}"] * bool(problem)
    if not offer.allows_several:
        settlement.surplus = max(0, len(written) - 1)
        written = written[:1]
    if len(written) > MAX_CALLS or len(blocks) > MAX_CALLS:
        return Settlement(problems=[f"- there are more than {MAX_CALLS} calls; make fewer at once"])
    for call in written:
        name = _find(call.name, offer.functions)
        if name is None:
            names = ", ".join(list(offer.functions)[:_MAX_NAMES])
            settlement.problems.append(f"- there is no function {call.name[:64]!r}; there are: {names}")
            continue
        arguments, errors = _checked_arguments(call, offer.functions[name], check)
        settlement.problems += [f"- {name}: {error}" for error in errors[:_MAX_PROBLEMS]]
        if not errors:
            settlement.calls.append(FunctionCall(f"call_{new_id()}", name, compact_json(arguments)))
    return settlement


def names_a_function(blocks: Sequence[Block], functions: Iterable[str]) -> bool:
    """Whether texts that bear no valid marks hold a call all the same, to one of the functions."""
    known = tuple(functions)
    written = [_try_to_read(block, known, is_cut=False)[0] for block in blocks[:MAX_CALLS]]
    return any(_find(call.name, known) for calls in written for call in calls)


def _try_to_read(block: Block, functions: Iterable[str], *, is_cut: bool) -> tuple[list[WrittenCall], str]:
    try:
        return read_calls(block, functions, is_cut=is_cut), ""
    except UnreadableError as reason:
        return [], f"it is not valid JSON: {reason}"


def read_calls(block: Block, functions: Iterable[str], *, is_cut: bool) -> list[WrittenCall]:
    """Read the calls in one text: one or more objects, or an array, in any of the spellings models use.

    Raises:
        UnreadableError: There is nothing that can be read as a call.
    """
    known = tuple(functions)
    readings = read_values(block.body, is_closed=block.is_closed)
    if is_cut and not block.is_closed and (not readings or not readings[-1].is_whole):
        raise UnreadableError("it ends in the middle")
    before = block.body.partition("{")[0] if readings else block.body
    name = _find(before.strip(_EDGES), known)
    if name is not None and not readings and not block.is_closed:
        raise UnreadableError("it ends after its name")
    if name is not None:  # the name stands before its arguments, or alone
        return [WrittenCall(name, readings[0].value if readings else None)]
    calls = [call for reading in readings for call in _written_calls(reading.value, known)]
    if not calls:
        raise UnreadableError('there is no object with "name" and "arguments" in it')
    return calls


def _written_calls(value: object, known: tuple[str, ...], depth: int = 0) -> list[WrittenCall]:
    if depth > _MAX_WRAPPERS:
        return []
    if (items := to_list(value)) is not None:
        return [call for item in items for call in _written_calls(item, known, depth + 1)]
    members = to_object(value)
    if members is None:
        return []
    spelt = {bare_name(key): key for key in members}
    for bare in _WRAPPER_KEYS:
        if bare in spelt and (calls := _written_calls(members[spelt[bare]], known, depth + 1)):
            return calls
    only = next(iter(members), "")
    if len(members) == 1 and only in known and isinstance(members[only], dict):
        return [WrittenCall(only, members[only])]
    names = [key for bare in _NAME_KEYS if isinstance(members.get(key := spelt.get(bare, "")), str)]
    if not names:
        return []
    key = next((key for key in names if _find(members[key], known)), names[0])
    arguments = next((spelt[bare] for bare in _ARGUMENT_KEYS if bare in spelt and spelt[bare] != key), None)
    beside = {other: member for other, member in members.items() if other not in {key, *_ENVELOPE_KEYS}}
    return [WrittenCall(members[key], None if arguments is None else members[arguments], beside)]


def _find(name: str, known: Iterable[str]) -> str | None:
    """Return the function that is meant; `functions.x` is how some models were taught to say `x`."""
    return match_name(name.strip().removeprefix("functions."), known)


def _checked_arguments(
    call: WrittenCall, function: Function, check: SchemaChecker
) -> tuple[object, list[str]]:
    """Return the arguments of a call, and what is wrong with them."""
    try:
        given = restore_all(_arguments(call, function))
    except UnreadableError as reason:
        return None, [f'"arguments" is not valid JSON: {reason}']
    arguments, errors = check_and_mend(function.parameters, given, check)
    if not errors and to_object(arguments) is None:
        errors = ['"arguments" must be an object']
    return arguments, errors


def _arguments(call: WrittenCall, function: Function) -> object:
    """Return the arguments, out of the string or from beside the name where the model put them.

    Raises:
        UnreadableError: They are a string that should be JSON and is not.
    """
    given = call.arguments
    if isinstance(given, str) and given.strip().startswith("{"):
        return read_json(given).value
    if to_object(given) is not None:
        return given
    properties = to_object(function.parameters.get("properties")) or {}
    if call.beside and all(key in properties for key in call.beside):
        return call.beside
    return {} if given in (None, "", []) else given


def message_fields(calls: Iterable[FunctionCall], *, is_legacy: bool) -> JSONObject:
    """Return what a message says of its calls: `{"tool_calls": [...]}` or `{"function_call": {...}}`."""
    functions = [(call.id, {"name": call.name, "arguments": call.arguments}) for call in calls]
    if is_legacy:
        return {"function_call": functions[0][1]}
    return {"tool_calls": [{"id": id_, "type": "function", "function": each} for id_, each in functions]}


def deltas(calls: Iterable[FunctionCall], *, is_legacy: bool) -> Iterator[JSONObject]:
    """Give the deltas of a stream as OpenAI does: the name first, then the arguments in pieces."""
    for index, call in enumerate(calls):
        head = {"name": call.name, "arguments": ""}
        if is_legacy:
            yield {"function_call": head}
        else:
            yield {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": head}]}
        for start in range(0, len(call.arguments), _PIECE):
            piece = {"arguments": call.arguments[start : start + _PIECE]}
            if is_legacy:
                yield {"function_call": piece}
            else:
                yield {"tool_calls": [{"index": index, "function": piece}]}
