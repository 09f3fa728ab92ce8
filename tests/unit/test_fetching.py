"""How objects and lists are read from Tess: what counts as an answer, and where a list ends."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tess_openai.core.calls import Event, Incoming, Outgoing, ReadAll, Step
from tess_openai.core.errors import TessError
from tess_openai.core.fetching import next_page, read_error, read_object, read_pages
from tess_openai.core.field_errors import FieldError, field_errors_of, field_names_of, with_field_errors
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tests.unit.fetched import fetch


@pytest.mark.parametrize(
    ("page", "number", "expected"),
    [
        ({"data": [1], "last_page": 3}, 1, 2),
        ({"data": [1], "last_page": 3}, 2, 3),
        ({"data": [1], "last_page": 3}, 3, None),
        ({"data": [1], "last_page": "3"}, 1, 2),
        ({"data": [1], "meta": {"last_page": 3}}, 1, 2),
        ({"data": [1], "last_page": 1, "meta": {"last_page": 3}}, 1, None),
        ({"data": [1]}, 1, None),
        ({"data": [1], "meta": []}, 1, None),
        ({"data": [], "last_page": 3}, 1, None),
        ({"last_page": 3}, 1, None),
        ({"data": [1], "last_page": "\u0663"}, 1, None),
        ({"data": [1], "last_page": "many"}, 1, None),
        ({"data": [1], "last_page": "9999999999"}, 1, None),
        ({"data": [1], "last_page": "999999999"}, 1, 2),
        ({"data": [1], "last_page": 3.0}, 1, None),
    ],
)
def test_a_list_ends_at_its_last_page(page: dict[str, Any], number: int, expected: int | None) -> None:
    """A page without items is the last one too, whatever number it gives."""
    assert next_page(page, number) == expected


@pytest.mark.parametrize(
    ("headers", "expected"), [({}, [1.0]), ({"retry_after": 7}, [7.0]), ({"retry_after": 10**6}, [3600.0])]
)
def test_a_rate_limit_pauses_the_key(headers: dict[str, Any], expected: list[float]) -> None:
    """The pause is as long as Tess asks, up to a limit, and a second where it gives no time."""
    fetched = fetch("GET", "/files", [(429, {"error": "Too many requests", **headers})])
    assert fetched.pauses == expected
    assert fetched.answer.status == 429


def test_another_error_pauses_nothing() -> None:
    """Only a rate limit concerns the other calls of the key."""
    assert fetch("GET", "/files", [(403, {"error": "Forbidden"})]).pauses == []


def test_the_wait_for_the_sdk_is_that_of_the_options() -> None:
    """The SDK is not to retry when Tess asks for a longer wait."""
    answer = (429, {"error": "Too many requests", "retry_after": 7})
    for limit, retried in ((5.0, "false"), (9.0, None)):
        options = Options(max_retry_wait_seconds=limit)
        for method, path in (("GET", "/files"), ("GET", "/files/7"), ("DELETE", "/files/7")):
            fetched = fetch(method, path, [answer], options=options)
            assert fetched.answer.headers.get("x-should-retry") == retried


@pytest.mark.parametrize(
    "answer", [b"<html></html>", b"", b"7", {"error": "No."}, {"files": []}, {"data": 7}]
)
def test_an_answer_that_is_no_list_is_an_error(answer: object) -> None:
    """The caller must not take it for an empty list."""
    fetched = fetch("GET", "/files", [(200, answer)])
    assert fetched.answer.status >= 400
    assert "error" in fetched.body


@pytest.mark.parametrize("status", [300, 301, 307, 400, 500])
def test_a_status_from_300_is_an_error(status: int) -> None:
    """Its body is not read as an answer, even where it would be one."""
    assert "error" in fetch("GET", "/files", [(status, {"data": []})]).body


@pytest.mark.parametrize(
    ("incoming", "method", "words"),
    [
        (Incoming(307, {"location": "/x"}), "POST", "to another origin, or to a page outside the API"),
        (
            Incoming(307, {"location": "/x"}, True),
            "POST",
            "to another page, which would drop the request body",
        ),
        (Incoming(307, {"location": "/x"}, True), "GET", "to another page, which is not followed"),
        (Incoming(307, {"location": "/x"}, True, redirects=20), "GET", "after 20 redirects in a row"),
        (Incoming(304, {}), "GET", "without a location"),
    ],
)
def test_a_redirect_states_why_it_is_not_followed(incoming: Incoming, method: str, words: str) -> None:
    """Its body is not read, since the next page is what would count."""
    with pytest.raises(StopIteration) as ended:
        next(read_error(incoming, 60.0, method=method))
    error = ended.value.value
    assert words in error.message
    assert f"answered {incoming.status} " in error.message
    assert error.tess == {"location": incoming.headers.get("location", "")}


def read(
    incoming: Incoming, body: bytes, *, method: str | None = "GET", names_agent: bool = False
) -> TessError | JSONObject:
    """Return what is read of an answer to a request for an object."""
    reading = read_object(Outgoing(method=method), 60.0, expected="a thing", names_agent=names_agent)
    next(reading)
    try:
        step = reading.send(incoming)
        assert isinstance(step, ReadAll)
        reading.send(body)
    except StopIteration as ended:
        found: TessError | JSONObject = ended.value
        return found
    raise AssertionError(step)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("GET", "is not followed"),
        ("POST", "would drop the request body"),
        (None, "would drop the request body"),
    ],
)
def test_a_redirect_of_an_object_depends_on_the_method(method: str | None, words: str) -> None:
    """A request keeps the method of the call, a POST, unless it gives another."""
    error = read(Incoming(302, {"location": "/x"}, redirects_within_api=True), b"", method=method)
    assert isinstance(error, TessError)
    assert words in error.message


@pytest.mark.parametrize(("names_agent", "code"), [(True, "agent_not_found"), (False, "not_found")])
def test_a_404_is_about_the_agent_that_the_path_names(*, names_agent: bool, code: str) -> None:
    """Another path has another cause."""
    error = read(Incoming(404, {}), b'{"error": "Not found."}', names_agent=names_agent)
    assert isinstance(error, TessError)
    assert error.code == code


def test_a_status_of_400_is_no_redirect() -> None:
    """Its text is read."""
    error = read(Incoming(400, {}), b'{"error": "No."}')
    assert isinstance(error, TessError)
    assert (error.status, error.message) == (400, "No.")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content-type": "text/html"}, "an HTML page"),
        ({"content-type": "text/plain"}, "Sign in"),
        ({}, "Sign in"),
    ],
)
def test_a_page_in_place_of_an_object_is_called_one(headers: dict[str, str], words: str) -> None:
    """Its content type says so, also where its text does not."""
    error = read(Incoming(200, headers), b"Sign in")
    assert isinstance(error, TessError)
    assert error.message == f"Tess answered 200 with something other than a thing: {words}"


def test_a_list_is_read_up_to_the_page_with_the_item() -> None:
    """What follows is not needed, and each page is a request."""
    run = read_pages("/agents", {}, 60.0, expected="a list", is_last=lambda item: item["id"] == 2)
    pages = iter([{"data": [{"id": 1}], "last_page": 9}, {"data": [{"id": 2}, {"id": 3}], "last_page": 9}])
    assert read_to_the_end(run, pages) == (2, [{"id": 1}, {"id": 2}, {"id": 3}])


def test_a_list_without_an_end_is_read_for_1000_pages() -> None:
    """A server that promises ever more pages does not hold the caller for ever."""
    run = read_pages("/agents", {}, 60.0, expected="a list")
    pages = ({"data": [{"id": 1}], "last_page": 10**9} for _ in range(2000))
    assert read_to_the_end(run, pages)[0] == 1000


def read_to_the_end(
    run: Generator[Step, Event, list[JSONObject] | TessError], pages: Iterator[object]
) -> tuple[int, list[JSONObject] | TessError]:
    """Answer each request with the next page; return the number of requests, and the items."""
    event: Event = None
    requests = 0
    while True:
        try:
            step = run.send(event)
        except StopIteration as ended:
            return requests, ended.value
        if isinstance(step, Outgoing):
            requests += 1
            event = Incoming(200, {"content-type": "application/json"})
        else:
            assert isinstance(step, ReadAll)
            event = json.dumps(next(pages)).encode()


def test_a_list_may_be_the_whole_answer() -> None:
    """Some servers send no object around it."""
    assert fetch("GET", "/files", [(200, [{"id": 1}])]).body["data"][0]["id"] == "1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"errors": {"model": ["No.", "Never."]}}, [("model", "No."), ("model", "Never.")]),
        ({"messages": {"model": "No."}}, [("model", "No.")]),
        ({"errors": {"model": " No. ", "tools": " "}}, [("model", "No.")]),
        ({"errors": {"a": {"b": [{"c": ["No."]}]}}}, [("a.b.c", "No.")]),
        ({"errors": ["No."]}, [("", "No.")]),
        ({"errors": "No."}, [("", "No.")]),
        ({"errors": [{"field": "model", "message": "No."}]}, [("model", "No.")]),
        ({"errors": [{"param": "model", "reason": "No."}]}, [("model", "No.")]),
        ({"errors": [{"field": "", "param": "model", "msg": "No."}]}, [("model", "No.")]),
        ({"errors": {"body": [{"field": "model", "message": " No. "}]}}, [("body.model", "No.")]),
        ({"errors": [{"message": " ", "reason": "No."}]}, [("", "No.")]),
        ({"detail": [{"loc": ["body", "messages", 0], "msg": "No."}]}, [("messages.0", "No.")]),
        ({"detail": [{"loc": ["body"], "msg": "No."}]}, [("", "No.")]),
        ({"detail": "No."}, [("", "No.")]),
        ({"messages": [{"role": "user", "content": "hello"}]}, []),
        ({"messages": [{"role": {"x": "No."}}]}, [("role.x", "No.")]),
        ({"messages": {}, "errors": {"model": "No."}}, [("model", "No.")]),
        ({"messages": {"a": "First."}, "errors": {"b": "Second."}}, [("a", "First.")]),
        ({"errors": {"a": {"b": {"c": {"d": {"e": {"f": "No."}}}}}}}, [("a.b.c.d.e.f", "No.")]),
        ({"errors": {"a": {"b": {"c": {"d": {"e": {"f": {"g": "No."}}}}}}}}, []),
        ({"error": "No."}, []),
        ({"errors": 7}, []),
    ],
)
def test_the_errors_of_fields_are_read_in_every_form(
    body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Messages of a chat that a server returns are not errors."""
    assert field_errors_of(body) == [FieldError(*each) for each in expected]


