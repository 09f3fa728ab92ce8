"""Follows calls to what they give: of functions, of classes, of what libraries make or pass on."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from tess_openai.cli.check.frameworks import CHAINED, is_model
from tess_openai.cli.check.libraries import (
    ANY_CLIENT,
    COPIES,
    FACTORY_ARGUMENTS,
    RUNNERS,
    SDK_CLIENTS,
    SENDING,
    TESS_SETTINGS,
    is_client,
    resource_of,
)
from tess_openai.cli.check.names import import_values
from tess_openai.cli.check.passed_values import is_plain
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import (
    UNKNOWN,
    Class,
    Container,
    External,
    FunctionValue,
    Instance,
    Member,
    Partial,
    Value,
    Values,
    flat,
    name_of,
    text_of,
)

if TYPE_CHECKING:
    from tess_openai.cli.check.inference import Inference

_TAKES: Final = frozenset({"get", "pop", "setdefault", "popleft"})
"""Methods of a container that give one element."""
_WHOLE: Final = frozenset({"values", "copy"})
_TAKERS: Final = frozenset({"functools.partial", "typing.cast"})
_IMPORTING: Final = re.compile("import|require|lazy")
"""In the name of a function that gives the module whose name it is given: `import_module`, `require`."""


def call_values(inference: Inference, node: ast.Call, scope: Scope) -> Values:
    """Return what a call can give."""
    match node.func:
        case ast.Attribute(value=held, attr=name) if name in _TAKES | _WHOLE:
            values = inference.values(held, scope)
            if any(isinstance(value, Container) for value in values):
                return inference.elements(values) if name in _TAKES else values
        case ast.Name(id="getattr") if len(node.args) > 1 and (read := text_of(node.args[1])) is not None:
            return flat(inference.attribute(each, read) for each in inference.values(node.args[0], scope))
        case func if node.args and _IMPORTING.search(name_of(func)) and (path := text_of(node.args[0])):
            return import_values(inference, path.partition(".")[0] if name_of(func) == "__import__" else path)
        case _:
            pass
    return flat(inference.called(value, node, scope) for value in inference.values(node.func, scope))


def called_values(inference: Inference, value: Value, node: ast.Call, scope: Scope) -> Values:
    """Return what calling a value can give."""
    match value:
        case External(path):
            return _external_called(inference, path, node, scope)
        case Class():
            return inference.object_of(value, node, scope)
        case FunctionValue():
            passed = _passed_on(value, node)
            found = UNKNOWN if passed is None else inference.values(passed, scope)
            return found or inference.result(value)
        case Member(owner, path) if path[-1] in COPIES:
            is_elsewhere = any(keyword.arg == "base_url" for keyword in node.keywords)
            return (Instance(owner.path, node, scope) if is_elsewhere else owner,)
        case Member(owner, path) if is_model(owner.path) and path[-1] in CHAINED:
            return (Instance(owner.path, owner.call, owner.scope, (*owner.bound, (path[-1], node, scope))),)
        case Instance():
            return (value,)
        case _:
            return UNKNOWN


def _passed_on(function: FunctionValue, call: ast.Call) -> ast.expr | None:
    """Return the argument that a function gives back by its types, `def f(x: T) -> T`; None for others."""
    if isinstance(function.node, ast.Lambda) or not isinstance(function.node.returns, ast.Name):
        return None
    type_name = function.node.returns.id
    parameters = [*function.node.args.posonlyargs, *function.node.args.args]
    for position, parameter in enumerate(parameters):
        if isinstance(parameter.annotation, ast.Name) and parameter.annotation.id == type_name:
            named = (each.value for each in call.keywords if each.arg == parameter.arg)
            return call.args[position] if position < len(call.args) else next(named, None)
    return None


def result_values(inference: Inference, function: FunctionValue) -> Values:
    """Return what a function can return or yield: by its body, else by its annotation."""
    returns = None if isinstance(function.node, ast.Lambda) else function.node.returns
    noted = (
        UNKNOWN if returns is None else inference.annotated(returns, function.scope.parent or function.scope)
    )
    if returns is not None and (is_plain(returns) or (noted and not any(map(_may_be_client, noted)))):
        return noted
    return flat(inference.values(result, function.scope) for result in function.scope.results) or noted


def _may_be_client(value: Value) -> bool:
    return not isinstance(value, Instance) or is_client(value.path) or "openai" in value.path.lower()


def _external_called(inference: Inference, path: str, node: ast.Call, scope: Scope) -> Values:
    if is_client(path) or path in TESS_SETTINGS:
        return (Instance(path, node, scope),)
    if (resource := resource_of(path)) is not None:
        return (Member(Instance(ANY_CLIENT), resource),)
    for keyword in node.keywords:
        if keyword.arg in FACTORY_ARGUMENTS:  # field(default_factory=OpenAI)
            call = ast.copy_location(ast.Call(keyword.value, [], []), keyword.value)
            made = inference.values(keyword.value, scope)
            return flat(inference.called(each, call, scope) for each in made)
    if path in _TAKERS and node.args:
        return _taken(inference, path, node, scope)
    if path.rpartition(".")[2].islower():  # a function: a wrapper gives its client back
        named = [keyword.value for keyword in node.keywords if keyword.arg in ("client", "create")]
        for argument in [*node.args, *named]:
            values = inference.values(argument, scope)
            wrapped = [_wrapped(value, path, node) for value in values]
            if any(wrapped):
                return tuple(value for value in wrapped if value is not None)
    return (Instance(path, node, scope) if path.endswith("ModelSettings") else Instance(path),)


def _wrapped(value: Value, path: str, call: ast.Call) -> Value | None:
    """Return what a function gives back for a client, or for a method when it gets nothing else."""
    if isinstance(value, Instance) and value.path in SDK_CLIENTS:
        return value
    name = path.rpartition(".")[2]
    is_alone = len(call.args) + len(call.keywords) == 1 and name not in RUNNERS
    return value if is_alone and isinstance(value, Member) and value.path[-1] in SENDING else None


def _taken(inference: Inference, path: str, node: ast.Call, scope: Scope) -> Values:
    """Return what a function of the standard library makes of its first argument."""
    first = node.args[0]
    if path == "typing.cast":
        return inference.annotated(first, scope)
    targets = inference.values(first, scope)
    return (
        *(Partial(each, node, scope) for each in targets if isinstance(each, Member)),
        *(each for each in targets if isinstance(each, External | FunctionValue | Class)),
    )
