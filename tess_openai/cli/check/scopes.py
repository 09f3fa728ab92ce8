"""The names that a module binds, scope by scope, and the places that may have to do with OpenAI."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tess_openai.cli.check.redaction import shown_lines

Callable: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
BindingKind: TypeAlias = Literal[
    "value", "element", "annotation", "import", "function", "class", "parameter", "unknown"
]
Block: TypeAlias = tuple[int, ...]
"""The blocks around a statement, outermost first, as numbers."""
_MAX_BINDINGS: Final = 60
"""So many assignments to one name are looked at: the last before its use."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place that gives a name a value.

    Attributes:
        kind: How: a value, an element of one, an annotation alone, an import, ...
        node: The expression or definition; None where nothing can be known.
        order: Counts the statements of the module in reading order.
        block: Where it is.
        path: Of an import, `"openai.OpenAI"`.
    """

    kind: BindingKind
    node: ast.AST | None
    order: int
    block: Block
    path: str = ""


@dataclass(slots=True, eq=False, init=False)
class Scope:
    """A module, a class, a function or a lambda.

    Attributes:
        module: Where it is.
        node: Its definition.
        parent: The scope around it.
        bindings: Name -> where it gets a value.
        elsewhere: Name -> the scope that `global` or `nonlocal` names.
        attributes: Of a class: attribute -> what methods assign to it, `self.x = value`.
        updates: Name of a dict -> the calls and assignments that change it.
        results: What it returns or yields.
    """

    module: Module = field(repr=False)
    node: ast.AST
    parent: Scope | None = field(repr=False)
    bindings: dict[str, list[Binding]]
    elsewhere: dict[str, Scope]
    attributes: dict[str, list[tuple[ast.expr, Scope]]]
    updates: dict[str, list[ast.expr | ast.Assign]]
    results: list[ast.expr]

    def __init__(self, module: Module, node: ast.AST, parent: Scope | None) -> None:
        self.module = module
        self.node = node
        self.parent = parent
        self.bindings = {}
        self.elsewhere = {}
        self.attributes = {}
        self.updates = {}
        self.results = []

    @property
    def is_class(self) -> bool:
        """Whether names in it are attributes rather than variables of the code inside."""
        return isinstance(self.node, ast.ClassDef)


@dataclass(slots=True, eq=False)
class Use:
    """A node that may be a call site or a name, and its place."""

    node: ast.expr
    scope: Scope = field(repr=False)
    order: int
    block: Block


@dataclass(slots=True, eq=False)
class Module:
    """A parsed file.

    Attributes:
        path: To show.
        name: By which it is imported.
        is_package: Whether it is a package's `__init__`.
        is_aside: Whether it is a test or an example.
        lines: Of its source.
        tree: Of its source.
        is_ascii: Whether columns in bytes are columns in characters.
        has_variables: Whether the name of a variable of OpenAI's occurs in it.
        cells: Of a notebook: the first line of each code cell and its number, ascending.
        scope: Its names.
        scopes: Definition -> the scope inside it.
        uses: What may be a site, in reading order.
        places: Name -> where it is used.
        calls_by_name: Last part of what is called -> the calls.
        imports: The first part of each import.
        branches: Block -> the statement and its branch; blocks of other branches of it never run together.
        ended: Blocks that end in `return` or `raise`, behind which nothing of them is seen.
    """

    path: str
    name: str
    is_package: bool
    lines: list[str] = field(repr=False)
    tree: ast.Module = field(repr=False)
    is_ascii: bool
    is_aside: bool = False
    has_variables: bool = False
    cells: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    scope: Scope = field(init=False, repr=False)
    scopes: dict[ast.AST, Scope] = field(default_factory=dict[ast.AST, Scope], repr=False)
    uses: list[Use] = field(default_factory=list[Use], repr=False)
    places: dict[ast.expr, Use] = field(default_factory=dict[ast.expr, Use], repr=False)
    calls_by_name: dict[str, list[Use]] = field(default_factory=dict[str, list[Use]], repr=False)
    imports: set[str] = field(default_factory=set[str])
    branches: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    ended: set[int] = field(default_factory=set[int])
    _shown: list[str] | None = field(default=None, repr=False)

    def column(self, number: int, offset: int) -> int:
        """Return the column, from 1 and in characters, of a byte of a line, as the parser counts."""
        if self.is_ascii or number > len(self.lines):
            return offset + 1
        return len(self.lines[number - 1].encode()[:offset].decode(errors="ignore")) + 1

    def shown(self, number: int) -> str:
        """Return a line, from 1, without the keys that may be written into it."""
        if self._shown is None:
            self._shown = shown_lines(self.tree, self.lines)
        return self._shown[number - 1] if number <= len(self._shown) else ""

    def cell_of(self, number: int) -> tuple[int, int]:
        """Return the cell of a notebook's line and the line in it, from 1; `(0, number)` elsewhere."""
        cell, first = 0, 1
        for begin, index in self.cells:
            if begin > number:
                break
            cell, first = index, begin
        return cell, number - first + 1

    def reaching(self, bindings: list[Binding], use: Use) -> list[Binding]:
        """Return the bindings that a use can see: those before it, back to one that is certain to have run.

        Where none is before it, as in a loop, all that do not exclude it can be.
        """
        earlier = [
            each
            for each in bindings
            if each.order < use.order or (each.order == use.order and each.kind == "element")
        ]
        before = [each for each in earlier[-_MAX_BINDINGS:] if not self._excludes(each.block, use.block)]
        chosen: list[Binding] = []
        certain = -2
        for binding in reversed(before):
            if certain not in (-2, binding.order):
                break
            chosen.append(binding)
            if binding.block == use.block[: len(binding.block)]:
                certain = binding.order
        if chosen:
            return chosen
        return [each for each in bindings[:_MAX_BINDINGS] if not self._excludes(each.block, use.block)]

    def _excludes(self, bound: Block, used: Block) -> bool:
        """Whether what runs in one block cannot be seen in another: another branch, or it has returned."""
        for depth, block in enumerate(bound):
            if depth >= len(used) or used[depth] != block:
                if not self.ended.isdisjoint(bound[depth:]):
                    return True
                one = self.branches.get(block)
                other = None if depth >= len(used) else self.branches.get(used[depth])
                return one is not None and other is not None and one[0] == other[0]
        return False


def parameters_of(node: Callable) -> list[ast.arg]:
    """Return the named parameters in order."""
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
