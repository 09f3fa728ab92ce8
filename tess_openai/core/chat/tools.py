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
from tess_openai.core.chat.parameters import EMULATE, TOOL_PARAMETERS
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger, Verdict
from tess_openai.core.options import HOSTED_TOOLS, Options

NO_TOOLS: Final = "no-tools"
WEB_SEARCH: Final = "web_search"
CHOICES: Final = ("tool_choice", "function_call")


@dataclass(frozen=True, slots=True)
class TessTools:
    """What becomes of all tool parameters together.

    Attributes:
        word: The word to send as `tools`; None to send none.
        kept: The tool parameters to send as the caller gave them.
        emulate: The adapter answers for the caller's functions itself.
    """

    word: str | None
    kept: frozenset[str] = frozenset()
    emulate: bool = False


_ALL_AS_GIVEN: Final = TessTools(None, TOOL_PARAMETERS)


@dataclass(frozen=True, slots=True)
class _Given:
    """The caller's tools, sorted."""

    words: Mapping[str, str]  # of Tess's enum, in order -> what stood for it; "" for the word itself
    functions: int  # functions, custom tools and hosted tools that have no word

    @property
    def first(self) -> str | None:
        return next(iter(self.words), None)


def to_tools(body: JSONObject, options: Options, ledger: Ledger) -> TessTools:
    """Translate `tools`, `functions`, `tool_choice`, `function_call`, `web_search_options` and the like.

    What is neither a word nor a list is sent as given, so that Tess can say so.

    Raises:
        Refused: Something would be lost, and the policy says `"error"`.
    """
    if TOOL_PARAMETERS.isdisjoint(body):
        return TessTools(options.tools)
    if not isinstance(body.get("tools"), str | list | None) or not isinstance(
        body.get("functions"), list | None
    ):
        return _ALL_AS_GIVEN
    given = _read(body, options.tool_names)
    declined = next((name for name in CHOICES if body.get(name) == "none"), None)
    if declined is not None and not isinstance(body.get("tools"), str):
        return TessTools(options.tools)
    word = options.tools if given.first is None else given.first
    if given.first is not None and given.words[given.first]:
        ledger.mapped("tools", given.words[given.first], given.first, "Tess names one tool by a word")
    if given.first is not None and len(given.words) > 1:
        verdict = ledger.lose(
            "tools",
            given=", ".join(given.words),
            sent=given.first,
            why="Tess runs one tool per call, so only the first is sent",
            remedy="Ask for one tool a call.",
            action="rewritten",
            topic="tools",
        )
        if verdict == "keep":
            return _ALL_AS_GIVEN
    if given.functions:
        return _lose_functions(body, given, word, ledger)
    demand = _demand(body, options.tool_names) or (declined if given.words else None)
    if demand is None:
        return TessTools(word)
    by_itself = "the agent decides itself whether it uses its tool"
    verdict = ledger.lose(
        demand,
        given=describe(body[demand]),
        why=by_itself if given.words else "there are no tools to choose from",
        topic="tools" if given.words else None,  # some clients demand a call of nothing, unasked
    )
    return TessTools(word, _kept(demand, verdict))


def _lose_functions(body: JSONObject, given: _Given, word: str | None, ledger: Ledger) -> TessTools:
    param = next((name for name in ("tools", "functions") if to_list(body.get(name))), "web_search_options")
    sent = NO_TOOLS if given.first is None else given.first
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
        return _ALL_AS_GIVEN
    demand = _demand(body, {})
    if demand is None:
        return TessTools(sent)
    verdict = ledger.lose(
        demand,
        given=describe(body[demand]),
        why="a function call was demanded and none will come: the answer is prose",
        remedy=EMULATE % param,
        topic="tools",
    )
    return TessTools(sent, _kept(demand, verdict))


def _kept(param: str, verdict: Verdict) -> frozenset[str]:
    return frozenset({param}) if verdict == "keep" else frozenset()


def _read(body: JSONObject, names: Mapping[str, str]) -> _Given:
    tools = body.get("tools")
    words = {tools: ""} if isinstance(tools, str) and tools else dict[str, str]()
    functions = len(to_list(body.get("functions")) or [])
    for item in _joined(to_list(tools) or []):
        if isinstance(item, str):
            if item:
                words.setdefault(item, "a list")
            continue
        kind, name = _kind_and_name(item)
        known = _known(kind, name, names)
        if known is None:
            functions += 1
        else:
            words.setdefault(names[known], known)
    if body.get("web_search_options") is not None:
        word = names.get(WEB_SEARCH)
        if word is None:
            functions += 1
        else:
            words.setdefault(word, "web_search_options")
    return _Given(words, functions)


def _joined(items: list[object]) -> list[object]:
    """Return the one word that the SDK's `.stream()` spelt into letters; other lists as they are."""
    letters = [item for item in items if isinstance(item, str) and len(item) == 1]
    return ["".join(letters)] if len(items) > 1 and len(letters) == len(items) else items


def _kind_and_name(item: object) -> tuple[str, str]:
    """Return type and name of `{"type": "function", "function": {"name": ...}}` and its relatives."""
    tool = to_object(item) or {}
    kind = tool.get("type")
    inner = to_object(tool.get(kind)) if isinstance(kind, str) else None
    name = (inner or tool).get("name")
    return kind if isinstance(kind, str) else "", name if isinstance(name, str) else ""


def _known(kind: str, name: str, names: Mapping[str, str]) -> str | None:
    """Return the name or the type of a tool that has a word; None when it has none.

    A function that is called like a hosted tool is the caller's own.
    """
    if name in names and name not in HOSTED_TOOLS:
        return name
    return kind if kind in names else None


def _demand(body: JSONObject, names: Mapping[str, str]) -> str | None:
    """Return which of `CHOICES` demands a call; None when none does.

    A demand for a hosted tool that has a word in `names` is met by sending the word.
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
