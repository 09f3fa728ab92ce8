"""Stream faults: error events, invalid events and broken ends of streams, which callers get as errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.errors import FAILED_STATES, NO_REASON, message_of, printable
from tess_openai.core.field_errors import field_errors_of
from tess_openai.core.jsons import JSONObject, parse_json, to_object
from tess_openai.core.refusals import error_envelope
from tess_openai.core.sse import ServerSentEvent

TRUNCATED: Final = "stream_truncated"
"""Code of the error of a stream that ended before its answer was complete."""


ERROR_BESIDE_OUTPUT: Final = Change(
    action="noticed",
    param="answer",
    given="",
    sent="",
    why="Tess sent an error together with the text, which may be incomplete",
    remedy="The error is in the field tess of the answer.",
    warn="answer",
)


@dataclass(frozen=True, slots=True)
class StreamFault:
    """An error in a stream, as the error envelope for which the SDK raises an exception."""

    envelope: JSONObject = field(repr=False)


def truncated_fault() -> StreamFault:
    """Return the fault of a stream that ended before its answer was complete."""
    message = (
        "The stream ended before the answer was complete: neither a finish reason nor [DONE] arrived. "
        "The execution may go on at Tess and be paid for."
    )
    return StreamFault(error_envelope(message, type_="server_error", param=None, code=TRUNCATED))


def diverged_fault() -> StreamFault:
    """Return the fault of a continuation whose text cannot be joined to the answer."""
    message = "The model began its answer again and wrote another text, which cannot be joined to the first."
    return StreamFault(error_envelope(message, type_="server_error", param=None, code=TRUNCATED))


def broken_connection_fault(reason: str) -> StreamFault:
    """Return the fault of a connection that broke in the middle of a stream."""
    message = f"The connection broke before the answer was complete: {reason or 'no reason given'}"
    return StreamFault(error_envelope(message, type_="server_error", param=None, code=TRUNCATED))


def invalid_event_fault(event: ServerSentEvent) -> StreamFault:
    """Return the fault of an event whose data is not a JSON object."""
    text = event.data[:500].decode(errors="replace")
    value = parse_json(event.data)
    message = f"Tess sent an event in the stream that is not a JSON object: {printable(text)}"
    code = "stream_not_json"
    if event.event == "error" or isinstance(value, str):
        message, code = (value if isinstance(value, str) else text) or NO_REASON, "stream_error"
    return StreamFault(error_envelope(message, type_="server_error", param=None, code=code, tess=text))


def invalid_answer_fault(error: InvalidAnswerError, fields: JSONObject | None) -> StreamFault:
    """Return the fault of an answer with a part that cannot be read."""
    message = f"Tess sent an answer that cannot be read as OpenAI's format: {error}"
    return StreamFault(
        error_envelope(message, type_="server_error", param=None, code="invalid_answer", tess=fields)
    )


def fault_of(fields: JSONObject, event: str) -> StreamFault | None:
    """Return the error in the object of an event, in any known format; None when it contains none."""
    text = message_of(fields)
    if not text and event != "error" and fields.get("status") not in FAILED_STATES:
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


def may_be_progress(fields: JSONObject) -> bool:
    """Whether an object that looks like an error may be a report of progress, since it has only a message."""
    if fields.get("error") or fields.get("status") in FAILED_STATES or field_errors_of(fields):
        return False
    return isinstance(fields.get("message"), str)


def move_error_to_tess_field(fields: JSONObject) -> None:
    """Move the error of an answer that has text to the field `tess`, for which the SDK does not raise."""
    fields["tess"] = {"error": fields.pop("error")}
