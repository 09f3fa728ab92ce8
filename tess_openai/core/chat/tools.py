"""Map OpenAI's list of tools to the one word that Tess takes.

Source: Tess docs, open-ai-compat: "the tools parameter is a string enum"; list-agents shows the words
(`no-tools`, `internet`, ...) (documented). One tool per execution (reported). A user reports that a list did
not work (observed, weak).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tess_openai.core.changes import counted, describe
from tess_openai.core.chat.parameters import EMULATE, TOOL_PARAMETERS
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger, PolicyDecision
from tess_openai.core.options import HOSTED_TOOLS, Options

NO_TOOLS: Final = "no-tools"
WEB_SEARCH: Final = "web_search"
CHOICES: Final = ("tool_choice", "function_call")
_CHOICE_WORDS: Final = ("required", "none", "auto", "function", "custom", "allowed_tools", "web_search")


@dataclass(frozen=True, slots=True)
class TessTools:
    """The result for all tool parameters together.

    Attributes:
        word: The word to send as `tools`; None to send none.
        kept: The tool parameters to send as the caller gave them.
        emulate: Whether the adapter emulates calls of the caller's functions.
    """

    word: str | None
    kept: frozenset[str] = frozenset()
    emulate: bool = False


_CALLERS_OWN: Final = ("function", "custom", "")
"""Types of tools that the caller's program runs; a tool without a type is treated as a function."""
_USUAL_CONTEXT: Final = ("search_context_size", "medium")
"""Source: OpenAI's API reference, the default (documented)."""
_ASKS_FOR_NOTHING: Final[Mapping[str, tuple[object, ...]]] = {
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "auto"),
    "function_call": (None, "auto"),
    "parallel_tool_calls": (None, True),
    "web_search_options": (None,),
}
_NO_SETTINGS: Final = "Tess takes a tool's name only, so the tool runs with the agent's settings"
_NAME_A_WORD: Final = 'Name a tool of the agent for it: create_client(tool_names={"my_search": "internet"}).'


@dataclass(frozen=True, slots=True)
class _Given:
    """The caller's tools, sorted."""

    words: Mapping[str, str]  # word of Tess's enum, in order -> the caller's name; "" for the word itself
    settings: int  # of the tools that have a word, which cannot carry them
    functions: int  # of the caller's program, custom tools included
    wordless: tuple[str, ...]  # types of hosted tools that have no word

    @property
    def first(self) -> str | None:
        return next(iter(self.words), None)


def to_tools(body: JSONObject, options: Options, ledger: Ledger) -> TessTools:
    """Translate `tools`, `functions`, `tool_choice`, `function_call`, `web_search_options` and the like.

    Anything but a word or a list is sent as given, so that Tess reports it.

    Raises:
        Refused: Something would be lost, and the policy says `"error"`.
    """
    if TOOL_PARAMETERS.isdisjoint(body):
        return TessTools(options.tools)
    if not isinstance(body.get("tools"), str | list | None) or not isinstance(
        body.get("functions"), list | None
    ):
        return TessTools(None, TOOL_PARAMETERS)
    given = _read(body, options.tool_names)
    declined = next((name for name in CHOICES if body.get(name) == "none"), None)
    if declined is not None and not isinstance(body.get("tools"), str):
        return TessTools(options.tools)
    if _record_word(given, ledger) == "keep":
        return _with_tools("tools", body, ledger)
    kept = frozenset[str]() if given.first is None else _decide_search_options(body, ledger)
    word = options.tools if given.first is None else given.first
    if given.functions or given.wordless:
        return _decide_functions(body, given, word, ledger, kept)
    demand = _demand(body, options.tool_names) or (declined if given.words else None)
    if demand is None:
        return TessTools(word, kept)
    by_itself = "the agent itself decides whether it uses its tool"
    verdict = ledger.resolve_unsupported(
        demand,
        given=_describe_choice(body[demand]),
        why=by_itself if given.words else "there are no tools to choose from",
        quiet=not given.words,  # some clients always demand a call, also without tools
    )
    return TessTools(word, kept | _kept(demand, verdict))


