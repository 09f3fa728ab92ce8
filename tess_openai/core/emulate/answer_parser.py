"""Splits what the model writes, piece by piece, into prose and the text of calls.

Prose goes out at once, but for a tail that may belong to a mark: a `<` and what follows it, white space, and
a line that may open a code fence. From the first mark on everything is held to the end; so is an answer that
begins with a bracket, since it may be a call without marks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.marks import NEAR_CLOSINGS, NEAR_OPENINGS, OUR_MARKS, Kind, Mark, Marks, restore

_TAIL: Final = 256
"""Longest run of white space before a call that is kept back; a bound keeps the parser linear."""
_FENCE: Final = re.compile(r"(?:`{1,2}|`{3}[\w-]{0,16})\Z")
_FENCE_LINE: Final = re.compile(r"^[ \t]{0,8}`{3}[\w-]{0,16}\Z", re.MULTILINE)
_FENCES: Final = re.compile(r"^[ \t]*`{3}", re.MULTILINE)
_FENCE_WINDOW: Final = 28
_BARE_CALL: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?(?:\[\s{0,20})?\{")
_BARE_LIST: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?\[\s{0,20}\Z")
_OPENINGS: Final = frozenset({Kind.OPEN})
_CLOSINGS: Final = frozenset({Kind.CLOSE})


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
        self._shown: list[str] = []
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
        if not self._has_begun and _BARE_LIST.match(text):
            self._held = text
            return ""
        shown = self._scan(text, final=False)
        self._has_begun |= len(self._held) < len(text)
        self._shown.append(shown)
        return shown

    def finish(self) -> Rest:
        """Take the end of the answer."""
        if not self._from_mark:
            prose = self._scan(self._held, final=True) + self._held
            return Rest(prose, verbatim=prose)
        text = "".join(self._from_mark)
        marks = list(self._marks.find(text, final=True))
        if any(mark.kind is Kind.OPEN for mark in marks):
            before, blocks, after = _split(text, marks, _OPENINGS, _CLOSINGS)
            shown = "".join(self._shown)
            prose = shown + self._held + restore(before)
            return Rest(prose[len(shown) : _end_of_prose(prose)], blocks, after=after)
        _, near_misses, _ = _split(text, marks, NEAR_OPENINGS, NEAR_CLOSINGS)
        if not near_misses and _BARE_CALL.match(text):
            near_misses = (Block(text, is_closed=False),)
        return Rest("", near_misses=near_misses, verbatim=self._held + self._marks.without(text, OUR_MARKS))

    def _scan(self, text: str, *, final: bool) -> str:
        """Return the prose of `text`, and keep the tail that is not yet known to be prose."""
        prose: list[str] = []
        at = 0
        undecided = len(text)
        for mark in self._marks.find(text, final=final):
            if mark.kind is Kind.OPEN or mark.kind in NEAR_OPENINGS:
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
    """Return where what may be left out before a call begins: white space, what may become a code fence."""
    end = len(text.rstrip())
    fence = _FENCE.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _TAIL)


def _end_of_prose(text: str) -> int:
    """Return where the prose before a call ends: before white space, and before a fence that opens for it."""
    end = len(text.rstrip())
    fence = _FENCE_LINE.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None and len(_FENCES.findall(text, 0, fence.start())) % 2 == 0:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _TAIL)


def _split(
    text: str, marks: list[Mark], opens: frozenset[Kind], closes: frozenset[Kind]
) -> tuple[str, tuple[Block, ...], int]:
    """Return the text before the first block, the blocks, and the length of what stands outside after it."""
    blocks: list[Block] = []
    before = ""
    after = at = 0
    is_open = False
    for mark in marks:
        if mark.kind not in opens | closes:
            continue
        piece = text[at : mark.start]
        if is_open:
            blocks.append(Block(piece, is_closed=True))
        elif blocks:
            after += len(piece.strip())
        else:
            before += piece
        is_open, at = mark.kind in opens, mark.end
    if is_open:
        blocks.append(Block(text[at:], is_closed=False))
    else:
        after += len(text[at:].strip())
    written = tuple(block for block in blocks if block.body.strip())  # a blank one is a mark used to close
    return before, written or tuple(blocks[:1]), after
