"""Finds the calls and constructors of a module that have to do with OpenAI."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.arguments import in_words_of_openai
from tess_openai.cli.check.classes import lacks, library_bases
from tess_openai.cli.check.constructors import Constructors
from tess_openai.cli.check.converted import Converted
from tess_openai.cli.check.effects import RESPONSE_MODEL, CallReader, effect_at
from tess_openai.cli.check.endpoints import Endpoint, endpoint_of, likely_endpoint, litellm_endpoint
from tess_openai.cli.check.findings import Effect, Site
from tess_openai.cli.check.frameworks import is_model, is_openai_model
from tess_openai.cli.check.inference import Inference
from tess_openai.cli.check.literals import Literals
from tess_openai.cli.check.mentions import Mentions
from tess_openai.cli.check.places import site_at, unseen_of
from tess_openai.cli.check.scopes import Module, Scope, Use
from tess_openai.cli.check.values import (
    Class,
    Container,
    External,
    FunctionValue,
    Instance,
    Member,
    Object,
    Partial,
    Value,
    Values,
    name_of,
    takes_its_own,
)
from tess_openai.core.agents import Agent
from tess_openai.core.chat.parameters import CHAT_PARAMETERS
from tess_openai.core.completions.completion_parameters import COMPLETIONS_UNSUPPORTED
from tess_openai.core.options import Options
from tess_openai.core.responses.response_parameters import RESPONSES_PARAMETERS

_IN_BODY: Final = frozenset({"extra_body"})
_IN_PASSED: Final = _IN_BODY | libraries.RUNNERS_ARGUMENTS
_PARAMETERS: Final = (
    CHAT_PARAMETERS | RESPONSES_PARAMETERS | COMPLETIONS_UNSUPPORTED.keys() | {"prompt", RESPONSE_MODEL}
)
_TELLING: Final = frozenset({"input", "model"})
"""Arguments by which a call is known for one of OpenAI's in a file that does not import its SDK."""
_PAGES: Final = {
    "chat": "parameters",
    "completions": "responses",
    "files": "files",
    "models": "agents",
    "responses": "responses",
}
"""First part of an endpoint's path -> the page that says more."""


