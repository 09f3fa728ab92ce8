"""Divides an answer with calls into the blocks of the calls and the prose around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.call_shapes import CallShapes, is_substantial
from tess_openai.core.emulate.marks import NONCE_KINDS, Mark, MarkKind, Marks, restore
from tess_openai.core.emulate.thinking import JSONStringTracker, thinking_spans


@dataclass(slots=True)  # made for each call of an answer: creating a frozen dataclass takes twice as long
class Block:
    """The text after an opening mark, up to the mark that ends it or the end of the answer.

    Attributes:
        body: The text without the marks.
        is_closed: Whether a closing mark ends it and no second one follows. Otherwise the answer may have
            been cut within it, or the mark that ends it may be a part of an argument.
        holds_marks: Whether a string in it contains the nonce, as marks of the request do.
    """

    body: str
    is_closed: bool
    holds_marks: bool = False


_RESULT_KINDS: Final = frozenset({MarkKind.RESULT_OPEN, MarkKind.RESULT_CLOSE})
_CLOSING_KINDS: Final = frozenset({MarkKind.CLOSE, MarkKind.MISNAMED_CLOSE})
LINE_LENGTH: Final = 100
"""How many characters of a line before a mark or a call are looked at."""
_JSON_BODY: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?[\w .:`(-]{0,200}[{\[]")
"""The text after an opening mark, if it is JSON, perhaps in a code fence or after the name of a function."""
_BLANK_END: Final = re.compile(r"[ \t\r\n`]*\Z")
_NAME_WINDOW: Final = 400
_MAX_NEAR_MARKS: Final = 128


class AnswerParts:
    """The parts of an answer: blocks, and the prose around them.

    Args:
        marks: The marks of the request.
        raw: The whole answer.
        start: Where the part begins that is divided; the text before it is prose.

    Attributes:
        blocks: The texts of calls, without those that the model wrote while thinking.
        before: The prose from `start` to the first block; all prose from there in an answer without blocks.
        outside: The pieces of prose between and after the blocks, without results that the model invented
            and the prose after them.
        characters_after: How many characters of prose follow the first block, including invented results.
        is_followed: Whether one of `outside` is more than a few letters, or has a word or sign of doubt.
        has_nonce: Whether the nonce occurs outside the text that the model wrote while thinking, or within
            thinking that follows prose and extends to the end of the answer: its tag may be a word of the
            prose. A mark of a result counts only if it opens one at the beginning of a line.
        outside_thinking: The text without the parts that the model wrote while thinking.
    """

    def __init__(self, marks: Marks, raw: str, start: int) -> None:
        self.blocks: list[Block] = []
        self.before = ""
        self.outside: list[str] = []
        self.characters_after = 0
        self.is_followed = self.has_nonce = False
        self._raw = raw
        self._tracker = JSONStringTracker(raw)
        self._near_mark_ends: list[int] = []
        self._prose: list[str] = []
        self._at = start
        self._block_start: int | None = None
        self._block_holds_marks = self._is_result = self._is_skipping = False
        found = marks.find(raw, final=True)
        spans = list(thinking_spans(raw, _closed_blocks(found)))
        self.outside_thinking = _without(raw, spans)
        self._read(start, found, spans)

    def near_misses_name(self, shapes: CallShapes) -> bool:
        """Whether a mark of a call with a missing or wrong nonce is followed by the name of a function."""
        return any(
            shapes.is_named_in(self._raw[at : at + _NAME_WINDOW])
            for at in self._near_mark_ends[:_MAX_NEAR_MARKS]
        )

    def _read(self, start: int, marks: list[Mark], spans: list[tuple[int, int]]) -> None:
        thinking = iter((*spans, (len(self._raw), len(self._raw))))
        span = next(thinking)
        for found in marks:
            if found.end <= start or found.kind is MarkKind.ESCAPED:
                continue
            # a mark that begins before `start`: its beginning was shown as prose
            mark = found if found.start >= start else found._replace(start=start)
            while span[1] <= mark.start and span[0] < len(self._raw):
                span = next(thinking)
            if self._block_start is not None:
                self._end_block(self._block_start, mark)
            elif mark.kind not in NONCE_KINDS:
                self._near_mark_ends += [mark.end] * (mark.start < span[0])
            elif mark.start < span[0]:
                self._end_prose(mark)
            else:
                self._skip_thought(mark)
                self.has_nonce |= span[1] == len(self._raw) and bool(self._raw[: span[0]].strip())
        if self._block_start is not None:
            self._add_block(self._block_start, len(self._raw), is_closed=False)
        self._prose.append(self._raw[self._at :])
        self._add_prose()
        written = [
            block for block in self.blocks if block.body.strip()
        ]  # a blank block comes from an opening mark that was used as a closing one
        self.blocks = written or self.blocks[:1]

    def _end_block(self, block_start: int, mark: Mark) -> None:
        """End the block at a mark with the nonce.

        A mark inside a string is a part of the block, unless it is the closing mark that ends the answer.
        """
        if mark.kind not in NONCE_KINDS:
            return
        if self._tracker.is_inside(mark.start):
            ends_answer = mark.kind is MarkKind.CLOSE and _BLANK_END.match(self._raw, mark.end) is not None
            if not ends_answer:
                self._block_holds_marks = True
                return
        self._add_block(block_start, mark.start, is_closed=mark.kind in _CLOSING_KINDS)
        self._at = mark.end
        self._is_result = mark.kind is MarkKind.RESULT_OPEN
        if mark.kind is MarkKind.OPEN:
            self._open(mark)

    def _end_prose(self, mark: Mark) -> None:
        """Add the prose before a mark. Prose after a result that the model invented is invented too."""
        self.has_nonce |= mark.kind not in _RESULT_KINDS or self._begins_line(mark)
        if self.blocks and mark.kind in _CLOSING_KINDS:
            self.blocks[-1].is_closed = False
        self._prose.append(self._raw[self._at : mark.start])
        self._at = mark.end
        if mark.kind is MarkKind.OPEN or (self.blocks and mark.kind in _RESULT_KINDS):
            self._add_prose()
            self._is_result = mark.kind is not MarkKind.OPEN
        if mark.kind is MarkKind.OPEN:
            self._open(mark)

    def _begins_line(self, mark: Mark) -> bool:
        """Whether a mark opens a result at the beginning of a line: then it is invented, not a quotation."""
        line = self._raw[max(0, mark.start - LINE_LENGTH) : mark.start].rpartition("\n")[2]
        return mark.kind is MarkKind.RESULT_OPEN and not line.strip(" \t`")

    def _skip_thought(self, mark: Mark) -> None:
        """Skip a mark, and the call after it, in a text that the model wrote while thinking."""
        if not self._is_skipping:
            self._prose.append(self._raw[self._at : mark.start])
        self._is_skipping = mark.kind is MarkKind.OPEN
        self._at = mark.end

    def _open(self, mark: Mark) -> None:
        """Begin a block; its strings are tracked only if it is JSON, since other text has none."""
        is_json = _JSON_BODY.match(self._raw, mark.end) is not None
        self._tracker.restart(mark.end if is_json else len(self._raw))
        self._block_start = mark.end

    def _add_block(self, start: int, end: int, *, is_closed: bool) -> None:
        self.blocks.append(Block(self._raw[start:end], is_closed, self._block_holds_marks))
        self._block_start, self._block_holds_marks, self._at = None, False, end

    def _add_prose(self) -> None:
        text = "".join(self._prose)
        self._prose.clear()
        if not self.blocks:
            self.before += restore(text)
            return
        length = len(text.strip())
        self.characters_after += length
        if length and not self._is_result:
            self.outside.append(restore(text).strip())
            self.is_followed |= is_substantial(text)


def _closed_blocks(marks: list[Mark]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each text that begins after a mark of a call and ends at its closing mark."""
    block_start: int | None = None
    for mark in marks:
        if mark.kind is MarkKind.OPEN:
            block_start = mark.end
        elif mark.kind in _CLOSING_KINDS and block_start is not None:
            yield block_start, mark.start
            block_start = None


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text without the given spans."""
    pieces: list[str] = []
    start = 0
    for begin, end in spans:
        pieces.append(text[start : max(start, begin)])
        start = max(start, end)
    return "".join((*pieces, text[start:]))
