"""The marks around a call, and how they are distinguished from texts that only look like marks.

A call is written between `<call:NONCE>` and `</call:NONCE>`. The nonce is new in each request, so no text
written before the request can contain a valid mark. Text of users and tools that looks like a mark is sent
with a tilde, `<~call:...`, which is removed again where the model repeats the text. So the caller gets the
text unchanged, and the repetition is never mistaken for a call. Any other text with the nonce was written by
the model itself, which therefore meant a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from tess_openai.core.jsons import to_list, to_object

_NONCE_SYLLABLES: Final = 5
_SYLLABLES: Final = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
_CALL_WORDS: Final = ("call", "calls", "toolcall", "toolcalls", "functioncall", "functioncalls")
_RESULT: Final = "result"
_OTHER_WORDS: Final = ("function", "functions", "tool", "tools", "invoke", "action", "cal", "end", "endcall")
"""Words that models write instead of `call`; such a tag looks like a mark only with a colon."""
_WORDS: Final = (*_CALL_WORDS, _RESULT, *_OTHER_WORDS)
_COLONS: Final = frozenset(":\uff1a")
_MAX_TILDES: Final = 8
_TAG: Final = re.compile(
    r"<(?P<tildes>~{0,8})\|?(?P<slash> ?/? ?)(?P<word>[A-Za-z_]{0,14})"
    r"(?P<gap>[\s:\uff1a=\"'-]{0,4}(?:id=[\"']?)?)(?P<token>[0-9A-Za-z]{0,40})[\s\"'/|]{0,3}(?P<end>>?)"
)
_STRAY_WINDOW: Final = 72
_IN_BRACKET: Final = r"[~/|\s]{0,3}[\w.-]{0,48}[\s:\uff1a=\"'-]{0,4}"
_OTHER_BRACKETS: Final = r"\[({\u3010\xab\uff1c"
_BEFORE_STRAY: Final = re.compile(
    rf"(?:&lt;|&\#60;|\\u003c|[<{_OTHER_BRACKETS}]){_IN_BRACKET}\Z|\bcall[\s:]{{1,3}}\Z", re.IGNORECASE
)
_POSSIBLE_STRAY: Final = re.compile(
    rf"(?:&(?:\#60?;|lt?;?|\#)?|\\(?:u0?0?3?c?)?|[{_OTHER_BRACKETS}]){_IN_BRACKET}\Z"
    r"|\b(?:c|ca|cal|call[\s:]{0,3})\Z",
    re.IGNORECASE,
)
"""The end of a text that may become a match of `_BEFORE_STRAY`; `_TAG` matches tags that begin with `<`."""
_AFTER_STRAY: Final = re.compile(r"[\s\"'/|]{0,3}(?:&gt;|&\#62;|\\u003e|[>\])}\u3011\xbb\uff1e])")
_PAYLOAD: Final = re.compile(r"\s{0,16}(?:`{1,3}[\w-]{0,16}\s{0,4})?(?P<start>[{\[])?")


class MarkKind(Enum):
    """What a part of a text is: prose, or one of the kinds of marks."""

    PROSE = "prose"
    UNDECIDED = "the text so far may become a mark"
    ESCAPED = "text that looks like a mark, with the tilde of `escape`"
    OPEN = "a call begins"
    CLOSE = "a call ends"
    RESULT_OPEN = "a result begins"
    RESULT_CLOSE = "a result ends"
    STRAY = "the nonce, in a form that is not a mark"
    NEAR_OPEN = "a call seems to begin, but the nonce is missing or wrong"
    NEAR_CLOSE = "a call seems to end, but the nonce is missing or wrong"
    MISNAMED_OPEN = "a call seems to begin, with the nonce, but not with the word for it"
    MISNAMED_CLOSE = "a call seems to end, with the nonce, but not with the word for it"

    __hash__ = object.__hash__  # members are compared by identity; the default hashes the name each time


NONCE_KINDS: Final = frozenset(
    {
        *(MarkKind.OPEN, MarkKind.CLOSE, MarkKind.RESULT_OPEN, MarkKind.RESULT_CLOSE, MarkKind.STRAY),
        *(MarkKind.MISNAMED_OPEN, MarkKind.MISNAMED_CLOSE),
    }
)
"""The kinds of marks with the nonce, which only the model itself can have written."""
_KINDS_OF_WORDS: Final = dict.fromkeys(_CALL_WORDS, (MarkKind.OPEN, MarkKind.CLOSE)) | {
    _RESULT: (MarkKind.RESULT_OPEN, MarkKind.RESULT_CLOSE)
}
MARK_KINDS: Final = NONCE_KINDS | {MarkKind.NEAR_OPEN, MarkKind.NEAR_CLOSE}
"""`NONCE_KINDS`, and the kinds of what looks like a mark without the nonce."""


class Mark(NamedTuple):  # an answer may contain hundreds: creating a frozen dataclass takes twice as long
    """One mark in a text, from `start` up to `end`."""

    kind: MarkKind
    start: int
    end: int


def to_nonce(random_id: str) -> str:
    """Return the nonce for a random identifier of at least eight hexadecimal digits: five syllables.

    They hold about 30 random bits. With syllables instead of hexadecimal digits, a small model made fewer
    unwanted calls and as many wanted ones; the table is in `docs/emulation.md`.
    """
    number, syllables = int(random_id, 16), list[str]()
    for _ in range(_NONCE_SYLLABLES):
        number, index = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[index])
    return "".join(syllables)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one request.

    Attributes:
        nonce: A few random lower-case letters, new in each request.
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

    def find(self, text: str, *, final: bool) -> list[Mark]:
        """Return each mark, each other occurrence of the nonce, and each escaped text, in order.

        Args:
            text: The text of the model.
            final: Whether the text is complete; if not, the last mark may be `UNDECIDED`.
        """
        tags: list[Mark] = []
        # most marks are written exactly as the instructions show them
        exact = {self.open: MarkKind.OPEN, self.close: MarkKind.CLOSE}
        well_written = 0
        for found in _TAG.finditer(text) if "<" in text else ():
            kind = exact.get(found[0])
            if kind is not None:
                tags.append(Mark(kind, found.start(), found.end()))
                well_written += 1
                continue
            mark = self._classify(text, found, final=final)
            if mark.kind is not MarkKind.PROSE:
                tags.append(mark)
            if mark.kind is MarkKind.UNDECIDED:
                break
        is_decided = not tags or tags[-1].kind is not MarkKind.UNDECIDED
        has_others = text.lower().count(self.nonce.lower()) > well_written
        strays = list(self._strays(text, tags)) if has_others else []
        if not final and is_decided and (begun := self._possible_mark(text, (tags, strays))) is not None:
            strays.append(begun)
        return sorted((*tags, *strays), key=_start) if strays else tags

    def _strays(self, text: str, tags: list[Mark]) -> Iterator[Mark]:
        """Yield each occurrence of the nonce outside of the tags, with the brackets and words around it."""
        number = end = 0
        for found in re.finditer(re.escape(self.nonce), text, re.IGNORECASE):
            at = found.start()
            while number < len(tags) and tags[number].end <= at:
                end = max(end, tags[number].end)
                number += 1
            following = tags[number].start if number < len(tags) else len(text)
            if at < end or following <= at:
                continue
            before = _BEFORE_STRAY.search(text, max(end, at - _STRAY_WINDOW), at)
            closer = _AFTER_STRAY.match(text, at + len(self.nonce), following)
            end = at + len(self.nonce) if closer is None else closer.end()
            yield Mark(MarkKind.STRAY, at if before is None else before.start(), end)

    def _possible_mark(self, text: str, marks: tuple[list[Mark], ...]) -> Mark | None:
        """Return the end of a text that may become a `STRAY` mark; None without one."""
        end = max((each[-1].end for each in marks if each), default=0)
        nonce_at = len(text) - self._nonce_part_length(text[max(end, len(text) - len(self.nonce)) :])
        before = _POSSIBLE_STRAY.search(text, max(end, nonce_at - _STRAY_WINDOW), nonce_at)
        start = nonce_at if before is None else before.start()
        return None if start == len(text) else Mark(MarkKind.UNDECIDED, start, len(text))

    def _nonce_part_length(self, text: str) -> int:
        """Return the length of the incomplete nonce with which a text ends."""
        lengths = range(len(self.nonce) - 1, 0, -1)
        end = text[-len(self.nonce) :].lower()
        return next((length for length in lengths if end.endswith(self.nonce[:length])), 0)

    def without(self, text: str, kinds: frozenset[MarkKind]) -> str:
        """Return a complete text without the marks of the given kinds, and with escaped texts restored."""
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
            may_be = _may_become_mark(found) or self._may_have_nonce(found)
            kind = MarkKind.UNDECIDED if may_be else MarkKind.PROSE
        elif not _looks_like_mark(found) and found["token"].lower() != self.nonce:
            kind = MarkKind.PROSE
        elif found["tildes"]:
            kind = MarkKind.ESCAPED
        else:
            kind = self._kind(text, found, final=final)
        return Mark(kind, found.start(), found.end())

    def _may_have_nonce(self, found: re.Match[str]) -> bool:
        """Whether an incomplete tag at the end of the text, with any word, may turn out to have the nonce."""
        return not _COLONS.isdisjoint(found["gap"]) and self.nonce.startswith(found["token"].lower())

    def _kind(self, text: str, found: re.Match[str], *, final: bool) -> MarkKind:
        """Return the kind of a tag; without the nonce, it opens a call only before an object or array."""
        closes = "/" in found["slash"]
        has_nonce = found["token"].lower() == self.nonce
        if has_nonce:
            opening, closing = _KINDS_OF_WORDS.get(
                _word(found), (MarkKind.MISNAMED_OPEN, MarkKind.MISNAMED_CLOSE)
            )
            return closing if closes else opening
        if _word(found) not in _CALL_WORDS:
            return MarkKind.PROSE
        if closes:
            return MarkKind.NEAR_CLOSE
        payload = _PAYLOAD.match(text, found.end())
        if payload is None or payload["start"]:
            return MarkKind.NEAR_OPEN
        return MarkKind.UNDECIDED if payload.end() == len(text) and not final else MarkKind.PROSE


def escape(text: str) -> str:
    """Return `text` with a tilde in everything that looks like a mark; `restore` removes the tildes."""
    return _TAG.sub(_with_tilde, text) if "<" in text else text


def restore(text: str) -> str:
    """Undo `escape`."""
    return _TAG.sub(_without_tilde, text) if "<~" in text else text


def restore_all(value: object) -> object:
    """Return a JSON value with all its strings and keys restored."""
    if isinstance(value, str):
        return restore(value) if "<~" in value else value
    if (items := to_list(value)) is not None:
        return [restore_all(item) for item in items]
    if (members := to_object(value)) is not None:
        return {restore(key) if "<~" in key else key: restore_all(member) for key, member in members.items()}
    return value


def _start(mark: Mark) -> int:
    return mark.start


def _word(found: re.Match[str]) -> str:
    return found["word"].lower().replace("_", "")


def _may_become_mark(found: re.Match[str]) -> bool:
    word = _word(found)
    if found.end() == found.end("word"):
        return any(name.startswith(word) for name in _WORDS)
    return word in _WORDS


def _looks_like_mark(found: re.Match[str]) -> bool:
    """Whether a tag has the form of a mark, whatever its token is."""
    word = _word(found)
    if word in _CALL_WORDS:
        return found.end() > found.end("word")
    return word in _WORDS and not _COLONS.isdisjoint(found["gap"])


def _with_tilde(found: re.Match[str]) -> str:
    text = found[0]
    return f"<~{text[1:]}" if _looks_like_mark(found) and len(found["tildes"]) < _MAX_TILDES else text


def _without_tilde(found: re.Match[str]) -> str:
    text = found[0]
    return f"<{text[2:]}" if _looks_like_mark(found) and found["tildes"] else text
