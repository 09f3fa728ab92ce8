"""Finds the call sites of a module, and everything else in it that has to do with OpenAI."""

from __future__ import annotations

import ast
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.client_calls import Clients
from tess_openai.cli.check.converted import Converted
from tess_openai.cli.check.effects import chat_effects
from tess_openai.cli.check.endpoints import Endpoint, endpoint_of, likely_endpoint
from tess_openai.cli.check.findings import Effect, Site
from tess_openai.cli.check.frameworks import is_model
from tess_openai.cli.check.inference import SDK_CLIENTS, Inference
from tess_openai.cli.check.literals import Literals
from tess_openai.cli.check.places import effect_of, site_of, unseen_of
from tess_openai.cli.check.scopes import OPENAI_HOST, Module, Scope, Use
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
)
from tess_openai.cli.check.variables import Variables
from tess_openai.core.chat.parameters import CHAT_PARAMETERS
from tess_openai.core.policy import Policy
from tess_openai.core.routes import UNSUPPORTED_ENDPOINTS

_IN_BODY: Final = frozenset({"extra_body"})
_IN_PASSED: Final = _IN_BODY | libraries.RUNNERS_ARGUMENTS
_SETTINGS: Final = frozenset({"api_key", "base_url", "organization", "project", "http_client"})
_MODULE_REMEDY: Final = (
    "Before the first call: vars(openai).update(tess_openai.presets.openai_module(AGENT_ID))."
)


