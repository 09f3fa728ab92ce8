"""What an expression can be, as far as it matters here. An empty tuple of values means: unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tess_openai.cli.check.scopes import Module, Scope


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library, by its dotted name: `openai.OpenAI`, `os.environ`."""

    path: str


@dataclass(frozen=True, slots=True)
class Instance:
    """What calling a library's name gives: `openai.OpenAI()` is `Instance("openai.OpenAI")`.

    Attributes:
        path: Of what was called.
        call: Where it was made; None where only its type is known.
        scope: Of the call.
        bound: What was bound to a framework's model since: method, call and scope.
    """

    path: str
    call: ast.Call | None = field(default=None, repr=False)
    scope: Scope | None = field(default=None, repr=False)
    bound: tuple[tuple[str, ast.Call, Scope], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """Below a client: `client.chat.completions.create` has the path `("chat", "completions", "create")`."""

    owner: Instance
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial(client.chat.completions.create, model=...)`."""

    target: Member
    call: ast.Call = field(compare=False)
    scope: Scope = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """A function or lambda of the code that is read."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope = field(repr=False)


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the code that is read."""

    node: ast.ClassDef
    scope: Scope = field(repr=False)


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a class of the code that is read."""

    of: Class


@dataclass(frozen=True, slots=True)
class Container:
    """A list, tuple, set or dict whose elements may be clients."""

    elements: tuple[ast.expr, ...] = field(compare=False)
    key: int
    scope: Scope = field(compare=False, repr=False)
    annotation: bool = False


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the code that is read."""

    module: Module


Value: TypeAlias = (
    External | Instance | Member | Partial | FunctionValue | Class | Object | Container | ModuleValue
)
Values: TypeAlias = tuple[Value, ...]
UNKNOWN: Values = ()


def flat(many: Iterable[Values]) -> Values:
    """Return all values of many."""
    return tuple(value for values in many for value in values)


def text_of(node: ast.expr | None) -> str | None:
    """Return the text of a string that is written out; None for all else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def name_of(node: ast.AST | None) -> str:
    """Return the last part of a dotted name; `""` for all else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def defaults_of(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    """Yield the parameters that have a default, with it."""
    positional = [*arguments.posonlyargs, *arguments.args]
    named = positional[len(positional) - len(arguments.defaults) :]
    yield from zip(named, arguments.defaults, strict=True)
    for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield name, default


def is_decorated(node: ast.AST, names: Iterable[str]) -> bool:
    """Whether a definition has a decorator of one of these names, from wherever."""
    for decorator in getattr(node, "decorator_list", []):
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        if name_of(inner) in names:
            return True
    return False


def takes_its_own(values: Values) -> bool:
    """Whether a function is called that is read itself, and names all that it takes."""
    return any(
        isinstance(value, FunctionValue)
        and (isinstance(value.node, ast.Lambda) or value.node.args.kwarg is None)
        for value in values
    ) or any(isinstance(value, External) and value.path == "functools.partial" for value in values)


def is_text_type(node: ast.expr) -> bool:
    """Whether the type of an answer is text, which needs no schema."""
    return isinstance(node, ast.Name) and node.id == "str"


def is_class(value: Value) -> bool:
    """Whether a value is a class, of a library by the usual way to write its name."""
    if isinstance(value, External):
        return value.path.rpartition(".")[2][:1].isupper()
    return isinstance(value, Class)
