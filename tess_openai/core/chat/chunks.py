"""Stream chunks: what Tess sends, completed to what OpenAI's clients need.

Source: which missing field breaks which client was measured (`.stream()` skips chunks without `object`, fails
without `index`; others fail without `id` or `model`). The one recorded Tess stream has only `choices` and
`model` (observed, weak); `/execute` streams `{"status", "output", "error"}` (documented for that route).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tess_openai.core.changes import Change, describe
from tess_openai.core.chat.usage import is_usage
from tess_openai.core.errors import FAILED, NO_REASON, message_of, printable
from tess_openai.core.jsons import JSONObject, parse_json, parse_object, to_list, to_object
from tess_openai.core.refusals import error_envelope
from tess_openai.core.sse import DONE, ServerSentEvent

CHUNK: Final = "chat.completion.chunk"
OUTPUT_KEYS: Final = ("content", "refusal", "tool_calls", "function_call")
FINISH_REASONS: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
FINISH_REASON_ALIASES: Final = {
    "completed": "stop",
    "end_turn": "stop",
    "eos": "stop",
    "stop_sequence": "stop",
    "succeeded": "stop",
    "max_output_tokens": "length",
    "max_tokens": "length",
    "safety": "content_filter",
    "tool_use": "tool_calls",
}
"""Finish reasons of the models behind Tess. Source: their makers' references (documented); that Tess passes
any of them on is assumed."""
PARTIAL_ERROR: Final = Change(
    "noticed",
    "answer",
    "",
    "",
    "Tess sent an error together with the text, which may be incomplete",
    "The error is in the field tess of the answer.",
    "answer",
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A complete chunk; `untouched` when its own bytes may be passed on."""

    fields: JSONObject = field(repr=False)
    untouched: bool


@dataclass(frozen=True, slots=True)
class StreamFault:
    """An error in the stream, as the envelope from which the SDK raises."""

    envelope: JSONObject = field(repr=False)


class StreamEnd:
    """The mark `[DONE]`."""


Item: TypeAlias = Chunk | StreamFault | StreamEnd


