"""What the programs under test have in common: the same city, the same function, the same reasons."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import Final
from warnings import WarningMessage

from pydantic import BaseModel

from tess_openai import TessWarning

NO_JSON: Final = (
    "Tess has no `response_format`: it is left out with a warning, and where the answer is no JSON the "
    "framework raises its own error."
)
NO_TOOLS: Final = (
    "Tess cannot call your functions: they are left out with a warning, and the model answers without them."
)
NO_FIELD: Final = (
    "The framework keeps no field of an answer that it does not know. Use `on_change`, the warnings or "
    "the log."
)
THREADS: Final = (
    "{} makes its calls in threads, where no line of yours is on the stack: the warning is at the "
    "framework's own."
)
ROME: Final = '{"name": "Rome", "country": "Italy"}'
WEATHER: Final = '{"city": "Rome"}'


class City(BaseModel):
    """A city."""

    name: str
    country: str


def is_rome(made: object) -> bool:
    """Whether a framework has made Rome out of `ROME`; some make subclasses of `City`."""
    return isinstance(made, City) and (made.name, made.country) == ("Rome", "Italy")


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


def own_lines_of(caught: Sequence[WarningMessage], file: str) -> list[str]:
    """Return the text of the lines of a file that this package has warned at; all must be of that file."""
    reported = [each for each in caught if issubclass(each.category, TessWarning)]
    assert {each.filename for each in reported} == {file}
    return [linecache.getline(file, each.lineno).strip() for each in reported]


def lines_of(caught: Sequence[WarningMessage]) -> list[str]:
    """Return the files of the lines that this package has warned at."""
    return [each.filename for each in caught if issubclass(each.category, TessWarning)]
