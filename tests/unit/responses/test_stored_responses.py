"""The routes below a stored response: pages of its input items, and what each method answers."""

from __future__ import annotations

import json

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.edge.response_stores import MemoryResponseStore
from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

NUMBER = "0" * 24
RESPONSE = f"/responses/resp_{NUMBER}"
ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()


def stored(*items: JSON, **fields: object) -> MemoryResponseStore:
    """Return a store with the response to some input items."""
    store = MemoryResponseStore()
    options = Options(policy=Policy("ignore"))
    drive({"input": list(items), **fields}, [ANSWER], store=store, options=options)
    return store


def request(store: MemoryResponseStore, path: str = "", *, method: str = "GET", query: str = "") -> Carried:
    """Send a request to a route below the stored response."""
    return drive(None, [], method=method, path=f"{RESPONSE}{path}", query=query, store=store)


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
    ("query", "param"),
    [
        ("order=up", "order"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=0001", "limit"),
        ("limit=%C2%B2", "limit"),
        ("after=msg_nothing", "after"),
        ("before=msg_nothing", "before"),
    ],
)
def test_a_page_that_cannot_be_is_refused(query: str, param: str) -> None:
    """The error names the parameter."""
    carried = request(stored(*questions(2)), "/input_items", query=query)
    error = json.loads(carried.body)["error"]
    assert (carried.status, error["param"], error["code"]) == (400, param, "invalid_value")


def test_listed_items_have_the_fields_of_the_api() -> None:
    """A text becomes a part, of the kind that its role has, and each item gets its type and its status."""
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items: list[JSON] = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "status": "incomplete"},
        {
            "role": "user",
            "content": [{"type": "input_image", "image_url": "data:,"}, {"type": "text", "text": "c"}],
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
            "content": [image, {"type": "input_text", "text": "c"}],
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
    assert json.loads(request(store, query="stream=true").body)["error"]["param"] == "stream"
    assert json.loads(request(store, query="stream=false").body) == response
    deleted = json.loads(request(store, method="DELETE").body)
    assert deleted == {"id": f"resp_{NUMBER}", "object": "response", "deleted": True}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")):
        missing = request(store, path, method=method)
        error = json.loads(missing.body)["error"]
        assert (missing.status, error["code"]) == (404, "response_not_found")
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
    assert (
        body == json.loads(request(store).body) if background else body["error"]["code"] == "invalid_request"
    )


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ""), ("GET", "/cancel"), ("POST", "/input_items"), ("GET", "/events")]
)
def test_other_routes_below_a_response_are_refused(method: str, path: str) -> None:
    """Nothing is sent to Tess, which does not know responses."""
    carried = request(stored(*questions(1)), path, method=method)
    assert (carried.status, carried.sent) == (404, None)
    assert json.loads(carried.body)["error"]["code"] == "endpoint_not_supported"


def test_input_tokens_are_estimated_of_all_that_the_model_reads() -> None:
    """Each four bytes of texts, parts, calls and functions count as a token; no request is sent to Tess."""

    def count(*items: JSON, **fields: object) -> int:
        carried = drive({"input": list(items), **fields}, [], path="/responses/input_tokens")
        assert carried.sent is None
        counted = json.loads(carried.body)
        assert (counted["object"], counted["estimated"]) == ("response.input_tokens", True)
        tokens: int = counted["input_tokens"]
        return tokens

    question = {"role": "user", "content": "x" * 400}
    part = {"role": "user", "content": [{"type": "input_text", "text": "x" * 400}]}
    one = count(question)
    assert 100 <= one < 120
    assert count(part) == one
    assert count(question, question) >= 2 * 100
    assert count(question, instructions="y" * 400) >= 2 * 100
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"a": "z" * 400})}
    assert count(question, call) >= 2 * 100
    tool = {"type": "function", "name": "f", "description": "d" * 400, "parameters": {"type": "object"}}
    assert count(question, tools=[tool]) >= 2 * 100
