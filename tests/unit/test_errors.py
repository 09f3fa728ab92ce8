"""Errors in every dialect become OpenAI's envelope with the reason, the field, a code and a hint."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.error_hints import KEY_HINT, PATH_HINT, RATE_HINT
from tess_openai.core.errors import TessError, message_of, parse_error, parse_error_in_200, parse_redirect
from tess_openai.core.jsons import parse_object
from tests.unit.error_dialects import DIALECTS, PAGE

NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


def read(status: int, body: object, *, budget: float = 60.0) -> TessError:
    """Read an error answer; a body that is no string is sent as JSON."""
    data = body if isinstance(body, str) else json.dumps(body)
    return parse_error(status, {}, data.encode(), max_retry_wait_seconds=budget)


@pytest.mark.parametrize(("status", "body", "expected"), DIALECTS)
def test_an_error_is_read(status: int, body: object, expected: tuple[object, ...]) -> None:
    """The error has the status, reason, field, code and hint."""
    error = read(status, body)
    assert (error.status, error.message, error.param, error.code, error.hint) == expected


@pytest.mark.parametrize(("status", "body", "expected"), DIALECTS)
def test_an_error_answers_in_openais_envelope(
    status: int, body: object, expected: tuple[object, ...]
) -> None:
    """The envelope contains Tess's own body, and its message, which `str(exception)` shows, has the hint."""
    answer = read(status, body).to_answer()
    assert answer.status == expected[0]
    assert answer.headers["content-type"] == "application/json"
    assert answer.body is not None
    envelope = parse_object(answer.body)
    assert envelope is not None
    error = envelope["error"]
    assert (error["param"], error["code"], error["type"]) == (
        expected[2],
        expected[3],
        read(status, body).type,
    )
    assert str(expected[4]) in error["message"]
    assert error["tess"] == body or body in (PAGE, "")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "insufficient_quota"),
        (402, "insufficient_quota"),
        (403, "insufficient_quota"),
        (404, "agent_not_found"),
        (422, "insufficient_quota"),
        (429, "insufficient_quota"),
        (500, "insufficient_quota"),
        (503, "unavailable"),
    ],
)
@pytest.mark.parametrize("text", ["No credits left in this workspace.", "Not enough credit"])
def test_an_error_about_credits_is_known_by_its_text(status: int, code: str, text: str) -> None:
    """Tess documents no status for it. A plain 429 would be retried, a 403 would blame the workspace."""
    assert read(status, {"error": text}).code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"errors": {"messages": ["The credit notes are too long."]}}, "validation_failed"),
        ({"error": "The accreditation is missing."}, "invalid_request"),
        ({"errors": {"x-workspace-id": ["It is required."]}}, "workspace_required"),
        ({"errors": {"X-Workspace-Id": ["It must be a number."]}}, "workspace_invalid"),
        ({"errors": {"messages": ["The workspace of the user is unknown."]}}, "validation_failed"),
    ],
)
def test_a_word_in_a_reason_for_a_field_is_not_taken_for_the_subject(body: object, code: str) -> None:
    """Only the name of the header itself shows that the workspace was refused."""
    assert read(422, body).code == code


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (524, "server_error"),
    ],
)
def test_an_error_has_openais_type(status: int, type_: str) -> None:
    """The SDK shows the type as `exception.type`."""
    assert read(status, "").type == type_


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        pytest.param({"retry_after": 7}, {}, 7, id="in the body"),
        pytest.param({"retry_after": "7.5"}, {}, 7.5, id="in the body as a string"),
        pytest.param({"error": {"message": "x", "retry_after": 8}}, {}, 8, id="in the error of the body"),
        pytest.param({}, {"retry-after": "9"}, 9, id="in the header"),
        pytest.param({"retry_after": 7}, {"retry-after": "9"}, 9, id="in both: the longer"),
        pytest.param({"retry_after": 0}, {}, None, id="zero"),
        pytest.param({"retry_after": -1}, {}, None, id="negative"),
        pytest.param({"retry_after": True}, {}, None, id="true"),
        pytest.param({"retry_after": None}, {}, None, id="null"),
        pytest.param({"retry_after": [7]}, {}, None, id="a list"),
        pytest.param({"retry_after": "soon"}, {}, None, id="a word"),
        pytest.param({"retry_after": "nan"}, {}, None, id="not a number"),
        pytest.param({"retry_after": 10**400}, {}, None, id="beyond all floats"),
        pytest.param({}, {"retry-after": NOON}, None, id="a moment, and no clock to count from"),
        pytest.param({}, {"retry-after": NOON, "date": "Wed, 21 Oct 2026 11:59:30 GMT"}, 30, id="a moment"),
        pytest.param(
            {}, {"retry-after": NOON, "date": "Wed, 21 Oct 2026 12:00:01 GMT"}, None, id="a past one"
        ),
        pytest.param({}, {"retry-after": NOON, "date": "Wed, 21 Oct 2026 12:00:01"}, None, id="no zone"),
        pytest.param({}, {"retry-after": NOON, "date": "x"}, None, id="from no moment"),
        pytest.param({}, {"retry-after-ms": "1500"}, 1.5, id="in milliseconds"),
        pytest.param({"retry_after": 7}, {"retry-after-ms": "500"}, 7, id="longer than in milliseconds"),
        pytest.param({}, {}, None, id="absent"),
    ],
)
def test_the_wait_is_read(body: object, headers: dict[str, str], seconds: float | None) -> None:
    """The wait in a body becomes the header that the SDK reads."""
    data = json.dumps(body).encode()
    error = parse_error(429, headers, data, max_retry_wait_seconds=60)
    assert error.retry_after_seconds == seconds
    answer = error.to_answer()
    assert answer.headers.get("retry-after") == (None if seconds is None else f"{seconds:g}")
    assert ("retry-after-ms" in answer.headers) is (seconds is not None)  # removed, as the SDK prefers it
    assert "x-should-retry" not in answer.headers
    assert error.to_json()["error"].get("retry_after") == seconds


