"""Run a program written for OpenAI's Python SDK on a Tess agent by changing one line.

    from tess_openai import create_client
    client = create_client(8794)          # instead of openai.OpenAI()

The names below are loaded when they are first used, so that importing this package stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tess_openai.agent_api import async_get_agent, async_list_agents, get_agent, list_agents
    from tess_openai.client_options import TessOptions
    from tess_openai.clients import (
        Connection,
        connection,
        create_async_client,
        create_client,
    )
    from tess_openai.core.agents import Agent, Question
    from tess_openai.core.changes import Change
    from tess_openai.core.prompts import Prompts
    from tess_openai.core.responses.conversation_store import ResponseStore
    from tess_openai.edge.response_stores import MemoryResponseStore, SQLiteResponseStore
    from tess_openai.exceptions import (
        TessAnswerWarning,
        TessConfigurationError,
        TessConfigurationWarning,
        TessRequestWarning,
        TessWarning,
    )
    from tess_openai.response_changes import changes_of

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "Change",
    "Connection",
    "MemoryResponseStore",
    "Prompts",
    "Question",
    "ResponseStore",
    "SQLiteResponseStore",
    "TessAnswerWarning",
    "TessConfigurationError",
    "TessConfigurationWarning",
    "TessOptions",
    "TessRequestWarning",
    "TessWarning",
    "async_get_agent",
    "async_list_agents",
    "changes_of",
    "connection",
    "create_async_client",
    "create_client",
    "get_agent",
    "list_agents",
]

_HOMES = {
    "Agent": "core.agents",
    "Question": "core.agents",
    **dict.fromkeys(("async_get_agent", "async_list_agents", "get_agent", "list_agents"), "agent_api"),
    "Change": "core.changes",
    "TessOptions": "client_options",
    "Prompts": "core.prompts",
    "ResponseStore": "core.responses.conversation_store",
    "MemoryResponseStore": "edge.response_stores",
    "SQLiteResponseStore": "edge.response_stores",
    "changes_of": "response_changes",
    **dict.fromkeys(
        (
            "Connection",
            "connection",
            "create_async_client",
            "create_client",
        ),
        "clients",
    ),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'exceptions')}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
