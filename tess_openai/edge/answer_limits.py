"""How long an answer may keep its caller waiting, and how much of it is kept in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tess_openai.core.silence import ContentWatch

DEFAULT_MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""Of one answer, decoded: some hundred times the longest text that a model writes."""
WHOLE_ANSWER_TIMEOUTS: Final = 10
"""Times `timeout` in which a whole answer must have come from its first byte on."""


class AnswerLimits:
    """Watches one answer while it is read.

    The socket's own timeout ends a wait in which nothing comes. This ends the others: pings that keep an
    answer without content open, drops that never make a whole answer, and an answer that fills the memory.
    """

    def __init__(
        self,
        timeout_seconds: float | None,
        max_bytes: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._clock = clock
        self._watch = ContentWatch()
        self.received_bytes = 0
        self._kept_bytes = 0
        self._began_at = self._content_at = clock()

    def resume(self) -> None:
        """Begin to wait again: the caller has got what came so far, and comes back for more."""
        self._content_at = self._clock()
        self._kept_bytes = 0

    def is_too_large(self, piece: bytes) -> bool:
        """Whether an answer is too large with its next piece."""
        self.received_bytes += len(piece)
        self._kept_bytes += len(piece)
        return self._max_bytes is not None and self._kept_bytes > self._max_bytes

    def is_too_slow(self, piece: bytes, *, is_whole: bool) -> bool:
        """Whether content was awaited for too long when the next piece came."""
        if self._timeout_seconds is None:
            return False
        now = self._clock()
        if is_whole and now - self._began_at > self._timeout_seconds * WHOLE_ANSWER_TIMEOUTS:
            return True
        if self._watch.is_content(piece):
            self._content_at = now
            return False
        return now - self._content_at > self._timeout_seconds
