"""What the doctor says: one verdict for each step."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, TypeVar

from tess_openai.cli.error_messages import in_words_of_options
from tess_openai.core.jsons import JSONObject
from tess_openai.exceptions import TessConfigurationError

State: TypeAlias = Literal["ok", "warning", "wrong", "skipped"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one step.

    Attributes:
        step: What was looked at.
        state: `"wrong"` keeps calls from working; `"warning"` may.
        finding: What was found.
        remedy: What to do; `""` when nothing need be done.
    """

    step: str
    state: State
    finding: str
    remedy: str = ""

    def to_json(self) -> JSONObject:
        """Return its attributes."""
        return asdict(self)


def judge(
    step: str, read: Callable[[], T], finding: Callable[[T], str], remedy: str
) -> tuple[Verdict, T | None]:
    """Run one of the factories' own checks, so that the doctor and they cannot disagree.

    Args:
        step: What is looked at.
        read: Raises or warns where the factories would.
        finding: What to say of its result.
        remedy: What to do when it raises or warns.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = read()
        except TessConfigurationError as error:
            return Verdict(step, "wrong", in_words_of_options(str(error)), remedy), None
    if caught:
        return Verdict(step, "warning", in_words_of_options(str(caught[0].message)), remedy), value
    return Verdict(step, "ok", finding(value)), value
