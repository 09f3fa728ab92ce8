"""The installed SDK: the versions that change its behaviour, and its own http clients."""

from __future__ import annotations

from typing import Any, Final

import openai

from tess_openai.edge.families import FamilyName, Kind, family_of, load_family

CALLABLE_KEYS: Final = (1, 106)
"""First release that calls a callable `api_key`; earlier releases send its repr (measured)."""
HONOURS_120_SECONDS: Final = (2, 52)
"""First release that honours a `Retry-After` of up to 120 seconds; earlier releases ignore one above 60 and
retry at once (measured)."""


def longest_wait_seconds() -> float:
    """Return the longest `Retry-After` that the installed SDK honours."""
    return 120.0 if version() >= HONOURS_120_SECONDS else 60.0


def version() -> tuple[int, int]:
    """Return the major and minor version of the installed SDK."""
    major, minor, *_ = openai.VERSION.split(".")
    return int(major), int(minor)


def new_http_client(kind: Kind, family: FamilyName | None) -> Any:
    """Return an http client with the SDK's own defaults, in the SDK's family or in the requested one."""
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
