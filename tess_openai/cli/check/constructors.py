"""What becomes of constructors: the SDK's clients, those of other services, frameworks' models and agents."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.arguments import UNSEEN, Argument, in_words_of_openai
from tess_openai.cli.check.chosen_models import ChosenModels
from tess_openai.cli.check.converted import Converted
from tess_openai.cli.check.effects import CallReader, effect_at
from tess_openai.cli.check.findings import Effect, Site
from tess_openai.cli.check.frameworks import (
    ANY_OTHER,
    ASKING,
    FRAMEWORKS,
    Role,
    role_of,
)
from tess_openai.cli.check.places import site_at, unseen_of
from tess_openai.cli.check.scopes import Scope, Use
from tess_openai.cli.check.values import Instance, is_text_type
from tess_openai.core.agents import Agent
from tess_openai.core.chat.parameters import CHAT_PARAMETERS
from tess_openai.core.options import Options

_FRAMEWORK_BODY: Final = frozenset({"additional_kwargs", "extra_body", "model_kwargs"})
_OF_PROMPTS: Final = frozenset({"messages", "stream", "tools"})
"""A model's methods have these for themselves; tools are bound."""
_OF_AGENTS: Final = {
    **dict.fromkeys(("functions", "handoffs", "mcp_servers", "tools", "toolsets"), "tools"),
    **dict.fromkeys(("output_type", "response_format"), "response_format"),
}
"""An argument of an agent -> what its model is given by it."""
_STRUCTURED: Final = {
    "function_calling": "tools",
    "json_mode": "response_format",
    "json_schema": "response_format",
}
_OPTION_WHYS: Final = {"rewritten": "create_client takes Tess's own", "stripped": "it is for OpenAI alone"}


