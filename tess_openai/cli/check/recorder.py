"""Walks a module once and records its names and the places that may have to do with OpenAI."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from tess_openai.cli.check.libraries import ENVIRONMENT, MODULE_SETTINGS
from tess_openai.cli.check.scopes import Binding, BindingKind, Block, Module, Scope, Use, parameters_of
from tess_openai.cli.check.values import defaults_of, name_of, text_of

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

OPENAI_HOST: Final = "api.openai.com"
_PLAIN_FIELDS: Final = frozenset(
    {
        *("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "module", "name"),
        *("names", "op", "ops", "simple", "type_comment"),
    }
)
# Tuples, because a union would be made again for each node.
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_IMPORTS: Final = (ast.Import, ast.ImportFrom)
_OUTER_NAMES: Final = (ast.Global, ast.Nonlocal)
_LOOPS: Final = (ast.For, ast.AsyncFor)
_WITHS: Final = (ast.With, ast.AsyncWith)
_ENDINGS: Final = (ast.Return, ast.Raise)
_SEQUENCES: Final = (ast.Tuple, ast.List)
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_FIELDS: Final[Mapping[type[ast.AST], tuple[str, ...]]] = {
    kind: tuple(name for name in kind._fields if name not in _PLAIN_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Kind of node -> its fields that may hold other nodes."""
_BLOCKS: Final = frozenset({"body", "orelse", "finalbody"})
_ATTRIBUTES: Final = MODULE_SETTINGS | {"base_url"}
_VARIABLES: Final = re.compile("|".join(map(re.escape, ENVIRONMENT)))


def read_module(
    source: str, *, path: str, name: str, is_package: bool, cells: list[tuple[int, int]] | None = None
) -> Module:
    """Parse a file and record its names.

    Args:
        source: Its text, with newlines alone between lines: nothing else ends a line of Python.
        path: To show.
        name: By which it is imported.
        is_package: Whether it is a package's `__init__`.
        cells: Of a notebook, see `Module`.

    Raises:
        SyntaxError: It is no Python, or none of this interpreter's.
        ValueError: It holds a NUL byte.
        RecursionError: It is nested too deeply.
    """
    tree = ast.parse(source, path)
    module = Module(path, name, is_package, source.split("\n"), tree, source.isascii())
    module.cells = cells or []
    module.has_variables = _VARIABLES.search(source) is not None
    module.scope = Scope(module, tree, None)
    module.scopes[tree] = module.scope
    _Recorder(module).block(tree.body, module.scope, ())
    _carry_updates(module)
    return module


def _carry_updates(module: Module) -> None:
    """Note a change of a dict where its name is bound, as of a module's dict in a function."""
    for scope in module.scopes.values():
        for name, updates in scope.updates.items():
            if name in scope.elsewhere or name not in scope.bindings:
                home = scope.elsewhere.get(name) or _home_of(name, scope, is_global=False)
                if home is not scope and name in home.bindings:
                    home.updates.setdefault(name, []).extend(updates)


