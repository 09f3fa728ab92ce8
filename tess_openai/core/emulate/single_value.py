"""Reads the single value of a text, and refuses a text that may contain more than one.

When a model copies a text into a string and does not escape a quote, the rest of the text ends up outside
the string: as a second value, as members whose keys the object already has, or as quotes and brackets. The
value that can be read is then not the one that the model meant, and the rest may look like a call although it
is only part of the copied text.
"""

from __future__ import annotations

import re
from typing import Final

from tess_openai.core.lenient_json import read_leniently
from tess_openai.core.strict_json import Reading, UnreadableError

_OPENING: Final = re.compile(r"[{\[]")
_ENDINGS: Final = " \t\r\n`,;)]}"
_PART_OF_A_VALUE: Final = re.compile(r"['\u2018\u2019]|.*?[{}\[\]\"“”]", re.DOTALL)
"""Text after a value that may belong to it: an apostrophe at its beginning, or any other quote or bracket."""
_BROKEN_MARK: Final = re.compile(r"[\s`]*(?:<[/|\s]{0,3}[\w:\uff1a]{0,40}[|\s]{0,2}>?)?[\s`]*")
_MORE_THAN_ONE: Final = (
    "there is more than one object or array; write each call in a block of its own, and a backslash before "
    "each quote in a string"
)


def read_only_value(text: str, *, is_closed: bool = True) -> Reading | None:
    """Read the single object or array in a text, which may have words around it; None without one.

    Args:
        text: The text of the model.
        is_closed: Whether a closing mark ends the text; if not, the value must be complete, and only a broken
            mark may follow it.

    Raises:
        UnreadableError: As for `read_leniently`; or there may be a second value, because a quote precedes the
            value, or a quote or bracket follows it; or the text may be incomplete.
    """
    bracket = _OPENING.search(text)
    if bracket is None:
        return None
    reading = read_leniently(text, bracket.start(), is_closed=is_closed)
    rest = text[reading.end :]
    if '"' in text[: bracket.start()] or (rest.strip(_ENDINGS) and _PART_OF_A_VALUE.match(rest.lstrip())):
        raise UnreadableError(_MORE_THAN_ONE)
    if not is_closed and not reading.is_whole:
        raise UnreadableError("it ends before its closing brackets")
    if not is_closed and not _BROKEN_MARK.fullmatch(rest.lstrip(_ENDINGS)):
        raise UnreadableError("text follows it, and the closing mark is missing")
    return reading


def read_first_value(text: str) -> Reading | None:
    """Read the first object or array in a text, ignoring the text after it; None without one.

    Raises:
        UnreadableError: As for `read_leniently`.
    """
    bracket = _OPENING.search(text)
    return None if bracket is None else read_leniently(text, bracket.start(), is_closed=False)
