"""The two drivers are one: the async source, with `await` taken out of it, is the sync source."""

from __future__ import annotations

import ast
import inspect
import re
from types import ModuleType
from typing import Final

import pytest

from tess_openai.edge import async_driver, async_transports, sync_driver, transports

SAME_AS_SYNC: Final = re.compile(
    r"Async(?=[A-Z])|(?<![a-z])async_|(?<![a-z])a(?=(?:close|read|next|iter)(?![a-z]))"
)
SYNC_ONLY: Final = re.compile(r"Sync(?=ByteStream|Driver)")


class WithoutAwait(ast.NodeTransformer):
    """Turns async code into the sync code it corresponds to."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Make it a plain function."""
        self.generic_visit(node)
        return ast.FunctionDef(**dict(ast.iter_fields(node)))

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Make it a plain loop."""
        self.generic_visit(node)
        return ast.For(**dict(ast.iter_fields(node)))

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """Leave what is awaited."""
        self.generic_visit(node)
        return node.value


def code_of(module: ModuleType) -> list[str]:
    """Return the code of a module, line by line, without docstrings, imports, `await` and async names."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            node.body = [each for each in node.body if not is_aside(each)] or [ast.Pass()]
    plain = ast.unparse(ast.fix_missing_locations(WithoutAwait().visit(tree)))
    return SYNC_ONLY.sub("", SAME_AS_SYNC.sub("", plain)).splitlines()


def is_aside(node: ast.stmt) -> bool:
    """Whether a statement is a docstring or an import."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.Import | ast.ImportFrom)


@pytest.mark.parametrize(
    ("async_module", "sync_module"), [(async_transports, transports), (async_driver, sync_driver)]
)
def test_the_twins_differ_only_in_await(async_module: ModuleType, sync_module: ModuleType) -> None:
    """What is repaired in one is repaired in the other."""
    assert code_of(async_module) == code_of(sync_module)
