"""Reads the one value that stands in a text, and tells where there is more than one.

Where a text was repeated in a string and a quote in it left unescaped, the rest of it stands outside: as a
second value, as members that stand there already, or as quotes and brackets. What is read then is not what
was written, and the rest may be a call that only the repeated text makes.
"""

from __future__ import annotations

import re
from typing import Final

from tess_openai.core.emulate.lenient_json import Reading, UnreadableError, read_json

_OPENING: Final = re.compile(r"[{\[]")
_ENDINGS: Final = " \t\r\n`,;)]}"
_PART_OF_A_VALUE: Final = re.compile(r"['\u2018\u2019]|.*?[{}\[\]\"“”]", re.DOTALL)
_MORE_THAN_ONE: Final = "there is more than one object or array; a quote in a string may lack its backslash"


def read_only_value(text: str, *, is_closed: bool = True) -> Reading | None:
    """Read the one object or array in a text, with words before and after it; None when there is none.

    Raises:
        UnreadableError: As `read_json`; or there is more than the one value.
    """
    bracket = _OPENING.search(text)
    if bracket is None:
        return None
    reading = read_json(text, bracket.start(), is_closed=is_closed, keys_are_unique=True)
    rest = text[reading.end :]
    if '"' in text[: bracket.start()] or (rest.strip(_ENDINGS) and _PART_OF_A_VALUE.match(rest.lstrip())):
        raise UnreadableError(_MORE_THAN_ONE)
    return reading


def read_first_value(text: str) -> Reading | None:
    """Read the first object or array in a text, whatever follows it; None when there is none.

    Raises:
        UnreadableError: As `read_json`.
    """
    bracket = _OPENING.search(text)
    return None if bracket is None else read_json(text, bracket.start(), is_closed=False)
