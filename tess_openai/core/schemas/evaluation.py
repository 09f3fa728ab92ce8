"""Evaluates values against compiled schemas, in three values and within a budget.

A schema may come from anywhere, a tool server on the network say, and the value from a model. Each part of a
schema is evaluated at most once for each part of a value, and all checks of one answer share a budget of
steps. What is not checked is neither right nor wrong: a verdict that rests on it is not sure, and `not`,
`oneOf`, `if` and the like draw no conclusion from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from tess_openai.core.jsons import to_list, to_object

MAX_PROBLEMS: Final = 5
_MAX_DEPTH: Final = 100
"""Of schemas within each other; each takes two or three frames of the interpreter's thousand."""
_MAX_STEP: Final = 64
_DEEP_VALUE: Final = 40
MAX_STEPS: Final = 10_000
"""For all checks of one answer; a step takes one to three microseconds."""
_SEARCH: Final = 8
"""Steps that it takes to begin a search."""
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
    """One thing that is wrong with a value.

    Attributes:
        path: Where, by the steps from the value that was checked.
        keyword: Of the schema that the value breaks.
        message: What is wrong, in a clause.
    """

    path: tuple[str | int, ...]
    keyword: str
    message: str

    def __str__(self) -> str:
        path = ".".join(str(step)[:_MAX_STEP] for step in self.path)
        return f"{path}: {self.message}" if path else self.message


class SchemaVerdict(NamedTuple):
    """What a check says of a value.

    Attributes:
        problems: What is surely wrong, at most a few.
        is_sure: Whether everything was checked, so that a value without problems is right.
    """

    problems: tuple[Problem, ...]
    is_sure: bool

    @property
    def is_valid(self) -> bool:
        """Whether the value is surely right."""
        return self.is_sure and not self.problems


VALID: Final = SchemaVerdict((), is_sure=True)
UNKNOWN: Final = SchemaVerdict((), is_sure=False)


class Pattern(Protocol):
    """A regular expression whose search takes time linear in the text."""

    @property
    def size(self) -> int:
        """How many steps one character can take."""
        ...

    def matches(self, text: str) -> bool:
        """Whether it matches anywhere in a text."""
        ...


Check: TypeAlias = "Callable[[Evaluation, Any], SchemaVerdict]"
_NO_PROPERTIES: Final[Mapping[str, Node]] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Node:
    """One compiled schema. The checks decide what is valid; coercion reads the rest.

    Attributes:
        checks: One for each keyword that can be checked.
        cost: Steps that one evaluation takes, without those of the schemas within.
        is_false: Whether it is the schema `false`.
        is_partial: Whether it is not known of all members and items that it evaluates.
        allows_null: Whether it says `nullable: true`, as OpenAPI does.
        types: Names of the types it allows; empty when it does not say.
        choices: Of `enum` or `const`; None when it has neither.
        properties: By name.
        patterns: Schemas for the members whose names match; without a pattern where it cannot be checked.
        additional: For all other members.
        required: Names that must be there.
        prefix: Schemas of the first items, one each.
        items: For all other items.
        contains: At least one item follows it.
        parts: Schemas that hold at the same place without condition: `allOf`, `$ref`.
        alternatives: Lists of which one schema must hold at the same place: `anyOf`, `oneOf`.
        conditional: Schemas that may hold at the same place, with what decides on it.
        evaluates_rest: Whether `unevaluatedProperties` or `unevaluatedItems` speaks of all that is left.
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
        """Whether something was left unchecked for want of steps."""
        return self.steps < 0

    def spend(self, steps: int) -> bool:
        """Take steps; return whether there were enough."""
        self.steps -= steps
        return self.steps >= 0


@dataclass(slots=True)
class Evaluation:
    """Checks of values that must not change meanwhile; no schema is evaluated twice for one object.

    What is known is kept by the identity of schema and value, together with the value, so that no other value
    can come to have its identity.
    """

    budget: Budget
    _known: dict[tuple[int, int], tuple[SchemaVerdict, object]] = field(
        default_factory=dict[tuple[int, int], tuple[SchemaVerdict, object]]
    )
    _depth: int = 0
    _level: int = 0

    def evaluate(self, node: Node, value: object) -> SchemaVerdict:
        """Check a value against a schema, at the same place."""
        key = (id(node), id(value))
        known = self._known.get(key)
        if known is not None:
            return known[0]
        if not self.budget.spend(node.cost):
            return UNKNOWN
        if self._depth > _MAX_DEPTH:
            return TOO_DEEP if self._level > _DEEP_VALUE else UNKNOWN
        if value is None and node.allows_null:
            return VALID
        self._known[key] = UNKNOWN, value  # a schema that refers to itself at the same place decides nothing
        self._depth += 1
        verdict = VALID
        for check in node.checks:
            other = check(self, value)
            if other is not VALID:
                verdict = other if verdict is VALID else combine((verdict, other))
                if len(verdict.problems) >= MAX_PROBLEMS:
                    break
        self._depth -= 1
        self._known[key] = verdict, value
        return verdict

    def evaluate_child(self, node: Node, value: object, step: str | int) -> SchemaVerdict:
        """Check a member or an item against a schema."""
        self._level += 1
        verdict = self.evaluate(node, value)
        self._level -= 1
        if not verdict.problems:
            return verdict
        problems = [Problem((step, *path), keyword, message) for path, keyword, message in verdict.problems]
        return SchemaVerdict(tuple(problems), verdict.is_sure)

    def matches(self, pattern: Pattern | None, text: str) -> bool | None:
        """Whether a pattern matches anywhere in a text; None without a pattern, or without enough steps."""
        if pattern is None:
            return None
        enough = self.budget.spend(_SEARCH + len(text) * pattern.size // 100)
        return pattern.matches(text) if enough else None


TOO_DEEP: Final = SchemaVerdict((Problem((), "depth", "it is nested too deeply"),), is_sure=True)


def fail(keyword: str, message: str) -> SchemaVerdict:
    """Return the verdict of a keyword that a value breaks."""
    return SchemaVerdict((Problem((), keyword, message),), is_sure=True)


def combine(verdicts: Iterable[SchemaVerdict]) -> SchemaVerdict:
    """Return the verdict of schemas or keywords that must all hold; with enough problems it is settled."""
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
    """Return the types that `type` names; empty when the argument makes no sense."""
    names = [argument] if isinstance(argument, str) else to_list(argument) or []
    known = frozenset(name for name in names if isinstance(name, str) and name in TYPES)
    return known if len(known) == len(names) else frozenset()


def fits_types(value: object, types: frozenset[str]) -> bool:
    """Whether a value is of one of the types; of any when none is named."""
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
    """Return a value as a message shows it, short whatever it is."""
    if (items := to_list(value)) is not None:
        return f"an array of {len(items)}" if items else "[]"
    if (members := to_object(value)) is not None:
        return "an object" if members else "{}"
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else f"{value[:40]} ... {value[-40:]}")
    if isinstance(value, int) and value.bit_length() > 300:
        return "a very long number"
    return {"True": "true", "False": "false", "None": "null"}.get(repr(value), repr(value))
