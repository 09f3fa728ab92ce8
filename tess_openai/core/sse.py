"""Server-sent events: an incremental decoder from bytes to events.

Source: the event stream format of the HTML standard. Three deviations from it are accepted, because servers
send them, and the standard would drop a part of the text: a last event without its blank line is returned; an
event with several lines of JSON becomes one event for each line; and the name of a field may be in capitals,
or have a space, a byte order mark or a control character around it.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from tess_openai.core.jsons import BYTE_ORDER_MARK, parse_json, parse_object

DONE: Final = b"[DONE]"
DONE_EVENT: Final = b"data: [DONE]\n\n"
_FIELDS: Final = (b"data", b"event", b"id", b"retry")
_IGNORED_AROUND_NAMES: Final = BYTE_ORDER_MARK + b"\0\x1e \t"
_LONGEST_START: Final = 1024
BodyForm: TypeAlias = Literal["stream", "json", "other"]


class ServerSentEvent(NamedTuple):  # made for each chunk: half the cost of a frozen dataclass
    """One event: its type (`""` when unnamed) and its data, undecoded."""

    event: str
    data: bytes


class EventDecoder:
    """Decodes incrementally: `feed` returns the events that are complete, `finish` the remaining ones.

    Comments, `id:` and `retry:` lines and events without data are skipped, and so is a byte order mark at the
    start. Every line end of the standard is accepted.

    Attributes:
        is_between_events: Whether all bytes so far belong to events that are complete.
    """

    def __init__(self) -> None:
        self.is_between_events = True
        self._buffer = bytearray()
        self._searched = 0
        self._ends_with_return = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Return the events that the next bytes complete."""
        return parse_events(self.feed_bytes(data))

    def feed_bytes(self, data: bytes) -> bytes:
        """Return the bytes of the events that the next bytes complete, with LF as line end."""
        if self._ends_with_return or b"\r" in data:
            data = self._normalised(data)
        whole = data if not self._buffer and data.endswith(b"\n\n") else self._take_whole(data)
        self.is_between_events = not self._buffer and not self._ends_with_return
        return whole

    def _take_whole(self, data: bytes) -> bytes:
        """Keep the next bytes, and return those of the events that are complete now."""
        self._buffer += data
        end = self._buffer.rfind(b"\n\n", max(0, self._searched - 1)) + 2
        self._searched = len(self._buffer)
        if end < 2:
            return b""
        whole = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._searched = len(self._buffer)
        return whole

    def finish(self) -> list[ServerSentEvent]:
        """Return the events that lack only their blank line; data that is not a JSON object is dropped."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [event for event in parse_events(rest) if is_done_data(event.data) or parse_object(event.data)]

    def _normalised(self, data: bytes) -> bytes:
        """Return `data` with LF for every line end, also where CR LF is split between two pieces."""
        if self._ends_with_return and data:
            self._ends_with_return = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._ends_with_return = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data


def is_done_data(data: bytes) -> bool:
    """Whether the data of an event is `[DONE]`, with or without quotes around it."""
    return data.strip().strip(b'"') == DONE


def detect_form(data: bytes) -> BodyForm | None:
    """Detect the form of a body from its first bytes, without its content type; None when more are needed.

    After a kilobyte without the name of a field, the form is `"other"`.
    """
    start = without_blank_start(data)[:_LONGEST_START]
    if not start:
        return None
    if start[:1] in (b"{", b"["):
        return "json"
    line = start.splitlines()[0]
    name, colon, _ = line.partition(b":")
    if colon or len(line) < len(start):
        return "stream" if _field_name(name) in (b"", *_FIELDS) else "other"
    may_be_field = len(start) < _LONGEST_START and any(each.startswith(_field_name(name)) for each in _FIELDS)
    return None if may_be_field else "other"


def without_blank_start(data: bytes) -> bytes:
    """Return the first bytes of a body without a byte order mark and without blank space before the rest."""
    return data.removeprefix(BYTE_ORDER_MARK).lstrip()


def _field_name(name: bytes) -> bytes:
    """Return the name of a field without what some servers write around it, in lower case."""
    return name if name in _FIELDS else name.strip(_IGNORED_AROUND_NAMES).lower()


def encode_event(data: bytes) -> bytes:
    """Encode the data of an event without a type."""
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


def parse_events(whole: bytes) -> list[ServerSentEvent]:
    """Return the events in bytes that end with an event, whose blank line may be missing."""
    events: list[ServerSentEvent] = []
    for block in whole.split(b"\n\n"):
        if block.startswith(b"data: ") and b"\n" not in block and len(block) > len(b"data: "):
            events.append(ServerSentEvent("", block[6:]))
        elif block:
            events.extend(_parse_block(block))
    return events


def _parse_block(block: bytes) -> list[ServerSentEvent]:
    name, lines = "", list[bytes]()
    for line in block.split(b"\n"):
        name_of_field, _, value = line.partition(b":")
        field = _field_name(name_of_field)
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode(errors="replace")
    lines = [line for line in lines if line]
    if len(lines) > 1 and all(is_done_data(line) or parse_json(line) is not None for line in lines):
        return [ServerSentEvent(name, line) for line in lines]
    return [ServerSentEvent(name, b"\n".join(lines))] if lines else []
