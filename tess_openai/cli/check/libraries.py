"""Which names of the SDK and of what wraps it make clients, and the resources below them.

Source: the SDK's own names and paths (read in its source); frameworks' names for parameters (measured).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from tess_openai.cli.check.frameworks import FRAMEWORKS, is_model
from tess_openai.core.routes import OTHER_ENDPOINTS, UNSUPPORTED_ENDPOINTS

OPENAI_CLIENTS: Final = {
    "openai.OpenAI": "create_client",
    "openai.Client": "create_client",
    "openai.AsyncOpenAI": "create_async_client",
    "openai.AsyncClient": "create_async_client",
}
"""The SDK's clients, and what makes the same client for Tess."""

OTHER_CLIENTS: Final = frozenset(
    {"openai.AzureOpenAI", "openai.AsyncAzureOpenAI", "openai.BedrockOpenAI", "openai.AsyncBedrockOpenAI"}
)
"""Clients of the SDK for other services: they build other URLs and keys."""

INSTRUCTOR_CLIENTS: Final = frozenset(
    {
        "instructor.AsyncInstructor",
        "instructor.Instructor",
        "instructor.apatch",
        "instructor.from_openai",
        "instructor.from_provider",
        "instructor.patch",
    }
)
"""What gives an Instructor, whose methods are those of a client and some more."""

TESS_CLIENTS: Final = frozenset(
    {
        "tess_openai.create_async_client",
        "tess_openai.create_client",
        "tess_openai.presets.async_instructor",
        "tess_openai.presets.instructor",
    }
)
"""Already changed: only their calls are looked at."""
TESS_INSTRUCTORS: Final = frozenset(
    {"tess_openai.presets.async_instructor", "tess_openai.presets.instructor"}
)
"""These ask for nothing that Tess lacks, unless tools are emulated."""

CONNECTION: Final = "tess_openai.connection"
TESS_SETTINGS: Final = frozenset(
    {
        CONNECTION,
        "tess_openai.presets.crewai",
        "tess_openai.presets.langchain",
        "tess_openai.presets.litellm",
        "tess_openai.presets.llama_index",
        "tess_openai.presets.openai_agents",
        "tess_openai.presets.pydantic_ai",
    }
)
"""What a framework's model is given to talk to Tess."""


def others_remedy(part: str) -> str:
    """Say what to do with calls below an endpoint that Tess lacks; `""` where nothing can be done."""
    if part not in OTHER_ENDPOINTS:
        return ""
    return f'Another client can answer it: create_client(others={{"{part}": openai.OpenAI()}}).'


MODULE_PRESET: Final = "tess_openai.presets.openai_module"
"""What makes the module `openai` talk to Tess."""

MODULE_REMEDY: Final = (
    "Before the first call: vars(openai).update(tess_openai.presets.openai_module(AGENT_ID))."
)
MODULE_CLIENT: Final = "openai"
"""`openai.chat.completions.create(...)`: the client that the SDK makes itself."""

SDK_CLIENTS: Final = frozenset(
    {*OPENAI_CLIENTS, *OTHER_CLIENTS, *INSTRUCTOR_CLIENTS, *TESS_CLIENTS, MODULE_CLIENT}
)
ANY_CLIENT: Final = "openai.OpenAI"
"""Whose part a class of the SDK's resources is."""


def is_client(path: str) -> bool:
    """Whether a name makes a client, or a framework's model."""
    return path in SDK_CLIENTS or is_model(path)


MODULE_SETTINGS: Final = frozenset({"api_key", "base_url", "organization", "project", "http_client"})
"""What a program sets on the module `openai` itself."""

PROVIDERS: Final = {
    "api.anthropic.com": "Anthropic",
    "api.cerebras.ai": "Cerebras",
    "api.cohere": "Cohere",
    "api.deepinfra.com": "DeepInfra",
    "api.deepseek.com": "DeepSeek",
    "api.fireworks.ai": "Fireworks",
    "api.groq.com": "Groq",
    "api.mistral.ai": "Mistral",
    "api.moonshot": "Moonshot",
    "api.perplexity.ai": "Perplexity",
    "api.sambanova.ai": "SambaNova",
    "api.together.": "Together",
    "api.x.ai": "xAI",
    "bigmodel.cn": "Zhipu",
    "dashscope": "Alibaba's DashScope",
    "generativelanguage.googleapis.com": "Google Gemini",
    "huggingface.co": "Hugging Face",
    "integrate.api.nvidia.com": "NVIDIA",
    "models.github.ai": "GitHub Models",
    "models.inference.ai.azure.com": "GitHub Models",
    "openai.azure.com": "Azure",
    "openrouter.ai": "OpenRouter",
    "siliconflow": "SiliconFlow",
    "volces.com": "Volcengine",
    "//127.0.0.1": "a server on this machine",
    "//0.0.0.0": "a server on this machine",
    "//localhost": "a server on this machine",
}
"""Part of an address -> whose it is."""

DROP_INS: Final = {
    "langfuse.openai": "openai",
    "langfuse.openai.openai": "openai",
    "posthog.ai.openai": "openai",
    "ddtrace.llmobs.openai": "openai",
    "openai._client": "openai",
    "openai.lib.azure": "openai",
    "openai.lib.bedrock": "openai",
}
"""Modules that offer the SDK's own names, traced, or from where they come."""

LEGACY: Final = frozenset(
    {
        "openai.Audio",
        "openai.ChatCompletion",
        "openai.Completion",
        "openai.Edit",
        "openai.Embedding",
        "openai.File",
        "openai.FineTuningJob",
        "openai.Image",
        "openai.Model",
        "openai.Moderation",
    }
)
"""The names of openai 0.x, gone since 1.0."""

