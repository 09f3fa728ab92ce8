"""Tools: OpenAI's list of tools to Tess's one word.

Source: Tess docs, open-ai-compat: "the tools parameter is a string enum"; list-agents shows the words
(`no-tools`, `internet`, ...) (documented). One tool per execution (reported). A list was refused or at least
given up by a user (observed, weak).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tess_openai.core.changes import describe
from tess_openai.core.chat.parameters import EMULATE
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options

NO_TOOLS: Final = "no-tools"
WEB_SEARCH: Final = "web_search"


@dataclass(frozen=True, slots=True)
class TessTools:
    """What becomes of all tool parameters together.

    Attributes:
        word: The word to send as `tools`; None to send none.
        as_given: Send every tool parameter as the caller gave it.
        emulate: The adapter answers for the caller's functions itself.
    """

    word: str | None
    as_given: bool = False
    emulate: bool = False


@dataclass(frozen=True, slots=True)
class _Given:
    """The caller's tools, sorted."""

    words: tuple[str, ...]  # of Tess's enum, in order, each once
    functions: int  # functions, custom tools and hosted tools that have no word
    mapped: str  # what stood for the words, if it was not a word; for the ledger


def to_tools(body: JSONObject, options: Options, ledger: Ledger) -> TessTools:
    """Translate `tools`, `functions`, `tool_choice`, `function_call`, `web_search_options` and the like.

    Raises:
        Refused: Something would be lost, and the policy says `"error"`.
    """
    given = _read(body, options.tool_names)
    wants_none = body.get("tool_choice") == "none" or body.get("function_call") == "none"
    if wants_none and not isinstance(body.get("tools"), str):
        return TessTools(options.tools)
    word = given.words[0] if given.words else options.tools
    if given.mapped:
        ledger.mapped("tools", given.mapped, given.words[0], "Tess names one tool by a word")
    if len(given.words) > 1:
        verdict = ledger.lose(
            "tools",
            given=", ".join(given.words),
            sent=given.words[0],
            why="Tess runs one tool per call, so only the first is sent",
            remedy="Ask for one tool a call.",
            action="rewritten",
            topic="tools",
        )
        if verdict == "keep":
            return TessTools(None, as_given=True)
    if given.functions:
        return _lose_functions(body, given, word, ledger)
    if _demand(body, options.tool_names) is not None or (wants_none and given.words):
        verdict = ledger.lose(
            "tool_choice",
            given=describe(body.get("tool_choice", body.get("function_call"))),
            why="the agent decides itself whether it uses its tool",
            topic="tools",
        )
        if verdict == "keep":
            return TessTools(word, as_given=True)
    return TessTools(word)


def _lose_functions(body: JSONObject, given: _Given, word: str | None, ledger: Ledger) -> TessTools:
    param = "tools" if to_list(body.get("tools")) else "functions"
    sent = given.words[0] if given.words else NO_TOOLS
    verdict = ledger.lose(
        param,
        given=f"{given.functions} function{'s' if given.functions > 1 else ''}",
        sent=sent,
        why="Tess cannot call your functions, so the answer is made without them",
        remedy=EMULATE % param,
        topic="tools",
        can_emulate=True,
    )
    if verdict == "emulate":
        return TessTools(word, emulate=True)
    if verdict == "keep":
        return TessTools(None, as_given=True)
    demand = _demand(body, {})
    if demand is not None:
        ledger.lose(
            demand,
            given=describe(body[demand]),
            why="a function call was demanded and none will come: the answer is prose",
            remedy=EMULATE % param,
            topic="tools",
        )
    return TessTools(sent)


def _read(body: JSONObject, names: Mapping[str, str]) -> _Given:
    tools = body.get("tools")
    if isinstance(tools, str):
        return _Given((tools,) if tools else (), 0, "")
    items = to_list(tools) or []
    if items and all(isinstance(item, str) for item in items):
        return _read_strings([str(item) for item in items])
    words: dict[str, str] = {}
    functions = len(to_list(body.get("functions")) or [])
    for item in items:
        kind, name = _kind_and_name(item)
        word = names.get(name) or names.get(kind)
        if word is None:
            functions += 1
        else:
            words.setdefault(word, name if name in names else kind)
    if body.get("web_search_options") is not None and WEB_SEARCH in names:
        words.setdefault(names[WEB_SEARCH], "web_search_options")
    return _Given(tuple(words), functions, ", ".join(words.values()))


def _read_strings(items: list[str]) -> _Given:
    """Read a list of words, or one word that the SDK's `.stream()` spelt into letters."""
    if len(items) > 1 and all(len(item) == 1 for item in items):
        return _Given(("".join(items),), 0, f"a list of {len(items)} letters")
    words = tuple(dict.fromkeys(item for item in items if item))
    return _Given(words, 0, "a list of words" if words else "")


def _kind_and_name(item: object) -> tuple[str, str]:
    """Return type and name of `{"type": "function", "function": {"name": ...}}` and its relatives."""
    tool = to_object(item) or {}
    kind = tool.get("type")
    inner = to_object(tool.get(kind)) if isinstance(kind, str) else None
    name = (inner or tool).get("name")
    return kind if isinstance(kind, str) else "", name if isinstance(name, str) else ""


def _demand(body: JSONObject, names: Mapping[str, str]) -> str | None:
    """Return the parameter that demands a call, `tool_choice` or `function_call`; None when none does.

    A demand for a hosted tool that has a word in `names` is met by sending the word.
    """
    for param in ("tool_choice", "function_call"):
        choice = body.get(param)
        if choice in (None, "auto", "none"):
            continue
        kind, name = _kind_and_name(choice)
        if kind == "allowed_tools":
            if (to_object((to_object(choice) or {}).get("allowed_tools")) or {}).get("mode") == "required":
                return param
        elif kind not in names and name not in names:
            return param
    return None
