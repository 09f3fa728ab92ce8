"""Reads and writes JSON as RFC 8259 defines it, without changing how its numbers are written.

`123456789012345678.12` has no exact `float`, and `1e3` would be written as `1000.0`. A number whose text
Python would write differently is read as an `ExactNumber`: it is a `float`, and is written with its own text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn

from tess_openai.core.jsons import encode_json, to_list, to_object

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_DEPTH: Final = 64
"""The deepest nesting of objects and arrays that is read; real function arguments are far below it."""


class UnreadableError(ValueError):
    """The text cannot be read as JSON in one way only; the message gives the reason, for the model.

    `read_leniently` sets the attributes; in other errors they have no meaning.

    Attributes:
        has_begun: Whether the error shows that the text is a wrong or incomplete value, and not a bracket in
            prose: because a member or an item was read before it, for example, or because the text ended.
        at: The position at which reading ended; the end of the text where that is unknown.
    """

    has_begun: bool = False
    at: int = 0


@dataclass(slots=True)  # made for each call of an answer: creating a frozen dataclass takes twice as long
class Reading:
    """A value read from a text.

    Attributes:
        value: The JSON value.
        end: The position after the value.
        is_whole: False when brackets were still open at the end of the text.
        is_corrected: Whether the text was not JSON, so that its syntax was corrected.
        holds_raw_text: Whether it contains a string that was not escaped, or not quoted.
    """

    value: object
    end: int
    is_whole: bool
    is_corrected: bool = False
    holds_raw_text: bool = False


class ExactNumber(float):
    """A number that keeps the text it was written as.

    Attributes:
        source: A JSON number.
    """

    __slots__ = ("source",)

    source: str

    def __new__(cls, source: str) -> Self:
        """Read the number."""
        number = super().__new__(cls, source)
        number.source = source
        return number

    def is_integer(self) -> bool:
        """Whether the number is whole, by its text: as a `float`, every large number is."""
        try:
            number = Decimal(self.source)
        except ArithmeticError:  # its exponent has too many digits
            return False
        return number == number.to_integral_value()


def parse_number(source: str) -> float:
    """Return a JSON number: an `int`, or a `float` that is written with the same text.

    Raises:
        ValueError: It is too large.
    """
    if source.lstrip("-").isdigit() and source != "-0":
        return int(source)
    number = float(source)
    if math.isinf(number):
        raise ValueError("the number is too large")
    return number if repr(number) == source else ExactNumber(source)


def with_digits(number: str) -> str:
    """Return the text of a number with a digit on both sides of its point, as JSON requires."""
    return re.sub(r"\.(?=$|[eE])", ".0", re.sub(r"^(-?)\.", r"\g<1>0.", number))


def read_strictly(text: str, start: int) -> Reading:
    """Read the JSON that begins exactly at `start`.

    Raises:
        UnreadableError: It is nested too deeply, or a key occurs twice in one object.
        ValueError: It is not JSON.
        RecursionError: It is nested much too deeply.
    """
    value, end = _DECODER.raw_decode(text, start)
    if end - start > 2 * MAX_DEPTH:  # a shorter text cannot contain enough brackets
        _check_depth(value)
    return Reading(value, end, is_whole=True)


def compact_json(value: object) -> str:
    """Return JSON on one line without spaces; numbers keep their text, lone surrogates are escaped."""
    if _has_exact_number(value):
        return _write(value)
    text = encode_json(value)
    return text if text.isascii() or _is_encodable(text) else _ASCII_ENCODER.encode(value)


_NEVER_EXACT: Final = frozenset({str, int, bool, type(None)})
_ASCII_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


def _has_exact_number(value: object) -> bool:
    if (members := to_object(value)) is not None:
        if _NEVER_EXACT.issuperset(map(type, members.values())):  # the usual case: no nested values
            return False
        return any(map(_has_exact_number, members.values()))
    if (items := to_list(value)) is not None:
        return any(map(_has_exact_number, items))
    return isinstance(value, ExactNumber)


def _write(value: object) -> str:
    if (members := to_object(value)) is not None:
        written = (f"{compact_json(key)}:{_write(member)}" for key, member in members.items())
        return f"{{{','.join(written)}}}"
    if (items := to_list(value)) is not None:
        return f"[{','.join(map(_write, items))}]"
    return value.source if isinstance(value, ExactNumber) else compact_json(value)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_duplicate_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise UnreadableError("a key occurs twice in one object")
    return members


_DECODER: Final = json.JSONDecoder(
    parse_constant=_refuse_constant,
    parse_float=parse_number,
    parse_int=parse_number,
    object_pairs_hook=_refuse_duplicate_keys,
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
