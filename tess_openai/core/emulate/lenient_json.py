"""Reads JSON as models write it.

What is JSON is read by the standard library. What is not goes through a reader that forgives the slips of
models: single, typographic and triple quotes, Python's and JavaScript's literals, comments, trailing and
missing commas, unquoted keys and words, line breaks and unescaped quotes in strings, missing closing
brackets. It evaluates nothing, fills no gap, reads at most `MAX_DEPTH` levels, and takes time linear in the
length of the text (tests/unit/emulate/test_linear_time.py).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from tess_openai.core.jsons import to_list, to_object

MAX_DEPTH: Final = 64
"""Of objects and arrays within each other; no function's arguments come near it."""

_COMMENT: Final = r"//[^\n]*|/\*.*?(?:\*/|\Z)|\#[^\n]*"
_GAP: Final = re.compile(rf"(?:\s+|{_COMMENT})*", re.DOTALL)
_SEPARATORS: Final = re.compile(rf"(?:[\s,]+|{_COMMENT})*", re.DOTALL)
_COLON: Final = re.compile(r"=>|[:=]")
_BARE_KEY: Final = re.compile(r"[^\s:=,{}\[\]\"'`“”\u2018\u2019]{1,200}")
_BARE_VALUE: Final = re.compile(r"(?:(?!\s(?://|/\*|\#))[^,{}\[\]\n\"])+")
_NUMBER: Final = re.compile(
    r"-?(?:(?:0|[1-9]\d{0,400})(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?", re.ASCII
)
_WORDS: Final = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_ELLIPSES: Final = frozenset({"", "...", "…"})

