"""Tables of what becomes of parameters, messages and tools, made by translating requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from markdown_tables import code, fields, json_text, lines, listed, table

from tess_openai.core.changes import Change
from tess_openai.core.chat.parameters import TOOL_PARAMETERS, UNSUPPORTED, Parameter
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat_call import translate_request
from tess_openai.core.completions.completion_parameters import COMPLETIONS_UNSUPPORTED
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.responses.response_parameters import RESPONSES_NAME_OF_CHAT, RESPONSES_UNSUPPORTED
from tess_openai.edge.caller_warnings import CATEGORIES

WEATHER: Final = {"type": "function", "function": {"name": "weather"}}
TEMPERATURES: Final = (0.5, 1, "0.25", 0.7, 1.3, None)
TOOLS: Final[tuple[JSONObject, ...]] = (
    {"tools": "internet"},
    {"tools": []},
    {"tools": ["i", "n", "t", "e", "r", "n", "e", "t"]},
    {"tools": [{"type": "web_search"}]},
    {"web_search_options": {}},
    {"web_search_options": {"search_context_size": "high"}},
    {"tools": ["internet", "twitter"]},
    {"tools": [WEATHER]},
    {"tools": [WEATHER, {"type": "web_search"}]},
    {"tools": [WEATHER], "tool_choice": "none"},
    {"tools": [WEATHER], "tool_choice": "auto"},
    {"tools": [WEATHER], "tool_choice": "required"},
    {"functions": [{"name": "weather"}]},
    {"tools": "internet", "tool_choice": "required"},
    {"parallel_tool_calls": True},
)
IMAGE: Final = {"type": "image_url", "image_url": {"url": "data:..."}}
FILE: Final = {"type": "file", "file": {"file_id": "389571"}}
CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
MESSAGES: Final[tuple[list[JSONObject], ...]] = (
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    [{"role": "developer", "content": "Be brief."}],
    [{"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}],
    [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}],
    [{"role": "user", "content": [{"type": "text", "text": "Sum it up."}, FILE]}],
    [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
    [{"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"}],
    [{"role": "user", "name": "ada", "content": "Hi"}],
    [{"role": "assistant", "content": "Hi", "refusal": None, "annotations": []}],
    [{"role": "assistant", "content": None, "refusal": "I would rather not."}],
    [{"role": "assistant", "content": ""}, {"role": "user", "content": "Hi"}],
    [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}],
)


def parameters() -> str:
    """List the parameters that Tess lacks."""
    return _unsupported(UNSUPPORTED)


def responses_parameters() -> str:
    """List the parameters of the Responses API that Tess and chat lack."""
    return _unsupported(RESPONSES_UNSUPPORTED)


def responses_names() -> str:
    """List the parameters of the Responses API that have another name in chat."""
    rows = (
        (code(name), code(chat))
        for chat, name in sorted(RESPONSES_NAME_OF_CHAT.items(), key=lambda pair: pair[1])
    )
    return table(("Responses", "chat"), rows)


def completions_parameters() -> str:
    """List the parameters of legacy completions that Tess and chat lack."""
    return _unsupported(COMPLETIONS_UNSUPPORTED)


def _unsupported(unsupported: Mapping[str, Parameter]) -> str:
    return table(
        ("parameter", "what you do not get", "asks for nothing", "emulated on request"),
        (
            (
                code(name),
                parameter.consequence,
                ", ".join(code(json_text(value)) for value in parameter.neutral),
                "yes" if parameter.can_emulate else "",
            )
            for name, parameter in sorted(unsupported.items())
        ),
    )


def policy_names() -> str:
    """List the parameters that `unsupported=` may name."""
    rest = sorted(POLICY_PARAMETERS - UNSUPPORTED.keys() - TOOL_PARAMETERS)
    return (
        f"`unsupported=` may name each parameter above, the tool parameters {listed(TOOL_PARAMETERS)}, "
        f"and {listed(rest)}."
    )


def temperature() -> str:
    """List how temperatures are translated."""
    return _translations([{"temperature": value} for value in TEMPERATURES])


def tools() -> str:
    """List how tools are translated."""
    return _translations(TOOLS)


def messages() -> str:
    """List how messages are translated."""
    rows: list[tuple[str, str, str]] = []
    for given in MESSAGES:
        prepared = translate_request({"messages": given}, Options(), new_id=lambda: "0")
        sent = "the same" if prepared.untouched else lines(prepared.body.pop("messages"))
        beside = {} if prepared.untouched else prepared.body
        rows.append((lines(given), "<br>".join(filter(None, (sent, fields(beside)))), _reported_as(prepared)))
    return table(("given", "sent", "summary"), rows)


def _translations(bodies: Iterable[JSONObject]) -> str:
    """List how root fields are translated."""
    rows: list[tuple[str, str, str]] = []
    for given in bodies:
        prepared = translate_request(given, Options(), new_id=lambda: "0")
        rows.append((fields(given), fields(prepared.body) or "nothing", _reported_as(prepared)))
    return table(("given", "sent", "summary"), rows)


def _reported_as(prepared: TranslatedRequest) -> str:
    return ", ".join(dict.fromkeys(_report_of(change) for change in prepared.ledger.changes))


def _report_of(change: Change) -> str:
    return "ledger" if change.warn is None else code(CATEGORIES[change.warn].__name__)