def _record_word(given: _Given, ledger: Ledger) -> PolicyDecision:
    """Record how the tools become one word; `"keep"` when they are sent as given instead."""
    if given.first is None:
        return "drop"
    is_lossy = len(given.words) > 1 or bool(given.settings or given.functions or given.wordless)
    if given.words[given.first] and not (is_lossy and ledger.policy.word("tools") == "forward"):
        ledger.mapped("tools", given.words[given.first], given.first, "Tess takes the name of one tool")
    if len(given.words) > 1:
        verdict = ledger.resolve_unsupported(
            "tools",
            given=", ".join(given.words),
            sent=given.first,
            why="Tess runs one tool per call, so only the first is sent",
            remedy="Use one tool per call.",
            action="rewritten",
        )
        if verdict == "keep":
            return verdict
    if not given.settings:
        return "drop"
    return ledger.resolve_unsupported(
        "tools", given=counted(given.settings, "setting") + " of a tool", why=_NO_SETTINGS
    )


def _decide_search_options(body: JSONObject, ledger: Ledger) -> frozenset[str]:
    """Decide about settings in `web_search_options`; return what of it is sent all the same."""
    name = "web_search_options"
    if not _settings(body.get(name)):
        return frozenset()
    return _kept(name, ledger.resolve_unsupported(name, given=describe(body[name]), why=_NO_SETTINGS))


def _decide_functions(
    body: JSONObject, given: _Given, word: str | None, ledger: Ledger, kept: frozenset[str]
) -> TessTools:
    param = next((name for name in ("tools", "functions") if to_list(body.get(name))), "web_search_options")
    sent = NO_TOOLS if given.first is None else given.first
    functions = counted(given.functions, "function") if given.functions else ""
    remedy = EMULATE if given.functions else _NAME_A_WORD
    verdict = ledger.resolve_unsupported(
        param,
        given=", ".join(filter(None, (functions, _listed_types(given)))),
        sent=sent,
        why=_why_without(given),
        remedy=remedy,
        can_emulate=True,
    )
    if verdict == "emulate":
        return TessTools(word, kept, emulate=True)
    if verdict == "keep":
        return _with_tools(param, body, ledger)
    parallel = "parallel_tool_calls"
    # What the policy does not name is left out with the functions.
    if body.get(parallel) is False and ledger.policy.has_own(parallel):
        why = "no functions are called, neither one by one nor in parallel"
        verdict = ledger.resolve_unsupported(parallel, given=describe(body[parallel]), why=why)
        kept |= _kept(parallel, verdict)
    demand = _demand(body, {})
    if demand is None:
        return TessTools(sent, kept)
    verdict = ledger.resolve_unsupported(
        demand,
        given=_describe_choice(body[demand]),
        why="Tess makes no function calls, so the answer is text",
        remedy=remedy,
    )
    return TessTools(sent, kept | _kept(demand, verdict))


def _with_tools(param: str, body: JSONObject, ledger: Ledger) -> TessTools:
    """Forward the tools of `param` as given, and the other tool parameters unless the policy forbids one."""
    kept = TOOL_PARAMETERS
    for name in sorted(TOOL_PARAMETERS - {param}):
        value = body.get(name)
        if value in _ASKS_FOR_NOTHING[name] or (name == "tools" and isinstance(value, str)):
            continue
        given, why = describe(value), "Tess does not have it"
        if ledger.resolve_unsupported(name, given=given, why=why, parent=param) != "keep":
            kept -= {name}
    return TessTools(None, kept)


def _why_without(given: _Given) -> str:
    named = _listed_types(given)
    if not given.functions:
        them = "it" if len(given.wordless) == 1 else "them"
        return f"Tess has no name for {named}, so the answer is made without {them}"
    rest = f" and has no name for {named}" if named else ""
    return f"Tess cannot call your functions{rest}, so the answer is made without them"


