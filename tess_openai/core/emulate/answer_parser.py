"""Splits what the model writes, piece by piece, into prose and the text of calls.

Prose is shown at once, but for an end that may belong to a mark or a call: a `<` and what follows it, the
beginning of the nonce, white space, and a line that may open a code fence. From the first mark on everything
is held to the end of the answer; so is what looks like a call without marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.call_shapes import CallShapes, says_something
from tess_openai.core.emulate.marks import OUR_MARKS, Kind, Mark, Marks, restore
from tess_openai.core.emulate.thinking import StringTracker, thinking_spans

_TAIL: Final = 256
"""Longest run of white space before a call that is held; a bound keeps the parser linear."""
_FENCE: Final = re.compile(r"(?:`{1,2}|`{3}[\w-]{0,16})\Z")
_FENCE_LINE: Final = re.compile(r"^[ \t]{0,8}`{3}[\w-]{0,16}\Z", re.MULTILINE)
_FENCES: Final = re.compile(r"^[ \t]*`{3}", re.MULTILINE)
_FENCE_WINDOW: Final = 28
_LINE: Final = 100
_NEAR: Final = 400
_MAX_NEAR: Final = 128
_BARE_CALL: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?(?:\[\s{0,20})?\{")
_BARE_LIST: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?\[\s{0,20}\Z")
_JSON_BODY: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?[\w .:`(-]{0,200}[{\[]")
_HELD: Final = OUR_MARKS | {Kind.NEAR_OPEN}
_RESULTS: Final = frozenset({Kind.RESULT_OPEN, Kind.RESULT_CLOSE})


@dataclass(frozen=True, slots=True)
class Block:
    """The text between two marks.

    Attributes:
        body: Without the marks.
        is_closed: Whether a mark ended it; if not, the answer may have been cut inside.
        holds_marks: Whether a string in it holds marks of the request.
    """

    body: str
    is_closed: bool
    holds_marks: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    """What was held to the end.

    Attributes:
        prose: Prose before the first call that was not shown yet.
        blocks: The texts of calls.
        verbatim: All that was not shown, as prose, for an answer without calls.
        around: With `blocks`, all prose that was not shown: before, between and after them.
        after: How many characters of text follow the first call.
        is_followed: Whether prose follows a call that is more than a few letters.
        has_nonce: Without `blocks`, whether the model wrote the nonce, so that it meant a call.
        may_be_call: Without `blocks`, whether a text looks like a call of an offered function.
    """

    prose: str
    blocks: tuple[Block, ...] = ()
    verbatim: str = ""
    around: str = ""
    after: int = 0
    is_followed: bool = False
    has_nonce: bool = False
    may_be_call: bool = False


class AnswerParser:
    """Splits one answer. Any way of cutting the answer into pieces gives the same result.

    Args:
        marks: Of the request.
        functions: The names of the offered functions.
    """

    def __init__(self, marks: Marks, functions: Iterable[str] = ()) -> None:
        self._marks = marks
        self._shapes = CallShapes(functions)
        self._held = ""
        self._line = ""
        self._from_mark: list[str] = []
        self._raw: list[str] = []
        self._shown: list[str] = []
        self._has_begun = False

    def feed(self, text: str) -> str:
        """Take the next piece and return the prose that can be shown now."""
        self._raw.append(text)
        if self._from_mark:
            self._from_mark.append(text)
            return ""
        text = self._held + text
        if not self._has_begun and self._may_begin_with_call(text):
            return ""
        shown = self._scan(text, final=False)
        self._has_begun |= len(self._held) < len(text)
        self._shown.append(shown)
        return shown

    def finish(self) -> Rest:
        """Take the end of the answer."""
        before_mark = ""
        if not self._from_mark:
            before_mark = self._scan(self._held, final=True)
            if not self._from_mark:
                return Rest(before_mark + self._held, verbatim=before_mark + self._held)
        raw = "".join(self._raw)
        start = len(raw) - sum(map(len, self._from_mark))
        split = _Split(self._marks, raw, start)
        held = before_mark + self._held
        if split.blocks:
            shown = "".join(self._shown)
            prose = shown + held + split.before
            around = "\n".join(filter(None, (held + split.before, *split.outside)))
            return Rest(
                prose[len(shown) : _end_of_prose(prose)],
                tuple(split.blocks),
                around=around,
                after=split.after,
                is_followed=split.is_followed,
            )
        near = self._shapes.names_one(split.outside_thinking) or split.near_misses_name(self._shapes)
        if _BARE_CALL.match(raw):
            near = near or self._shapes.names_one(raw)
        return Rest("", verbatim=held + split.before, has_nonce=split.has_nonce, may_be_call=near)

    def _may_begin_with_call(self, text: str) -> bool:
        """Hold an answer that begins with a bracket, as JSON does; whether it is held."""
        if _BARE_CALL.match(text):
            self._held = ""
            self._from_mark.append(text)
            return True
        if _BARE_LIST.match(text):
            self._held = text
            return True
        return False

    def _scan(self, text: str, *, final: bool) -> str:
        """Return the prose of `text`, and keep the end that is not yet known to be prose."""
        prose: list[str] = []
        at = 0
        call = self._shapes.find(text, after=self._line)
        undecided = len(text) if final else self._shapes.held_from(text, after=self._line)
        for mark in self._marks.find(text, final=final):
            if call is not None and call <= mark.start:
                break
            if mark.kind in _HELD:
                call = mark.start
                break
            if mark.kind is Kind.UNDECIDED:
                undecided = min(undecided, mark.start)
            elif mark.kind is Kind.ESCAPED and mark.start < undecided:
                prose += [text[at : mark.start], "<"]
                at = mark.start + 2
        end = undecided if call is None else call
        prose.append(text[at:end])
        if call is not None:
            self._from_mark.append(text[call:])
        shown = "".join(prose)
        tail = _tail(shown)
        self._held = shown[tail:] + (text[max(at, end) :] if call is None else "")
        self._line = f"{self._line}{shown[:tail]}".rpartition("\n")[2][-_LINE:]
        return shown[:tail]


class _Split:
    """The parts of an answer, from `start` on: blocks, and the prose around them.

    Attributes:
        blocks: The texts of calls, without those that the model wrote while thinking.
        before: The prose before the first block; all of it where there is none.
        outside: The pieces of prose between and after the blocks, without made-up results.
        after: How many characters of text follow the first block, made-up results included.
        is_followed: Whether one of `outside` is more than a few letters.
        has_nonce: Whether the nonce occurs outside of what the model wrote while thinking.
        outside_thinking: The text without what the model wrote while thinking.
    """

    def __init__(self, marks: Marks, raw: str, start: int) -> None:
        self.blocks: list[Block] = []
        self.before = ""
        self.outside: list[str] = []
        self.after = 0
        self.is_followed = self.has_nonce = False
        self._raw = raw
        self._tracker = StringTracker(raw)
        self._near: list[int] = []
        self._prose: list[str] = []
        self._at = start
        self._opened: int | None = None
        self._holds_marks = self._is_result = self._skips = False
        spans = list(thinking_spans(raw))
        self.outside_thinking = _without(raw, spans)
        self._read(start, marks, spans)

    def near_misses_name(self, shapes: CallShapes) -> bool:
        """Whether a function is named after what looks like an opening mark."""
        return any(shapes.is_named_in(self._raw[at : at + _NEAR]) for at in self._near[:_MAX_NEAR])

    def _read(self, start: int, marks: Marks, spans: list[tuple[int, int]]) -> None:
        thinking = iter((*spans, (len(self._raw), len(self._raw))))
        span = next(thinking)
        for mark in marks.find(self._raw, final=True):
            while span[1] <= mark.start and span[0] < len(self._raw):
                span = next(thinking)
            if mark.start < start or mark.kind is Kind.ESCAPED:
                continue
            if self._opened is not None:
                self._end_block(self._opened, mark)
            elif mark.kind not in OUR_MARKS:
                self._near += [mark.end] * (mark.start < span[0])
            elif mark.start < span[0]:
                self._leave_prose(mark)
            else:
                self._skip_thought(mark)
        if self._opened is not None:
            self._add_block(self._opened, len(self._raw), is_closed=False)
        self._prose.append(self._raw[self._at :])
        self._add_prose()
        written = [
            block for block in self.blocks if block.body.strip()
        ]  # a blank one is a mark used to close
        self.blocks = written or self.blocks[:1]

    def _end_block(self, opened: int, mark: Mark) -> None:
        """End the block at a mark, unless a string goes on there."""
        if mark.kind not in OUR_MARKS:
            return
        ends_answer = mark.kind is Kind.CLOSE and not self._raw[mark.end :].strip(" \t\r\n`")
        if self._tracker.is_inside(mark.start) and not ends_answer:
            self._holds_marks = True
            return
        self._add_block(opened, mark.start, is_closed=True)
        self._at = mark.end
        self._is_result = mark.kind is Kind.RESULT_OPEN
        if mark.kind is Kind.OPEN:
            self._open(mark)

    def _leave_prose(self, mark: Mark) -> None:
        """Take the prose before a mark; what follows made-up results is made up too."""
        self.has_nonce |= mark.kind not in _RESULTS or self._begins_line(mark)
        self._prose.append(self._raw[self._at : mark.start])
        self._at = mark.end
        if mark.kind is Kind.OPEN or (self.blocks and mark.kind in _RESULTS):
            self._add_prose()
            self._is_result = mark.kind is not Kind.OPEN
        if mark.kind is Kind.OPEN:
            self._open(mark)

    def _begins_line(self, mark: Mark) -> bool:
        """Whether a result begins on a line of its own: made up, and not quoted from the conversation."""
        line = self._raw[max(0, mark.start - _LINE) : mark.start].rpartition("\n")[2]
        return mark.kind is Kind.RESULT_OPEN and not line.strip(" \t`")

    def _skip_thought(self, mark: Mark) -> None:
        """Leave out a mark in what the model wrote while thinking, with the call that follows it."""
        if not self._skips:
            self._prose.append(self._raw[self._at : mark.start])
        self._skips = mark.kind is Kind.OPEN
        self._at = mark.end

    def _open(self, mark: Mark) -> None:
        """Begin a block; only in JSON can a mark be part of a string."""
        is_json = _JSON_BODY.match(self._raw, mark.end) is not None
        self._tracker.restart(mark.end if is_json else len(self._raw))
        self._opened = mark.end

    def _add_block(self, start: int, end: int, *, is_closed: bool) -> None:
        self.blocks.append(Block(self._raw[start:end], is_closed, self._holds_marks))
        self._opened, self._holds_marks, self._at = None, False, end

    def _add_prose(self) -> None:
        text = "".join(self._prose)
        self._prose.clear()
        if not self.blocks:
            self.before += restore(text)
            return
        self.after += len(text.strip())
        if not self._is_result:
            self.outside.append(restore(text).strip())
            self.is_followed |= says_something(text)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text without some parts of it."""
    pieces: list[str] = []
    start = 0
    for begin, end in spans:
        pieces.append(text[start : max(start, begin)])
        start = max(start, end)
    return "".join((*pieces, text[start:]))


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
