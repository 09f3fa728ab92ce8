"""Which functions and custom tools a request offers, and how far it demands a call.

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

Demand: TypeAlias = Literal["auto", "none", "required"]

NO_ARGUMENTS: Final[JSONObject] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class OfferedFunction:
    """A function or custom tool of the caller's program.

    Attributes:
        name: As the caller spells it.
        description: May be empty.
        parameters: The JSON Schema of its arguments; of no meaning for a custom tool.
        is_custom: Whether it is a custom tool, whose input is plain text instead of arguments.
        grammar: What a custom tool demands of its input, `{"syntax": "lark", "definition": "..."}`.
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
    """What may be called in answer to one request.

    Attributes:
        functions: By name; only the one that must be called, when one is named; none when none may be.
        demand: `"none"`: nothing may be called. `"required"`: something must be.
        is_named: Whether the caller named the function to call.
        allows_several: Whether one answer may hold more than one call.
        is_legacy: Whether the caller uses the older `functions` and expects `function_call`.
        left_out: Types of tools that cannot be emulated, such as `"web_search"`.
    """

    functions: dict[str, OfferedFunction]
    demand: Demand = "auto"
    is_named: bool = False
    allows_several: bool = True
    is_legacy: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def param(self) -> str:
        """The parameter that offers the functions."""
        return "functions" if self.is_legacy else "tools"


NO_OFFER: Final = Offer(functions={}, demand="none")
"""For a request without functions whose messages contain earlier calls."""


def parse_offer(body: JSONObject, *, taken: Collection[str] = ()) -> Offer:
    """Read the functions of a request, and whether one must be called.

    Args:
        body: Of the request.
        taken: Names and types of tools that the agent has itself.

    Raises:
        Refused: A function without a name, two of one name, or a choice that OpenAI refuses too.
    """
    tools = to_list(body.get("tools")) or []
    legacy = to_list(body.get("functions")) or []
    functions: dict[str, OfferedFunction] = {}
    left_out: list[str] = []
    for tool in tools:
        if isinstance(tool, str):  # a hosted tool of Tess
            continue
        fields = to_object(tool) or {}
        kind = fields.get("type", "function")
        inner = to_object(fields.get(kind)) if kind in ("function", "custom") else None
        if inner is None:
            if not _names_one_of(taken, kind):
                left_out.append(str(kind))
        elif not _is_taken(inner.get("name"), taken):
            _add(functions, _parse_function(inner, "tools", is_custom=kind == "custom"), "tools")
    for item in legacy:
        _add(functions, _parse_function(to_object(item) or {}, "functions"), "functions")
    is_legacy = bool(legacy) and not tools
    offer = Offer(
        functions=functions,
        allows_several=body.get("parallel_tool_calls") is not False and not is_legacy,
        is_legacy=is_legacy,
        left_out=tuple(left_out),
    )
    param = "function_call" if is_legacy else "tool_choice"
    if not functions and not left_out:
        return replace(offer, demand="none")
    offer = _choose(offer, body.get(param), param, taken)
    if not offer.functions and offer.demand == "required":
        raise Refused(
            f"{param} demands a call, but the request has no function and no custom tool, which alone can "
            "be emulated.",
            param=param,
            code="invalid_tool_choice",
        )
    return offer if offer.functions else replace(offer, demand="none")


def _add(functions: dict[str, OfferedFunction], function: OfferedFunction, param: str) -> None:
    if function.name in functions:
        message = f"{param}: names must be unique, and {function.name!r} is offered twice."
        raise Refused(message, param=param, code="invalid_function")
    functions[function.name] = function


def _parse_function(given: JSONObject, param: str, *, is_custom: bool = False) -> OfferedFunction:
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(f"{param}: a function has no name.", param=param, code="invalid_function")
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


def _choose(offer: Offer, choice: object, param: str, taken: Collection[str]) -> Offer:
    if choice is None or choice == "auto":
        return offer
    if choice == "none":
        return replace(offer, functions={}, demand="none")
    if choice == "required":
        return replace(offer, demand="required")
    fields = to_object(choice) or {}
    allowed = to_object(fields.get("allowed_tools"))
    if allowed is not None:
        names = [_chosen_name(to_object(tool) or {}) for tool in to_list(allowed.get("tools")) or []]
        functions = {name: _find(offer, name, param) for name in names if not _is_taken(name, taken)}
        return replace(
            offer, functions=functions, demand="required" if allowed.get("mode") == "required" else "auto"
        )
    name = _chosen_name(fields)
    if _is_taken(name, taken) or _names_one_of(taken, fields.get("type")):
        return offer
    return replace(offer, functions={name: _find(offer, name, param)}, demand="required", is_named=True)


def _is_taken(name: object, taken: Collection[str]) -> bool:
    """Whether the agent has a function of this name itself; one called like a hosted tool is the caller's."""
    return _names_one_of(taken, name) and name not in HOSTED_TOOLS


def _names_one_of(names: Collection[str], given: object) -> bool:
    """Whether a value that may be anything, a list or an object too, is one of some names."""
    return isinstance(given, str) and given in names


def _chosen_name(choice: JSONObject) -> str:
    """Return the name in `{"type": "function", "function": {"name": ...}}`, its like, or `{"name": ...}`."""
    inner = to_object(choice.get("function")) or to_object(choice.get("custom")) or choice
    return str(inner.get("name", ""))


def _find(offer: Offer, name: str, param: str) -> OfferedFunction:
    function = offer.functions.get(name)
    if function is None:
        raise Refused(
            f"{param} names {name!r}, which is not among the functions of this request.",
            param=param,
            code="invalid_tool_choice",
        )
    return function
