r"""Finds the JSON values in an answer, and distinguishes them from brackets in prose and from fragments.

A value within another value is not the answer, nor is a part of an incomplete value: no part of
`{"name": "root", "kids": [{"name": "a", "kids": []}, {"name": "b` may be mistaken for the whole. So the
search does not look inside a value, and ends at an incomplete one. It skips brackets that begin no value, as
in `[0, 1)`, `\frac{1}{2}` or `{name}`. The time is linear in the length of the text, since no value is read
twice (tests/unit/emulate/test_linear_time.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Final

from tess_openai.core.jsons import parse_json, to_object
from tess_openai.core.lenient_json import read_leniently
from tess_openai.core.strict_json import Reading, UnreadableError, read_strictly

_BRACKET: Final = re.compile(r"[{\[]")
_ANY_BRACKET: Final = re.compile(r"[{}\[\]]")
_PART_OF_JSON: Final = re.compile(r"[{}\"]")
_MAY_CONTINUE: Final = "text follows it that may be part of it; a quote in a string may lack its backslash"
_MAX_FAILURES: Final = 256
"""How many brackets may turn out not to begin JSON.

For each, `JSONDecodeError` counts the lines before it, so without this limit the time would be quadratic.
"""
_MAX_LENIENT_READS: Final = 32
"""How many values are read leniently; `core/lenient_json.py` reads them."""
_LENIENT_BUDGET: Final = 4
"""How many characters may be read leniently without finding a value, as a multiple of the text's length."""
_OBJECT: Final = re.compile(
    r"\{\s*(?:\Z|\}|/|\#|(?:\"(?:[^\"\\\n]|\\.)*(?:\"|\Z)|'[^'\n]*(?:'|\Z)"
    r"|[“„\u2018`][^“”„\u2018\u2019`\n]*(?:[“”\u2018\u2019`]|\Z)"
    r"|[A-Za-z_$][\w$-]*)\s*(?:[:=]|\Z))"
)
"""A `{` that may begin an object: its end, a comment or a key follows, or the text ends before that."""
_UNQUOTED_LIST: Final = re.compile(r"\[[^{}\[\]\"'“”„\u2018\u2019`]*")
"""A `[` and the text after it, up to the first bracket or quote."""
_LOOK_BACK: Final = 200
"""How many characters before a bracket are searched for the beginning of its line."""
_IMPOSSIBLE_IN_KEY: Final = re.compile(r"[{}\[\]\"\n]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that may be the answer.

    Attributes:
        start: Its first position in the text.
        end: The position after it.
        value: The JSON value.
        is_corrected: Whether its syntax was corrected.
        holds_raw_text: Whether it contains a string that was not escaped.
    """

    start: int
    end: int
    value: object
    is_corrected: bool = False
    holds_raw_text: bool = False


@dataclass(slots=True)
class FoundCandidates:
    """The result of a search.

    Attributes:
        candidates: The values in order; none is within another.
        broken_at: Where a value begins that is incomplete, cannot be read, or may continue after its end;
            None without one.
        problem: What is wrong with that value, for the model.
    """

    candidates: list[Candidate] = field(default_factory=list[Candidate])
    broken_at: int | None = None
    problem: str = ""


def find_candidates(text: str, *, may_be_list: bool) -> FoundCandidates:
    """Return the objects and arrays in the text, or the single string, number or literal that the text is.

    Args:
        text: The answer.
        may_be_list: Whether an array may be the answer; if not, a `[` before unquoted words is prose.
    """
    stripped = text.strip()
    if not stripped.startswith(("{", "[")) and (stripped == "null" or parse_json(stripped) is not None):
        start = text.index(stripped)
        return FoundCandidates([Candidate(start, start + len(stripped), parse_json(stripped))])
    search = _Search(text, may_be_list=may_be_list)
    search.run()
    return search.found


class _Search:
    """Searches one text from its beginning to its end."""

    def __init__(self, text: str, *, may_be_list: bool) -> None:
        self.text = text
        self.may_be_list = may_be_list
        self.failures_left = _MAX_FAILURES
        self.lenient_reads_left = _MAX_LENIENT_READS
        self.lenient_characters_left = _LENIENT_BUDGET * len(text)
        self.found = FoundCandidates()

    def run(self) -> None:
        """Examine each bracket that is not part of a value."""
        bracket = _BRACKET.search(self.text)
        while bracket is not None and self.found.broken_at is None:
            bracket = _BRACKET.search(self.text, self._examine(bracket.start()))
        if self.found.broken_at is None:
            self._check_what_follows()

    def _check_what_follows(self) -> None:
        """Mark a value as broken if its last string may continue after it, because of an unescaped quote."""
        candidates = self.found.candidates
        ends = [each.start for each in candidates[1:]] + [len(self.text)]
        for candidate, end in zip(candidates, ends, strict=False):
            line_end = self.text.find("\n", candidate.end, end)
            if _PART_OF_JSON.search(self.text, candidate.end, end if line_end < 0 else line_end):
                self._stop_at(candidate.start, _MAY_CONTINUE)
                return
        depth = 0
        for bracket in _ANY_BRACKET.finditer(self.text, candidates[-1].end if candidates else len(self.text)):
            depth += 1 if bracket[0] in "{[" else -1
            if depth < 0:
                self._stop_at(candidates[-1].start, _MAY_CONTINUE)
                return

    def _examine(self, start: int) -> int:
        """Examine the text at a bracket; return the position from which to search on."""
        if self.text[start] == "{" and _OBJECT.match(self.text, start) is None:
            return start + 1
        if not self.failures_left:
            return self._stop_at(start, "there are too many brackets in it")
        try:
            reading = read_strictly(self.text, start)
        except UnreadableError as reason:
            return self._stop_at(start, str(reason))
        except RecursionError:
            return self._stop_at(start, "it is nested too deeply")
        except ValueError as reason:
            self.failures_left -= 1
            if self.text[start] == "{":
                return self._read_object_leniently(start)
            failed_at = reason.pos if isinstance(reason, JSONDecodeError) else len(self.text)
            return self._read_list_leniently(start, failed_at)
        return self._accept(start, reading)

    def _read_object_leniently(self, start: int) -> int:
        reading = self._read_leniently(start)
        if reading is None:
            return start + 1
        if any(map(_IMPOSSIBLE_IN_KEY.search, to_object(reading.value) or ())):  # the key spans prose
            return start + 1
        return self._accept(start, reading)

    def _read_list_leniently(self, start: int, failed_at: int) -> int:
        found = _UNQUOTED_LIST.match(self.text, start)
        end = start + 1 if found is None else found.end()
        if failed_at <= end and self._is_prose(start, end):
            return end
        reading = self._read_leniently(start)
        return start + 1 if reading is None else self._accept(start, reading)

    def _is_prose(self, start: int, end: int) -> bool:
        """Whether a `[`, followed by unquoted words or numbers up to `end`, is prose and not a list."""
        if self.text.startswith("]", end):
            line = self.text[max(0, start - _LOOK_BACK) : start].rpartition("\n")[2].strip()
            return not self.may_be_list or (bool(line) and not line.endswith(":"))
        is_followed = self.text[start:end].rstrip().endswith(("[", ","))  # an item of a list follows
        return not self.may_be_list and not is_followed

    def _read_leniently(self, start: int) -> Reading | None:
        """Read a value leniently; None without one. An incomplete value or a limit ends the search."""
        if not self.lenient_reads_left or self.lenient_characters_left < 0:
            self._stop_at(start, "it cannot be read")
            return None
        self.lenient_reads_left -= 1
        try:
            return read_leniently(self.text, start, is_closed=False)
        except UnreadableError as reason:
            self.lenient_characters_left -= reason.at - start
            if reason.has_begun:
                self._stop_at(start, str(reason))
            return None

    def _accept(self, start: int, reading: Reading) -> int:
        if not reading.is_whole:
            return self._stop_at(start, "it ends before its closing brackets")
        candidate = Candidate(start, reading.end, reading.value, reading.is_corrected, reading.holds_raw_text)
        self.found.candidates.append(candidate)
        return reading.end

    def _stop_at(self, start: int, reason: str) -> int:
        self.found.broken_at, self.found.problem = start, reason
        return start + 1
