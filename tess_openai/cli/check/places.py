"""Places in the source, and what is reported for them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from tess_openai.cli.check.effects import effect_at
from tess_openai.cli.check.findings import Effect, Site, SiteKind
from tess_openai.cli.check.scopes import Module, Use


def site_at(
    use: Use,
    kind: SiteKind,
    name: str,
    effects: Iterable[Effect],
    *,
    certain: bool = True,
    endpoint: str = "",
    provider: str = "",
    page: str = "",
) -> Site:
    """Return a site at a use; here the parser's columns, which are bytes, become characters."""
    node, module = use.node, use.scope.module
    cell, line = module.cell_of(node.lineno)
    end_line, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return Site(
        path=module.path,
        is_aside=module.is_aside,
        cell=cell,
        line=line,
        column=module.column(node.lineno, node.col_offset),
        end_line=end_line - node.lineno + line,
        end_column=module.column(end_line, end),
        kind=kind,
        name=name,
        endpoint=endpoint,
        provider=provider,
        page=page,
        source=module.shown(node.lineno),
        certain=certain,
        effects=tuple(_placed(effect, module) for effect in effects),
    )


def _placed(effect: Effect, module: Module) -> Effect:
    if module.is_ascii and not module.cells:
        return effect
    return replace(
        effect,
        line=module.cell_of(effect.line)[1],
        column=module.column(effect.line, effect.column - 1),
        end_line=module.cell_of(effect.end_line)[1],
        end_column=module.column(effect.end_line, effect.end_column - 1),
    )


def unseen_of(node: ast.expr) -> Effect:
    """Say that the members of `**node` cannot be judged."""
    has_text = any(isinstance(each, ast.Constant) for each in ast.walk(node))  # it may be a key
    shown = "..." if has_text or len(what := ast.unparse(node)) > 40 else what
    why = "its members are not written out here"
    return effect_at(node, f"**{shown}", "unseen", "note", why, certain=False)
