"""What becomes of each argument: the adapter's own core is asked, so that it and the checker cannot disagree.

The core translates JSON, so each argument is made JSON. Where a value is not written out, a stand-in of the
usual kind is translated in its place, and the effect is marked as not certain. Arguments are translated one
by one, so that a refused one does not hide the others; only those about tools are read together.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tess_openai.cli.check.arguments import UNSEEN, Argument, ValueMark
from tess_openai.cli.check.findings import Effect, EffectKind, Level
from tess_openai.cli.check.known_models import KNOWN_MODELS
from tess_openai.cli.check.translations import Api, Translation, translate
from tess_openai.core.agents import Agent
from tess_openai.core.changes import Change
from tess_openai.core.chat.parameters import CHAT_PARAMETERS, TOOL_PARAMETERS
from tess_openai.core.headers import OPENAI_HEADERS
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.response_parameters import RESPONSES_PARAMETERS

SDK_ARGUMENTS: Final = frozenset({"extra_body", "extra_headers", "extra_query", "timeout"})
"""Of the SDK's methods, and not of the body."""
WRAPPER_ARGUMENTS: Final = frozenset({"context", "hooks", "max_retries", "strict", "validation_context"})
"""Of Instructor's methods, and not of the body."""
RESPONSE_MODEL: Final = "response_model"
"""Instructor's own argument, which it sends as a function."""
_ROOTS: Final[Mapping[str, str]] = {RESPONSE_MODEL: "tools", "text_format": "text"}
"""An argument of a method -> the field that it becomes."""
_BREAKING: Final = frozenset({"functions", "response_format", "text", "text.format", "tools"})
"""What a program relies on: without it, it reads calls or JSON that are not there."""

_FUNCTION: Final[JSONObject] = {"type": "function", "function": {"name": "unseen"}}
_FLAT_FUNCTION: Final[JSONObject] = {"type": "function", "name": "unseen", "parameters": {}}
_NEEDED: Final[Mapping[Api, JSONObject]] = {
    "chat": {},
    "responses": {"input": "unseen"},
    "completions": {"prompt": "unseen"},
}
"""Without which a body is refused."""
STAND_INS: Final[JSONObject] = {
    "background": True,
    "function_call": "auto",
    "functions": [{"name": "unseen"}],
    "max_completion_tokens": 100,
    "max_output_tokens": 100,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "unseen"}],
    "model": "unseen",
    "n": 2,
    "parallel_tool_calls": True,
    "reasoning": {"effort": "low"},
    "response_format": {"type": "json_object"},
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.6,
    "text": {"format": {"type": "json_object"}},
    "tool_choice": "auto",
    "tools": [_FUNCTION],
}
"""What a value that is not seen usually is; for all others a word that no parameter takes as nothing."""


