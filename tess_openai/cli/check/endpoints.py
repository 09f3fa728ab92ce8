"""Which of OpenAI's endpoints a method of a client calls."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tess_openai.cli.check.frameworks import LITELLM_CALLS
from tess_openai.cli.check.libraries import (
    CHAT_METHODS,
    INSTRUCTOR_METHODS,
    LOCAL_METHODS,
    RAW_METHODS,
    RENAMED,
    RESOURCES,
    SENDING,
    VIEWS,
)
from tess_openai.core.routes import UNSUPPORTED_ENDPOINTS

EndpointKind: TypeAlias = Literal["chat", "responses", "completions", "served", "raw", "missing"]
"""The API whose arguments are read; answered from what Tess has; a path of the caller's own; not there."""

_CHAT: Final = ("chat", "completions")
_SERVED: Final = frozenset(
    {
        ("models", "list"),
        ("models", "retrieve"),
        ("responses", "cancel"),
        ("responses", "delete"),
        ("responses", "input_items", "list"),
        ("responses", "input_tokens", "count"),
        ("responses", "retrieve"),
    }
)
"""What is answered although nothing is translated."""
_OF_FILES: Final = frozenset(
    {"content", "create", "delete", "list", "retrieve", "retrieve_content", "wait_for_processing"}
)
_TELLING: Final = frozenset(
    {
        "assistants",
        "completions",
        "embeddings",
        "fine_tuning",
        "images",
        "moderations",
        "responses",
        "speech",
        "threads",
        "transcriptions",
        "translations",
        "vector_stores",
    }
)
"""Names that hardly anything but OpenAI's SDK has."""
_PART_OF: Final = {"speech": "audio", "transcriptions": "audio", "translations": "audio"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a method calls.

    Attributes:
        name: As it is called, `"chat.completions.create"`.
        kind: What becomes of the call.
        part: The first part of the path, `"embeddings"`.
    """

    name: str
    kind: EndpointKind
    part: str

    @property
    def why_not(self) -> str:
        """Why the call cannot be made, one clause; of those that are missing."""
        lacking = UNSUPPORTED_ENDPOINTS.get(self.part, f"this part of {self.part}")
        return f"Tess does not have {lacking}"


def endpoint_of(path: tuple[str, ...]) -> Endpoint | None:
    """Return the endpoint of a method below a client; None when nothing is sent."""
    parts = tuple(part for part in path if part not in VIEWS)
    if not parts or parts[-1] in LOCAL_METHODS or parts[-1].startswith("_"):
        return None
    name = ".".join(parts)
    if len(parts) == 1:
        if parts[0] in INSTRUCTOR_METHODS | {"create"}:  # an Instructor has them itself
            return Endpoint(name, "chat", "chat")
        return Endpoint(name, "raw", "raw") if parts[0] in RAW_METHODS else None
    return None if parts[0] not in RESOURCES else _below(parts, name)


def _below(parts: tuple[str, ...], name: str) -> Endpoint | None:
    part = RENAMED.get(parts[0], parts[0])
    if (part == "chat" and parts[1] != "completions") or (part == "files" and parts[-1] not in _OF_FILES):
        return None  # the SDK has no such method: it is another library's client
    if parts[:2] == _CHAT and len(parts) == 3 and parts[2] in CHAT_METHODS:
        return Endpoint(name, "chat", "chat")
    if part == "completions" and parts[1:] == ("create",):
        return Endpoint(name, "completions", part)
    if part == "responses" and parts[-1] in ("create", "parse", "stream") and len(parts) == 2:
        return Endpoint(name, "responses", part)
    if parts in _SERVED or (part not in UNSUPPORTED_ENDPOINTS and part not in ("responses", "completions")):
        return Endpoint(name, "served", part)
    return Endpoint(name, "missing", part)


def likely_endpoint(func: ast.expr, is_openai: Callable[[], bool]) -> Endpoint | None:
    """Return the endpoint that a call names whose client is not seen; None when the names do not tell.

    Args:
        func: What is called.
        is_openai: Asked where the names alone do not tell: whether something else does.
    """
    names: list[str] = []
    while isinstance(func, ast.Attribute):
        names.insert(0, func.attr)
        func = func.value
    names.insert(0, func.id if isinstance(func, ast.Name) else "")
    names = [name for name in names if name not in VIEWS]
    if len(names) < 3 or names[-1] not in SENDING:
        return None
    if tuple(names[-3:-1]) == _CHAT:
        return endpoint_of(tuple(names[-3:]))
    if names[-2] not in _TELLING or not is_openai():
        return None
    part = _PART_OF.get(names[-2], names[-2])
    if part in ("completions", "responses"):
        return endpoint_of(tuple(names[-2:]))
    return Endpoint(".".join(names[-2:]), "missing", part)


def litellm_endpoint(path: str) -> Endpoint | None:
    """Return the endpoint of a function of LiteLLM, `"litellm.acompletion"`; None for all others."""
    package, _, rest = path.partition(".")
    api = LITELLM_CALLS.get(rest.rpartition(".")[2]) if package == "litellm" else None
    match api:
        case None:
            return None
        case "chat" | "completions" | "responses":
            return Endpoint(path, api, api)
        case _:
            return Endpoint(path, "missing", api)
