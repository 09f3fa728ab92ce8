"""Map OpenAI's list of tools to the single value of Tess's `tools` enum.

Source: Tess docs, open-ai-compat: "the tools parameter is a string enum"; list-agents shows its values
(`no-tools`, `internet`, ...) (documented). One tool per execution (reported). A user reports that a list did
not work (observed, weak).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tess_openai.core.changes import counted, describe
from tess_openai.core.chat.parameters import EMULATE_REMEDY, TOOL_PARAMETERS
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger, PolicyDecision
from tess_openai.core.options import HOSTED_TOOLS, Options

NO_TOOLS: Final = "no-tools"
WEB_SEARCH: Final = "web_search"
CHOICE_PARAMETERS: Final = ("tool_choice", "function_call")
"""Parameters that require or forbid a tool call; the second is the older one."""
_SHOWN_CHOICES: Final = ("required", "none", "auto", "function", "custom", "allowed_tools", "web_search")


@dataclass(frozen=True, slots=True)
class TessTools:
    """The translation of all tool parameters together.

    Attributes:
        tool: The value to send as `tools`; None to send none.
        kept: The tool parameters to send as the caller gave them.
        emulate: Whether the adapter emulates calls of the caller's functions.
    """

    tool: str | None
    kept: frozenset[str] = frozenset()
    emulate: bool = False


_PROGRAM_TOOLS: Final = ("function", "custom", "")
"""Types of tools that the caller's program runs; `""`: a tool without a type is treated as a function."""
_DEFAULT_SETTING: Final = ("search_context_size", "medium")
"""Source: OpenAI's API reference, the default (documented)."""
_NEUTRAL_VALUES: Final[Mapping[str, tuple[object, ...]]] = {
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "auto"),
    "function_call": (None, "auto"),
    "parallel_tool_calls": (None, True),
    "web_search_options": (None,),
}
_NO_SETTINGS: Final = "Tess takes a tool's name only, so the tool runs with the agent's settings"
_NAME_A_TOOL: Final = 'Name a tool of the agent for it: create_client(tool_names={"my_search": "internet"}).'


@dataclass(frozen=True, slots=True)
class _GivenTools:
    """The caller's tools, divided by what Tess can do with them."""

    selected: Mapping[str, str]  # value of Tess's enum -> the caller's name; "" where they are equal
    settings: int  # how many settings the selected tools have, which Tess does not take
    functions: int  # how many functions and custom tools the caller's program has
    unmapped: tuple[str, ...]  # types of hosted tools without a value in Tess's enum

    @property
    def first(self) -> str | None:
        return next(iter(self.selected), None)


def to_tools(body: JSONObject, options: Options, ledger: Ledger) -> TessTools:
    """Translate all parameters in `TOOL_PARAMETERS`.

    When `tools` or `functions` has a wrong type, all are sent unchanged, so that Tess reports the error.

    Raises:
        Refused: A parameter is not supported, and the policy is `"error"`.
    """
    if TOOL_PARAMETERS.isdisjoint(body):
        return TessTools(options.tools)
    if not isinstance(body.get("tools"), str | list | None) or not isinstance(
        body.get("functions"), list | None
    ):
        return TessTools(None, TOOL_PARAMETERS)
    given = _parse_tools(body, options.tool_names)
    forbidding = next((name for name in CHOICE_PARAMETERS if body.get(name) == "none"), None)
    if forbidding is not None and not isinstance(body.get("tools"), str):
        return TessTools(options.tools)
    if _record_selection(given, ledger) == "keep":
        return _forward_tools("tools", body, ledger)
    kept = frozenset[str]() if given.first is None else _decide_search_options(body, ledger)
    tool = options.tools if given.first is None else given.first
    if given.functions or given.unmapped:
        decided = _decide_functions(body, given, tool, ledger, kept)
        return (
            _without_hosted_choice(decided, body, options.tool_names, ledger) if decided.emulate else decided
        )
    requiring = _requiring_choice(body, options.tool_names) or (forbidding if given.selected else None)
    if requiring is None:
        return TessTools(tool, kept)
    agent_decides = "the agent itself decides whether it uses its tool"
    decision = ledger.resolve_unsupported(
        requiring,
        given=_describe_choice(body[requiring]),
        why=agent_decides if given.selected else "there are no tools to choose from",
        quiet=not given.selected,  # some clients always require a tool call, even without tools
    )
    return TessTools(tool, kept | _kept_params(requiring, decision))


