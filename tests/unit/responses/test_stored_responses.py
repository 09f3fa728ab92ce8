"""The routes below a stored response: pages of its input items, and what each method answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.calls import Answer, Call, ReportChanges, StoreAccess
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.responses.stored_responses import stored_response
from tess_openai.edge.response_stores import MemoryResponseStore, access_store
from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

NUMBER = "0" * 24
RESPONSE = f"/responses/resp_{NUMBER}"
FROM_1_TO_100 = "limit must be a number from 1 to 100."
ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()


def stored(*items: JSON, **fields: object) -> MemoryResponseStore:
    """Return a store with the response to some input items."""
    store = MemoryResponseStore()
    options = Options(policy=Policy("ignore"))
    drive({"input": list(items), **fields}, [ANSWER], store=store, options=options)
    return store


def request(
    store: MemoryResponseStore,
    path: str = "",
    *,
    method: str = "GET",
    query: str = "",
    policy: Policy | None = None,
) -> Carried:
    """Send a request to a route below the stored response."""
    options = Options() if policy is None else Options(policy=policy)
    path = f"{RESPONSE}{path}"
    return drive(None, [], method=method, path=path, query=query, store=store, options=options)


def questions(count: int) -> list[JSON]:
    """Return messages of the user."""
    return [{"role": "user", "content": str(number)} for number in range(count)]


def item_id(number: int) -> str:
    """Return the id of an input item."""
    return f"msg_{NUMBER}{1000 + number}"


@pytest.mark.parametrize(
    ("query", "numbers", "has_more"),
    [
        pytest.param("", [4, 3, 2, 1, 0], False, id="the newest first"),
        pytest.param("order=desc&limit=2", [4, 3], True, id="a page of two"),
        pytest.param("order=asc&limit=5", [0, 1, 2, 3, 4], False, id="a page of all"),
        pytest.param(f"order=asc&after={item_id(1)}", [2, 3, 4], False, id="after one"),
        pytest.param(f"order=asc&before={item_id(2)}", [0, 1], False, id="before one"),
        pytest.param(f"after={item_id(3)}&before={item_id(0)}", [2, 1], False, id="between two"),
        pytest.param(f"after={item_id(0)}", [], False, id="after the last"),
        pytest.param(f"limit=1&after={item_id(4)}", [3], True, id="the second page of one"),
        pytest.param("limit=1&limit=2", [4, 3], True, id="a limit that is given twice"),
    ],
)
def test_input_items_come_in_pages(query: str, numbers: list[int], *, has_more: bool) -> None:
    """The SDK asks for the next page after the last id as long as there are more."""
    page = json.loads(request(stored(*questions(5)), "/input_items", query=query).body)
    assert [item["id"] for item in page["data"]] == [item_id(number) for number in numbers]
    ids = [item_id(numbers[0]), item_id(numbers[-1])] if numbers else ["", ""]
    assert (page["object"], page["first_id"], page["last_id"]) == ("list", *ids)
    assert page["has_more"] is has_more


def test_a_page_has_twenty_items_unless_another_number_is_asked_for() -> None:
    """A hundred are the most, as at OpenAI."""
    store = stored(*questions(101))
    lengths = [
        len(json.loads(request(store, "/input_items", query=query).body)["data"])
        for query in ("", "limit=100")
    ]
    assert lengths == [20, 100]


@pytest.mark.parametrize(
    ("query", "param", "message"),
    [
        ("order=up", "order", "order must be asc or desc."),
        ("limit=0", "limit", FROM_1_TO_100),
        ("limit=101", "limit", FROM_1_TO_100),
        ("limit=-1", "limit", FROM_1_TO_100),
        ("limit=0001", "limit", FROM_1_TO_100),
        ("limit=%C2%B2", "limit", FROM_1_TO_100),
        ("after=msg_nothing", "after", "after names no item of this response."),
        ("before=msg_nothing", "before", "before names no item of this response."),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: str, param: str, message: str) -> None:
    """The error names the parameter, and what it may be."""
    carried = request(stored(*questions(2)), "/input_items", query=query)
    error = json.loads(carried.body)["error"]
    assert (carried.status, error["param"], error["code"]) == (400, param, "invalid_value")
    assert error["message"] == message


def test_listed_items_have_the_fields_of_the_api() -> None:
    """A text becomes a part, of the kind that its role has, and each item gets its type and its status."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items: list[JSON] = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "status": "incomplete"},
        {
            "role": "user",
            "content": [
                {"type": "input_image", "image_url": "data:,"},
                {"type": "text", "text": "c"},
                {"type": "output_text", "text": "d"},
                {"text": "e"},
                "f",
            ],
        },
        call,
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]
    page = json.loads(request(stored(*items), "/input_items", query="order=asc").body)
    image = {"detail": "auto", "type": "input_image", "image_url": "data:,"}
    assert [{key: value for key, value in item.items() if key != "id"} for item in page["data"]] == [
        {
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_text", "text": "a"}],
        },
        {
            "type": "message",
            "role": "assistant",
            "status": "incomplete",
            "content": [{"type": "output_text", "text": "b", "annotations": []}],
        },
        {
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [
                image,
                {"type": "input_text", "text": "c"},
                {"type": "input_text", "text": "d"},
                {"text": "e"},
                "f",
            ],
        },
        {**call, "status": "completed"},
        {"type": "function_call_output", "call_id": "c", "output": "1", "status": "completed"},
    ]
    prefixes = [item["id"].partition("_")[0] for item in page["data"]]
    assert prefixes == ["msg", "msg", "msg", "fc", "fco"]


