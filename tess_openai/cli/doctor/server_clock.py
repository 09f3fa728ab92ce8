"""Compare the clock of this machine with the server's, which is in the header `Date` of its answers."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any, Final

from tess_openai.cli.doctor.verdicts import Verdict

ALLOWED_SECONDS: Final = 60
"""A smaller difference may be the time of the transfer, or come from a cache."""


class ServerClock:
    """Notes the difference between the two clocks in the answers of one client."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._is_judged = False

    def note(self, response: Any) -> None:  # noqa: ANN401 - of httpx or httpx2
        """Compare the clocks; this is a hook for the responses of an http client."""
        ahead = seconds_ahead(response.headers.get("date", ""), time.time())
        self._ahead = self._ahead if ahead is None else ahead

    def judge_once(self) -> Verdict | None:
        """Return the verdict once; None before the first answer with a date, and after the first verdict."""
        if self._ahead is None or self._is_judged:
            return None
        self._is_judged = True
        if abs(self._ahead) <= ALLOWED_SECONDS:
            return Verdict("clock", "ok", "it agrees with the server's")
        direction = "ahead of" if self._ahead > 0 else "behind"
        finding = f"this machine's clock is {_shown(abs(self._ahead))} {direction} the server's"
        remedy = "Set the clock: certificates, and waits that are given as a date, depend on it."
        return Verdict("clock", "warning", finding, remedy)


def seconds_ahead(date: str, now: float) -> float | None:
    """Return by how many seconds `now` is ahead of a `Date` header; None when the header is not a date."""
    try:
        return now - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _shown(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
