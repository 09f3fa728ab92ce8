"""What both drivers of a call share: its time limits, its request, the errors and answers for its caller."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest

from tess_openai.core.agents import Agent
from tess_openai.core.calls import Answer, LimitAnswer, Lookup, Outgoing, PauseKey, Upload, UploadedFile
from tess_openai.edge import call_driver as room
from tess_openai.edge.call_driver import HINT_SECONDS
from tess_openai.edge.families import Family
from tess_openai.edge.origins import REDIRECT_FOLLOWED
from tess_openai.edge.sync_driver import SyncDriver
from tests.edge.call_drivers import KEY, Pacing

NO_LIMIT: Final = dict.fromkeys(("connect", "read", "write", "pool"))
LOOKUP: Final = Lookup(42, {}, 60.0)
HINT: Final = Lookup(42, {}, 60.0, is_hint=True)


@pytest.mark.parametrize(
    ("given", "lowest", "highest"),
    [(5.0, 5.0, 5.0), (5000.0, 900.0, 1000.0), (None, 900.0, 1000.0)],
    ids=["a short timeout", "a long timeout", "no timeout"],
)
def test_no_wait_is_longer_than_what_is_left(
    new_driver: Callable[..., SyncDriver], given: float | None, lowest: float, highest: float
) -> None:
    """The other timeouts stay, and so does the caller's own request."""
    timeouts = {"connect": 3.0, "read": given}
    driver = new_driver(extensions={"timeout": timeouts, "x": 1})
    driver.apply_step(LimitAnswer(1000.0))
    sent = driver.new_request(Outgoing(b"{}"))
    limits = sent.extensions["timeout"]
    assert lowest <= limits["read"] <= highest
    assert limits == {**NO_LIMIT, "connect": 3.0, "read": limits["read"]}
    assert sent.extensions["x"] == 1
    assert driver.request.extensions == {"timeout": {"connect": 3.0, "read": given}, "x": 1}


def test_a_request_without_timeouts_gets_those_of_its_call(new_driver: Callable[..., SyncDriver]) -> None:
    """A program's own request may have none."""
    driver = new_driver()
    driver.apply_step(LimitAnswer(1000.0))
    limits = driver.new_request(Outgoing(b"{}")).extensions["timeout"]
    assert limits == {**NO_LIMIT, "read": limits["read"]}
    assert 900.0 <= limits["read"] <= 1000.0


