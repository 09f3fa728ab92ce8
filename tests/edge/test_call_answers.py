"""What the caller of one call gets: the response, or the error of a broken connection."""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tess_openai.core.calls import Answer, Outgoing
from tess_openai.edge import paid_calls
from tess_openai.edge.families import Family
from tess_openai.edge.paid_calls import passes_own_errors, repeated_failure
from tess_openai.edge.sync_driver import SyncDriver
from tests.edge.call_drivers import driver_of

BODY: Final = b'{"text": "a"}'
RETRY: Final = {"x-stainless-retry-count": "0"}


@pytest.fixture(autouse=True)
def no_failure() -> Iterator[None]:
    """Let no other test see the failure that one remembers."""
    paid_calls._FAILED_CALL.set(None)
    yield
    paid_calls._FAILED_CALL.set(None)


def answered(driver: SyncDriver, family: Family, status: int = 200, **headers: str) -> Any:
    """Make a response the current one of a driver, all of which was read."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    response = family.Response(
        status, headers=given, stream=family.ByteStream(BODY), extensions={"http_version": b"HTTP/1.1"}
    )
    driver.set_response(driver.request, response)
    driver.received_bytes = len(BODY)
    return response


@pytest.mark.parametrize(
    ("base", "received", "status", "headers"),
    [
        pytest.param("as read", len(BODY), 200, {"x-id": "7", "content-length": "13"}, id="as read"),
        pytest.param("as read", 99, 201, {"x-id": "7", "content-length": "13", "x-new": "1"}, id="a part"),
        pytest.param("incoming", 13, 201, {"x-id": "7", "content-length": "13", "x-new": "1"}, id="changed"),
        pytest.param("none", 13, 201, {"content-length": "13", "x-new": "1"}, id="new"),
    ],
)
def test_a_whole_answer_has_its_body_and_its_headers(
    new_driver: Callable[..., SyncDriver],
    base: Any,
    received: int,
    status: int,
    headers: dict[str, str],
) -> None:
    """An answer that was not changed is the response of Tess, of a class that is read faster."""
    driver = new_driver()
    answered(driver, driver.family, x_id="7", content_length="13")
    driver.received_bytes = received
    fields: dict[str, Any] = {"text": "a"}
    made = driver.to_response(Answer(201, {"x-new": "1"}, BODY, base, fields))
    assert (made.status_code, dict(made.headers)) == (status, headers)
    assert made.extensions == ({} if base == "none" else {"http_version": b"HTTP/1.1"})
    assert type(made) is driver.transport.whole_response
    assert b"".join(made.stream) == BODY
    whole: Any = made
    assert whole.read() == BODY
    assert whole.json() is fields
    assert not driver.has_begun


def test_a_decompressed_answer_is_no_longer_marked_as_compressed(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """Its length is that of the decompressed body."""
    driver = new_driver()
    answered(driver, family, content_encoding="gzip", content_length="33", transfer_encoding="chunked")
    assert driver.is_encoded
    assert driver.length == ""
    made: Any = driver.to_response(Answer(200, {}, BODY, "as read"))
    assert dict(made.headers) == {"content-length": str(len(BODY))}
    assert made.read() == BODY


@pytest.mark.parametrize("encoding", [None, "identity"])
def test_the_length_of_an_answer_is_its_end(
    family: Family, new_driver: Callable[..., SyncDriver], encoding: str | None
) -> None:
    """Of a compressed one, the length that is read is another."""
    driver = new_driver()
    headers: Any = {} if encoding is None else {"content_encoding": encoding}
    driver.set_response(driver.request, answered(driver, family, content_length="13", **headers))
    assert (driver.is_encoded, driver.length) == (False, "13")
    assert (driver.received_bytes, driver.has_whole_body) == (0, False)
    assert driver.read_piece() == BODY
    assert (driver.received_bytes, driver.has_whole_body) == (13, True)
    driver.set_response(driver.request, answered(driver, family))
    assert driver.length == ""


def test_a_stream_is_read_through_its_call(family: Family, new_driver: Callable[..., SyncDriver]) -> None:
    """It has no length, and its head is that of Tess, without what only holds for Tess's own body."""
    driver = new_driver()
    answered(driver, family, x_id="7", content_length="13", content_encoding="identity")
    made: Any = driver.to_response(Answer(200, {"content-type": "text/event-stream"}))
    assert dict(made.headers) == {"x-id": "7", "content-type": "text/event-stream"}
    assert type(made) is driver.transport.streamed_response
    assert (driver.has_begun, driver.reads_pieces) == (True, True)
    assert isinstance(made.stream, driver.transport.body_class)


