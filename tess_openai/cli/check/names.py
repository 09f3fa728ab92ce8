"""Follows names to what is bound to them, over the files of a project, and attributes of what they are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tess_openai.cli.check.libraries import DROP_INS, MODULE_CLIENT, RESOURCES, SENDING, is_client
from tess_openai.cli.check.scopes import Binding, Module, Scope, Use
from tess_openai.cli.check.values import (
    UNKNOWN,
    Class,
    External,
    FunctionValue,
    Instance,
    Member,
    ModuleValue,
    Object,
    Value,
    Values,
    flat,
)

if TYPE_CHECKING:
    from tess_openai.cli.check.inference import Inference


def name_values(inference: Inference, node: ast.Name, scope: Scope) -> Values:
    """Return what a name can be where it is used."""
    use = scope.module.places.get(node)
    scope = scope if use is None else use.scope
    found = bindings_of(node.id, scope, use)
    if found is None:
        return _star(inference, node.id, scope.module)
    return flat(inference.bound(binding, home) for binding, home in found)


def bindings_of(name: str, scope: Scope, use: Use | None = None) -> list[tuple[Binding, Scope]] | None:
    """Return the bindings of a name that can reach a use, with their scopes; None for no such name."""
    home: Scope | None = scope.elsewhere.get(name, scope)
    first = True
    while home is not None:
        if name in home.bindings and (first or not home.is_class):
            bound = home.bindings[name]
            is_near = use is not None and use.scope is home and len(bound) > 1
            chosen = home.module.reaching(bound, use) if use is not None and is_near else bound
            return [(binding, home) for binding in chosen]
        home, first = home.parent, False
    return None


def bound_values(inference: Inference, binding: Binding, home: Scope) -> Values:
    """Return what a binding gives to its name."""
    node = binding.node
    match node:
        case _ if binding.kind == "import":
            return import_values(inference, binding.path)
        case ast.ClassDef():
            return (Class(node, home.module.scopes[node]),)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return (FunctionValue(node, home.module.scopes[node]),)
        case ast.arg():
            return inference.parameter(node, home)
        case ast.expr():
            if binding.kind == "annotation":
                return inference.annotated(node, home)
            found = inference.values(node, home)
            return inference.elements(found) if binding.kind == "element" else found
        case _:
            return UNKNOWN


def import_values(inference: Inference, path: str) -> Values:
    """Return what a dotted name is: something of the project's files, or of a library."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        module = inference.project.find(".".join(parts[:length]))
        if module is not None:
            found: Values = (ModuleValue(module),)
            for name in parts[length:]:
                found = flat(inference.attribute(value, name) for value in found)
            return found
    return _external(path)


def attribute_values(inference: Inference, value: Value, name: str) -> Values:
    """Return what an attribute of a value can be."""
    match value:
        case External(path):
            return _external(f"{path}.{name}")
        case ModuleValue(module):
            return inference.once((module, name), lambda: _module_member(inference, module, name))
        case Instance(path):
            return (Member(value, (name,)) if is_client(path) else Instance(f"{path}.{name}"),)
        case Member(owner) if name == "_client":
            return (owner,)
        case Member(owner, path):  # of a method nothing is known
            return UNKNOWN if path[-1] in SENDING else (Member(owner, (*path, name)),)
        case Class():
            return inference.member(value, name)
        case Object(of):
            return inference.member(of, name)
        case _:
            return UNKNOWN


def _module_member(inference: Inference, module: Module, name: str) -> Values:
    if name in module.scope.bindings:
        return flat(inference.bound(each, module.scope) for each in module.scope.bindings[name])
    child = inference.project.find(f"{module.name}.{name}")
    return _star(inference, name, module) if child is None else (ModuleValue(child),)


def _star(inference: Inference, name: str, module: Module) -> Values:
    """Return what a name can be by `from module import *`."""
    found: Values = UNKNOWN
    for binding in module.scope.bindings.get("*", []):
        other = inference.project.find(binding.path)
        if other is not None:
            found += inference.attribute(ModuleValue(other), name)
        elif is_client(f"{binding.path}.{name}"):
            found += _external(f"{binding.path}.{name}")
    return found


def _external(path: str) -> Values:
    for offered, real in DROP_INS.items():
        if path == offered or path.startswith(offered + "."):
            path = real + path[len(offered) :]
    head, _, rest = path.partition(".")
    if head == MODULE_CLIENT and rest.partition(".")[0] in RESOURCES:
        return (Member(Instance(MODULE_CLIENT), tuple(rest.split("."))),)
    return (External(path),)
