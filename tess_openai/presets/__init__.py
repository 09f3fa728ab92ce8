"""One function for each framework: it returns keyword arguments for the framework's class, or an object.

    from tess_openai import presets
    llm = ChatOpenAI(model="tess-6", **presets.langchain(8794))

A preset imports its framework only when it is called. It takes `agent_id` and the options of `TessOptions`,
as `create_client` does; an option that is not given is read from `TESS_*`. The objects that it returns are
the framework's own. It raises `TessConfigurationError` when the framework is not installed, and wherever
`create_client` does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tess_openai.core.policy_parameters import resolve_policy
from tess_openai.exceptions import TessConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tess_openai.client_options import TessOptions
    from tess_openai.clients import Connection
    from tess_openai.core.policy import Unsupported

__all__ = [
    "async_instructor",
    "crewai",
    "instructor",
    "langchain",
    "litellm",
    "litellm_provider",
    "llama_index",
    "openai_agents",
    "openai_module",
    "pydantic_ai",
]

_CREWAI_CLIENTS: Final = ("_client", "_async_client")


def langchain(agent_id: int | str | None = None, **options: Unpack[TessOptions]) -> dict[str, Any]:
    """Return arguments for LangChain's `ChatOpenAI`: `ChatOpenAI(model="tess-6", **presets.langchain(8794))`.

    The answer's headers are kept in `response_metadata`, where `changes_of(message)` finds the ledger.

    If tools are not emulated, a `tool_choice` that demands a call is refused, unless `unsupported` has an
    entry for it or for `"*"`: a LangChain agent with a `response_format` demands a call in each turn, and
    repeats the request up to 9999 times when none comes.
    """
    _require("langchain_openai", "langchain-openai")
    tess = _connection(agent_id, {**options, "unsupported": _refusing("tool_choice", options)})
    return {
        "base_url": tess["base_url"],
        "api_key": tess["api_key"],
        "http_client": tess["http_client"],
        "http_async_client": tess["async_http_client"],
        "include_response_headers": True,
    }


def llama_index(agent_id: int | str | None = None, **options: Unpack[TessOptions]) -> dict[str, Any]:
    """Return arguments for LlamaIndex's `OpenAILike`.

    `OpenAILike(model="tess-6", **presets.llama_index(8794))`. It always sends a temperature, 0.1 by
    default, which no agent is known to offer; here it is 0. For another, `{**presets.llama_index(),
    "temperature": 0.5}`.
    """
    _require("llama_index.llms.openai_like", "llama-index-llms-openai-like")
    tess = _connection(agent_id, options)
    return {
        "api_base": tess["base_url"],
        "api_key": tess["api_key"],
        "http_client": tess["http_client"],
        "async_http_client": tess["async_http_client"],
        "temperature": 0.0,
        "is_chat_model": True,
        "is_function_calling_model": _emulates("tools", options),
        "should_use_structured_outputs": _emulates("response_format", options),
    }


def openai_agents(agent_id: int | str | None = None, *, model: str, **options: Unpack[TessOptions]) -> Any:
    """Return a model for the OpenAI Agents SDK: `Agent(model=presets.openai_agents(8794, model="tess-6"))`.

    It uses chat completions; the Responses API, which is that SDK's default, works with `create_async_client`
    without a preset. The SDK still sends its traces, prompts included, to OpenAI, unless you disable them.
    """
    _require("agents", "openai-agents")
    models: Any = importlib.import_module("agents.models.openai_chatcompletions")
    return models.OpenAIChatCompletionsModel(
        model=model, openai_client=_clients().create_async_client(agent_id, **options)
    )


def pydantic_ai(agent_id: int | str | None = None, *, model: str, **options: Unpack[TessOptions]) -> Any:
    """Return a model for Pydantic AI, with a profile that says what an agent of Tess can do.

    `Agent(presets.pydantic_ai(8794, model="tess-6"))`. With emulation Pydantic AI asks for output types in
    `response_format`, without it in the prompt. Web search becomes the agent's own `internet`.
    """
    _require("pydantic_ai", "pydantic-ai-slim[openai]")
    models: Any = _require("pydantic_ai.models.openai", "pydantic-ai-slim[openai]")
    providers: Any = importlib.import_module("pydantic_ai.providers.openai")
    client = _clients().create_async_client(agent_id, **options)
    emulates_json = _emulates("response_format", options)
    profile = {
        "supports_tools": _emulates("tools", options),
        "supports_json_schema_output": emulates_json,
        "supports_json_object_output": emulates_json,
        "default_structured_output_mode": "native" if emulates_json else "prompted",
        "supports_image_input": False,  # these four concern tool results; files in a prompt are sent anyway
        "supports_document_input": False,
        "supports_audio_file_input": False,
        "supports_video_input": False,
        "supports_thinking": False,
        "openai_chat_supports_multiple_system_messages": False,
        "openai_chat_supports_web_search": True,
        "openai_supports_strict_tool_definition": False,
    }
    provider = providers.OpenAIProvider(openai_client=client)
    return models.OpenAIChatModel(model, provider=provider, profile=profile)


def instructor(agent_id: int | str | None = None, *, mode: Any = None, **options: Unpack[TessOptions]) -> Any:
    """Return an `instructor.Instructor` over a sync client.

    Args:
        agent_id: As for `create_client`.
        mode: One of `instructor.Mode`; by default `TOOLS` where tools are emulated, else `MD_JSON`, the one
            mode that asks for nothing that Tess lacks.
        **options: See `TessOptions`.
    """
    module: Any = _require("instructor", "instructor")
    return module.from_openai(
        _clients().create_client(agent_id, **options), mode=_instructor_mode(module, mode, options)
    )


def async_instructor(
    agent_id: int | str | None = None, *, mode: Any = None, **options: Unpack[TessOptions]
) -> Any:
    """Async counterpart of `instructor`."""
    module: Any = _require("instructor", "instructor")
    return module.from_openai(
        _clients().create_async_client(agent_id, **options), mode=_instructor_mode(module, mode, options)
    )


def litellm(agent_id: int | str | None = None, **options: Unpack[TessOptions]) -> dict[str, Any]:
    """Return arguments for LiteLLM: `completion("openai/tess-6", messages, **presets.litellm(8794))`.

    Sync calls only, since LiteLLM takes one client a call; `litellm_provider` serves both, and the proxy.
    """
    _require("litellm", "litellm")
    client = _clients().create_client(agent_id, **options)
    return {"api_base": str(client.base_url), "api_key": client.api_key, "client": client}


def litellm_provider(agent_id: int | str | None = None, **options: Unpack[TessOptions]) -> Any:
    """Return a custom provider for LiteLLM and its proxy.

    `litellm.custom_provider_map = [{"provider": "tess", "custom_handler": presets.litellm_provider()}]`; the
    model is then `"tess/tess-6"`, or with another agent `"tess/8794/tess-6"`, or `"tess/8794"` for an agent's
    own model.
    """
    from tess_openai.presets.custom_llm import build

    return build(_require("litellm", "litellm"), agent_id, options)


def crewai(agent_id: int | str | None = None, *, model: str, **options: Unpack[TessOptions]) -> Any:
    """Return a `crewai.LLM`.

    CrewAI has no public hook for an http client, and its interceptors see only one exchange. So this preset
    replaces the clients that CrewAI has made, and refuses a release that keeps them in other attributes.
    """
    module: Any = _require("crewai", "crewai")
    clients = _clients()
    client = clients.create_client(agent_id, **options)
    llm = module.LLM(model=model, custom_openai=True, base_url=str(client.base_url), api_key=client.api_key)
    if not all(hasattr(llm, name) for name in _CREWAI_CLIENTS):
        raise TessConfigurationError("this CrewAI keeps its OpenAI clients elsewhere than tess_openai knows")
    for name, made in zip(
        _CREWAI_CLIENTS, (client, clients.create_async_client(agent_id, **options)), strict=True
    ):
        setattr(llm, name, made)
    return llm


def openai_module(agent_id: int | str | None = None, **options: Unpack[TessOptions]) -> dict[str, Any]:
    """Return settings of the module `openai`, for programs that call `openai.chat.completions.create(...)`.

    `vars(openai).update(presets.openai_module(8794))`, before the first call.

    Source: the SDK's `_ModuleClient` uses `base_url` unchanged (read, and measured).
    """
    tess = _connection(agent_id, options)
    return {
        "api_type": "openai",
        "api_key": tess["api_key"],
        "base_url": tess["base_url"] + "/",  # the module, unlike the client class, does not add it
        "http_client": tess["http_client"],
    }


def _require(name: str, package: str) -> Any:
    """Import a framework.

    Raises:
        TessConfigurationError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not name.startswith(error.name or "?"):  # the framework is installed, one of its requirements not
            raise
        raise TessConfigurationError(
            f"{name} is not installed, and this preset is for it. Install it with: pip install '{package}'"
        ) from None


def _clients() -> Any:
    """Import the factories late: they import the SDK."""
    return importlib.import_module("tess_openai.clients")


def _connection(agent_id: int | str | None, options: TessOptions) -> Connection:
    made: Connection = _clients().connection(agent_id, **options)
    return made


def _emulates(param: str, options: TessOptions) -> bool:
    """Whether calls under these options emulate a parameter."""
    policy = resolve_policy(options.get("unsupported", "warn"), emulate=options.get("emulate", False))
    return policy.action_for(param) == "emulate"


def _refusing(param: str, options: TessOptions) -> Unsupported:
    """Return the caller's `unsupported`, with `"error"` for a parameter that it has no entry for."""
    given = options.get("unsupported", {})
    if not isinstance(given, Mapping) or "*" in given:
        return given
    return {param: "error", **given}


def _instructor_mode(module: Any, mode: Any, options: TessOptions) -> Any:
    if mode is not None:
        return mode
    return module.Mode.TOOLS if _emulates("tools", options) else module.Mode.MD_JSON