def _listed_types(given: _Given) -> str:
    """List the types of the hosted tools that have no word, `"file_search, mcp"`."""
    return ", ".join(dict.fromkeys(kind if _is_type(kind) else "another tool" for kind in given.wordless))


def _describe_choice(choice: object) -> str:
    """Say what a choice is, with its type where that could be one of OpenAI's."""
    kind = _kind_and_name(choice)[0]
    return describe(choice, (*_CHOICE_WORDS, kind) if _is_type(kind) else _CHOICE_WORDS)


def _is_type(kind: str) -> bool:
    """Whether a text could be a type of OpenAI's, so that a message may show it."""
    return kind.isascii() and kind.isidentifier() and len(kind) < 40


def _kept(param: str, verdict: PolicyDecision) -> frozenset[str]:
    return frozenset({param}) if verdict == "keep" else frozenset()


def _read(body: JSONObject, names: Mapping[str, str]) -> _Given:
    tools = body.get("tools")
    words = {tools: ""} if isinstance(tools, str) and tools else dict[str, str]()
    functions = len(to_list(body.get("functions")) or [])
    settings, wordless = 0, list[str]()
    for item in _joined(to_list(tools) or []):
        if isinstance(item, str):
            if item:
                words.setdefault(item, "a list")
            continue
        kind, name = _kind_and_name(item)
        known = _known(kind, name, names)
        if known is not None:
            words.setdefault(names[known], known)
            settings += _settings(item) if known == kind else 0  # those of a function are its description
        elif kind in _CALLERS_OWN:
            functions += 1
        else:
            wordless.append(kind)
    if body.get("web_search_options") is not None:
        word = names.get(WEB_SEARCH)
        if word is None:
            wordless.append(WEB_SEARCH)
        else:
            words.setdefault(word, "web_search_options")
    return _Given(words, settings, functions, tuple(wordless))


def _settings(tool: object) -> int:
    """Count the settings of a hosted tool."""
    return sum(
        name != "type" and value not in (None, [], {}, "") and (name, value) != _USUAL_CONTEXT
        for name, value in (to_object(tool) or {}).items()
    )


def _joined(items: list[object]) -> list[object]:
    """Return the one word that the SDK's `.stream()` split into letters; other lists unchanged."""
    letters = [item for item in items if isinstance(item, str) and len(item) == 1]
    return ["".join(letters)] if len(items) > 1 and len(letters) == len(items) else items


def _kind_and_name(item: object) -> tuple[str, str]:
    """Return type and name of `{"type": "function", "function": {"name": ...}}` and similar tools."""
    tool = to_object(item) or {}
    kind = tool.get("type")
    inner = to_object(tool.get(kind)) if isinstance(kind, str) else None
    name = (inner or tool).get("name")
    return kind if isinstance(kind, str) else "", name if isinstance(name, str) else ""


def _known(kind: str, name: str, names: Mapping[str, str]) -> str | None:
    """Return the name or the type of a tool that has a word; None when it has none.

    A function with the name of a hosted tool is the caller's own.
    """
    if name in names and name not in HOSTED_TOOLS:
        return name
    return kind if kind in names else None


def _demand(body: JSONObject, names: Mapping[str, str]) -> str | None:
    """Return which of `CHOICES` demands a call; None when neither does.

    A demand for a hosted tool that has a word in `names` is fulfilled by sending the word.
    """
    for param in CHOICES:
        choice = body.get(param)
        if choice in (None, "auto", "none"):
            continue
        kind, name = _kind_and_name(choice)
        if kind == "allowed_tools":
            if (to_object((to_object(choice) or {}).get("allowed_tools")) or {}).get("mode") == "required":
                return param
        elif _known(kind, name, names) is None:
            return param
    return None
