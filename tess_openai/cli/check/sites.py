"""Finds the call sites of a module, and everything else in it that has to do with OpenAI."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from tess_openai.cli.check import libraries
from tess_openai.cli.check.converted import Converted
from tess_openai.cli.check.endpoints import Endpoint, endpoint_of, likely_endpoint
from tess_openai.cli.check.fates import chat_fates
from tess_openai.cli.check.findings import Fate, Fated, Kind, Level, Site
from tess_openai.cli.check.inference import FRAMEWORK_CLIENTS, SDK_CLIENTS, Inference, text_of
from tess_openai.cli.check.literals import Argument, Literals
from tess_openai.cli.check.scopes import OPENAI_HOST, Module, Scope, Use
from tess_openai.cli.check.values import (
    Container,
    External,
    Function,
    Instance,
    Member,
    Object,
    Partial,
    Value,
)
from tess_openai.cli.check.variables import Variables
from tess_openai.core.chat.parameters import CHAT_PARAMETERS
from tess_openai.core.policy import Policy
from tess_openai.core.routes import ABSENT

_IN_BODY: Final = frozenset({"extra_body"})
_FRAMEWORK_BODY: Final = frozenset({"additional_kwargs", "extra_body", "model_kwargs"})
_STRUCTURED: Final = {
    "function_calling": "tools",
    "json_mode": "response_format",
    "json_schema": "response_format",
}
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
                fate = _fate(use.node, OPENAI_HOST, "unseen", "warning", why)
                return _site(use, "base-url", OPENAI_HOST, [fate])
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
        if values or self._is_known(node.func, use.scope):
            return None
        endpoint = likely_endpoint(node.func, imports_openai="openai" in use.scope.module.imports)
        return None if endpoint is None else self._sent(endpoint, node, use, None)

    def _is_known(self, func: ast.expr, scope: Scope) -> bool:
        """Whether a method is one of a value that is seen to be no client, a dict's or a stand-in's."""
        imports_openai = "openai" in scope.module.imports
        while isinstance(func, ast.Attribute):
            name, func = func.attr, func.value
            for value in self.inference.values(func, scope):
                if isinstance(value, Container | Function):
                    return True
                if isinstance(value, Object) and self.inference.lacks(
                    value.of, name, imports_openai=imports_openai
                ):
                    return True
        return False

    def _called(self, value: Value, node: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        match value:
            case External(path):
                return self._constructed(path, node, use, handled)
            case Partial(target, call, scope):
                endpoint = endpoint_of(target.path)
                more = (call, scope)
                return None if endpoint is None else self._sent(endpoint, node, use, target.owner, more=more)
            case Member(owner, path) if owner.path in libraries.OTHER_CLIENTS:
                return None  # told where the client is made
            case Member(owner, path) if owner.path in FRAMEWORK_CLIENTS:
                is_langchain = owner.path in libraries.LANGCHAIN_CHAT
                return self._model_method(owner, path[-1], node, use) if is_langchain else None
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
    ) -> Site:
        """Return the site of a call that sends something; `owner` is None where the client is not seen."""
        certain = owner is not None
        if endpoint.part is not None:
            why = f"Tess does not have {ABSENT[endpoint.part]}"
            fate = _fate(node, endpoint.name, "refused", "error", why)
            return _site(use, "endpoint", endpoint.name, [fate], certain=certain)
        elsewhere = self._elsewhere(node, owner)
        if endpoint.is_raw:
            why = "a request of your own path: it goes to Tess as it is"
            fate = _fate(node, endpoint.name, "unseen", "note", why)
            return _site(use, "endpoint", endpoint.name, [*elsewhere, fate], certain=certain)
        if not endpoint.is_chat:
            fate = _fate(node, endpoint.name, "kept", "none", "it is answered from what Tess has")
            return _site(use, "endpoint", endpoint.name, [*elsewhere, fate], certain=certain)
        given = self.literals.given(node, use.scope, _IN_BODY)
        arguments, unseen = list(given.arguments), list(given.unseen)
        if more is not None:
            earlier = self.literals.given(*more, _IN_BODY)
            own = {each.name for each in arguments}
            arguments += [each for each in earlier.arguments if each.name not in own]
            unseen += earlier.unseen
        policy = self.converted.policy if owner is None else self.converted.policy_of(owner)
        fates = [*elsewhere, *chat_fates(arguments, policy), *map(_unseen, unseen)]
        return _site(use, "call", endpoint.name, fates, certain=certain)

    def _elsewhere(self, node: ast.Call, owner: Instance | None) -> list[Fate]:
        """Say that a call of the module `openai` itself still goes to OpenAI."""
        if owner is None or owner.path != libraries.MODULE_CLIENT or self.converted.has_module:
            return []
        why = "a call of the module itself still goes to OpenAI"
        return [_fate(node, owner.path, "unseen", "warning", why, _MODULE_REMEDY)]

    def _copied(self, node: ast.Call, use: Use) -> Site | None:
        for keyword in node.keywords:
            if keyword.arg == "base_url":
                why = "another base_url than the agent's leaves the adapter"
                fate = _fate(
                    keyword.value, "base_url", "unseen", "warning", why, "Make one client per agent."
                )
                return _site(use, "base-url", "base_url", [fate])
        return None

    def _model_method(self, owner: Instance, method: str, node: ast.Call, use: Use) -> Site | None:
        """Return the site of a method of LangChain's that adds to what later calls send."""
        if method == "bind_tools" and node.args:
            first = node.args[0]
            arguments = [Argument("tools", first, self.literals.value(first, use.scope))]
        elif method == "with_structured_output":
            way = next((text_of(each.value) for each in node.keywords if each.arg == "method"), None)
            name = _STRUCTURED.get(way or "json_schema", "response_format")
            arguments = [Argument(name, node.args[0] if node.args else node, _schema_of(name))]
        elif method == "bind":
            arguments = list(self.literals.given(node, use.scope, _FRAMEWORK_BODY).arguments)
        else:
            return None
        return _site(use, "call", method, chat_fates(arguments, self.converted.policy_of(owner)))

    # --- clients ---

    def _constructed(self, path: str, node: ast.Call, use: Use, handled: set[ast.AST]) -> Site | None:
        handled.update(ast.walk(node))
        if path.rpartition(".")[0] in libraries.LEGACY:
            why = "it is of openai 0.x, which is gone since 1.0"
            fate = _fate(node, path, "refused", "error", why, "Migrate to client.chat.completions.create.")
            return _site(use, "legacy", path, [fate])
        if path in libraries.OTHER_CLIENTS or path in libraries.FRAMEWORK_AZURE:
            why = "it is made for another service, and builds that service's URLs"
            fate = _fate(node, path, "refused", "error", why, "Make it with tess_openai.create_client.")
            return _site(use, "client", path, [fate])
        if path in libraries.ELSEWHERE:
            why = f"Tess does not have {ABSENT[libraries.ELSEWHERE[path]]}"
            return _site(use, "endpoint", path, [_fate(node, path, "refused", "error", why)])
        if path in libraries.OPENAI_CLIENTS:
            return self._sdk_client(path, node, use)
        is_model = path in libraries.INIT_CHAT_MODEL and self._is_openai_model(node, use.scope)
        if path in FRAMEWORK_CLIENTS or is_model:
            return self._framework_client(path, node, use)
        handled.difference_update(ast.walk(node))
        return None

    def _sdk_client(self, path: str, node: ast.Call, use: Use) -> Site | None:
        if self.converted.settings_of(node, use.scope) is not None:
            return None
        factory = libraries.OPENAI_CLIENTS[path]
        first = _fate(node, path, "rewritten", "note", "make it for Tess", f"tess_openai.{factory}(AGENT_ID)")
        given = self.literals.given(node, use.scope, frozenset())
        return _site(use, "client", path, [first, *_options(given.arguments), *map(_unseen, given.unseen)])

    def _framework_client(self, path: str, node: ast.Call, use: Use) -> Site:
        remedy = "Pass it base_url, api_key and http_client of tess_openai.connection(AGENT_ID)."
        settings = self.converted.settings_of(node, use.scope)
        policy = self.converted.policy if settings is None else self.converted.policy_of(settings)
        fates: list[Fate] = []
        if settings is None:
            fates.append(_fate(node, path, "rewritten", "note", "point it at Tess", remedy))
        given = self.literals.given(node, use.scope, _FRAMEWORK_BODY)
        named = [
            Argument(libraries.FRAMEWORK_NAMES.get(each.name, each.name), each.node, each.value, each.in_body)
            for each in given.arguments
        ]
        fates += chat_fates([each for each in named if each.name in CHAT_PARAMETERS or each.in_body], policy)
        pointing = frozenset({"api_key", "base_url"} if settings is not None else ())
        fates += _options([each for each in named if not each.in_body and each.name not in pointing])
        for each in named:
            if each.name == "use_responses_api" and each.value is True:
                why = f"Tess does not have {ABSENT['responses']}"
                fates.append(_fate(each.node, each.name, "refused", "error", why))
        unseen = [each for each in given.unseen if self.converted.made(each, use.scope) is None]
        return _site(use, "client", path, [*fates, *map(_unseen, unseen)])

    def _is_openai_model(self, node: ast.Call, scope: Scope) -> bool:
        given = {each.name: each.value for each in self.literals.given(node, scope, frozenset()).arguments}
        model = given.get("model", text_of(node.args[0]) if node.args else None)
        provider = given.get("model_provider")
        return provider == "openai" or (
            provider is None and isinstance(model, str) and model.startswith(("openai:", "gpt-", "o1", "o3"))
        )

    # --- everything else ---

    def _attribute(self, node: ast.Attribute, use: Use) -> Site | None:
        is_setting = node.attr in _SETTINGS and isinstance(node.ctx, ast.Store)
        if node.attr != "base_url" and not is_setting:
            return None
        for value in self.inference.values(node, use.scope):
            if isinstance(value, Member) and value.owner.path in SDK_CLIENTS and value.path == ("base_url",):
                why = "it is the agent's root on Tess, not OpenAI's"
                return _site(use, "base-url", "base_url", [_fate(node, "base_url", "unseen", "note", why)])
            if isinstance(value, External) and value.path == f"openai.{node.attr}" and is_setting:
                why = "a setting of the module for OpenAI; Tess's come from a preset"
                fate = _fate(node, value.path, "rewritten", "warning", why, _MODULE_REMEDY)
                return _site(use, "client", value.path, [fate])
        return None

    @staticmethod
    def _variables(names: list[str], use: Use) -> Site | None:
        fates: list[Fate] = []
        for name in names:
            instead = libraries.ENVIRONMENT[name]
            remedy = f"Set {instead}." if instead else ""
            why = "the adapter never reads OpenAI's variables"
            fates.append(_fate(use.node, name, "unread", "warning", why, remedy))
        return _site(use, "environment", names[0], fates) if names else None

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
                    return _site(
                        use, "type-check", value.path, [_fate(each, value.path, "kept", "note", why)]
                    )
        return None


