"""The routes of the simulator; each works with and without the older `/api` prefix."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, TypeAlias

from tess_openai.testing.wire import WireRequest

RouteName: TypeAlias = Literal[
    "chat",
    "execute",
    "response",
    "agent",
    "agents",
    "list files",
    "upload file",
    "file",
    "delete file",
    "process file",
]


class Route(NamedTuple):
    """A route, and the number in its path (0 where it has none)."""

    name: RouteName
    number: int


_NUMBER: Final = "([0-9]{1,18})"
_ROUTES: Final[tuple[tuple[str, str, RouteName], ...]] = (
    ("POST", f"/agents/{_NUMBER}/openai/chat/completions", "chat"),
    ("POST", f"/agents/{_NUMBER}/execute", "execute"),
    ("GET", f"/agent-responses/{_NUMBER}", "response"),
    ("GET", f"/agents/{_NUMBER}", "agent"),
    ("GET", "/agents", "agents"),
    ("GET", "/files", "list files"),
    ("POST", "/files", "upload file"),
    ("GET", f"/files/{_NUMBER}", "file"),
    ("DELETE", f"/files/{_NUMBER}", "delete file"),
    ("POST", f"/files/{_NUMBER}/process", "process file"),
)


def find_route(request: WireRequest) -> Route | None:
    """Return the route of a request; None for an undocumented path or method."""
    for method, pattern, name in _ROUTES:
        if method == request.method and (match := re.fullmatch(pattern, request.path)):
            return Route(name, int(match[1]) if match.groups() else 0)
    return None
