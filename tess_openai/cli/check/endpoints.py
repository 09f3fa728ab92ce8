"""Which of OpenAI's endpoints a method of a client calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from tess_openai.cli.check.libraries import (
    CHAT_METHODS,
    LOCAL_METHODS,
    RAW_METHODS,
    RENAMED,
    RESOURCES,
    SENDING,
    VIEWS,
)
from tess_openai.core.routes import UNSUPPORTED_ENDPOINTS

_CHAT: Final = ("chat", "completions")
SERVED: Final = frozenset({("models", "list"), ("models", "retrieve")})
"""What is answered below an endpoint of `UNSUPPORTED_ENDPOINTS` all the same."""
TRANSLATED: Final = frozenset({"completions", "responses"})
"""Endpoints that the adapter answers by a chat."""
_TELLING: Final = frozenset(
    {
        "assistants",
        "embeddings",
        "fine_tuning",
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
        part: The entry of `UNSUPPORTED_ENDPOINTS` that says that Tess lacks it; None when it does not.
        is_chat: Whether it is a chat completion.
        is_raw: Whether its path is the caller's own.
    """

    name: str
    part: str | None = None
    is_chat: bool = False
    is_raw: bool = False


def endpoint_of(path: tuple[str, ...]) -> Endpoint | None:
    """Return the endpoint of a method below a client; None when nothing is sent."""
    parts = tuple(part for part in path if part not in VIEWS)
    if not parts or parts[-1] in LOCAL_METHODS or parts[-1].startswith("_"):
        return None
    name = ".".join(parts)
    if parts[:2] == _CHAT and len(parts) == 3 and parts[2] in CHAT_METHODS:
        return Endpoint(name, is_chat=True)
    if len(parts) == 1:
        return Endpoint(name, is_raw=True) if parts[0] in RAW_METHODS else None
    if parts[0] not in RESOURCES:
        return None
    if parts in SERVED:
        return Endpoint(name)
    part = RENAMED.get(parts[0], parts[0])
    return Endpoint(name, part=part if part in UNSUPPORTED_ENDPOINTS else None)


def likely_endpoint(func: ast.expr, *, imports_openai: bool) -> Endpoint | None:
    """Return the endpoint that a call names whose client is not seen; None when the names do not tell."""
    names: list[str] = []
    while isinstance(func, ast.Attribute):
        names.insert(0, func.attr)
        func = func.value
    names = [name for name in names if name not in VIEWS]
    if len(names) < 2 or names[-1] not in SENDING:
        return None
    if tuple(names[-3:-1]) == _CHAT and names[-1] in CHAT_METHODS:
        return Endpoint(".".join(names[-3:]), is_chat=True)
    if not imports_openai or names[-2] not in _TELLING:
        return None
    part = _PART_OF.get(names[-2], names[-2])
    if part in TRANSLATED:
        return Endpoint(".".join(names[-2:]))
    return Endpoint(".".join(names[-2:]), part=part) if part in UNSUPPORTED_ENDPOINTS else None
