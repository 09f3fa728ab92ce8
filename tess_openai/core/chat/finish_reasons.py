"""Finish reasons: OpenAI's, and those of the models behind Tess."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tess_openai.core.changes import Change, describe

FINISH_REASONS: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
FINISH_REASON_ALIASES: Final = {
    "completed": "stop",
    "end_turn": "stop",
    "eos": "stop",
    "stop_sequence": "stop",
    "succeeded": "stop",
    "max_output_tokens": "length",
    "max_tokens": "length",
    "safety": "content_filter",
    "tool_use": "tool_calls",
}
"""Finish reasons of the models behind Tess. Source: their makers' references (documented); that Tess passes
any of them on is assumed."""


def normalise_finish_reason(given: object, record_change: Callable[[Change], None]) -> str:
    """Map a finish reason that OpenAI lacks to OpenAI's; an unknown one becomes `"stop"` and is recorded."""
    known = FINISH_REASON_ALIASES.get(given) if isinstance(given, str) else None
    if known is not None:
        return known
    shown = given if isinstance(given, str) and given.isidentifier() and len(given) < 40 else describe(given)
    record_change(
        Change(
            action="noticed",
            param="finish_reason",
            given=shown,
            sent="stop",
            why="OpenAI has no such finish reason",
        )
    )
    return "stop"
