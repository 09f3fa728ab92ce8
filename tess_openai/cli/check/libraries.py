"""Which names of which libraries make clients, and what stands below them.

Source: the SDK's own names and paths (read in its source); LangChain's and LlamaIndex's parameters and the
bodies they send (measured).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from tess_openai.core.routes import ABSENT

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

TESS_CLIENTS: Final = frozenset(
    {
        "tess_openai.create_async_client",
        "tess_openai.create_client",
        "tess_openai.presets.async_instructor",
        "tess_openai.presets.instructor",
    }
)
"""Already changed: only their calls are looked at."""

CONNECTION: Final = "tess_openai.connection"
TESS_SETTINGS: Final = frozenset(
    {CONNECTION, "tess_openai.presets.langchain", "tess_openai.presets.llama_index"}
)
"""What a framework's model is given to talk to Tess."""

MODULE_PRESET: Final = "tess_openai.presets.openai_module"
"""What makes the module `openai` talk to Tess."""

MODULE_CLIENT: Final = "openai"
"""`openai.chat.completions.create(...)`: the client that the SDK makes itself."""

LANGCHAIN_CHAT: Final = frozenset(
    {
        "langchain.chat_models.ChatOpenAI",
        "langchain_community.chat_models.ChatOpenAI",
        "langchain_community.chat_models.openai.ChatOpenAI",
        "langchain_openai.ChatOpenAI",
        "langchain_openai.chat_models.ChatOpenAI",
        "langchain_openai.chat_models.base.ChatOpenAI",
    }
)
LLAMAINDEX_CHAT: Final = frozenset(
    {
        "llama_index.llms.OpenAI",
        "llama_index.llms.openai.OpenAI",
        "llama_index.llms.openai.base.OpenAI",
        "llama_index.llms.openai_like.OpenAILike",
    }
)
ELSEWHERE: Final = {
    "langchain.embeddings.OpenAIEmbeddings": "embeddings",
    "langchain_community.embeddings.OpenAIEmbeddings": "embeddings",
    "langchain_openai.OpenAIEmbeddings": "embeddings",
    "langchain_openai.embeddings.OpenAIEmbeddings": "embeddings",
    "langchain.llms.OpenAI": "completions",
    "langchain_community.llms.OpenAI": "completions",
    "langchain_openai.OpenAI": "completions",
    "langchain_openai.llms.OpenAI": "completions",
    "llama_index.embeddings.openai.OpenAIEmbedding": "embeddings",
    "llama_index.llms.openai.OpenAIResponses": "responses",
}
"""Constructors of frameworks whose every call goes to an endpoint that Tess lacks."""

FRAMEWORK_AZURE: Final = frozenset(
    {"langchain_openai.AzureChatOpenAI", "langchain_openai.AzureOpenAIEmbeddings"}
)
INIT_CHAT_MODEL: Final = frozenset(
    {"langchain.chat_models.init_chat_model", "langchain.chat_models.base.init_chat_model"}
)

DROP_INS: Final = {
    "langfuse.openai": "openai",
    "langfuse.openai.openai": "openai",
    "posthog.ai.openai": "openai",
    "ddtrace.llmobs.openai": "openai",
}
"""Modules that offer the SDK's own names, traced."""

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

RESOURCES: Final = frozenset({*ABSENT, *RENAMED, "beta", "chat", "files", "models"})
"""What stands directly below a client and sends something."""

LOCAL_METHODS: Final = frozenset({"unwrap", "verify_signature"})
"""Of resources that send nothing."""

VIEWS: Final = frozenset({"with_raw_response", "with_streaming_response", "beta"})
"""Ways to the same resources."""

COPIES: Final = frozenset({"with_options", "copy"})
CHAT_METHODS: Final = frozenset({"create", "parse", "stream"})
RAW_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "request", "get_api_list"})
SENDING: Final = frozenset(
    {"create", "create_and_poll", "create_and_run", "generate", "parse", "retrieve", "stream"}
)
"""Methods by which a call is known for one of OpenAI's although the client is not seen."""

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
    "max_completion_tokens": "max_completion_tokens",
    "stop_sequences": "stop",
    "streaming": "stream",
    "request_timeout": "timeout",
    "openai_api_key": "api_key",
    "openai_api_base": "base_url",
    "openai_organization": "organization",
    "api_base": "base_url",
}
"""A framework's name for a parameter -> OpenAI's."""

FRAMEWORK_BODIES: Final = frozenset({"model_kwargs", "extra_body"})
"""Arguments of LangChain's whose members go to the root of the body; LlamaIndex has `additional_kwargs`."""

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

LIBRARIES: Final = frozenset(
    {"openai", "tess_openai", "langchain", "langchain_openai", "langchain_community", "llama_index", "os"}
)
"""Never taken for a file of the code that is read, whatever its name."""

WORDS: Final = (
    "openai",
    "completions",
    "embeddings",
    "responses",
    "moderations",
    "transcriptions",
    "assistants",
    "vector_stores",
    "bind_tools",
    "with_structured_output",
)
"""A file in which none of these stands, in any case, has no call site."""
