"""The parameters that a response object shows: the caller's value where it was used, else the default.

Source: OpenAI's API reference, responses, and the schemas of the Open Responses specification (documented).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import HOSTED_TOOLS

_DEFAULTS: Final[Mapping[str, object]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": None,
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
}
_LABELS: Final = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "user"})
"""Labels that the response always shows, although Tess may not have received them."""
_CALLERS_TOOLS: Final = ("custom", "function")
"""Types of tools that the caller's program runs."""
_CALLERS_CHOICES: Final = ("allowed_tools", *_CALLERS_TOOLS)
_NOT_AS_GIVEN: Final = ("stripped", "rewritten")
"""Actions of a change after which the caller's value of the parameter was not used."""


def used_parameters(given: JSONObject, ledger: Ledger) -> JSONObject:
    """Return the parameters for the response object, from the caller's request and the ledger of its call."""
    lost = {change.param for change in ledger.changes if change.action in _NOT_AS_GIVEN}
    fields: JSONObject = dict(_DEFAULTS)
    for name, value in given.items():
        if value is not None and name in _DEFAULTS and (name in _LABELS or name not in lost):
            fields[name] = value
    if "temperature" in lost or not isinstance(fields["temperature"], int | float):
        fields["temperature"] = _sent_temperature(fields["temperature"], ledger)
    fields["metadata"] = fields["metadata"] or {}  # a new object: the caller may mutate it
    fields["service_tier"] = "default"
    tools = to_list(given.get("tools"))
    fields["tools"] = _used_tools(tools, ledger, lost) if tools else []
    if not isinstance(fields["tool_choice"], str):
        fields["tool_choice"] = _used_choice(to_object(fields["tool_choice"]) or {}, fields["tools"])
    fields["reasoning"] = {"effort": None, "summary": None}
    reasoning = to_object(given.get("reasoning")) or {}
    if "reasoning.effort" not in lost:
        fields["reasoning"]["effort"] = reasoning.get("effort")
    fields["text"] = _text(to_object(given.get("text")) or {}, lost)
    return fields


def _sent_temperature(given: object, ledger: Ledger) -> float:
    """Return the temperature that was sent: the one in the ledger, or the caller's, which may be a text.

    1.0, the default, if none was sent or it is not a number.
    """
    changed = (change.sent for change in ledger.changes if change.param == "temperature")
    sent = next(changed, given)
    try:
        number = float(sent) if isinstance(sent, str) else 1.0
    except ValueError:
        return 1.0
    return number if math.isfinite(number) else 1.0


def _used_tools(given: list[object], ledger: Ledger, lost: set[str]) -> list[JSONObject]:
    """Return the tools that were used: all, or those that were emulated and the one that Tess ran.

    A hosted search is shown without its settings where some of them were not sent.
    """
    tools = [_with_defaults(_flat(tool)) for item in given if (tool := to_object(item)) is not None]
    if "tools" not in lost:
        return tools
    changes = [change for change in ledger.changes if change.param == "tools"]
    is_emulated = any(change.action == "emulated" for change in changes)
    sent = [change.given for change in changes if change.action == "mapped"]
    used: list[JSONObject] = []
    for tool in tools:
        kind, name = tool.get("type"), tool.get("name")
        if name in sent or (is_emulated and kind in _CALLERS_TOOLS):
            used.append(tool)
        elif kind in sent and (kind in HOSTED_TOOLS or tool.keys() == {"type"}):
            used.append({"type": kind})
    return used


def _used_choice(given: JSONObject, tools: list[JSONObject]) -> object:
    """Return the tool choice; `"auto"` when nothing is offered, or the agent decides about its own tools."""
    choice = _flat(given)
    return choice if tools and choice.get("type") in _CALLERS_CHOICES else "auto"


def _flat(given: JSONObject) -> JSONObject:
    """Return a tool or a choice in the flat form of this API; the nested form of chat is understood too."""
    kind = given.get("type")
    inner = to_object(given.get(kind)) if isinstance(kind, str) else None
    return given if inner is None else {**inner, "type": kind}


def _with_defaults(tool: JSONObject) -> JSONObject:
    """Return a tool with the fields that the API always returns."""
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, **tool, "strict": tool.get("strict") is True}


def _text(given: JSONObject, lost: set[str]) -> JSONObject:
    form = to_object(given.get("format"))
    text: JSONObject = {"format": {"type": "text"}, "verbosity": "medium"}
    if form is not None and "text.format" not in lost:
        is_schema = form.get("type") == "json_schema"
        text["format"] = {"description": None, "strict": None, **form} if is_schema else form
    if given.get("verbosity") is not None and "text.verbosity" not in lost:
        text["verbosity"] = given["verbosity"]
    return text
