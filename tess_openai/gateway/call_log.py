"""The log line of each call: who called what, the status and the time; nothing of any body."""

from __future__ import annotations

import logging
from typing import Final

logger: Final = logging.getLogger("tess_openai.gateway")


def log_call(caller: str, method: str, route: str, status: int, *, seconds: float, note: str = "") -> None:
    """Log one call.

    Args:
        caller: The name of the caller, `"-"` without one.
        method: The method of the request.
        route: The part of the path that names what is called, without an id.
        status: The status of the answer.
        seconds: The time that the answer took.
        note: Further facts, beginning with a comma.
    """
    logger.info("%s %s %s %d in %.3f s%s", caller, method, route, status, seconds, note)
