"""Read which functions and custom tools a request offers, and whether it requires or forbids a call.

Source: OpenAI's API reference, chat completions: `tools`, `tool_choice`, `parallel_tool_calls`, and the older
`functions`, `function_call` (documented).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.options import HOSTED_TOOLS
from tess_openai.core.refusals import Refused

ToolChoice: TypeAlias = Literal["auto", "none", "required"]
"""Whether a call may, must not or must be made; `tool_choice` or `function_call` of the request says it."""
NO_ARGUMENTS: Final[JSONObject] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class OfferedFunction:
    """A function or custom tool of the caller's program.

    Attributes:
        name: The caller's name for it.
        description: The caller's description; may be empty.
        parameters: The JSON Schema of its arguments; not used for a custom tool.
        is_custom: Whether it is a custom tool, whose input is plain text instead of arguments.
        grammar: The grammar for the input of a custom tool, `{"syntax": "lark", "definition": "..."}`.
        is_strict: Whether the caller accepts only arguments that follow the schema.
    """

    name: str
    description: str
    parameters: JSONObject
    is_custom: bool = False
    grammar: JSONObject | None = None
    is_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The functions that may be called in answer to one request.

    Attributes:
        functions: The functions by name: only the one that the caller names, if `is_named`; only those in
            `allowed_tools`, if it is given; none with tool_choice `"none"`.
        tool_choice: `"none"`: no function may be called. `"required"`: one must be called.
        is_named: Whether the caller named the function to call.
        allows_several: Whether one answer may contain more than one call.
        is_legacy: Whether the caller uses the older `functions` and expects `function_call`.
        unsupported_types: Types of tools that cannot be emulated, such as `"web_search"`.
    """

    functions: dict[str, OfferedFunction]
    tool_choice: ToolChoice = "auto"
    is_named: bool = False
    allows_several: bool = True
    is_legacy: bool = False
    unsupported_types: tuple[str, ...] = ()

    @property
    def param(self) -> str:
        """The parameter that offers the functions."""
        return "functions" if self.is_legacy else "tools"


NO_OFFER: Final = Offer(functions={}, tool_choice="none")
"""The offer of a request in which no call may be made and the messages contain no earlier one."""


def parse_offer(body: JSONObject, *, agent_tools: Collection[str] = ()) -> Offer:
    """Read the functions of a request, and whether one must be called.

    Args:
        body: The body of the request.
        agent_tools: Names and types of tools that the agent has itself.

    Raises:
        Refused: A function has no name, two have the same name, or the choice names a function that is not
            offered, or requires the call of a hosted tool.
    """
    tools = to_list(body.get("tools")) or []
    legacy = to_list(body.get("functions")) or []
    functions: dict[str, OfferedFunction] = {}
    unsupported_types: list[str] = []
    for tool in tools:
        if isinstance(tool, str):  # a hosted tool of Tess
            continue
        fields = to_object(tool) or {}
        kind = fields.get("type", "function")
        inner = to_object(fields.get(kind)) if kind in ("function", "custom") else None
        if inner is None:
            if not _names_one_of(agent_tools, kind):
                unsupported_types.append(str(kind))
        elif not _is_agent_tool(inner.get("name"), agent_tools):
            _add_function(functions, _parse_function(inner, "tools", is_custom=kind == "custom"), "tools")
    for item in legacy:
        _add_function(functions, _parse_function(to_object(item) or {}, "functions"), "functions")
    is_legacy = bool(legacy) and not tools
    offer = Offer(
        functions=functions,
        allows_several=body.get("parallel_tool_calls") is not False and not is_legacy,
        is_legacy=is_legacy,
        unsupported_types=tuple(unsupported_types),
    )
    param = "function_call" if is_legacy else "tool_choice"
    if not functions and not unsupported_types:
        return replace(offer, tool_choice="none")
    offer = _apply_choice(offer, body.get(param), param, agent_tools)
    if not offer.functions and offer.tool_choice == "required":
        raise Refused(
            f"{param} requires a call, but the request has no function and no custom tool, and only their "
            "calls can be emulated.",
            param=param,
            code="invalid_tool_choice",
        )
    return offer if offer.functions else replace(offer, tool_choice="none")


