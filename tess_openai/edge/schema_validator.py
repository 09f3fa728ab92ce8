"""Checks values against JSON Schemas with the `jsonschema` library, which the extra `emulate` brings.

A schema may come from anywhere, a tool server on the network say, and the value from a model. So no
reference is ever fetched, and what could take very long is left unchecked: patterns whose cost may grow
beyond `_MAX_STEPS`, the uniqueness of very long lists, references after the first `_MAX_REFERENCES`. A
keyword that cannot be checked is passed over, and all others are checked. What was passed over counts as
right, also under `not` and the like, where a part that accepts more makes the whole accept less.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from tess_openai.core.emulate.checkable_schema import UNCHECKED, CheckableSchema, checkable_part, is_pattern
from tess_openai.core.emulate.coercion import SchemaChecker
from tess_openai.core.jsons import JSONObject, to_list, to_object

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

Keyword: TypeAlias = "Callable[[Validator, Any, Any, Any], Iterator[ValidationError]]"

_MAX_ERRORS: Final = 5
_MAX_MESSAGE: Final = 200
_MAX_STEPS: Final = 10_000_000
_MAX_REFERENCES: Final = 20_000
_MAX_DEPTH: Final = 160
"""Of keywords within each other; the interpreter's own limit is reached deep inside the library."""
_EVALUATING: Final = frozenset(
    {"$ref", "patternProperties", "prefixItems", "minContains", "what is nested too deeply"}
)
"""Without one of these it is not known which members and items a schema speaks of."""
_PATTERN_PARTS: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?[<=!:]*|\{\d+\}|[()|*+{?]", re.DOTALL
)


def load_schema_checker() -> SchemaChecker:
    """Return a function that says what is wrong with a value under a schema.

    Raises:
        ImportError: The extra is not installed.
    """
    if importlib.util.find_spec("jsonschema") is None:
        raise ImportError(
            "emulation checks JSON Schemas with the package jsonschema, which is not installed; "
            "install tess-openai[emulate]"
        )
    return check_schema


def check_schema(schema: JSONObject, value: object) -> list[str]:
    """Say what is wrong with a value under a schema, in at most five clauses; empty when nothing is."""
    import referencing
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match  # pyright: ignore[reportUnknownVariableType]
    from jsonschema.validators import validator_for

    part = checkable_part(schema)
    declared = validator_for(part.schema, default=Draft202012Validator)
    clauses: list[str] = []
    relevant = cast("Callable[[list[ValidationError]], ValidationError | None]", best_match)
    try:
        validator = _bounded(declared, part)(part.schema, registry=referencing.Registry())
        errors = itertools.islice(validator.iter_errors(cast("Any", value)), _MAX_ERRORS)
        clauses.extend(_clause(relevant([error]) or error) for error in errors)  # one by one
    except RecursionError:
        clauses.append("it is nested too deeply")
    return clauses


def _clause(error: ValidationError) -> str:
    """Return `"path: what is wrong"`, short: a message repeats the value, however long that is."""
    path = error.json_path.removeprefix("$").removeprefix(".")
    message = error.message
    if len(message) > _MAX_MESSAGE:
        message = f"{message[: _MAX_MESSAGE // 2]} ... {message[-_MAX_MESSAGE // 2 :]}"
    return f"{path}: {message}" if path else message


def _bounded(declared: type[Validator], part: CheckableSchema) -> type[Validator]:
    """Return a draft's validator that passes over what could take very long or fails, for one value."""
    from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]

    progress = _Progress()
    keywords: dict[str, Keyword] = {**declared.VALIDATORS, UNCHECKED: _nothing}
    if "if" in keywords:
        keywords["if"] = functools.partial(_if, progress)
    guards = _guards(part, progress)
    doubts: dict[str, Callable[[ValidationError], bool]] = {
        "not": _always,
        "disallow": _always,
        "oneOf": lambda error: not error.context,  # of several that fit; that none fits is sure
        "contains": lambda error: error.validator == "maxContains",
    }
    if any("if" in members for members in _objects(part.schema)):  # it decides what is evaluated
        doubts |= {"unevaluatedProperties": _always, "unevaluatedItems": _always}
    bounded = {
        name: _guarded(check, guards.get(name, _never), doubts.get(name, _never), progress)
        for name, check in keywords.items()
    }
    return cast("type[Validator]", extend(declared, bounded))  # type: ignore[no-untyped-call]  # jsonschema has no types