@pytest.mark.parametrize(
    ("wait", "budget", "retried"), [(60, 60.0, None), (61, 60.0, False), (1, 0.5, False), (0.4, 0.5, None)]
)
def test_a_wait_beyond_the_budget_is_not_left_to_the_sdk(wait: float, budget: float, retried: object) -> None:
    """The call fails at once and says how long to wait."""
    error = read(429, {"error": "Slow down.", "retry_after": wait}, budget=budget)
    assert error.may_retry is retried
    assert (f"Slow down. Tess asks to wait {wait} seconds" in error.message) is (retried is False)
    assert error.to_answer().headers.get("x-should-retry") == (None if retried is None else "false")


@pytest.mark.parametrize(
    ("status", "body", "retried"),
    [
        pytest.param(524, "error code: 524", None, id="an execution that continues: the driver decides"),
        pytest.param(429, {"error": "no credits left"}, False, id="no credits"),
        pytest.param(500, {"error": "x"}, None, id="a failure of Tess's"),
        pytest.param(502, PAGE, None, id="a bad gateway"),
    ],
)
def test_what_retrying_would_pay_for_twice_is_not_retried(status: int, body: object, retried: object) -> None:
    """The SDK decides about all other errors."""
    assert read(status, body).may_retry is retried


@pytest.mark.parametrize(
    ("body", "content_type", "code", "message"),
    [
        pytest.param(
            b"", "application/json", "empty_answer", "an empty body instead of a stream", id="nothing"
        ),
        pytest.param(b" \n", "", "empty_answer", "an empty body", id="white space"),
        pytest.param(b'{"error":"x"}', "", "error_in_200", "200 with an error: x", id="an error"),
        pytest.param(
            b'{"error":"x","messages":{"a":["b"]}}',
            "",
            "error_in_200",
            "error: x: a: b",
            id="an error with fields",
        ),
        pytest.param(b'{"errors":{"a":["b"]}}', "", "error_in_200", "error: a: b", id="fields alone"),
        pytest.param(PAGE.encode(), "text/html", "not_an_answer", '"502 & Bad Gateway"', id="a page"),
        pytest.param(b"hello", "text/plain", "not_an_answer", "than a stream: hello", id="text"),
        pytest.param(b'{"choices":[]}', "", "not_an_answer", "JSON that is not a stream", id="no choices"),
        pytest.param(b"[1]", "", "not_an_answer", "JSON that is not a stream", id="a list"),
        pytest.param(b"\xff\xfe", "", "not_an_answer", "something other than a stream", id="no text"),
    ],
)
def test_a_200_that_is_no_answer_is_an_error(body: bytes, content_type: str, code: str, message: str) -> None:
    """The status is 502, and the SDK does not retry, because the call may have been paid for."""
    error = parse_error_in_200(body, content_type, expected="a stream")
    assert (error.status, error.code, error.may_retry) == (502, code, False)
    assert message in error.message


@pytest.mark.parametrize("reason", ["failed", "error", "canceled"])
def test_a_choice_that_failed_is_an_error(reason: str) -> None:
    """The SDK has no such finish reason, and a program would take the empty text for the answer."""
    body = json.dumps({"choices": [{"finish_reason": "stop"}, {"finish_reason": reason}]}).encode()
    error = parse_error_in_200(body, "", expected="a chat completion")
    assert (error.code, error.message) == (
        "error_in_200",
        "Tess answered 200 with an error: the execution failed without a reason",
    )


def test_an_error_in_a_200_keeps_what_tess_says() -> None:
    """Field, delay and body are where those of any other error are."""
    fields = {"error": "No.", "errors": {"model": ["Unknown."]}, "retry_after": 7}
    error = parse_error_in_200(json.dumps(fields).encode(), "", expected="an answer", status=201)
    assert (error.message, error.param) == ("Tess answered 201 with an error: No: model: Unknown.", "model")
    assert (error.type, error.hint, error.retry_after_seconds) == ("server_error", "", 7)
    assert error.tess == fields


