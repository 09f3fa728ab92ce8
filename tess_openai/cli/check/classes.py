"""Follows attributes of the code's own classes: by their bodies, their methods and their bases."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tess_openai.cli.check.libraries import is_client
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import (
    UNKNOWN,
    Class,
    External,
    FunctionValue,
    Instance,
    Object,
    Values,
    flat,
    is_decorated,
)

if TYPE_CHECKING:
    from tess_openai.cli.check.inference import Inference

_PROPERTIES: Final = frozenset({"property", "cached_property"})


def member_values(inference: Inference, owner: Class, name: str) -> Values:
    """Return what an attribute of a class, or of its objects, can be; its bases have what it has not."""
    found: Values = UNKNOWN
    for binding in owner.scope.bindings.get(name, []):
        for value in inference.bound(binding, owner.scope):
            is_property = isinstance(value, FunctionValue) and is_decorated(value.node, _PROPERTIES)
            found += inference.result(value) if isinstance(value, FunctionValue) and is_property else (value,)
    for node, scope in owner.scope.attributes.get(name, []):
        found += inference.values(node, scope)
    if found or name in owner.scope.bindings:
        return found
    bases = _bases(inference, owner)
    return flat(inference.member(base, name) for base in bases if isinstance(base, Class))


def object_values(inference: Inference, of: Class, call: ast.Call | None, scope: Scope | None) -> Values:
    """Return an object of a class; of a class that extends a client it is a client too."""
    made = (Instance(path, call, scope) for path in library_bases(inference, of) if is_client(path))
    return (Object(of), *made)


def library_bases(inference: Inference, owner: Class) -> list[str]:
    """Return the names of all classes of libraries that a class extends, by itself or through others."""
    bases = (base for each in _line(inference, owner) for base in _bases(inference, each))
    return [base.path for base in bases if isinstance(base, External)]


def lacks(inference: Inference, owner: Class, name: str, *, imports_openai: bool) -> bool:
    """Whether a class of the code that is read is seen to have no attribute of a client's.

    Args:
        inference: Of the project.
        owner: The class.
        name: Of the attribute.
        imports_openai: Whether what is not seen, a base or `__getattr__`, may come from the SDK.
    """
    for each in _line(inference, owner):
        if name in each.scope.bindings or name in each.scope.attributes:
            return False
        bases = _bases(inference, each)
        is_open = len(bases) < len(each.node.bases) or any(not isinstance(base, Class) for base in bases)
        if imports_openai and (is_open or "__getattr__" in each.scope.bindings):
            return False
    return True


def _line(inference: Inference, owner: Class) -> Iterator[Class]:
    """Yield a class and the classes of the code that it extends, each once."""
    known, seen = [owner], set[ast.AST]()
    while known:
        each = known.pop()
        if each.node not in seen:
            seen.add(each.node)
            yield each
            known += [base for base in _bases(inference, each) if isinstance(base, Class)]


def _bases(inference: Inference, owner: Class) -> Values:
    outside = owner.scope.parent or owner.scope
    return flat(inference.values(base, outside) for base in owner.node.bases)
