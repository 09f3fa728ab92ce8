"""Normalises the chunks of Tess's streams: adds the fields that OpenAI's clients need.

Source: clients break without these fields (measured): `.stream()` skips chunks without `object` and fails
without `index`; others fail without `id` or `model`. The one recorded Tess stream has only `choices` and
`model` (observed once); `/execute` streams `{"status", "output", "error"}` (documented for that route).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import (
    CHOICE_EXTRAS,
    ROOT_EXTRAS,
    InvalidAnswerError,
    are_choices,
    coerce_message,
    drop_misfits,
    to_choices,
    to_int,
)
from tess_openai.core.chat.call_deltas import CallDeltas
from tess_openai.core.chat.chunk_templates import Template, template_of
from tess_openai.core.chat.finish_reasons import FINISH_REASONS, normalise_finish_reason
from tess_openai.core.chat.split_characters import SplitTextJoiner, join_characters, parse_answer
from tess_openai.core.chat.stream_faults import (
    ERROR_BESIDE_OUTPUT,
    StreamFault,
    fault_of,
    invalid_answer_fault,
    invalid_event_fault,
    may_be_progress,
    move_error_to_tess_field,
    truncated_fault,
)
from tess_openai.core.chat.usage import is_usage, parse_usage
from tess_openai.core.errors import FAILED_STATES
from tess_openai.core.jsons import JSONObject, parse_object, to_list, to_object
from tess_openai.core.short_fields import MAX_REPEATED_LENGTH, ShortFields
from tess_openai.core.sse import ServerSentEvent, is_done_data

CHUNK: Final = "chat.completion.chunk"
OUTPUT_KEYS: Final = ("content", "refusal", "tool_calls", "function_call")
NO_OUTPUT: Final = Change(
    action="noticed",
    param="answer",
    given="",
    sent="",
    why="Tess answered with no text",
    remedy="Send the request again, or change the prompt.",
    warn="answer",
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A normalised chunk.

    Attributes:
        fields: All its fields.
        untouched: Whether `data` may be passed on unchanged.
        data: The bytes that Tess sent; `b""` for a chunk that the adapter made.
    """

    fields: JSONObject = field(repr=False)
    untouched: bool
    data: bytes = field(default=b"", repr=False)


class StreamEnd:
    """The end of a complete stream."""


StreamItem: TypeAlias = Chunk | StreamFault | StreamEnd
_NO_FINISH_REASON: Final = ("", "null", "none", "None")  # some servers send the word as a string