def test_nothing_is_sent_when_the_time_is_over(
    family: Family, new_driver: Callable[..., SyncDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the option that limited the call."""
    now = [100.0]
    monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: now[0]))
    driver = new_driver()
    assert driver.seconds_left() == math.inf
    driver.apply_step(LimitAnswer(3.0))
    now[0] = 102.5
    assert driver.seconds_left() == 0.5
    for now[0] in (103.0, 104.0):
        with pytest.raises(family.ReadTimeout, match="max_answer_seconds is over"):
            driver.new_request(Outgoing(b"{}"))


def test_a_call_without_a_limit_has_no_deadline(new_driver: Callable[..., SyncDriver]) -> None:
    """Its answers are streams in any case."""
    driver = new_driver()
    driver.apply_step(LimitAnswer(None))
    assert driver.reads_pieces
    assert driver.deadline is None


def test_a_hint_is_not_waited_for_long(new_driver: Callable[..., SyncDriver]) -> None:
    """The caller waits for an error that is already known."""
    given = {"connect": 2.0, "read": 600.0, "pool": None}
    driver = new_driver(extensions={"timeout": given, "x": 1}, pacer=Pacing())
    before = driver.request
    driver.cap_timeouts()
    limited: Any = dict.fromkeys(NO_LIMIT, HINT_SECONDS)
    assert driver.request.extensions == {"timeout": {**limited, "connect": 2.0}, "x": 1}
    assert before.extensions == {"timeout": given, "x": 1}
    after = (driver.request.method, str(driver.request.url), dict(driver.request.headers))
    assert after == (before.method, str(before.url), dict(before.headers))
    assert driver.request.stream is before.stream
    assert driver.pacer == ("short waits", HINT_SECONDS)


@pytest.mark.parametrize(
    ("read", "seconds", "seconds_of_hint"),
    [(600.0, 600.0, HINT_SECONDS), (1.0, 1.0, 1.0), (None, None, HINT_SECONDS)],
)
def test_a_look_up_of_another_call_is_waited_for_as_long_as_tess(
    new_driver: Callable[..., SyncDriver], read: float | None, seconds: float | None, seconds_of_hint: float
) -> None:
    """A hint is waited for less."""
    driver = new_driver(extensions={"timeout": {"read": read}})
    assert driver.timeout_seconds_for_lookup(LOOKUP) == seconds
    assert driver.timeout_seconds_for_lookup(HINT) == seconds_of_hint


def test_the_turn_of_a_key_is_counted_from_the_sending(new_driver: Callable[..., SyncDriver]) -> None:
    """It is not counted from the making of the request, which may wait for a connection."""
    pacing = Pacing()
    sent = new_driver(pacer=pacing).new_request(Outgoing(b'{"a": 1}'))
    assert pacing.calls == []
    assert b"".join(sent.stream) == b'{"a": 1}'
    assert pacing.calls == [("sent", KEY, 7.0)]


def test_a_body_in_memory_may_be_read_again(family: Family, new_driver: Callable[..., SyncDriver]) -> None:
    """A transport that signs or records requests reads it before it sends it."""
    driver = new_driver()
    in_memory = driver.new_request(Outgoing(b"{}")).stream
    assert isinstance(in_memory, family.ByteStream)
    assert b"".join(in_memory) == b"".join(in_memory) == b"{}"
    driver.request.stream = iter([b"a", b"b"])
    streamed = driver.new_request(Outgoing()).stream
    assert isinstance(streamed, family.SyncByteStream)
    assert isinstance(streamed, family.AsyncByteStream)
    assert not isinstance(streamed, family.ByteStream)
    assert b"".join(streamed) == b"ab"


def test_a_get_is_not_observed_without_pacing(new_driver: Callable[..., SyncDriver]) -> None:
    """It may be repeated in any case; with pacing, its turn is counted as that of any other call."""
    driver = new_driver(method="GET")
    assert driver.new_request(Outgoing()).stream is driver.request.stream
    pacing = Pacing()
    b"".join(new_driver(method="GET", pacer=pacing).new_request(Outgoing()).stream)
    assert pacing.calls == [("sent", KEY, 7.0)]


def test_a_call_that_was_not_sent_pauses_no_key(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """Its 429 looks like that of Tess, which does."""
    pacing = Pacing()
    driver = new_driver(pacer=pacing)
    made: Any = driver.rate_limited_response(1.2)
    body = made.read()
    assert (made.status_code, made.headers["content-type"]) == (429, "application/json")
    assert made.headers["content-length"] == str(len(body))
    assert json.loads(body)["retry_after"] == 2
    assert "this one was not sent" in json.loads(body)["error"]
    driver.set_response(driver.request, made)
    driver.apply_step(PauseKey(2.0))
    assert pacing.calls == []
    driver.set_response(driver.request, family.Response(429))
    driver.apply_step(PauseKey(2.0))
    assert pacing.calls == [("pause", KEY, 2.0)]


def test_each_redirect_is_counted(family: Family, new_driver: Callable[..., SyncDriver]) -> None:
    """One that leads outside the API is not followed, and an answer that is no redirect counts nothing."""
    inside, outside = {"location": "/agents/42/openai/models"}, {"location": "https://other.example/"}
    driver = new_driver()
    for status, headers, may_follow, before, after in (
        (400, inside, False, 0, 0),
        (307, outside, False, 0, 0),
        (300, inside, True, 0, 1),
        (399, inside, True, 1, 2),
        (307, {}, False, 2, 2),
        (307, {"location": "/" + "a" * 70_000}, False, 2, 2),
    ):
        driver.set_response(driver.request, family.Response(status, headers=headers))
        head = driver.to_incoming(status)
        assert (head.status, head.redirects_within_api, head.redirects) == (status, may_follow, before)
        assert driver.request.extensions.get(REDIRECT_FOLLOWED, 0) == after


@pytest.mark.parametrize(
    ("header", "other"),
    [("authorization", "Bearer 2|another-key"), ("x-workspace-id", "7")],
    ids=["another key", "another workspace"],
)
def test_a_file_is_uploaded_for_each_key_and_workspace(
    new_driver: Callable[..., SyncDriver], header: str, other: str
) -> None:
    """Files belong to a workspace; the workspace of the upload itself decides."""
    upload = Upload("digest", "a.txt", "text/plain", b"a", {}, 60.0)
    in_workspace = Upload("digest", "a.txt", "text/plain", b"a", {"x-workspace-id": "7"}, 60.0)
    other_file = Upload("other", "a.txt", "text/plain", b"b", {}, 60.0)
    one, two = new_driver(), new_driver(headers={header: other})
    assert one.upload_key(upload) == new_driver().upload_key(upload)
    assert one.upload_key(upload) != two.upload_key(upload)
    assert one.upload_key(upload) != one.upload_key(other_file)
    assert one.upload_key(in_workspace) != one.upload_key(upload)
    assert one.upload_key(in_workspace) == new_driver(headers={"x-workspace-id": "7"}).upload_key(upload)


def test_a_failed_upload_is_not_repeated(new_driver: Callable[..., SyncDriver]) -> None:
    """After a successful one the call may be, since the file is cached."""
    for result, uploads_may_have_run, expected in (
        (UploadedFile(7), True, False),
        (Answer(500), False, False),
        (Answer(500), True, True),
        (None, True, True),
    ):
        driver, upload = new_driver(), new_driver()
        upload.may_have_run = uploads_may_have_run
        driver.note_upload(upload, result)
        assert driver.may_have_run is expected
        driver.may_have_run = True
        driver.note_upload(new_driver(), result)
        assert driver.may_have_run


def test_a_look_up_or_an_upload_without_a_result_has_failed(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """Only a failed connection ends a look-up, but any error ends a hint, whose failure is not shown."""
    driver, agent = new_driver(), Agent(id=42)
    assert driver.to_lookup_result(LOOKUP, agent) is agent
    not_found: Any = driver.to_lookup_result(LOOKUP, None)
    assert not_found.why == "the look-up of agent 42 failed with adapter_error"
    assert driver.to_upload_result(UploadedFile(7)) == UploadedFile(7)
    assert driver.to_upload_result(Answer(402)) == Answer(402)
    failed: Any = driver.to_upload_result(None)
    assert (failed.status, b"ended without a result" in failed.body) == (400, True)
    assert driver.exceptions_ending(HINT) is Exception
    assert driver.exceptions_ending(LOOKUP) is family.RequestError


class Socket:
    """A connection that counts how often it is shut down."""

    def __init__(self) -> None:
        self.shutdowns = 0

    def get_extra_info(self, name: str) -> Socket:
        """Return the socket itself."""
        del name
        return self

    def shutdown(self, how: int) -> None:
        """Count it."""
        del how
        self.shutdowns += 1


def test_only_the_current_response_is_interrupted(
    family: Family, new_driver: Callable[..., SyncDriver]
) -> None:
    """An earlier one may have returned its connection to the pool, where another call uses it."""
    driver, first, second = new_driver(), Socket(), Socket()
    earlier = family.Response(200, extensions={"network_stream": first})
    driver.set_response(driver.request, earlier)
    connection = driver.held_connection()
    assert connection.interrupt(earlier)
    later = family.Response(200, extensions={"network_stream": second})
    driver.set_response(driver.request, later)
    assert driver.held_connection() is connection
    assert connection.interrupt(earlier)
    assert (first.shutdowns, second.shutdowns) == (1, 0)
    assert connection.interrupt(later)
    assert (first.shutdowns, second.shutdowns) == (1, 1)


@pytest.mark.parametrize(("read", "problem"), [(-1.0, "too slow"), (60.0, None), (None, None)])
def test_pings_are_no_longer_read_than_the_caller_waits(
    new_driver: Callable[..., SyncDriver], read: float | None, problem: str | None
) -> None:
    """A wait of less than no time is over at once."""
    driver = new_driver(extensions={"timeout": {"read": read}})
    limits = driver.new_limits()
    assert driver.limits is limits
    assert limits.problem_with(b": ping\n\n", is_whole=False) == problem
