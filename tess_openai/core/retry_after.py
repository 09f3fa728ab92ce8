"""How long Tess, or a proxy in front of it, asks the caller to wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from tess_openai.core.jsons import JSONObject, to_object

MAX_KEY_PAUSE_SECONDS: Final = 3600.0
"""A 429 pauses the calls of its key for an hour at most. A longer wait, such as a Unix timestamp instead of
seconds, is cut to an hour."""
_LARGEST_SHOWN: Final = 1e12


def retry_after_seconds(fields: JSONObject, headers: Mapping[str, str]) -> float | None:
    """Return the longest wait that an error asks for, in any of the known places and forms.

    Tess puts it in the body, where the SDK's retry loop does not look:
    `{"error": "Rate limit exceeded", "retry_after": 60}`. A proxy may send a date in the header; the wait is
    then the difference to the response's own `date` header, and unknown without one.

    Args:
        fields: The parsed body.
        headers: Response headers with names in lower case.

    Returns:
        Seconds, finite and > 0; None when absent, 0, negative, in the past, boolean or not a number.

    Source:
        Tess docs, errors: the body, for 429 (documented). The header: a user's client of Tess reads it,
        and waits 5 seconds where it is absent (observed). Dates: RFC 9110, 10.2.3. `retry-after-ms` is
        OpenAI's own header, and OpenAI's SDK reads it first (measured).
    """
    header = headers.get("retry-after")
    waits = (
        *(
            _to_seconds(holder.get("retry_after"))
            for holder in (fields, to_object(fields.get("error")) or {})
        ),
        _to_seconds(header),
        _to_seconds(headers.get("retry-after-ms"), unit=0.001),
        None if header is None else _seconds_between(headers.get("date", ""), header),
    )
    return max((seconds for seconds in waits if seconds is not None), default=None)


def show_seconds(seconds: float) -> str:
    """Write seconds for a header or a message: without an exponent, `"30"`, `"0.9"`, `"1767225600"`."""
    return f"{min(seconds, _LARGEST_SHOWN):.3f}".rstrip("0").rstrip(".")


def _to_seconds(given: object, unit: float = 1.0) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        return _positive(float(given) * unit)
    except (ValueError, OverflowError):
        return None


def _seconds_between(start: str, end: str) -> float | None:
    try:
        return _positive((parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: only one of them has a time zone
        return None


def _positive(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds > 0 else None
