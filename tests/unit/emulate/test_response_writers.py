"""An emulated answer has OpenAI's shape, whole or streamed: choices, finish reasons, usage and head."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.jsons import parse_object
from tests.unit.emulate.test_flow import CHAT, DONE, GOOD, Exchange, drive, event, streamed

USAGE = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
SUM = {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8}
COUNTS = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"
LOOK = {"name": "look", "arguments": '{"at":1}'}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "p", "schema": {"type": "object", "required": ["a"]}},
}
ROOT = {"id": "chatcmpl-581850f6", "created": 99, "model": "tess-6"}


def counted(text: str, reason: str) -> Exchange:
    """Answer with a whole stream that says a text and counts its tokens."""
    return streamed(event(text, reason), COUNTS, DONE)


def completion(body: dict[str, Any], *exchanges: Exchange) -> dict[str, Any]:
    """Return the completion that the caller gets, without the ledger."""
    answer = parse_object(drive({**CHAT, **body}, *exchanges).body) or {}
    return {key: value for key, value in answer.items() if key != "tess_openai"}


def test_a_completion_is_complete() -> None:
    """Each choice has its message and its finish reason, and the usage is that of all requests."""
    call = {"id": "call_581850f6", "type": "function", "function": LOOK}
    called = {"role": "assistant", "content": "Hm", "tool_calls": [call]}
    written = {"role": "assistant", "content": "a <think>b"}
    assert completion({"n": 2}, counted(f"Hm {GOOD}", "stop"), counted("a <think>b", "length")) == {
        **ROOT,
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": called, "finish_reason": "tool_calls"},
            {"index": 1, "message": written, "finish_reason": "length"},
        ],
        "usage": SUM,
    }


@pytest.mark.parametrize(
    ("body", "exchanges", "message", "reason"),
    [
        pytest.param(
            {"tools": None, "functions": [{"name": "look"}]},
            [counted(GOOD, "stop")],
            {"content": None, "function_call": LOOK},
            "function_call",
            id="a call in the older spelling",
        ),
        pytest.param(
            {"tools": None, "response_format": SCHEMA},
            [counted("I am sorry.", "stop"), counted("I am sorry.", "stop")],
            {"content": None, "refusal": "I am sorry."},
            "stop",
            id="a refusal",
        ),
        pytest.param(
            {}, [counted("a", "tool_calls")], {"content": "a"}, "stop", id="a reason without a call"
        ),
        pytest.param({}, [counted("a", "finished")], {"content": "a"}, "stop", id="another word of Tess"),
        pytest.param({}, [counted("a", "content_filter")], {"content": "a"}, "content_filter", id="a filter"),
        pytest.param(
            {"stop": "b"}, [counted("ab", "length")], {"content": "a"}, "stop", id="a stop sequence"
        ),
    ],
)
def test_a_choice_has_its_message_and_reason_whole_or_streamed(
    body: dict[str, Any], exchanges: list[Exchange], message: dict[str, Any], reason: str
) -> None:
    """What Tess gives as the reason does not contradict what the answer turned out to be."""
    (choice,) = completion(body, *exchanges)["choices"]
    assert (choice["message"], choice["finish_reason"]) == ({"role": "assistant", **message}, reason)
    events = drive({**CHAT, **body, "stream": True}, *exchanges).events
    *deltas, last = [choice for event in events for choice in event.get("choices", ())]
    assert last == {"index": 0, "delta": {}, "finish_reason": reason}
    keys = {key for each in deltas for key in each["delta"]}
    assert keys == {"role", *(key for key, value in message.items() if value is not None)}


def test_a_stream_is_complete() -> None:
    """Head, role once for each choice, tags of thinking in chunks of their own, and the usage last."""
    body = {**CHAT, "n": 3, "stream": True, "stream_options": {"include_usage": True}}
    run = drive(body, counted("a <think>b", "length"), counted("c", "stop"), counted("d", "stop"))
    assert (run.answer.status, run.answer.headers["content-type"]) == (200, "text/event-stream")
    *chunks, usage, done = run.events
    assert done == {}
    assert usage.pop("tess_openai")
    total = {key: value // 2 * 3 for key, value in SUM.items()}
    assert usage == {**ROOT, "object": "chat.completion.chunk", "choices": [], "usage": total}
    assert {**chunks[0], "choices": []} == {**ROOT, "object": "chat.completion.chunk", "choices": []}
    assert [choice for chunk in chunks for choice in chunk["choices"]] == [
        {"index": 0, "delta": {"role": "assistant", "content": "a "}, "finish_reason": None},
        {"index": 0, "delta": {"content": "<think>"}, "finish_reason": None},
        {"index": 0, "delta": {"content": "b"}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "length"},
        {"index": 1, "delta": {"role": "assistant", "content": "c"}, "finish_reason": None},
        {"index": 1, "delta": {}, "finish_reason": "stop"},
        {"index": 2, "delta": {"role": "assistant", "content": "d"}, "finish_reason": None},
        {"index": 2, "delta": {}, "finish_reason": "stop"},
    ]


def test_the_usage_of_a_stream_is_left_out_unless_it_was_asked_for() -> None:
    """A program that did not ask for it may not expect a chunk without choices."""
    events = drive({**CHAT, "stream": True}, counted("a", "stop")).events
    assert all(event["choices"] and "usage" not in event for event in events[:-1])
