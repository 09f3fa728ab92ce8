"""Follows expressions to the JSON that they stand for, as far as it is written out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from tess_openai.cli.check.inference import Inference, text_of
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import External, Instance
from tess_openai.core.jsons import to_object

MemberOf: TypeAlias = tuple[str, ast.expr, Scope]
"""A name, the expression bound to it, and its place."""
Members: TypeAlias = tuple[list[MemberOf], bool]
"""The members of a dict, and whether these are all."""


class ValueMark(Enum):
    """A value that is not JSON."""

    UNSEEN = "a value that only the running program knows"
    OMITTED = "an argument that the SDK omits"


UNSEEN: Final = ValueMark.UNSEEN
OMITTED: Final = ValueMark.OMITTED
_OMITTING: Final = frozenset(
    {"openai.NOT_GIVEN", "openai.omit", "openai.NotGiven", "openai.Omit", "openai.not_given"}
)
_DEEPEST: Final = 20


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
    """The arguments of a call, and the expressions whose members cannot be seen."""

    arguments: tuple[Argument, ...]
    unseen: tuple[ast.expr, ...]


class Literals:
    """Reads values and arguments."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference

    def value(self, node: ast.expr, scope: Scope, depth: int = 0) -> object:
        """Return the JSON value of an expression."""
        if depth > _DEEPEST:
            return UNSEEN
        match node:
            case ast.Constant():
                plain = node.value is None or isinstance(node.value, bool | int | float | str)
                return node.value if plain else UNSEEN
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.List() | ast.Tuple():
                return [self.value(item, scope, depth + 1) for item in node.elts]
            case ast.Dict():
                return self._object(node, scope, depth)
            case ast.Name() | ast.Attribute() | ast.Call():
                return self._named(node, scope, depth)
            case _:
                return UNSEEN

    def text(self, node: ast.expr, scope: Scope) -> str | None:
        """Return the text that is written out, there or under a name, also as bytes; None for all else."""
        for _ in range(_DEEPEST):
            if isinstance(node, ast.Constant):
                value = node.value.decode(errors="replace") if isinstance(node.value, bytes) else node.value
                return value if isinstance(value, str) else None
            found = self._only_value(node, scope)
            if found is None:
                return None
            node, scope = found
        return None

    def _object(self, node: ast.Dict, scope: Scope, depth: int) -> object:
        members: dict[str, object] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            inner = self.value(item, scope, depth + 1)
            if key is None:
                spread = to_object(inner)
                if spread is None:
                    return UNSEEN
                members.update(spread)
                continue
            name = text_of(key)
            if name is None:
                return UNSEEN
            members[name] = inner
        return members

    def _named(self, node: ast.expr, scope: Scope, depth: int) -> object:
        for value in self.inference.values(node, scope):
            if isinstance(value, External | Instance) and value.path in _OMITTING:
                return OMITTED
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            if node.args or any(keyword.arg is None for keyword in node.keywords):
                return UNSEEN
            return {str(each.arg): self.value(each.value, scope, depth + 1) for each in node.keywords}
        found = self._only_value(node, scope)
        return UNSEEN if found is None else self.value(*found, depth + 1)

    def _only_value(self, node: ast.expr, scope: Scope) -> tuple[ast.expr, Scope] | None:
        """Return the one expression that is bound to a name, when it is never changed."""
        if not isinstance(node, ast.Name):
            return None
        use = scope.module.places.get(node)
        found = self.inference.bindings(node.id, scope if use is None else use.scope, use) or []
        found = [pair for pair in found if pair[0].kind != "annotation"]
        if len(found) != 1 or found[0][0].kind != "value" or not isinstance(found[0][0].node, ast.expr):
            return None
        binding, home = found[0]
        return None if node.id in home.updates else (found[0][0].node, home) if binding.node else None

    # --- arguments ---

    def given(self, call: ast.Call, scope: Scope, bodies: frozenset[str]) -> Given:
        """Return the keyword arguments of a call; those named in `bodies` give their members too."""
        arguments: dict[str, Argument] = {}
        unseen: list[ast.expr] = []
        spread: list[MemberOf] = []
        for keyword in call.keywords:
            if keyword.arg is not None:
                spread.append((keyword.arg, keyword.value, scope))
                continue
            members, whole = self.members(keyword.value, scope)
            spread += members
            if not whole:
                unseen.append(keyword.value)
        inner: list[Argument] = []
        for name, node, home in spread:
            if name in bodies:
                members, whole = self.members(node, home)
                inner += [Argument(key, item, self.value(item, where), True) for key, item, where in members]
                if not whole and self.value(node, home) not in (None, OMITTED):
                    unseen.append(node)
            else:
                arguments[name] = Argument(name, node, self.value(node, home))
        arguments.update({each.name: each for each in inner})  # the SDK lets extra_body win
        return Given(tuple(each for each in arguments.values() if each.value is not OMITTED), tuple(unseen))

    def members(self, node: ast.expr, scope: Scope, depth: int = 0) -> Members:
        """Return the members of a dict that is written out, and whether these are all."""
        if depth > _DEEPEST:
            return [], False
        if isinstance(node, ast.Dict):
            return self._merged(self._pairs(node, scope, depth))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            parts = [self.members(each, scope, depth + 1) for each in node.args]
            return self._merged([*parts, *self._keywords(node, scope, depth)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._merged([self.members(each, scope, depth + 1) for each in (node.left, node.right)])
        if isinstance(node, ast.Name):
            return self._members_of_name(node, scope, depth)
        return [], False

    def _pairs(self, node: ast.Dict, scope: Scope, depth: int) -> Iterator[Members]:
        for key, item in zip(node.keys, node.values, strict=True):
            name = text_of(key)
            if key is None:
                yield self.members(item, scope, depth + 1)
            else:
                yield ([], False) if name is None else ([(name, item, scope)], True)

    def _keywords(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[Members]:
        for keyword in node.keywords:
            if keyword.arg is None:
                yield self.members(keyword.value, scope, depth + 1)
            else:
                yield [(keyword.arg, keyword.value, scope)], True

    def _members_of_name(self, node: ast.Name, scope: Scope, depth: int) -> Members:
        use = scope.module.places.get(node)
        found = self.inference.bindings(node.id, scope if use is None else use.scope, use)
        parts: list[Members] = []
        for binding, home in found or []:
            if binding.kind == "annotation":
                continue
            inner = binding.node if binding.kind == "value" else None
            parts.append(self.members(inner, home, depth + 1) if isinstance(inner, ast.expr) else ([], False))
            parts += [self._update(update, home, depth) for update in home.updates.get(node.id, [])]
        return self._merged(parts or [([], False)])

    def _update(self, update: ast.expr | ast.Assign, scope: Scope, depth: int) -> Members:
        if isinstance(update, ast.Assign):  # name["key"] = value
            target = update.targets[0]
            key = text_of(target.slice) if isinstance(target, ast.Subscript) else None
            return ([], False) if key is None else ([(key, update.value, scope)], True)
        if isinstance(update, ast.Call):  # name.update(...)
            parts = [self.members(each, scope, depth + 1) for each in update.args]
            return self._merged([*parts, *self._keywords(update, scope, depth)])
        return self.members(update, scope, depth + 1)  # name |= ...

    @staticmethod
    def _merged(parts: Iterable[Members]) -> Members:
        members: dict[str, MemberOf] = {}
        whole = True
        for some, is_whole in parts:
            members.update({each[0]: each for each in some})
            whole = whole and is_whole
        return list(members.values()), whole
