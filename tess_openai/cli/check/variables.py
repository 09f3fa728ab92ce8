"""Finds where OpenAI's variables of the environment are read, set, or given to something that reads them.

A name in quotes says little: `print("OPENAI_API_KEY")` reads nothing. So what is asked must be `os.environ`,
or be called like something that reads an environment or a configuration.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Final

from tess_openai.cli.check.inference import Inference
from tess_openai.cli.check.libraries import ENVIRONMENT
from tess_openai.cli.check.literals import Literals
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import (
    Class,
    Container,
    External,
    FunctionValue,
    Instance,
    Object,
    Values,
    name_of,
)

_READING: Final = re.compile(
    r"(?:^|_)(?:env|envs|environ|environb|environment|getenv|setenv|delenv|putenv|unsetenv|dotenv|conf|config|"
    r"configs|setting|settings|secret|secrets)(?:_|$)"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TAKING: Final = frozenset({"get", "pop", "read", "require", "setdefault", "str"})
"""Methods of something that is called like an environment."""
_OS: Final = frozenset({"os.getenv", "os.putenv", "os.unsetenv"})
_MAPPINGS: Final = frozenset({"os.environ", "os.environb"})
_NAMING: Final = frozenset({"alias", "env", "env_var", "envvar", "validation_alias"})
"""Arguments that pass the name of a variable to a library: pydantic, click, typer."""
_ALIASES: Final = frozenset({"pydantic.AliasChoices", "pydantic.AliasPath"})


class Variables:
    """Tells which variables of OpenAI's a call, a subscript or a comparison names, if it reads them."""

    def __init__(self, inference: Inference, literals: Literals) -> None:
        self.inference = inference
        self.literals = literals

    def of_call(self, node: ast.Call, scope: Scope) -> list[str]:
        """Return the variables that a call reads, sets or names for a library to read."""
        if not scope.module.has_variables:
            return []
        given = [keyword.value for keyword in node.keywords if keyword.arg in _NAMING]
        found = list(self._names(given, scope))
        if self._reads(node.func, scope) and node.args:
            found += self._names(node.args[:1], scope)
        elif any(isinstance(each, External) and each.path in _ALIASES for each in self._of(node.func, scope)):
            found += self._names(node.args, scope)
        if isinstance(node.func, ast.Attribute) and self._is_environ(node.func.value, scope):
            found += self._members(node, node.args, scope)  # os.environ.update(...), also as |=
        for position, argument in enumerate(node.args):
            if self._is_environ(argument, scope) or self._says_environ(argument):
                found += self._members(node, node.args[position + 1 :], scope)  # patch.dict(os.environ, ...)
                found += self._names(node.args[position + 1 : position + 2], scope)
        return list(dict.fromkeys(found))

    def of_subscript(self, node: ast.Subscript, scope: Scope) -> list[str]:
        """Return the variable that `os.environ[...]` or the like reads or sets."""
        names = list(self._names([node.slice], scope))
        return names if names and self._is_like_environ(node.value, scope) else []

    def of_compare(self, node: ast.Compare, scope: Scope) -> list[str]:
        """Return the variable whose presence is asked for."""
        names = list(self._names([node.left], scope)) if scope.module.has_variables else []
        return names if names and self._is_like_environ(node.comparators[0], scope) else []

    def _names(self, nodes: Iterable[ast.expr], scope: Scope) -> Iterator[str]:
        for node in nodes:
            value = self.literals.text(node, scope)
            if value in ENVIRONMENT:
                yield value

    def _members(self, call: ast.Call, nodes: Iterable[ast.expr], scope: Scope) -> Iterator[str]:
        yield from (keyword.arg for keyword in call.keywords if keyword.arg in ENVIRONMENT)
        for node in nodes:
            members, _ = self.literals.members(node, scope)
            yield from (name for name, _, _ in members if name in ENVIRONMENT)

    def _reads(self, func: ast.expr, scope: Scope) -> bool:
        if isinstance(func, ast.Attribute) and func.attr in _TAKING:
            return self._is_like_environ(func.value, scope)
        values = self._of(func, scope)
        if any(isinstance(value, External) and value.path in _OS for value in values):
            return True
        return not any(isinstance(value, Container) for value in values) and _is_reading(_last_name(func))

    def _is_like_environ(self, node: ast.expr, scope: Scope) -> bool:
        values = self._of(node, scope)
        if _is_os_environ(values):
            return True
        if any(isinstance(value, Container | FunctionValue | Class | Object) for value in values):
            return False  # it is seen, and no environment
        return _is_reading(_last_name(node))

    def _is_environ(self, node: ast.expr, scope: Scope) -> bool:
        return _is_os_environ(self._of(node, scope))

    @staticmethod
    def _says_environ(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and node.value == "os.environ"

    def _of(self, node: ast.expr, scope: Scope) -> Values:
        return self.inference.values(node, scope)


def _is_os_environ(values: Values) -> bool:
    return any(
        (isinstance(value, External) and value.path in _MAPPINGS)
        or (isinstance(value, Instance) and value.path == "os.environ.copy")
        for value in values
    )


def _is_reading(name: str) -> bool:
    words = _CAMEL.sub("_", name).lower()
    return _READING.search(words) is not None and not words.endswith(("_error", "_exception", "_warning"))


def _last_name(node: ast.expr) -> str:
    return name_of(node.func if isinstance(node, ast.Call) else node)