class CallReader:
    """Reads what becomes of the arguments of one call.

    Args:
        api: Which API it calls.
        options: Of its client.
        agent: The agent that it will call, if that is known.
    """

    def __init__(self, api: Api, options: Options, agent: Agent | None = None) -> None:
        self.api: Api = api
        self.options = options
        self.agent = agent

    def effects(self, arguments: Sequence[Argument], *, is_whole: bool = False) -> list[Effect]:
        """Return what becomes of arguments; `is_whole` when the call is known to have no others."""
        groups: list[list[Argument]] = []
        effects: list[Effect] = []
        tools = [each for each in arguments if _root(each.name) in TOOL_PARAMETERS]
        for argument in arguments:
            if argument.name == "extra_headers":
                effects += _header_effects(argument)
            elif argument.name == CALL_FIELD or argument.name in SDK_ARGUMENTS | WRAPPER_ARGUMENTS:
                continue
            elif argument not in tools:
                groups.append([argument])
        found = [effect for group in [*_alternatives(tools), *groups] for effect in self._together(group)]
        effects += found
        if self.agent is not None and is_whole:
            effects += self._missing(arguments)
        unique = dict.fromkeys(effects)
        return sorted(unique, key=lambda effect: (effect.line, effect.column))

    def _together(self, arguments: Sequence[Argument]) -> list[Effect]:
        """Translate arguments that are read together; usually one."""
        body = {**_NEEDED[self.api], **{_root(each.name): self._stand_in(each) for each in arguments}}
        nodes = {_root(each.name): each for each in arguments}
        merge = not any(_is_unseen(each.value) for each in arguments)
        options = self.options
        if options.merge_messages and not merge:
            options = replace(options, merge_messages=False)
        agent = None if self.agent is None else _without_required(self.agent)
        try:
            translated = translate(self.api, body, options, agent)
        except Refused as refused:
            argument = nodes.get((refused.param or "").partition(".")[0], arguments[0])
            head, _, rest = refused.message.partition(": ")
            why = refused.message if " " in head or not rest else rest
            is_stand_in = _is_unseen(argument.value)
            if is_stand_in and refused.code == "model_not_found":
                return []
            subject = refused.param or argument.name
            return [effect_at(argument.node, subject, "refused", "error", why, certain=not is_stand_in)]
        effects: list[Effect] = []
        for name, argument in nodes.items():
            changes = [each for each in translated.changes if each.param.partition(".")[0] == name]
            effects += [_changed(change, argument) for change in changes] or [
                self._unchanged(argument, name, translated, body)
            ]
        others = [each for each in translated.changes if each.param.partition(".")[0] not in nodes]
        return [*effects, *(_changed(change, arguments[0]) for change in others)]

    def _missing(self, arguments: Sequence[Argument]) -> list[Effect]:
        """Say which fields the agent requires and the call has not."""
        body = {**_NEEDED[self.api], "messages": STAND_INS["messages"]} if self.api == "chat" else {}
        body |= {_root(each.name): self._stand_in(each) for each in arguments if each.in_body}
        try:
            translate(self.api, {**_NEEDED[self.api], **body}, self.options, self.agent)
        except Refused as refused:
            if refused.code == "missing_required_parameter" and arguments:
                return [
                    effect_at(arguments[0].node, refused.param or "", "refused", "error", refused.message)
                ]
        return []

    def _unchanged(self, argument: Argument, name: str, translated: Translation, body: JSONObject) -> Effect:
        sent = translated.sent.get(name)
        certain = not _is_unseen(argument.value)
        effect: EffectKind = "kept"
        level: Level = "none"
        why = remedy = ""
        if name not in (RESPONSES_PARAMETERS if self.api == "responses" else CHAT_PARAMETERS | {"prompt"}):
            why = "Tess gets it as a field of the agent's own"
        elif name in TOOL_PARAMETERS and translated.emulates:
            effect, level, why = "emulated", "note", "the adapter does it itself"
        elif name == "model" and self.agent is None and self._is_unknown(argument.value):
            effect, level, why = "unseen", "note", f"no agent is known to have the model {argument.value!r}"
            remedy = "Compare with --agent, or map it: create_client(models={...})."
        elif self.api == "chat" and sent is None:
            effect, why = "stripped", "it asks for nothing, so nothing is lost"
        elif self.api == "chat" and (sent != body[name] or type(sent) is not type(body[name])):
            effect, why = "rewritten", "sent in Tess's words, nothing is lost"
        if not certain and name in ("messages", "input"):
            level, why = "note", "the messages are not written out here"
        shown = f"{sent}" if effect == "rewritten" and isinstance(sent, str | int | float) else ""
        return effect_at(
            argument.node, argument.name, effect, level, why, remedy, sent=shown, certain=certain
        )

    def _is_unknown(self, model: object) -> bool:
        """Whether a model is written out that no agent is known to have, and no option maps."""
        if not isinstance(model, str) or model.startswith("agent:") or "*" in self.options.models:
            return False
        return model not in KNOWN_MODELS and model not in self.options.models

    def _stand_in(self, argument: Argument) -> object:
        """Return JSON for an argument: its own, completed by stand-ins where it is not seen."""
        name, value = _root(argument.name), argument.value
        function = _FUNCTION if self.api == "chat" else _FLAT_FUNCTION
        if name != argument.name:  # a class of the program, which the SDK or Instructor makes a schema of
            stand_in = [function] if name == "tools" else STAND_INS[name]
            return None if value is None else stand_in
        if isinstance(value, ValueMark):
            return [function] if name == "tools" else STAND_INS.get(name, "unseen")
        if name in ("response_format", "text", "tool_choice") and _has_unseen(value):
            return STAND_INS[name]
        items = to_list(value)
        if name == "tools" and items is not None:
            return [function if isinstance(item, ValueMark) else _complete(item) for item in items]
        if name in ("messages", "input") and items is not None:
            seen = [_complete(item) for item in items if to_object(item) is not None]
            return seen or STAND_INS["messages"]
        return _complete(value)


