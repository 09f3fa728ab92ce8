"""Splits the text of the model, piece by piece, into prose and the text of calls.

Prose is shown at once, except for an end that may belong to a mark or a call, such as a `<` and the text
after it, the beginning of the nonce or of a function's name, white space, or back quotes that may open a code
fence. From the first mark on, even one without the right nonce, and from the first text that looks like a
call without marks, everything is held to the end of the answer. An answer that begins with a JSON object is
held as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.answer_parts import LINE_LENGTH, AnswerParts, Block
from tess_openai.core.emulate.call_shapes import CallShapes
from tess_openai.core.emulate.marks import NONCE_KINDS, MarkKind, Marks
from tess_openai.core.emulate.thinking import without_thinking

_MAX_HELD_SPACE: Final = 256
"""The longest white space before a call that is held; the bound keeps the time of the parser linear."""
_FENCE_AT_END: Final = re.compile(r"(?:`{1,2}|`{3}[\w-]{0,16})\Z")
_FENCE_LINE_AT_END: Final = re.compile(r"^[ \t]{0,8}`{3}[\w-]{0,16}\Z", re.MULTILINE)
_FENCE_LINE: Final = re.compile(r"^[ \t]*`{3}", re.MULTILINE)
_FENCE_WINDOW: Final = 28
_BARE_CALL: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?(?:\[\s{0,20})?\{")
"""An answer that begins with an object, or with an array of objects: it may be a call without marks."""
_BARE_LIST: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?\[\s{0,20}\Z")
"""An answer so far that may become a match of `_BARE_CALL`."""
_HOLDING_KINDS: Final = NONCE_KINDS | {MarkKind.NEAR_OPEN}


@dataclass(frozen=True, slots=True)
class HeldText:
    """The text that was held to the end of an answer, divided into its parts.

    Attributes:
        prose: With `blocks`, the prose before the first of them that was not shown yet.
        blocks: The texts of calls.
        verbatim: Without `blocks`, the whole held text, to be returned as prose: without marks that have the
            nonce, and with escaped texts restored.
        around: With `blocks`, all prose that was not shown: before, between and after the blocks.
        characters_after: How many characters of prose, and of results that the model invented, follow the
            first call.
        is_followed: Whether more prose than a few letters, or a word or sign of doubt, follows a call.
        has_nonce: Without `blocks`, whether the model wrote the nonce, which shows that it tried to call.
        may_be_call: Without `blocks`, whether a part of the answer looks like a call of an offered function.
    """

    prose: str
    blocks: tuple[Block, ...] = ()
    verbatim: str = ""
    around: str = ""
    characters_after: int = 0
    is_followed: bool = False
    has_nonce: bool = False
    may_be_call: bool = False


class AnswerParser:
    """Splits one answer, with the same result for any division of the answer into pieces.

    Args:
        marks: The marks of the request.
        functions: The names of the offered functions.
    """

    def __init__(self, marks: Marks, functions: Iterable[str] = ()) -> None:
        self._marks = marks
        self._shapes = CallShapes(functions)
        self._held = ""  # the end of the text so far, not shown yet
        self._line_start = ""  # the part of the current line that was shown
        self._held_to_end: list[str] = []
        self._raw: list[str] = []
        self._shown: list[str] = []
        self._has_begun = False

    def feed(self, text: str) -> str:
        """Take the next piece and return the prose that can be shown now."""
        self._raw.append(text)
        if self._held_to_end:
            self._held_to_end.append(text)
            return ""
        text = self._held + text
        if not self._has_begun and self._may_begin_with_call(text):
            return ""
        shown = self._scan(text, final=False)
        self._has_begun |= len(self._held) < len(text)
        self._shown.append(shown)
        return shown

    def finish(self) -> HeldText:
        """End the answer; return the text that was held, divided into its parts."""
        raw, before_mark = "".join(self._raw), ""
        if not self._held_to_end:
            before_mark = self._scan(self._held, final=True)
            if not self._held_to_end:
                text = before_mark + self._held
                may_be_call = self._shapes.contains_call_of_function(
                    raw
                ) and self._shapes.contains_call_of_function(without_thinking(raw))
                return HeldText(text, verbatim=text, may_be_call=may_be_call)
        start = len(raw) - sum(map(len, self._held_to_end))
        split = AnswerParts(self._marks, raw, start)
        held = before_mark + self._held
        if split.blocks:
            shown = "".join(self._shown)
            prose = shown + held + split.before
            around = "\n".join(filter(None, (held + split.before, *split.outside)))
            return HeldText(
                prose[len(shown) : _end_of_prose(prose)],
                tuple(split.blocks),
                around=around,
                characters_after=split.characters_after,
                is_followed=split.is_followed,
            )
        may_be_call = self._shapes.contains_named_call(split.outside_thinking) or split.near_misses_name(
            self._shapes
        )
        if _BARE_CALL.match(raw):
            may_be_call = may_be_call or self._shapes.contains_named_call(raw)
        return HeldText("", verbatim=held + split.before, has_nonce=split.has_nonce, may_be_call=may_be_call)

    def _may_begin_with_call(self, text: str) -> bool:
        """Hold an answer that begins with `{` or `[{`, perhaps in a code fence; return whether it is held.

        After a `[` alone, it is held until the next piece.
        """
        if _BARE_CALL.match(text):
            self._held = ""
            self._held_to_end.append(text)
            return True
        if _BARE_LIST.match(text):
            self._held = text
            return True
        return False

    def _scan(self, text: str, *, final: bool) -> str:
        """Return the prose in `text`; hold an end that may turn out not to be prose.

        From a mark, or a text that looks like a call, everything is held to the end of the answer.
        """
        prose: list[str] = []
        at = 0
        first = text.find(self._marks.open)  # from here or an earlier position, everything is held
        until = len(text) if first < 0 else first + len(self._marks.open)
        hold_from = self._shapes.find(text[: until + LINE_LENGTH], after=self._line_start)
        undecided = len(text) if final else self._shapes.undecided_from(text, after=self._line_start)
        for mark in self._marks.find(text[:until], final=final):
            if hold_from is not None and hold_from <= mark.start:
                break
            if mark.kind in _HOLDING_KINDS:
                hold_from = mark.start
                break
            if mark.kind is MarkKind.UNDECIDED:
                undecided = min(undecided, mark.start)
            elif mark.kind is MarkKind.ESCAPED and mark.start < undecided:
                prose += [text[at : mark.start], "<"]
                at = mark.start + 2  # after the tilde
        end = undecided if hold_from is None else hold_from
        prose.append(text[at:end])
        if hold_from is not None:
            self._held_to_end.append(text[hold_from:])
        shown = "".join(prose)
        tail = _end_of_shown(shown)
        self._held = shown[tail:] + (text[max(at, end) :] if hold_from is None else "")
        self._line_start = f"{self._line_start}{shown[:tail]}".rpartition("\n")[2][-LINE_LENGTH:]
        return shown[:tail]


def _end_of_shown(text: str) -> int:
    """Return where white space and a possible code fence at the end begin; they are dropped before a call."""
    end = len(text.rstrip())
    fence = _FENCE_AT_END.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _MAX_HELD_SPACE)


def _end_of_prose(text: str) -> int:
    """Return the end of the prose before a call, without white space and a code fence that opens there."""
    end = len(text.rstrip())
    fence = _FENCE_LINE_AT_END.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None and len(_FENCE_LINE.findall(text, 0, fence.start())) % 2 == 0:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _MAX_HELD_SPACE)
