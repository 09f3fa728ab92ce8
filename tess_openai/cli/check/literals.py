"""Follows expressions to the JSON that they mean, as far as it is written out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from tess_openai.cli.check.arguments import OMITTED, UNSEEN, Argument, Given
from tess_openai.cli.check.inference import Inference
from tess_openai.cli.check.names import bindings_of
from tess_openai.cli.check.scopes import Binding, Scope
from tess_openai.cli.check.values import Class, External, Instance, ModuleValue, Object, text_of
from tess_openai.core.jsons import to_list

MemberOf: TypeAlias = tuple[str, ast.expr, Scope]
"""A name, the expression bound to it, and its place."""
Members: TypeAlias = tuple[list[MemberOf], bool]
"""The members of a dict, and whether these are all; a name that has several values occurs several times."""


_OMITTING: Final = frozenset(
    {"openai.NOT_GIVEN", "openai.omit", "openai.NotGiven", "openai.Omit", "openai.not_given"}
)
_DEEPEST: Final = 12
_MAX_ALTERNATIVES: Final = 6
MAX_EXPRESSIONS: Final = 100_000
"""For each file: about a quarter of a second. Source: measured."""


class Literals:
    """Reads values and arguments."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self._read = 0

    def begin_file(self) -> None:
        """Count the expressions of the next file from zero."""
        self._read = 0

    def _is_too_much(self, depth: int) -> bool:
        """Count an expression; whether it lies too deep, or the file has had too many."""
        self._read += 1
        if self._read > MAX_EXPRESSIONS:
            self.inference.has_given_up = True
        return depth > _DEEPEST or self._read > MAX_EXPRESSIONS

    def value(self, node: ast.expr, scope: Scope, depth: int = 0) -> object:
        """Return the JSON value of an expression."""
        if self._is_too_much(depth):
            return UNSEEN
        match node:
            case ast.Constant():
                plain = node.value is None or isinstance(node.value, bool | int | float | str)
                return node.value if plain else UNSEEN
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.List() | ast.Tuple():
                return [each for item in node.elts for each in self._items(item, scope, depth + 1)]
            case ast.Dict():
                return self._object(node, scope, depth)
            case ast.JoinedStr():
                return self._joined(node.values, scope, depth)
            case ast.FormattedValue(conversion=-1, format_spec=None):
                return self.value(node.value, scope, depth + 1)
            case ast.BinOp(op=ast.Add()):
                return self._joined([node.left, node.right], scope, depth)
            case ast.Name() | ast.Attribute() | ast.Call():
                return self._named(node, scope, depth)
            case _:
                return UNSEEN

    def _joined(self, nodes: list[ast.expr], scope: Scope, depth: int) -> object:
        texts = [each for node in nodes if isinstance(each := self.value(node, scope, depth + 1), str)]
        return "".join(texts) if len(texts) == len(nodes) else UNSEEN

    def _items(self, node: ast.expr, scope: Scope, depth: int) -> list[object]:
        """Return the elements that one part of a list gives it: several, where it is `*items`."""
        if not isinstance(node, ast.Starred):
            return [self.value(node, scope, depth)]
        inner = to_list(self.value(node.value, scope, depth))
        return [UNSEEN] if inner is None else inner

    def alternatives(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[object]:
        """Return the JSON values that an expression has in the branches of a program."""
        if isinstance(node, ast.IfExp) and depth < _DEEPEST:
            parts = [(node.body, scope), (node.orelse, scope)]
        else:
            parts = self._bound(node, scope)
        if not parts or len(parts) > _MAX_ALTERNATIVES or depth > _DEEPEST:
            return [self.value(node, scope)]
        found: list[object] = []
        for part, home in parts:
            found += [each for each in self.alternatives(part, home, depth + 1) if each not in found]
        return found[:_MAX_ALTERNATIVES]

    def text(self, node: ast.expr, scope: Scope) -> str | None:
        """Return the text that is written out, there or under a name, also as bytes; None for all else."""
        for _ in range(_DEEPEST):
            if isinstance(node, ast.Constant):
                value = node.value.decode(errors="replace") if isinstance(node.value, bytes) else node.value
                return value if isinstance(value, str) else None
            found = self._bound(node, scope)
            if len(found) != 1:
                return None
            node, scope = found[0]
        return None

    def _object(self, node: ast.expr, scope: Scope, depth: int) -> object:
        """Return a dict all of whose members are seen, each with one value."""
        members, is_whole = self.members(node, scope, depth)
        if not is_whole or len({name for name, _, _ in members}) < len(members):
            return UNSEEN
        return {name: self.value(item, home, depth + 1) for name, item, home in members}

    def _named(self, node: ast.expr, scope: Scope, depth: int) -> object:
        for value in self.inference.values(node, scope):
            if isinstance(value, External | Instance) and value.path in _OMITTING:
                return OMITTED
        if isinstance(node, ast.Call):
            return self._object(node, scope, depth) if _is_dict(node) else UNSEEN
        found = self._bound(node, scope)
        return self.value(*found[0], depth + 1) if len(found) == 1 else UNSEEN

    def _bound(self, node: ast.expr, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """Return the expressions that a name means, when nothing else changes it; else none."""
        if isinstance(node, ast.Attribute):
            return self._bound_attribute(node, scope)
        if not isinstance(node, ast.Name):
            return []
        use = scope.module.places.get(node)
        found = bindings_of(node.id, scope if use is None else use.scope, use) or []
        return self._expressions(node.id, found)

    def _expressions(self, name: str, found: list[tuple[Binding, Scope]]) -> list[tuple[ast.expr, Scope]]:
        bound: list[tuple[ast.expr, Scope]] = []
        for binding, home in found:
            if binding.kind == "annotation":
                continue
            if binding.kind == "import":
                module = self.inference.project.find(binding.path.rpartition(".")[0])
                inner = None if module is None else module.scope
                inside = [] if inner is None else inner.bindings.get(binding.path.rpartition(".")[2], [])
                if inner is None or any(each.kind != "value" for each in inside):
                    return []
                found_there = [(each, inner) for each in inside]
                bound += self._expressions(binding.path.rpartition(".")[2], found_there)
            elif binding.kind == "value" and isinstance(binding.node, ast.expr) and name not in home.updates:
                bound.append((binding.node, home))
            else:
                return []
        return bound

    def _bound_attribute(self, node: ast.Attribute, scope: Scope) -> list[tuple[ast.expr, Scope]]:
        """Return what a class or module of the code gives to an attribute, when it is one expression."""
        for value in self.inference.values(node.value, scope):
            if isinstance(value, ModuleValue):
                home = value.module.scope
                return self._expressions(
                    node.attr, [(each, home) for each in home.bindings.get(node.attr, [])]
                )
            if isinstance(value, Class | Object):
                of = value.of if isinstance(value, Object) else value
                bindings = of.scope.bindings.get(node.attr, [])
                inside = self._expressions(node.attr, [(each, of.scope) for each in bindings])
                found = [*inside, *of.scope.attributes.get(node.attr, [])]
                return found if len(found) == 1 and isinstance(found[0][0], ast.Constant) else []
        return []

    # --- arguments ---

    def given(self, call: ast.Call, scope: Scope, bodies: frozenset[str] = frozenset()) -> Given:
        """Return the keyword arguments of a call; those named in `bodies` give their members too."""
        arguments: dict[str, list[Argument]] = {}
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
        inner: dict[str, list[Argument]] = {}
        for name, node, home in spread:
            if name in bodies:
                members, whole = self.members(node, home)
                for key, item, where in members:
                    inner.setdefault(key, []).append(Argument(key, item, self.value(item, where), True))
                if not whole and self.value(node, home) not in (None, OMITTED):
                    unseen.append(node)
            else:
                values = self.alternatives(node, home)
                arguments.setdefault(name, []).extend(Argument(name, node, value) for value in values)
        arguments.update(inner)  # the SDK lets extra_body win
        seen = (each for many in arguments.values() for each in many if each.value is not OMITTED)
        return Given(tuple(seen), tuple(unseen))

    def given_of(self, made: Instance, bodies: frozenset[str] = frozenset()) -> Given:
        """Return the arguments that something was made with; none where that is not seen."""
        if made.call is None or made.scope is None:
            return Given((), ())
        return self.given(made.call, made.scope, bodies)

    def members(self, node: ast.expr, scope: Scope, depth: int = 0) -> Members:
        """Return the members of a dict that is written out, and whether these are all."""
        if self._is_too_much(depth):
            return [], False
        match node:
            case ast.Dict():
                return _merged(self._pairs(node, scope, depth))
            case ast.Call() if _is_dict(node):
                parts = [self.members(each, scope, depth + 1) for each in node.args]
                return _merged([*parts, *self._keywords(node, scope, depth)])
            case ast.BinOp(op=ast.BitOr()):
                return _merged([self.members(each, scope, depth + 1) for each in (node.left, node.right)])
            case ast.IfExp():
                return _either([self.members(each, scope, depth + 1) for each in (node.body, node.orelse)])
            case ast.Name():
                return self._members_of_name(node, scope, depth)
            case _:
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
        """Return what the dict under a name can hold: by any of its bindings, and all later changes."""
        use = scope.module.places.get(node)
        found = bindings_of(node.id, scope if use is None else use.scope, use)
        parts: list[Members] = []
        updates: list[Members] = []
        for binding, home in found or []:
            if binding.kind == "annotation":
                continue
            inner = binding.node if binding.kind == "value" else None
            parts.append(self.members(inner, home, depth + 1) if isinstance(inner, ast.expr) else ([], False))
            updates = [self._update(update, home, depth) for update in home.updates.get(node.id, [])]
        return _either([_either(parts or [([], False)]), *updates])

    def _update(self, update: ast.expr | ast.Assign, scope: Scope, depth: int) -> Members:
        if isinstance(update, ast.Assign):  # name["key"] = value
            target = update.targets[0]
            key = text_of(target.slice) if isinstance(target, ast.Subscript) else None
            return ([], False) if key is None else ([(key, update.value, scope)], True)
        if isinstance(update, ast.Call):  # name.update(...)
            parts = [self.members(each, scope, depth + 1) for each in update.args]
            return _merged([*parts, *self._keywords(update, scope, depth)])
        return self.members(update, scope, depth + 1)  # name |= ...


def _is_dict(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "dict"


def _merged(parts: Iterable[Members]) -> Members:
    """Return the members of several dicts of which the later win."""
    members: dict[str, list[MemberOf]] = {}
    whole = True
    for some, is_whole in parts:
        own: dict[str, list[MemberOf]] = {}
        for each in some:
            own.setdefault(each[0], []).append(each)
        members.update(own)
        whole = whole and is_whole
    return [each for many in members.values() for each in many], whole


def _either(parts: Iterable[Members]) -> Members:
    """Return the members of several dicts each of which may be the one."""
    found = list(parts)
    return list(dict.fromkeys(each for some, _ in found for each in some)), all(
        is_whole for _, is_whole in found
    )
