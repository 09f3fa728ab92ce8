"""Follows names, attributes, calls and annotations to clients, through functions, classes and files.

It is an approximation that prefers to know nothing over knowing something wrong: where two values can reach a
use, both are kept; where none can be seen, the answer is unknown.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Final

from tess_openai.cli.check.frameworks import CHAINED, is_model
from tess_openai.cli.check.libraries import (
    COPIES,
    DROP_INS,
    FACTORY_ARGUMENTS,
    MODULE_CLIENT,
    OPENAI_CLIENTS,
    OTHER_CLIENTS,
    RESOURCES,
    RUNNERS,
    SENDING,
    TESS_CLIENTS,
    TESS_SETTINGS,
    resource_of,
)
from tess_openai.cli.check.project import Project
from tess_openai.cli.check.scopes import Binding, Module, Scope, Use, parameters_of
from tess_openai.cli.check.values import (
    UNKNOWN,
    Class,
    Container,
    External,
    FunctionValue,
    Instance,
    Member,
    ModuleValue,
    Object,
    Partial,
    Value,
    Values,
)

SDK_CLIENTS: Final = frozenset({*OPENAI_CLIENTS, *OTHER_CLIENTS, *TESS_CLIENTS, MODULE_CLIENT})
KEEPS_CALL: Final = TESS_CLIENTS | TESS_SETTINGS
"""Their arguments say how later calls fare; those of frameworks' models too."""
_ANY_CLIENT: Final = "openai.OpenAI"
_DEEPEST: Final = 60
"""How far names are followed: Python's own stack holds a little more than twice as much."""
_TAKES: Final = frozenset({"get", "pop", "setdefault", "popleft"})
_WHOLE: Final = frozenset({"values", "copy"})
_UNIONS: Final = frozenset({"typing.Optional", "typing.Union", "typing.Annotated", "typing.Final"})
_TAKERS: Final = frozenset({"functools.partial", "importlib.import_module", "typing.cast"})
_PROPERTIES: Final = frozenset({"property", "cached_property"})


