"""What the SDK raises for an error in a stream, for an invalid event, and for a broken end."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.stream_faults import (
    broken_connection_fault,
    fault_of,
    invalid_answer_fault,
    invalid_event_fault,
    may_be_progress,
    truncated_fault,
)
from tess_openai.core.sse import ServerSentEvent


def envelope(message: str, code: str, tess: object = None, **more: object) -> dict[str, Any]:
    """Build OpenAI's error envelope."""
    error = {"message": message, "type": "server_error", "param": None, "code": code, **more}
    return {"error": error if tess is None else {**error, "tess": tess}}


def test_a_stream_that_ends_early_says_that_it_may_be_paid_for() -> None:
    """A program must not take a part of the text for the whole."""
    assert truncated_fault().envelope == envelope(
        "The stream ended before the answer was complete: neither a finish reason nor [DONE] arrived. "
        "The execution may go on at Tess and be paid for.",
        "stream_truncated",
    )


@pytest.mark.parametrize(("reason", "shown"), [("lost", "lost"), ("", "no reason given")])
def test_a_broken_connection_gives_its_reason(reason: str, shown: str) -> None:
    """It has the same code as an early end: what was received is not the whole answer."""
    message = f"The connection broke before the answer was complete: {shown}"
    assert broken_connection_fault(reason).envelope == envelope(message, "stream_truncated")


def test_an_answer_that_cannot_be_read_is_shown_with_what_tess_sent() -> None:
    """The text is paid for and may be in a field of another name."""
    fields = {"choices": 7}
    assert invalid_answer_fault(InvalidAnswerError("choices is 7"), fields).envelope == envelope(
        "Tess sent an answer that cannot be read as OpenAI's format: choices is 7", "invalid_answer", fields
    )


@pytest.mark.parametrize(
    ("name", "data", "message", "code"),
    [
        (
            "",
            b"busy\x00",
            "Tess sent an event in the stream that is not a JSON object: busy",
            "stream_not_json",
        ),
        ("", b"[1]", "Tess sent an event in the stream that is not a JSON object: [1]", "stream_not_json"),
        ("", b'"No credits"', "No credits", "stream_error"),
        ("error", b"busy", "busy", "stream_error"),
        ("error", b'"busy"', "busy", "stream_error"),
        ("error", b"", "the execution failed without a reason", "stream_error"),
    ],
)
def test_an_event_that_is_not_an_object_is_an_error(name: str, data: bytes, message: str, code: str) -> None:
    """The name of the event, or a JSON string, shows that its text is a message."""
    fault = invalid_event_fault(ServerSentEvent(name, data))
    assert fault.envelope == envelope(message, code, data.decode())


def test_a_long_invalid_event_is_cut() -> None:
    """Half a character at the cut, or bytes that are not text, do not raise."""
    error = invalid_event_fault(ServerSentEvent("", b"\xff" + b"x" * 498 + "é".encode())).envelope["error"]
    assert error["tess"] == "\ufffd" + "x" * 498 + "\ufffd"


@pytest.mark.parametrize(
    ("fields", "event", "expected"),
    [
        ({"delta": "x"}, "", None),
        ({"status": "running"}, "", None),
        ({"status": "failed"}, "", envelope("the execution failed without a reason", "stream_error")),
        ({"a": 1}, "error", envelope("the execution failed without a reason", "stream_error")),
        ({"error": "No."}, "", envelope("No.", "stream_error")),
        (
            {"error": {"message": "No.", "type": "t", "code": 7, "param": "n"}},
            "",
            envelope("No.", "7", type="t", param="n"),
        ),
        (
            {"error": {"message": "No.", "type": "", "code": None, "param": 7}},
            "",
            envelope("No.", "stream_error"),
        ),
    ],
)
def test_an_error_event_keeps_what_it_says(
    fields: dict[str, Any], event: str, expected: dict[str, Any] | None
) -> None:
    """In OpenAI's own envelope, with the whole event as `tess`."""
    fault = fault_of(fields, event)
    if expected is None:
        assert fault is None
        return
    assert fault is not None
    expected["error"]["tess"] = fields
    assert fault.envelope == expected


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"message": "Searching"}, True),
        ({"message": "Searching", "error": None, "status": "running"}, True),
        ({"message": "No.", "error": True}, False),
        ({"message": "No.", "status": "failed"}, False),
        ({"message": "No.", "errors": {"model": ["Unknown."]}}, False),
        ({"message": {"role": "assistant"}}, False),
        ({}, False),
    ],
)
def test_a_mere_message_may_be_a_report_of_progress(fields: dict[str, Any], may: bool) -> None:
    """Anything that also names an error is one."""
    assert may_be_progress(fields) is may
