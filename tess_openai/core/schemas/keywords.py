"""The keywords of JSON Schema that contain no schemas, as a table of rules.

The messages have the wording of common validators, which models know.

Source: JSON Schema 2020-12, validation, section 6 (documented).
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sized
from decimal import Decimal, DecimalException
from typing import Any, Final, NamedTuple

from tess_openai.core.jsons import to_list, to_object
from tess_openai.core.schemas.evaluation import (
    UNKNOWN,
    VALID,
    Check,
    Evaluation,
    SchemaVerdict,
    combine,
    fail,
    fits_types,
    shown,
    type_names,
)

_SHOWN_CHOICES: Final = 10


class UnusableError(ValueError):
    """The argument of a keyword is invalid, so the keyword cannot be checked."""


class Rule(NamedTuple):
    """The rule of a keyword.

    Attributes:
        read: Converts the argument for `holds`, or raises `UnusableError`.
        applies: The types of values to which the keyword applies; empty for all.
        holds: Whether a value follows the keyword with this argument.
        message: The problem of a value that does not, written after it; `{}` is replaced by the argument.
    """

    read: Callable[[object], Any]
    applies: frozenset[str]
    holds: Callable[[Any, Any], bool]
    message: str


def rule_check(keyword: str, argument: object) -> Check:
    """Return the check of a keyword.

    Raises:
        UnusableError: The argument is invalid.
    """
    read, applies, holds, template = RULES[keyword]
    bound = read(argument)
    message = template.format(_shown_argument(argument))

    def check(_: Evaluation, value: object) -> SchemaVerdict:
        try:
            if (applies and not fits_types(value, applies)) or holds(value, bound):
                return VALID
        except (DecimalException, ValueError):  # a number with too many digits for Decimal
            return UNKNOWN
        return fail(keyword, f"{shown(value)} {message}")

    return check


def names_of(argument: object) -> list[str]:
    """Return a list of names, such as the argument of `required`.

    Raises:
        UnusableError: It is not a list of strings.
    """
    items = to_list(argument)
    names = [name for name in items or [] if isinstance(name, str)]
    if items is None or len(names) < len(items):
        raise UnusableError
    return names


def require_members(value: object, names: list[str], words: str) -> SchemaVerdict:
    """Return the verdict on an object that must have these members; `words` follow an absent name."""
    members = to_object(value)
    absent = [] if members is None else [name for name in names if name not in members]
    return combine(fail("required", f"{name!r} {words}") for name in absent) if absent else VALID


def unique_items(evaluation: Evaluation, value: object) -> SchemaVerdict:
    """Check that no two items are equal, in time linear in their size."""
    seen: set[str] = set()
    for item in to_list(value) or []:
        if not evaluation.budget.spend(weight(item, evaluation.budget.steps)):
            return UNKNOWN
        if (text := _canonical(item)) in seen:
            return fail("uniqueItems", f"{shown(value)} has non-unique elements")
        seen.add(text)
    return VALID


def weight(value: object, enough: int) -> int:
    """Return how many steps it costs to walk through a value; the count stops above `enough`."""
    steps = 0
    pending = [value]
    while pending and steps <= enough:
        part = pending.pop()
        steps += 1 + (len(part) // 100 if isinstance(part, str) else 0)
        members = to_object(part)
        pending.extend(to_list(part) or [] if members is None else [*members, *members.values()])
    return steps


def are_equal(one: object, other: object) -> bool:
    """Whether two JSON values are equal: `1` and `1.0` are, `1` and `true` are not."""
    return one == other and _agree_on_booleans(one, other)


def _agree_on_booleans(one: object, other: object) -> bool:
    """Whether two values that are equal in Python have `true` and `false` at the same places."""
    items, other_items = to_list(one), to_list(other)
    if items is not None and other_items is not None:
        return all(map(_agree_on_booleans, items, other_items))
    members, other_members = to_object(one), to_object(other)
    if members is not None and other_members is not None:
        return all(_agree_on_booleans(member, other_members[key]) for key, member in members.items())
    return isinstance(one, bool) == isinstance(other, bool)


def is_number(value: object) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _canonical(value: object) -> str:
    """Return a text that is the same for equal JSON values, and differs for all others."""
    if (items := to_list(value)) is not None:
        return f"[{','.join(map(_canonical, items))}]"
    if (members := to_object(value)) is not None:
        return "\n".join(
            sorted(f"{json.dumps(key)}:{_canonical(each)}" for key, each in members.items())
        ).join("{}")
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _is_multiple(value: Any, argument: Any) -> bool:  # noqa: ANN401 - any number
    if isinstance(value, int) and isinstance(argument, int):
        return value % argument == 0
    return Decimal(repr(value)) % Decimal(repr(argument)) == 0


def _shown_argument(argument: object) -> str:
    """Return a short description of an argument for a message."""
    items = to_list(argument)
    if items is None:
        return shown(argument)
    return ", ".join(map(shown, items[:_SHOWN_CHOICES])) + ", ..." * (len(items) > _SHOWN_CHOICES)


def _any(argument: object) -> object:
    return argument


def _types(argument: object) -> frozenset[str]:
    if not (types := type_names(argument)):
        raise UnusableError
    return types


def _number(argument: object) -> Any:  # noqa: ANN401 - a number of either kind
    if not is_number(argument):
        raise UnusableError
    return argument


def _positive(argument: object) -> Any:  # noqa: ANN401 - a number of either kind
    if _number(argument) <= 0:
        raise UnusableError
    return argument


def _items(argument: object) -> list[object]:
    if (items := to_list(argument)) is None:
        raise UnusableError
    return items


def _is_one_of(value: object, choices: list[object]) -> bool:
    return any(are_equal(value, choice) for choice in choices)


def _is_long_enough(value: Sized, minimum: float) -> bool:
    return len(value) >= minimum


def _is_short_enough(value: Sized, maximum: float) -> bool:
    return len(value) <= maximum


_ALL, _STRING, _NUMBER, _ARRAY, _OBJECT = map(
    frozenset, ((), ("string",), ("number",), ("array",), ("object",))
)
RULES: Final[dict[str, Rule]] = {
    "type": Rule(_types, _ALL, fits_types, "is not of type {}"),
    "enum": Rule(_items, _ALL, _is_one_of, "is not one of [{}]"),
    "const": Rule(_any, _ALL, are_equal, "is not {}, which was expected"),
    "minimum": Rule(_number, _NUMBER, operator.ge, "is less than the minimum of {}"),
    "maximum": Rule(_number, _NUMBER, operator.le, "is greater than the maximum of {}"),
    "exclusiveMinimum": Rule(_number, _NUMBER, operator.gt, "is not greater than {}"),
    "exclusiveMaximum": Rule(_number, _NUMBER, operator.lt, "is not less than {}"),
    "multipleOf": Rule(_positive, _NUMBER, _is_multiple, "is not a multiple of {}"),
    "minLength": Rule(_number, _STRING, _is_long_enough, "is too short (minLength {})"),
    "maxLength": Rule(_number, _STRING, _is_short_enough, "is too long (maxLength {})"),
    "minItems": Rule(_number, _ARRAY, _is_long_enough, "is too short (minItems {})"),
    "maxItems": Rule(_number, _ARRAY, _is_short_enough, "is too long (maxItems {})"),
    "minProperties": Rule(_number, _OBJECT, _is_long_enough, "has too few properties (minProperties {})"),
    "maxProperties": Rule(_number, _OBJECT, _is_short_enough, "has too many properties (maxProperties {})"),
}