class _Recorder:
    """Walks a module once, in reading order."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.order = 0
        self.blocks = 0

    def block(
        self, statements: list[ast.stmt], scope: Scope, block: Block, branch: tuple[int, int] | None = None
    ) -> None:
        self.blocks += 1
        inner = (*block, self.blocks)
        if branch is not None:
            self.module.branches[self.blocks] = branch
        if statements and isinstance(statements[-1], _ENDINGS):
            self.module.ended.add(self.blocks)
        for statement in statements:
            self.order += 1
            self.statement(statement, scope, inner)

    def statement(self, node: ast.stmt, scope: Scope, block: Block) -> None:  # noqa: C901, PLR0912 - one case for each statement
        if isinstance(node, _DEFINITIONS):
            self.definition(node, scope, block)
            return
        if isinstance(node, _IMPORTS):
            self.imports(node, scope, block)
            return
        if isinstance(node, _OUTER_NAMES):
            for name in node.names:
                scope.elsewhere[name] = _home_of(name, scope, isinstance(node, ast.Global))
            return
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.target(target, node.value, "value", scope, block, node)
        elif isinstance(node, ast.AnnAssign):
            kind: BindingKind = "value" if node.value is not None else "annotation"
            self.target(node.target, node.value or node.annotation, kind, scope, block, node)
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                scope.updates.setdefault(node.target.id, []).append(node.value)
            if isinstance(node.op, ast.BitOr):
                self.merge(node, scope, block)
        elif isinstance(node, _LOOPS):
            self.target(node.target, node.iter, "element", scope, block, node)
        elif isinstance(node, _WITHS):
            for item in node.items:
                if item.optional_vars is not None:
                    self.target(item.optional_vars, item.context_expr, "value", scope, block, node)
        elif isinstance(node, ast.Return) and node.value is not None:
            scope.results.append(node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring says nothing that runs
        if isinstance(node, ast.If):
            order = self.order
            self.expression(node.test, scope, block)
            for number, branch in enumerate((node.body, node.orelse)):
                if branch:
                    self.block(branch, scope, block, (order, number))
        elif isinstance(node, ast.Match):
            order = self.order
            self.expression(node.subject, scope, block)
            for number, case in enumerate(node.cases):
                if case.guard is not None:
                    self.expression(case.guard, scope, block)
                self.block(case.body, scope, block, (order, number))
        else:
            self.children(node, scope, block)

    def merge(self, node: ast.AugAssign, scope: Scope, block: Block) -> None:
        """Record `os.environ |= x` as the call `os.environ.update(x)` that it is."""
        func = ast.copy_location(ast.Attribute(node.target, "update", ast.Load()), node)
        call = ast.copy_location(ast.Call(func, [node.value], []), node)
        self.module.uses.append(Use(call, scope, self.order, block))

    def children(self, node: ast.AST, scope: Scope, block: Block) -> None:
        for name in _FIELDS[type(node)]:
            value: object = getattr(node, name, None)
            if isinstance(value, list):
                items = cast("list[object]", value)
                if name in _BLOCKS and items and isinstance(items[0], ast.stmt):
                    self.block(cast("list[ast.stmt]", items), scope, block)
                    continue
                for item in items:
                    if isinstance(item, ast.expr):
                        self.expression(item, scope, block)
                    elif isinstance(item, ast.AST):
                        self.children(item, scope, block)
            elif isinstance(value, ast.expr):
                self.expression(value, scope, block)
            elif isinstance(value, ast.AST):
                self.children(value, scope, block)

    def expression(self, node: ast.expr, scope: Scope, block: Block) -> None:  # noqa: C901 - one case for each expression
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and OPENAI_HOST in node.value:
                self.module.uses.append(Use(node, scope, self.order, block))
            return
        if isinstance(node, ast.Name):
            self.module.places[node] = Use(node, scope, self.order, block)
            return
        if isinstance(node, ast.Lambda):
            inner = self.scope(node, scope)
            inner.results.append(node.body)
            self.expression(node.body, inner, block)
            return
        if isinstance(node, ast.Call):
            self.call(node, Use(node, scope, self.order, block))
        elif isinstance(node, ast.Attribute):
            if node.attr in _ATTRIBUTES:
                self.module.uses.append(Use(node, scope, self.order, block))
        elif isinstance(node, ast.Compare) or (self.module.has_variables and isinstance(node, ast.Subscript)):
            self.module.uses.append(Use(node, scope, self.order, block))
        elif isinstance(node, ast.NamedExpr):
            self.bind(node.target.id, Binding("value", node.value, self.order, block), scope)
        elif isinstance(node, _COMPREHENSIONS):
            for generator in node.generators:
                self.target(generator.target, generator.iter, "element", scope, block, None)
        elif isinstance(node, ast.Yield) and node.value is not None:
            scope.results.append(node.value)
        self.children(node, scope, block)

    def call(self, node: ast.Call, use: Use) -> None:
        self.module.uses.append(use)
        name = name_of(node.func)
        self.module.calls_by_name.setdefault(name, []).append(use)
        func = node.func
        if name in ("setattr", "__setattr__") and len(node.args) == 3 and isinstance(node.args[0], ast.Name):
            self.attribute(node.args[0].id, text_of(node.args[1]) or "", node.args[2], "value", use.scope)
        if isinstance(func, ast.Attribute) and func.attr == "update" and isinstance(func.value, ast.Name):
            use.scope.updates.setdefault(func.value.id, []).append(node)

    def definition(self, node: Definition, scope: Scope, block: Block) -> None:
        kind: BindingKind = "class" if isinstance(node, ast.ClassDef) else "function"
        self.bind(node.name, Binding(kind, node, self.order, block), scope)
        for outer in node.decorator_list:
            self.expression(outer, scope, block)
        if isinstance(node, ast.ClassDef):
            for base in [*node.bases, *(keyword.value for keyword in node.keywords)]:
                self.expression(base, scope, block)
            self.block(node.body, self.scope(node, scope), block)
            return
        for _, default in defaults_of(node.args):
            self.expression(default, scope, block)
        inner = self.scope(node, scope)
        self.block(node.body, inner, block)

    def scope(self, node: ast.AST, parent: Scope) -> Scope:
        made = Scope(self.module, node, parent)
        self.module.scopes[node] = made
        if isinstance(node, _FUNCTIONS):
            for argument in parameters_of(node):
                made.bindings[argument.arg] = [Binding("parameter", argument, -1, ())]
            for star in (node.args.vararg, node.args.kwarg):
                if star is not None:
                    made.bindings[star.arg] = [Binding("unknown", None, -1, ())]
        return made

    def imports(self, node: ast.Import | ast.ImportFrom, scope: Scope, block: Block) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.module.imports.add(alias.name.partition(".")[0])
                path = alias.name if alias.asname else alias.name.partition(".")[0]
                name = alias.asname or path
                self.bind(name, Binding("import", node, self.order, block, path), scope)
            return
        base = self.absolute(node)
        self.module.imports.add(base.partition(".")[0])
        for alias in node.names:
            path = f"{base}.{alias.name}" if base else alias.name
            if alias.name == "*":
                self.bind("*", Binding("import", node, self.order, block, base), scope)
            else:
                self.bind(alias.asname or alias.name, Binding("import", node, self.order, block, path), scope)

    def absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.name.split(".")
        kept = len(parts) - node.level + (1 if self.module.is_package else 0)
        return ".".join([*parts[: max(kept, 0)], *([node.module] if node.module else [])])

    def target(  # noqa: PLR0917 - what an assignment consists of
        self,
        target: ast.expr,
        value: ast.expr,
        kind: BindingKind,
        scope: Scope,
        block: Block,
        statement: ast.stmt | None,
    ) -> None:
        """Bind the target of an assignment."""
        if isinstance(target, ast.Name):
            self.bind(target.id, Binding(kind, value, self.order, block), scope)
            if isinstance(statement, ast.AnnAssign) and kind == "value":
                self.bind(target.id, Binding("annotation", statement.annotation, self.order, block), scope)
        elif isinstance(target, _SEQUENCES):
            whole = value.elts if kind == "value" and isinstance(value, _SEQUENCES) else []
            for position, item in enumerate(target.elts):
                if len(whole) == len(target.elts):
                    self.target(item, whole[position], "value", scope, block, None)
                else:
                    self.target(item, value, "element", scope, block, None)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            self.attribute(target.value.id, target.attr, value, kind, scope)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            if isinstance(statement, ast.Assign):
                scope.updates.setdefault(target.value.id, []).append(statement)
        elif isinstance(target, ast.Starred):
            self.target(target.value, value, "element", scope, block, None)

    def attribute(self, owner: str, name: str, value: ast.expr, kind: BindingKind, scope: Scope) -> None:
        """Record `self.x = value` with the class around the method."""
        parent = scope.parent
        if kind != "value" or parent is None or not parent.is_class:
            return
        first = next(iter(scope.bindings), "")
        if owner == first:
            parent.attributes.setdefault(name, []).append((value, scope))

    def bind(self, name: str, binding: Binding, scope: Scope) -> None:
        home = scope.elsewhere.get(name, scope)
        home.bindings.setdefault(name, []).append(binding)


def _home_of(name: str, scope: Scope, is_global: bool) -> Scope:  # noqa: FBT001 - one of two statements
    if is_global:
        return scope.module.scope
    home = scope.parent
    while home is not None and name not in home.bindings:
        home = home.parent
    return home or scope.module.scope
