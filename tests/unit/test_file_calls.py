"""Calls below `/files`: which request Tess gets, and which answer the caller."""

from __future__ import annotations

import pytest

from tess_openai.core.files import to_epoch, to_file
from tests.unit.fetched import fetch

NOON = 1_767_225_600
"""2026-01-01T00:00:00Z."""


def file(number: int, *, seconds: int = 0, **fields: object) -> dict[str, object]:
    """Return a file as Tess describes it, created so many seconds after a fixed time."""
    return {"id": number, "object": "file", "created_at": NOON + seconds, "status": "completed", **fields}


def ids_of(listed: dict[str, list[dict[str, object]]]) -> list[object]:
    """Return the ids in a list that the caller got."""
    return [item["id"] for item in listed["data"]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NOON, NOON),
        (True, 0),
        (None, 0),
        (1.5, 0),
        ("yesterday", 0),
        ("2026-01-01T00:00:00Z", NOON),
        (" 2026-01-01T00:00:00 ", NOON),
        ("2026-01-01T01:00:00+01:00", NOON),
        ("2026-01-01", NOON),
    ],
)
def test_a_time_becomes_seconds_since_the_epoch(given: object, expected: int) -> None:
    """A time without a zone is UTC, and an unknown one is 0."""
    assert to_epoch(given) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "completed"}, "processed"),
        ({"status": "failed"}, "error"),
        ({"status": "waiting"}, "uploaded"),
        ({"status": "processing"}, "uploaded"),
        ({"status": 7}, "uploaded"),
        ({}, "uploaded"),
        ({"error": "too large"}, "error"),
        ({"status": "unknown", "error": "too large"}, "error"),
        ({"status": ["waiting"], "error": {"code": 1}}, "error"),
    ],
)
def test_the_status_of_a_file_is_one_of_openai(fields: dict[str, object], expected: str) -> None:
    """A file that cannot be read yet is uploaded, and one with an error has failed."""
    assert to_file(fields)["status"] == expected


def test_a_file_has_the_shape_of_openai() -> None:
    """Fields that Tess left out, or that have another type, get a value of the right type."""
    given = {"id": 901, "bytes": 5, "created_at": NOON, "filename": "a.txt", "status": "completed"}
    assert to_file(given) == {
        "id": "901",
        "object": "file",
        "bytes": 5,
        "created_at": NOON,
        "filename": "a.txt",
        "purpose": "assistants",
        "status": "processed",
        "tess": given,
    }
    odd: dict[str, object] = {"id": True, "bytes": "5", "created_at": [], "filename": 7, "status": None}
    assert to_file(odd) == {
        "id": "",
        "object": "file",
        "bytes": 0,
        "created_at": 0,
        "filename": "",
        "purpose": "assistants",
        "status": "uploaded",
        "tess": odd,
    }
    assert to_file({"id": " 901 "})["id"] == "901"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/files/901", "GET /files/901?"),
        ("GET", "/files/901/", "GET /files/901?"),
        ("POST", "/files/901/process", "POST /files/901/process?"),
        ("DELETE", "/files/901", "DELETE /files/901?"),
        ("POST", "/files", "None /files?None"),
    ],
)
@pytest.mark.parametrize("is_nested", [False, True])
def test_a_file_is_asked_for_below_the_root(
    method: str, path: str, expected: str, *, is_nested: bool
) -> None:
    """The request has the workspace, and its own path instead of that of the agent."""
    answer = {"data": file(901)} if is_nested else file(901)
    fetched = fetch(method, path, [(200, answer)])
    assert fetched.requests == [expected]
    assert fetched.sent[0].headers["x-workspace-id"] == "7001"
    assert (fetched.sent[0].body is None) is (path == "/files")
    assert (fetched.answer.status, fetched.answer.base) == (200, "none")
    assert fetched.answer.headers == {"content-type": "application/json"}
    deleted = {"id": "901", "object": "file", "deleted": True}
    assert fetched.body == (deleted if method == "DELETE" else to_file(file(901)))


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/files/file-abc", "must be its number in Tess"),
        ("GET", "/files/\u0663", "must be its number in Tess"),
        ("DELETE", "/files", "must be its number in Tess"),
        ("GET", "/files/901/content", "does not return the content"),
        ("GET", "/files/901/parts", "has no GET for this part of a file"),
        ("GET", "/files/901/process", "has no GET for this part of a file"),
        ("DELETE", "/files/901/process", "has no DELETE for this part of a file"),
        ("POST", "/files/901", "has no POST for a file"),
        ("PATCH", "/files/901", "has no PATCH for a file"),
    ],
)
def test_what_tess_does_not_have_is_not_sent(method: str, path: str, words: str) -> None:
    """The caller gets a 404 that says so, and Tess no request."""
    fetched = fetch(method, path)
    assert fetched.sent == []
    assert fetched.error == (404, "file_not_found", None)
    assert words in fetched.body["error"]["message"]
    assert "The request was not sent." in fetched.body["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "code", "has_hint"),
    [
        ("GET", "/files/7", "file_not_found", False),
        ("DELETE", "/files/7", "file_not_found", False),
        ("POST", "/files", "http_404", True),
        ("GET", "/files", "http_404", True),
    ],
)
def test_a_missing_file_differs_from_a_wrong_root(
    method: str, path: str, code: str, *, has_hint: bool
) -> None:
    """Where no single file was named, a 404 means that the base URL is not that of the API."""
    fetched = fetch(method, path, [(404, {"error": "Not found"})])
    assert fetched.error[:2] == (404, code)
    assert ("TESS_BASE_URL" in fetched.body["error"]["message"]) is has_hint


