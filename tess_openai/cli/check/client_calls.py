"""What becomes of constructors: the SDK's clients, those of other services, frameworks' models."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.converted import Converted
from tess_openai.cli.check.effects import chat_effects
from tess_openai.cli.check.findings import Effect, Site
from tess_openai.cli.check.frameworks import ASKING, preset_of, role_of
from tess_openai.cli.check.inference import text_of
from tess_openai.cli.check.literals import UNSEEN, Argument
from tess_openai.cli.check.places import effect_of, site_of, unseen_of
from tess_openai.cli.check.scopes import Scope, Use
from tess_openai.cli.check.values import Instance
from tess_openai.core.chat.parameters import CHAT_PARAMETERS
from tess_openai.core.routes import UNSUPPORTED_ENDPOINTS

_FRAMEWORK_BODY: Final = frozenset({"additional_kwargs", "extra_body", "model_kwargs"})
_OF_PROMPTS: Final = frozenset({"messages", "stream"})
"""A model's methods have these for themselves."""
_STRUCTURED: Final = {
    "function_calling": "tools",
    "json_mode": "response_format",
    "json_schema": "response_format",
}
_OPENAI_MODELS: Final = ("openai:", "gpt-", "o1", "o3", "text-embedding-")


class Clients:
    """Judges constructors, and the methods of the models that they make."""

    def __init__(self, converted: Converted) -> None:
        self.converted = converted
        self.literals = converted.literals

    def constructed(self, path: str, node: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        """Return the site of a constructor; None when it has nothing to do with OpenAI.

        Args:
            path: The name of what is constructed.
            node: The call that holds its arguments.
            use: Its place.
            handled: What need not be looked at again; the call's own parts are added.
        """
        role = role_of(path)
        handled.update(ast.walk(node))
        if path.rpartition(".")[0] in libraries.LEGACY:
            why = "it is of openai 0.x, which is gone since 1.0"
            effect = effect_of(
                node, path, "refused", "error", why, "Migrate to client.chat.completions.create."
            )
            return site_of(use, "legacy", path, [effect])
        if path in libraries.OTHER_CLIENTS or role == "azure":
            why = "it is made for another service, and builds that service's URLs"
            effect = effect_of(node, path, "refused", "error", why, "Make it with tess_openai.create_client.")
            return site_of(use, "client", path, [effect])
        if role == "chosen embeddings" and self._is_openai_model(node, use.scope):
            role = "embeddings"
        if role != "chat" and role in UNSUPPORTED_ENDPOINTS:
            why = f"Tess does not have {UNSUPPORTED_ENDPOINTS[role]}"
            return site_of(use, "endpoint", path, [effect_of(node, path, "refused", "error", why)])
        if path in libraries.OPENAI_CLIENTS:
            return self._sdk_client(path, node, use)
        if role in ("chat", "completions", "responses") or (
            role == "chosen chat" and self._is_openai_model(node, use.scope)
        ):
            return self._framework_client(path, node, use)
        handled.difference_update(ast.walk(node))
        return None

    def _sdk_client(self, path: str, node: ast.Call, use: Use) -> Site | None:
        if self.converted.settings_of(node, use.scope) is not None:
            return None
        factory = libraries.OPENAI_CLIENTS[path]
        first = effect_of(
            node, path, "rewritten", "note", "make it for Tess", f"tess_openai.{factory}(AGENT_ID)"
        )
        given = self.literals.given(node, use.scope, frozenset())
        return site_of(
            use, "client", path, [first, *_options(given.arguments), *map(unseen_of, given.unseen)]
        )

    def _framework_client(self, path: str, node: ast.Call, use: Use) -> Site:
        remedy = f"Pass it **{preset_of(path)}(AGENT_ID)."
        settings = self.converted.settings_of(node, use.scope)
        policy = self.converted.policy if settings is None else self.converted.policy_of(settings)
        effects: list[Effect] = []
        if settings is None:
            effects.append(effect_of(node, path, "rewritten", "note", "point it at Tess", remedy))
        given = self.literals.given(node, use.scope, _FRAMEWORK_BODY)
        named = [
            Argument(libraries.FRAMEWORK_NAMES.get(each.name, each.name), each.node, each.value, each.in_body)
            for each in given.arguments
        ]
        effects += chat_effects(
            [each for each in named if each.name in CHAT_PARAMETERS or each.in_body], policy
        )
        pointing = frozenset({"api_key", "base_url"} if settings is not None else ())
        effects += _options([each for each in named if not each.in_body and each.name not in pointing])
        unseen = [each for each in given.unseen if self.converted.made(each, use.scope) is None]
        return site_of(use, "client", path, [*effects, *map(unseen_of, unseen)])

    def _is_openai_model(self, node: ast.Call, scope: Scope) -> bool:
        given = {each.name: each.value for each in self.literals.given(node, scope, frozenset()).arguments}
        model = given.get("model", text_of(node.args[0]) if node.args else None)
        provider = given.get("model_provider", given.get("provider"))
        return provider == "openai" or (
            provider is None and isinstance(model, str) and model.startswith(_OPENAI_MODELS)
        )

    # --- methods of models ---

    def method(self, owner: Instance, name: str, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a method of a model by which more is sent; None when nothing is."""
        if name in ASKING:
            given = self.literals.given(node, use.scope, _FRAMEWORK_BODY).arguments
            arguments = [each for each in given if each.name in CHAT_PARAMETERS - _OF_PROMPTS or each.in_body]
            if not arguments:
                return None
        elif not preset_of(owner.path).endswith("langchain"):
            return None
        elif name == "bind_tools" and node.args:
            first = node.args[0]
            arguments = [Argument("tools", first, self.literals.value(first, use.scope))]
        elif name == "with_structured_output":
            arguments = [self._structured(node, use.scope)]
        elif name == "bind":
            arguments = list(self.literals.given(node, use.scope, _FRAMEWORK_BODY).arguments)
        else:
            return None
        return site_of(use, "call", name, chat_effects(arguments, self.converted.policy_of(owner)))

    def _structured(self, node: ast.Call, scope: Scope) -> Argument:
        given = self.literals.given(node, scope, frozenset())
        way = next((each.value for each in given.arguments if each.name == "method"), "json_schema")
        shown = node.args[0] if node.args else node
        if given.unseen or way not in _STRUCTURED:  # it may be set there, or only the running program knows
            return Argument(_STRUCTURED.get(str(way), "response_format"), shown, UNSEEN)
        name = _STRUCTURED[str(way)]
        return Argument(name, shown, _schema_of(name))


def _options(arguments: Iterable[Argument]) -> Iterator[Effect]:
    """Return what becomes of the arguments of a constructor that do not simply go on."""
    whys = {"rewritten": "create_client takes Tess's own", "stripped": "it is for OpenAI alone"}
    for argument in arguments:
        effect = libraries.CLIENT_OPTIONS.get(argument.name)
        if effect is not None:
            yield effect_of(argument.node, argument.name, effect, "note", whys[effect])


def _schema_of(name: str) -> object:
    if name == "tools":
        return [{"type": "function", "function": {"name": "schema"}}]
    return {"type": "json_schema", "json_schema": {"name": "schema"}}