def test_a_response_that_is_passed_on_is_the_one_of_tess(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """Its body is read through the call if the call was paid for, and through nothing else if not."""
    driver = new_driver(method="GET")
    given = answered(driver, family, content_encoding="gzip")
    stream = given.stream
    assert driver.to_response(Answer(200, base="as is")) is given
    assert given.stream is stream
    assert not driver.reads_pieces
    driver = new_driver()
    given = answered(driver, family, content_encoding="gzip")
    assert driver.to_response(Answer(200, base="as is")) is given
    assert isinstance(given.stream, driver.transport.body_class)
    assert (driver.reads_pieces, driver.is_encoded) == (True, False)


@pytest.mark.parametrize(
    ("status", "may_have_run", "repeat_paid", "is_marked"),
    [
        (400, True, False, True),
        (399, True, False, False),
        (400, False, False, False),
        (502, True, True, False),
    ],
)
def test_an_error_of_a_call_that_may_be_paid_for_is_not_repeated(
    new_driver: Callable[..., SyncDriver],
    status: int,
    *,
    may_have_run: bool,
    repeat_paid: bool,
    is_marked: bool,
) -> None:
    """The SDK repeats it only with `repeat_paid=True`."""
    driver = new_driver(repeat_paid=repeat_paid)
    driver.may_have_run = may_have_run
    made = driver.to_response(Answer(status, {}, BODY, "none"))
    assert ("x-should-retry" in made.headers) is is_marked
    if is_marked:
        assert made.headers["x-should-retry"] == "false"


def test_a_bug_of_the_adapter_is_an_answer(
    new_driver: Callable[..., SyncDriver], caplog: pytest.LogCaptureFixture
) -> None:
    """An error would look like a broken connection, and the SDK would pay for the call again."""
    driver, bug, broken = new_driver(), KeyError("a bug"), ConnectionError("it broke")
    assert driver.to_failure(broken, broken) is None
    with caplog.at_level(logging.ERROR, logger="tess_openai"):
        answer: Any = driver.to_failure(bug, broken)
    assert [(record.getMessage(), record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        ("tess_openai failed on a call", bug)
    ]
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["param"]) == (500, "adapter_error", None)
    assert error["message"] == "tess_openai itself failed (KeyError); please report it"
    driver.has_begun = True
    assert driver.to_failure(bug, None) is None
    assert type(driver.broken) is driver.family.ReadError
    assert str(driver.broken) == error["message"]


def test_a_broken_connection_is_named_to_the_flow(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """An error without a text is named by its class."""
    driver = new_driver()
    for text, shown in (("it broke", "it broke"), ("", "ReadError")):
        error = family.ReadError(text)
        assert str(driver.note_break(error)) == shown
        assert driver.broken is error


def test_a_call_counts_as_executed_once_all_of_it_was_sent(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """An error that comes before, with a half-sent body, shows that it was not; a GET changes nothing."""
    for method, count, expected in (("POST", None, True), ("POST", 1, False), ("GET", None, False)):
        driver = new_driver(method=method)
        request = driver.new_request(Outgoing(b"{}"))
        body = iter(request.stream)
        for _ in range(2 if count is None else count):
            next(body, None)
        driver.note_failure(request, family.ReadError("it broke"))
        assert driver.may_have_run is expected
    driver = new_driver()
    driver.may_have_run = True
    driver.note_failure(driver.new_request(Outgoing(b"{}")), error_of(family, "ConnectError"))
    assert driver.may_have_run


def error_of(family: Family, name: str) -> Exception:
    """Build the family's own error."""
    error: Exception = getattr(importlib.import_module(family.name), name)("broken")
    return error


def test_a_status_shows_whether_a_call_was_executed(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """Once it may have been, it stays so; a GET changes nothing."""
    driver = new_driver()
    for status, expected in ((429, False), (500, False), (502, True), (429, True)):
        answered(driver, family, status)
        assert driver.may_have_run is expected
    driver = new_driver(method="GET")
    answered(driver, family)
    assert not driver.may_have_run


def test_the_caller_gets_an_error_that_its_sdk_does_not_repeat(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """It may be repeated before it was sent, or with `repeat_paid=True`; other programs decide themselves."""
    error = family.ReadError("it broke")
    repetition = driver_of(family, headers={"x-stainless-retry-count": "1"}).request
    assert new_driver(headers=RETRY).to_caller_error(error) is error
    for has_begun, repeat_paid, headers, is_own in (
        (False, False, RETRY, False),
        (False, True, RETRY, True),
        (True, True, RETRY, False),
        (True, False, {}, True),
    ):
        driver = new_driver(repeat_paid=repeat_paid, headers=headers)
        driver.may_have_run, driver.has_begun = True, has_begun
        paid_calls._FAILED_CALL.set(None)
        shown = driver.to_caller_error(error)
        is_remembered = not (is_own or has_begun or passes_own_errors())
        assert (shown is error) is (is_own or is_remembered)
        assert (repeated_failure(repetition) is not None) is (not is_own and not has_begun)
        if shown is not error:
            assert "it broke" in str(shown)
            assert ("so the call was not sent again" in str(shown)) is not has_begun


def test_an_answer_beyond_a_limit_is_a_broken_connection(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """The error names the option, or says that only pings were received."""
    driver = new_driver(max_answer_bytes=9)
    too_large: Any = driver.limit_error("too large")
    assert (type(too_large), str(too_large)) == (
        family.ReadError,
        "the answer is longer than max_answer_bytes=9",
    )
    too_slow: Any = driver.limit_error("too slow")
    assert type(too_slow) is family.ReadTimeout
    assert "only pings came" in str(too_slow)
    answered(driver, family, content_length=str(len(BODY)))
    driver.received_bytes = 0
    with pytest.raises(family.ReadError, match="max_answer_bytes=9"):
        driver.read_piece()


def test_a_compressed_answer_closes_with_its_response(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """Its stream is read by the response."""
    driver = new_driver()
    packed = gzip.compress(BODY)
    response = family.Response(200, headers={"content-encoding": "gzip"}, stream=family.ByteStream(packed))
    driver.set_response(driver.request, response)
    assert driver.read_piece() == BODY
    driver.drop()
    assert response.is_closed
