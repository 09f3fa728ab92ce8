"""What a continued conversation contains already is not sent twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.edge.response_stores import MemoryResponseStore
from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

QUESTION = {"role": "user", "content": "hi"}
NEXT = {"role": "user", "content": "And now?"}
CALL: JSON = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
FIRST_ID = f"resp_{'0' * 24}"


def continued(message: JSON, *items: JSON, word: Any = "warn") -> Carried:
    """Continue an answer with items, where `{}` means the first item of its output."""
    store = MemoryResponseStore()
    options = Options(policy=Policy("ignore"))
    answer = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    first = drive({"input": [QUESTION]}, [answer], store=store, options=options)
    output = json.loads(first.body)["output"]
    given = [output[0] if item == {} else item for item in items]
    body: JSON = {"input": given, "previous_response_id": FIRST_ID}
    return drive(body, [answer], store=store, options=Options(policy=Policy(word)))


def texts(carried: Carried) -> list[str]:
    """Return the texts that the model reads."""
    return [message["content"] for message in carried.messages]


QUESTION_ID = f"msg_{'0' * 24}1000"
REPEATED: dict[str, JSON] = {
    "an output item": {},  # replaced by the item itself
    "a reference to one": {"type": "item_reference", "id": f"msg_{'0' * 24}0000"},
    "an input item with its id": {"type": "message", "id": QUESTION_ID, **QUESTION},
    "an input item in another form": {
        "type": "message",
        "id": QUESTION_ID,
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "hi"}],
    },
}


@pytest.mark.parametrize("item", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("word", ["warn", "error"])
def test_an_item_with_the_id_of_an_earlier_one_is_sent_once(item: JSON, word: str) -> None:
    """The model reads it where it was, and the ledger says so; nothing is missing, so no warning."""
    carried = continued({"content": "Hello"}, item, NEXT, word=word)
    assert texts(carried) == ["hi", "Hello", "And now?"]
    (change,) = carried.changes
    assert (change.action, change.param, change.given, change.warn) == ("stripped", "input", "1 item", None)


def test_a_call_of_the_previous_response_is_sent_once() -> None:
    """Its id may be missing; its output is new."""
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a": 1}'}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "2"}
    carried = continued({"content": None, "tool_calls": [CALL]}, call, output)
    assert texts(carried) == [
        "hi",
        '[Called the tool f (call_1) with {"a": 1}]',
        "[Result of the tool f (call_1)]\n2",
    ]
    assert ("input", "1 item") in [(change.param, change.given) for change in carried.changes]


NEW: dict[str, tuple[JSON, str]] = {
    "a message without an id": (QUESTION, "hi"),
    "a changed message": ({"type": "message", "id": QUESTION_ID, "role": "user", "content": "ho"}, "ho"),
    "a call with other arguments": (
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        "[Called the tool f (call_1) with {}]",
    ),
    "an id that is no string": ({"id": 1, "type": "message", "role": "user", "content": "x"}, "x"),
}


@pytest.mark.parametrize("item_id", ["", "msg_1", "__fake_id__"])
def test_an_id_that_may_not_be_unique_is_no_repetition(item_id: str) -> None:
    """A client may give it to each message that it makes, and a person may say the same twice."""
    repeated = {"type": "message", "id": item_id, "role": "user", "content": "Yes."}
    store = MemoryResponseStore()
    answer = json.dumps({"choices": [{"index": 0, "message": {"content": "Sure?"}}]}).encode()
    drive({"input": [repeated]}, [answer], store=store)
    carried = drive({"input": [repeated], "previous_response_id": FIRST_ID}, [answer], store=store)
    assert texts(carried) == ["Yes.", "Sure?", "Yes."]


@pytest.mark.parametrize(("item", "text"), NEW.values(), ids=NEW)
def test_anything_else_is_sent(item: JSON, text: str) -> None:
    """A program may say the same again, and what it changed is not the same."""
    carried = continued({"content": "Hello", "tool_calls": [CALL]}, item)
    assert carried.messages[-1]["content"].endswith(text)
    assert "input" not in {change.param for change in carried.changes}


LISTED: dict[str, tuple[JSON, JSON]] = {
    "an image": (
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
    ),
    "an image with a detail": (
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:,", "detail": "low"}]},
        {"type": "input_image", "image_url": "data:,", "detail": "low"},
    ),
    "an image as the output of a call": (
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "file_id": "7"}]},
        {"type": "input_image", "file_id": "7", "detail": "auto"},
    ),
    "a text in the form of chat": (
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {"type": "input_text", "text": "x"},
    ),
    "an answer given as an input": (
        {"role": "assistant", "content": [{"type": "input_text", "text": "x"}]},
        {"type": "output_text", "text": "x", "annotations": []},
    ),
}


@pytest.mark.parametrize(("item", "part"), LISTED.values(), ids=LISTED)
def test_parts_of_input_items_are_complete(item: JSON, part: JSON) -> None:
    """They have the fields that the types of the SDK require, whatever the client left out."""
    store = MemoryResponseStore()
    options = Options(policy=Policy("ignore"))
    answer = json.dumps({"choices": [{"index": 0, "message": {"content": "Hi"}}]}).encode()
    drive({"input": [QUESTION, item]}, [answer], store=store, options=options)
    listed = drive(None, [], method="GET", path=f"/responses/{FIRST_ID}/input_items", store=store)
    (found, _) = json.loads(listed.body)["data"]
    assert found.get("content", found.get("output")) == [part]
