"""Every event of a response, field by field, and the response that a whole answer becomes."""

from __future__ import annotations

import json

import pytest

from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

NUMBER = "0" * 24
DONE = b"data: [DONE]\n\n"
USAGE: JSON = {
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "total_tokens": 8,
    "prompt_tokens_details": {"cached_tokens": 2},
    "completion_tokens_details": {"reasoning_tokens": 1},
    "credits": 5,
}
SHOWN_USAGE: JSON = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 8,
    "credits": 5,
}
TEXT: JSON = {"type": "output_text", "text": "Hey", "annotations": [], "logprobs": []}
REFUSAL: JSON = {"type": "refusal", "refusal": "no"}
MESSAGE: JSON = {"id": f"msg_{NUMBER}0000", "type": "message", "status": "completed", "role": "assistant"}
CALL: JSON = {
    "id": f"fc_{NUMBER}0001",
    "type": "function_call",
    "status": "completed",
    "call_id": "c1",
    "name": "f",
    "arguments": "{}",
}
CUSTOM: JSON = {
    "id": f"ctc_{NUMBER}0002",
    "type": "custom_tool_call",
    "status": "completed",
    "call_id": "c2",
    "name": "g",
    "input": "x",
}
OUTPUT: list[JSON] = [{**MESSAGE, "content": [TEXT, REFUSAL]}, CALL, CUSTOM]
FUNCTION: JSON = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT_CUSTOM: JSON = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}


