"""Functions, a hosted tool and choices of them, and what the translation makes of a request with them."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

from tess_openai.core.changes import Action, Topic
from tess_openai.core.chat.parameters import TOOL_PARAMETERS
from tess_openai.core.chat_call import translate_request
from tess_openai.core.options import Options

prepare = partial(translate_request, new_id=lambda: "0123456789ab")
JSON: TypeAlias = dict[str, Any]
Reported: TypeAlias = list[tuple[Action, str, Topic | None]]
FUNCTION: JSON = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
SEARCH: JSON = {"type": "web_search"}


def sent_and_reported(given: JSON, **options: Any) -> tuple[JSON, Reported]:
    """Return the tool parameters that are sent, and (action, param, warning) of each change."""
    translated = prepare(given, Options(**options))
    reported = [(change.action, change.param, change.warn) for change in translated.ledger.changes]
    return {name: value for name, value in translated.body.items() if name in TOOL_PARAMETERS}, reported
