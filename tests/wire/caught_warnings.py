"""Warnings that a test caught."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from tess_openai import TessWarning


def tess_warnings(caught: Iterable[warnings.WarningMessage]) -> list[warnings.WarningMessage]:
    """Return the warnings of this package; Python itself may warn, for example of an unclosed socket."""
    return [warning for warning in caught if isinstance(warning.message, TessWarning)]