@dataclass(slots=True)
class ChunkReader:
    """Completes the chunks of one stream and remembers how far it has come.

    Attributes:
        model: Of the request until a chunk names its own, for those that name none.
        id: Constant over the stream; the first chunk's own, or made up.
        roles: Indices of the choices that have begun.
        finished: Indices of the choices that have a finish reason.
        has_output: Whether any choice has text, a refusal or a call.
        has_usage: Whether token counts arrived.
        has_failed: Whether the finish reason of a choice says that its execution failed.
        note: Receives what the caller should know about the answer.
    """

    model: str
    now: Callable[[], int]
    new_id: Callable[[], str]
    note: Callable[[Change], None] = lambda _: None
    id: str = ""
    created: int = 0
    roles: set[int] = field(default_factory=set[int])
    finished: set[int] = field(default_factory=set[int])
    has_output: bool = False
    has_usage: bool = False
    has_failed: bool = False
    _template: tuple[bytes, bytes] | None = None  # of the event of a complete chunk, around its text

    def match_template(self, events: bytes) -> list[bytes] | None:
        """Return the texts of events that differ from an earlier complete chunk in their text only.

        Most events of a stream do, and are not parsed. The texts are JSON string bodies, still escaped.
        None when any of the events differs in more than its text.
        """
        if self._template is None or self.finished:
            return None
        before, after = self._template
        if not (events.startswith(before) and events.endswith(after)):
            return None
        if len(events) < len(before) + len(after):  # one quote cannot both open and close a text
            return None
        texts = events[len(before) : -len(after)].split(after + before)
        return texts if _JSON_STRING_BODY.fullmatch(b" ".join(texts)) else None

    def read(self, event: ServerSentEvent) -> Item | None:
        """Return what an event is; None for a ping without content."""
        if event.data.strip() == DONE:
            return StreamEnd()
        value = parse_json(event.data)
        fields = to_object(value)
        if event.event == "ping" and "choices" not in (fields or {}):
            return None
        if fields is None:
            return invalid_event_fault(event)
        if event.event == "error" or "choices" not in fields or fields.get("error"):
            fault = None if self._has_partial_error(fields, event.event) else _fault(fields, event.event)
            if fault is not None:
                return fault
        chunk = self.complete(fields)
        if chunk.untouched:
            if self._template is None:
                self._template = _template(fields, event)
        elif self.has_failed:
            original = parse_object(event.data) or {}  # `fields` holds completed values
            return _fault(original, "error")
        return chunk

    def _has_partial_error(self, fields: JSONObject, event: str) -> bool:
        """Move an error that arrives with text, which was paid for, so that the SDK does not raise it."""
        choices = [to_object(choice) or {} for choice in to_list(fields.get("choices")) or []]
        deltas = [to_object(choice.get("delta")) or to_object(choice.get("message")) for choice in choices]
        if event == "error" or not any((delta or {}).get(key) for delta in deltas for key in OUTPUT_KEYS):
            return False
        move_error_to_tess(fields)
        self.note(PARTIAL_ERROR)
        return True

    def complete(self, fields: JSONObject) -> Chunk:
        """Complete a chunk in place; the parsed object belongs to this reader."""
        untouched = self._complete_root(fields)
        choices = to_list(fields.get("choices"))
        if choices is None:
            choices, untouched = _native_choices(fields), False
            fields["choices"] = choices
        for position, choice in enumerate(choices):
            untouched = self._complete_choice(to_object(choice), choices, position) and untouched
        usage = fields.get("usage")
        if usage and is_usage(to_object(usage)):
            self.has_usage = True
        return Chunk(fields, untouched)

    def new_chunk(self, choices: list[JSONObject]) -> JSONObject:
        """Return a chunk of this stream that Tess did not send."""
        fields: JSONObject = {"choices": choices}
        self._complete_root(fields)
        return fields

    @property
    def is_whole(self) -> bool:
        """Whether every choice that began has its finish reason."""
        return bool(self.finished) and self.roles <= self.finished

    def closing_chunk(self) -> JSONObject | None:
        """Return a chunk with the finish reasons that Tess left out; None when none is missing."""
        missing = sorted(self.roles - self.finished)
        if not missing:
            return None
        self.finished.update(missing)
        return self.new_chunk([{"index": index, "delta": {}, "finish_reason": "stop"} for index in missing])

    def _complete_root(self, fields: JSONObject) -> bool:
        untouched = True
        if not self.id:
            self.id = to_id(fields.get("id")) or f"chatcmpl-{self.new_id()}"
            created = fields.get("created")
            self.created = created if type(created) is int else self.now()
        if fields.get("id") != self.id:
            fields["id"], untouched = self.id, False
        if fields.get("object") != CHUNK:
            fields["object"], untouched = CHUNK, False
        if type(fields.get("created")) is not int:
            fields["created"], untouched = self.created, False
        if isinstance(fields.get("model"), str):
            self.model = fields["model"]
        else:
            fields["model"], untouched = self.model, False
        return untouched

    def _complete_choice(self, choice: JSONObject | None, choices: list[object], position: int) -> bool:
        untouched = True
        if choice is None:
            choice, untouched = {}, False
            choices[position] = choice
        index = choice.get("index")
        if type(index) is not int:
            choice["index"], untouched = position, False
            index = position
        delta = to_object(choice.get("delta"))
        if delta is None:
            delta, untouched = to_object(choice.pop("message", None)) or {}, False
            choice["delta"] = delta
        if index not in self.roles:
            self.roles.add(index)
            if not delta.get("role"):
                delta["role"], untouched = "assistant", False
        if not self.has_output and any(delta.get(key) for key in OUTPUT_KEYS):
            self.has_output = True
        return self._complete_reason(choice, index) and untouched

    def _complete_reason(self, choice: JSONObject, index: int) -> bool:
        reason = choice.get("finish_reason", "")
        if reason is None:
            return True
        if not reason:
            choice["finish_reason"] = None
            return False
        self.finished.add(index)
        if reason in FINISH_REASONS:
            return True
        if reason in FAILED:
            self.has_failed = True
        else:
            choice["finish_reason"] = normalise_finish_reason(reason, self.note)
        return False


def to_id(given: object) -> str:
    """Convert an id to a string; `""` when there is none. Source: Tess's own are numbers (documented)."""
    return given if isinstance(given, str) else str(given) if type(given) is int else ""


def normalise_finish_reason(given: object, note: Callable[[Change], None]) -> str:
    """Map a finish reason to OpenAI's; an unknown one becomes `"stop"` and is noted."""
    known = FINISH_REASON_ALIASES.get(given) if isinstance(given, str) else None
    if known is not None:
        return known
    shown = given if isinstance(given, str) and given.isidentifier() and len(given) < 40 else describe(given)
    note(Change("noticed", "finish_reason", shown, "stop", "OpenAI has no such finish reason"))
    return "stop"