def _guards(part: CheckableSchema, progress: _Progress) -> dict[str, Callable[[Any, Any, Any], bool]]:
    """Return for some keywords whether one, of a value and in a part, is passed over."""
    names = [to_object(members.get("patternProperties")) or {} for members in _objects(part.schema)]
    patterns = frozenset[str]().union(*names)  # anywhere: what is left over depends on all parts

    def is_used_up(*_: object) -> bool:
        progress.references += 1
        return progress.references > _MAX_REFERENCES

    def has_costly_names(_: object, value: object, schema: Mapping[str, Any]) -> bool:
        return _are_costly(schema.get("patternProperties", ()), value)

    is_rest_unknown = bool(part.left_out & _EVALUATING)
    return {
        "$ref": is_used_up,
        "$dynamicRef": is_used_up,
        "pattern": lambda pattern, value, _: isinstance(value, str) and _is_costly(pattern, len(value)),
        "uniqueItems": lambda _, value, __: len(to_list(value) or ()) ** 2 > _MAX_STEPS,
        "patternProperties": has_costly_names,
        "additionalProperties": has_costly_names,
        "unevaluatedProperties": lambda _, value, __: is_rest_unknown or _are_costly(patterns, value),
        "unevaluatedItems": _always if is_rest_unknown else _never,
        UNCHECKED: _always,
    }


@dataclass(slots=True)
class _Progress:
    """How far the check of one value has come.

    Attributes:
        references: How many were followed.
        depth: Keywords within each other.
        passed_over: How many keywords were not checked.
    """

    references: int = 0
    depth: int = 0
    passed_over: int = 0


def _guarded(
    check: Keyword,
    is_costly: Callable[[Any, Any, Any], bool],
    is_doubtful: Callable[[ValidationError], bool],
    progress: _Progress,
) -> Keyword:
    """Return the check of a keyword without the errors that what was passed over could have prevented."""

    def guarded(validator: Validator, keyword: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if progress.depth == _MAX_DEPTH:
            raise RecursionError
        progress.depth += 1
        passed_over = progress.passed_over
        try:
            if is_costly(keyword, value, schema):
                progress.passed_over += 1
                return
            for error in check(validator, keyword, value, schema):
                if progress.passed_over == passed_over or not is_doubtful(error):
                    yield error
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - a keyword of no sense, or a reference to what is no schema: anything
            progress.passed_over += 1
        finally:
            progress.depth -= 1

    return guarded


def _if(
    progress: _Progress, validator: Any, condition: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Check `then` or `else`; neither where a condition holds only as far as it was checked."""
    passed_over = progress.passed_over
    holds = validator.evolve(schema=condition).is_valid(value)
    branch = "then" if holds else "else"
    if branch in schema and not (holds and progress.passed_over > passed_over):
        yield from validator.descend(value, schema[branch], schema_path=branch)


def _nothing(*_: object) -> Iterator[ValidationError]:
    return iter(())


def _always(*_: object) -> bool:
    return True


def _never(*_: object) -> bool:
    return False


def _objects(schema: JSONObject) -> Iterator[JSONObject]:
    """Return all objects within a schema, itself too."""
    ahead: list[object] = [schema]
    while ahead:
        part = ahead.pop()
        if (members := to_object(part)) is not None:
            yield members
            ahead.extend(members.values())
        else:
            ahead.extend(to_list(part) or ())


def _are_costly(patterns: Iterable[str], names: object) -> bool:
    length = sum(map(len, to_object(names) or ()))
    return any(_is_costly(pattern, length) for pattern in patterns)


def _is_costly(pattern: str, length: int) -> bool:
    """Whether a search in a text of some length could take more than `_MAX_STEPS` steps."""
    weight = _weight(pattern)
    if weight is None:
        return True
    repeats, choices = weight
    steps: int = (1 if pattern.startswith("^") else length) * max(2, length) ** repeats * 2**choices
    return steps > _MAX_STEPS


@functools.lru_cache(maxsize=256)
def _weight(pattern: str) -> tuple[int, int] | None:
    """Count what a pattern can try in several ways: its open-ended repeats, and its choices.

    None when it is no pattern, or one that counting does not bound: with a back reference, or a repeated
    group that can itself be matched in several ways.
    """
    if not is_pattern(pattern):
        return None
    repeats = choices = 0
    varies = [False]  # for each open group, outermost first
    after_varying_group, group_end = False, 0
    for found in _PATTERN_PARTS.finditer(pattern):
        part = found[0]
        is_adjacent = after_varying_group and found.start() == group_end
        if re.fullmatch(r"\\[1-9]", part) or part == "(?P=" or (is_adjacent and part[0] in "*+{"):
            return None
        after_varying_group = False
        if part[0] == "(":
            varies.append(False)
        elif part == ")":
            after_varying_group = varies.pop()
            group_end = found.end()
            varies[-1] |= after_varying_group
        elif part in {"*", "+", "{"}:
            repeats += 1
            varies[-1] = True
        elif part in {"|", "?"}:
            choices += 1
            varies[-1] = True
    return repeats, choices
