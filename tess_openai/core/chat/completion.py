"""Answers that are not streamed: adds fields that OpenAI's clients need, and converts to and from streams.

Source: which client breaks without which field was measured: `id`, `object`, `created`, `model`, `index`,
`role` and `usage` each break some. Which of them Tess omits is unknown; its docs point to OpenAI's format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_calls import complete_calls, to_calls
from tess_openai.core.chat.answer_types import (
    CHOICE_EXTRAS,
    ROOT_EXTRAS,
    are_choices,
    coerce_message,
    differs,
    drop_misfits,
    to_choices,
    to_int,
)
from tess_openai.core.chat.chunk_templates import MatchedChunks, unescape_json_text
from tess_openai.core.chat.chunks import NO_OUTPUT, OUTPUT_KEYS, Chunk, ChunkReader, to_id
from tess_openai.core.chat.finish_reasons import FINISH_REASONS, normalise_finish_reason
from tess_openai.core.chat.split_characters import join_characters, parse_answer
from tess_openai.core.chat.stream_faults import ERROR_BESIDE_OUTPUT, move_error_to_tess_field
from tess_openai.core.chat.usage import complete_usage, parse_usage
from tess_openai.core.errors import has_failed
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger

COMPLETION: Final = "chat.completion"
_NOT_JOINED: Final = ("id", "index", "name", "role", "type")
"""Keys whose values are not joined, since each delta repeats them or only the first has them."""
_MAX_DEPTH: Final = 5
"""The deepest level that is joined; a delta is level 0, and `tool_calls[0].function.arguments` level 4."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A chat completion as Tess sent it.

    Attributes:
        fields: Its JSON object, in which each choice has a message; it may be changed in place.
        body: The bytes that Tess sent.
        untouched: Whether `body` may be passed on unchanged: it equals `fields`.
    """

    fields: JSONObject = field(repr=False)
    body: bytes = field(repr=False)
    untouched: bool


def parse_completion(
    body: bytes, parsed: JSONObject | None, record_change: Callable[[Change], None]
) -> Completion | None:
    """Read a chat completion; None when the body is not one.

    None too when it says that the execution failed, or has an error and no output. With an error and some
    output it is a completion.

    Args:
        body: The body of the answer.
        parsed: The JSON object in it, if it was parsed before.
        record_change: Records a change for the caller.

    Raises:
        InvalidAnswerError: The body is a completion, but a part of it cannot be read.
    """
    value, has_surrogates = parse_answer(body, parsed)  # some servers split a character into two surrogates
    joined = join_characters(value) if has_surrogates else value
    fields = to_object(joined)
    if fields is None or not fields.get("choices") or has_failed(fields):
        return None
    untouched = are_choices(fields["choices"], "message") and joined == value
    if not untouched:
        fields["choices"] = to_choices(fields["choices"], "message")
    for choice in fields["choices"]:
        message = choice["message"]
        untouched = not coerce_message(message, record_change) and untouched
        if message.get("tool_calls") is not None:
            calls = to_calls(message["tool_calls"], "message.tool_calls")
            untouched = untouched and not differs(calls, message["tool_calls"])
            message["tool_calls"] = calls
    if fields.get("error") and not has_output(fields):
        return None
    return Completion(fields, body, untouched)


def normalise_completion(
    fields: JSONObject,
    *,
    model: str,
    now: Callable[[], int],
    new_id: Callable[[], str],
    ledger: Ledger,
    estimate_for: Sequence[str] | None,
) -> bool:
    """Normalise a chat completion in place; return whether anything was changed.

    Args:
        fields: The completion, in which each choice has a message; changed in place.
        model: The model of the request, for an answer that names none.
        now: Returns seconds since the epoch.
        new_id: Returns a fresh identifier.
        ledger: The ledger of the call.
        estimate_for: The texts of the prompt, to estimate a missing usage; with None it is not estimated.

    Raises:
        InvalidAnswerError: A part of it cannot be read.
    """
    changed = False
    if not isinstance(fields.get("id"), str) or not fields["id"]:
        fields["id"], changed = to_id(fields.get("id")) or f"chatcmpl-{new_id()}", True
    if fields.get("object") != COMPLETION:
        fields["object"], changed = COMPLETION, True
    if type(fields.get("created")) is not int:
        created = to_int(fields.get("created"))
        fields["created"], changed = now() if created is None else created, True
    if not isinstance(fields.get("model"), str):
        fields["model"], changed = model, True
    for position, choice in enumerate(fields["choices"]):
        changed = _normalise_choice(choice, position, ledger, new_id) or changed
    changed = drop_misfits(fields, ROOT_EXTRAS, ledger.add_once) or changed
    if fields.get("error"):
        move_error_to_tess_field(fields)
        ledger.add_once(ERROR_BESIDE_OUTPUT)
        changed = True
    if not has_output(fields):
        ledger.add(NO_OUTPUT)
    return _complete_usage(fields, estimate_for) or changed


def _complete_usage(fields: JSONObject, estimate_for: Sequence[str] | None) -> bool:
    given = fields.get("usage")
    if given is None and estimate_for is None:
        return False
    usage = parse_usage(given)
    if estimate_for is not None:
        usage = complete_usage(usage, estimate_for, "".join(contents_of(fields)))
    if usage is given or (usage and not differs(usage, given)):
        return False
    fields["usage"] = usage or None
    return True


def contents_of(fields: JSONObject) -> list[str]:
    """Return the text of each choice that has one."""
    contents = (choice["message"].get("content") for choice in fields["choices"])
    return [content for content in contents if isinstance(content, str)]


def has_output(fields: JSONObject) -> bool:
    """Whether any choice has output: text, a refusal or a tool call."""
    return any(choice["message"].get(key) for choice in fields["choices"] for key in OUTPUT_KEYS)


def to_chunks(fields: JSONObject, reader: ChunkReader) -> list[Chunk]:
    """Convert a completion to chunks: the messages, the finish reasons, the usage if there is one.

    Raises:
        InvalidAnswerError: A part of it cannot be read.
    """
    root = {key: value for key, value in fields.items() if key not in ("choices", "usage", "object", "error")}
    choices: list[JSONObject] = fields["choices"]
    messages: list[JSONObject] = []
    endings: list[JSONObject] = []
    for position, choice in enumerate(choices):
        index = to_int(choice.get("index"))
        index = position if index is None else index
        messages.append({"index": index, "delta": _to_delta(choice["message"]), "finish_reason": None})
        endings.append({"index": index, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"})
    chunks: list[JSONObject] = [{**root, "choices": messages}, {**root, "choices": endings}]
    if fields.get("error"):
        chunks[0]["error"] = fields["error"]
        move_error_to_tess_field(chunks[0])
        reader.record_change(ERROR_BESIDE_OUTPUT)
    if to_object(fields.get("usage")):
        chunks.append({**root, "choices": [], "usage": fields["usage"]})
    return [replace(reader.normalise(chunk), untouched=False) for chunk in chunks]


def completion_of_items(items: Iterable[object], reader: ChunkReader) -> JSONObject:
    """Join the items of a complete stream into one completion; without chunks, its text is empty."""
    chunks: list[JSONObject] = []
    for item in items:
        if isinstance(item, Chunk):
            chunks.append(item.fields)
        elif isinstance(item, MatchedChunks):
            content = "".join(map(unescape_json_text, item.texts))
            choice = {"index": item.choice, "delta": {"content": content}, "finish_reason": None}
            chunks.append({"choices": [choice]})
    closing = reader.closing_chunk()
    if closing is not None:
        chunks.append(closing)
    fields = from_chunks(chunks)
    if not fields["choices"]:
        fields["choices"] = [{"index": 0, "message": _to_message([]), "finish_reason": "stop"}]
    return fields


def from_chunks(chunks: Sequence[JSONObject]) -> JSONObject:
    """Join normalised chunks into one completion."""
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
    joined = to_object(_join(deltas)) or {}
    content = None if joined.get("tool_calls") or joined.get("function_call") else ""
    message = {"content": content, **joined, "role": "assistant"}
    calls = [to_object(call) or {} for call in to_list(message.get("tool_calls")) or []]
    if calls:
        message["tool_calls"] = [
            {key: value for key, value in call.items() if key != "index"}
            for call in sorted(calls, key=_index_or_zero)
        ]
    return message


def _index_or_zero(call: JSONObject) -> int:
    return call["index"] if type(call.get("index")) is int else 0


def _join(pieces: list[object], depth: int = 0) -> object:
    """Join the pieces of one value: strings into one, objects key by key, lists by their items' index.

    Of pieces of several types, the last is returned.
    """
    present = [piece for piece in pieces if piece is not None]
    if len(present) < 2 or depth > _MAX_DEPTH:
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
            key: values[-1] if key in _NOT_JOINED else _join(values, depth + 1)
            for key, values in by_key.items()
        }
    items = [item for piece in present for item in to_list(piece) or []]
    if all(to_list(piece) is not None for piece in present):
        by_index: dict[object, list[object]] = {}
        for position, item in enumerate(items):
            index = (to_object(item) or {}).get("index")
            by_index.setdefault(index if type(index) is int else (position,), []).append(item)  # never joined
        return [_join(each, depth + 1) for each in by_index.values()]
    return present[-1]


def _normalise_choice(choice: JSONObject, position: int, ledger: Ledger, new_id: Callable[[], str]) -> bool:
    changed = drop_misfits(choice, CHOICE_EXTRAS, ledger.add_once)
    if type(choice.get("index")) is not int:
        index = to_int(choice.get("index"))
        choice["index"], changed = position if index is None else index, True
    message = choice["message"]
    if message.get("role") != "assistant":
        message["role"], changed = "assistant", True
    if "content" not in message:
        message["content"], changed = None, True
    changed = coerce_message(message, ledger.add_once) or changed
    if message.get("tool_calls") is not None or message.get("function_call") is not None:
        changed = complete_calls(message, new_id, f"choices[{position}].message.tool_calls") or changed
    reason = choice.get("finish_reason")
    if reason not in FINISH_REASONS:
        choice["finish_reason"], changed = (
            normalise_finish_reason(reason, ledger.add_once) if reason else "stop",
            True,
        )
    return changed


def _to_delta(message: JSONObject) -> JSONObject:
    delta = {"role": "assistant", **message}
    if delta.get("tool_calls") is not None:
        calls = to_calls(delta["tool_calls"], "tool_calls")
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
    return delta
