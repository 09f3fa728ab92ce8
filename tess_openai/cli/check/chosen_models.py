"""Which model a framework is given: by a word such as `"openai:gpt-4o"`, or as an object."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tess_openai.cli.check.arguments import ValueMark
from tess_openai.cli.check.converted import Converted
from tess_openai.cli.check.frameworks import is_model, is_openai_model, role_of
from tess_openai.cli.check.libraries import TESS_SETTINGS
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import Instance

_MODEL_NAMES: Final = ("model", "llm", "manager_llm", "function_calling_llm", "planning_llm")
_OPENAI_BY_DEFAULT: Final = ("agents.", "crewai.LLM", "crewai.Agent", "crewai.agent")


class ChosenModels:
    """Tells models of OpenAI's, and those made for Tess, from all others.

    Args:
        converted: What is made for Tess already.
    """

    def __init__(self, converted: Converted) -> None:
        self.literals = converted.literals
        self.inference = converted.inference

    def is_openai(self, node: ast.Call, scope: Scope, path: str) -> bool | None:
        """Whether a constructor that takes the name of a model takes one of OpenAI's; None when not seen."""
        given = self.literals.given(node, scope)
        name = next((given.value(each) for each in _MODEL_NAMES if given.value(each) is not None), None)
        provider = given.value("model_provider") or given.value("provider")
        if provider is None and name is None and node.args and not path.startswith("agents."):
            name = self.literals.value(node.args[0], scope)
        if name is None and provider is None:
            return (not given.unseen and path.startswith(_OPENAI_BY_DEFAULT)) or None
        chosen = is_openai_model(name, provider)
        return chosen if chosen is not None or not isinstance(name, ValueMark) else None

    def model_given(self, node: ast.Call, scope: Scope) -> Instance | None:
        """Return the model object that an agent is given, if it is one of OpenAI's or made for Tess."""
        for given in _given(node):
            for value in self.inference.values(given, scope):
                if isinstance(value, Instance) and (self._is_of_openai(value) or value.path in TESS_SETTINGS):
                    return value
        return None

    def _is_of_openai(self, value: Instance) -> bool:
        """Whether a framework's model is one of OpenAI's, as far as it is seen."""
        if value.call is None or value.scope is None or role_of(value.path) != "chosen chat":
            return is_model(value.path) or role_of(value.path) == "provider"
        return self.is_openai(value.call, value.scope, value.path) is not False

    def is_hidden(self, node: ast.Call, scope: Scope) -> bool:
        """Whether a framework's agent may be given a model of which nothing is seen."""
        given = list(_given(node))
        if not given:
            return any(each.arg is None for each in node.keywords)
        return not any(self.inference.values(each, scope) for each in given)


def _given(node: ast.Call) -> Iterator[ast.expr]:
    yield from (each.value for each in node.keywords if each.arg in _MODEL_NAMES)
    yield from node.args[:1]
