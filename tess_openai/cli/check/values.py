"""What an expression can be, as far as it matters here. The empty tuple of values is: unknown."""

from __future__ import annotations

import ast
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
        call: Where it was made, for what keeps settings of Tess's.
        scope: Of the call.
    """

    path: str
    call: ast.Call | None = field(default=None, repr=False)
    scope: Scope | None = field(default=None, repr=False)


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
    """A function or lambda of the code that is read; `owner` when it is a method."""

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
