"""Which names of frameworks make models, agents and calls of OpenAI's, and which page says what to do.

A framework offers the same class under many modules, and moves them: so a name counts by its package and its
last part.

Source: the frameworks' parameters and the bodies they send (measured); their signatures (read).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

Role: TypeAlias = Literal[
    "chat",
    "azure",
    "azure embeddings",
    "chosen chat",
    "chosen embeddings",
    "agent",
    "provider",
    "embeddings",
    "completions",
    "responses",
    "other",
]
"""What a name makes: a chat model; one of Azure's; one chosen by a word; an agent, whose model is a word or
an object; a provider of models; one whose calls all go to that endpoint; something of a library that is not
followed."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A library that calls OpenAI for a program.

    Attributes:
        title: Its name.
        page: Of the documentation.
        remedy: How it is pointed at Tess.
    """

    title: str
    page: str
    remedy: str


_LANGCHAIN: Final = Framework(
    "LangChain", "frameworks/langchain", "Pass it **tess_openai.presets.langchain(AGENT_ID)."
)
_LLAMA_INDEX: Final = Framework(
    "LlamaIndex", "frameworks/llama-index", "Pass it **tess_openai.presets.llama_index(AGENT_ID)."
)
FRAMEWORKS: Final[Mapping[str, Framework]] = {
    **dict.fromkeys(
        ("langchain", "langchain_classic", "langchain_community", "langchain_openai", "langgraph"), _LANGCHAIN
    ),
    "llama_index": _LLAMA_INDEX,
    "agents": Framework(
        "OpenAI Agents SDK",
        "frameworks/openai-agents",
        'Give it model=tess_openai.presets.openai_agents(AGENT_ID, model="tess-6").',
    ),
    "crewai": Framework(
        "CrewAI", "frameworks/crewai", 'Use llm=tess_openai.presets.crewai(AGENT_ID, model="tess-6").'
    ),
    "instructor": Framework(
        "Instructor", "frameworks/instructor", "Use tess_openai.presets.instructor(AGENT_ID)."
    ),
    "litellm": Framework("LiteLLM", "frameworks/litellm", "Pass it **tess_openai.presets.litellm(AGENT_ID)."),
    "pydantic_ai": Framework(
        "Pydantic AI",
        "frameworks/pydantic-ai",
        'Use the model tess_openai.presets.pydantic_ai(AGENT_ID, model="tess-6").',
    ),
}
ANY_OTHER: Final = "frameworks/any-other"

_ROLES: Final[Mapping[str, Mapping[str, Role]]] = {
    "LangChain": {
        "AzureChatOpenAI": "azure",
        "AzureOpenAI": "azure",
        "AzureOpenAIEmbeddings": "azure embeddings",
        "BaseOpenAI": "completions",
        "ChatOpenAI": "chat",
        "OpenAI": "completions",
        "OpenAIEmbeddings": "embeddings",
        "create_agent": "agent",
        "create_react_agent": "agent",
        "init_chat_model": "chosen chat",
        "init_embeddings": "chosen embeddings",
    },
    "LlamaIndex": {
        "AzureOpenAI": "azure",
        "AzureOpenAIEmbedding": "azure embeddings",
        "OpenAI": "chat",
        "OpenAIEmbedding": "embeddings",
        "OpenAILike": "chat",
        "OpenAILikeEmbedding": "embeddings",
        "OpenAIResponses": "responses",
    },
    "OpenAI Agents SDK": {
        "Agent": "agent",
        "MultiProvider": "provider",
        "OpenAIChatCompletionsModel": "provider",
        "OpenAIProvider": "provider",
        "OpenAIResponsesModel": "provider",
        "LitellmModel": "chosen chat",
        "set_default_openai_api": "provider",
        "set_default_openai_client": "provider",
        "set_default_openai_key": "provider",
    },
    "CrewAI": {"Agent": "agent", "Crew": "agent", "LLM": "chosen chat"},
    "Instructor": {"from_provider": "chosen chat"},
    "LiteLLM": {"Router": "other"},
    "Pydantic AI": {
        "Agent": "agent",
        "AzureProvider": "azure",
        "OpenAIChatModel": "provider",
        "OpenAIModel": "provider",
        "OpenAIProvider": "provider",
        "OpenAIResponsesModel": "provider",
        "infer_model": "chosen chat",
    },
}
_FOREIGN_NAME: Final = re.compile(r"(?:[A-Z]\w*)?OpenA[Ii]\w*")
"""A class of a library that is not known, which by its name uses OpenAI's API."""
_NO_MODEL: Final = re.compile(
    r"Error|Exception|Config|Settings|Params|Message|Schema|Type|Tool|Format|Parser|Instrument|Handler|"
    r"Callback|Response|Request|Result|Event|Mock|Fake|Test"
)
CHAINED: Final = frozenset({"bind", "bind_tools", "with_config", "with_retry", "with_structured_output"})
"""Methods of LangChain's that give the same model again."""
ASKING: Final = frozenset(
    {
        *("abatch", "agenerate", "ainvoke", "astream", "batch", "generate", "invoke", "stream"),
        *("achat", "acomplete", "astream_chat", "astream_complete"),
        *("acall", "call", "chat", "complete", "stream_chat", "stream_complete"),
    }
)
"""Methods of a model that send something."""
LITELLM_CALLS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("completion", "acompletion", "batch_completion", "completion_with_retries"), "chat"),
    **dict.fromkeys(("text_completion", "atext_completion"), "completions"),
    **dict.fromkeys(("responses", "aresponses"), "responses"),
    **dict.fromkeys(("embedding", "aembedding"), "embeddings"),
    **dict.fromkeys(("image_generation", "aimage_generation", "image_edit"), "images"),
    **dict.fromkeys(("transcription", "atranscription", "speech", "aspeech"), "audio"),
    **dict.fromkeys(("moderation", "amoderation"), "moderations"),
}
"""LiteLLM's functions that call an API, and which."""
_OPENAI_MODEL: Final = re.compile(
    r"(?:openai|openai-chat|openai-responses|azure|azure_openai|text-completion-openai)[:/]|"
    r"(?:gpt-|chatgpt-|o1|o3|o4|text-embedding-|dall-e|whisper|tts-|computer-use)"
)


@lru_cache(maxsize=4096)
def role_of(path: str) -> Role | None:
    """Return what a name makes, `"langchain_openai.chat_models.base.ChatOpenAI"`; None for all else."""
    package, _, rest = path.partition(".")
    name = rest.rpartition(".")[2]
    if not name or package in ("openai", "tess_openai"):
        return None
    framework = FRAMEWORKS.get(package)
    role = None if framework is None else _ROLES[framework.title].get(name)
    if role is None and _FOREIGN_NAME.fullmatch(name) and _NO_MODEL.search(name) is None:
        return "other" if framework is None or framework.title == "LangChain" else None
    return role


@lru_cache(maxsize=4096)
def is_model(path: str) -> bool:
    """Whether a name makes a chat model whose methods send parameters of a call."""
    roles = ("chat", "chosen chat", "azure", "responses")
    return role_of(path) in roles and path.partition(".")[0] not in ("instructor", "pydantic_ai")


def is_openai_model(model: object, provider: object = None) -> bool | None:
    """Whether the name of a model is one of OpenAI's; None where it is not written out."""
    if isinstance(provider, str):
        return provider in ("openai", "azure_openai")
    return _OPENAI_MODEL.match(model) is not None if isinstance(model, str) else None