def _add_function(functions: dict[str, OfferedFunction], function: OfferedFunction, param: str) -> None:
    if function.name in functions:
        message = f"{param}: names must be unique, and {function.name!r} is offered twice."
        raise Refused(message, param=param, code="invalid_function")
    functions[function.name] = function


def _parse_function(given: JSONObject, param: str, *, is_custom: bool = False) -> OfferedFunction:
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(
            f"{param}: a function or custom tool has no name.", param=param, code="invalid_function"
        )
    description = given.get("description")
    parameters = None if is_custom else to_object(given.get("parameters"))
    form = to_object(given.get("format")) or {}
    return OfferedFunction(
        name,
        description if isinstance(description, str) else "",
        parameters or NO_ARGUMENTS,
        is_custom=is_custom,
        grammar=to_object(form.get("grammar")) if is_custom else None,
        is_strict=given.get("strict") is True,
    )


def _apply_choice(offer: Offer, choice: object, param: str, agent_tools: Collection[str]) -> Offer:
    if choice is None or choice == "auto":
        return offer
    if choice == "none":
        return replace(offer, functions={}, tool_choice="none")
    if choice == "required":
        return replace(offer, tool_choice="required")
    fields = to_object(choice) or {}
    allowed = to_object(fields.get("allowed_tools"))
    if allowed is not None:
        return _allow(offer, allowed, param, agent_tools)
    name = _chosen_name(fields)
    if _chooses_agent_tool(fields, agent_tools):
        return offer
    function = _find_function(offer, name if _chooses_function(fields) else "", param)
    return replace(offer, functions={name: function}, tool_choice="required", is_named=True)


def _allow(offer: Offer, allowed: JSONObject, param: str, agent_tools: Collection[str]) -> Offer:
    """Keep the functions that `allowed_tools` names; it may name hosted tools too."""
    tools = [to_object(tool) or {} for tool in to_list(allowed.get("tools")) or []]
    others = [tool for tool in tools if not _chooses_agent_tool(tool, agent_tools)]
    names = [_chosen_name(tool) for tool in others if _chooses_function(tool)]
    # A call is required only where the agent cannot use a tool of its own instead.
    is_required = allowed.get("mode") == "required" and len(others) == len(tools)
    functions = {name: _find_function(offer, name, param) for name in names}
    return replace(offer, functions=functions, tool_choice="required" if is_required else "auto")


def _chooses_agent_tool(choice: JSONObject, agent_tools: Collection[str]) -> bool:
    """Whether a choice is of a tool of the agent, by its name or its type."""
    return _is_agent_tool(_chosen_name(choice), agent_tools) or _names_one_of(agent_tools, choice.get("type"))


def _chooses_function(choice: JSONObject) -> bool:
    """Whether a choice is of a function or a custom tool, and not of a hosted tool."""
    return choice.get("type", "function") in ("function", "custom")


def _is_agent_tool(name: object, agent_tools: Collection[str]) -> bool:
    """Whether the agent has a tool of this name; a function named like a hosted tool is the caller's."""
    return _names_one_of(agent_tools, name) and name not in HOSTED_TOOLS


def _names_one_of(names: Collection[str], given: object) -> bool:
    """Whether a value of any type is one of the names."""
    return isinstance(given, str) and given in names


def _chosen_name(choice: JSONObject) -> str:
    """Return the name in `{"function": {"name": ...}}`, `{"custom": {"name": ...}}` or `{"name": ...}`."""
    inner = to_object(choice.get("function")) or to_object(choice.get("custom")) or choice
    return str(inner.get("name", ""))


def _find_function(offer: Offer, name: str, param: str) -> OfferedFunction:
    function = offer.functions.get(name)
    if function is None:
        named = f"{name!r}, which is not among the functions" if name else "no function or custom tool"
        message = f"{param} names {named} of this request, and only their calls can be emulated."
        raise Refused(message, param=param, code="invalid_tool_choice")
    return function