def chunk(delta: JSON, reason: str | None = None, **more: object) -> bytes:
    """Return the event of a complete chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    root = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return b"data: " + json.dumps({**root, "choices": [choice], **more}).encode() + b"\n\n"


def call(index: int, **fields: object) -> bytes:
    """Return the event of a delta of a call."""
    return chunk({"tool_calls": [{"index": index, **fields}]})


def streamed(*events: bytes) -> Carried:
    """Return the response to a stream of chat."""
    return drive({"model": "asked-for", "input": "hi", "stream": True}, [b"".join(events)])


def answered(message: JSON, reason: str = "stop", **more: object) -> JSON:
    """Return the response to a whole answer of chat."""
    choice = {"index": 0, "message": message, "finish_reason": reason}
    body = {"choices": [choice], "model": "tess-6", **more}
    response: JSON = json.loads(
        drive({"model": "asked-for", "input": "hi"}, [json.dumps(body).encode()]).body
    )
    return response


def test_a_stream_has_these_events() -> None:
    """A text, a refusal and two calls whose deltas alternate: each event names its item and its place."""
    carried = streamed(
        chunk({"role": "assistant", "content": "He"}),
        chunk({"content": "y"}),
        chunk({"refusal": "no"}),
        call(0, **{**FUNCTION, "function": {"name": "f", "arguments": ""}}),
        call(1, **CHAT_CUSTOM),
        call(0, function={"arguments": "{}"}),
        chunk({}, "tool_calls"),
        chunk({}, usage=USAGE, choices=[]),
        DONE,
    )
    message, function, custom = (
        {"item_id": item["id"], "output_index": index} for index, item in enumerate(OUTPUT)
    )
    text, refusal = {**message, "content_index": 0}, {**message, "content_index": 1}
    begun: list[JSON] = [
        {**MESSAGE, "status": "in_progress", "content": []},
        {**CALL, "status": "in_progress", "arguments": ""},
        {**CUSTOM, "status": "in_progress", "input": ""},
    ]
    blank = {**TEXT, "text": ""}
    expected: list[tuple[str, JSON]] = [
        ("output_item.added", {"output_index": 0, "item": begun[0]}),
        ("content_part.added", {**text, "part": blank}),
        ("output_text.delta", {**text, "logprobs": [], "delta": "He"}),
        ("output_text.delta", {**text, "logprobs": [], "delta": "y"}),
        ("output_text.done", {**text, "text": "Hey", "logprobs": []}),
        ("content_part.done", {**text, "part": TEXT}),
        ("content_part.added", {**refusal, "part": {**REFUSAL, "refusal": ""}}),
        ("refusal.delta", {**refusal, "delta": "no"}),
        ("refusal.done", {**refusal, "refusal": "no"}),
        ("content_part.done", {**refusal, "part": REFUSAL}),
        ("output_item.done", {"output_index": 0, "item": OUTPUT[0]}),
        ("output_item.added", {"output_index": 1, "item": begun[1]}),
        ("output_item.added", {"output_index": 2, "item": begun[2]}),
        ("custom_tool_call_input.delta", {**custom, "delta": "x"}),
        ("function_call_arguments.delta", {**function, "delta": "{}"}),
        ("function_call_arguments.done", {**function, "arguments": "{}", "name": "f"}),
        ("output_item.done", {"output_index": 1, "item": CALL}),
        ("custom_tool_call_input.done", {**custom, "input": "x"}),
        ("output_item.done", {"output_index": 2, "item": CUSTOM}),
    ]
    created, in_progress, *events, completed = carried.events
    assert events == [
        {"type": f"response.{name}", "sequence_number": number, **fields}
        for number, (name, fields) in enumerate(expected, 2)
    ]
    first = created["response"]
    assert (created["type"], created["sequence_number"]) == ("response.created", 0)
    assert in_progress == {"type": "response.in_progress", "sequence_number": 1, "response": first}
    assert (first["status"], first["model"], first["output"], first["usage"], first["completed_at"]) == (
        *("in_progress", "asked-for", [], None),
        None,
    )
    assert (completed["type"], completed["sequence_number"]) == ("response.completed", len(expected) + 2)
    ended = {
        "status": "completed",
        "model": "tess-6",
        "output": OUTPUT,
        "usage": SHOWN_USAGE,
        "completed_at": 1,
    }
    assert completed["response"] == {**first, **ended}


def other_choice(delta: JSON, reason: str | None = None) -> bytes:
    """Return the event of a chunk of a second choice."""
    return chunk(delta, reason).replace(b'"index": 0', b'"index": 1', 1)


def test_the_choices_of_a_stream_are_items_as_in_a_whole_answer() -> None:
    """Each choice has its own items, in whatever order the chunks arrive."""
    choices: list[JSON] = [
        {"index": 0, "message": {"content": "One"}, "finish_reason": "length"},
        {"index": 1, "message": {"content": "Two", "tool_calls": [FUNCTION]}, "finish_reason": "tool_calls"},
    ]
    carried = streamed(
        chunk({"content": "O"}),
        other_choice({"content": "T"}),
        chunk({"content": "n"}),
        other_choice({"content": "wo"}),
        chunk({"content": "e"}, "length"),
        other_choice({"tool_calls": [{"index": 0, **FUNCTION}]}),
        other_choice({}, "tool_calls"),
        DONE,
    )
    body = json.dumps({"choices": choices, "model": "tess-6"}).encode()
    whole: JSON = json.loads(drive({"model": "asked-for", "input": "hi"}, [body]).body)
    last = carried.events[-1]["response"]
    assert [last["output"], last["status"]] == [whole["output"], whole["status"]]
    assert [item.get("status") for item in last["output"]] == ["incomplete", "completed", "completed"]
    deltas = [event for event in carried.events if event["type"] == "response.output_text.delta"]
    assert [(event["output_index"], event["delta"]) for event in deltas] == [
        *((0, "O"), (1, "T"), (0, "n")),
        *((1, "wo"), (0, "e")),
    ]


def test_a_call_in_the_older_form_is_a_call() -> None:
    """Some servers still answer with `function_call`; the program must see the call."""
    expected = {**CALL, "id": f"fc_{NUMBER}0000", "call_id": f"call_fc_{NUMBER}0000"}
    whole = answered({"content": None, "function_call": FUNCTION["function"]}, "function_call")
    assert whole["output"] == [expected]
    carried = streamed(
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}),
        chunk({}, "function_call"),
        DONE,
    )
    assert carried.events[-1]["response"]["output"] == [expected]


def test_a_whole_answer_has_the_items_of_the_stream() -> None:
    """The response says who answered, what it cost, and has the fields that Tess adds."""
    message = {"content": "Hey", "refusal": "no", "tool_calls": [FUNCTION, CHAT_CUSTOM]}
    response = answered(message, "tool_calls", usage=USAGE, root_id=7)
    assert response["output"] == OUTPUT
    assert response["usage"] == SHOWN_USAGE
    assert {key: response[key] for key in ("id", "object", "created_at", "completed_at", "status")} == {
        "id": f"resp_{NUMBER}",
        "object": "response",
        "created_at": 1,
        "completed_at": 1,
        "status": "completed",
    }
    assert (response["error"], response["incomplete_details"]) == (None, None)
    assert (response["model"], response["root_id"]) == ("tess-6", 7)
    assert not response.keys() & {"choices", "created", "system_fingerprint"}


@pytest.mark.parametrize(
    ("reason", "incomplete"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_the_item_in_which_an_answer_was_cut_is_incomplete(reason: str, incomplete: str) -> None:
    """The items before it are complete, whole and streamed, and the response has no time of completion."""
    whole = answered({"content": "Hey", "tool_calls": [FUNCTION]}, reason)
    stream = streamed(chunk({"content": "Hey"}), call(0, **FUNCTION), chunk({}, reason), DONE).events[-1]
    assert stream["type"] == "response.incomplete"
    for response in (whole, stream["response"]):
        assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]
        assert (response["status"], response["completed_at"]) == ("incomplete", None)
        assert response["incomplete_details"] == {"reason": incomplete}


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        pytest.param({"content": ""}, [["output_text"]], id="an empty text"),
        pytest.param({"content": None}, [[]], id="no text"),
        pytest.param({"content": "", "refusal": "no"}, [["refusal"]], id="a refusal alone"),
        pytest.param({"content": "", "tool_calls": [FUNCTION]}, [None], id="a call alone"),
        pytest.param(
            {"content": "a", "tool_calls": [FUNCTION]}, [["output_text"], None], id="a text and a call"
        ),
    ],
)
def test_an_answer_has_a_message_unless_it_is_a_call(message: JSON, kinds: list[list[str] | None]) -> None:
    """Programs read the text of the first message; a call alone has none before it."""
    output = answered(message)["output"]
    assert [
        [part["type"] for part in item["content"]] if item["type"] == "message" else None for item in output
    ] == kinds


def test_a_stream_without_a_text_has_an_empty_message() -> None:
    """It is the message that a whole answer without a text has."""
    events = streamed(chunk({"role": "assistant"}), chunk({}, "stop"), DONE).events
    assert [event["type"] for event in events[2:]] == [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert events[-1]["response"]["output"] == [{**MESSAGE, "content": [{**TEXT, "text": ""}]}]
    assert events[-1]["response"]["output"] == answered({"content": ""})["output"]


def test_counts_that_tess_did_not_give_are_zero_or_their_sum() -> None:
    """The SDK's type of a usage requires each of them."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert answered({"content": "a"}, usage=usage)["usage"] == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7,
    }


def test_a_stream_that_fails_gives_what_arrived() -> None:
    """Open items are incomplete; the error is in the response, and in an event for which the SDK raises."""
    error = b'data: {"error": {"message": "boom", "code": "x", "param": "p"}}\n\n'
    *_, failed, event = streamed(chunk({"content": "Hey"}), call(0, **FUNCTION), error).events
    response = failed["response"]
    assert failed["type"] == "response.failed"
    assert response["status"] == "failed"
    assert response["error"] == {"code": "server_error", "message": "boom"}
    assert response["output"] == [{**MESSAGE, "content": [TEXT]}, {**CALL, "status": "incomplete"}]
    assert event["sequence_number"] == failed["sequence_number"] + 1
    assert {key: event[key] for key in ("type", "code", "message", "param")} == {
        "type": "error",
        "code": "x",
        "message": "boom",
        "param": "p",
    }
    assert (event["error"]["message"], event["error"]["type"]) == ("boom", "server_error")