class Inference:
    """What each expression of a project can be; each is worked out once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[ast.AST, Values] = {}
        self._working: set[ast.AST] = set()
        self._provisional: dict[ast.AST, Values] = {}
        self._cuts = 0

    def values(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression can be."""
        if node in self._known:
            return self._known[node]
        if node in self._provisional:
            self._cuts += 1
            return self._provisional[node]
        if node in self._working or len(self._working) > _DEEPEST:
            self._cuts += 1
            return UNKNOWN
        self._working.add(node)
        use, cuts = scope.module.places.get(node), self._cuts
        found = _unique(self._work_out(node, scope if use is None else use.scope))
        self._working.discard(node)
        if not self._working or cuts == self._cuts:
            self._known[node] = found
        else:  # what a cycle cut short is not the whole answer, but good enough for the question at hand
            self._provisional[node] = found
        if not self._working:
            self._provisional.clear()
        return found

    def _work_out(self, node: ast.expr, scope: Scope) -> Values:  # noqa: C901, PLR0912 - one case for each node
        match node:
            case ast.Name():
                return self._name(node, scope)
            case ast.Attribute():
                return self._flat(
                    self.attribute(value, node.attr) for value in self.values(node.value, scope)
                )
            case ast.Call():
                return self._call(node, scope)
            case ast.Await() | ast.Starred() | ast.NamedExpr():
                return self.values(node.value, scope)
            case ast.IfExp():
                return self.values(node.body, scope) + self.values(node.orelse, scope)
            case ast.BoolOp():
                return self._flat(self.values(value, scope) for value in node.values)
            case ast.Subscript():
                return self._elements(self.values(node.value, scope))
            case ast.List() | ast.Tuple() | ast.Set():
                return (Container(tuple(node.elts), id(node), scope),)
            case ast.Dict():
                return (Container(tuple(node.values), id(node), scope),)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return (Container((node.elt,), id(node), scope),)
            case ast.DictComp():
                return (Container((node.value,), id(node), scope),)
            case ast.Lambda():
                return (FunctionValue(node, scope.module.scopes[node]),)
            case _:
                return UNKNOWN

    # --- names ---

    def _name(self, node: ast.Name, scope: Scope) -> Values:
        use = scope.module.places.get(node)
        found = self.bindings(node.id, scope, use)
        if found is None:
            return self._star(node.id, scope.module)
        return self._flat(self._bound(binding, home) for binding, home in found)

    def bindings(self, name: str, scope: Scope, use: Use | None = None) -> list[tuple[Binding, Scope]] | None:
        """Return the bindings of a name that can reach a use, with their scopes; None for no such name."""
        home: Scope | None = scope.elsewhere.get(name, scope)
        first = True
        while home is not None:
            if name in home.bindings and (first or not home.is_class):
                all_of_it = home.bindings[name]
                near = use is not None and use.scope is home
                chosen = _reaching(all_of_it, use) if near and use is not None else all_of_it
                return [(binding, home) for binding in chosen]
            home, first = home.parent, False
        return None

    def _star(self, name: str, module: Module) -> Values:
        found: Values = UNKNOWN
        for binding in module.scope.bindings.get("*", []):
            other = self.project.find(binding.path)
            if other is not None:
                found += self._in_module(other, name)
            elif is_client(f"{binding.path}.{name}"):
                found += self._external(f"{binding.path}.{name}")
        return found

    def _bound(self, binding: Binding, home: Scope) -> Values:
        node = binding.node
        if binding.kind == "import":
            return self._import(binding.path)
        if isinstance(node, ast.ClassDef):
            return (Class(node, home.module.scopes[node]),)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return (FunctionValue(node, home.module.scopes[node]),)
        if isinstance(node, ast.arg):
            return self._parameter(node, home)
        if not isinstance(node, ast.expr):
            return UNKNOWN
        if binding.kind == "annotation":
            return self.annotated(node, home)
        found = self.values(node, home)
        return self._elements(found) if binding.kind == "element" else found

    def _import(self, path: str) -> Values:
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            module = self.project.find(".".join(parts[:length]))
            if module is not None:
                found: Values = (ModuleValue(module),)
                for name in parts[length:]:
                    found = self._flat(self.attribute(value, name) for value in found)
                return found
        return self._external(path)

    def _in_module(self, module: Module, name: str) -> Values:
        if name in module.scope.bindings:
            return self._flat(self._bound(each, module.scope) for each in module.scope.bindings[name])
        child = self.project.find(f"{module.name}.{name}")
        return self._star(name, module) if child is None else (ModuleValue(child),)

    @staticmethod
    def _external(path: str) -> Values:
        for offered, real in DROP_INS.items():
            if path == offered or path.startswith(offered + "."):
                path = real + path[len(offered) :]
        head, _, rest = path.partition(".")
        if head == MODULE_CLIENT and rest.partition(".")[0] in RESOURCES:
            return (Member(Instance(MODULE_CLIENT), tuple(rest.split("."))),)
        return (External(path),)

    # --- attributes ---

    def attribute(self, value: Value, name: str) -> Values:
        """Return what an attribute of a value can be."""
        match value:
            case External(path):
                return self._external(f"{path}.{name}")
            case ModuleValue(module):
                return self._in_module(module, name)
            case Instance(path):
                return (Member(value, (name,)) if is_client(path) else Instance(f"{path}.{name}"),)
            case Member(owner) if name == "_client":
                return (owner,)
            case Member(owner, path):  # of a method nothing is known
                return UNKNOWN if path[-1] in SENDING else (Member(owner, (*path, name)),)
            case Class():
                return self._member_of_class(value, name)
            case Object(of):
                return self._member_of_class(of, name)
            case _:
                return UNKNOWN

    def _member_of_class(self, owner: Class, name: str) -> Values:
        found: Values = UNKNOWN
        for binding in owner.scope.bindings.get(name, []):
            bound = self._bound(binding, owner.scope)
            for value in bound:
                is_property = isinstance(value, FunctionValue) and _is_decorated(value.node, _PROPERTIES)
                found += (
                    self._results(value) if isinstance(value, FunctionValue) and is_property else (value,)
                )
        for node, scope in owner.scope.attributes.get(name, []):
            found += self.values(node, scope)
        if found or name in owner.scope.bindings:
            return found
        for base in self._bases(owner):
            if isinstance(base, Class) and base.node is not owner.node:
                found += self._member_of_class(base, name)
        return found

    def lacks(self, owner: Class, name: str, *, imports_openai: bool) -> bool:
        """Whether a class of the code that is read is seen to have no attribute of a client's.

        Args:
            owner: The class.
            name: Of the attribute.
            imports_openai: Whether what is not seen, a base or `__getattr__`, may come from the SDK.
        """
        known, seen = [owner], set[ast.AST]()
        while known:
            each = known.pop()
            if each.node in seen:
                continue
            seen.add(each.node)
            if name in each.scope.bindings or name in each.scope.attributes:
                return False
            bases = self._bases(each)
            known += [base for base in bases if isinstance(base, Class)]
            is_open = len(bases) < len(each.node.bases) or any(not isinstance(base, Class) for base in bases)
            if imports_openai and (is_open or "__getattr__" in each.scope.bindings):
                return False
        return True

    def _bases(self, owner: Class) -> Values:
        outside = owner.scope.parent or owner.scope
        return self._flat(self.values(base, outside) for base in owner.node.bases)

    # --- calls ---

    def _call(self, node: ast.Call, scope: Scope) -> Values:
        if isinstance(node.func, ast.Attribute):
            held = self.values(node.func.value, scope)
            if any(isinstance(value, Container) for value in held):
                if node.func.attr in _TAKES:
                    return self._elements(held)
                return held if node.func.attr in _WHOLE else UNKNOWN
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
            name = text_of(node.args[1])
            if name is not None:
                return self._flat(self.attribute(each, name) for each in self.values(node.args[0], scope))
        if isinstance(node.func, ast.Name) and node.func.id == "__import__" and node.args:
            name = text_of(node.args[0])
            return UNKNOWN if name is None else self._import(name.partition(".")[0])
        return self._flat(self._called(value, node, scope) for value in self.values(node.func, scope))

    def _called(self, value: Value, node: ast.Call, scope: Scope) -> Values:
        match value:
            case External(path):
                return self._external_called(path, node, scope)
            case Class():
                return self._instance_of(value, node, scope)
            case FunctionValue():
                return self._results(value)
            case Member(owner, path) if path[-1] in COPIES or (is_model(owner.path) and path[-1] in CHAINED):
                return (owner,)
            case Instance():
                return (value,)
            case _:
                return UNKNOWN

    def _instance_of(self, of: Class, node: ast.Call | None = None, scope: Scope | None = None) -> Values:
        """Return an object of a class; of a class that extends a client it is a client too."""
        made = (_instance(path, node, scope) for path in self.library_bases(of) if is_client(path))
        return (Object(of), *made)

    def library_bases(self, owner: Class) -> list[str]:
        """Return the names of all classes of libraries that a class extends, by itself or through others."""
        found: list[str] = []
        known, seen = [owner], set[ast.AST]()
        while known:
            each = known.pop()
            if each.node not in seen:
                seen.add(each.node)
                bases = self._bases(each)
                found += [base.path for base in bases if isinstance(base, External)]
                known += [base for base in bases if isinstance(base, Class)]
        return found

    def _external_called(self, path: str, node: ast.Call, scope: Scope) -> Values:
        if is_client(path) or path in TESS_SETTINGS:
            return (_instance(path, node, scope),)
        if (resource := resource_of(path)) is not None:
            return (Member(Instance(_ANY_CLIENT), resource),)
        factories = [keyword.value for keyword in node.keywords if keyword.arg in FACTORY_ARGUMENTS]
        for factory in factories:  # field(default_factory=OpenAI)
            return self._flat(
                self._called(each, _call_of(factory), scope) for each in self.values(factory, scope)
            )
        if path in _TAKERS and node.args:
            return self._taken(path, node, scope)
        if path.rpartition(".")[2].islower():  # a function: a wrapper gives its client back
            for argument in node.args:
                wrapped = [each for each in self.values(argument, scope) if _is_wrapped(each, path, node)]
                if wrapped:
                    return tuple(wrapped)
        return (Instance(path),)

    def _taken(self, path: str, node: ast.Call, scope: Scope) -> Values:
        """Return what a function of the standard library makes of its first argument."""
        first = node.args[0]
        if path == "typing.cast":
            return self.annotated(first, scope)
        if path == "importlib.import_module":
            name = text_of(first)
            return UNKNOWN if name is None else self._import(name)
        targets = self.values(first, scope)
        return (
            *(Partial(each, node, scope) for each in targets if isinstance(each, Member)),
            *(each for each in targets if isinstance(each, External | FunctionValue | Class)),
        )

    def _results(self, function: FunctionValue) -> Values:
        found = self._flat(self.values(result, function.scope) for result in function.scope.results)
        if found or isinstance(function.node, ast.Lambda) or function.node.returns is None:
            return found
        return self.annotated(function.node.returns, function.scope.parent or function.scope)

    # --- parameters and annotations ---

    def _parameter(self, node: ast.arg, home: Scope) -> Values:
        function = home.node
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return UNKNOWN
        parent = home.parent or home
        names = parameters_of(function)
        if parent.is_class and isinstance(parent.node, ast.ClassDef) and node is names[0]:
            owner = Class(parent.node, parent)
            if _is_decorated(function, {"classmethod"}):
                return (owner,)
            if not _is_decorated(function, {"staticmethod"}):
                return self._instance_of(owner)
        found: Values = UNKNOWN
        if node.annotation is not None:
            found = self.annotated(node.annotation, parent)
        if not found:
            default = _default_of(function, node)
            found = UNKNOWN if default is None else self.values(default, parent)
        if not found:
            found = self._from_callers(function, node, home)
        return found or self._from_fixture(node.arg, home)

    def _from_callers(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.arg, home: Scope
    ) -> Values:
        parent = home.parent or home
        name, skipped = function.name, 0
        if parent.is_class and isinstance(parent.node, ast.ClassDef):
            skipped = 0 if _is_decorated(function, {"staticmethod"}) else 1
            name = parent.node.name if name == "__init__" else name
        position = parameters_of(function).index(node) - skipped
        found: Values = UNKNOWN
        for use in home.module.calls_by_name.get(name, []):
            call = use.node
            if not isinstance(call, ast.Call) or not self._calls(call, use.scope, function, parent):
                continue
            given = [keyword.value for keyword in call.keywords if keyword.arg == node.arg]
            if not given and 0 <= position < len(call.args):
                given = [call.args[position]]
            found += self._flat(self.values(each, use.scope) for each in given)
        return found

    def _calls(self, call: ast.Call, scope: Scope, function: ast.AST, parent: Scope) -> bool:
        return any(
            (isinstance(value, FunctionValue) and value.node is function)
            or (isinstance(value, Class) and value.node is parent.node)
            for value in self.values(call.func, scope)
        )

    def _from_fixture(self, name: str, home: Scope) -> Values:
        found: Values = UNKNOWN
        for binding in home.module.scope.bindings.get(name, []):
            node = binding.node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_decorated(node, {"fixture"}):
                found += self._results(FunctionValue(node, home.module.scopes[node]))
        return found

    def annotated(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression annotated like this can be."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError):
                return UNKNOWN
        if isinstance(node, ast.BinOp):
            return self.annotated(node.left, scope) + self.annotated(node.right, scope)
        if isinstance(node, ast.Subscript):
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            outer = self.values(node.value, scope)
            if any(isinstance(value, External) and value.path in _UNIONS for value in outer):
                return self._flat(self.annotated(each, scope) for each in inside)
            return (Container(tuple(inside), id(node), scope, annotation=True),)
        found: Values = UNKNOWN
        for value in self.values(node, scope):
            if isinstance(value, External) and (resource := resource_of(value.path)) is not None:
                found += (Member(Instance(_ANY_CLIENT), resource),)
            elif isinstance(value, External) and value.path not in ("typing.Any", "typing.Self"):
                found += (Instance(value.path),)
            elif isinstance(value, Class):
                found += self._instance_of(value)
        return found

    def _elements(self, values: Values) -> Values:
        found: Values = UNKNOWN
        for value in values:
            if isinstance(value, Container):
                read: Callable[[ast.expr, Scope], Values] = (
                    self.annotated if value.annotation else self.values
                )
                found += self._flat(read(each, value.scope) for each in value.elements)
            elif isinstance(value, Instance) and not is_client(value.path):
                found += (value,)
        return found

    @staticmethod
    def _flat(many: Iterable[Values]) -> Values:
        return tuple(value for values in many for value in values)


def is_client(path: str) -> bool:
    """Whether a name makes a client, or a framework's model."""
    return path in SDK_CLIENTS or is_model(path)


def _instance(path: str, node: ast.Call | None, scope: Scope | None) -> Instance:
    keeps = path in KEEPS_CALL or is_model(path)
    return Instance(path, node, scope) if keeps else Instance(path)


def _is_wrapped(value: Value, path: str, call: ast.Call) -> bool:
    """Whether a function that gets a value gives it back: a client, or a method when it gets nothing else."""
    if isinstance(value, Instance):
        return value.path in SDK_CLIENTS
    alone = len(call.args) == 1 and not call.keywords and path.rpartition(".")[2] not in RUNNERS
    return alone and isinstance(value, Member) and value.path[-1] in SENDING


def _call_of(func: ast.expr) -> ast.Call:
    return ast.copy_location(ast.Call(func, [], []), func)


def _unique(values: Values) -> Values:
    return tuple(dict.fromkeys(values)) if len(values) > 1 else values


def _reaching(bindings: list[Binding], use: Use) -> list[Binding]:
    """Return the bindings that stand before a use, back to the last one that is certain to have run."""
    before = [
        each
        for each in bindings
        if each.order < use.order or (each.order == use.order and each.kind == "element")
    ]
    if not before:
        return bindings
    chosen: list[Binding] = []
    certain = -2
    for binding in reversed(before):
        if certain not in (-2, binding.order):
            break
        chosen.append(binding)
        if binding.block == use.block[: len(binding.block)]:
            certain = binding.order
    return chosen


def _is_decorated(node: ast.AST, names: Iterable[str]) -> bool:
    for decorator in getattr(node, "decorator_list", []):
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
        if name in names:
            return True
    return False


def _default_of(function: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.arg) -> ast.expr | None:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if node in positional:
        index = positional.index(node) - len(positional) + len(arguments.defaults)
        return arguments.defaults[index] if index >= 0 else None
    return arguments.kw_defaults[arguments.kwonlyargs.index(node)]


def text_of(node: ast.expr | None) -> str | None:
    """Return the text of a string that is written out; None for all else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