def test_a_page_in_a_200_says_where_to_look() -> None:
    """A login page or a proxy answers any path with 200."""
    error = parse_error_in_200(PAGE.encode(), "text/html", expected="an answer")
    assert error.hint == "It may be the page of a login or a proxy: check the base URL."
    assert (error.type, error.tess) == ("server_error", PAGE)


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        (
            "text/html; charset=utf-8",
            "<!-- x --><TITLE lang='en'>Sign&nbsp;in</TITLE>",
            'an HTML page, "Sign in"',
        ),
        ("text/html", "Bad gateway", "an HTML page"),
        ("", " \n<p>Bad gateway", "an HTML page"),
        ("text/plain", "Bad gateway", "Bad gateway"),
    ],
)
def test_a_page_is_known_by_its_type_or_its_first_character(
    content_type: str, body: str, message: str
) -> None:
    """Only its title is shown, not its markup."""
    error = parse_error(502, {"content-type": content_type}, body.encode(), max_retry_wait_seconds=60)
    assert error.message == message


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (404, "not_found", PATH_HINT),
        (524, "gateway_timeout", ""),
        (502, "bad_gateway", ""),
        (429, "rate_limit_exceeded", RATE_HINT),
        (401, "invalid_api_key", KEY_HINT),
    ],
)
def test_an_error_of_a_path_without_an_agent_is_not_about_an_agent(status: int, code: str, hint: str) -> None:
    """Such a request executes nothing, so no hint is about an execution or about paying for it twice."""
    error = parse_error(status, {}, b"", max_retry_wait_seconds=60, names_agent=False)
    assert (error.code, error.hint) == (code, hint)


@pytest.mark.parametrize(("wait", "is_limited"), [(3600, False), (3601, True)])
def test_a_wait_beyond_the_longest_pause_says_for_how_long_the_key_is_paused(
    wait: int, is_limited: bool
) -> None:
    """A client that spaces its requests does not wait for days because of a server's mistake."""
    error = read(429, {"error": "Slow down.", "retry_after": wait})
    message = f"Slow down. Tess asks to wait {wait} seconds"
    if is_limited:
        message += "; with requests_per_second= the key is paused for 3600 seconds at most"
        message += ", and a new client may try at once"
    assert error.message == message


def test_an_error_lists_the_refused_fields() -> None:
    """The adapter compares them with the parameters that it sent."""
    assert list(read(422, {"errors": {"model": ["No."], "tools": ["No."]}}).fields) == ["model", "tools"]


def test_a_redirect_names_where_to_look() -> None:
    """The error names the location of the redirect, in one short line."""
    for redirects_within_api, drops_body, where in (
        (False, True, "another origin, or to a page outside the API"),
        (True, True, "another page, which would drop the request body"),
        (True, False, "another page, which is not followed"),
    ):
        error = parse_redirect(
            302,
            "https://elsewhere.example/\x00login",
            redirects_within_api=redirects_within_api,
            drops_body=drops_body,
        )
        assert (error.status, error.code, error.may_retry) == (502, "redirected", False)
        assert error.message == f"Tess answered 302 with a redirect to {where}; nothing was sent there"
        assert error.type == "server_error"
        assert error.hint.startswith("Check the base URL")
        assert error.tess == {"location": "https://elsewhere.example/ login"}
    error = parse_redirect(304, "", redirects_within_api=False)
    assert error.message == "Tess answered 304 without a location, which is no answer"
    error = parse_redirect(307, "/a", redirects_within_api=True, redirects=20)
    assert (
        error.message
        == "Tess answered 307 with a redirect after 20 redirects in a row, which is not followed"
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, ""),
        ({"error": False}, ""),
        ({"error": []}, ""),
        ({"message": 7}, ""),
        ({"errors": ["x"]}, ""),
        ({"messages": [{"role": "user", "content": "x"}]}, ""),
        ({"detail": {"step": "x"}}, ""),
        ({"error": "a", "errors": ["b", "c"]}, "a: b c"),
        ({"error": {"a": 1}}, "an error without a text"),
        ({"messages": {"a": ["b"]}}, "a: b"),
    ],
)
def test_the_text_of_an_error_object(fields: dict[str, Any], text: str) -> None:
    """An object that is not an error has no text."""
    assert message_of(fields) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "messages", "errors", "detail", "field", "retry_after", "code", "x"]
            ),
            inner,
        )
    ),
)


@given(
    st.integers(300, 599),
    json_values.map(json.dumps).map(str.encode) | st.binary(),
    st.sampled_from(["", "text/html"]),
)
def test_no_body_of_an_error_raises(status: int, body: bytes, content_type: str) -> None:
    """Even from a hostile server, the caller gets one of the SDK's errors with a text."""
    for error in (
        parse_error(status, {"content-type": content_type}, body, max_retry_wait_seconds=60),
        parse_error_in_200(body, content_type, expected="an answer"),
    ):
        answer = error.to_answer()
        envelope = parse_object(answer.body or b"")
        assert envelope is not None
        assert envelope["error"]["message"]
        assert all(value is None or value.isascii() for value in answer.headers.values())
