"""Drivers of calls that are tested without a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, refuse
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.families import Family
from tess_openai.edge.origins import Origin
from tess_openai.edge.sync_driver import SyncDriver
from tess_openai.edge.transports import TessTransport

URL: Final = "https://tess.example/agents/42/openai/chat/completions"
KEY: Final = "Bearer 1|a-key"


def driver_of(
    family: Family, *, method: str = "POST", headers: Any = None, extensions: Any = None, **settings: Any
) -> SyncDriver:
    """Return the driver of one call, over a transport that sends nothing; `settings` are the adapter's."""
    adapter = Adapter(Origin("https", "tess.example", None, ""), Options(), **settings)
    inner: Any = SimpleNamespace(close=None)
    transport = TessTransport(inner, adapter, family, None)
    given = {"authorization": KEY, **(headers or {})}
    request = family.Request(method, URL, headers=given, content=b"{}", extensions=extensions or {})
    return SyncDriver(refuse(Refused("unused", param=None, code="unused")), transport, request)


class Pacing:
    """A pacer that records what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.queues = SimpleNamespace(clock=lambda: 7.0)

    def mark_sent(self, authorization: str, taken_at: float) -> None:
        """Record that a request is sent."""
        self.calls.append(("sent", authorization, taken_at))

    def pause(self, authorization: str, seconds: float) -> None:
        """Record a pause."""
        self.calls.append(("pause", authorization, seconds))

    def with_short_waits(self, longest_wait_seconds: float) -> tuple[str, float]:
        """Return the limit of the waits."""
        return "short waits", longest_wait_seconds
