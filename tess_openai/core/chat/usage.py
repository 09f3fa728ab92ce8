"""An estimate of token counts, for answers in which Tess gives none.

One rule: four bytes of UTF-8 are one token. For the tokenizers of the models behind Tess that is close
in every script, because rarer scripts take more bytes a character in UTF-8 and more tokens a character
in a tokenizer alike:

| text                                     | bytes a character | characters a token by this rule |
|------------------------------------------|-------------------|---------------------------------|
| English, code                            | 1                 | 4                               |
| accented Latin, Greek, Cyrillic, Arabic  | 1 to 2            | 2 to 4                          |
| Chinese, Japanese, Korean, Indic, Thai   | 3                 | 1.3                             |
| emoji                                    | 4                 | 1                               |

It is an estimate and says so wherever it is shown; it is never used to charge or to refuse.

Source:
    OpenAI's help pages, "one token is about four characters of English": documented. Its use for the
    models of Tess: assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeGuard

from tess_openai.core.jsons import JSONObject

USAGE_KEYS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
BYTES_PER_TOKEN: Final = 4
TOKENS_PER_MESSAGE: Final = 4
"""What a chat model's framing of role and borders costs. Source: OpenAI's cookbook, 3 or 4; documented."""


def utf8_length(text: str) -> int:
    """Count the bytes of `text` in UTF-8; half a surrogate pair, which has no bytes there, counts as 3."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens `text` is; 0 for the empty text only, linear in its length."""
    return -(-utf8_length(text) // BYTES_PER_TOKEN)


def estimate_usage(message_texts: Iterable[str], completion_text: str) -> JSONObject:
    """Estimate the `usage` of a call from the texts of its messages and of its answer.

    Returns:
        `{"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21, "estimated": True}`.
    """
    prompt = sum(TOKENS_PER_MESSAGE + estimate_tokens(text) for text in message_texts)
    completion = estimate_tokens(completion_text)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "estimated": True,
    }


def is_usage(usage: JSONObject | None) -> TypeGuard[JSONObject]:
    """Whether an object holds the three token counts."""
    if usage is None:
        return False
    prompt, completion, total = map(usage.get, USAGE_KEYS)
    return type(prompt) is type(completion) is type(total) is int


class UsageSum:
    """Sums the token counts of all calls that one answer took: each was paid for."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(USAGE_KEYS, 0)
        self._is_estimated = False
        self._is_known = True

    def add(self, usage: JSONObject | None, prompts: Iterable[str] | None, text: str) -> None:
        """Add the counts of one call, else an estimate; with `prompts` None nothing is estimated."""
        if not is_usage(usage):
            if prompts is None:
                self._is_known = False
                return
            usage = estimate_usage(prompts, text)
        self._is_estimated |= usage.get("estimated") is True
        for key in USAGE_KEYS:
            self._counts[key] += usage[key]

    def total(self) -> JSONObject | None:
        """Return the sum, marked `estimated` if any part was; None when a part is unknown."""
        if not self._is_known:
            return None
        return {**self._counts, "estimated": True} if self._is_estimated else {**self._counts}
