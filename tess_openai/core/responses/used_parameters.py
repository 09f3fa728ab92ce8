"""The parameters that a response object shows: the caller's value where it was used, else the default.

Source: OpenAI's API reference, responses, and the schemas of the Open Responses specification (documented).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger

_DEFAULTS: Final[Mapping[str, object]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
}
_LABELS: Final = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "user"})
"""Labels that the response always shows, although Tess may not have received them."""
_CALLERS_CHOICES: Final = ("allowed_tools", "custom", "function")
_LOST: Final = ("stripped", "rewritten")


def used_parameters(given: JSONObject, ledger: Ledger) -> JSONObject:
    """Return the parameters for the response object, from the caller's request and the ledger of its call."""
    lost = {change.param for change in ledger.changes if change.action in _LOST}
    fields: JSONObject = dict(_DEFAULTS)
    for name, value in given.items():
        if value is not None and name in _DEFAULTS and (name in _LABELS or name not in lost):
            fields[name] = value
    if "temperature" in lost or not isinstance(fields["temperature"], int | float):
        fields["temperature"] = _sent_temperature(ledger)
    fields["service_tier"] = "default"
    choice = to_object(fields["tool_choice"])
    if choice is not None and choice.get("type") not in _CALLERS_CHOICES:
        fields["tool_choice"] = "auto"  # the agent itself decides about its own tools
    fields["tools"] = [_with_defaults(tool) for tool in to_list(fields["tools"]) or []]
    fields["reasoning"] = {"effort": None, "summary": None}
    reasoning = to_object(given.get("reasoning")) or {}
    if "reasoning.effort" not in lost:
        fields["reasoning"]["effort"] = reasoning.get("effort")
    fields["text"] = _text(to_object(given.get("text")) or {}, lost)
    return fields


def _sent_temperature(ledger: Ledger) -> float:
    for change in ledger.changes:
        if change.param == "temperature":
            try:
                return float(change.sent)
            except ValueError:
                break
    return 1.0


def _with_defaults(given: object) -> object:
    """Return a tool with the fields that the API always returns."""
    tool = to_object(given)
    if tool is None or tool.get("type") != "function":
        return given
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
