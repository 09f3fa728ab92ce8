"""Bytes that only keep a connection open are no content."""

from __future__ import annotations

import time

import pytest

from tess_openai.core.pings import is_only_pings


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" \t\r\n\v\f",
        b":",
        b": any comment {}",
        b"id: 7\nretry: 1000\n\n",
        b"event: ping\n\n",
        b"event:ping",
        b"data:\n\n",
        b"data: {}\n\n",
        b'data: {"type": "ping"}\r\n\r\n',
        b'event: ping\ndata: { "type" : "ping" }\n\n',
        b":" + b"x" * 1999,
    ],
)
def test_pings_comments_and_blank_space_are_recognised(text: bytes) -> None:
    """Servers and proxies send them in these forms to keep a connection open."""
    assert is_only_pings(text)


@pytest.mark.parametrize(
    "text",
    [
        b"x",
        b"{}",
        b"event: pings\n",
        b"event: message\n",
        b"data: {",
        b"data: x",
        b'data: {"type": "text"}',
        b'data: {"type": "ping", "a": 1}',
        b": comment\n{}",
        b"\n\nHello",
        b":" + b"x" * 2000,
    ],
)
def test_all_else_is_content(text: bytes) -> None:
    """So is more than a few lines at once, which no server sends to keep a connection open."""
    assert not is_only_pings(text)


@pytest.mark.parametrize("line", [b":" * 24, b"id:" * 24])
def test_content_after_a_comment_is_recognised_at_once(line: bytes) -> None:
    """A comment of many colons is one comment, and not each of the ways to divide it into several."""
    began = time.process_time()
    assert not is_only_pings(line + b"\nHello")
    assert time.process_time() - began < 0.5