class Finder:
    """Finds the sites of the modules of one project, under one policy."""

    def __init__(self, inference: Inference, policy: Policy) -> None:
        self.inference = inference
        self.literals = Literals(inference)
        self.converted = Converted(self.literals, policy)
        self.clients = Clients(self.converted)
        self.variables = Variables(inference, self.literals)

    def sites(self, module: Module) -> list[Site]:
        """Return all sites of a module, in the order of its lines."""
        found: list[Site] = []
        handled: set[ast.AST] = set()
        for use in module.uses:
            site = self._site(use, handled)
            if site is not None:
                found.append(site)
        return sorted(found, key=lambda site: (site.line, site.column, site.name))

    def _site(self, use: Use, handled: set[ast.AST]) -> Site | None:
        match use.node:
            case ast.Call():
                return self._call(use.node, use, handled)
            case ast.Attribute():
                return self._attribute(use.node, use)
            case ast.Subscript():
                return self._variables(self.variables.of_subscript(use.node, use.scope), use)
            case ast.Compare():
                return self._compare(use.node, use)
            case ast.Constant() if use.node not in handled:
                why = "it goes to OpenAI itself, past the adapter"
                effect = effect_of(use.node, OPENAI_HOST, "unseen", "warning", why)
                return site_of(use, "base-url", OPENAI_HOST, [effect])
            case _:
                return None

    # --- calls ---

    def _call(self, node: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        if isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
            return self._type_check(node.args[1:], use)
        if names := self.variables.of_call(node, use.scope):
            return self._variables(names, use)
        values = self.inference.values(node.func, use.scope)
        for value in values:
            site = self._called(value, node, use, handled)
            if site is not None:
                return site
        if (site := self._passed(node, use, values, handled)) is not None:
            return site
        if values or self._is_known(node.func, use.scope):
            return None
        endpoint = likely_endpoint(node.func, imports_openai="openai" in use.scope.module.imports)
        return None if endpoint is None else self._sent(endpoint, node, use, None)

    def _subclass(self, of: Class, node: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        """Return the site of a constructor of the code's own that is a client's too."""
        for path in self.inference.library_bases(of):
            site = self.clients.constructed(path, node, use, handled)
            if site is not None:
                return site
        return None

    def _passed(self, node: ast.Call, use: Use, values: Values, handled: set[ast.AST]) -> Site | None:
        """Return the site of what another call is given to be called there: `to_thread(create, seed=1)`."""
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        given = [each.value for each in node.keywords if each.arg in libraries.FACTORY_ARGUMENTS]
        for argument in given:
            call = ast.copy_location(ast.Call(argument, [], []), argument)
            site = self._made(argument, call, use, handled)
            if site is not None:
                return site
        if _takes_its_own(values):
            return None
        functions = [each.value for each in node.keywords if each.arg in libraries.FUNCTION_ARGUMENTS]
        for argument in [*node.args, *functions]:
            site = self._made(argument, node, use, handled) if name in libraries.MAKERS else None
            site = self._run(argument, name, node, use) if site is None else site
            if site is not None:
                return site
        return None

    def _made(self, argument: ast.expr, call: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        for value in self.inference.values(argument, use.scope):
            if isinstance(value, External | Class):
                site = self._called(value, call, use, handled)
                if site is not None:
                    return site
        return None

    def _run(self, argument: ast.expr, name: str, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a method that a call is given, when it is sure to call it."""
        is_runner = name in libraries.RUNNERS
        for value in self.inference.values(argument, use.scope):
            target = value.target if isinstance(value, Partial) else value
            if not isinstance(target, Member) or is_model(target.owner.path):
                continue
            has_messages = any(each.arg in ("messages", "input") for each in node.keywords)
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
                if isinstance(value, Object) and self.inference.lacks(
                    value.of, name, imports_openai=imports_openai
                ):
                    return True
        return False

    def _called(self, value: Value, node: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        match value:
            case External(path):
                return self.clients.constructed(path, node, use, handled)
            case Class():
                return self._subclass(value, node, use, handled)
            case Partial(target, call, scope):
                endpoint = endpoint_of(target.path)
                more = (call, scope)
                return None if endpoint is None else self._sent(endpoint, node, use, target.owner, more=more)
            case Member(owner, path) if owner.path in libraries.OTHER_CLIENTS:
                return None  # reported where the client is made
            case Member(owner, path) if is_model(owner.path):
                return self.clients.method(owner, path[-1], node, use)
            case Member(_, path) if path[-1] in libraries.COPIES:
                return self._copied(node, use)
            case Member(owner, path):
                endpoint = endpoint_of(path)
                return None if endpoint is None else self._sent(endpoint, node, use, owner)
            case _:
                return None

    def _sent(
        self,
        endpoint: Endpoint,
        node: ast.Call,
        use: Use,
        owner: Instance | None,
        *,
        more: tuple[ast.Call, Scope] | None = None,
        is_passed: bool = False,
    ) -> Site:
        """Return the site of a call that sends something; `owner` is None where the client is not seen."""
        certain = owner is not None
        if endpoint.part is not None:
            why = f"Tess does not have {UNSUPPORTED_ENDPOINTS[endpoint.part]}"
            effect = effect_of(node, endpoint.name, "refused", "error", why)
            return site_of(use, "endpoint", endpoint.name, [effect], certain=certain)
        elsewhere = self._elsewhere(node, owner)
        if endpoint.is_raw:
            why = "a request of your own path: it goes to Tess as it is"
            effect = effect_of(node, endpoint.name, "unseen", "note", why)
            return site_of(use, "endpoint", endpoint.name, [*elsewhere, effect], certain=certain)
        if not endpoint.is_chat:
            effect = effect_of(node, endpoint.name, "kept", "none", "it is answered from what Tess has")
            return site_of(use, "endpoint", endpoint.name, [*elsewhere, effect], certain=certain)
        given = self.literals.given(node, use.scope, _IN_PASSED if is_passed else _IN_BODY)
        arguments, unseen = list(given.arguments), list(given.unseen)
        if is_passed:  # the others are the runner's own
            arguments = [each for each in arguments if each.name in CHAT_PARAMETERS or each.in_body]
        if more is not None:
            earlier = self.literals.given(*more, _IN_BODY)
            own = {each.name for each in arguments}
            arguments += [each for each in earlier.arguments if each.name not in own]
            unseen += earlier.unseen
        policy = self.converted.policy if owner is None else self.converted.policy_of(owner)
        effects = [*elsewhere, *chat_effects(arguments, policy), *map(unseen_of, unseen)]
        return site_of(use, "call", endpoint.name, effects, certain=certain)

    def _elsewhere(self, node: ast.Call, owner: Instance | None) -> list[Effect]:
        """Say that a call of the module `openai` itself still goes to OpenAI."""
        if owner is None or owner.path != libraries.MODULE_CLIENT or self.converted.has_module:
            return []
        why = "a call of the module itself still goes to OpenAI"
        return [effect_of(node, owner.path, "unseen", "warning", why, _MODULE_REMEDY)]

    def _copied(self, node: ast.Call, use: Use) -> Site | None:
        for keyword in node.keywords:
            if keyword.arg == "base_url":
                why = "another base_url than the agent's bypasses the adapter"
                effect = effect_of(
                    keyword.value, "base_url", "unseen", "warning", why, "Make one client per agent."
                )
                return site_of(use, "base-url", "base_url", [effect])
        return None

    # --- everything else ---

    def _attribute(self, node: ast.Attribute, use: Use) -> Site | None:
        is_setting = node.attr in _SETTINGS and isinstance(node.ctx, ast.Store)
        if node.attr != "base_url" and not is_setting:
            return None
        for value in self.inference.values(node, use.scope):
            if isinstance(value, Member) and value.owner.path in SDK_CLIENTS and value.path == ("base_url",):
                why = "it is the agent's root on Tess, not OpenAI's"
                return site_of(
                    use, "base-url", "base_url", [effect_of(node, "base_url", "unseen", "note", why)]
                )
            if isinstance(value, External) and value.path == f"openai.{node.attr}" and is_setting:
                why = "a setting of the module for OpenAI; Tess's come from a preset"
                effect = effect_of(node, value.path, "rewritten", "warning", why, _MODULE_REMEDY)
                return site_of(use, "client", value.path, [effect])
        return None

    @staticmethod
    def _variables(names: list[str], use: Use) -> Site | None:
        effects: list[Effect] = []
        for name in names:
            instead = libraries.ENVIRONMENT[name]
            remedy = f"Set {instead}." if instead else ""
            why = "the adapter never reads OpenAI's variables"
            effects.append(effect_of(use.node, name, "unread", "warning", why, remedy))
        return site_of(use, "environment", names[0], effects) if names else None

    def _compare(self, node: ast.Compare, use: Use) -> Site | None:
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            return self._variables(self.variables.of_compare(node, use.scope), use)
        if isinstance(node.ops[0], ast.Is | ast.Eq) and isinstance(node.left, ast.Call):
            called = node.left.func
            if isinstance(called, ast.Name) and called.id == "type":
                return self._type_check(node.comparators, use)
        return None

    def _type_check(self, nodes: list[ast.expr], use: Use) -> Site | None:
        flat = [item for each in nodes for item in (each.elts if isinstance(each, ast.Tuple) else [each])]
        for each in flat:
            for value in self.inference.values(each, use.scope):
                if isinstance(value, External) and value.path in libraries.OPENAI_CLIENTS:
                    why = "it stays true: create_client gives the SDK's own type"
                    return site_of(
                        use, "type-check", value.path, [effect_of(each, value.path, "kept", "note", why)]
                    )
        return None


def _takes_its_own(values: Values) -> bool:
    """Whether a function is called that is read itself, and names all that it takes."""
    return any(
        isinstance(value, FunctionValue)
        and (isinstance(value.node, ast.Lambda) or value.node.args.kwarg is None)
        for value in values
    ) or any(isinstance(value, External) and value.path == "functools.partial" for value in values)
