"""Evaluates values against compiled schemas, within a budget: a value is valid, invalid or unknown.

A schema may come from anywhere, for example from a tool server on the network, and the value from a model.
Each part of a schema is evaluated at most once for each part of a value, and all checks of one answer share a
budget of steps. A part that is not checked is neither valid nor invalid: a verdict that depends on it is
unknown, and `not`, `oneOf`, `if` and similar keywords conclude nothing from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from tess_openai.core.jsons import to_list, to_object

MAX_PROBLEMS: Final = 5
_MAX_DEPTH: Final = 100
"""The deepest nesting of schemas; each level takes two or three of the interpreter's thousand frames."""
_MAX_KEY_LENGTH: Final = 64
_DEEP_VALUE_LEVELS: Final = 40
"""At `_MAX_DEPTH`, a value that is nested deeper than this is invalid; for others, the verdict is unknown."""
MAX_STEPS: Final = 10_000
"""The budget for all checks of one answer; a step takes one to three microseconds."""
_SEARCH_STEPS: Final = 8
"""How many steps it costs to begin the search for a pattern."""
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


class Problem(NamedTuple):
    """One problem of a value.

    Attributes:
        path: The keys and indices that lead from the checked value to the problem.
        keyword: The keyword that the value violates.
        message: The problem, in a clause.
    """

    path: tuple[str | int, ...]
    keyword: str
    message: str

    def __str__(self) -> str:
        path = ".".join(str(key)[:_MAX_KEY_LENGTH] for key in self.path)
        return f"{path}: {self.message}" if path else self.message


class SchemaVerdict(NamedTuple):
    """The result of a check.

    Attributes:
        problems: The certain problems, at most `MAX_PROBLEMS`.
        is_sure: Whether everything was checked, so that a value without problems is valid.
    """

    problems: tuple[Problem, ...]
    is_sure: bool

    @property
    def is_valid(self) -> bool:
        """Whether the value is certainly valid."""
        return self.is_sure and not self.problems


VALID: Final = SchemaVerdict((), is_sure=True)
UNKNOWN: Final = SchemaVerdict((), is_sure=False)


class Pattern(Protocol):
    """A regular expression whose search takes time linear in the text."""

    @property
    def size(self) -> int:
        """How many instructions one character can cost; a hundred count as one step of the budget."""
        ...

    def matches(self, text: str) -> bool:
        """Whether the pattern matches anywhere in a text."""
        ...


Check: TypeAlias = "Callable[[Evaluation, Any], SchemaVerdict]"
_NO_PROPERTIES: Final[Mapping[str, Node]] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Node:
    """One compiled schema. `checks` decide what is valid; checks and coercion read the others.

    Attributes:
        checks: The checks of its keywords; a keyword that cannot be checked has one that returns `UNKNOWN`.
        cost: How many steps one evaluation costs, without the nested schemas.
        is_false: Whether it is the schema `false`.
        is_partial: Whether it is unknown which members or items it evaluates.
        allows_null: Whether it has `nullable: true`, as in OpenAPI.
        types: The types that it allows; empty when it does not restrict them.
        choices: The values of `enum` or `const`; None when it has neither.
        properties: The schemas of its properties by name.
        patterns: Schemas for the members whose names match a pattern; None if it cannot be checked.
        additional: The schema for all other members.
        required: The names of required members.
        prefix: The schemas of the first items, one for each.
        items: The schema for all other items.
        contains: The schema of `contains`, which some of the items must follow.
        parts: Schemas that always apply to the same value: `allOf`, `$ref`.
        alternatives: Lists of schemas of which one must be valid for the same value: `anyOf`, `oneOf`.
        conditional: Schemas that may apply to the same value, each with the check that decides it.
        evaluates_rest: Whether it has `unevaluatedProperties` or `unevaluatedItems`.
    """

    checks: tuple[Check, ...] = ()
    cost: int = 1
    is_false: bool = False
    is_partial: bool = False
    allows_null: bool = False
    types: frozenset[str] = frozenset()
    choices: Sequence[object] | None = None
    properties: Mapping[str, Node] = field(default_factory=lambda: _NO_PROPERTIES)
    patterns: tuple[tuple[Pattern | None, Node], ...] = ()
    additional: Node | None = None
    required: frozenset[str] = frozenset()
    prefix: Sequence[Node] = ()
    items: Node | None = None
    contains: Node | None = None
    parts: tuple[Node, ...] = ()
    alternatives: tuple[Sequence[Node], ...] = ()
    conditional: tuple[tuple[Check, Node], ...] = ()
    evaluates_rest: bool = False


