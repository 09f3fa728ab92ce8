"""Events of a stream that are no chunks: errors, pings, and the mark of the end."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from tess_openai.core.chat.chunks import Chunk, StreamEnd
from tess_openai.core.sse import ServerSentEvent
from tests.unit.chat.chunk_events import FULL, choice, error_of, event, reader

JSON: TypeAlias = dict[str, Any]


ERRORS = [
    pytest.param({"error": "boom"}, "", "boom", "stream_error", id="a bare text"),
    pytest.param({"error": {"message": "boom"}}, "", "boom", "stream_error", id="OpenAI's envelope"),
    pytest.param(
        {"error": {"message": "boom", "code": 7, "type": "t", "param": "p"}},
        "",
        "boom",
        "7",
        id="with a code",
    ),
    pytest.param({"error": {"code": "x"}}, "", "an error without a text", "x", id="a code alone"),
    pytest.param({"message": "boom", "status": "failed"}, "", "boom", "stream_error", id="Laravel's"),
    pytest.param(
        {"message": "boom", "errors": {"model": ["bad"]}},
        "",
        "boom: model: bad",
        "stream_error",
        id="with fields",
    ),
    pytest.param({"message": "boom"}, "error", "boom", "stream_error", id="a named event"),
    pytest.param(
        {}, "error", "the execution failed without a reason", "stream_error", id="a named event, empty"
    ),
    pytest.param("boom", "error", "boom", "stream_error", id="a named event of text"),
    pytest.param('"boom"', "error", "boom", "stream_error", id="a named event of a JSON string"),
    pytest.param({"status": "failed", "error": "boom"}, "", "boom", "stream_error", id="a failed execution"),
    pytest.param(
        {"status": "failed", "error": None, "output": ""},
        "",
        "the execution failed without a reason",
        "stream_error",
        id="a failed execution without a reason",
    ),
    pytest.param(
        {"status": "canceled"},
        "",
        "the execution failed without a reason",
        "stream_error",
        id="a canceled one",
    ),
    pytest.param({"choices": [], "error": "boom"}, "", "boom", "stream_error", id="beside choices"),
    pytest.param(
        {"choices": [], "message": "boom"}, "error", "boom", "stream_error", id="a named event with choices"
    ),
    pytest.param(
        choice(index=0, delta={"content": "a"}, finish_reason="error"),
        "",
        "the execution failed without a reason",
        "stream_error",
        id="a failure for a finish reason",
    ),
    pytest.param("not JSON", "", "not a JSON object: not JSON", "stream_not_json", id="a line of text"),
    pytest.param("<html>", "", "not a JSON object: <html>", "stream_not_json", id="a page"),
    pytest.param('"boom"', "", "boom", "stream_error", id="a JSON string"),
    pytest.param('""', "", "the execution failed without a reason", "stream_error", id="an empty string"),
    pytest.param("null", "", "not a JSON object", "stream_not_json", id="null"),
    pytest.param("[]", "", "not a JSON object", "stream_not_json", id="a list"),
    pytest.param("7", "", "not a JSON object", "stream_not_json", id="a number"),
]


@pytest.mark.parametrize(("data", "name", "message", "code"), ERRORS)
def test_an_error_event_is_an_error(data: object, name: str, message: str, code: str) -> None:
    """In every format of an error, the caller gets its text, a code, and Tess's own event."""
    error = error_of(data, name)
    assert message in error["message"]
    assert error["code"] == code
    assert error["tess"] == data


def test_an_errors_own_fields_are_kept() -> None:
    """The type and the parameter are kept if they are texts."""
    assert error_of({"error": {"message": "m", "type": "t", "param": "p"}})["param"] == "p"
    assert error_of({"error": {"message": "m", "type": "t", "param": ["p"]}})["param"] is None
    assert error_of({"error": {"message": "m", "type": "t"}})["type"] == "t"
    assert error_of({"error": "m"})["type"] == "server_error"


@pytest.mark.parametrize("data", ["{}", "", "ping", "null", '{"message": "alive"}', '{"type": "ping"}'])
def test_a_ping_is_nothing(data: str) -> None:
    """An event of type ping is skipped, whatever it contains, unless it is a chunk."""
    assert reader().read(event(data, "ping")) is None
    assert isinstance(reader().read(event(FULL, "ping")), Chunk)


def test_the_mark_of_the_end_is_the_end() -> None:
    """The stream ends at `[DONE]` as OpenAI writes it."""
    assert isinstance(reader().read(event("[DONE]")), StreamEnd)


def test_the_end_mark_may_have_blanks_around_it() -> None:
    """The SDK accepts this too, since it looks only at how the line begins."""
    assert isinstance(reader().read(ServerSentEvent("", b"[DONE] ")), StreamEnd)