def _options(arguments: Iterable[Argument]) -> Iterator[Fate]:
    """Return what becomes of the arguments of a constructor that do not simply go on."""
    whys = {"rewritten": "create_client takes Tess's own", "stripped": "it is for OpenAI alone"}
    for argument in arguments:
        fate = libraries.CLIENT_OPTIONS.get(argument.name)
        if fate is not None:
            yield _fate(argument.node, argument.name, fate, "note", whys[fate])


def _unseen(node: ast.expr) -> Fate:
    has_text = any(isinstance(each, ast.Constant) for each in ast.walk(node))  # it may be a key
    shown = "..." if has_text or len(what := ast.unparse(node)) > 40 else what
    return _fate(node, f"**{shown}", "unseen", "note", "its members are not written out here", certain=False)


def _schema_of(name: str) -> object:
    if name == "tools":
        return [{"type": "function", "function": {"name": "schema"}}]
    return {"type": "json_schema", "json_schema": {"name": "schema"}}


def _fate(  # noqa: PLR0917 - what a line of the report says, in its order
    node: ast.expr,
    subject: str,
    fate: Fated,
    level: Level,
    why: str,
    remedy: str = "",
    *,
    certain: bool = True,
) -> Fate:
    return Fate(
        subject=subject,
        fate=fate,
        level=level,
        why=why,
        remedy=remedy,
        certain=certain,
        line=node.lineno,
        column=node.col_offset + 1,
    )


def _site(use: Use, kind: Kind, name: str, fates: list[Fate], *, certain: bool = True) -> Site:
    node, module = use.node, use.scope.module
    return Site(
        path=module.path,
        line=node.lineno,
        column=node.col_offset + 1,
        end_line=node.end_lineno or node.lineno,
        end_column=(node.end_col_offset or node.col_offset) + 1,
        kind=kind,
        name=name,
        source=module.shown(node.lineno),
        certain=certain,
        fates=tuple(fates),
    )
