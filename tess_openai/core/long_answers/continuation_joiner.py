"""Join an answer that was cut with the text of its continuation.

A model that is asked to continue repeats the end of its text, or the whole text, or nothing. It is asked to
begin with the last words again, so that the usual continuation can be joined unambiguously. Texts are joined
at the end of a word: an incomplete last word is dropped, and the continuation writes it again.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_WORD: Final = 64
"""The longest incomplete word that is held back, in characters; a longer one is passed on as it is."""
_LAST_WORDS: Final = 8
_LAST_CHARACTERS: Final = 80
_SHORTEST_OVERLAP: Final = 16
"""Characters of the shortest repetition other than the last words; a shorter one may be new text."""
_SEARCHED_CHARACTERS: Final = 2000
"""How many characters at the end of a text are searched for the beginning of its continuation."""
_RESTART_CHARACTERS: Final = 64
"""How many equal characters show that the model has begun the whole text again."""
_WORD: Final = re.compile(r"\S+\s*")
_NOT_SPACE: Final = re.compile(r"\S")


class GrowingText:
    """A text to which pieces are added; it is joined when it is read, and not with each piece."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        """Add a piece."""
        self._pieces.append(piece)
        self._length += len(piece)

    def __len__(self) -> int:
        return self._length

    def __str__(self) -> str:
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]


class WordBuffer:
    """Passes text through up to the end of its last complete word, and holds the rest."""

    def __init__(self) -> None:
        self.held = ""

    def feed(self, text: str) -> str:
        """Return the held text and the next piece, up to the end of the last complete word."""
        text = self.held + text
        end = len(text)
        while end > 0 and not text[end - 1].isspace():
            end -= 1
            if len(text) - end > LONGEST_WORD:
                end = len(text)
                break
        self.held = text[end:]
        return text[:end]

    def finish(self) -> str:
        """Return the held text."""
        held, self.held = self.held, ""
        return held


def last_words(text: str) -> str:
    """Return the last words of a text, which the continuation has to repeat."""
    tail = text[-_LAST_CHARACTERS * 2 :].rstrip()
    words = [*_WORD.finditer(tail)][-_LAST_WORDS:]
    return tail[words[0].start() :][-_LAST_CHARACTERS:].lstrip() if words else ""


class ContinuationJoiner:
    """Finds where in a continuation the new text begins; `feed` returns new text as soon as that is known.

    Attributes:
        diverged: Whether the model began its text again and then wrote another one, so that no text can be
            joined.
    """

    def __init__(self, before: str) -> None:
        """Join a continuation to `before`, the text so far."""
        self.diverged = False
        self._before = before
        self._requested_words = last_words(before)
        self._buffer = ""
        self._gaps = _Gaps()
        self._repetitions: dict[int, _Repetition] = {}
        self._repeats_until: int | None = None
        # of each complete repetition, the length of what is repeated, and where it ends in the buffer
        self._complete: list[tuple[int, int]] = []
        self._is_joined = not before
        self._text = before.rstrip()
        start, end = max(1, len(before) - _SEARCHED_CHARACTERS), len(self._text)
        self._places = [0, *(place for place in range(start, end) if _begins_word(before, place))]

    def feed(self, text: str) -> str:
        """Take the next piece of the continuation; return the text that is now known to be new."""
        if self.diverged:
            return ""
        if self._is_joined:
            return text
        decides_nothing = not text.strip() and (not self._buffer or self._buffer[-1].isspace())
        buffer, self._buffer = self._buffer, ""
        buffer += text  # in place, since nothing else refers to it
        self._buffer = buffer
        return "" if decides_nothing else self._advance(is_end=False)

    def finish(self) -> str:
        """Return the new text that was held until the continuation ended."""
        return "" if self._is_joined or self.diverged else self._advance(is_end=True)

    def _advance(self, *, is_end: bool) -> str:
        if self._repeats_until is None:
            self._repeats_until = self._find(is_end=is_end)
        if self._repeats_until is None or not (is_end or self._buffer[self._repeats_until :].strip()):
            return ""
        self._is_joined = True
        return self._without_doubled_space(
            self._buffer[self._repeats_until :], has_repeated=self._repeats_until > 0
        )

    def _find(self, *, is_end: bool) -> int | None:
        """Return where the repetition in the buffer ends, 0 without one; None if unknown yet, or diverged."""
        requested = self._match(len(self._text) - len(self._requested_words), is_end=is_end)
        if requested is not None and requested >= 0:
            return requested
        positions_left: list[int] = []  # those that may still match
        for place in self._places:
            found = self._match(place, is_end=is_end)
            if found is None:
                positions_left.append(place)
            elif found >= 0:
                self._complete.append((len(self._before) - place, found))
            elif place == 0 and _common_prefix_length(self._before, self._buffer) >= _RESTART_CHARACTERS:
                self.diverged = True
                return None
        self._places = positions_left
        if not is_end and (requested is None or positions_left):
            return None
        length, end = max(self._complete, default=(0, 0))
        return end if length >= min(_SHORTEST_OVERLAP, len(self._before)) else 0

    def _match(self, place: int, *, is_end: bool) -> int | None:
        """Return where a repetition of the text from `place` ends: None while it continues, -1 without one.

        If white space follows the last word of the text, the repetition must end at the end of a word.
        """
        repetition = self._repetitions.setdefault(place, _Repetition(place))
        found = repetition.find_end(self._text, self._buffer, self._gaps)
        if found is None or found < 0 or len(self._text) == len(self._before):
            return found
        if found == len(self._buffer):
            return found if is_end else None
        return found if self._buffer[found].isspace() else -1

    def _without_doubled_space(self, rest: str, *, has_repeated: bool) -> str:
        """Return `rest` without white space that doubles the end of the text so far.

        After a repetition, other white space is dropped too, since the text has its own.
        """
        space = self._before[len(self._before.rstrip()) :]
        leading = rest[: len(rest) - len(rest.lstrip())]
        if leading.startswith(space):
            return rest[len(space) :]
        return rest[len(leading) :] if has_repeated or space.startswith(leading) else rest


def _begins_word(text: str, place: int) -> bool:
    """Whether a repetition may begin at a place: at a word, or at any character outside ASCII."""
    return not text[place].isspace() and (text[place - 1].isspace() or not text[place].isascii())


class _Repetition:
    """Compares a text, from a place on, with a growing buffer; each comparison resumes where the last ended.

    White space may differ in kind and length, and may precede the repetition.
    """

    __slots__ = ("_at", "_index")

    def __init__(self, place: int) -> None:
        self._index = place
        self._at = 0

    def find_end(self, text: str, buffer: str, gaps: _Gaps) -> int | None:
        """Return where in `buffer` a repetition of `text` ends; None while it may continue, -1 for none."""
        index = self._index
        if index >= len(text):
            return -1
        at = self._at or gaps.end_of_gap(buffer, 0)
        while index < len(text):
            if at == len(buffer):
                return None
            # Stored before white space is skipped, since the next piece may lengthen it.
            self._index, self._at = index, at
            if text[index].isspace():
                if not buffer[at].isspace():
                    return -1
                index, at = _end_of_space(text, index), gaps.end_of_gap(buffer, at)
            elif text[index] == buffer[at]:
                index, at = index + 1, at + 1
            else:
                return -1
        return at


class _Gaps:
    """Finds where white space in the buffer ends; remembers the last search, which repetitions share."""

    def __init__(self) -> None:
        self._start = self._end = 0

    def end_of_gap(self, buffer: str, at: int) -> int:
        """Return the position of the first character from `at` on that is not white space."""
        self._end = _end_of_space(buffer, self._end if at == self._start else at)
        self._start = at
        return self._end


def _end_of_space(text: str, at: int) -> int:
    """Return the position of the first character from `at` on that is not white space."""
    found = _NOT_SPACE.search(text, at)
    return len(text) if found is None else found.start()


def _common_prefix_length(text: str, buffer: str) -> int:
    """Return how many characters two texts have in common after the white space they begin with."""
    count = 0
    for one, other in zip(text.strip(), buffer.lstrip(), strict=False):
        if one != other:
            break
        count += 1
    return count
