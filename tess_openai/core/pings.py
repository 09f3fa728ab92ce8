"""Recognises bytes of an answer that only keep the connection open: pings, comments and blank space."""

from __future__ import annotations

import re
from typing import Final

_PINGS: Final = re.compile(
    rb"""(?: \s
        | (?: id | retry )? : [^\r\n]* (?= [\r\n] | \Z )
        | event: [ ]? ping (?= [\r\n] | \Z )
        | data: [ ]? (?: \{ \s* (?: "type" \s* : \s* "ping" \s* )? \} )? (?= [\r\n] | \Z )
    )*""",
    re.VERBOSE,
)
"""Each form ends where its line ends: with two ways to match a line, the time would be exponential.

Source: event streams of the HTML standard; `{"type": "ping"}` is Anthropic's (documented).
"""
_FIRST_BYTES: Final = frozenset(b" \t\r\n\v\f:ired")
"""The first byte of each form that `_PINGS` matches; most answers begin with another byte."""
_MAX_LENGTH: Final = 2000


def is_only_pings(text: bytes) -> bool:
    """Whether the next bytes of an answer are only a few comments, pings and blank space."""
    if text and text[0] not in _FIRST_BYTES:
        return False
    return len(text) <= _MAX_LENGTH and _PINGS.fullmatch(text) is not None