def _record_selection(given: _GivenTools, ledger: Ledger) -> PolicyDecision:
    """Record how the tools become a single value; `"keep"` when they are sent unchanged instead."""
    if given.first is None:
        return "drop"
    is_lossy = len(given.selected) > 1 or bool(given.settings or given.functions or given.unmapped)
    if given.selected[given.first] and not (is_lossy and ledger.policy.action_for("tools") == "forward"):
        ledger.mapped("tools", given.selected[given.first], given.first, "Tess takes the name of one tool")
    if len(given.selected) > 1:
        decision = ledger.resolve_unsupported(
            "tools",
            given=", ".join(given.selected),
            sent=given.first,
            why="Tess runs one tool per request, so only the first is sent",
            remedy="Use one tool per call.",
            recorded_as="rewritten",
        )
        if decision == "keep":
            return decision
    if not given.settings:
        return "drop"
    return ledger.resolve_unsupported(
        "tools", given=counted(given.settings, "setting") + " of a tool", why=_NO_SETTINGS
    )


def _decide_search_options(body: JSONObject, ledger: Ledger) -> frozenset[str]:
    """Ask the policy about settings in `web_search_options`; return the parameters that are forwarded."""
    name = "web_search_options"
    if not _settings(body.get(name)):
        return frozenset()
    return _kept_params(name, ledger.resolve_unsupported(name, given=describe(body[name]), why=_NO_SETTINGS))


def _decide_functions(
    body: JSONObject, given: _GivenTools, tool: str | None, ledger: Ledger, kept: frozenset[str]
) -> TessTools:
    """Ask the policy about the tools that Tess lacks: functions, custom tools and unmapped hosted tools."""
    param = next((name for name in ("tools", "functions") if to_list(body.get(name))), "web_search_options")
    sent = NO_TOOLS if given.first is None else given.first
    functions = counted(given.functions, "function") if given.functions else ""
    remedy = EMULATE_REMEDY if given.functions else _NAME_A_TOOL
    decision = ledger.resolve_unsupported(
        param,
        given=", ".join(filter(None, (functions, _listed_types(given)))),
        sent=sent,
        why=_why_not_sent(given),
        remedy=remedy,
        can_emulate=True,
    )
    if decision == "emulate":
        return TessTools(tool, kept, emulate=True)
    if decision == "keep":
        return _forward_tools(param, body, ledger)
    parallel = "parallel_tool_calls"
    # A parameter that the policy does not name is left out together with the functions.
    if body.get(parallel) is False and ledger.policy.has_own(parallel):
        why = "no functions are called, neither one by one nor in parallel"
        decision = ledger.resolve_unsupported(parallel, given=describe(body[parallel]), why=why)
        kept |= _kept_params(parallel, decision)
    requiring = _requiring_choice(body, {})
    if requiring is None:
        return TessTools(sent, kept)
    decision = ledger.resolve_unsupported(
        requiring,
        given=_describe_choice(body[requiring]),
        why="Tess makes no function calls, so the answer is text",
        remedy=remedy,
    )
    return TessTools(sent, kept | _kept_params(requiring, decision))


def _without_hosted_choice(
    tools: TessTools, body: JSONObject, names: Mapping[str, str], ledger: Ledger
) -> TessTools:
    """Ask the policy about a choice that requires a tool of the agent, while functions are emulated."""
    choice = body.get("tool_choice")
    allowed = to_object((to_object(choice) or {}).get("allowed_tools"))
    required = [choice] if allowed is None else to_list(allowed.get("tools")) or []
    if allowed is not None and allowed.get("mode") != "required":
        return tools
    if all(_known_key(*_kind_and_name(item), names) is None for item in required):
        return tools
    why = "the agent itself decides whether it uses its tool"
    decision = ledger.resolve_unsupported("tool_choice", given=_describe_choice(choice), why=why)
    return TessTools(tools.tool, tools.kept | _kept_params("tool_choice", decision), emulate=True)


def _forward_tools(param: str, body: JSONObject, ledger: Ledger) -> TessTools:
    """Forward `param` unchanged, and the other tool parameters unless the policy says otherwise."""
    kept = TOOL_PARAMETERS
    for name in sorted(TOOL_PARAMETERS - {param}):
        value = body.get(name)
        if value in _NEUTRAL_VALUES[name] or (name == "tools" and isinstance(value, str)):
            continue
        given, why = describe(value), "Tess does not have it"
        if ledger.resolve_unsupported(name, given=given, why=why, parent=param) != "keep":
            kept -= {name}
    return TessTools(None, kept)


