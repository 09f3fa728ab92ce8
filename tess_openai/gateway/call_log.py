"""The log line of each call: caller, route, status and time, and no part of a body."""

from __future__ import annotations

import logging
from typing import Final

logger: Final = logging.getLogger("tess_openai.gateway")


def log_call(caller: str, method: str, route: str, status: int, *, seconds: float, note: str = "") -> None:
    """Log one call.

    Args:
        caller: The name of the caller, `"-"` without one.
        method: The method of the request.
        route: The first part of the path, without an id, such as `"chat"`.
        status: The status of the answer.
        seconds: The time that the answer took.
        note: Further facts, beginning with a comma.
    """
    logger.info("%s %s %s %d in %.3f s%s", caller, method, route, status, seconds, note)
