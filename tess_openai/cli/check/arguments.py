"""The arguments of a call, as far as they are written out."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from tess_openai.cli.check.libraries import FRAMEWORK_NAMES


class ValueMark(Enum):
    """A value that is not JSON."""

    UNSEEN = "a value that only the running program knows"
    OMITTED = "an argument that the SDK omits"


UNSEEN: Final = ValueMark.UNSEEN
OMITTED: Final = ValueMark.OMITTED


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call, wherever it is written.

    Attributes:
        name: Of the parameter.
        node: Its value.
        value: Its JSON value, with `UNSEEN` where it is not written out.
        in_body: Whether it is part of `extra_body` or the like, beside the SDK's parameters.
    """

    name: str
    node: ast.expr = field(repr=False)
    value: object
    in_body: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a call, and the expressions whose members cannot be seen.

    A parameter that has other values in other branches of the program occurs once for each.
    """

    arguments: tuple[Argument, ...]
    unseen: tuple[ast.expr, ...]

    def value(self, name: str) -> object:
        """Return the value of a parameter; None where it is not given."""
        return next((each.value for each in self.arguments if each.name == name), None)


def in_words_of_openai(arguments: Iterable[Argument]) -> list[Argument]:
    """Return arguments of a framework under OpenAI's names, and a model without `openai/` before it."""
    named: list[Argument] = []
    for each in arguments:
        name, value = FRAMEWORK_NAMES.get(each.name, each.name), each.value
        if name == "model" and isinstance(value, str):
            value = value.removeprefix("openai/").removeprefix("openai:")
        named.append(replace(each, name=name, value=value))
    return named