@pytest.mark.parametrize("path", ["/files/7", "/files"])
def test_another_error_is_passed_on(path: str) -> None:
    """Its status stays, and its code is not that of a missing file."""
    fetched = fetch("GET", path, [(403, {"error": "Forbidden"})])
    assert fetched.answer.status == 403
    assert fetched.error[1] != "file_not_found"


@pytest.mark.parametrize(
    "answer", [{"success": False}, {"deleted": False}, {"error": "in use"}, b"<html></html>"]
)
def test_a_deletion_that_tess_reports_as_failed_is_an_error(answer: object) -> None:
    """The caller must not take the file for deleted."""
    assert "error" in fetch("DELETE", "/files/901", [(200, answer)]).body


@pytest.mark.parametrize("answer", [b"", b" \n", {}, {"success": True}, {"deleted": True}, []])
def test_a_deletion_succeeds_unless_tess_reports_a_failure(answer: object) -> None:
    """Its answer may be empty."""
    fetched = fetch("DELETE", "/files/901", [(200, answer)])
    assert fetched.body == {"id": "901", "object": "file", "deleted": True}


@pytest.mark.parametrize("answer", [{}, {"data": {}}, {"id": ""}, {"id": None}, {"data": []}])
def test_an_answer_that_is_no_file_is_an_error(answer: object) -> None:
    """A file has an id."""
    assert "error" in fetch("GET", "/files/901", [(200, answer)]).body


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/files", "a list of files"),
        ("GET", "/files/901", "a file"),
        ("DELETE", "/files/901", "a deletion"),
    ],
)
def test_an_error_states_what_the_answer_should_have_been(method: str, path: str, expected: str) -> None:
    """The status of the answer is in the message too."""
    fetched = fetch(method, path, [(206, b'"OK"')])
    assert fetched.answer.status == 502
    assert fetched.body["error"]["message"].startswith(f"Tess answered 206 with JSON that is not {expected}")


@pytest.mark.parametrize("path", ["/files", "/files/901"])
def test_a_request_without_a_body_has_no_content_type(path: str) -> None:
    """The body and the content type of the SDK's request are not sent with it."""
    (sent,) = fetch("GET", path, [(200, {"data": file(901)})]).sent
    assert (sent.body, sent.headers["content-type"]) == (b"", None)


def test_a_file_that_tess_could_not_process_is_still_a_file() -> None:
    """It contains an error, but the call succeeded."""
    fetched = fetch("GET", "/files/901", [(200, file(901, status="failed", error="unreadable"))])
    assert (fetched.answer.status, fetched.body["status"]) == (200, "error")


def test_all_pages_of_a_list_are_read() -> None:
    """Each page is asked for by number, and what is not a file is left out."""
    pages = [
        (200, {"data": [file(1, seconds=1), {"name": "no file"}, 7], "last_page": 2}),
        (200, {"data": [file(2, seconds=2)], "last_page": 2}),
    ]
    fetched = fetch("GET", "/files", pages)
    assert fetched.requests == ["GET /files?page=1&per_page=100", "GET /files?page=2&per_page=100"]
    assert fetched.body == {
        "object": "list",
        "data": [to_file(file(2, seconds=2)), to_file(file(1, seconds=1))],
        "first_id": "2",
        "last_id": "1",
        "has_more": False,
    }


def test_an_empty_list_has_no_ids() -> None:
    """The fields exist, as with OpenAI."""
    assert fetch("GET", "/files", [(200, {"data": []})]).body == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.parametrize(
    ("query", "expected", "has_more"),
    [
        ("", ["12", "3", "2", "1"], False),
        ("order=desc", ["12", "3", "2", "1"], False),
        ("order=asc", ["1", "2", "3", "12"], False),
        ("limit=2", ["12", "3"], True),
        ("limit=4", ["12", "3", "2", "1"], False),
        ("limit=x", ["12", "3", "2", "1"], False),
        ("limit=-1", ["12", "3", "2", "1"], False),
        ("after=3", ["2", "1"], False),
        ("after=3&limit=1", ["2"], True),
        ("after=2&order=asc", ["3", "12"], False),
        ("after=7", ["3", "2", "1"], False),
        ("after=7&order=asc", ["12"], False),
        ("after=99&order=asc", [], False),
        ("after=99", ["12", "3", "2", "1"], False),
        ("after=file-abc", ["12", "3", "2", "1"], False),
        ("after=12&after=3", ["2", "1"], False),
    ],
)
def test_a_list_is_sorted_and_cut(query: str, expected: list[str], *, has_more: bool) -> None:
    """The newest come first, numbers decide among files of one time, and `after` may name a deleted file."""
    found = [file(3), file(12), file(1), file(2)]
    fetched = fetch("GET", "/files", [(200, {"data": found})], query=query)
    assert ids_of(fetched.body) == expected
    assert fetched.body["has_more"] is has_more
    assert fetched.body["first_id"] == (expected[0] if expected else None)
    assert fetched.body["last_id"] == (expected[-1] if expected else None)


def test_the_time_of_a_file_counts_more_than_its_number() -> None:
    """A file may get its number before another one and be complete after it."""
    found = [file(1, seconds=9), file(2, seconds=1), file(3, seconds=5, id="abc")]
    fetched = fetch("GET", "/files", [(200, found)])
    assert ids_of(fetched.body) == ["1", "abc", "2"]
