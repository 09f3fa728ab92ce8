"""Ends a text before the first stop sequence, also one that is divided between two pieces of the text.

Source: OpenAI's API reference, chat completions, `stop`: the text will not contain the sequence (documented).
"""

from __future__ import annotations

from collections.abc import Iterable


class StopCutter:
    """Passes text through until a stop sequence is complete.

    Of overlapping sequences, the one that is complete first counts, as for a model that is stopped while it
    writes; of several that are complete at the same position, the longest.

    Attributes:
        is_done: Whether a stop sequence was found.
    """

    def __init__(self, sequences: Iterable[str]) -> None:
        self._sequences = tuple(sequence for sequence in sequences if sequence)
        self._held = ""
        self.is_done = False

    def feed(self, text: str) -> str:
        """Take a piece of the text; return what cannot be part of a stop sequence, and hold the rest."""
        if self.is_done:
            return ""
        buffer = self._held + text
        found = [
            (start + len(sequence), start)
            for sequence in self._sequences
            if (start := buffer.find(sequence)) >= 0
        ]
        if found:
            self.is_done = True
            return buffer[: min(found)[1]]
        keep = max((_overlap(buffer, sequence) for sequence in self._sequences), default=0)
        self._held = buffer[len(buffer) - keep :]
        return buffer[: len(buffer) - keep]

    def finish(self) -> str:
        """End the text; return the held text, since it did not become a stop sequence."""
        held, self._held = self._held, ""
        return "" if self.is_done else held


def _overlap(text: str, sequence: str) -> int:
    """Return the length of the longest end of `text` that is an incomplete beginning of `sequence`."""
    for length in range(min(len(sequence) - 1, len(text)), 0, -1):
        if text.endswith(sequence[:length]):
            return length
    return 0
