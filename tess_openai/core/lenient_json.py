r"""Reads JSON as models write it, where the text can be read in one way only.

The standard library reads what is valid JSON. Any other text goes to a reader that corrects its syntax and
never a value: single, typographic and triple quotes, Python's and JavaScript's literals, comments,
superfluous commas and closing brackets, unquoted keys and words, line breaks in strings, missing closing
brackets, and unescaped quotes in the last string. A text that can be read in two ways is refused, with the
reason:

- A backslash in a string that is not JSON: `C:\new` may be a path or contain a line break.
- An unescaped quote in a string with more members after it: they may be part of the string.
- A quote before an operator or another quote: it may end the string, as in `"a" + "b"`.
- A quote directly after the one that begins a string: it may be doubled, or begin the text.
- A word without quotes that may be an expression, as in `b'x'`, `now()` or `a + b`.
- A comment with a quote in it: it may be part of the previous string.
- A key without a comma before it or with `=` after it: it may be part of the previous string.

The reader evaluates nothing, invents no missing value, reads at most `MAX_DEPTH` levels, and takes time
linear in the length of the text (tests/unit/emulate/test_linear_time.py).
"""

from __future__ import annotations

import re
from typing import Final

from tess_openai.core.lenient_strings import (
    AFTER_ITEM,
    AFTER_KEY,
    AFTER_MEMBER,
    CLOSERS,
    RAW_BACKSLASH,
    RAW_QUOTE,
    StringReader,
)
from tess_openai.core.strict_json import (
    MAX_DEPTH,
    Reading,
    UnreadableError,
    parse_number,
    read_strictly,
    with_digits,
)

_COMMENT: Final = r"//[^\n]*\n|/\*(?s:.*?)\*/|\#[^\n]*\n"
_SPACE_AND_COMMENTS: Final = re.compile(rf"(?:\s+|{_COMMENT})*")
_COMMENT_START: Final = re.compile(r"\s*(?://|/\*|\#)")
_BARE_KEY: Final = re.compile(r"[^\s:=,{}\[\]\"'`“”\u2018\u2019\\]{1,200}")
_BARE_VALUE: Final = re.compile(r"(?:(?!\s(?://|/\*|\#))[^,{}\[\]\n\"])+")
_NUMBER: Final = re.compile(
    r"-?(?:(?:0|[1-9]\d{0,400})(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?", re.ASCII
)
_NUMBERS: Final = re.compile(r"[-+.\d]\S*\s+[-+.\d]", re.ASCII)
_EXPRESSION: Final = re.compile(
    r"[()<>;`“”„\xab\xbb\u2039\u203a]|\s[+*/%|&=-]{1,3}\s|['\u2018\u2019](?![^\W\d_])|(?<![^\W\d_])['\u2018\u2019]"
)
"""What shows that words are part of a program or of a quotation; an apostrophe within a word does not."""
_WORDS: Final = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_ELLIPSES: Final = frozenset({"", "...", "…"})


def read_leniently(text: str, start: int = 0, *, is_closed: bool = True) -> Reading:
    """Read the value that begins at `start`, after optional white space and comments.

    Args:
        text: The text of the model.
        start: Where to begin.
        is_closed: Whether the model ended the text itself. If not, a word or number at the end of the text
            may be incomplete and is refused; so are a string with unescaped quotes, and brackets that do not
            match.

    Raises:
        UnreadableError: There is no value, it was cut in the middle, it can be read in more than one way, or
            it is nested too deeply.
    """
    gap = _SPACE_AND_COMMENTS.match(text, start)
    at = start if gap is None else gap.end()
    try:
        reading = read_strictly(text, at)
    except UnreadableError as reason:
        reason.has_begun, reason.at = True, len(text)
        raise
    except (ValueError, RecursionError):
        return _Reader(text, at, is_closed=is_closed).read()
    if reading.end == len(text) and not is_closed and isinstance(reading.value, int | float):
        raise UnreadableError("it ends in the middle of a number")
    return reading