@dataclass(slots=True)
class Budget:
    """The steps that all checks of one answer may take together."""

    steps: int = MAX_STEPS

    @property
    def is_used_up(self) -> bool:
        """Whether a part was left unchecked because no steps were left."""
        return self.steps < 0

    def spend(self, steps: int) -> bool:
        """Use up steps; return whether there were enough."""
        self.steps -= steps
        return self.steps >= 0


@dataclass(slots=True)
class Evaluation:
    """Checks values, and caches the verdict on each value for each schema; the values must not change.

    Verdicts are cached by the identity of schema and value. The cache keeps the value too, so that no other
    value can get the same identity.
    """

    budget: Budget
    _known: dict[tuple[int, int], tuple[SchemaVerdict, object]] = field(
        default_factory=dict[tuple[int, int], tuple[SchemaVerdict, object]]
    )
    _schema_depth: int = 0
    _value_depth: int = 0

    def evaluate(self, node: Node, value: object) -> SchemaVerdict:
        """Check a value against a schema."""
        key = (id(node), id(value))
        known = self._known.get(key)
        if known is not None:
            return known[0]
        if not self.budget.spend(node.cost):
            return UNKNOWN
        if self._schema_depth > _MAX_DEPTH:
            return TOO_DEEP if self._value_depth > _DEEP_VALUE_LEVELS else UNKNOWN
        if value is None and node.allows_null:
            return VALID
        self._known[key] = UNKNOWN, value  # for a schema that refers to itself for the same value
        self._schema_depth += 1
        verdict = VALID
        for check in node.checks:
            other = check(self, value)
            if other is not VALID:
                verdict = other if verdict is VALID else combine((verdict, other))
                if len(verdict.problems) >= MAX_PROBLEMS:
                    break
        self._schema_depth -= 1
        self._known[key] = verdict, value
        return verdict

    def evaluate_child(self, node: Node, value: object, step: str | int) -> SchemaVerdict:
        """Check a member or an item against a schema; `step` is its key or index."""
        self._value_depth += 1
        verdict = self.evaluate(node, value)
        self._value_depth -= 1
        if not verdict.problems:
            return verdict
        problems = [Problem((step, *path), keyword, message) for path, keyword, message in verdict.problems]
        return SchemaVerdict(tuple(problems), verdict.is_sure)

    def matches(self, pattern: Pattern | None, text: str) -> bool | None:
        """Whether a pattern matches anywhere in a text; None without a pattern, or without enough steps."""
        if pattern is None:
            return None
        enough = self.budget.spend(_SEARCH_STEPS + len(text) * pattern.size // 100)
        return pattern.matches(text) if enough else None


TOO_DEEP: Final = SchemaVerdict((Problem((), "depth", "it is nested too deeply"),), is_sure=True)


def fail(keyword: str, message: str) -> SchemaVerdict:
    """Return the verdict on a value that violates a keyword."""
    return SchemaVerdict((Problem((), keyword, message),), is_sure=True)


def combine(verdicts: Iterable[SchemaVerdict]) -> SchemaVerdict:
    """Return the verdict of schemas or keywords that must all be valid; stop at `MAX_PROBLEMS` problems."""
    problems: tuple[Problem, ...] = ()
    is_sure = True
    for verdict in verdicts:
        if verdict is VALID:
            continue
        problems += verdict.problems
        is_sure &= verdict.is_sure
        if len(problems) >= MAX_PROBLEMS:
            return SchemaVerdict(problems[:MAX_PROBLEMS], is_sure)
    if problems or not is_sure:
        return SchemaVerdict(problems, is_sure)
    return VALID


def type_names(argument: object) -> frozenset[str]:
    """Return the types that `type` names; empty when the argument is invalid."""
    names = [argument] if isinstance(argument, str) else to_list(argument) or []
    known = frozenset(name for name in names if isinstance(name, str) and name in TYPES)
    return known if len(known) == len(names) else frozenset()


def fits_types(value: object, types: frozenset[str]) -> bool:
    """Whether a value has one of the types; no types allow every value."""
    if not types:
        return True
    if isinstance(value, bool):
        return "boolean" in types
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return True
    for name in types:  # noqa: SIM110 - with any(), the check of a small value would take a third longer
        if isinstance(value, TYPES[name]):
            return True
    return False


def shown(value: object) -> str:
    """Return a short description of a value for a message."""
    if (items := to_list(value)) is not None:
        return f"an array of {len(items)}" if items else "[]"
    if (members := to_object(value)) is not None:
        return "an object" if members else "{}"
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else f"{value[:40]} ... {value[-40:]}")
    if isinstance(value, int) and value.bit_length() > 300:
        return "a very long number"
    return {"True": "true", "False": "false", "None": "null"}.get(repr(value), repr(value))