RENAMED: Final = {"admin": "organization", "webhooks": "webhook_endpoints"}
"""Where the SDK's name for a resource is not the first part of its path."""

RESOURCES: Final = frozenset(
    {*UNSUPPORTED_ENDPOINTS, *RENAMED, "beta", "chat", "completions", "files", "models", "responses"}
)
"""The members of a client that send requests."""

LOCAL_METHODS: Final = frozenset({"unwrap", "verify_signature"})
"""Of resources that send nothing."""

VIEWS: Final = frozenset({"with_raw_response", "with_streaming_response", "beta"})
"""Ways to the same resources."""

_CLASS_PATH: Final = re.compile(
    r"openai\.resources\.(?:(?P<modules>[a-z_.]+)\.)?(?:Async)?"
    r"(?P<name>[A-Z]\w*?)(?:With(?:Raw|Streaming)Response)?"
)


def resource_of(path: str) -> tuple[str, ...] | None:
    """Return the path of an SDK class below a client; None for any other class.

    `openai.resources.chat.completions.AsyncCompletions` is `("chat", "completions")`.
    """
    found = _CLASS_PATH.fullmatch(path) if path.startswith("openai.resources.") else None
    if found is None or "Connection" in found["name"]:  # a connection is open already, and sends no request
        return None
    modules = found["modules"].split(".") if found["modules"] else []
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found["name"]).lower()
    parts = [*modules, name]
    return tuple(part for part, before in zip(parts, ["", *parts], strict=False) if part != before)


COPIES: Final = frozenset({"with_options", "copy"})
INSTRUCTOR_METHODS: Final = frozenset({"create_iterable", "create_partial", "create_with_completion"})
"""Of Instructor, beside the SDK's own."""
CHAT_METHODS: Final = frozenset({"create", "parse", "stream"}) | INSTRUCTOR_METHODS
RAW_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "request", "get_api_list"})
SENDING: Final = INSTRUCTOR_METHODS | {
    *("create", "create_and_poll", "create_and_run", "edit", "generate", "parse", "retrieve", "stream")
}
"""Methods by which a call is known for one of OpenAI's although the client is not seen."""

RUNNERS: Final = frozenset(
    {
        *("apply", "apply_async", "call_later", "call_soon", "call_soon_threadsafe", "delay"),
        *("run_in_executor", "run_in_threadpool", "run_sync", "start_soon", "submit", "to_thread"),
        *("Process", "Thread", "Timer"),
    }
)
"""What calls the function that it is given, with the arguments that it is given."""
RUNNERS_ARGUMENTS: Final = frozenset({"kwargs", "kwds"})
"""Where some of these take the arguments of the function."""
FUNCTION_ARGUMENTS: Final = frozenset({"func", "function", "target"})
"""Where some of these take the function."""
MAKERS: Final = RUNNERS | {
    "Depends",
    "Factory",
    "Resource",
    "Singleton",
    "ThreadSafeSingleton",
    "defaultdict",
}
"""What makes an object of the class that it is given."""
FACTORY_ARGUMENTS: Final = frozenset({"default_factory", "factory"})
"""Where a field of a class takes what makes its value."""

CLIENT_OPTIONS: Final[Mapping[str, Literal["stripped", "rewritten"]]] = {
    "organization": "stripped",
    "project": "stripped",
    "webhook_secret": "stripped",
    "admin_api_key": "stripped",
    "api_key": "rewritten",
    "base_url": "rewritten",
    "websocket_base_url": "stripped",
}
"""What becomes of a constructor's argument that does not simply go on to the same client."""

FRAMEWORK_NAMES: Final = {
    "model_name": "model",
    "stop_sequences": "stop",
    "streaming": "stream",
    "request_timeout": "timeout",
    "openai_api_key": "api_key",
    "openai_api_base": "base_url",
    "openai_organization": "organization",
    "api_base": "base_url",
}
"""A framework's name for a parameter -> OpenAI's."""

ENVIRONMENT: Final = {
    "OPENAI_API_KEY": "TESS_API_KEY",
    "OPENAI_BASE_URL": "TESS_BASE_URL",
    "OPENAI_API_BASE": "TESS_BASE_URL",
    "OPENAI_ORG_ID": "",
    "OPENAI_ORGANIZATION": "",
    "OPENAI_PROJECT_ID": "",
    "OPENAI_CUSTOM_HEADERS": "",
    "OPENAI_API_TYPE": "",
    "OPENAI_API_VERSION": "",
    "AZURE_OPENAI_API_KEY": "TESS_API_KEY",
    "AZURE_OPENAI_ENDPOINT": "TESS_BASE_URL",
}
"""Variables of OpenAI's -> the one to set for Tess; `""` where there is none."""

LIBRARIES: Final = frozenset({"openai", "os", "tess_openai"})
"""Never taken for files of the code that is read, whatever their names."""
SINGLE_FILES: Final = FRAMEWORKS.keys()
"""Never taken for a single file; a package of such a name is the library itself, or the
program's own."""

WORDS: Final = (
    *("openai", "chat.completions", "completions.create", "embeddings.create", "images.generate"),
    *("moderations.create", "responses.create", "responses.parse", "transcriptions.create"),
    *("langchain", "langgraph", "llama_index", "litellm", "crewai", "pydantic_ai", "instructor"),
    *("from agents", "import agents", "init_chat_model", "create_agent", "bind_tools"),
    *("with_structured_output", "vector_stores.", "beta.threads", "beta.assistants"),
)
"""A file that contains none of these words, in any case, has no call site."""
