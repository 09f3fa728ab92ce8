"""The marks around a call, and telling them from everything that only looks like them.

A call is written between `<call:NONCE>` and `</call:NONCE>`. The nonce is made up anew for each request, so
no text written before it can hold a valid mark. Text of users and tools that looks like a mark is sent with
a tilde, `<~call:...`, and loses it again where the model repeats it: nothing is lost, and a repeated
imitation is not even a near miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tess_openai.core.jsons import to_list, to_object

_CALL_WORDS: Final = ("call", "calls", "toolcall", "toolcalls", "functioncall", "functioncalls")
_RESULT: Final = "result"
_OTHER_WORDS: Final = ("function", "functions", "tool", "tools", "invoke", "action", "cal", "end", "endcall")
"""What models write in place of `call`; such a tag is one of ours only where it has a colon and the nonce."""
_WORDS: Final = (*_CALL_WORDS, _RESULT, *_OTHER_WORDS)
_COLONS: Final = frozenset(":\uff1a")
_TILDES: Final = 8
_TAG: Final = re.compile(
    r"<(?P<tildes>~{0,8})\|?(?P<slash> ?/? ?)(?P<word>[A-Za-z_]{0,14})"
    r"(?P<gap>[\s:\uff1a=\"'-]{0,4}(?:id=[\"']?)?)(?P<token>[0-9A-Za-z]{0,40})[\s\"'/|]{0,3}(?P<end>>?)"
)
_PAYLOAD: Final = re.compile(r"\s{0,16}(?:`{1,3}[\w-]{0,16}\s{0,4})?(?P<start>[{\[])?")


class Kind(Enum):
    """What stands at a `<`."""

    PROSE = "prose"
    UNDECIDED = "the text so far may become a mark"
    ESCAPED = "an imitation that was sent with a tilde"
    OPEN = "a call begins"
    CLOSE = "a call ends, or a result begins or ends"
    NEAR_OPEN = "a call seems to begin, but the nonce is missing or wrong"
    NEAR_CLOSE = "a call seems to end, but the nonce is missing or wrong"
    MISNAMED_OPEN = "a call seems to begin, with the nonce, but in another word"
    MISNAMED_CLOSE = "a call seems to end, with the nonce, but in another word"


OUR_MARKS: Final = frozenset({Kind.OPEN, Kind.CLOSE, Kind.MISNAMED_OPEN, Kind.MISNAMED_CLOSE})
"""What bears the nonce, so that no text but the model's own can hold it."""
NEAR_OPENINGS: Final = frozenset({Kind.NEAR_OPEN, Kind.MISNAMED_OPEN})
NEAR_CLOSINGS: Final = frozenset({Kind.NEAR_CLOSE, Kind.MISNAMED_CLOSE})
ALL_MARKS: Final = OUR_MARKS | {Kind.NEAR_OPEN, Kind.NEAR_CLOSE}


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands at one `<` of a text, from `start` up to `end`."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one request.

    Attributes:
        nonce: Letters and digits, short, never used before.
    """

    nonce: str

    @property
    def open(self) -> str:
        """The line before a call."""
        return f"<call:{self.nonce}>"

    @property
    def close(self) -> str:
        """The line after a call."""
        return f"</call:{self.nonce}>"

    @property
    def result_open(self) -> str:
        """The line before a result."""
        return f"<{_RESULT}:{self.nonce}>"

    @property
    def result_close(self) -> str:
        """The line after a result."""
        return f"</{_RESULT}:{self.nonce}>"

    def find(self, text: str, *, final: bool) -> Iterator[Mark]:
        """Tell what stands at each `<` that is not prose, in order.

        Args:
            text: What the model wrote.
            final: False when more may follow; an `UNDECIDED` mark is then the last one given.
        """
        for found in _TAG.finditer(text):
            mark = self._classify(text, found, final=final)
            if mark.kind is not Kind.PROSE:
                yield mark
            if mark.kind is Kind.UNDECIDED:
                return

    def without(self, text: str, kinds: frozenset[Kind]) -> str:
        """Return a whole text without the marks of some kinds, and imitations as they were meant."""
        pieces: list[str] = []
        at = 0
        for mark in self.find(text, final=True):
            if mark.kind in kinds:
                pieces.append(text[at : mark.start])
                at = mark.end
        pieces.append(text[at:])
        return "".join(map(restore, pieces))

    def _classify(self, text: str, found: re.Match[str], *, final: bool) -> Mark:
        if found.end() == len(text) and not found["end"] and not final:
            kind = Kind.UNDECIDED if _may_become_mark(found) else Kind.PROSE
        elif not _is_mark(found):
            kind = Kind.PROSE
        elif found["tildes"]:
            kind = Kind.ESCAPED
        else:
            kind = self._kind(text, found, final=final)
        return Mark(kind, found.start(), found.end())

    def _kind(self, text: str, found: re.Match[str], *, final: bool) -> Kind:
        closes = "/" in found["slash"]
        genuine = found["token"].lower() == self.nonce.lower()
        if _word(found) not in _CALL_WORDS:
            misnamed = Kind.MISNAMED_CLOSE if closes else Kind.MISNAMED_OPEN
            ours = Kind.CLOSE if _word(found) == _RESULT else misnamed
            return ours if genuine else Kind.PROSE
        if genuine:
            return Kind.CLOSE if closes else Kind.OPEN
        if closes:
            return Kind.NEAR_CLOSE
        payload = _PAYLOAD.match(text, found.end())
        if payload is None or payload["start"]:
            return Kind.NEAR_OPEN
        return Kind.UNDECIDED if payload.end() == len(text) and not final else Kind.PROSE


def escape(text: str) -> str:
    """Return `text` with a tilde in everything that looks like a mark; `restore` takes it out again."""
    return _TAG.sub(_with_tilde, text) if "<" in text else text


def restore(text: str) -> str:
    """Return the text that `escape` was given."""
    return _TAG.sub(_without_tilde, text) if "<~" in text else text


def restore_all(value: object) -> object:
    """Return a JSON value with all strings in it restored, keys included."""
    if isinstance(value, str):
        return restore(value)
    if (items := to_list(value)) is not None:
        return [restore_all(item) for item in items]
    if (members := to_object(value)) is not None:
        return {restore(key): restore_all(member) for key, member in members.items()}
    return value


def _word(found: re.Match[str]) -> str:
    return found["word"].lower().replace("_", "")


def _may_become_mark(found: re.Match[str]) -> bool:
    word = _word(found)
    if found.end() == found.end("word"):
        return any(name.startswith(word) for name in _WORDS)
    return word in _WORDS


def _is_mark(found: re.Match[str]) -> bool:
    word = _word(found)
    if word in _CALL_WORDS:
        return found.end() > found.end("word")
    return word in _WORDS and not _COLONS.isdisjoint(found["gap"])


def _with_tilde(found: re.Match[str]) -> str:
    text = found[0]
    return f"<~{text[1:]}" if _is_mark(found) and len(found["tildes"]) < _TILDES else text


def _without_tilde(found: re.Match[str]) -> str:
    text = found[0]
    return f"<{text[2:]}" if _is_mark(found) and found["tildes"] else text
