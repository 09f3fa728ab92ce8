"""The installed SDK: what of it this package needs to know, and its own http clients."""

from __future__ import annotations

from typing import Any, Final

import openai

from tess_openai.edge.families import FamilyName, family_of, load_family
from tess_openai.edge.install import Kind

CALLABLE_KEYS: Final = (1, 106)
"""First release that calls a callable `api_key`; earlier ones send its repr (measured)."""
NAMES_BROKEN_STREAMS: Final = (3, 14)
"""First release that turns an HTTP error in the middle of a stream into `APIConnectionError` (measured)."""


PATIENT: Final = (2, 52)
"""First release that sleeps through a `Retry-After` of up to 120 seconds; earlier ones take more than 60 for
none, and try again at once (measured)."""


def longest_wait_seconds() -> float:
    """Return the longest `Retry-After` that the installed SDK honours."""
    return 120.0 if version() >= PATIENT else 60.0


def version() -> tuple[int, int]:
    """Return major and minor release of the installed SDK."""
    major, minor, *_ = openai.VERSION.split(".")
    return int(major), int(minor)


def new_http_client(kind: Kind, family: FamilyName | None) -> Any:
    """Return a client as the SDK itself would make it, in its own family or in the one asked for."""
    own = openai.DefaultHttpxClient() if kind == "sync" else openai.DefaultAsyncHttpxClient()
    if family is None or family_of(own) == family:
        return own
    classes = load_family(family)
    limits, timeout = openai.DEFAULT_CONNECTION_LIMITS, openai.DEFAULT_TIMEOUT
    make = classes.Client if kind == "sync" else classes.AsyncClient
    return make(
        timeout=classes.Timeout(timeout.read, connect=timeout.connect),
        limits=classes.Limits(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
        ),
        follow_redirects=True,
    )
