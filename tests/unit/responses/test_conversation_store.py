"""What is kept of a response, under which key, and what a store that fails means for the caller."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import pytest

from tess_openai.core.calls import Call, StoreAccess, StoreResult
from tess_openai.core.jsons import MAX_NESTING
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.conversation_store import (
    StoredResponse,
    delete_response,
    load_response,
    parse_stored,
    response_id_of_item,
    save_response,
)

RESPONSE = {"id": "resp_1", "output": [{"id": "msg_1"}, None, 7]}


def call_with(key: str | None) -> Call:
    """Return a call with an API key, or without one."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return Call("POST", "/responses", headers, b"", 0, lambda: 1, lambda: "x")


def key_of(key: str | None, response_id: str) -> str:
    """Return the key of the entry that a call looks for."""
    step = next(load_response(call_with(key), response_id))
    assert isinstance(step, StoreAccess)
    return step.key


def test_an_entry_is_found_only_with_the_api_key_that_saved_it() -> None:
    """The key of an entry shows neither the API key nor the id, since a store may be shared."""
    keys = [key_of(*each) for each in (("a", "1"), ("b", "1"), ("a", "2"), (None, "1"), ("a", "\ud83d"))]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
    assert key_of("a", "1") == keys[0]
    saved = next(save_response(call_with("a"), StoredResponse({"id": "1"}, []), b"{}"))
    deleted = next(delete_response(call_with("a"), "1"))
    assert isinstance(saved, StoreAccess)
    assert isinstance(deleted, StoreAccess)
    assert (saved.method, saved.key, deleted.method, deleted.key) == ("save", keys[0], "delete", keys[0])


@pytest.mark.parametrize("background", [False, True])
def test_what_is_saved_is_loaded_again(*, background: bool) -> None:
    """The conversation consists of the inputs and the output, without values that are not items."""
    stored = StoredResponse(RESPONSE, [{"id": "msg_0"}], background)
    loaded = parse_stored(stored.to_bytes(json.dumps(RESPONSE).encode()))
    assert loaded == stored
    assert loaded.items == [{"id": "msg_0"}, {"id": "msg_1"}]


def test_the_deepest_response_is_loaded_again() -> None:
    """A request of the deepest nesting that is accepted can be continued."""
    deep: object = "a"
    for _ in range(MAX_NESTING - 1):
        deep = [deep]
    stored = StoredResponse({"id": "1", "tools": deep}, [])
    assert parse_stored(stored.to_bytes(json.dumps(stored.response).encode())) == stored


@pytest.mark.parametrize(
    "value",
    [b"", b"[]", b'{"response": 7}', b'{"inputs": []}', b'{"response":{},7', b'{"response":{', b"\xff"],
)
def test_an_entry_of_another_form_counts_as_absent(value: bytes) -> None:
    """The caller gets the refusal of an unknown id, which names the remedy."""
    assert parse_stored(value) is None


@pytest.mark.parametrize("flow", [load_response, delete_response])
def test_a_store_that_fails_is_an_error_that_may_be_retried(flow: type) -> None:
    """The error names the exception of the store, and says that nothing was sent."""
    steps = flow(call_with("a"), "1")
    next(steps)
    with pytest.raises(
        Refused, match=r"^The store of responses failed with OSError\. Nothing was sent"
    ) as caught:
        steps.send(StoreResult(None, "OSError"))
    assert (caught.value.status, caught.value.code) == (503, "responses_store_failed")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"response": {"id": "1"}}, "returned dict instead of the saved bytes"),
        (7, "returned int instead of the saved bytes"),
        (b'{"response": {}, "inputs": []}', "returned an entry without the ids"),
        (b'{"response": {"id": "1"}, "inputs": [{"role": "user"}]}', "returned an entry without the ids"),
    ],
)
def test_a_store_that_returns_something_else_is_an_error(value: Any, problem: str) -> None:
    """The error names the method, in the form of the other failures of a store."""
    steps = load_response(call_with("a"), "1")
    next(steps)
    with pytest.raises(
        Refused, match=rf"^The store of responses failed with a load\(\) that {problem}"
    ) as caught:
        steps.send(StoreResult(value))
    assert (caught.value.status, caught.value.code) == (503, "responses_store_failed")


def test_a_store_may_return_the_text_of_an_entry() -> None:
    """A database may keep an entry as text."""
    steps = load_response(call_with("a"), "1")
    next(steps)
    with pytest.raises(StopIteration) as caught:
        steps.send(StoreResult(cast("bytes", '{"response":{"id":"\u00e9"},"inputs":[],"background":false}')))
    assert caught.value.value == StoredResponse({"id": "\u00e9"}, [])


def test_the_response_of_an_item_is_known_by_the_id_of_the_item() -> None:
    """Items are numbered within their response by the last digits."""
    assert response_id_of_item("msg_abc1000") == "resp_abc"
    assert response_id_of_item("fc_a_b0000") == "resp_a_b"
