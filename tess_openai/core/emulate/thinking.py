"""Finds the text that a model wrote while thinking, which is not part of its answer.

Reasoning models write it between tags such as `<think>` and `</think>`; some servers remove the first tag.
OpenAI's open models write it in harmony, their own format, after `<|channel|>analysis<|message|>`. A tag in a
JSON string is part of that string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

_WORDS: Final = (
    r"(?:(?:inner|internal)[_-]?|ant)?(?:think|thinking|thought|thoughts|reasoning|reason|reflection"
    r"|scratchpad|analysis|monologue|deliberation|planning)"
)
_TAG: Final = re.compile(
    r"(?=[<\[\u25c1])(?<!`)(?:"  # these reject most positions, and a tag after a back quote
    rf"<(?P<close>/?)(?:[a-z]{{1,16}}:)?{_WORDS}(?:\s[^<>]{{0,80}})?>"
    rf"|<\|(?:(?:start|begin)|(?P<close_pipe>end))_(?:of_)?{_WORDS}\|>"
    r"|\[(?P<close_bracket>/?)THINK\]|\u25c1(?P<close_triangle>/?)think\u25b7"
    r"|(?P<harmony><\|channel\|>analysis[^<]{0,40}<\|message\|>)"
    r"|(?P<harmony_end><\|end\|>|<\|start\|>|<\|channel\|>(?!analysis)))",
    re.IGNORECASE,
)
_JSON_START: Final = re.compile(r"[{\[]\s{0,200}[\"'{\[]")
_QUOTE: Final = re.compile(r"\\.|\"", re.DOTALL)


class JSONStringTracker:
    """Tracks whether positions of a text, given in ascending order, are inside a JSON string."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next_start = -1
        self.restart(0)

    def restart(self, at: int) -> None:
        """Begin again with the next JSON from `at` on, which must not be before an earlier position."""
        if self._next_start < at:
            found = _JSON_START.search(self._text, at)
            self._next_start = len(self._text) if found is None else found.start()
        self._at = self._next_start
        self._is_inside = False

    def is_inside(self, position: int) -> bool:
        """Whether a string is open at `position`, which must not be before the previous position."""
        if position > self._at:
            quotes = self._text.count('"', self._at, position)
            if self._text.find("\\", self._at, position) >= 0:
                found = _QUOTE.findall(self._text, self._at, position)
                quotes = found.count('"')
            self._is_inside ^= quotes % 2 == 1
            self._at = position
        return self._is_inside


def thinking_spans(text: str, blocks: Iterable[tuple[int, int]] = ()) -> Iterator[tuple[int, int]]:
    """Yield start and end of each part of a text that was written while thinking, including its tags.

    Args:
        text: The text of the model.
        blocks: Start and end of each part in which tags are ignored, such as the input of a call.
    """
    tracker = JSONStringTracker(text)
    at = 0
    opened: int | None = None
    remaining_blocks = iter((*blocks, (len(text), len(text))))
    block = next(remaining_blocks)
    for tag in _TAG.finditer(text):
        while block[1] <= tag.start():
            block = next(remaining_blocks)
        if block[0] <= tag.start():
            continue
        opens = tag["harmony"] is not None or (tag["harmony_end"] is None and not _closes(tag))
        if opened is not None:
            if not opens:
                yield opened, tag.end() if tag["harmony_end"] is None else tag.start()
                opened, at = None, tag.end()
                tracker.restart(at)
        elif tracker.is_inside(tag.start()):
            continue
        elif opens:
            opened = tag.start()
        elif tag["harmony_end"] is None:  # its opening tag is missing
            yield at, tag.end()
            at = tag.end()
            tracker.restart(at)
    if opened is not None:
        yield opened, len(text)


def without_thinking(text: str) -> str:
    """Return the text with blanks instead of the parts written while thinking; all positions stay valid."""
    pieces: list[str] = []
    at = 0
    for start, end in thinking_spans(text):
        pieces += [text[at:start], " " * (end - max(start, at))]
        at = end
    return "".join((*pieces, text[at:])) if pieces else text


def _closes(tag: re.Match[str]) -> bool:
    return bool(tag["close"] or tag["close_pipe"] or tag["close_bracket"] or tag["close_triangle"])
