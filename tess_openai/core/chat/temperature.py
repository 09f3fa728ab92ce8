"""Map a temperature to one of the agent's options.

Source: Tess docs, get-agent: `temperature` is a select of strings (documented). Values between the options
are refused, "The selected temperature is invalid" (observed). An option is accepted as a number and as a
string (the documented examples show `1` and `"1"`); the docs list the strings.
"""

from __future__ import annotations

import math
from functools import lru_cache

from tess_openai.core.changes import describe
from tess_openai.core.ledger import Ledger


def to_temperature(given: object, options: tuple[str, ...] | None, ledger: Ledger) -> object:
    """Return the value to send as `temperature`; None only if `given` is None.

    A number, or a string of a number, becomes the nearest option, unless the policy forwards it; of two
    equally near options, the lower. Any other value is sent unchanged, so that Tess reports the error.
    Without `options`, every value is sent unchanged.

    Raises:
        Refused: The value is not an option, and the policy is `"error"`.
    """
    number = _to_number(given)
    if number is None or not options:
        return given
    nearest = _nearest(number, options)
    if float(nearest) == number:
        return nearest
    decision = ledger.resolve_unsupported(
        "temperature",
        given=describe(number) if isinstance(given, str) else describe(given),
        sent=nearest,
        why=f"the agent takes one of {', '.join(options)}",
        remedy="Use one of these, or name those of your agent: create_client(temperatures=[0, 0.5, 1]).",
        recorded_as="rewritten",
    )
    return given if decision == "keep" else nearest


@lru_cache(maxsize=64)  # a program uses few temperatures
def _nearest(number: float, options: tuple[str, ...]) -> str:
    numbers = [float(option) for option in options]
    clamped = min(max(number, min(numbers)), max(numbers))  # all options are equally far from a huge float
    return min(options, key=lambda option: (abs(float(option) - clamped), float(option)))


def _to_number(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
