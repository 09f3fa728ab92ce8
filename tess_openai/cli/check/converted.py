"""What in the source is made for Tess already, with which options, and whose server a client calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.arguments import Given, ValueMark
from tess_openai.cli.check.frameworks import role_of
from tess_openai.cli.check.literals import Literals
from tess_openai.cli.check.scopes import Scope
from tess_openai.cli.check.values import Container, External, Instance, Value, text_of
from tess_openai.core.jsons import to_object
from tess_openai.core.options import Options
from tess_openai.core.policy_parameters import resolve_policy

_HTTP_CLIENTS: Final = frozenset({"http_client", "http_async_client", "async_http_client"})
_POLICY: Final = frozenset({"emulate", "unsupported"})
_ADDRESSES: Final = ("base_url", "openai_api_base", "api_base", "azure_endpoint")


class Converted:
    """Tells what is made for Tess from what is not.

    Attributes:
        options: Where the source says none.
    """

    def __init__(self, literals: Literals, options: Options) -> None:
        self.literals = literals
        self.inference = literals.inference
        self.options = options
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

    def uses_tess(self, call: ast.Call, scope: Scope) -> bool:
        """Whether a framework is given a client or a model that is made for Tess."""
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        values = (value for each in given for value in self.inference.values(each, scope))
        return any(isinstance(value, Instance) and value.path.startswith("tess_openai.") for value in values)

    def wrapped(self, owner: Instance) -> Instance:
        """Return the client that Instructor wraps; any other as it is."""
        if owner.path in libraries.INSTRUCTOR_CLIENTS and owner.call is not None and owner.scope is not None:
            for given in [*owner.call.args, *(keyword.value for keyword in owner.call.keywords)]:
                for value in self.inference.values(given, owner.scope):
                    if isinstance(value, Instance) and value.path in libraries.SDK_CLIENTS:
                        return value
        return owner

    def options_of(self, owner: Instance) -> Options:
        """Return the options of a client, as far as they are written out where the client is made."""
        owner = self.wrapped(owner)
        if owner.call is None or owner.scope is None:
            return self.options
        if owner.path not in libraries.TESS_CLIENTS | libraries.TESS_SETTINGS:
            settings = self.settings_of(owner.call, owner.scope)
            return self.options if settings is None else self.options_of(settings)
        given = self.literals.given_of(owner)
        options = self.options
        models = to_object(given.value("models"))
        if models is not None:
            aliases = {key: each for key, each in models.items() if isinstance(each, str | None)}
            options = replace(options, models=aliases)
        emulate = given.value("emulate") or False
        if not any(each.name in _POLICY for each in given.arguments) or not isinstance(emulate, bool):
            return options
        unsupported = given.value("unsupported") or "warn"
        try:
            return replace(options, policy=resolve_policy(unsupported, emulate=emulate))
        except ValueError:  # not written out, or a mistake that the factory itself refuses
            return options

    def asks_in_prompt(self, owner: Instance) -> bool:
        """Whether an Instructor puts the schema into the prompt, which needs nothing that Tess lacks."""
        keywords = [] if owner.call is None else owner.call.keywords
        mode = next((each.value for each in keywords if each.arg == "mode"), None)
        if mode is not None:
            return isinstance(mode, ast.Attribute) and mode.attr == "MD_JSON"
        is_ours = owner.path in libraries.TESS_INSTRUCTORS
        return is_ours and self.options_of(owner).policy.action_for("tools") != "emulate"

    def others_of(self, owner: Instance | None) -> object:
        """Return `others=` of the client: endpoint -> whose client serves it; None where there is none."""
        owner = None if owner is None else self.wrapped(owner)
        if owner is None or owner.call is None or owner.scope is None:
            return None
        if owner.path not in libraries.TESS_CLIENTS:
            return None
        for keyword in owner.call.keywords:
            if keyword.arg == "others":
                members, is_whole = self.literals.members(keyword.value, owner.scope)
                return {name for name, _, _ in members} if is_whole else ValueMark.UNSEEN
        return None

    @staticmethod
    def provider_of(given: Given) -> str:
        """Return whose server a client is pointed at; `""` for OpenAI's, and where it is not seen."""
        for each in given.arguments:
            if each.name in _ADDRESSES and isinstance(each.value, str):
                address = each.value.lower()
                return "" if "api.openai.com" in address else _provider(address) or "another server"
            if each.name in _ADDRESSES:  # os.getenv("BASE_URL", "https://...") or "https://..."
                return _provider(" ".join(filter(None, map(text_of, _expressions(each.node)))).lower())
        return ""

    def provider_of_client(self, owner: Instance | None) -> str:
        """Return whose server a client calls; `""` for OpenAI's, Tess's, and where it is not seen."""
        owner = None if owner is None else self.wrapped(owner)
        if owner is None or owner.call is None or owner.path.startswith("tess_openai."):
            return ""
        if owner.path in libraries.OTHER_CLIENTS or role_of(owner.path) == "azure":
            return "Amazon Bedrock" if "Bedrock" in owner.path else "Azure"
        return self.provider_of(self.literals.given_of(owner))


def _provider(text: str) -> str:
    """Return whose address is in a text in lower case; `""` where it is not known."""
    return next((name for part, name in libraries.PROVIDERS.items() if part in text), "")


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    return (each for each in ast.walk(node) if isinstance(each, ast.expr))