def effect_at(  # noqa: PLR0917 - what a line of the report says, in its order
    node: ast.expr,
    subject: str,
    effect: EffectKind,
    level: Level,
    why: str,
    remedy: str = "",
    *,
    sent: str = "",
    certain: bool = True,
    needs_emulation: bool = False,
) -> Effect:
    """Return the effect for a node."""
    return Effect(
        subject=subject,
        effect=effect,
        level=level,
        why=why,
        remedy=remedy,
        sent=sent,
        certain=certain,
        needs_emulation=needs_emulation,
        line=node.lineno,
        column=node.col_offset + 1,
        end_line=node.end_lineno or node.lineno,
        end_column=(node.end_col_offset or node.col_offset) + 1,
    )


def _alternatives(arguments: Sequence[Argument]) -> list[list[Argument]]:
    """Return the arguments that occur together: each name once, each of its values in one of them."""
    by_name: dict[str, list[Argument]] = {}
    for argument in arguments:
        by_name.setdefault(_root(argument.name), []).append(argument)
    count = max(map(len, by_name.values()), default=0)
    return [[many[min(number, len(many) - 1)] for many in by_name.values()] for number in range(count)]


def _header_effects(argument: Argument) -> list[Effect]:
    names = to_object(argument.value) or {}
    return [
        effect_at(argument.node, name, "stripped", "note", "it is for OpenAI alone")
        for name in names
        if name.lower() in OPENAI_HEADERS
    ]


def _changed(change: Change, argument: Argument) -> Effect:
    effect: EffectKind = "rewritten"
    if change.action in ("stripped", "emulated"):
        effect = "stripped" if change.action == "stripped" else "emulated"
    elif change.action == "forwarded":
        effect = "kept"
    breaks = effect == "stripped" and change.warn is not None and _breaks(change)
    level: Level = "note" if change.warn is None else "warning"
    certain = not _is_unseen(argument.value)
    return effect_at(
        argument.node,
        change.param if change.param != _root(argument.name) else argument.name,
        effect,
        "error" if breaks else level,
        change.why,
        change.remedy,
        sent=change.sent if certain else "",
        certain=certain,
        needs_emulation=breaks,
    )


def _breaks(change: Change) -> bool:
    """Whether a program breaks without what was left out, and emulation gives it."""
    return change.param in _BREAKING and "emulate=True" in change.remedy


def _without_required(agent: Agent) -> Agent:
    return replace(agent, questions=tuple(replace(each, required=False) for each in agent.questions))


def _root(name: str) -> str:
    return _ROOTS.get(name, name)


def _complete(value: object) -> object:
    if isinstance(value, ValueMark):
        return "unseen"
    if (items := to_list(value)) is not None:
        return [_complete(item) for item in items]
    if (members := to_object(value)) is not None:
        return {key: _complete(item) for key, item in members.items()}
    return value


def _has_unseen(value: object) -> bool:
    """Whether anything in a value, however deep, is not written out."""
    inner = to_list(value) or list((to_object(value) or {}).values())
    return isinstance(value, ValueMark) or any(map(_has_unseen, inner))


def _is_unseen(value: object) -> bool:
    """Whether a value, or an element of it, is not written out; texts inside of messages do not matter."""
    if isinstance(value, ValueMark):
        return value is UNSEEN
    return any(isinstance(item, ValueMark) for item in to_list(value) or [])
