"""Ends a text at about `max_tokens` tokens, estimated as one for four bytes of UTF-8.

Source: OpenAI's API reference, chat completions, `max_completion_tokens` and the older `max_tokens`
(documented). Tess ignored them (observed once).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from tess_openai.core.chat.usage import BYTES_PER_TOKEN, utf8_length
from tess_openai.core.jsons import JSONObject
from tess_openai.core.prompts import Prompts, fill
from tess_openai.core.refusals import Refused

_HINTED_TOKENS: Final = 2_000
"""The highest limit that the instructions mention; a higher one would suggest a long answer."""
_WORDS_PER_TOKEN: Final = 0.75


@dataclass(frozen=True, slots=True)
class Limit:
    """The highest number of tokens that a request allows for its answer.

    Attributes:
        param: The parameter that sets the limit.
        tokens: One or more.
    """

    param: str
    tokens: int


def parse_limit(body: JSONObject, params: Collection[str]) -> Limit | None:
    """Read the limit of a request: the smaller one, if both of OpenAI's parameters are given and in `params`.

    Raises:
        Refused: The value is not a positive whole number; OpenAI refuses it too.
    """
    limits: list[Limit] = []
    for param in ("max_completion_tokens", "max_tokens"):
        value = body.get(param)
        if value is None or param not in params:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise Refused(f"{param} must be a whole number from 1.", param=param, code="invalid_max_tokens")
        limits.append(Limit(param, value))
    return min(limits, key=lambda limit: limit.tokens, default=None)


def length_text(limit: Limit, prompts: Prompts) -> str:
    """Return the instruction about the length; `""` for a limit above `_HINTED_TOKENS`."""
    if limit.tokens > _HINTED_TOKENS:
        return ""
    words = max(1, round(limit.tokens * _WORDS_PER_TOKEN))
    return fill(prompts.length, tokens=str(limit.tokens), words=str(words))


class LengthCutter:
    """Passes text through until it would exceed the limit; then `is_done` is true."""

    def __init__(self, tokens: int) -> None:
        self._bytes_left = tokens * BYTES_PER_TOKEN
        self.is_done = False

    def feed(self, text: str) -> str:
        """Return the part of the next piece that is within the limit, in whole characters."""
        if self.is_done:
            return ""
        length = utf8_length(text)
        if length <= self._bytes_left:
            self._bytes_left -= length
            return text
        self.is_done = True
        ends = itertools.accumulate(map(utf8_length, text))
        return text[: sum(end <= self._bytes_left for end in ends)]
