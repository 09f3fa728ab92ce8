"""Whole answers: completed to what OpenAI's clients need, and converted to and from a stream.

Source: which missing field breaks which client was measured: `id`, `object`, `created`, `model`, `index`,
`role` and `usage` each break some. Which of them Tess omits is unknown; its docs point to OpenAI's format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tess_openai.core.chat.chunks import (
    FINISH_REASONS,
    OUTPUT_KEYS,
    PARTIAL_ERROR,
    ChunkReader,
    move_error_to_tess,
    normalise_finish_reason,
    to_id,
)
from tess_openai.core.chat.stream_filter import NO_TEXT
from tess_openai.core.chat.usage import estimate_usage, is_usage
from tess_openai.core.errors import has_failed
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger

COMPLETION: Final = "chat.completion"
_REPEATED: Final = ("id", "index", "name", "role", "type")
"""Keys of a delta that are not joined: each piece repeats them, or only the first has them."""
_DEPTH: Final = 5
"""Deepest joined value of a delta: `tool_calls`, item, `function`, `arguments`."""


def is_completion(fields: JSONObject | None) -> bool:
    """Whether a JSON object is a chat completion: at least one choice with a message, and no failure.

    An error does not matter when there is also some output.
    """
    choices = to_list((fields or {}).get("choices"))
    if fields is None or not choices:
        return False
    if not all(to_object((to_object(choice) or {}).get("message")) for choice in choices):
        return False
    return not has_failed(fields) and (not fields.get("error") or has_output(fields))


def complete(
    fields: JSONObject,
    *,
    model: str,
    now: Callable[[], int],
    new_id: Callable[[], str],
    ledger: Ledger,
    estimate_for: Sequence[str] | None,
) -> bool:
    """Complete a chat completion in place; False when it already was.

    Args:
        fields: Parsed from Tess's answer; belongs to this call.
        model: Of the request, for an answer that names none.
        now: Seconds since the epoch.
        new_id: A fresh identifier.
        ledger: Receives what the caller should know about the answer.
        estimate_for: The prompt's texts; None when no usage is to be estimated.
    """
    changed = False
    if not isinstance(fields.get("id"), str) or not fields["id"]:
        fields["id"], changed = to_id(fields.get("id")) or f"chatcmpl-{new_id()}", True
    if fields.get("object") != COMPLETION:
        fields["object"], changed = COMPLETION, True
    if type(fields.get("created")) is not int:
        fields["created"], changed = now(), True
    if not isinstance(fields.get("model"), str):
        fields["model"], changed = model, True
    for position, choice in enumerate(fields["choices"]):
        changed = _complete_choice(choice, position, ledger) or changed
    if fields.get("error"):
        move_error_to_tess(fields)
        ledger.note(PARTIAL_ERROR)
        changed = True
    if not has_output(fields):
        ledger.add(NO_TEXT)
    if estimate_for is not None and not is_usage(to_object(fields.get("usage"))):
        fields["usage"], changed = estimate_usage(estimate_for, "".join(contents_of(fields))), True
    return changed


def contents_of(fields: JSONObject) -> list[str]:
    """Return the text of each choice that has one."""
    contents = (choice["message"].get("content") for choice in fields["choices"])
    return [content for content in contents if isinstance(content, str)]


def has_output(fields: JSONObject) -> bool:
    """Whether any choice has output: text, a refusal or a call."""
    return any(choice["message"].get(key) for choice in fields["choices"] for key in OUTPUT_KEYS)


def to_chunks(fields: JSONObject, reader: ChunkReader) -> list[JSONObject]:
    """Convert a completion to chunks: the messages, the finish reasons, the usage if there is one."""
    root = {key: value for key, value in fields.items() if key not in ("choices", "usage", "object", "error")}
    choices = [to_object(choice) or {} for choice in fields["choices"]]
    messages: list[JSONObject] = []
    ended: list[JSONObject] = []
    for position, choice in enumerate(choices):
        index = choice["index"] if type(choice.get("index")) is int else position
        messages.append({"index": index, "delta": _to_delta(choice["message"]), "finish_reason": None})
        ended.append({"index": index, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"})
    chunks: list[JSONObject] = [{**root, "choices": messages}, {**root, "choices": ended}]
    if fields.get("error"):
        chunks[0]["error"] = fields["error"]  # in the chunk with the text, where the reader moves it
    if to_object(fields.get("usage")):
        chunks.append({**root, "choices": [], "usage": fields["usage"]})
    return [reader.complete(chunk).fields for chunk in chunks]


def from_chunks(chunks: Sequence[JSONObject]) -> JSONObject:
    """Join the complete chunks of a stream to one completion."""
    deltas: dict[int, list[object]] = {}
    reasons: dict[int, object] = {}
    fields: JSONObject = {}
    for chunk in chunks:
        fields.update((key, value) for key, value in chunk.items() if value is not None)
        for choice in chunk["choices"]:
            deltas.setdefault(choice["index"], []).append(choice["delta"])
            reasons[choice["index"]] = choice["finish_reason"] or reasons.get(choice["index"])
    fields["object"] = COMPLETION
    fields["choices"] = [
        {"index": index, "message": _to_message(deltas[index]), "finish_reason": reasons[index]}
        for index in sorted(deltas)
    ]
    return fields


def _to_message(deltas: list[object]) -> JSONObject:
    joined = to_object(_joined(deltas)) or {}
    content = None if joined.get("tool_calls") or joined.get("function_call") else ""
    message = {"content": content, **joined, "role": "assistant"}
    calls = [to_object(call) or {} for call in to_list(message.get("tool_calls")) or []]
    if calls:
        message["tool_calls"] = [
            {key: value for key, value in call.items() if key != "index"}
            for call in sorted(calls, key=_place)
        ]
    return message


def _place(call: JSONObject) -> int:
    return call["index"] if type(call.get("index")) is int else 0


def _joined(pieces: list[object], depth: int = 0) -> object:
    """Join the pieces of one value: strings to one, objects key by key, lists by the index of their items."""
    present = [piece for piece in pieces if piece is not None]
    if len(present) < 2 or depth > _DEPTH:
        return present[-1] if present else None
    if all(isinstance(piece, str) for piece in present):
        return "".join(map(str, present))
    objects = [fields for piece in present if (fields := to_object(piece)) is not None]
    if len(objects) == len(present):
        by_key: dict[str, list[object]] = {}
        for fields in objects:
            for key, value in fields.items():
                by_key.setdefault(key, []).append(value)
        return {
            key: values[-1] if key in _REPEATED else _joined(values, depth + 1)
            for key, values in by_key.items()
        }
    items = [item for piece in present for item in to_list(piece) or []]
    if all(to_list(piece) is not None for piece in present):
        by_index: dict[object, list[object]] = {}
        for position, item in enumerate(items):
            index = (to_object(item) or {}).get("index")
            by_index.setdefault(index if type(index) is int else (position,), []).append(item)
        return [_joined(each, depth + 1) for each in by_index.values()]
    return present[-1]


def _complete_choice(choice: JSONObject, position: int, ledger: Ledger) -> bool:
    changed = False
    if type(choice.get("index")) is not int:
        choice["index"], changed = position, True
    message = choice["message"]
    if message.get("role") != "assistant":
        message["role"], changed = "assistant", True
    if "content" not in message:
        message["content"], changed = None, True
    reason = choice.get("finish_reason")
    if reason not in FINISH_REASONS:
        choice["finish_reason"], changed = (
            normalise_finish_reason(reason, ledger.note) if reason else "stop",
            True,
        )
    return changed


def _to_delta(message: JSONObject) -> JSONObject:
    delta = {"role": "assistant", **message}
    calls = to_list(delta.get("tool_calls"))
    if calls:
        delta["tool_calls"] = [
            {"index": index, **(to_object(call) or {})} for index, call in enumerate(calls)
        ]
    return delta
