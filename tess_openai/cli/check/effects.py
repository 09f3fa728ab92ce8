"""What becomes of each argument: the adapter's own core is asked, so that it and the checker cannot disagree.

The core translates JSON, so each argument is made JSON. Where a value is not written out, a stand-in of the
usual kind is translated in its place, and the effect is marked as not certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tess_openai.cli.check.findings import Effect, EffectKind, Level
from tess_openai.cli.check.literals import UNSEEN, Argument, ValueMark
from tess_openai.core.changes import Change
from tess_openai.core.chat.parameters import (
    CHAT_PARAMETERS,
    TOOL_PARAMETERS,
)
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat_call import translate_request
from tess_openai.core.headers import FOREIGN
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused

SDK_ARGUMENTS: Final = frozenset({"extra_body", "extra_headers", "extra_query", "timeout"})
"""Of the SDK's methods, and not of the body."""
WRAPPER_ARGUMENTS: Final = frozenset({"context", "max_retries", "strict", "validation_context"})
"""Of instructor's methods, and not of the body."""
RESPONSE_MODEL: Final = "response_model"
"""instructor's own argument, which it sends as a function."""

_FUNCTION: Final[JSONObject] = {"type": "function", "function": {"name": "unseen"}}
STAND_INS: Final[JSONObject] = {
    "functions": [{"name": "unseen"}],
    "max_completion_tokens": 100,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "unseen"}],
    "model": "unseen",
    "n": 2,
    "response_format": {"type": "json_object"},
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.6,
    "tools": [_FUNCTION],
}
"""What a value that is not seen usually is; for all others a word that no parameter takes as nothing."""


def chat_effects(arguments: Sequence[Argument], policy: Policy) -> list[Effect]:
    """Return what becomes of the arguments of a chat call."""
    effects: list[Effect] = []
    tools = [each for each in arguments if each.name in TOOL_PARAMETERS or each.name == RESPONSE_MODEL]
    if tools:
        effects += _together(tools, policy)
    for argument in arguments:
        if argument.name == "extra_headers":
            effects += _header_effects(argument)
        elif argument.name == CALL_FIELD or argument.name in SDK_ARGUMENTS | WRAPPER_ARGUMENTS:
            continue
        elif argument not in tools:
            effects += _together([argument], policy)
    return sorted(effects, key=lambda effect: (effect.line, effect.column))


def _header_effects(argument: Argument) -> list[Effect]:
    names = to_object(argument.value) or {}
    return [
        Effect(
            subject=name,
            effect="stripped",
            level="note",
            why="it is for OpenAI alone",
            line=argument.node.lineno,
            column=argument.node.col_offset + 1,
        )
        for name in names
        if name.lower() in FOREIGN
    ]


def _together(arguments: Sequence[Argument], policy: Policy) -> list[Effect]:
    """Translate arguments that are read together; usually one."""
    body = {_root(each.name): _stand_in(each) for each in arguments}
    certain = {_root(each.name): not _is_unseen(each.value) for each in arguments}
    nodes = {_root(each.name): each for each in arguments}
    merge = all(not _is_unseen(each.value) for each in arguments)
    try:
        prepared = translate_request(body, Options(policy=policy, merge_messages=merge), new_id=str)
    except Refused as refused:
        name = _root((refused.param or "").partition(".")[0])
        argument = nodes.get(name, arguments[0])
        return [
            Effect(
                subject=refused.param or argument.name,
                effect="refused",
                level="error",
                why=refused.message.partition(": ")[2] or refused.message,
                certain=certain.get(name, False),
                line=argument.node.lineno,
                column=argument.node.col_offset + 1,
            )
        ]
    effects: list[Effect] = []
    for name, argument in nodes.items():
        changes = [each for each in prepared.ledger.changes if each.param.partition(".")[0] == name]
        if changes:
            effects += [_changed(change, argument, certain=certain[name]) for change in changes]
        else:
            effects.append(_unchanged(argument, name, prepared, body, certain=certain[name]))
    return effects


def _changed(change: Change, argument: Argument, *, certain: bool) -> Effect:
    effect: EffectKind = "rewritten"
    if change.action in ("stripped", "emulated"):
        effect = "stripped" if change.action == "stripped" else "emulated"
    elif change.action == "forwarded":
        effect = "kept"
    level: Level = "note" if change.warn is None else "warning"
    subject = change.param if "." in change.param else argument.name
    return Effect(
        subject=subject,
        effect=effect,
        level=level,
        why=change.why,
        remedy=change.remedy,
        sent=change.sent if certain else "",
        certain=certain,
        line=argument.node.lineno,
        column=argument.node.col_offset + 1,
    )


def _unchanged(
    argument: Argument, name: str, prepared: TranslatedRequest, body: JSONObject, *, certain: bool
) -> Effect:
    sent = prepared.body.get(name)
    effect: EffectKind = "kept"
    level: Level = "none"
    why = ""
    if name not in CHAT_PARAMETERS:
        why = "Tess gets it as a field of the agent's own"
    elif sent is None and name in TOOL_PARAMETERS and prepared.emulation is not None:
        effect, level, why = "emulated", "note", "the adapter does it itself"
    elif sent is None:
        effect, why = "stripped", "it asks for nothing, so nothing is lost"
    elif sent != body[name] or type(sent) is not type(body[name]):
        effect, why = "rewritten", "sent in Tess's words, nothing is lost"
    if not certain and name == "messages":
        level, why = "note", "the messages are not written out here"
    shown = f"{sent}" if effect == "rewritten" and isinstance(sent, str | int | float) else ""
    return Effect(
        subject=argument.name,
        effect=effect,
        level=level,
        why=why,
        sent=shown,
        certain=certain,
        line=argument.node.lineno,
        column=argument.node.col_offset + 1,
    )


def _root(name: str) -> str:
    return "tools" if name == RESPONSE_MODEL else name


def _stand_in(argument: Argument) -> object:
    """Return JSON for an argument: its own, completed by stand-ins where it is not seen."""
    name, value = _root(argument.name), argument.value
    if name == "tools" and argument.name == RESPONSE_MODEL:
        return None if value is None else STAND_INS["tools"]
    if isinstance(value, ValueMark):
        return STAND_INS.get(name, "unseen")
    if name == "response_format" and _has_unseen(value):
        return STAND_INS[name]
    items = to_list(value)
    if name == "tools" and items is not None:
        return [_FUNCTION if isinstance(item, ValueMark) else _complete(item) for item in items]
    if name == "messages" and items is not None:
        seen = [_complete(item) for item in items if to_object(item) is not None]
        return seen or STAND_INS["messages"]
    return _complete(value)


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
