"""What in the source is made for Tess already, and the policy that is written there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.literals import Literals
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import Container, External, Instance, Value
from tess_openai.core.policy import Policy
from tess_openai.core.policy_parameters import resolve_policy

_HTTP_CLIENTS: Final = frozenset({"http_client", "http_async_client", "async_http_client"})
_POLICY: Final = frozenset({"emulate", "unsupported"})


class Converted:
    """Tells what is made for Tess from what is not.

    Attributes:
        policy: Where the source says none.
    """

    def __init__(self, literals: Literals, policy: Policy) -> None:
        self.literals = literals
        self.inference = literals.inference
        self.policy = policy
        self._has_module: bool | None = None

    @property
    def has_module(self) -> bool:
        """Whether the source calls `presets.openai_module`: the module `openai` then talks to Tess."""
        if self._has_module is None:
            self._has_module = any(self._module_presets())
        return self._has_module

    def _module_presets(self) -> Iterator[bool]:
        wanted = External(libraries.MODULE_PRESET)
        for module in self.inference.project.modules():
            if "tess_openai" in module.imports:
                for use in module.uses:
                    if isinstance(use.node, ast.Call):
                        yield wanted in self.inference.values(use.node.func, use.scope)

    def settings_of(self, call: ast.Call, scope: Scope) -> Instance | None:
        """Return the `connection(...)` or preset whose address and HTTP client a constructor is given."""
        given: dict[str, Instance] = {}
        for keyword in call.keywords:
            made = self.made(keyword.value, scope)
            if made is not None and keyword.arg is None and made.path != libraries.CONNECTION:
                return made
            if made is not None and keyword.arg is not None:
                given[libraries.FRAMEWORK_NAMES.get(keyword.arg, keyword.arg)] = made
        return given.get("base_url") if _HTTP_CLIENTS & given.keys() else None

    def made(self, node: ast.expr, scope: Scope) -> Instance | None:
        """Return the `connection(...)` or preset that a value comes from; None for any other."""
        values: list[Value] = []
        for value in self.inference.values(node, scope):
            if isinstance(value, Container):  # {**presets.langchain(8794), "temperature": 0.5}
                for element in value.elements:
                    values += self.inference.values(element, value.scope)
            else:
                values.append(value)
        for value in values:
            if isinstance(value, Instance) and value.path in libraries.TESS_SETTINGS:
                return value
        return None

    def policy_of(self, owner: Instance) -> Policy:
        """Return the policy of a client, as far as it is written out where the client is made."""
        if owner.call is None or owner.scope is None:
            return self.policy
        if owner.path not in libraries.TESS_CLIENTS | libraries.TESS_SETTINGS:
            settings = self.settings_of(owner.call, owner.scope)
            return self.policy if settings is None else self.policy_of(settings)
        given = self.literals.given(owner.call, owner.scope, frozenset()).arguments
        message = {each.name: each.value for each in given if each.name in _POLICY}
        emulate = message.get("emulate", False)
        if not message or not isinstance(emulate, bool):
            return self.policy
        try:
            return resolve_policy(message.get("unsupported", "warn"), emulate=emulate)
        except ValueError:  # not written out, or a mistake that the factory itself refuses
            return self.policy