@dataclass(slots=True)
class ChunkReader:
    """Normalises the chunks of one stream, and keeps the state of the stream.

    Attributes:
        model: The model for chunks without one: that of the latest chunk that has one, or of the request.
        now: Returns seconds since the epoch.
        new_id: Returns a fresh identifier.
        id: The id of the first chunk, or a new one; all chunks of the stream get it.
        created: When the first chunk was made, in seconds since the epoch; chunks without a time get it.
        begun: Indices of the choices that have begun.
        finished: Indices of the choices that have a finish reason.
        has_output: Whether any choice has text, a refusal or a tool call.
        usage: The latest value of each token count so far; empty when no chunk had any.
        has_failed: Whether the finish reason of a choice reports that its execution failed.
        template: An event that matches it need not be parsed. None when the next event must be.
        record_change: Records a change for the caller.
    """

    model: str
    now: Callable[[], int]
    new_id: Callable[[], str]
    record_change: Callable[[Change], None] = lambda _: None
    id: str = ""
    created: int = 0
    begun: set[int] = field(default_factory=set[int])
    finished: set[int] = field(default_factory=set[int])
    has_output: bool = False
    usage: JSONObject = field(default_factory=dict[str, object])
    has_failed: bool = False
    template: Template | None = None
    _known_template: Template | None = None  # `template` is None while it must not be used
    _split_texts: SplitTextJoiner = field(default_factory=SplitTextJoiner)
    _calls: dict[int, CallDeltas] = field(default_factory=dict[int, CallDeltas])  # by the index of the choice
    _usage: ShortFields = field(default_factory=ShortFields)  # under the names that Tess used
    _deferred_fault: StreamFault | None = None  # an object with nothing but a message: progress, or an error

    def read(self, event: ServerSentEvent) -> StreamItem | None:
        """Return the item of an event; None for a ping and for a message that may be a report of progress."""
        item = self._read(event)
        self.template = None if self.finished or self._split_texts.pending else self._known_template
        return item

    def _read(self, event: ServerSentEvent) -> StreamItem | None:
        if is_done_data(event.data):
            return StreamEnd() if self.begun or self._deferred_fault is None else self._deferred_fault
        value, has_surrogates = parse_answer(event.data)
        fields = to_object(value)
        if event.event == "ping" and "choices" not in (fields or {}):
            return None
        if fields is None:  # after a complete answer, other data is ignored
            return StreamEnd() if self.is_complete and event.event != "error" else invalid_event_fault(event)
        if event.event == "error" or "choices" not in fields or fields.get("error"):
            if self._has_output_beside_error(fields, event.event):
                move_error_to_tess_field(fields)
                self.record_change(ERROR_BESIDE_OUTPUT)
                chunk = self._read_chunk(event, fields, has_surrogates=has_surrogates)
                return replace(chunk, untouched=False) if isinstance(chunk, Chunk) else chunk
            fault = fault_of(fields, event.event)
            if fault is not None:
                return self._defer_fault(fields, event.event, fault)
        return self._read_chunk(event, fields, has_surrogates=has_surrogates)

    def _defer_fault(self, fields: JSONObject, event: str, fault: StreamFault) -> StreamFault | None:
        """Return a fault; keep one that may be a report of progress until the end of the stream."""
        if event == "error" or not may_be_progress(fields):
            return fault
        self._deferred_fault = fault
        return None

    def _read_chunk(
        self, event: ServerSentEvent, fields: JSONObject, *, has_surrogates: bool
    ) -> StreamItem | None:
        try:
            chunk = self.normalise(fields, data=event.data, has_surrogates=has_surrogates)
        except InvalidAnswerError as error:
            return invalid_answer_fault(error, parse_object(event.data))
        if chunk.untouched:
            if self._known_template is None and not has_surrogates:
                self._known_template = template_of(fields, event)
        elif self.has_failed:
            original = (
                parse_object(event.data) or {}
            )  # `fields` was normalised; the error must show what Tess sent
            return fault_of(original, "error")
        return chunk

    @staticmethod
    def _has_output_beside_error(fields: JSONObject, event: str) -> bool:
        """Whether an event with an error also has output, which was paid for and must reach the caller.

        An event of the type `error` has none.
        """
        choices = [to_object(choice) or {} for choice in to_list(fields.get("choices")) or []]
        deltas = [to_object(choice.get("delta")) or to_object(choice.get("message")) for choice in choices]
        return event != "error" and any((delta or {}).get(key) for delta in deltas for key in OUTPUT_KEYS)

    def normalise(self, fields: JSONObject, *, data: bytes = b"", has_surrogates: bool = False) -> Chunk:
        """Normalise a chunk; `fields` is changed in place.

        Raises:
            InvalidAnswerError: A part of it cannot be read.
        """
        changed = not are_choices(fields.get("choices"), "delta")
        if fields.get("choices") is None:
            fields["choices"] = _choices_of_execution(fields)
        if changed:
            fields["choices"] = to_choices(fields["choices"], "delta") if fields["choices"] else []
        if has_surrogates or self._split_texts.pending:
            changed = self._join_texts(fields) or changed
        changed = self._normalise_root(fields) or changed
        for position, choice in enumerate(fields.get("choices", ())):
            changed = self._normalise_choice(choice, position) or changed
        if "usage" in fields and fields["usage"] is not None:
            changed = self._complete_usage(fields) or changed
        return Chunk(fields, not changed, data)

    def _complete_usage(self, fields: JSONObject) -> bool:
        """Replace the usage of a chunk by all counts so far, since some servers send them in parts.

        Returns:
            Whether that changed the usage.
        """
        given = fields.pop("usage")
        counts = to_object(given) or {}
        self._usage.keep({key: count for key, count in counts.items() if count is not None})
        self.usage = counts if is_usage(counts) else parse_usage(self._usage.fields)
        if self.usage:
            fields["usage"] = self.usage
        return self.usage is not given

    def _join_texts(self, fields: JSONObject) -> bool:
        """Join texts that were split inside a character; return whether any text was changed."""
        before: JSONObject = {**fields}
        choices: list[JSONObject] = []
        for position, choice in enumerate(before["choices"]):
            index = to_int(choice.get("index"))
            path = (position if index is None else index, "delta")
            delta = self._split_texts.join_all(path, choice["delta"])
            choices.append({**{key: join_characters(value) for key, value in choice.items()}, "delta": delta})
        fields.update({key: join_characters(value) for key, value in before.items()}, choices=choices)
        return fields != before

    def new_chunk(self, choices: list[JSONObject]) -> JSONObject:
        """Return a chunk of this stream that Tess did not send."""
        fields: JSONObject = {"choices": choices}
        self._normalise_root(fields)
        return fields

    @property
    def is_complete(self) -> bool:
        """Whether every choice that began has its finish reason."""
        return bool(self.finished) and len(self.begun) == len(
            self.finished
        )  # `finished` is a subset of `begun`

    def closing_chunk(self) -> JSONObject | None:
        """Return a chunk with the finish reasons that Tess did not send; None when all were sent."""
        missing = sorted(self.begun - self.finished)
        if not missing:
            return None
        self.finished.update(missing)
        return self.new_chunk(
            [
                {"index": index, "delta": self._flush_split_characters(index, {}), "finish_reason": "stop"}
                for index in missing
            ]
        )

    def end_fault(self) -> StreamFault:
        """Return the fault of a stream that ended before its answer was complete."""
        return self._deferred_fault or truncated_fault()

    def _flush_split_characters(self, index: int, delta: JSONObject) -> JSONObject:
        """Append U+FFFD for a character that never became complete; `delta` is changed in place."""
        for key, text in self._split_texts.flush(index):
            delta[key] = f"{delta.get(key) or ''}{text}"
            self.has_output = self.has_output or key in OUTPUT_KEYS
        return delta

    def _normalise_root(self, fields: JSONObject) -> bool:
        """Normalise the root of a chunk; return whether anything was changed."""
        changed = False
        if not self.id:
            given = to_id(fields.get("id"))
            self.id = given if 0 < len(given) <= MAX_REPEATED_LENGTH else f"chatcmpl-{self.new_id()}"
            created = fields.get("created")
            self.created = created if type(created) is int else self.now()
        if fields.get("id") != self.id:
            fields["id"], changed = self.id, True
        if fields.get("object") != CHUNK:
            fields["object"], changed = CHUNK, True
        if type(fields.get("created")) is not int:
            fields["created"], changed = self.created, True
        if not isinstance(fields.get("model"), str):
            fields["model"], changed = self.model, True
        elif len(fields["model"]) <= MAX_REPEATED_LENGTH:
            self.model = fields["model"]
        return drop_misfits(fields, ROOT_EXTRAS, self.record_change) or changed

    def _normalise_choice(self, choice: JSONObject, position: int) -> bool:
        """Normalise a choice; return whether anything was changed."""
        changed, index, delta = False, choice.get("index"), choice["delta"]
        if type(index) is not int:
            index = to_int(index)
            choice["index"], changed = position if index is None else index, True
            index = choice["index"]
        role = delta.get("role")
        if index not in self.begun:
            self.begun.add(index)
            if role != "assistant":
                delta["role"], changed = "assistant", True
        elif role is not None:
            del delta["role"]  # frameworks concatenate the roles of all deltas
            changed = True
        is_coerced = coerce_message(delta, self.record_change, is_delta=True)
        changed = drop_misfits(choice, CHOICE_EXTRAS, self.record_change) or is_coerced or changed
        if delta.get("tool_calls") is not None or delta.get("function_call") is not None:
            calls = self._calls.setdefault(index, CallDeltas(self.new_id))
            changed = calls.normalise(delta) or changed
        if not self.has_output and any(delta.get(key) for key in OUTPUT_KEYS):
            self.has_output = True
        return self._normalise_reason(choice, index) or changed

    def _normalise_reason(self, choice: JSONObject, index: int) -> bool:
        """Normalise the finish reason of a choice; return whether anything was changed."""
        reason = choice.get("finish_reason", "")
        if reason is None:
            return False
        if not reason or reason in _NO_FINISH_REASON:
            choice["finish_reason"] = None
            return True
        self.finished.add(index)
        changed = False
        if self._split_texts.pending:
            changed = self._split_texts.has(index)
            self._flush_split_characters(index, choice["delta"])
        if reason in FINISH_REASONS:
            return changed
        if reason in FAILED_STATES:
            self.has_failed = True
        else:
            choice["finish_reason"] = normalise_finish_reason(reason, self.record_change)
        return True


def to_id(given: object) -> str:
    """Convert an id to a string; `""` when there is none. Source: Tess's own are numbers (documented)."""
    return given if isinstance(given, str) else str(given) if type(given) is int else ""


def _choices_of_execution(fields: JSONObject) -> list[object]:
    """Return choices for an event of `/execute`, whose `output` is a delta; none for other objects."""
    output = fields.get("output")
    if not isinstance(output, str) or "status" not in fields:
        return []
    reason = "stop" if fields["status"] in ("completed", "succeeded") else None
    return [{"index": 0, "delta": {"content": output}, "finish_reason": reason}]
