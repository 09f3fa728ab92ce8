"""Finds what has to do with OpenAI and calls nothing: addresses, settings, type checks, variables."""

from __future__ import annotations

import ast

from tess_openai.cli.check import libraries
from tess_openai.cli.check.effects import effect_at
from tess_openai.cli.check.findings import Effect, Site
from tess_openai.cli.check.frameworks import role_of
from tess_openai.cli.check.literals import Literals
from tess_openai.cli.check.places import site_at
from tess_openai.cli.check.recorder import OPENAI_HOST
from tess_openai.cli.check.scopes import Use
from tess_openai.cli.check.values import External, Member
from tess_openai.cli.check.variables import Variables


class Mentions:
    """Finds such places.

    Args:
        literals: Of the project.
    """

    def __init__(self, literals: Literals) -> None:
        self.inference = literals.inference
        self.variables = Variables(literals.inference, literals)

    def site(self, use: Use) -> Site | None:
        """Return the site at a use; None where it mentions nothing of OpenAI's."""
        match use.node:
            case ast.Call():
                return self._variables(self.variables.of_call(use.node, use.scope), use)
            case ast.Attribute():
                return self._attribute(use.node, use)
            case ast.Subscript():
                return self._variables(self.variables.of_subscript(use.node, use.scope), use)
            case ast.Compare():
                return self._compare(use.node, use)
            case ast.Constant():
                why = "it goes to OpenAI itself, past the adapter"
                effect = effect_at(use.node, OPENAI_HOST, "unseen", "warning", why)
                return site_at(use, "base-url", OPENAI_HOST, [effect], page="migration")
            case _:
                return None

    def _attribute(self, node: ast.Attribute, use: Use) -> Site | None:
        is_setting = isinstance(node.ctx, ast.Store)
        if node.attr != "base_url" and not is_setting:
            return None
        for value in self.inference.values(node, use.scope):
            if isinstance(value, Member) and value.path == ("base_url",) and not role_of(value.owner.path):
                why = "it is the agent's root on Tess, not OpenAI's"
                effect = effect_at(node, "base_url", "unseen", "note", why)
                return site_at(use, "base-url", "base_url", [effect], page="migration")
            if isinstance(value, External) and value.path == f"openai.{node.attr}" and is_setting:
                why = "a setting of the module for OpenAI; Tess's come from a preset"
                effect = effect_at(node, value.path, "rewritten", "warning", why, libraries.MODULE_REMEDY)
                return site_at(use, "client", value.path, [effect], page="migration")
        return None

    @staticmethod
    def _variables(names: list[str], use: Use) -> Site | None:
        effects: list[Effect] = []
        for name in names:
            instead = libraries.ENVIRONMENT[name]
            remedy = f"Set {instead}." if instead else ""
            why = "the adapter never reads OpenAI's variables"
            effects.append(effect_at(use.node, name, "unread", "warning", why, remedy))
        return site_at(use, "environment", names[0], effects, page="options") if names else None

    def _compare(self, node: ast.Compare, use: Use) -> Site | None:
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            return self._variables(self.variables.of_compare(node, use.scope), use)
        if isinstance(node.ops[0], ast.Is | ast.Eq) and isinstance(node.left, ast.Call):
            called = node.left.func
            if isinstance(called, ast.Name) and called.id == "type":
                return self.type_check(node.comparators, use)
        return None

    def type_check(self, nodes: list[ast.expr], use: Use) -> Site | None:
        """Return the site of `isinstance(client, OpenAI)` or the like."""
        flat = [item for each in nodes for item in (each.elts if isinstance(each, ast.Tuple) else [each])]
        for each in flat:
            for value in self.inference.values(each, use.scope):
                if isinstance(value, External) and value.path in libraries.OPENAI_CLIENTS:
                    why = "it stays true: create_client gives the SDK's own type"
                    effect = effect_at(each, value.path, "kept", "note", why)
                    return site_at(use, "type-check", value.path, [effect], page="migration")
        return None

    @staticmethod
    def copied(node: ast.Call, use: Use) -> Site | None:
        """Return the site of `client.with_options(base_url=...)`."""
        for keyword in node.keywords:
            if keyword.arg == "base_url":
                why = "another base_url than the agent's bypasses the adapter"
                remedy = "Make one client per agent."
                effect = effect_at(keyword.value, "base_url", "unseen", "warning", why, remedy)
                return site_at(use, "base-url", "base_url", [effect], page="agents")
        return None
