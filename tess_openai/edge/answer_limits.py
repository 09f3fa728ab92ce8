"""Limits of one answer: how long its caller waits, and how much of it is kept in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from tess_openai.core.pings import is_only_pings

DEFAULT_MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""Limit of one decoded answer: about a hundred times the longest text that a model writes."""
WHOLE_ANSWER_TIMEOUTS: Final = 10
"""A whole answer must be complete within so many times the caller's `timeout`, from its first byte on."""
_CONTENT: Final = b'data: {"id"'
"""Most pieces of a stream begin so; none of them is a ping."""
AnswerProblem: TypeAlias = Literal["too large", "too slow"]


class AnswerLimits:
    """Watches one answer while it is read.

    The socket's own timeout ends a wait in which nothing is received. From the first piece on, these limits
    end an answer of nothing but pings, one that is sent so slowly that it is never complete, and one that
    would fill the memory.
    """

    _kept_bytes = 0
    _ping_line = b""  # the last line received, if it was a ping; it may still be incomplete

    def __init__(
        self,
        timeout_seconds: float | None,
        max_bytes: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._began_at = self._content_at = clock()

    def resume(self) -> None:
        """Start a new wait: the caller has received all pieces so far and asks for the next one."""
        self._content_at = self._clock()
        self._kept_bytes = 0

    def problem_with(self, piece: bytes, *, is_whole: bool) -> AnswerProblem | None:
        """Count the next piece; return which limit the answer now exceeds, None for none.

        Args:
            piece: The piece just received.
            is_whole: Whether the caller waits for the whole answer, and not for each piece.
        """
        self._kept_bytes += len(piece)
        if self._max_bytes is not None and self._kept_bytes > self._max_bytes:
            return "too large"
        timeout = self._timeout_seconds
        if timeout is None:
            return None
        now = self._clock()
        if is_whole and now - self._began_at > timeout * WHOLE_ANSWER_TIMEOUTS:
            return "too slow"
        text = self._ping_line + piece
        if text.startswith(_CONTENT) or not is_only_pings(text):
            self._ping_line, self._content_at = b"", now
            return None
        self._ping_line = text[text.rfind(b"\n") + 1 :]
        return "too slow" if now - self._content_at > timeout else None
