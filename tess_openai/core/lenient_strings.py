"""Reads strings as models write them, with any kind of quotes, where they can be read in one way only."""

from __future__ import annotations

import re
from typing import Final

from tess_openai.core.strict_json import UnreadableError

CLOSERS: Final = {  # a quote that begins a string -> the quotes that may end it
    '"': '"',
    "'": "'",
    "`": "`",
    "“": '”“"',
    "”": '”"',
    "„": '“”"',
    "\u2018": "\u2019\u2018'",
    "\u2019": "\u2019'",
}
_INSIDE: Final = {quotes: re.compile(rf"[^\\{quotes}]+") for quotes in CLOSERS.values()}
AFTER_ITEM: Final = re.compile(r"\s*(?:[\]},]|//|/\*|\#|\Z)")
"""What may follow the end of a string that is an item of an array, or the outermost value."""
_QUOTED_KEY: Final = (
    r"\"[^\"\n]{0,100}\"|'[^'\n]{0,100}'|[“„\u2018`][^“”\u2019`\n]{0,100}[“”\u2019`]|[A-Za-z_$][\w$-]{0,100}"
)
AFTER_MEMBER: Final = re.compile(
    rf"\s*(?:[\]}}]|//|/\*|\#|\Z|(?:,\s*)?(?:{_QUOTED_KEY})\s*[:=]|,\s*(?:[\]}},]|//|/\*|\#|\Z))"
)
"""What may follow the end of a string that is the value of a member."""
_AFTER_OPERAND: Final = re.compile(r"\s*(?:[+|&?%*.\"'`“]|,\s*[\"'`“])")
"""What shows that a quote may end a string in an expression, as in `"a" + "b"`."""
AFTER_KEY: Final = re.compile(r"\s*(?:[:=]|\Z)")
_BRACKETS: Final = re.compile(r"[\s\]}`;)]*")
_ESCAPE: Final = re.compile(r"[\"\\/bfnrt]|u[0-9a-fA-F]{4}")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
RAW_BACKSLASH: Final = (
    "a backslash in a string is ambiguous; write the string as JSON: "
    r"\\ for each backslash, \" for each quote, \n for each line break"
)
RAW_QUOTE: Final = r"a quote in a string is not escaped; write \" for each quote in a string"


class StringReader:
    """Reads strings of one text.

    Attributes:
        at: The current position.
        is_closed: Whether the model ended the text itself.
        closers: The brackets that close the objects and arrays around the current position, innermost last.
        holds_raw_text: Whether a string was read that contains unescaped quotes or control characters.
    """

    def __init__(self, text: str, at: int, *, is_closed: bool) -> None:
        self.text = text
        self.at: int = at
        self.is_closed = is_closed
        self.closers: list[str] = []
        self.holds_raw_text = False

    def peek(self) -> str:
        """Return the next character; `""` at the end."""
        return self.text[self.at : self.at + 1]

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Skip `pattern` at the current position; return whether it was there."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found is not None

    def string(self, after: re.Pattern[str]) -> str:
        """Read a string. A quote after which `after` does not match is an unescaped part of the string.

        Only the last string of a text may contain such quotes. The first of them must not be at the beginning
        of the string, nor before an operator or another quote.
        """
        opener = self.peek()
        end_quotes = CLOSERS[opener]
        if opener in {'"', "'"} and self.text.startswith(opener * 3, self.at):
            return self.triple_quoted(opener * 3)
        self.at += 1
        pieces: list[str] = []
        holds_raw_quotes = holds_escapes = False
        while True:
            start = self.at
            self.skip(_INSIDE[end_quotes])
            pieces.append(self.text[start : self.at])
            char = self.peek()
            if char == "":
                raise UnreadableError("it ends in the middle of a string")
            self.at += 1
            if char == "\\":
                pieces.append(self.escape())
                holds_escapes = True
            elif after.match(self.text, self.at):
                break
            elif not holds_raw_quotes and (not any(pieces) or _AFTER_OPERAND.match(self.text, self.at)):
                raise UnreadableError(RAW_QUOTE)
            else:
                holds_raw_quotes = True
                pieces.append(char)
        if holds_raw_quotes and not self.ends_here():
            raise UnreadableError(RAW_QUOTE)
        text = _SURROGATES.sub(_join_surrogates, "".join(pieces))
        # every second piece is an escape or a quote
        is_raw = holds_raw_quotes or any(map(_CONTROL.search, pieces[::2]))
        if holds_escapes and (is_raw or opener != '"'):
            raise UnreadableError(RAW_BACKSLASH)
        self.holds_raw_text |= is_raw
        return text

    def triple_quoted(self, quotes: str) -> str:
        """Read a string in three quotes, as in Python; one on a single line is ambiguous."""
        start = self.at + len(quotes)
        end = self.text.find(quotes, start)
        if end < 0:
            self.at = len(self.text)
            raise UnreadableError("it ends in the middle of a string")
        text = self.text[start:end]
        has_fourth = text.startswith(quotes[0]) or self.text.startswith(quotes[0], end + len(quotes))
        if "\n" not in text or has_fourth:
            raise UnreadableError(RAW_QUOTE)
        if "\\" in text:
            raise UnreadableError(RAW_BACKSLASH)
        self.at = end + len(quotes)
        self.holds_raw_text = True
        return text

    def escape(self) -> str:
        """Read an escape sequence after its backslash; an invalid one makes every backslash ambiguous."""
        found = _ESCAPE.match(self.text, self.at)
        if found is None:
            if self.at >= len(self.text):
                raise UnreadableError("it ends in the middle of a string")
            raise UnreadableError(RAW_BACKSLASH)
        self.at = found.end()
        return _ESCAPES[found[0]] if len(found[0]) == 1 else chr(int(found[0][1:], 16))

    def ends_here(self) -> bool:
        """Whether all brackets in `closers` follow and nothing else, and the model ended the text itself."""
        found = _BRACKETS.fullmatch(self.text, self.at)
        if found is None or not self.is_closed:
            return False
        return [char for char in found[0] if char in "]}"] == self.closers[::-1]


def _join_surrogates(found: re.Match[str]) -> str:
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")
