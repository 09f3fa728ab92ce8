"""What the expressions of a project can be: clients, their methods, classes and functions of the code.

It is an approximation that prefers to know nothing over knowing something wrong: where two values can reach a
use, both are kept; where none can be seen, the answer is unknown. These flows are followed, and no others:

- names: assignments, imports between the files, `global`, loops and `with` (`names`)
- attributes: of modules, of classes and their bases, `self.x = value`, properties (`classes`)
- calls: of functions that return something, of classes, `functools.partial`, wrappers of clients (`called`)
- parameters: their annotation, else their default, else what the calls in the project pass (`passed_values`)
- lists, tuples and dicts, all of whose elements count alike
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final, TypeAlias

from tess_openai.cli.check import called, classes, names, passed_values
from tess_openai.cli.check.libraries import is_client
from tess_openai.cli.check.project import Project
from tess_openai.cli.check.scopes import Binding, Scope
from tess_openai.cli.check.values import (
    UNKNOWN,
    Class,
    Container,
    FunctionValue,
    Instance,
    Value,
    Values,
    flat,
    is_class,
)

Key: TypeAlias = ast.AST | tuple[object, str]
"""An expression or definition, or a name below a module or a class."""

MAX_STEPS: Final = 40_000
"""For each file: about half a second. Source: measured."""
MAX_STEPS_A_QUESTION: Final = 15_000
"""For what one expression can be."""
_DEEPEST: Final = 45
"""How far a value is followed: Python's own stack holds about twice as much."""
_MAX_ROUNDS: Final = 4
_MAX_VALUES: Final = 12
"""So many things one expression can be; more are not kept."""


class Inference:
    """Works out what each expression can be, once.

    Definitions may depend on one another in a circle. Such a circle is worked out in rounds: where a value is
    needed while it is being worked out, the round before answers, until a round adds nothing.

    Attributes:
        project: The files.
        has_given_up: Whether the present file needed more steps than it may take.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.has_given_up = False
        self._steps = 0
        self._known: dict[Key, Values] = {}
        self._round: dict[Key, Values] = {}
        self._round_before: dict[Key, Values] = {}
        self._working: set[Key] = set()
        self._cuts = 0  # grows whenever an answer is one of the present round only
        self._begun = 0

    def begin_file(self) -> None:
        """Count the steps of the next file from zero."""
        self._steps = 0
        self.has_given_up = False

    def values(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression can be."""
        found = self._known.get(node)
        return self.once(node, lambda: self._work_out(node, scope)) if found is None else found

    def once(self, key: Key, work: Callable[[], Values]) -> Values:
        """Return what `work` found for a key, now or before."""
        if key in self._known:
            return self._known[key]
        if self._working:
            return self._step(key, work)
        self._begun = self._steps
        self._round_before = {}
        found = UNKNOWN
        for number in range(_MAX_ROUNDS):
            self._round = {}
            answer = self._step(key, work)
            if self._steps > self._limit and number:
                break  # the round before has answered, if not in full
            found = answer
            self.has_given_up = self.has_given_up or self._steps > self._limit
            if key in self._known or self._round == self._round_before:
                break
            self._round_before = self._round
        if self._steps <= self._limit:
            self._known.update(self._round)
        return found

    def _step(self, key: Key, work: Callable[[], Values]) -> Values:
        if key in self._round:
            self._cuts += 1
            return self._round[key]
        self._steps += 1
        if self._steps > self._limit:
            self._cuts += 1
            return UNKNOWN
        if key in self._working or len(self._working) > _DEEPEST:
            self._cuts += 1
            return self._round_before.get(key, UNKNOWN)
        self._working.add(key)
        before = self._cuts
        try:
            found = tuple(dict.fromkeys(work()))[:_MAX_VALUES]
        finally:
            self._working.discard(key)
        (self._known if self._cuts == before else self._round)[key] = found
        return found

    @property
    def _limit(self) -> int:
        """How many steps may have been taken before the present question is given up."""
        return min(self._begun + MAX_STEPS_A_QUESTION, MAX_STEPS)

    def _work_out(self, node: ast.expr, scope: Scope) -> Values:  # noqa: C901, PLR0912 - one case for each node
        match node:
            case ast.Name():
                return names.name_values(self, node, scope)
            case ast.Attribute():
                held = self.values(node.value, scope)
                return flat(self.attribute(value, node.attr) for value in held)
            case ast.Call():
                return called.call_values(self, node, scope)
            case ast.Await() | ast.Starred() | ast.NamedExpr():
                return self.values(node.value, scope)
            case ast.IfExp():
                return self.values(node.body, scope) + self.values(node.orelse, scope)
            case ast.BoolOp():
                return flat(self.values(value, scope) for value in node.values)
            case ast.Subscript():
                held = self.values(node.value, scope)
                return self.elements(held) or tuple(each for each in held if is_class(each))  # Agent[int]
            case ast.List() | ast.Tuple() | ast.Set():
                return (Container(tuple(node.elts), id(node), scope),)
            case ast.Dict():
                return (Container(tuple(node.values), id(node), scope),)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return (Container((node.elt,), id(node), scope),)
            case ast.DictComp():
                return (Container((node.value,), id(node), scope),)
            case ast.Lambda():
                return (FunctionValue(node, scope.module.scopes[node]),)
            case _:
                return UNKNOWN

    def elements(self, values: Values) -> Values:
        """Return what the elements of containers can be."""
        found: Values = UNKNOWN
        for value in values:
            if isinstance(value, Container):
                read = self.annotated if value.annotation else self.values
                found += flat(read(each, value.scope) for each in value.elements)
            elif isinstance(value, Instance) and not is_client(value.path):
                found += (value,)
        return found

    # What the rooms of the flows need of one another.

    def bound(self, binding: Binding, home: Scope) -> Values:
        """Return what a binding gives to its name."""
        return names.bound_values(self, binding, home)

    def attribute(self, value: Value, name: str) -> Values:
        """Return what an attribute of a value can be."""
        return names.attribute_values(self, value, name)

    def member(self, owner: Class, name: str) -> Values:
        """Return what an attribute of a class or of its objects can be."""
        return self.once((owner.node, name), lambda: classes.member_values(self, owner, name))

    def parameter(self, node: ast.arg, home: Scope) -> Values:
        """Return what a parameter of a function can be."""
        return self.once(node, lambda: passed_values.parameter_values(self, node, home))

    def annotated(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression that is annotated like this can be."""
        return passed_values.annotated_values(self, node, scope)

    def object_of(self, of: Class, call: ast.Call | None = None, scope: Scope | None = None) -> Values:
        """Return an object of a class; of a class that extends a client it is a client too."""
        return classes.object_values(self, of, call, scope)

    def result(self, function: FunctionValue) -> Values:
        """Return what a function can return or yield."""
        return self.once((function.node, "()"), lambda: called.result_values(self, function))

    def called(self, value: Value, node: ast.Call, scope: Scope) -> Values:
        """Return what calling a value can give."""
        return called.called_values(self, value, node, scope)