def move_error_to_tess(fields: JSONObject) -> None:
    """Move the error of an answer that has text to the field `tess`, where the SDK does not raise it."""
    fields["tess"] = {"error": fields.pop("error")}


_JSON_STRING_BODY: Final = re.compile(
    rb"""[\x20\x21\x23-\x5b\x5d-\x7f]*(?:(?:
        \\["\\/bfnrt] | \\u[0-9A-Fa-f]{4}
        | [\xc2-\xdf][\x80-\xbf]
        | \xe0[\xa0-\xbf][\x80-\xbf] | \xed[\x80-\x9f][\x80-\xbf] | [\xe1-\xec\xee\xef][\x80-\xbf]{2}
        | \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3} | \xf4[\x80-\x8f][\x80-\xbf]{2}
    )[\x20\x21\x23-\x5b\x5d-\x7f]*)*""",
    re.VERBOSE,
)
"""The body of a JSON string in UTF-8, without its quotes. Source: RFC 8259, section 7; RFC 3629, 4."""


def unescape_json_text(text: bytes) -> str:
    """Decode the body of a JSON string."""
    return str(parse_json(b'"%b"' % text)) if b"\\" in text else text.decode()


def _template(fields: JSONObject, event: ServerSentEvent) -> tuple[bytes, bytes] | None:
    """Return the bytes before and after the text of a complete chunk; None when they are ambiguous."""
    data = event.data
    choices = fields["choices"]
    if len(choices) != 1 or choices[0]["finish_reason"] is not None or fields.get("usage"):
        return None
    text = choices[0]["delta"].get("content")
    quoted = b'"%b"' % text.encode(errors="surrogatepass") if isinstance(text, str) and text else b""
    if not quoted or event.event or b"\n" in data or data.count(quoted) != 1:
        return None
    before, _, after = data.partition(quoted)
    blank = [{**choices[0], "delta": {**choices[0]["delta"], "content": ""}}]
    if (parse_object(before + b'""' + after) or {}).get("choices") != blank:  # it was another field's text
        return None
    return b"data: " + before + b'"', b'"' + after + b"\n\n"


def truncated_fault() -> StreamFault:
    """Return the fault of a stream that ended before its answer was complete."""
    message = (
        "The stream ended before the answer was complete: neither a finish reason nor [DONE] arrived. "
        " The execution may go on at Tess and be paid for."
    )
    return StreamFault(error_envelope(message, type_="server_error", param=None, code="stream_truncated"))


def broken_connection_fault(reason: str) -> StreamFault:
    """Return the fault of a connection that broke in the middle of a stream."""
    message = f"The connection broke before the answer was complete: {reason or 'no reason given'}"
    return StreamFault(error_envelope(message, type_="server_error", param=None, code="stream_truncated"))


def invalid_event_fault(event: ServerSentEvent) -> StreamFault:
    """Return the fault of an event whose data is not a JSON object."""
    text = event.data[:500].decode(errors="replace")
    value = parse_json(event.data)
    message = f"Tess sent an event in the stream that is not a JSON object: {printable(text)}"
    code = "stream_not_json"
    if event.event == "error" or isinstance(value, str):
        message, code = (value if isinstance(value, str) else text) or NO_REASON, "stream_error"
    return StreamFault(error_envelope(message, type_="server_error", param=None, code=code, tess=text))


def _fault(fields: JSONObject, event: str) -> StreamFault | None:
    """Return the error in an event without `choices`, in any dialect; None when it holds none."""
    text = message_of(fields)
    if not text and event != "error" and fields.get("status") not in FAILED:
        return None
    inner = to_object(fields.get("error")) or {}
    envelope = error_envelope(
        text or NO_REASON,
        type_=str(inner.get("type") or "server_error"),
        param=inner["param"] if isinstance(inner.get("param"), str) else None,
        code=str(inner.get("code") or "stream_error"),
        tess=fields,
    )
    return StreamFault(envelope)


def _native_choices(fields: JSONObject) -> list[object]:
    """Return choices for an event of `/execute`, whose `output` is a delta; none for other objects."""
    output = fields.get("output")
    if not isinstance(output, str) or "status" not in fields:
        return []
    reason = "stop" if fields["status"] in ("completed", "succeeded") else None
    return [{"index": 0, "delta": {"content": output}, "finish_reason": reason}]