class Constructors:
    """Judges constructors, and the methods of the models that they make.

    Args:
        converted: What is made for Tess already.
        agent: The agent that will be called, if that is known.
    """

    def __init__(self, converted: Converted, agent: Agent | None) -> None:
        self.converted = converted
        self.literals = converted.literals
        self.chosen = ChosenModels(converted)
        self.agent = agent

    def constructed(self, path: str, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a constructor; None when it has nothing to do with OpenAI.

        Args:
            path: The name of what is constructed.
            node: The call that holds its arguments.
            use: Its place.
        """
        if path.rpartition(".")[0] in libraries.LEGACY:
            why = "it is of openai 0.x, which is gone since 1.0"
            remedy = "Migrate to client.chat.completions.create."
            return site_at(
                use,
                "legacy",
                path,
                [effect_at(node, path, "refused", "error", why, remedy)],
                page="migration",
            )
        if path in libraries.OTHER_CLIENTS:
            return self._other_service(path, node, use, "Make it with tess_openai.create_client.")
        if path in libraries.OPENAI_CLIENTS:
            return self._sdk_client(path, node, use)
        role = role_of(path)
        return None if role is None else self._framework(role, path, node, use)

    def _other_service(
        self, path: str, node: ast.Call, use: Use, remedy: str, page: str = "migration"
    ) -> Site:
        why = "it is made for another service, and builds that service's URLs"
        effect = effect_at(node, path, "refused", "error", why, remedy)
        provider = "Amazon Bedrock" if "Bedrock" in path else "Azure"
        return site_at(use, "client", path, [effect], provider=provider, page=page)

    def _sdk_client(self, path: str, node: ast.Call, use: Use) -> Site | None:
        if self.converted.settings_of(node, use.scope) is not None:
            return None
        remedy = f"For Tess make it with tess_openai.{libraries.OPENAI_CLIENTS[path]}(AGENT_ID)."
        given = self.literals.given(node, use.scope)
        provider = self.converted.provider_of(given)
        called = "OpenAI" if given.value("base_url") is None else "what base_url names"
        why = f"it calls {provider}, not OpenAI" if provider else f"it calls {called}"
        first = effect_at(node, path, "rewritten", "note", why, remedy)
        effects = [first, *_options(given.arguments), *map(unseen_of, given.unseen)]
        return site_at(use, "client", path, effects, provider=provider, page="migration")

    def _framework(self, role: Role, path: str, node: ast.Call, use: Use) -> Site | None:
        framework = FRAMEWORKS.get(path.partition(".")[0])
        if role == "other" or framework is None:
            title = path.partition(".")[0] if framework is None else framework.title
            page = ANY_OTHER if framework is None else framework.page
            why = f"calls that {title} makes are not followed here"
            effect = effect_at(node, path, "unseen", "note", why, f"See docs/{page}.md.")
            return site_at(use, "library", path, [effect], certain=False, page=page)
        if role in ("chosen chat", "chosen embeddings", "agent"):
            is_openai = self.chosen.is_openai(node, use.scope, path)
            if is_openai is False:
                return None
            if is_openai is None and role == "agent" and not self.chosen.is_hidden(node, use.scope):
                return self._agent(path, node, use, owner=self.chosen.model_given(node, use.scope))
            if is_openai is None:
                why = "which provider's model it is, only the running program knows"
                effect = effect_at(node, path, "unseen", "note", why, framework.remedy, certain=False)
                return site_at(use, "client", path, [effect], page=framework.page)
        if role in ("embeddings", "azure embeddings", "chosen embeddings"):
            why = "Tess does not have embeddings"
            effect = effect_at(
                node, path, "refused", "error", why, "Keep it as it is: it is a client of its own."
            )
            return site_at(use, "client", path, [effect], endpoint="embeddings", page=framework.page)
        if role == "azure":
            return self._other_service(path, node, use, framework.remedy, framework.page)
        if role in ("agent", "provider"):
            return self._agent(path, node, use)
        return self._model(path, node, use)

    def _agent(
        self, path: str, node: ast.Call, use: Use, owner: Instance | str | None = "chosen by a word"
    ) -> Site | None:
        """Return the site of a framework's agent or provider; its tools and output types need emulation.

        Args:
            path: Its name.
            node: The call that makes it.
            use: Its place.
            owner: The model that it is given; None where that is not seen to be one of OpenAI's.
        """
        framework = FRAMEWORKS[path.partition(".")[0]]
        effects: list[Effect] = []
        options = self.converted.options
        if isinstance(owner, Instance):
            options = self.converted.options_of(owner)
        elif owner is None:
            return None
        elif not self.converted.uses_tess(node, use.scope):
            effects.append(effect_at(node, path, "rewritten", "note", "point it at Tess", framework.remedy))
        arguments = [
            Argument(_OF_AGENTS[each.name], each.node, UNSEEN)
            for each in self.literals.given(node, use.scope).arguments
            if each.name in _OF_AGENTS and each.value not in (None, []) and not is_text_type(each.node)
        ]
        if framework.title == "LangChain" and len(node.args) > 1:
            arguments.append(Argument("tools", node.args[1], UNSEEN))
        for each in [*([argument] for argument in arguments), self._settings(node, use.scope)]:
            effects += CallReader("chat", options, self.agent).effects(each)
        return site_at(use, "client", path, effects, page=framework.page) if effects else None

    def _settings(self, node: ast.Call, scope: Scope) -> list[Argument]:
        """Return what an agent's `model_settings=` send with each call: `ModelSettings(...)` or a dict."""
        found = self.literals.given(node, scope, frozenset({"model_settings"})).arguments
        arguments = [each for each in found if each.in_body]
        for given in (each.value for each in node.keywords if each.arg == "model_settings"):
            for value in self.converted.inference.values(given, scope):
                if isinstance(value, Instance):
                    arguments += self.literals.given_of(value).arguments
        return [each for each in arguments if each.name in CHAT_PARAMETERS]

    def _model(self, path: str, node: ast.Call, use: Use) -> Site:
        framework = FRAMEWORKS[path.partition(".")[0]]
        settings = self.converted.settings_of(node, use.scope)
        effects: list[Effect] = []
        if settings is None:
            effects.append(effect_at(node, path, "rewritten", "note", "point it at Tess", framework.remedy))
        given = self.literals.given(node, use.scope, _FRAMEWORK_BODY)
        named = in_words_of_openai(given.arguments)
        pointing = frozenset({"api_key", "base_url"} if settings is not None else ())
        options = self.converted.options if settings is None else self.converted.options_of(settings)
        effects += self._sent(named, options)
        effects += _options([each for each in named if not each.in_body and each.name not in pointing])
        unseen = [each for each in given.unseen if self.converted.made(each, use.scope) is None]
        effects += map(unseen_of, unseen)
        provider = "" if settings is not None else self.converted.provider_of(given)
        return site_at(use, "client", path, effects, provider=provider, page=framework.page)

    def _sent(self, arguments: Sequence[Argument], options: Options) -> list[Effect]:
        """Return what becomes of those arguments of a model that go into the body of its calls."""
        sent = [each for each in arguments if each.name in CHAT_PARAMETERS or each.in_body]
        return CallReader("chat", options, self.agent).effects(sent)

    # --- methods of models ---

    def method(self, owner: Instance, name: str, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a method of a model that sends something, or sets what is sent."""
        if owner.call is not None and owner.scope is not None and role_of(owner.path) == "chosen chat":
            chosen = self.chosen.is_openai(owner.call, owner.scope, owner.path)
            if chosen is False:
                return None
        framework = FRAMEWORKS[owner.path.partition(".")[0]]
        reader = CallReader("chat", self.converted.options_of(owner), self.agent)
        if name in ASKING:
            arguments = [*self._of_model(owner), *self._asked(node, use.scope)]
            effects = reader.effects(arguments)
        elif framework.title != "LangChain":
            return None
        else:
            bound = self._bound(name, node, use.scope)
            if bound is None:
                return None
            effects = reader.effects(bound)
        provider = self.converted.provider_of_client(owner)
        return site_at(use, "call", name, effects, endpoint="chat", provider=provider, page=framework.page)

    def _of_model(self, owner: Instance) -> list[Argument]:
        """Return what a model was made with, and what was bound to it since: each call sends it."""
        named = in_words_of_openai(self.literals.given_of(owner, _FRAMEWORK_BODY).arguments)
        arguments = [each for each in named if each.name in CHAT_PARAMETERS or each.in_body]
        for name, call, scope in owner.bound:
            arguments += self._bound(name, call, scope) or []
        return [each for each in arguments if each.name not in ("messages", "stream")]

    def _asked(self, node: ast.Call, scope: Scope) -> list[Argument]:
        given = self.literals.given(node, scope, _FRAMEWORK_BODY).arguments
        return [each for each in given if each.name in CHAT_PARAMETERS - _OF_PROMPTS or each.in_body]

    def _bound(self, name: str, node: ast.Call, scope: Scope) -> list[Argument] | None:
        """Return what a method of LangChain's adds to each call; None for a method that adds nothing."""
        if name == "bind_tools" and (node.args or node.keywords):
            first = node.args[0] if node.args else node.keywords[0].value
            more = self.literals.given(node, scope, _FRAMEWORK_BODY).arguments
            tools = Argument("tools", first, self.literals.value(first, scope))
            return [tools, *(each for each in more if each.name in CHAT_PARAMETERS - {"tools"})]
        if name == "with_structured_output":
            return [self._structured(node, scope)]
        if name == "bind":
            return list(self.literals.given(node, scope, _FRAMEWORK_BODY).arguments)
        return None

    def _structured(self, node: ast.Call, scope: Scope) -> Argument:
        given = self.literals.given(node, scope)
        way = given.value("method") or "json_schema"
        shown = node.args[0] if node.args else node
        if given.unseen or way not in _STRUCTURED:  # it may be set there, or only the running program knows
            return Argument(_STRUCTURED.get(str(way), "response_format"), shown, UNSEEN)
        name = _STRUCTURED[str(way)]
        return Argument(name, shown, _schema_of(name))


def _options(arguments: Iterable[Argument]) -> Iterator[Effect]:
    """Yield what becomes of the arguments of a constructor that do not simply go on."""
    for argument in arguments:
        effect = libraries.CLIENT_OPTIONS.get(argument.name)
        if effect is not None:
            yield effect_at(argument.node, argument.name, effect, "note", _OPTION_WHYS[effect])


def _schema_of(name: str) -> object:
    if name == "tools":
        return [{"type": "function", "function": {"name": "schema"}}]
    return {"type": "json_schema", "json_schema": {"name": "schema", "schema": {"type": "object"}}}
