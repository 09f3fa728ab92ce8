"""How a call carries out the steps of its flow, and what ends the flow and its response."""

from __future__ import annotations

import importlib
import json
from collections.abc import Generator
from typing import Any

import openai
import pytest

from tess_openai.core.calls import (
    READ,
    READ_REST,
    Event,
    LimitAnswer,
    Outgoing,
    ReadAll,
    Sleep,
    Step,
)
from tess_openai.edge.families import Family
from tess_openai.edge.sync_driver import SyncDriver
from tests.edge.call_drivers import (
    ASKED,
    DONE,
    KEY,
    STREAM,
    Inner,
    Pacing,
    answer_of,
    carrying_out,
    streaming,
)


def test_a_whole_answer_ends_the_flow_and_closes_the_response(family: Family) -> None:
    """Its connection returns to the pool before the caller reads the answer."""
    response, body = answer_of(family, b"ab", b"c")
    driver, flow = carrying_out(family, Inner(response), ASKED, ReadAll(None), DONE)
    assert driver.run().status_code == 200
    assert flow.received[1] == b"abc"
    assert (flow.is_closed, body.is_closed, driver.response) == (True, True, None)


def test_a_broken_connection_is_thrown_into_the_flow(family: Family) -> None:
    """The caller gets the error of the http client, unless the flow has an answer without this one."""
    error = family.ReadTimeout("no route")
    driver, flow = carrying_out(family, Inner(error), ASKED)
    with pytest.raises(family.ReadTimeout) as caught:
        driver.run()
    assert caught.value is error
    assert flow.is_closed
    driver, flow = carrying_out(family, Inner(error))

    def answer_anyway() -> Generator[Step, Event, None]:
        with pytest.raises(ConnectionError, match="no route"):
            yield ASKED
        yield DONE

    driver.flow = answer_anyway()
    assert driver.run().status_code == 200


def test_a_timeout_of_another_library_becomes_one_of_the_family(family: Family) -> None:
    """The SDK knows no other, and what was sent may have been executed."""
    driver, _ = carrying_out(family, Inner(TimeoutError()), ASKED)
    with pytest.raises(family.ReadTimeout, match="The read operation timed out") as caught:
        driver.run()
    assert driver.may_have_run
    assert isinstance(caught.value.__cause__, TimeoutError)
    response, _ = answer_of(family, TimeoutError())
    driver, _ = carrying_out(family, Inner(response), ASKED, READ)
    with pytest.raises(family.ReadTimeout, match="The read operation timed out") as caught:
        driver.run()
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_another_error_is_raised_as_it_is(family: Family) -> None:
    """It belongs to the program, whose transport raised it; the call is closed."""
    error = OSError("odd transport")
    driver, flow = carrying_out(family, Inner(error), ASKED)
    with pytest.raises(OSError, match="odd transport") as caught:
        driver.run()
    assert caught.value is error
    assert flow.is_closed
    assert driver.may_have_run


def test_a_call_that_found_no_connection_was_not_executed(family: Family) -> None:
    """The SDK may repeat it."""
    error: Exception = importlib.import_module(family.name).ConnectError("no route")
    driver, _ = carrying_out(family, Inner(error), ASKED)
    with pytest.raises(type(error)):
        driver.run()
    assert not driver.may_have_run


def test_an_interrupted_call_closes_its_flow_and_its_response(family: Family) -> None:
    """A program that is interrupted while it waits keeps no connection."""
    driver, flow = carrying_out(family, Inner(KeyboardInterrupt()), ASKED)
    response, body = answer_of(family, b"ab")
    driver.set_response(driver.request, response)
    with pytest.raises(KeyboardInterrupt):
        driver.run()
    assert (flow.is_closed, body.is_closed) == (True, True)


def test_a_bug_of_a_flow_is_an_answer_before_a_stream_and_breaks_one(family: Family) -> None:
    """Neither looks like a connection that broke."""
    driver, _ = carrying_out(family, Inner(), KeyError("a bug"))
    assert driver.run().status_code == 500
    driver, flow, body = streaming(family, b"a", steps=(b"a", KeyError("a bug")))
    assert driver.next_piece() == b"a"
    with pytest.raises(Exception, match="please report it"):
        driver.next_piece()
    assert (flow.is_closed, body.is_closed) == (True, True)


def test_a_stream_is_read_piece_by_piece_to_its_end(family: Family) -> None:
    """After its end, the flow and the response are closed."""
    driver, flow, body = streaming(family, b"x", b"y")
    assert [driver.next_piece(), driver.next_piece()] == [b"a", b"b"]
    assert (flow.is_closed, body.is_closed) == (False, False)
    assert [driver.next_piece(), driver.next_piece()] == [b"", b""]
    assert (flow.received[2], flow.is_closed, body.is_closed) == (b"x", True, True)
    assert body.unread == [b"y"]


def test_a_stream_that_breaks_ends_in_an_error_once(family: Family) -> None:
    """The flow lock is free again, so that a later read finds the end."""
    driver, flow, body = streaming(family, family.ReadError("it broke"))
    with pytest.raises(Exception, match="it broke"):
        driver.next_piece()
    assert (flow.is_closed, body.is_closed) == (True, True)
    assert driver.next_piece() == b""


