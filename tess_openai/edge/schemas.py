"""Checks values against JSON Schemas with the `jsonschema` library, which the extra `emulate` brings.

A schema may come from anywhere, a tool server on the network say, and the value from a model. So no
reference is ever fetched, and what could take very long is left unchecked: patterns whose cost may grow
beyond `_MAX_STEPS`, the uniqueness of very long lists, references after the first `_MAX_REFERENCES`. A
keyword that cannot be checked is passed over, and all others are checked.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from tess_openai.core.emulate.schemas import SchemaChecker
from tess_openai.core.emulate.usable import is_pattern, usable
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

    part = usable(schema).schema
    declared = validator_for(part, default=Draft202012Validator)
    clauses: list[str] = []
    relevant = cast("Callable[[list[ValidationError]], ValidationError | None]", best_match)
    try:
        validator = _bounded(declared)(part, registry=referencing.Registry())
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


def _bounded(declared: type[Validator]) -> type[Validator]:
    """Return a draft's validator that passes over what could take very long or fails, for one value."""
    from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]

    progress = _Progress()

    def is_used_up(*_: object) -> bool:
        progress.references += 1
        return progress.references > _MAX_REFERENCES

    keywords: Mapping[str, Keyword] = declared.VALIDATORS
    guards: dict[str, Callable[[Any, Any, Any], bool]] = {
        "$ref": is_used_up,
        "$dynamicRef": is_used_up,
        "pattern": lambda pattern, value, _: isinstance(value, str) and _is_costly(pattern, len(value)),
        "uniqueItems": lambda _, value, __: len(to_list(value) or ()) ** 2 > _MAX_STEPS,
        "patternProperties": _has_costly_names,
        "additionalProperties": _has_costly_names,
        "unevaluatedProperties": _has_costly_names,
    }
    bounded = {name: _guarded(check, guards.get(name, _never), progress) for name, check in keywords.items()}
    return cast("type[Validator]", extend(declared, bounded))  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Progress:
    """How far the check of one value has come: references followed, keywords within each other."""

    references: int = 0
    depth: int = 0


def _guarded(check: Keyword, is_costly: Callable[[Any, Any, Any], bool], progress: _Progress) -> Keyword:
    def guarded(validator: Validator, keyword: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if progress.depth == _MAX_DEPTH:
            raise RecursionError
        progress.depth += 1
        try:
            if not is_costly(keyword, value, schema):
                yield from check(validator, keyword, value, schema)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - a keyword of no sense, or a reference to what is no schema: anything
            return
        finally:
            progress.depth -= 1

    return guarded


def _never(*_: object) -> bool:
    return False


def _has_costly_names(_: object, value: object, schema: Mapping[str, Any]) -> bool:
    length = sum(map(len, to_object(value) or ()))
    return any(_is_costly(pattern, length) for pattern in schema.get("patternProperties", ()))


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
