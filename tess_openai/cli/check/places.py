"""Places in the source, and what is reported for them."""

from __future__ import annotations

import ast
from dataclasses import replace

from tess_openai.cli.check.findings import Effect, EffectKind, Kind, Level, Site
from tess_openai.cli.check.scopes import Use


def effect_of(  # noqa: PLR0917 - what a line of the report says, in its order
    node: ast.expr,
    subject: str,
    effect: EffectKind,
    level: Level,
    why: str,
    remedy: str = "",
    *,
    certain: bool = True,
) -> Effect:
    """Return the effect for a node."""
    return Effect(
        subject=subject,
        effect=effect,
        level=level,
        why=why,
        remedy=remedy,
        certain=certain,
        line=node.lineno,
        column=node.col_offset + 1,
    )


def site_of(use: Use, kind: Kind, name: str, effects: list[Effect], *, certain: bool = True) -> Site:
    """Return a site at a use; here the parser's columns, which are bytes, become characters."""
    node, module = use.node, use.scope.module
    end_line, end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    if not module.is_ascii:
        effects = [
            replace(effect, column=module.column(effect.line, effect.column - 1)) for effect in effects
        ]
    return Site(
        path=module.path,
        line=node.lineno,
        column=module.column(node.lineno, node.col_offset),
        end_line=end_line,
        end_column=module.column(end_line, end),
        kind=kind,
        name=name,
        source=module.shown(node.lineno),
        certain=certain,
        effects=tuple(effects),
    )


def unseen_of(node: ast.expr) -> Effect:
    """Say that the members of `**node` cannot be judged."""
    has_text = any(isinstance(each, ast.Constant) for each in ast.walk(node))  # it may be a key
    shown = "..." if has_text or len(what := ast.unparse(node)) > 40 else what
    return effect_of(
        node, f"**{shown}", "unseen", "note", "its members are not written out here", certain=False
    )
