"""Follows parameters of functions: by their annotation, else their default, else what their callers pass."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, TypeAlias

from tess_openai.cli.check.libraries import ANY_CLIENT, resource_of
from tess_openai.cli.check.scopes import Scope, Use, parameters_of
from tess_openai.cli.check.values import (
    UNKNOWN,
    Class,
    Container,
    External,
    FunctionValue,
    Instance,
    Member,
    Values,
    defaults_of,
    flat,
    is_decorated,
)

if TYPE_CHECKING:
    from tess_openai.cli.check.inference import Inference

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_UNIONS: Final = frozenset({"Annotated", "ClassVar", "Final", "Optional", "Required", "Union"})
"""Of `typing`: what is inside of them is what a value is."""
_NOT_TELLING: Final = _UNIONS | {"Any", "Self"}
"""Of `typing`: by themselves they say nothing."""
_PLAIN: Final = frozenset(
    {"bool", "bytes", "date", "datetime", "dict", "float", "int", "list", "Path", "str"}
)
_GENERIC: Final = frozenset(
    {"Dict", "Iterable", "List", "Optional", "Sequence", "Union", "dict", "list", "set"}
)
_MAX_CALLERS: Final = 20
"""A function that more places call than these is followed to the first of them."""


def parameter_values(inference: Inference, node: ast.arg, home: Scope) -> Values:
    """Return what a parameter can be."""
    function = home.node
    if not isinstance(function, Function):
        return UNKNOWN
    parent = home.parent or home
    names = parameters_of(function)
    if isinstance(parent.node, ast.ClassDef) and node is names[0]:
        owner = Class(parent.node, parent)
        if is_decorated(function, {"classmethod"}):
            return (owner,)
        if not is_decorated(function, {"staticmethod"}):
            return inference.object_of(owner)
    found = UNKNOWN if node.annotation is None else inference.annotated(node.annotation, parent)
    if found or (node.annotation is not None and is_plain(node.annotation)):
        return found
    if (default := dict(defaults_of(function.args)).get(node)) is not None:
        found = inference.values(default, parent)
    return found or _from_callers(inference, function, node, home)


def annotated_values(inference: Inference, node: ast.expr, scope: Scope) -> Values:
    """Return what an expression that is annotated like this can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return UNKNOWN
    if isinstance(node, ast.BinOp):
        return inference.annotated(node.left, scope) + inference.annotated(node.right, scope)
    if isinstance(node, ast.Subscript):
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        outer = inference.values(node.value, scope)
        if any(isinstance(value, External) and _name_in_typing(value.path) in _UNIONS for value in outer):
            return flat(inference.annotated(each, scope) for each in inside)
        return (Container(tuple(inside), id(node), scope, annotation=True),)
    found: Values = UNKNOWN
    for value in inference.values(node, scope):
        if isinstance(value, External) and (resource := resource_of(value.path)) is not None:
            found += (Member(Instance(ANY_CLIENT), resource),)
        elif isinstance(value, External) and _name_in_typing(value.path) not in _NOT_TELLING:
            found += (Instance(value.path),)
        elif isinstance(value, Class):
            found += inference.object_of(value)
    return found


def _name_in_typing(path: str) -> str:
    package, _, name = path.partition(".")
    return name if package in ("typing", "typing_extensions") else ""


def is_plain(annotation: ast.expr) -> bool:
    """Whether an annotation says that there is nothing but text, numbers and the like."""
    match annotation:
        case ast.Name(id=name):
            return name in _PLAIN
        case ast.Constant(value=value):
            return value is None or value in _PLAIN
        case ast.BinOp(left=left, right=right):
            return is_plain(left) and is_plain(right)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return name == "Literal" or (name in _GENERIC and all(map(is_plain, parts)))
        case _:
            return False


def _from_callers(inference: Inference, function: Function, node: ast.arg, home: Scope) -> Values:
    """Return what the calls of a function in the project pass for a parameter."""
    parent = home.parent or home
    is_method = isinstance(parent.node, ast.ClassDef) and not is_decorated(function, {"staticmethod"})
    position = parameters_of(function).index(node) - is_method
    names = [function.name]
    if isinstance(parent.node, ast.ClassDef) and function.name == "__init__":
        names.append(parent.node.name)
    uses = [use for name in names for use in inference.project.calls_of(name)]
    found: Values = UNKNOWN
    for use in uses[:_MAX_CALLERS]:
        call = use.node
        if isinstance(call, ast.Call) and _is_call_of(inference, call, use, function, parent):
            given = [keyword.value for keyword in call.keywords if keyword.arg == node.arg]
            if not given and 0 <= position < len(call.args):
                given = [call.args[position]]
            found += flat(inference.values(each, use.scope) for each in given)
    return found


def _is_call_of(inference: Inference, call: ast.Call, use: Use, function: Function, parent: Scope) -> bool:
    """Whether a call of the right name calls this function; of a class it calls its `__init__`."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super"))):
            around = use.scope.parent
            if around is None or not isinstance(around.node, ast.ClassDef):
                return False
            values = flat(inference.values(base, around) for base in around.node.bases)
        case _:
            values = inference.values(call.func, use.scope)
    return any(
        (isinstance(value, FunctionValue) and value.node is function)
        or (isinstance(value, Class) and value.node is parent.node)
        for value in values
    )