def test_an_item_keeps_the_id_that_its_caller_gave_it() -> None:
    """The caller may ask for the items after it, and other items get an id of the response."""
    items: list[JSON] = [
        {"id": "msg_own", "role": "user", "content": "a"},
        {"id": "", "role": "user", "content": "b"},
    ]
    page = json.loads(request(stored(*items), "/input_items", query="order=asc").body)
    assert [item["id"] for item in page["data"]] == ["msg_own", item_id(1)]


def test_a_response_is_retrieved_and_deleted() -> None:
    """After that it is not found, and the error says where responses are kept."""
    store = stored(*questions(1))
    response = json.loads(request(store).body)
    assert response["id"] == f"resp_{NUMBER}"
    error = json.loads(request(store, query="stream=true").body)["error"]
    assert (error["param"], error["code"]) == ("stream", "unsupported_parameter")
    assert error["message"] == "stream: a stored response is returned as a whole. Leave stream out."
    assert json.loads(request(store, query="stream=false").body) == response
    deleted = json.loads(request(store, method="DELETE").body)
    assert deleted == {"id": f"resp_{NUMBER}", "object": "response", "deleted": True}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
        missing = request(store, path, method=method)
        error = json.loads(missing.body)["error"]
        assert (missing.status, error["code"]) == (404, "response_not_found")
        assert error["param"] == "response_id"
        assert "responses_store=SQLiteResponseStore(path)" in error["message"]


@pytest.mark.parametrize(
    ("background", "status"), [(True, 200), (False, 400)], ids=["in the background", "synchronous"]
)
def test_only_a_response_in_the_background_is_cancelled(*, background: bool, status: int) -> None:
    """It has ended already, so that it is returned as it is."""
    store = stored(*questions(1), background=background)
    cancelled = request(store, "/cancel", method="POST")
    assert cancelled.status == status
    body = json.loads(cancelled.body)
    if background:
        assert body == json.loads(request(store).body)
    else:
        assert body["error"]["code"] == "invalid_request"
        assert body["error"]["message"] == "Cannot cancel a synchronous response."


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", "/cancel"), ("POST", "/input_items"), ("GET", "/events")]
)
def test_other_routes_below_a_response_are_refused(method: str, path: str) -> None:
    """Nothing is sent to Tess, which does not know responses."""
    carried = request(stored(*questions(1)), path, method=method)
    assert (carried.status, carried.sent) == (404, None)
    error = json.loads(carried.body)["error"]
    assert error["code"] == "endpoint_not_supported"
    assert error["message"] == (
        "Tess does not have this part of the Responses API. The request was not sent."
    )


LOGPROBS = "message.output_text.logprobs"


@pytest.mark.parametrize("name", ["include", "include[]"])
@pytest.mark.parametrize("path", ["", "/input_items"])
@pytest.mark.parametrize("word", ["warn", "forward", "ignore", "error"])
def test_what_a_stored_response_does_not_include_is_reported(name: str, path: str, word: Any) -> None:
    """There is no request with which it could be forwarded, and the policy's other words apply."""
    policy = Policy("error" if word != "error" else "warn", {"include": word})
    carried = request(stored(*questions(1)), path, query=f"{name}={LOGPROBS}", policy=policy)
    body = json.loads(carried.body)
    if word == "error":
        assert (carried.status, body["error"]["param"]) == (400, "include")
        return
    (change,) = carried.changes
    assert (change.action, change.param, change.given) == ("stripped", "include", LOGPROBS)
    assert change.warn == (None if word == "ignore" else "request")
    assert body["tess_openai"]["changes"] == [change.to_json()]
    assert json.loads(carried.headers["x-tess-openai"] or "") == [change.to_json()]
    assert carried.headers["content-type"] == "application/json"


def test_a_response_is_not_deleted_when_its_warning_is_an_error() -> None:
    """The caller's filters refuse the request."""
    store = stored(*questions(1))
    query = f"include={LOGPROBS}"
    flow = stored_response(
        Call("DELETE", RESPONSE, {}, b"", 0, lambda: 1, lambda: NUMBER, agent="42", query=query), Options()
    )
    step = next(flow)
    assert isinstance(step, StoreAccess)
    assert isinstance(flow.send(access_store(store, step)), ReportChanges)
    answer = flow.send("The caller made this warning an error.")
    assert isinstance(answer, Answer)
    assert answer.status == 400
    assert json.loads(answer.body or b"")["error"]["code"] == "warning_is_error"
    assert list(flow) == []
    assert request(store).status == 200


@pytest.mark.parametrize("path", ["/responses", "/responses/"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_responses_as_a_whole_are_no_response(method: str, path: str) -> None:
    """OpenAI has no list of them either, so the error does not speak of an id."""
    carried = drive(None, [], method=method, path=path, store=stored(*questions(1)))
    assert json.loads(carried.body)["error"]["code"] == "endpoint_not_supported"


def test_an_answer_from_the_store_has_none_of_the_headers_of_an_earlier_one() -> None:
    """No request is sent, so that there is no response to take headers from."""
    flow = stored_response(
        Call("GET", RESPONSE, {}, b"", 0, lambda: 1, lambda: NUMBER, agent="42"), Options()
    )
    step = next(flow)
    assert isinstance(step, StoreAccess)
    answer = flow.send(access_store(stored(*questions(1)), step))
    assert isinstance(answer, Answer)
    assert answer.base == "none"
