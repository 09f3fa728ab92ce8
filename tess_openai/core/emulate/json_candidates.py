r"""Finds the JSON values that stand in an answer, and tells them from brackets in prose and from fragments.

A value within another is no answer, and neither is what is left of one that was cut or cannot be read: of
`{"name": "root", "kids": [{"name": "a", "kids": []}, {"name": "b` nothing may be taken for the whole. So
nothing is looked for within a value, and nothing behind one that breaks off. Brackets that begin no value, as
in `[0, 1)`, `\frac{1}{2}` or `{name}`, are passed over. It takes time linear in the length of the text, since
what was read as JSON is not read again (tests/unit/emulate/test_linear_time.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Final

from tess_openai.core.emulate.lenient_json import Reading, UnreadableError, read_json, read_strictly
from tess_openai.core.jsons import parse_json, to_object

_BRACKET: Final = re.compile(r"[{\[]")
_MAX_SLOPPY: Final = 32
"""How many brackets are read forgivingly; each may take the length of the text."""
_OBJECT: Final = re.compile(
    r"\{\s*(?:\Z|\}|/|\#|(?:\"(?:[^\"\\\n]|\\.)*(?:\"|\Z)|'[^'\n]*(?:'|\Z)"
    r"|[“„\u2018`][^“”„\u2018\u2019`\n]*(?:[“”\u2018\u2019`]|\Z)"
    r"|[A-Za-z_$][\w$-]*)\s*(?:[:=]|\Z))"
)
_SCALARS: Final = re.compile(r"\[[^{}\[\]\"'“”„\u2018\u2019`]*")
_LINE: Final = 200
_NO_KEY: Final = re.compile(r"[{}\[\]\"\n]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be the answer.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        value: JSON.
        is_whole: False when its last brackets are missing; then it is the last one.
    """

    start: int
    end: int
    value: object
    is_whole: bool


@dataclass(slots=True)
class FoundCandidates:
    """What stands in an answer.

    Attributes:
        candidates: In order; none within another.
        broken_at: Where a value begins that breaks off or cannot be read; nothing behind it counts.
        problem: Why, for the model.
    """

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    broken_at: int | None = None
    problem: str = ""


def find_candidates(text: str, *, may_be_list: bool) -> FoundCandidates:
    """Return the objects and arrays in the text, or the one bare value that it is.

    Args:
        text: The answer.
        may_be_list: Whether an array is asked for; if not, a `[` before mere words is a bracket in prose.
    """
    stripped = text.strip()
    if not stripped.startswith(("{", "[")) and (stripped == "null" or parse_json(stripped) is not None):
        start = text.index(stripped)
        return FoundCandidates([Candidate(start, start + len(stripped), parse_json(stripped), is_whole=True)])
    search = _Search(text, may_be_list=may_be_list)
    search.run()
    return search.found


class _Search:
    """Goes through one text once."""

    def __init__(self, text: str, *, may_be_list: bool) -> None:
        self.text = text
        self.may_be_list = may_be_list
        self.sloppy_left = _MAX_SLOPPY
        self.found = FoundCandidates()

    def run(self) -> None:
        """Look at each bracket that does not stand within a value."""
        bracket = _BRACKET.search(self.text)
        while bracket is not None and self.found.broken_at is None:
            bracket = _BRACKET.search(self.text, self._after(bracket.start()))

    def _after(self, start: int) -> int:
        """Take what begins at a bracket; return where to go on."""
        try:
            reading = read_strictly(self.text, start)
        except (UnreadableError, RecursionError):
            return self._break(start, "it is nested too deeply")
        except ValueError as reason:
            if self.text[start] == "{":
                return self._sloppy_object(start)
            failed_at = reason.pos if isinstance(reason, JSONDecodeError) else len(self.text)
            return self._sloppy_list(start, failed_at)
        return self._take(start, reading)

    def _sloppy_object(self, start: int) -> int:
        if _OBJECT.match(self.text, start) is None:
            return start + 1
        reading = self._read(start)
        if reading is None:
            return start + 1
        if any(map(_NO_KEY.search, to_object(reading.value) or ())):  # a key that spans prose
            return start + 1
        return self._take(start, reading)

    def _sloppy_list(self, start: int, failed_at: int) -> int:
        found = _SCALARS.match(self.text, start)
        end = start + 1 if found is None else found.end()
        if failed_at <= end and self._is_prose(start, end):
            return end
        reading = self._read(start)
        return start + 1 if reading is None else self._take(start, reading)

    def _is_prose(self, start: int, end: int) -> bool:
        """Whether a `[` before bare words or numbers, up to another bracket or a quote, begins no list."""
        if self.text.startswith("]", end):
            line = self.text[max(0, start - _LINE) : start].rpartition("\n")[2].strip()
            return not self.may_be_list or (bool(line) and not line.endswith(":"))
        is_followed = self.text[start:end].rstrip().endswith(("[", ","))  # by an item
        return not self.may_be_list and not is_followed

    def _read(self, start: int) -> Reading | None:
        """Read a value forgivingly; None when there is none, and the search is over when one breaks off."""
        if not self.sloppy_left:
            self._break(start, "it cannot be read")
            return None
        self.sloppy_left -= 1
        try:
            return read_json(self.text, start, is_closed=False)
        except UnreadableError as reason:
            if reason.has_begun:
                self._break(start, str(reason))
            return None

    def _take(self, start: int, reading: Reading) -> int:
        self.found.candidates.append(Candidate(start, reading.end, reading.value, reading.is_whole))
        return reading.end

    def _break(self, start: int, reason: str) -> int:
        self.found.broken_at, self.found.problem = start, reason
        return start + 1
