"""The http client that sends all calls to Tess, through the adapter."""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import anyio
import openai

from tess_openai.client_options import TessOptions
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.families import Family, FamilyName, family_of, load_family
from tess_openai.edge.install import wrap_copy
from tess_openai.gateway.metrics import Metrics
from tess_openai.settings import Settings, resolve

LONGEST_WAIT_SECONDS: Final = 60.0
"""The longest `Retry-After` that OpenAI's clients in all languages honour. Source: their code, read."""
_KEPT_CONNECTIONS: Final = 100
_LAST_CALLS_SECONDS: Final = 3.0


def resolve_settings(agent_id: int | str | None, options: TessOptions, *, pass_through: bool) -> Settings:
    """Check the adapter's options; with `pass_through` no key is needed, since each call has its own.

    Raises:
        TessConfigurationError: An option cannot work.
    """
    given = TessOptions(**options)
    if pass_through:
        given["api_key"] = _no_key
    return resolve(agent_id, given, longest_wait_seconds=LONGEST_WAIT_SECONDS)


@dataclass(slots=True)
class Upstream:
    """The http client, made by its first use and again by the first use after it was closed.

    Attributes:
        settings: The adapter's settings.
        metrics: Gets the adapter's changes.
    """

    settings: Settings
    metrics: Metrics
    _open_calls: int = field(default=0, init=False)
    _idle: Any = field(default=None, init=False, repr=False)
    _client: Any = field(default=None, init=False, repr=False)
    _original: Any = field(default=None, init=False, repr=False)

    @property
    def root(self) -> str:
        """The base URL of the gateway's agent, to which OpenAI's paths are appended."""
        return self.settings.base_url

    @property
    def client(self) -> Any:
        """The http client whose transport is the adapter's."""
        if self._client is None:
            self._original = _new_client()
            self._client = wrap_copy(self._original, self._adapter(), "async")
        return self._client

    @property
    def family(self) -> Family:
        """The HTTP family of the client."""
        return load_family(_own_family())

    @property
    def accepted_encodings(self) -> str:
        """The encodings that the http client decodes."""
        accepted: str = self.client.headers["accept-encoding"]
        return accepted

    def new_request(self, method: str, url: str, *, headers: dict[str, str], content: Any) -> Any:
        """Return a request; it costs less than the client's own `build_request`."""
        extensions = {"timeout": self.client.timeout.as_dict()}
        return self.family.Request(
            method, _to_url(url), headers=headers, content=content, extensions=extensions
        )

    @contextmanager
    def open_call(self) -> Generator[None]:
        """Count a call while it is answered."""
        self._open_calls += 1
        try:
            yield
        finally:
            self._open_calls -= 1
            if not self._open_calls and self._idle is not None:
                self._idle.set()

    async def aclose(self) -> None:
        """Close the connections after the calls that the server cut off have written their errors."""
        if self._open_calls:
            self._idle = anyio.Event()
            with anyio.move_on_after(_LAST_CALLS_SECONDS):
                await self._idle.wait()
        client, self._client, self._original = self._client, None, None
        if client is not None:
            await client.aclose()

    def _adapter(self) -> Adapter:
        """Return the adapter without warnings: the callers' lines are not in this process."""
        given = self.settings.adapter
        users = given.on_change

        def on_change(change: Any) -> None:
            self.metrics.change(change)
            if users is not None:
                users(change)

        return replace(given, warns=False, on_change=on_change)


def _new_client() -> Any:
    """Return the SDK's own http client without a limit on connections: each open stream holds one."""
    limits = load_family(_own_family()).Limits(
        max_connections=None, max_keepalive_connections=_KEPT_CONNECTIONS
    )
    return openai.DefaultAsyncHttpxClient(limits=limits)


@functools.lru_cache(maxsize=64)
def _to_url(url: str) -> Any:
    """Return the parsed URL; most calls use one of a few."""
    return load_family(_own_family()).Request("GET", url).url


@functools.cache
def _own_family() -> FamilyName:
    """Return the HTTP family of the installed SDK."""
    found = family_of(openai.DefaultAsyncHttpxClient())
    if found is None:
        raise TypeError("the SDK's http client is of neither HTTP family")
    return found


def _no_key() -> str:
    return ""
