"""Token counts: those of Tess under any known name, and an estimate where Tess gives none.

The estimate counts one token for four bytes of UTF-8. This is close for every script, because a character of
a rarer script takes both more bytes in UTF-8 and more tokens in the tokenizers of the models behind Tess:

| text                                     | bytes per character | characters per token by this rule |
|------------------------------------------|---------------------|-----------------------------------|
| English, code                            | 1                   | 4                                 |
| accented Latin, Greek, Cyrillic, Arabic  | 1 to 2              | 2 to 4                            |
| Chinese, Japanese, Korean, Indic, Thai   | 3                   | 1.3                               |
| emoji                                    | 4                   | 1                                 |

An estimate is always marked `estimated`; nothing is charged or refused because of it.

Source:
    OpenAI's help pages, "one token is about four characters of English": documented. Its use for the
    models of Tess: assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeGuard

from tess_openai.core.jsons import JSONObject, to_object

USAGE_KEYS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
BYTES_PER_TOKEN: Final = 4
TOKENS_PER_MESSAGE: Final = 4
"""Tokens of the markup of one message, such as its role. Source: OpenAI's cookbook, 3 or 4 (documented)."""


def utf8_length(text: str) -> int:
    """Count the bytes of `text` in UTF-8; a lone surrogate, which UTF-8 cannot encode, counts as 3."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def estimate_tokens(text: str) -> int:
    """Estimate the number of tokens in `text`, linear in its length; 0 only for the empty text."""
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


_COUNT_ALIASES: Final = {
    "prompt_tokens": (
        *("prompt_tokens", "input_tokens", "promptTokens", "inputTokens"),
        *("promptTokenCount", "inputTokenCount", "prompt_eval_count"),
    ),
    "completion_tokens": (
        *("completion_tokens", "output_tokens", "completionTokens", "outputTokens"),
        *("candidatesTokenCount", "outputTokenCount", "generated_tokens", "eval_count"),
    ),
    "total_tokens": ("total_tokens", "totalTokens", "totalTokenCount"),
}
"""Names of the counts. Source: the makers of the models behind Tess (documented); that Tess passes any of
them on is assumed."""
_DETAIL_ALIASES: Final = {
    "prompt_tokens_details": ("prompt_tokens_details", "input_tokens_details"),
    "completion_tokens_details": ("completion_tokens_details", "output_tokens_details"),
}
_DETAIL_COUNTS: Final = {
    "prompt_tokens_details": ("audio_tokens", "cached_tokens"),
    "completion_tokens_details": (
        "accepted_prediction_tokens",
        "audio_tokens",
        "reasoning_tokens",
        "rejected_prediction_tokens",
    ),
}
_MAX_COUNT: Final = 10**15


def is_usage(given: object) -> TypeGuard[JSONObject]:
    """Whether a value is a complete usage in OpenAI's format: three counts, and optional details."""
    usage: JSONObject | None = given if isinstance(given, dict) else None  # pyright: ignore[reportUnknownVariableType] - as in `to_object`, whose call each answer would pay for
    if usage is None:
        return False
    prompt, completion, total = map(usage.get, USAGE_KEYS)
    if not type(prompt) is type(completion) is type(total) is int:
        return False
    if len(usage) == len(USAGE_KEYS):
        return True
    for key, counts in _DETAIL_COUNTS.items():
        if usage.get(key) is not None and not _is_details(usage[key], counts):
            return False
    return True


def _is_details(value: object, counts: Iterable[str]) -> bool:
    details = to_object(value)
    return details is not None and all(
        details.get(key) is None or type(details[key]) is int for key in counts
    )


def to_count(value: object) -> int | None:
    """Read a token count, `7`, `7.0` or `"7"`; None when it is not one."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else _to_float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if 0 <= value < _MAX_COUNT else None


def _to_float(text: str) -> float | None:
    try:
        return float(text) if len(text) <= 24 else None
    except ValueError:
        return None


def parse_usage(value: object) -> JSONObject:
    """Return the counts in a `usage` with any known names; empty when there is none.

    Returns:
        `{"prompt_tokens": 10, "total_tokens": 13, ...}`, without counts that are missing and cannot be
        derived from others; fields with unknown names are kept.
    """
    given = to_object(value) or {}
    if is_usage(given):
        return given
    usage = {key: member for key, member in given.items() if key not in _CONVERTED}
    for key, aliases in _COUNT_ALIASES.items():
        count = next((each for alias in aliases if (each := to_count(given.get(alias))) is not None), None)
        if count is not None:
            usage[key] = count
    prompt, completion, total = map(usage.get, USAGE_KEYS)
    if prompt is not None and completion is not None:
        usage["total_tokens"] = max(total or 0, prompt + completion)
    elif total is not None and prompt is None and completion is not None:
        usage["prompt_tokens"] = max(0, total - completion)
    elif total is not None and completion is None and prompt is not None:
        usage["completion_tokens"] = max(0, total - prompt)
    if not any(key in usage for key in USAGE_KEYS):
        return {}
    for key, names in _DETAIL_ALIASES.items():
        details = next((found for name in names if (found := to_object(given.get(name)))), None)
        counts = {name: to_count((details or {}).get(name)) for name in _DETAIL_COUNTS[key]}
        known = {name: number for name, number in counts.items() if number is not None}
        if known:
            usage[key] = known
    return usage


_CONVERTED: Final = frozenset(  # all names that `parse_usage` reads
    alias for table in (_COUNT_ALIASES, _DETAIL_ALIASES) for aliases in table.values() for alias in aliases
)


def complete_usage(usage: JSONObject, message_texts: Iterable[str], completion_text: str) -> JSONObject:
    """Return the given counts, and an estimate, marked `estimated`, of those that are missing.

    If only the total is given, it is divided; otherwise the total becomes the sum of the others.
    """
    if is_usage(usage):
        return usage
    estimate = estimate_usage(message_texts, completion_text)
    total = usage.get("total_tokens")
    if total is not None:  # divide it in the proportion of the estimate
        prompt = total * estimate["prompt_tokens"] // max(1, estimate["total_tokens"])
        return {**usage, "prompt_tokens": prompt, "completion_tokens": total - prompt, "estimated": True}
    counts = {**estimate, **usage}
    counts["total_tokens"] = counts["prompt_tokens"] + counts["completion_tokens"]
    return counts


class UsageSum:
    """Sums the token counts of all requests for one answer, since each was paid for."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(USAGE_KEYS, 0)
        self._is_estimated = False
        self._is_known = True

    def add(self, usage: JSONObject | None, prompts: Iterable[str] | None, text: str) -> None:
        """Add the counts of one request; missing counts are estimated, unless `prompts` is None."""
        counts = parse_usage(usage)
        if not is_usage(counts):
            if prompts is None:
                self._is_known = False
                return
            counts = complete_usage(counts, prompts, text)
        self._is_estimated |= counts.get("estimated") is True
        for key in USAGE_KEYS:
            self._counts[key] += counts[key]

    def total(self) -> JSONObject | None:
        """Return the sum, marked `estimated` if any part was; None when a part is unknown."""
        if not self._is_known:
            return None
        return {**self._counts, "estimated": True} if self._is_estimated else {**self._counts}
