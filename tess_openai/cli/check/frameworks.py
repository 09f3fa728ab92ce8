"""Which names of LangChain and LlamaIndex make models, and what these do with their arguments.

A framework offers the same class under many modules, and moves them: so a name counts by its package and its
last part.

Source: LangChain's and LlamaIndex's parameters and the bodies they send (measured).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Role: TypeAlias = Literal[
    "chat", "azure", "chosen chat", "chosen embeddings", "embeddings", "completions", "responses"
]
"""What a constructor makes: a chat model, one of another service, one chosen by a word, or one whose calls
all go to that endpoint."""

_LANGCHAIN: Final = frozenset({"langchain", "langchain_classic", "langchain_community", "langchain_openai"})
_LANGCHAIN_ROLES: Final[Mapping[str, Role]] = {
    "AzureChatOpenAI": "azure",
    "AzureOpenAI": "azure",
    "AzureOpenAIEmbeddings": "azure",
    "BaseOpenAI": "completions",
    "ChatOpenAI": "chat",
    "OpenAI": "completions",
    "OpenAIEmbeddings": "embeddings",
    "init_chat_model": "chosen chat",
    "init_embeddings": "chosen embeddings",
}
_LLAMA_INDEX_ROLES: Final[Mapping[str, Role]] = {
    "AzureOpenAI": "azure",
    "AzureOpenAIEmbedding": "azure",
    "OpenAI": "chat",
    "OpenAIEmbedding": "embeddings",
    "OpenAILike": "chat",
    "OpenAILikeEmbedding": "embeddings",
    "OpenAIResponses": "responses",
}
CHAINED: Final = frozenset({"bind", "bind_tools", "with_config", "with_retry", "with_structured_output"})
"""Methods of LangChain's that give the same model again."""
ASKING: Final = frozenset(
    {
        *("abatch", "agenerate", "ainvoke", "astream", "batch", "generate", "invoke", "stream"),
        *("achat", "acomplete", "astream_chat", "astream_complete"),
        *("chat", "complete", "stream_chat", "stream_complete"),
    }
)
"""Methods of a model whose further arguments go into the body of one call."""


@lru_cache(maxsize=4096)
def role_of(path: str) -> Role | None:
    """Return what a name makes, `"langchain_openai.chat_models.base.ChatOpenAI"`; None for all else."""
    package, _, rest = path.partition(".")
    name = rest.rpartition(".")[2]
    if package in _LANGCHAIN:
        return _LANGCHAIN_ROLES.get(name)
    return _LLAMA_INDEX_ROLES.get(name) if package == "llama_index" else None


def is_model(path: str) -> bool:
    """Whether a name makes a chat model."""
    return role_of(path) == "chat"


def preset_of(path: str) -> str:
    """Return the preset that gives a model's arguments."""
    name = "llama_index" if path.startswith("llama_index.") else "langchain"
    return f"tess_openai.presets.{name}"
