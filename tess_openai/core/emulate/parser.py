"""Splits what the model writes, piece by piece, into prose and the text of calls.

Prose goes out at once, but for a tail that may belong to a mark: a `<` and what follows it, white space, and
the opening line of a code fence. From the first mark on everything is held to the end; so is an answer that
begins with a bracket, since it may be a call without marks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.marks import GENUINE_MARKS, Kind, Mark, Marks, restore

_TAIL: Final = 256
"""Longest run of white space before a call that is kept back; a bound keeps the parser linear."""
_FENCE: Final = re.compile(r"(?:`{1,2}|`{3}[\w-]{0,16})\Z")
_FENCE_WINDOW: Final = 19
_BARE_CALL: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?\{")


@dataclass(frozen=True, slots=True)
class Block:
    """The text between two marks.

    Attributes:
        body: Without the marks.
        is_closed: Whether something followed it; if not, the answer may have been cut inside.
    """

    body: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """What was held to the end.

    Attributes:
        prose: Prose before the first call that has not been given out yet.
        blocks: The texts of calls.
        near_misses: The texts of what looks like calls but bears no valid mark; given only without `blocks`.
        verbatim: The prose, if the near misses turn out to be none.
        after: How many characters of prose follow the first call.
    """

    prose: str
    blocks: tuple[Block, ...] = ()
    near_misses: tuple[Block, ...] = ()
    verbatim: str = ""
    after: int = 0


class AnswerParser:
    """Splits one answer. Any way of cutting the answer into pieces gives the same result."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._held = ""
        self._from_mark: list[str] = []
        self._has_begun = False

    def feed(self, text: str) -> str:
        """Take the next piece and return the prose that can be shown now."""
        if self._from_mark:
            self._from_mark.append(text)
            return ""
        text = self._held + text
        if not self._has_begun and _BARE_CALL.match(text):
            self._held = ""
            self._from_mark.append(text)
            return ""
        shown = self._scan(text, final=False)
        self._has_begun |= len(self._held) < len(text)
        return shown

    def finish(self) -> Rest:
        """Take the end of the answer."""
        if not self._from_mark:
            prose = self._scan(self._held, final=True) + self._held
            return Rest(prose, verbatim=prose)
        text = "".join(self._from_mark)
        marks = list(self._marks.find(text, final=True))
        if any(mark.kind is Kind.OPEN for mark in marks):
            before, blocks, after = _split(text, marks, Kind.OPEN, Kind.CLOSE)
            prose = self._held + restore(before)
            return Rest(prose[: _tail(prose)], blocks, after=after)
        _, near_misses, _ = _split(text, marks, Kind.NEAR_OPEN, Kind.NEAR_CLOSE)
        if not near_misses and _BARE_CALL.match(text):
            near_misses = (Block(text, is_closed=False),)
        return Rest(
            "", near_misses=near_misses, verbatim=self._held + self._marks.without(text, GENUINE_MARKS)
        )

    def _scan(self, text: str, *, final: bool) -> str:
        """Return the prose of `text`, and keep the tail that is not yet known to be prose."""
        prose: list[str] = []
        at = 0
        undecided = len(text)
        for mark in self._marks.find(text, final=final):
            if mark.kind in {Kind.OPEN, Kind.NEAR_OPEN}:
                prose.append(text[at : mark.start])
                self._from_mark.append(text[mark.start :])
                shown = "".join(prose)
                tail = _tail(shown)
                self._held = shown[tail:]
                return shown[:tail]
            if mark.kind is Kind.UNDECIDED:
                undecided = mark.start
            elif mark.kind is not Kind.NEAR_CLOSE:
                prose.append(text[at : mark.start])
                prose.append("<" * (mark.kind is Kind.ESCAPED))
                at = mark.start + 2 if mark.kind is Kind.ESCAPED else mark.end
        prose.append(text[at:undecided])
        shown = "".join(prose)
        tail = _tail(shown)
        self._held = shown[tail:] + text[undecided:]
        return shown[:tail]


def _tail(text: str) -> int:
    """Return where the white space, or the opening of a code fence, at the end of `text` begins."""
    end = len(text.rstrip())
    fence = _FENCE.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _TAIL)


def _split(text: str, marks: list[Mark], opens: Kind, closes: Kind) -> tuple[str, tuple[Block, ...], int]:
    """Return the text before the first block, the blocks, and the length of what stands outside after it."""
    blocks: list[Block] = []
    before = ""
    after = at = 0
    is_open = False
    for mark in marks:
        if mark.kind not in {opens, closes}:
            continue
        piece = text[at : mark.start]
        if is_open:
            blocks.append(Block(piece, is_closed=True))
        elif blocks:
            after += len(piece.strip())
        else:
            before += piece
        is_open, at = mark.kind is opens, mark.end
    if is_open:
        blocks.append(Block(text[at:], is_closed=False))
    else:
        after += len(text[at:].strip())
    written = tuple(block for block in blocks if block.body.strip())  # a blank one is a mark used to close
    return before, written or tuple(blocks[:1]), after
