"""An answer that never ends, or that would fill the memory, is ended at a limit."""

from __future__ import annotations

import pytest

from tess_openai.edge.answer_limits import AnswerLimits


class Clock:
    """A clock that a test sets."""

    seconds = 100.0

    def __call__(self) -> float:
        """Return the time that the test has set."""
        return self.seconds


def test_an_answer_may_have_as_many_bytes_as_the_limit_says() -> None:
    """One more is too many, in however many pieces."""
    limits = AnswerLimits(None, 10, Clock())
    assert limits.problem_with(b"x" * 4, is_whole=True) is None
    assert limits.problem_with(b"x" * 6, is_whole=True) is None
    assert limits.problem_with(b"x", is_whole=True) == "too large"


def test_what_the_caller_has_received_is_not_kept() -> None:
    """A long stream is no burden, while one piece may be."""
    limits = AnswerLimits(None, 10, Clock())
    for _ in range(5):
        assert limits.problem_with(b"x" * 10, is_whole=False) is None
        limits.resume()
    assert limits.problem_with(b"x" * 11, is_whole=False) == "too large"


def test_no_limit_is_none() -> None:
    """A program may want to wait for ever, and to keep everything."""
    clock = Clock()
    limits = AnswerLimits(None, None, clock)
    for piece in (b": ping\n\n", b"x" * 1_000_000, b": ping\n\n"):
        clock.seconds += 1e6
        assert limits.problem_with(piece, is_whole=True) is None


def test_a_whole_answer_must_be_complete_within_ten_timeouts() -> None:
    """A server that sends one byte a second would keep its caller for years."""
    clock = Clock()
    limits = AnswerLimits(5.0, None, clock)
    clock.seconds += 50
    assert limits.problem_with(b"x", is_whole=True) is None
    clock.seconds += 0.5
    assert limits.problem_with(b"x", is_whole=False) is None  # a stream gives its caller each piece
    assert limits.problem_with(b"x", is_whole=True) == "too slow"


def test_pings_do_not_keep_an_answer_alive() -> None:
    """The caller's timeout limits the time without content, not without bytes."""
    clock = Clock()
    limits = AnswerLimits(5.0, None, clock)
    for seconds, piece, problem in (
        (5.0, b": ping\n\n", None),
        (0.0, b'data: {"a": 1}\n\n', None),
        (5.0, b"\n", None),
        (0.1, b"event: ping\n\n", "too slow"),
    ):
        clock.seconds += seconds
        assert limits.problem_with(piece, is_whole=False) == problem
    limits.resume()
    assert limits.problem_with(b": ping\n\n", is_whole=False) is None


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        ([b": pi", b"ng\n", b"\n: p"], "too slow"),
        ([b"data: {", b"}\n\n", b": p"], None),  # the first piece looks like the beginning of content
        ([b": ", b'data: {"a": 1}', b"\n"], "too slow"),  # all of it is one comment
        ([b": x\n", b"hello", b": y\n"], None),
    ],
    ids=["pings", "an empty object", "a comment about data", "content"],
)
def test_a_line_may_be_cut_anywhere(pieces: list[bytes], problem: str | None) -> None:
    """The network cuts where it likes, so that a piece may begin inside a comment."""
    clock = Clock()
    limits = AnswerLimits(5.0, None, clock)
    found = None
    for piece in pieces:
        clock.seconds += 2.5
        found = limits.problem_with(piece, is_whole=False)
    assert found == problem


def test_pings_fill_no_memory() -> None:
    """Only an incomplete line is kept until its rest arrives."""
    limits = AnswerLimits(5.0, None, Clock())
    assert limits.problem_with(b": ping\n\n: ping\n\n: p", is_whole=False) is None
    assert limits._ping_line == b": p"
    assert limits.problem_with(b"ing\n\n", is_whole=False) is None
    assert limits._ping_line == b""