def test_two_threads_cannot_read_one_stream(family: Family) -> None:
    """The first continues; the second gets an error and ends nothing."""
    driver, flow, _ = streaming(family, b"x")
    with driver.flow_lock:
        with pytest.raises(family.ReadError, match="another thread or task is reading this stream"):
            driver.next_piece()
        assert not flow.is_closed
    assert driver.next_piece() == b"a"


def test_a_closed_stream_ends_at_once(family: Family) -> None:
    """Where another thread reads it, that one closes it."""
    driver, flow, body = streaming(family, b"x")
    driver.stop()
    assert (flow.is_closed, body.is_closed) == (True, True)
    assert driver.next_piece() == b""
    driver, flow, body = streaming(family, b"x")
    with driver.flow_lock:
        driver.stop()
        assert (driver.is_closed, flow.is_closed) == (True, False)
        assert body.is_closed  # there is no socket to shut down
    assert driver.next_piece() == b""
    assert flow.is_closed


def test_the_steps_after_a_closed_stream_are_not_carried_out(family: Family) -> None:
    """The caller may close it while the flow waits."""
    driver, flow, _ = streaming(family, b"x", steps=(Sleep(60.0), READ, b"a"))
    driver.is_closed = True
    assert driver.advance() is None
    assert len(flow.received) == 2


def test_a_flow_waits_no_longer_than_its_answers_may_take(family: Family) -> None:
    """The error names the option that ended the wait."""
    driver, _ = carrying_out(family, Inner(), LimitAnswer(0.01), Sleep(60.0), DONE)
    with pytest.raises(family.ReadTimeout, match="max_answer_seconds is over"):
        driver.run()
    driver, flow = carrying_out(family, Inner(), LimitAnswer(60.0), Sleep(0.001), DONE)
    assert driver.run().status_code == 200
    assert flow.received == [None, None]


@pytest.mark.parametrize("piece", [b"", "broken"], ids=["an end", "a break"])
def test_an_answer_that_ends_after_its_time_is_late(family: Family, piece: bytes | str) -> None:
    """A read that was interrupted ends in either way; before the deadline, it is what it is."""
    for deadline, expected in ((0.05, "max_answer_seconds is over"), (60.0, "broken")):
        response, _ = answer_of(family, *([family.ReadError(piece)] if isinstance(piece, str) else []))
        steps = (LimitAnswer(deadline), ASKED, READ, DONE)
        driver, _ = carrying_out(family, Inner(response), *steps)
        if piece == b"" and deadline == 60.0:
            assert driver.run().status_code == 200
            continue
        if deadline == 0.05:
            wait_for(driver)
        with pytest.raises(family.RequestError, match=expected):
            driver.run()


def test_a_first_piece_is_read_within_the_time_of_its_call(family: Family) -> None:
    """It comes with the head, but a deadline holds for it as for any other piece."""
    for is_late in (False, True):
        steps = (LimitAnswer(60.0), Outgoing(b"{}", with_first_piece=True), DONE)
        driver, _ = carrying_out(family, Inner(answer_of(family)[0]), *steps)
        if not is_late:
            assert driver.run().status_code == 200
            continue
        wait_for(driver)
        with pytest.raises(family.ReadTimeout, match="max_answer_seconds is over"):
            driver.run()


def wait_for(driver: SyncDriver) -> None:
    """Let each read of a call take longer than its deadline."""
    receive = driver.receive

    def receive_late() -> bytes:
        driver.deadline = 0.0
        return receive()

    driver.receive = receive_late  # type: ignore[method-assign] # a slow connection


def test_a_turn_that_comes_too_late_is_a_rate_limit(family: Family) -> None:
    """The request is not sent; the turn is that of the key of the call."""
    waits: list[float | None] = [None, 7.2]
    inner = Inner(answer_of(family, b"ab")[0])
    driver, flow = carrying_out(family, inner, ASKED, ASKED, ReadAll(None), DONE)
    pacing = Pacing()

    def wait(authorization: str) -> float | None:
        assert authorization == KEY
        return waits.pop(0)

    pacer: Any = pacing
    pacer.wait = wait
    driver.pacer = pacer
    driver.run()
    heads: list[Any] = flow.received[:2]
    assert [head.status for head in heads] == [200, 429]
    body: Any = flow.received[2]
    assert json.loads(body)["retry_after"] == 8
    assert len(inner.requests) == 1


def test_the_end_of_a_body_of_the_promised_length_is_found(family: Family) -> None:
    """A transport puts a connection back into its pool when the end was read; a break there is nothing."""
    for error in ((), (family.ReadError("it broke"),)):
        response, body = answer_of(family, b"ab", *error, content_length="2")
        driver, _ = carrying_out(family, Inner(response), ASKED, READ, READ_REST, DONE)
        assert driver.run().status_code == 200
        assert body.unread == []


def test_the_sdk_gets_its_own_exception_for_a_stream_that_breaks(family: Family) -> None:
    """The error of the http client is its cause."""
    error = family.ReadError("it broke")
    response, _ = answer_of(family, error)
    headers = {"x-stainless-retry-count": "0"}
    driver, _ = carrying_out(family, Inner(response), ASKED, STREAM, READ, headers=headers)
    driver.run()
    with pytest.raises(openai.APIConnectionError, match="it broke") as caught:
        driver.next_piece()
    assert caught.value.__cause__ is error
