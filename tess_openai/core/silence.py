"""Which bytes of an answer only keep the connection open: pings, comments and blank space."""

from __future__ import annotations

import re
from typing import Final

_QUIET: Final = re.compile(
    rb"""(?: \s
        | : [^\r\n]*
        | (?: id | retry ) : [^\r\n]*
        | event: [ ]? ping (?= [\r\n] | \Z )
        | data: [ ]? (?: \{ \s* (?: "type" \s* : \s* "ping" \s* )? \} )? (?= [\r\n] | \Z )
    )*""",
    re.VERBOSE,
)
"""Source: event streams of the HTML standard; `{"type": "ping"}` is Anthropic's (documented)."""
_LONGEST_PING: Final = 2000


class ContentWatch:
    """Tells the content of one answer from what only keeps its connection open."""

    def __init__(self) -> None:
        self._line = b""  # the quiet last line of what came, whose end may be still to come

    def is_content(self, piece: bytes) -> bool:
        """Whether the next bytes hold anything but a few comments, pings and blank space."""
        text = self._line + piece if self._line else piece
        if len(text) > _LONGEST_PING or _QUIET.fullmatch(text) is None:
            self._line = b""
            return True
        self._line = text[text.rfind(b"\n") + 1 :]
        return False
