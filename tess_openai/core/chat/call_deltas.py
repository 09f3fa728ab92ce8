"""Normalises the deltas of tool calls in a stream: each gets an index, and each call one id and one name.

Source: some servers repeat the id and the name of a call in every delta, or omit its index, or give every
call the index 0 (reported by users of them). OpenAI's SDK and frameworks join deltas by their index and
append their texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.chat.answer_calls import to_calls, to_function
from tess_openai.core.chat.answer_types import differs, to_int
from tess_openai.core.jsons import JSONObject, parse_object, to_object

_PARSED_CHARACTERS: Final = 8
"""How often each character of the arguments may be parsed on average."""
_PARSED_ALLOWANCE: Final = 65_536
"""How many characters may be parsed in addition, so that short arguments are always parsed."""


@dataclass(slots=True)
class _BegunCall:
    """A tool call of which at least one delta has arrived."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    _length: int = 0
    _parsed: int = 0

    def add_arguments(self, piece: str) -> None:
        """Take the next piece of the arguments."""
        self.arguments.append(piece)
        self._length += len(piece)

    def has_all_arguments(self) -> bool:
        """Whether the arguments are a JSON object; False too when parsing them again costs too much."""
        self._parsed += self._length
        if not self._length or self._parsed > _PARSED_ALLOWANCE + _PARSED_CHARACTERS * self._length:
            return False
        self.arguments = ["".join(self.arguments)]
        return parse_object(self.arguments[0]) is not None


@dataclass(slots=True)
class CallDeltas:
    """Normalises the deltas of the tool calls of one choice.

    Attributes:
        new_id: Returns a fresh identifier.
    """

    new_id: Callable[[], str]
    # by the index that the caller sees
    _calls: dict[int, _BegunCall] = field(default_factory=dict[int, _BegunCall])
    # index that Tess sent -> index that the caller sees
    _indices: dict[int, int] = field(default_factory=dict[int, int])
    # id -> the index of the first call with it
    _by_id: dict[str, int] = field(default_factory=dict[str, int])
    _next_index: int = 0
    _current: int | None = None
    _legacy_call: _BegunCall = field(default_factory=_BegunCall)  # the older `function_call`

    def normalise(self, delta: JSONObject) -> bool:
        """Normalise the tool calls in a delta, in place; True if anything was changed.

        Raises:
            InvalidAnswerError: A call cannot be read.
        """
        changed = False
        if delta.get("tool_calls") is not None:
            calls = to_calls(delta["tool_calls"], "tool_calls")
            completed = [self._complete(call, position, len(calls)) for position, call in enumerate(calls)]
            changed = differs(completed, delta["tool_calls"])
            delta["tool_calls"] = completed
        if delta.get("function_call") is not None:
            function = _without_repeated_name(
                self._legacy_call, to_function(delta["function_call"], "function_call")
            )
            changed = changed or differs(function, delta["function_call"])
            delta["function_call"] = function
        return changed

    def _complete(self, call: JSONObject, position: int, count: int) -> JSONObject:
        index = self._index(call, position, count)
        self._current = index
        is_first = index not in self._calls
        begun = self._calls.setdefault(index, _BegunCall())
        call = {**call, "index": index}
        if is_first:
            self._next_index = max(self._next_index, index + 1)
            call["id"] = begun.id = call.get("id") or f"call_{self.new_id()}"
            self._by_id.setdefault(begun.id, index)
            call.setdefault("type", "function")
        else:
            call.pop("id", None)
            call.pop("type", None)
        if call.get("function") is not None:
            call["function"] = _without_repeated_name(begun, call["function"])
        return call

    def _index(self, call: JSONObject, position: int, count: int) -> int:
        """Return the index, as the caller sees it, of the tool call that a delta belongs to."""
        given, call_id = to_int(call.get("index")), call.get("id")
        name = (to_object(call.get("function")) or {}).get("name")
        if given is not None:
            index = self._indices.get(given)
            if index is None or self._is_another(self._calls[index], call_id, name):
                index = given if given not in self._calls else self._next_index
                self._indices[given] = index
            return index
        if call_id in self._by_id:
            return self._by_id[call_id]
        current = self._calls.get(-1 if self._current is None else self._current)
        if current is None or self._current is None:
            return self._next_index
        if not call_id and not name:
            return position if count > 1 and position in self._calls else self._current
        if name and (call_id or current.name not in ("", name) or current.has_all_arguments()):
            return self._next_index
        return self._current

    @staticmethod
    def _is_another(begun: _BegunCall, call_id: object, name: object) -> bool:
        """Whether a delta begins another tool call than `begun`, although Tess gave both the same index."""
        return bool(call_id and name and begun.id != call_id and begun.has_all_arguments())


def _without_repeated_name(begun: _BegunCall, function: JSONObject) -> JSONObject:
    """Return the function of a delta, without its name if an earlier delta had it, or had arguments."""
    name, arguments = function.get("name"), function.get("arguments")
    if name and (name == begun.name or begun.arguments):
        function = {key: value for key, value in function.items() if key != "name"}
    elif name:
        begun.name += name
    if arguments:
        begun.add_arguments(arguments)
    return function