class Finder:
    """Finds the sites of the modules of one project.

    Args:
        inference: Of the project.
        options: Of clients for which the source says none.
        agent: The agent that will be called, if that is known.
    """

    def __init__(self, inference: Inference, options: Options, agent: Agent | None = None) -> None:
        self.inference = inference
        self.agent = agent
        self.literals = Literals(inference)
        self.converted = Converted(self.literals, options)
        self.constructors = Constructors(self.converted, agent)
        self.mentions = Mentions(self.literals)
        self._handled: set[ast.AST] = set()  # parts of constructors, whose addresses are reported there
        self._others: set[ast.AST] = set()  # clients that are to stay, `others={"embeddings": OpenAI()}`

    def sites(self, module: Module) -> list[Site]:
        """Return all sites of a module, in the order of its lines."""
        self._handled = set()
        self.literals.begin_file()
        found = [site for use in module.uses if (site := self._site(use)) is not None]
        return sorted(found, key=lambda site: (site.cell, site.line, site.column, site.name))

    def _site(self, use: Use) -> Site | None:
        match use.node:
            case ast.Call():
                return self._call(use.node, use)
            case ast.Constant() if use.node in self._handled:
                return None
            case _:
                return self.mentions.site(use)

    # --- calls ---

    def _call(self, node: ast.Call, use: Use) -> Site | None:
        if node in self._others:
            return None
        if isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
            return self.mentions.type_check(node.args[1:], use)
        if (site := self.mentions.site(use)) is not None:
            return site
        values = self.inference.values(node.func, use.scope)
        site = self._called_one_of(values, node, use)
        if site is not None or (site := self._passed(node, use, values)) is not None:
            return site
        if values or self._is_known(node.func, use.scope):
            return None
        return self._unseen(node.func, node, use)

    def _unseen(self, func: ast.expr, node: ast.Call, use: Use, *, is_passed: bool = False) -> Site | None:
        """Return the site of a method whose client is not seen, by its name and the call's arguments."""

        def is_openai() -> bool:
            given = self.literals.given(node, use.scope).arguments
            return "openai" in use.scope.module.imports or {each.name for each in given} >= _TELLING

        endpoint = likely_endpoint(func, is_openai)
        return None if endpoint is None else self._sent(endpoint, node, use, None, is_passed=is_passed)

    def _called_one_of(self, values: Values, node: ast.Call, use: Use) -> Site | None:
        """Return the site of what a call may call, and all whose servers it may be."""
        owners = [each.owner for each in values if isinstance(each, Member)]
        for site in filter(None, (self._called(value, node, use) for value in values)):
            if site.endpoint == "raw" and len(owners) < len(values):
                continue  # `get` and `post` are methods of many clients, of which this may be another
            providers = {self.converted.provider_of_client(each) or "OpenAI" for each in owners}
            return site if len(providers) < 2 else replace(site, provider=" or ".join(sorted(providers)))
        return None

    def _called(self, value: Value, node: ast.Call, use: Use) -> Site | None:
        match value:
            case External(path) if path in libraries.TESS_CLIENTS:
                others = (each for each in node.keywords if each.arg == "others")
                self._others.update(part for each in others for part in ast.walk(each.value))
                return None
            case External(path) if (endpoint := litellm_endpoint(path)) is not None:
                return self._litellm(endpoint, node, use)
            case External(path):
                return self._constructed(path, node, use)
            case Class():
                made = (self._constructed(path, node, use) for path in library_bases(self.inference, value))
                return next((site for site in made if site is not None), None)
            case Partial(target, call, scope):
                endpoint = endpoint_of(target.path)
                more = (call, scope)
                return None if endpoint is None else self._sent(endpoint, node, use, target.owner, more=more)
            case Member(owner, path) if is_model(owner.path):
                return self.constructors.method(owner, path[-1], node, use) if len(path) == 1 else None
            case Member(_, path) if path[-1] in libraries.COPIES:
                return self.mentions.copied(node, use)
            case Member(owner, path):
                endpoint = endpoint_of(path)
                return None if endpoint is None else self._sent(endpoint, node, use, owner)
            case _:
                return None

    def _constructed(self, path: str, node: ast.Call, use: Use) -> Site | None:
        site = self.constructors.constructed(path, node, use)
        if site is not None:
            self._handled.update(ast.walk(node))
        return site

    def _litellm(self, endpoint: Endpoint, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a call of LiteLLM's, unless its model is another provider's."""
        given = self.literals.given(node, use.scope)
        model = given.value("model")
        if model is None and node.args:
            model = self.literals.value(node.args[0], use.scope)
        if is_openai_model(model, given.value("custom_llm_provider")) is False:
            return None
        settings = self.converted.settings_of(node, use.scope)
        site = self._sent(endpoint, node, use, settings, is_passed=True, page="frameworks/litellm")
        return site if settings else replace(site, provider=self.converted.provider_of(given))

    def _passed(self, node: ast.Call, use: Use, values: Values) -> Site | None:
        """Return the site of what another call is given to be called there: `to_thread(create, seed=1)`."""
        name = name_of(node.func)
        given = [each.value for each in node.keywords if each.arg in libraries.FACTORY_ARGUMENTS]
        for argument in given:
            call = ast.copy_location(ast.Call(argument, [], []), argument)
            site = self._made(argument, call, use)
            if site is not None:
                return site
        if takes_its_own(values):
            return None
        functions = [each.value for each in node.keywords if each.arg in libraries.FUNCTION_ARGUMENTS]
        for argument in [*node.args, *functions]:
            site = self._made(argument, node, use) if name in libraries.MAKERS else None
            site = self._run(argument, name, node, use) if site is None else site
            if site is not None:
                return site
        return None

    def _made(self, argument: ast.expr, call: ast.Call, use: Use) -> Site | None:
        for value in self.inference.values(argument, use.scope):
            if isinstance(value, External | Class):
                site = self._called(value, call, use)
                if site is not None:
                    return site
        return None

    def _run(self, argument: ast.expr, name: str, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a method that a call is given, when it is sure to call it."""
        is_runner = name in libraries.RUNNERS
        if not isinstance(argument, ast.Name | ast.Attribute | ast.Call):
            return None
        values = self.inference.values(argument, use.scope)
        has_messages = any(each.arg in (None, "messages", "input") for each in node.keywords)
        if not values and (is_runner or has_messages) and not self._is_known(argument, use.scope):
            return self._unseen(argument, node, use, is_passed=True)
        for value in values:
            target = value.target if isinstance(value, Partial) else value
            if not isinstance(target, Member) or is_model(target.owner.path):
                continue
            endpoint = endpoint_of(target.path)
            if endpoint is not None and target.path[-1] in libraries.SENDING and (is_runner or has_messages):
                more = (value.call, value.scope) if isinstance(value, Partial) else None
                return self._sent(endpoint, node, use, target.owner, more=more, is_passed=True)
        return None

    def _is_known(self, func: ast.expr, scope: Scope) -> bool:
        """Whether a method is one of a value that is seen to be no client, a dict's or a stand-in's."""
        imports_openai = "openai" in scope.module.imports
        while isinstance(func, ast.Attribute):
            name, func = func.attr, func.value
            for value in self.inference.values(func, scope):
                if isinstance(value, Container | FunctionValue):
                    return True
                if isinstance(value, Object) and lacks(
                    self.inference, value.of, name, imports_openai=imports_openai
                ):
                    return True
        return False

    def _sent(
        self,
        endpoint: Endpoint,
        node: ast.Call,
        use: Use,
        owner: Instance | None,
        *,
        more: tuple[ast.Call, Scope] | None = None,
        is_passed: bool = False,
        page: str = "",
    ) -> Site:
        """Return the site of a call that sends something; `owner` is None where the client is not seen."""
        effects = [] if endpoint.kind == "missing" else self._elsewhere(node, owner)
        match endpoint.kind:
            case "missing":
                effects.append(self._missing(endpoint, node, owner, is_function=bool(page)))
            case "raw":
                why = "a request of your own path: it goes to Tess as it is"
                effects.append(effect_at(node, endpoint.name, "unseen", "note", why))
            case "served":
                why = "it is answered from what Tess has"
                effects.append(effect_at(node, endpoint.name, "kept", "none", why))
            case "chat" | "responses" | "completions":
                options = self.converted.options if owner is None else self.converted.options_of(owner)
                reader = CallReader(endpoint.kind, options, self.agent)
                effects += self._arguments(reader, node, use, owner, more=more, is_passed=is_passed)
        return site_at(
            use,
            "call",
            endpoint.name,
            effects,
            certain=owner is not None or page != "",
            endpoint=endpoint.part,
            provider=self.converted.provider_of_client(owner),
            page=page or _PAGES.get(endpoint.part, "migration"),
        )

    def _arguments(
        self,
        reader: CallReader,
        node: ast.Call,
        use: Use,
        owner: Instance | None,
        *,
        more: tuple[ast.Call, Scope] | None,
        is_passed: bool,
    ) -> list[Effect]:
        given = self.literals.given(node, use.scope, _IN_PASSED if is_passed else _IN_BODY)
        arguments, unseen = list(given.arguments), list(given.unseen)
        if is_passed:  # the others are the runner's own
            arguments = in_words_of_openai(arguments)
            arguments = [each for each in arguments if each.name in _PARAMETERS or each.in_body]
            unseen = [each for each in unseen if self.converted.made(each, use.scope) is None]
        if more is not None:
            earlier = self.literals.given(*more, _IN_BODY)
            own = {each.name for each in arguments}
            arguments += [each for each in earlier.arguments if each.name not in own]
            unseen += earlier.unseen
        if owner is not None and self.converted.asks_in_prompt(owner):
            arguments = [each for each in arguments if each.name != RESPONSE_MODEL]
        return [*reader.effects(arguments, is_whole=not unseen), *map(unseen_of, unseen)]

    def _missing(
        self, endpoint: Endpoint, node: ast.Call, owner: Instance | None, *, is_function: bool
    ) -> Effect:
        """Say that Tess lacks an endpoint, unless the client has another client for it."""
        others = self.converted.others_of(owner)
        if isinstance(others, set) and endpoint.part in others:
            why = f"another client serves {endpoint.part}, by others="
            return effect_at(node, endpoint.name, "kept", "none", why)
        remedy = "Keep it as it is." if is_function else libraries.others_remedy(endpoint.part)
        return effect_at(node, endpoint.name, "refused", "error", endpoint.why_not, remedy)

    def _elsewhere(self, node: ast.Call, owner: Instance | None) -> list[Effect]:
        """Say that a call of the module `openai` itself still goes to OpenAI."""
        if owner is None or owner.path != libraries.MODULE_CLIENT or self.converted.has_module:
            return []
        why = "a call of the module itself still goes to OpenAI"
        return [effect_at(node, owner.path, "unseen", "warning", why, libraries.MODULE_REMEDY)]
