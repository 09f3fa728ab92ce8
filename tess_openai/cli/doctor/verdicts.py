"""The verdicts of the doctor, one for each step."""

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
    """The result of one step.

    Attributes:
        step: What was checked.
        state: With `"wrong"` calls do not work; with `"warning"` they may not.
        finding: What was found.
        remedy: What to do; `""` for nothing.
    """

    step: str
    state: State
    finding: str
    remedy: str = ""

    def to_json(self) -> JSONObject:
        """Return the attributes as a JSON object."""
        return asdict(self)


def judge(
    step: str, read: Callable[[], T], finding: Callable[[T], str], remedy: str
) -> tuple[Verdict, T | None]:
    """Run a check that the factories use too, so that the doctor and the factories cannot disagree.

    Args:
        step: What is checked.
        read: The check; it raises or warns as the factories do.
        finding: Describes its result.
        remedy: What the user can do when it raises or warns.
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
