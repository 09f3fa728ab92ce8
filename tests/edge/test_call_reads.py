"""How much of an answer a call reads, and what it closes."""

from __future__ import annotations

import pytest

from tess_openai.core.calls import READ_LAST, READ_REST, Incoming, Outgoing, ReadAll
from tess_openai.edge.families import Family
from tess_openai.edge.sync_driver import SyncDriver
from tests.edge.call_drivers import Inner, Pieces, answer_of, driver_of


def reading(family: Family, *pieces: bytes | Exception) -> tuple[SyncDriver, Pieces]:
    """Return a driver that has received the head of an answer."""
    driver = driver_of(family)
    response, stream = answer_of(family, *pieces)
    driver.set_response(driver.request, response)
    return driver, stream


@pytest.mark.parametrize(
    ("limit", "expected", "unread"),
    [
        (None, b"abcd", []),
        (2, b"ab", [b"c", b"d"]),
        (3, b"abc", [b"d"]),
        (9, b"abcd", []),
        (1, b"a", [b"c", b"d"]),
    ],
)
def test_no_more_is_read_than_asked(
    family: Family, limit: int | None, expected: bytes, unread: list[bytes]
) -> None:
    """An error answer of a proxy may have any length."""
    driver, stream = reading(family, b"", b"ab", b"c", b"d")
    assert driver.carry_out(ReadAll(limit)) == expected
    assert stream.unread == unread


def test_a_break_ends_only_what_may_be_incomplete(family: Family) -> None:
    """The status of an error answer matters even if its text is incomplete; an answer has to be complete."""
    driver, _ = reading(family, b"ab", family.ReadError("it broke"))
    assert driver.carry_out(ReadAll(None, allow_truncation=True)) == b"ab"
    driver, _ = reading(family, b"ab", family.ReadError("it broke"))
    with pytest.raises(family.ReadError, match="it broke"):
        driver.carry_out(ReadAll(None))


def test_the_rest_of_an_answer_is_read_for_its_connection(family: Family) -> None:
    """The caller has the whole answer, so that a break no longer matters."""
    for error in ((), (family.ReadError("it broke"),)):
        driver, stream = reading(family, b"ab", b"c", *error)
        assert driver.read_piece() == b"ab"
        assert driver.carry_out(READ_REST) is None
        assert stream.unread == []
    driver, stream = reading(family, b"ab", b"c")
    assert driver.carry_out(READ_REST) is None
    assert stream.unread == []


def test_a_last_piece_is_read_like_any_other(family: Family) -> None:
    """It is empty at the end."""
    driver, stream = reading(family, b"ab", b"c", b"d")
    assert driver.read_piece() == b"ab"
    assert driver.carry_out(READ_LAST) == b"c"
    assert stream.unread == [b"d"]
    assert driver.carry_out(READ_LAST) == b"d"
    assert driver.carry_out(READ_LAST) == b""


def test_a_call_with_a_deadline_reads_the_same(family: Family) -> None:
    """It only waits no longer."""
    driver, _ = reading(family, b"ab", b"c")
    driver.deadline = float("inf")
    assert [driver.read_next() for _ in range(3)] == [b"ab", b"c", b""]


def test_the_first_piece_comes_with_the_head(family: Family) -> None:
    """A body of the promised length is read to its end; the response of an earlier request is closed."""
    driver = driver_of(family)
    first, earlier = answer_of(family, b"ab", content_length="2")
    part, _ = answer_of(family, b"ab", b"c", content_length="3")
    refused, _ = answer_of(family, b"no", status=300)
    driver.transport.inner = Inner(first, part, refused)
    asked = Outgoing(b"{}", with_first_piece=True)
    head = {"content-length": "2"}
    assert driver.exchange(asked) == Incoming(200, head, first_piece=b"ab", is_read=True)
    assert not earlier.is_closed
    assert driver.exchange(asked) == Incoming(200, {"content-length": "3"}, first_piece=b"ab")
    assert (earlier.is_closed, earlier.unread) == (True, [])
    assert driver.exchange(asked) == Incoming(300, {})


def test_a_body_in_pieces_is_whole_when_all_of_its_length_was_read(family: Family) -> None:
    """The pieces are counted together."""
    driver = driver_of(family)
    driver.set_response(driver.request, answer_of(family, b"ab", b"c", content_length="3")[0])
    assert (driver.read_piece(), driver.has_whole_body) == (b"ab", False)
    assert (driver.read_piece(), driver.has_whole_body) == (b"c", True)
    assert driver.received_bytes == 3