def _why_not_sent(given: _GivenTools) -> str:
    named = _listed_types(given)
    if not given.functions:
        them = "it" if len(given.unmapped) == 1 else "them"
        return f"Tess has no name for {named}, so the answer is made without {them}"
    rest = f" and has no name for {named}" if named else ""
    return f"Tess cannot call your functions{rest}, so the answer is made without them"


def _listed_types(given: _GivenTools) -> str:
    """List the types of the hosted tools that Tess lacks, `"file_search, mcp"`."""
    return ", ".join(dict.fromkeys(kind if _is_type(kind) else "another tool" for kind in given.unmapped))


def _describe_choice(choice: object) -> str:
    """Describe a choice, with its type where that could be one of OpenAI's."""
    kind = _kind_and_name(choice)[0]
    return describe(choice, (*_SHOWN_CHOICES, kind) if _is_type(kind) else _SHOWN_CHOICES)


def _is_type(kind: str) -> bool:
    """Whether a text could be a type of OpenAI's, so that a message may show it."""
    return kind.isascii() and kind.isidentifier() and len(kind) < 40


def _kept_params(param: str, decision: PolicyDecision) -> frozenset[str]:
    return frozenset({param}) if decision == "keep" else frozenset()


def _parse_tools(body: JSONObject, names: Mapping[str, str]) -> _GivenTools:
    tools = body.get("tools")
    selected = {tools: ""} if isinstance(tools, str) and tools else dict[str, str]()
    functions = len(to_list(body.get("functions")) or [])
    settings, unmapped = 0, list[str]()
    for item in _join_letters(to_list(tools) or []):
        if isinstance(item, str):
            if item:
                selected.setdefault(item, "a list")
            continue
        kind, name = _kind_and_name(item)
        known = _known_key(kind, name, names)
        if known is not None:
            selected.setdefault(names[known], known)
            settings += _settings(item) if known == kind else 0  # those of a function are its description
        elif kind in _PROGRAM_TOOLS:
            functions += 1
        else:
            unmapped.append(kind)
    if body.get("web_search_options") is not None:
        tool = names.get(WEB_SEARCH)
        if tool is None:
            unmapped.append(WEB_SEARCH)
        else:
            selected.setdefault(tool, "web_search_options")
    return _GivenTools(selected, settings, functions, tuple(unmapped))


def _settings(tool: object) -> int:
    """Count the settings of a hosted tool."""
    return sum(
        name != "type" and value not in (None, [], {}, "") and (name, value) != _DEFAULT_SETTING
        for name, value in (to_object(tool) or {}).items()
    )


def _join_letters(items: list[object]) -> list[object]:
    """Join a string that the SDK's `.stream()` split into letters; other lists are not changed."""
    letters = [item for item in items if isinstance(item, str) and len(item) == 1]
    return ["".join(letters)] if len(items) > 1 and len(letters) == len(items) else items


def _kind_and_name(item: object) -> tuple[str, str]:
    """Return the type and the name of a tool such as `{"type": "function", "function": {"name": ...}}`."""
    tool = to_object(item) or {}
    kind = tool.get("type")
    inner = to_object(tool.get(kind)) if isinstance(kind, str) else None
    name = (inner or tool).get("name")
    return kind if isinstance(kind, str) else "", name if isinstance(name, str) else ""


def _known_key(kind: str, name: str, names: Mapping[str, str]) -> str | None:
    """Return the key of a tool in `names`, its name or its type; None when it has none.

    A function whose name is that of a hosted tool belongs to the caller's program.
    """
    if name in names and name not in HOSTED_TOOLS:
        return name
    return kind if kind in names else None


def _requiring_choice(body: JSONObject, names: Mapping[str, str]) -> str | None:
    """Return the parameter in `CHOICE_PARAMETERS` that requires a tool call; None when neither does.

    The choice of a hosted tool in `names` requires no call: sending the value of that tool is enough.
    """
    for param in CHOICE_PARAMETERS:
        choice = body.get(param)
        if choice in (None, "auto", "none"):
            continue
        kind, name = _kind_and_name(choice)
        if kind == "allowed_tools":
            if (to_object((to_object(choice) or {}).get("allowed_tools")) or {}).get("mode") == "required":
                return param
        elif _known_key(kind, name, names) is None:
            return param
    return None
