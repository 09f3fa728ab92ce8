"""Write calls as fields of an answer: whole, or as the deltas of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tess_openai.core.emulate.outcomes import FunctionCall
from tess_openai.core.jsons import JSONObject

_PIECE_LENGTH: Final = 256


def message_fields(calls: Iterable[FunctionCall], *, is_legacy: bool) -> JSONObject:
    """Return the calls as fields of a message: `{"tool_calls": [...]}`, or the first as `function_call`."""
    if is_legacy:
        return {"function_call": next(_call_object(call, call.arguments) for call in calls)}
    return {
        "tool_calls": [
            {"id": call.id, "type": _kind(call), _kind(call): _call_object(call, call.arguments)}
            for call in calls
        ]
    }


def deltas(calls: Iterable[FunctionCall], *, is_legacy: bool) -> Iterator[JSONObject]:
    """Yield the deltas of a stream in OpenAI's order: the name, then the arguments or the input in pieces.

    Source: OpenAI's API reference for functions (documented). The reference does not describe custom tools in
    streams; their form is that of openai/openai-python issue 2530 (reported).
    """
    for index, call in enumerate(calls):
        kind = _kind(call)
        head = _call_object(call, "")
        if is_legacy:
            yield {"function_call": head}
        else:
            yield {"tool_calls": [{"index": index, "id": call.id, "type": kind, kind: head}]}
        for start in range(0, len(call.arguments), _PIECE_LENGTH):
            piece = {_text_key(call): call.arguments[start : start + _PIECE_LENGTH]}
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
