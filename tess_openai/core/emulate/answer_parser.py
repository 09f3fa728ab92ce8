"""Splits the text of the model, piece by piece, into prose and the text of calls.

Prose is shown at once, except for an end that may belong to a mark or a call: a `<` and the text after it,
the beginning of the nonce, white space, and a line that may open a code fence. From the first mark on, and
from the first text that looks like a call without marks, everything is held to the end of the answer.
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
_FENCE: Final = re.compile(r"(?:`{1,2}|`{3}[\w-]{0,16})\Z")
_FENCE_LINE: Final = re.compile(r"^[ \t]{0,8}`{3}[\w-]{0,16}\Z", re.MULTILINE)
_FENCES: Final = re.compile(r"^[ \t]*`{3}", re.MULTILINE)
_FENCE_WINDOW: Final = 28
_BARE_CALL: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?(?:\[\s{0,20})?\{")
_BARE_LIST: Final = re.compile(r"\s{0,200}(?:`{3}[\w-]{0,16}\s{0,20})?\[\s{0,20}\Z")
_HOLDING_KINDS: Final = NONCE_KINDS | {MarkKind.NEAR_OPEN}


@dataclass(frozen=True, slots=True)
class HeldText:
    """The text that was held to the end of an answer, divided into its parts.

    Attributes:
        prose: Prose before the first call that was not shown yet.
        blocks: The texts of calls.
        verbatim: The whole held text, to be returned as prose if the answer has no calls.
        around: With `blocks`, all prose that was not shown: before, between and after the blocks.
        characters_after: How many characters of text follow the first call.
        is_followed: Whether more prose than a few letters follows a call.
        has_nonce: Without `blocks`, whether the model wrote the nonce, which shows that it tried to call.
        may_be_call: Without `blocks`, whether a text looks like a call of an offered function.
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
        self._held = ""
        self._line_start = ""
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
        """Take the end of the answer."""
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
        """Hold an answer that begins with a bracket, as JSON does; return whether it is held."""
        if _BARE_CALL.match(text):
            self._held = ""
            self._held_to_end.append(text)
            return True
        if _BARE_LIST.match(text):
            self._held = text
            return True
        return False

    def _scan(self, text: str, *, final: bool) -> str:
        """Return the prose in `text`; hold an end that may turn out not to be prose."""
        prose: list[str] = []
        at = 0
        first = text.find(self._marks.open)  # here or before it, everything is held
        until = len(text) if first < 0 else first + len(self._marks.open)
        call = self._shapes.find(text[: until + LINE_LENGTH], after=self._line_start)
        undecided = len(text) if final else self._shapes.undecided_from(text, after=self._line_start)
        for mark in self._marks.find(text[:until], final=final):
            if call is not None and call <= mark.start:
                break
            if mark.kind in _HOLDING_KINDS:
                call = mark.start
                break
            if mark.kind is MarkKind.UNDECIDED:
                undecided = min(undecided, mark.start)
            elif mark.kind is MarkKind.ESCAPED and mark.start < undecided:
                prose += [text[at : mark.start], "<"]
                at = mark.start + 2
        end = undecided if call is None else call
        prose.append(text[at:end])
        if call is not None:
            self._held_to_end.append(text[call:])
        shown = "".join(prose)
        tail = _end_of_shown(shown)
        self._held = shown[tail:] + (text[max(at, end) :] if call is None else "")
        self._line_start = f"{self._line_start}{shown[:tail]}".rpartition("\n")[2][-LINE_LENGTH:]
        return shown[:tail]


def _end_of_shown(text: str) -> int:
    """Return where the white space, or possible code fence, at the end begins; a call drops it."""
    end = len(text.rstrip())
    fence = _FENCE.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _MAX_HELD_SPACE)


def _end_of_prose(text: str) -> int:
    """Return the end of the prose before a call, without white space and a code fence around the call."""
    end = len(text.rstrip())
    fence = _FENCE_LINE.search(text, max(0, end - _FENCE_WINDOW), end)
    if fence is not None and len(_FENCES.findall(text, 0, fence.start())) % 2 == 0:
        end = len(text[: fence.start()].rstrip())
    return max(end, len(text) - _MAX_HELD_SPACE)