def test_a_hostile_body_gives_fifty_errors_at_most() -> None:
    """The message for the caller stays readable."""
    found = field_errors_of({"errors": {f"f{number}": "No." for number in range(99)}})
    assert [error.field for error in found] == [f"f{number}" for number in range(50)]


def test_refused_fields_are_named_once() -> None:
    """An error without a field names none."""
    errors = [FieldError("b", "1"), FieldError("", "2"), FieldError("a", "3"), FieldError("b", "4")]
    assert field_names_of(errors) == ("b", "a")


@pytest.mark.parametrize(
    ("message", "errors", "expected"),
    [
        ("Failed.", [], "Failed."),
        ("Failed.", [("a", "No.")], "Failed: a: No."),
        ("", [("a", "No."), ("b", "Never.")], "a: No.; b: Never."),
        ("Failed", [("a", "No."), ("b", "Why?"), ("a", "Never.")], "Failed: a: No. Never.; b: Why?"),
        ("Failed", [("a", "No."), ("a", "No.")], "Failed: a: No."),
        ("Failed", [("", "No."), ("", "Never.")], "Failed: No. Never."),
        ("It was No.", [("a", "No.")], "It was No."),
        ("", [], ""),
    ],
)
def test_a_message_contains_every_reason_once(
    message: str, errors: list[tuple[str, str]], expected: str
) -> None:
    """Reasons are grouped by their field, and one that the message has already is not repeated."""
    assert with_field_errors(message, [FieldError(*each) for each in errors]) == expected