class _Reader(StringReader):
    """A recursive-descent parser of one text.

    Attributes:
        is_whole: False when brackets were still open at the end of the text.
        has_read: Whether a member or an item was read.
        holds_unquoted_text: Whether a text without quotes was read as a string.
    """

    def __init__(self, text: str, at: int, *, is_closed: bool) -> None:
        super().__init__(text, at, is_closed=is_closed)
        self.is_whole = True
        self.has_read = False
        self.holds_unquoted_text = False

    def read(self) -> Reading:
        """Read the value that begins here."""
        try:
            value = self.value()
        except UnreadableError as reason:
            is_raw = str(reason) in {RAW_BACKSLASH, RAW_QUOTE}
            is_over = self.at >= len(self.text) or len(self.closers) >= MAX_DEPTH
            reason.has_begun = self.has_read or is_raw or is_over
            reason.at = self.at
            raise
        holds_raw_text = self.holds_raw_text or self.holds_unquoted_text
        return Reading(value, self.at, self.is_whole, is_corrected=True, holds_raw_text=holds_raw_text)

    def value(self) -> object:
        """Read any value."""
        self.skip(_SPACE_AND_COMMENTS)
        opener = self.peek()
        if opener in {"{", "["}:
            if len(self.closers) >= MAX_DEPTH:
                raise UnreadableError(f"it is nested deeper than {MAX_DEPTH} levels")
            return self.read_object() if opener == "{" else self.read_array()
        if opener in CLOSERS:
            return self.string(AFTER_MEMBER if self.closers[-1:] == ["}"] else AFTER_ITEM)
        return self.word()

    def read_object(self) -> dict[str, object]:
        """Read from `{` to its `}`, or to the end of the text."""
        members: dict[str, object] = {}
        self.enter("}")
        while self.has_more(is_first=not members):
            key = self.key()
            self.skip(_SPACE_AND_COMMENTS)
            if self.peek() != ":":
                self.check_not_cut()
                raise UnreadableError(f"there is no colon after the key {key[:40]!r}")
            self.at += 1
            if key in members:
                raise UnreadableError(f"the key {key[:40]!r} occurs twice in one object")
            members[key] = self.value()
            self.has_read = True
        return members

    def read_array(self) -> list[object]:
        """Read from `[` to its `]`, or to the end of the text."""
        items: list[object] = []
        held_raw_text, self.holds_raw_text = self.holds_raw_text, False
        self.enter("]")
        while self.has_more(is_first=not items):
            items.append(self.value())
            self.has_read = True
        if self.holds_raw_text and sum(isinstance(item, str) for item in items) > 1:
            raise UnreadableError(RAW_QUOTE)  # unescaped quotes may have divided one string
        self.holds_raw_text |= held_raw_text
        return items

    def enter(self, closer: str) -> None:
        """Step into an object or array."""
        self.at += 1
        self.closers.append(closer)

    def has_more(self, *, is_first: bool) -> bool:
        """Move to the next member or item; at the end of the object or array, leave it and return False.

        If the model ended the text itself, a bracket that closes an outer object or array closes the inner
        ones too, and a bracket that closes nothing is skipped.
        """
        has_comma = is_first
        while True:
            start = self.at
            if self.skip(_SPACE_AND_COMMENTS) and self.text.find('"', start, self.at) >= 0:
                raise UnreadableError(RAW_QUOTE)
            char = self.peek()
            if char == "":
                self.is_whole = False
            elif char == ",":
                has_comma = True
                self.at += 1
                continue
            elif char not in {"}", "]"}:
                if not has_comma:
                    raise UnreadableError(f"a comma is missing before {self.text[self.at : self.at + 20]!r}")
                return True
            elif char == self.closers[-1]:
                self.at += 1
            elif not self.is_closed:
                raise UnreadableError("its brackets do not match")
            elif char not in self.closers:
                self.at += 1
                continue
            self.closers.pop()
            return False

    def key(self) -> str:
        """Read a key, quoted or not."""
        if self.peek() in CLOSERS:
            return self.string(AFTER_KEY)
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
        if _COMMENT_START.match(self.text, start):
            raise UnreadableError("a comment does not end")
        if word in _ELLIPSES or re.search(r":(?:\s|$)", word):
            self.check_not_cut()
            raise UnreadableError(f"a value is missing before {self.text[start : start + 20]!r}")
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        if _NUMBER.fullmatch(word):
            return self.number(word)
        if word.lower().lstrip("+-") in {"nan", "infinity", "inf"}:
            self.has_read |= bool(self.closers)
            raise UnreadableError(f"{word} is not JSON")
        if "\\" in word:
            raise UnreadableError(RAW_BACKSLASH)
        is_unclear = _NUMBERS.match(word) or _EXPRESSION.search(word)
        if is_unclear or _COMMENT_START.match(self.text, self.at):
            raise UnreadableError(f"a text needs quotes: {word[:40]!r}")
        self.holds_unquoted_text = True
        return word

    def number(self, word: str) -> float:
        """Read a number."""
        try:
            return parse_number(with_digits(word))
        except ValueError:
            raise UnreadableError(f"the number {word[:40]} is too large") from None

    def check_not_cut(self) -> None:
        """Raise the error of an incomplete text if the reader is at the end of the text."""
        if self.at >= len(self.text):
            raise UnreadableError("it ends in the middle")
