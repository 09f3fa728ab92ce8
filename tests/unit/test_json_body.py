"""A JSON answer is complete as soon as its object is, whatever follows it."""

from __future__ import annotations

import pytest

from tess_openai.core.json_body import JSONBody

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
    """Wherever it is cut."""
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