_CLOSERS: Final = {
    '"': '"',
    "'": "'",
    "`": "`",
    "“": '”“"',
    "”": '”"',
    "„": '“”"',
    "\u2018": "\u2019\u2018'",
    "\u2019": "\u2019'",
}
_INSIDE: Final = {closers: re.compile(rf"[^\\{closers}]+") for closers in _CLOSERS.values()}
_AFTER_ITEM: Final = re.compile(r"\s*(?:[\]},]|//|/\*|\#|\Z)")
_QUOTED_KEY: Final = (
    r"\"[^\"\n]{0,100}\"|'[^'\n]{0,100}'|[“„\u2018`][^“”\u2019`\n]{0,100}[“”\u2019`]|[A-Za-z_$][\w$-]{0,100}"
)
_AFTER_MEMBER: Final = re.compile(
    rf"\s*(?:[\]}}]|//|/\*|\#|\Z|(?:,\s*)?(?:{_QUOTED_KEY})\s*[:=]|,\s*(?:[\]}},]|//|/\*|\#|\Z))"
)
_AFTER_KEY: Final = re.compile(r"\s*(?:[:=]|\Z)")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {
    char: char for char in "\"'`\\/\n"
}
_CODE_POINT: Final = re.compile(r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})")
_SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class UnreadableError(ValueError):
    """The text is not JSON, not even nearly; the message says why, for the model.

    Attributes:
        has_begun: Whether a member or an item was read before, or the text ended: what cannot be read is a
            value that is cut or wrong, and no bracket in prose.
    """

    has_begun: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A value read from a text.

    Attributes:
        value: JSON.
        end: Where the text goes on.
        is_whole: False when brackets were still open at the end of the text.
    """

    value: object
    end: int
    is_whole: bool


def read_json(text: str, start: int = 0, *, is_closed: bool = True, keys_are_unique: bool = False) -> Reading:
    """Read the value that begins at `start`, where white space may stand.

    Args:
        text: What the model wrote.
        start: Where to begin.
        is_closed: Whether the model ended the text itself; if not, a word or number at its very end may
            have been cut and is not taken.
        keys_are_unique: Whether a key that stands twice in an object is an error; else the last one counts.

    Raises:
        UnreadableError: There is no value, it was cut in the middle, or it is nested too deeply.
    """
    reader = _Reader(text, start, is_closed=is_closed, keys_are_unique=keys_are_unique)
    reader.skip(_GAP)
    try:
        reading = read_strictly(text, reader.at, keys_are_unique=keys_are_unique)
    except UnreadableError:
        raise
    except (ValueError, RecursionError):
        return reader.read()
    if reading.end == len(text) and not is_closed and isinstance(reading.value, int | float):
        raise UnreadableError("it ends in the middle of a number")
    return reading


def read_strictly(text: str, start: int, *, keys_are_unique: bool = False) -> Reading:
    """Read the JSON that begins exactly at `start`.

    Raises:
        UnreadableError: It is nested too deeply, or a key stands twice.
        ValueError: It is no JSON.
        RecursionError: It is nested much too deeply.
    """
    value, end = (_UNIQUE if keys_are_unique else _STRICT).raw_decode(text, start)
    _check_depth(value)
    return Reading(value, end, is_whole=True)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("JSON holds no infinity")
    return number


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadableError("a key stands twice in one object")
    return members


_STRICT: Final = json.JSONDecoder(strict=False, parse_constant=_refuse_constant, parse_float=_finite)
_UNIQUE: Final = json.JSONDecoder(
    strict=False, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
)


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if (members := to_object(item)) is not None:
                below.extend(members.values())
            elif (items := to_list(item)) is not None:
                below.extend(items)
        if not below:
            return
        level = below
    raise UnreadableError(f"it is nested deeper than {MAX_DEPTH} levels")


class _Reader:
    """A recursive descent over one text; `at` is where it stands."""

    def __init__(self, text: str, at: int, *, is_closed: bool, keys_are_unique: bool) -> None:
        self.text = text
        self.at = at
        self.is_closed = is_closed
        self.keys_are_unique = keys_are_unique
        self.is_whole = True
        self.has_read = False
        self.closers: list[str] = []  # of the objects and arrays around, innermost last

    def read(self) -> Reading:
        """Read the value that begins here."""
        try:
            return Reading(self.value(), self.at, self.is_whole)
        except UnreadableError as reason:
            reason.has_begun = self.has_read or self.at >= len(self.text) or len(self.closers) > MAX_DEPTH
            raise

    def peek(self) -> str:
        """Return the next character; `""` at the end."""
        return self.text[self.at : self.at + 1]

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Step over `pattern`, if it stands here; whether it does."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found is not None

    def value(self) -> object:
        """Read any value."""
        self.skip(_GAP)
        opener = self.peek()
        if opener in {"{", "["}:
            if len(self.closers) > MAX_DEPTH:
                raise UnreadableError(f"it is nested deeper than {MAX_DEPTH} levels")
            return self.read_object() if opener == "{" else self.read_array()
        if opener in _CLOSERS:
            return self.string(_AFTER_MEMBER if self.closers[-1:] == ["}"] else _AFTER_ITEM)
        return self.word()

    def read_object(self) -> dict[str, object]:
        """Read from `{` to its `}`, or to the end of the text."""
        members: dict[str, object] = {}
        self.enter("}")
        while self.has_more():
            key = self.key()
            self.skip(_GAP)
            if not self.skip(_COLON):
                self.check_not_cut()
                raise UnreadableError(f"there is no colon after the key {key[:40]!r}")
            if self.keys_are_unique and key in members:
                raise UnreadableError(f"the key {key[:40]!r} stands twice in one object")
            members[key] = self.value()
            self.has_read = True
        return members

    def read_array(self) -> list[object]:
        """Read from `[` to its `]`, or to the end of the text."""
        items: list[object] = []
        self.enter("]")
        while self.has_more():
            items.append(self.value())
            self.has_read = True
        return items

    def enter(self, closer: str) -> None:
        """Step into an object or array."""
        self.at += 1
        self.closers.append(closer)

    def has_more(self) -> bool:
        """Go to the next member or item; False, and a step out, when there is none.

        A bracket that closes something further out closes what is within it too; one that closes nothing
        is passed over.
        """
        while True:
            self.skip(_SEPARATORS)
            char = self.peek()
            if char not in {"", "}", "]"}:
                return True
            if char == "":
                self.is_whole = False
            elif char not in self.closers:
                self.at += 1
                continue
            elif char == self.closers[-1]:
                self.at += 1
            self.closers.pop()
            return False

    def key(self) -> str:
        """Read a key, quoted or not."""
        if self.peek() in _CLOSERS:
            return self.string(_AFTER_KEY)
        start = self.at
        if not self.skip(_BARE_KEY):
            raise UnreadableError(f"a key is missing before {self.text[self.at : self.at + 20]!r}")
        return self.text[start : self.at]

    def word(self) -> object:
        """Read a number, a literal or an unquoted text."""
        start = self.at
        if self.skip(_BARE_VALUE) and self.at == len(self.text) and not self.is_closed:
            raise UnreadableError("it ends in the middle of a value")
        word = self.text[start : self.at].strip()
        if word in _ELLIPSES or re.search(r":(?:\s|$)", word):
            self.check_not_cut()
            raise UnreadableError(f"a value is missing before {self.text[start : start + 20]!r}")
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        if _NUMBER.fullmatch(word):
            number = int(word) if word.lstrip("-").isdigit() else float(word)
            if not math.isinf(number):
                return number
        return word

    def string(self, after: re.Pattern[str]) -> str:
        """Read a string; a quote ends it only where `after` follows, else it was left unescaped."""
        opener = self.peek()
        closers = _CLOSERS[opener]
        triple = opener * 3 if opener in {'"', "'"} and self.text.startswith(opener * 3, self.at) else ""
        self.at += len(triple or opener)
        pieces: list[str] = []
        holds_quotes = False
        while True:
            start = self.at
            self.skip(_INSIDE[closers])
            pieces.append(self.text[start : self.at])
            char = self.peek()
            if char == "":
                raise UnreadableError("it ends in the middle of a string")
            self.at += 1
            if char == "\\":
                pieces.append(self.escape())
            elif triple and self.text.startswith(triple, self.at - 1):
                self.at += 2
                break
            elif not triple and after.match(self.text, self.at):
                if holds_quotes and not self.is_closed and not self.text[self.at :].strip():
                    raise UnreadableError("it ends in the middle")  # the quote may begin the next string
                break
            else:
                holds_quotes = True
                pieces.append(char)
        return _SURROGATES.sub(_join_surrogates, "".join(pieces))

    def escape(self) -> str:
        """Read what follows a backslash; an unknown escape keeps its backslash."""
        found = _CODE_POINT.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            return chr(int(found[1] or found[2], 16))
        char = self.peek()
        if char not in _ESCAPES:
            return "\\"
        self.at += 1
        return _ESCAPES[char]

    def check_not_cut(self) -> None:
        """Raise the truer reason where the text is over."""
        if self.at >= len(self.text):
            raise UnreadableError("it ends in the middle")


def _join_surrogates(found: re.Match[str]) -> str:
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")
