"""Read the calls in the text between two marks, in each form that models use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.emulate.answer_parts import Block
from tess_openai.core.emulate.marks import restore
from tess_openai.core.emulate.offers import Offer
from tess_openai.core.emulate.single_value import read_only_value
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.name_matching import bare_name, match_name
from tess_openai.core.strict_json import Reading, UnreadableError

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
_IGNORED_AROUND_NAMES: Final = " \t\r\n`(:"
_OPENING: Final = re.compile(r"[{\[]")


@dataclass(slots=True)  # made for each call of an answer: creating a frozen dataclass takes twice as long
class WrittenCall:
    """A call as the model wrote it.

    Attributes:
        name: The name as written.
        arguments: The arguments as written; None without any.
        others: The other members, without those that are null or belong to an envelope, such as `id`.
        is_corrected: Whether the syntax of the text was corrected.
        holds_raw_text: Whether the text contains a string that was not escaped, or not quoted.
    """

    name: str
    arguments: object = None
    others: JSONObject = field(default_factory=dict[str, object])
    is_corrected: bool = False
    holds_raw_text: bool = False


@dataclass(frozen=True, slots=True)
class CustomInput:
    """The input of a custom tool, as the model wrote it."""

    text: str


def read_custom_call(block: Block, offer: Offer) -> WrittenCall | None:
    """Read a call of a custom tool: its name in the first line, and its input in the lines below.

    Returns:
        The call with its input, in which escaped marks are restored; None when the first line is not the name
        of a custom tool.

    Raises:
        UnreadableError: The closing mark is missing, so the input may be incomplete.
    """
    name, _, text = block.body.lstrip().partition("\n")
    function = offer.functions.get(name.strip())
    if function is None or not function.is_custom:
        return None
    if not block.is_closed:
        raise UnreadableError(f"the block of {name.strip()} has no closing mark")
    return WrittenCall(function.name, CustomInput(restore(text.removesuffix("\n"))))


def read_calls(block: Block, functions: Iterable[str], *, is_truncated: bool) -> list[WrittenCall]:
    """Read the calls in one text: an object or an array of objects, with any of the keys that models use.

    A function's name may precede its arguments, and is enough for a call without arguments.

    Args:
        block: The text between two marks.
        functions: The names of the functions that may be called.
        is_truncated: Whether the answer is known to be incomplete.

    Raises:
        UnreadableError: The text contains no readable call, or calls that cannot be separated; or it may be
            incomplete.
    """
    known = tuple(functions)
    reading = read_only_value(block.body, is_closed=block.is_closed)
    if block.holds_marks and reading is not None and reading.is_corrected:
        raise UnreadableError("a mark is in a string that is not written as JSON")
    if reading is None and not block.is_closed:
        if is_truncated:
            raise UnreadableError("it ends in the middle")
        if find_name(block.body.strip(_IGNORED_AROUND_NAMES), known) is not None:
            raise UnreadableError("it ends after its name")
    calls = calls_in(block.body, reading, known)
    if not calls:
        raise UnreadableError('there is no object with "name" and "arguments" in it')
    if reading is None or not reading.is_corrected:
        return calls
    return [replace(call, is_corrected=True, holds_raw_text=reading.holds_raw_text) for call in calls]


def calls_in(text: str, reading: Reading | None, known: tuple[str, ...]) -> list[WrittenCall]:
    """Return the calls of a text, given the value that was read in it."""
    calls = [] if reading is None else _written_calls(reading.value, known)
    opening = _OPENING.search(text)
    words = (text if opening is None else text[: opening.start()]).strip(_IGNORED_AROUND_NAMES)
    name = find_name(words, known) if words else None
    if name is None:
        return calls
    if [find_name(call.name, known) for call in calls if call.arguments is not None] == [name]:
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
    key = next((key for key in names if find_name(members[key], known)), names[0])
    arguments = next((keys[bare] for bare in _ARGUMENT_KEYS if bare in keys and keys[bare] != key), None)
    used = {key, arguments}
    others = {
        other: member
        for other, member in members.items()
        if other not in used and member is not None and bare_name(other) not in _ENVELOPE_KEYS
    }
    return [WrittenCall(members[key], None if arguments is None else members[arguments], others)]


def find_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known function with this name, or with the only one that differs in case or punctuation.

    Some models were trained to write `functions.x` for `x`.
    """
    name, names = name.strip(), tuple(known)
    if not name or name in names:
        return name or None
    return match_name(name, names) or match_name(name.removeprefix("functions."), names)
