"""A JSON answer is complete as soon as its object is, whatever follows it."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.calls import READ, READ_REST
from tess_openai.core.json_body import JSONBody, read_json_body

OBJECT = '{"a": "é}", "b": [{"c": 1}]}'.encode()


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"\n\n",
        b"}",
        b"{}",
        b'\n{"error": "late"}',
        b"trailing",
        b"\0\0",
        b"\xff\xfe",
        OBJECT,
        b"\ndata: [DONE]\n\n",
        b"[" * 200,
        b'{"a": ' * 200,
    ],
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b" \r\n"])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_what_follows_the_object_does_not_matter(before: bytes, rest: bytes, size: int) -> None:
    """It was paid for, and all of it is there."""
    body, data = JSONBody(), before + OBJECT + rest
    for start in range(0, len(data), size):
        body.feed(data[start : start + size])
        if body.is_complete:
            break
    assert body.parse() == {"a": "é}", "b": [{"c": 1}]}
    assert bytes(body.data).strip() in (before + OBJECT, OBJECT)


@pytest.mark.parametrize("end", range(1, len(OBJECT)))
def test_a_part_of_an_object_is_none(end: int) -> None:
    """A body is not complete wherever its object is cut."""
    body = JSONBody()
    body.feed(OBJECT[:end])
    assert (body.parse(), body.is_complete) == (None, False)


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[1]", b'"{}"', b"x{}", b"{\xff}{}", b'{"a": "\xff"}{}', b"{" * 5000]
)
def test_what_begins_with_no_object_is_none(data: bytes) -> None:
    """Text before it may be a page, or an error."""
    body = JSONBody()
    body.feed(data)
    assert body.parse() is None


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("rest", [b"", b"\r\n"])
def test_the_object_is_complete_with_its_last_byte(size: int, rest: bytes) -> None:
    """A caller does not wait for a server that keeps the connection open."""
    body, data = JSONBody(), OBJECT + rest
    pieces = [data[start : start + size] for start in range(0, len(data) - len(rest) - 1, size)]
    for piece in pieces[:-1]:
        body.feed(piece)
        assert body.is_complete is False
    body.feed(data[len(b"".join(pieces[:-1])) :])
    assert body.is_complete is True


def test_a_large_object_is_complete_with_its_last_byte() -> None:
    """The bound of the parsing grows with the answer."""
    body = JSONBody()
    for piece in (b'{"a": "', b"x" * 100_000 + b"}", b"x" * 100_000 + b"}", b'"}'):
        assert body.is_complete is False
        body.feed(piece)
    assert body.is_complete is True


class CountedBody(JSONBody):
    """Counts the bytes that it parses."""

    parsed_bytes = 0

    def parse(self) -> dict[str, Any] | None:
        """Count the bytes so far, then parse them."""
        self.parsed_bytes += len(self.data)
        return super().parse()


def test_the_parsing_of_many_pieces_is_bounded() -> None:
    """Each piece looks like the end of the object; parsing them all would take quadratic time."""
    body = CountedBody()
    body.feed(b'{"a": "')
    for _ in range(5000):
        body.feed(b"xxxxxxxx}")
        assert body.parsed_bytes <= 65_536 + 8 * len(body.data)
    assert body.parsed_bytes > 8 * len(body.data)
    body.feed(b'"}')
    assert body.parse() == {"a": "xxxxxxxx}" * 5000}


def test_an_object_after_which_more_comes_is_read_to_its_end() -> None:
    """What follows is read for a moment, so that the connection can be used again."""
    flow = read_json_body()
    assert next(flow) is READ
    assert flow.send(OBJECT[:7]) is READ
    assert flow.send(OBJECT[7:]) is READ_REST
    with pytest.raises(StopIteration) as end:
        flow.send(None)
    assert end.value.value.parse() == {"a": "é}", "b": [{"c": 1}]}


def test_the_end_of_an_answer_ends_its_reading() -> None:
    """Whether it is complete is for the reader to judge."""
    flow = read_json_body()
    next(flow)
    flow.send(OBJECT[:7])
    with pytest.raises(StopIteration) as end:
        flow.send(b"")
    assert end.value.value.parse() is None


@pytest.mark.parametrize(("received", "is_kept"), [(OBJECT + b"trailing", True), (OBJECT[:-1], False)])
def test_a_broken_connection_matters_before_the_end_of_the_object_only(
    received: bytes, is_kept: bool
) -> None:
    """What is there was paid for."""
    flow = read_json_body()
    next(flow)
    flow.send(received)
    with pytest.raises(StopIteration if is_kept else ConnectionError) as end:
        flow.throw(ConnectionError("lost"))
    if isinstance(end.value, StopIteration):
        assert end.value.value.parse() == {"a": "é}", "b": [{"c": 1}]}


def test_a_connection_that_breaks_before_the_first_byte_is_an_error() -> None:
    """Nothing is there, so that the call may be tried again."""
    flow = read_json_body()
    next(flow)
    with pytest.raises(ConnectionError):
        flow.throw(ConnectionError("lost"))


def test_what_begins_with_no_object_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first piece of a stream ends with `}` now and then."""
    parsed: list[bytes] = []
    monkeypatch.setattr("tess_openai.core.json_body.parse_object", parsed.append)
    body = JSONBody()
    body.feed(b'data: {"a": 1}')
    body.feed(b"\n\n" + OBJECT)
    assert (parsed, body.parse(), bytes(body.data)) == ([], None, b'data: {"a": 1}\n\n' + OBJECT)
