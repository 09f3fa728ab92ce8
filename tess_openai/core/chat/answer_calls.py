"""Convert the tool calls in an answer to OpenAI's types where only one reading is possible, and fill gaps.

The argument `path` is where a value is in the answer, `"choices[0].message.tool_calls"`; errors show it.

| field | converted | refused, with an error |
|---|---|---|
| `tool_calls` | one call without a list; one without `function`; arguments that are not a text | all else |
| `function_call` | arguments that are not a text | all else |

Source: as in `answer_types.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from tess_openai.core.changes import describe
from tess_openai.core.chat.answer_types import InvalidAnswerError, differs, fits, to_items
from tess_openai.core.jsons import JSONObject, dump_json, to_object


def to_call(value: object, path: str) -> JSONObject:
    """Read a tool call, or a delta of one, of which any field may be missing.

    Returns:
        `{"id": str, "index": int, "type": str, "function": {"name": str, "arguments": str}, ...}`, without
        the fields that are missing.

    Raises:
        InvalidAnswerError: It is not a call.
    """
    call = to_object(value)
    if call is None:
        raise InvalidAnswerError(f"{path} is {describe(value)}")
    if call.get("type") == "custom" or "custom" in call:
        return _to_custom_call(call, path)
    function = call.get("function")
    if function is None or isinstance(function, str):
        flat = {key: call[key] for key in ("name", "arguments") if call.get(key) is not None}
        call = {key: each for key, each in call.items() if key not in ("name", "arguments", "function")}
        if isinstance(function, str):
            flat["name"] = function
        function = flat or None
    if function is not None:
        call = {**call, "function": to_function(function, f"{path}.function")}
    call_id = call.get("id")
    if type(call_id) is int:
        call = {**call, "id": str(call_id)}
    elif call_id is not None and not isinstance(call_id, str):
        raise InvalidAnswerError(f"{path}.id is {describe(call_id)}")
    if call.get("type") not in (None, "function"):
        call = {**call, "type": "function"}
    return call


def to_function(value: object, path: str) -> JSONObject:
    """Read the function of a tool call, or a delta of one.

    Raises:
        InvalidAnswerError: It is not the function of a call.
    """
    function = to_object(value)
    if function is None:
        raise InvalidAnswerError(f"{path} is {describe(value)}")
    name, arguments = function.get("name"), function.get("arguments")
    if name is not None and not isinstance(name, str):
        raise InvalidAnswerError(f"{path}.name is {describe(name)}")
    if arguments is None or isinstance(arguments, str):
        return function
    return {**function, "arguments": dump_json(arguments).decode()}


def _to_custom_call(call: JSONObject, path: str) -> JSONObject:
    if not fits(call.get("custom"), {"name?": str, "input?": str}):
        raise InvalidAnswerError(f"{path}.custom is {describe(call.get('custom'))}")
    return {**call, "type": "custom"}


def to_calls(value: object, path: str) -> list[JSONObject]:
    """Read the tool calls of a message or delta.

    Raises:
        InvalidAnswerError: One of them is not a call.
    """
    items = to_items(value)
    if items is None and value not in ("", {}):
        raise InvalidAnswerError(f"{path} is {describe(value)}")
    return [to_call(item, f"{path}[{position}]") for position, item in enumerate(items or [])]


def complete_calls(message: JSONObject, new_id: Callable[[], str], path: str) -> bool:
    """Convert the tool calls of a whole message and complete them, in place; True if anything was changed.

    Raises:
        InvalidAnswerError: A call cannot be read, or has no name.
    """
    changed = False
    if message.get("tool_calls") is not None:
        calls = [_complete_call(call, new_id, path) for call in to_calls(message["tool_calls"], path)]
        changed = differs(calls, message["tool_calls"])
        message["tool_calls"] = calls
    if message.get("function_call") is not None:
        call = to_function(message["function_call"], f"{path} function_call")
        completed = _complete_function(call, f"{path} function_call")
        changed = changed or differs(completed, message["function_call"])
        message["function_call"] = completed
    return changed


def _complete_call(call: JSONObject, new_id: Callable[[], str], path: str) -> JSONObject:
    call = call if call.get("id") else {**call, "id": f"call_{new_id()}"}
    if call.get("type") == "custom":
        if not fits(call["custom"], {"name": str, "input": str}):
            raise InvalidAnswerError(f"{path}: a call without a name or an input")
        return call
    function = _complete_function(call.get("function") or {}, path)
    return {**call, "type": "function", "function": function}


def _complete_function(function: JSONObject, path: str) -> JSONObject:
    if not function.get("name"):
        raise InvalidAnswerError(f"{path}: a call without a name")
    return function if isinstance(function.get("arguments"), str) else {**function, "arguments": "{}"}
