"""Parses the texts of calls: reads each call, finds its function, checks and coerces its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.emulate.answer_parts import Block
from tess_openai.core.emulate.declared_keys import undeclared_key
from tess_openai.core.emulate.marks import restore_all
from tess_openai.core.emulate.offers import Offer, OfferedFunction
from tess_openai.core.emulate.outcomes import FunctionCall
from tess_openai.core.emulate.schema_copies import copied_schema, copies_description
from tess_openai.core.emulate.single_value import read_first_value, read_only_value
from tess_openai.core.emulate.written_calls import (
    CustomInput,
    WrittenCall,
    calls_in,
    find_name,
    read_calls,
    read_custom_call,
)
from tess_openai.core.jsons import to_object
from tess_openai.core.name_matching import match_name
from tess_openai.core.schemas.schema_checker import SchemaChecker
from tess_openai.core.strict_json import UnreadableError, compact_json

MAX_CALLS: Final = 128
"""The highest number of calls in one answer; an answer with more is treated as an endless repetition."""
_MAX_PROBLEMS: Final = 5
_MAX_NAMES: Final = 30


@dataclass(slots=True)
class ParsedCalls:
    """The calls of one answer, after reading and checking them.

    Attributes:
        valid: The calls without problems.
        usable: The calls in `valid`, and those whose arguments can be read but do not follow the schema of a
            function without `strict`; in order.
        problems: The problems of calls, and of blocks that cannot be read, one line each, for the model.
        unknown: How many of the problems are calls of a function that was not offered.
        surplus: How many calls were dropped because only one may be made.
    """

    valid: list[FunctionCall] = field(default_factory=list[FunctionCall])
    usable: list[FunctionCall] = field(default_factory=list[FunctionCall])
    problems: list[str] = field(default_factory=list[str])
    unknown: int = 0
    surplus: int = 0


def parse_calls(
    blocks: Sequence[Block],
    offer: Offer,
    checker: SchemaChecker,
    new_id: Callable[[], str],
    *,
    is_truncated: bool,
) -> ParsedCalls:
    """Read the calls in the texts between marks, and check each call.

    Args:
        blocks: The texts between marks.
        offer: The functions that may be called.
        checker: Checks arguments against a schema.
        new_id: Returns a fresh identifier.
        is_truncated: Whether the answer is known to be incomplete. It only changes the wording of the problem
            of a block that has no closing mark and no JSON.
    """
    parsed = ParsedCalls()
    written: list[WrittenCall] = []
    for number, block in enumerate(blocks[: MAX_CALLS + 1]):
        if written and not offer.allows_several:
            parsed.surplus = len(blocks) - number
            break
        calls, problem = _read_block(block, offer, is_truncated=is_truncated)
        written += calls
        parsed.problems += [f"- {problem}"] * bool(problem)
        if problem and not block.is_closed:  # later blocks may be a part of this one, so they are not read
            break
    if not offer.allows_several:
        parsed.surplus += max(0, len(written) - 1)
        written = written[:1]
    if len(written) > MAX_CALLS or len(blocks) > MAX_CALLS:
        return ParsedCalls(problems=[f"- there are more than {MAX_CALLS} calls; make fewer at once"])
    for call in written:
        name = call.name if call.name in offer.functions else find_name(call.name, offer.functions)
        if name is None:
            names = ", ".join(list(offer.functions)[:_MAX_NAMES])
            parsed.problems.append(f"- there is no function {call.name[:64]!r}; there are: {names}")
            parsed.unknown += 1
            continue
        function = offer.functions[name]
        text, errors = (
            _checked_input(call) if function.is_custom else _checked_arguments(call, function, checker)
        )
        if errors:
            parsed.problems += [f"- {name}: {error}" for error in errors[:_MAX_PROBLEMS]]
        if text is None or (errors and function.is_strict):
            continue
        function_call = FunctionCall(f"call_{new_id()}", name, text, function.is_custom)
        parsed.usable.append(function_call)
        parsed.valid += [function_call] * (not errors)
    return parsed


def contain_known_call(blocks: Sequence[Block], functions: Iterable[str]) -> bool:
    """Whether one of the blocks contains a call of one of the functions, with any arguments."""
    known = tuple(functions)
    return any(_contains_known_call(block.body, known) for block in blocks[:MAX_CALLS])


def _contains_known_call(text: str, known: tuple[str, ...]) -> bool:
    with suppress(UnreadableError):
        calls = calls_in(text, read_first_value(text), known)
        return any(find_name(call.name, known) for call in calls)
    return False


def _read_block(block: Block, offer: Offer, *, is_truncated: bool) -> tuple[list[WrittenCall], str]:
    """Return the calls in a block, and why it cannot be read; `""` if it can."""
    try:
        custom = read_custom_call(block, offer)
        return [custom] if custom is not None else read_calls(
            block, offer.functions, is_truncated=is_truncated
        ), ""
    except UnreadableError as reason:
        return [], f"it is not valid JSON: {reason}"


def _checked_input(call: WrittenCall) -> tuple[str | None, list[str]]:
    """Return the input of a call of a custom tool, None if it is unusable, and its problems."""
    if isinstance(call.arguments, CustomInput):
        return call.arguments.text, []
    return None, [
        "write its name in the first line of the block and its input below, as plain text without JSON"
    ]


def _checked_arguments(
    call: WrittenCall, function: OfferedFunction, checker: SchemaChecker
) -> tuple[str | None, list[str]]:
    """Return the arguments of a call as JSON, None if they are unusable, and their problems."""
    try:
        if isinstance(call.arguments, str):
            call = _with_parsed_arguments(call, call.arguments)
        given = restore_all(_arguments(call, function))
    except UnreadableError as reason:
        return None, [f'"arguments" cannot be used: {reason}']
    arguments, errors = checker.validate_and_coerce(function.parameters, given)
    if to_object(arguments) is None:
        return None, errors or ['"arguments" must be an object']
    if (copied := copied_schema(given, function.parameters)) is not None:
        return None, [f"{copied} is a copy of the schema; write values that follow it"]
    if call.is_corrected:
        key = undeclared_key(function.parameters, arguments, holds_raw_text=call.holds_raw_text)
        if key is not None:
            problem = f"{key[:40]!r} is not in the schema; a quote in a string may lack its backslash"
            return None, [*errors, problem]
    return compact_json(arguments), errors


def _with_parsed_arguments(call: WrittenCall, text: str) -> WrittenCall:
    """Return the call with its arguments, a string, parsed if they begin with `{`.

    Raises:
        UnreadableError: They begin so, and cannot be read.
    """
    if not text.strip().startswith("{"):
        return call
    reading = read_only_value(text)
    return replace(
        call,
        arguments=None if reading is None else reading.value,
        is_corrected=call.is_corrected or (reading is not None and reading.is_corrected),
        holds_raw_text=call.holds_raw_text or (reading is not None and reading.holds_raw_text),
    )


def _arguments(call: WrittenCall, function: OfferedFunction) -> object:
    """Return the arguments, including those that the model wrote as members of the call itself.

    Members that the model copied from the description of the function are ignored.

    Raises:
        UnreadableError: The call has a member that is not an argument, or repeats one.
    """
    given = call.arguments
    arguments = {} if given in (None, "", []) else to_object(given)
    if arguments is None:
        return given
    if not call.others:
        return arguments
    properties = to_object(function.parameters.get("properties")) or {}
    for key, value in call.others.items():
        if copies_description(key, value, function):
            continue
        name = match_name(key, properties)
        if name is None or match_name(name, arguments) is not None:
            raise UnreadableError(
                f"{key[:40]!r} is beside them in the call; write each argument once, inside them"
            )
        arguments = {**arguments, name: value}
    return arguments
