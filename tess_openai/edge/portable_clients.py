"""Copy and pickle http clients that contain the adapter: they are made again from their settings.

Frameworks copy and pickle the models that hold http clients. A connection pool can be neither copied nor
pickled, and a framework that drops what cannot be pickled would continue without the adapter.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tess_openai.edge.adapter import Adapter
from tess_openai.edge.families import FamilyName, Kind, to_dict
from tess_openai.exceptions import TessConfigurationError

INSTALLATION: Final = "_tess_installation"
"""Attribute of a client that holds its `Installation`."""
_SETTINGS: Final = (
    *("_base_url", "_params", "_headers", "_timeout", "follow_redirects", "max_redirects", "_event_hooks"),
    *("_trust_env", "_default_encoding"),
)
"""Attributes of a client of httpx or httpx2 that are settings, and neither connections nor passwords."""


@dataclass(frozen=True, slots=True)
class Installation:
    """How a client got its adapter.

    Attributes:
        adapter: Shared with all copies.
        kind: Sync or async.
        family: The family of the client.
        original: The user's client of which this one is a copy; None for a client of this package.
        may_pickle: Whether a pickle of the object that holds the client would contain no key.
        make: Makes a new client of this package.
    """

    adapter: Adapter
    kind: Kind
    family: FamilyName
    original: object
    may_pickle: bool
    make: Callable[..., Any]


class PortableClient:
    """The base class that is added to a client that contains the adapter."""

    def __copy__(self) -> Any:
        """Return a client that shares the connections, and keeps this one alive, which closes them."""
        made: Any = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__["_tess_copied_from"] = self
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a client with connections of its own; if it wraps a user's client, it shares that one's."""
        installation: Installation = vars(self)[INSTALLATION]
        made: Any
        if installation.original is None:
            made = installation.make(
                installation.adapter,
                installation.kind,
                installation.family,
                may_pickle=installation.may_pickle,
            )
        else:
            made = self.__copy__()
        memo[id(self)] = made
        apply_settings(made, copy.deepcopy(_settings_of(self), memo))
        cookies: Any = vars(self)["_cookies"]
        made._cookies = type(cookies)(cookies)  # noqa: SLF001
        return made

    def __reduce_ex__(self, protocol: object) -> tuple[object, ...]:
        """Pickle the settings: the other process makes the client again.

        Raises:
            TessConfigurationError: The client cannot be made again, or the pickle would hold a key.
        """
        installation: Installation = vars(self)[INSTALLATION]
        if installation.original is not None:
            raise TessConfigurationError(
                "this http client wraps one of yours (http_client=...), whose connections cannot be pickled. "
                "Leave http_client= out, or make the client in each process: connection(8794)"
            )
        if not installation.may_pickle:
            raise TessConfigurationError(
                "a client of OpenAI's SDK holds its API key, so it is not pickled. Make it in each process: "
                "create_client(8794)"
            )
        settings = _settings_of(self)
        if vars(self).get("_auth") is not None or installation.adapter.keys.are_in(
            to_dict(settings["_headers"])
        ):
            raise TessConfigurationError(
                "this http client has a key or a password in its headers or its auth, so it is not pickled. "
                "Give the key to the client of the SDK: api_key="
            )
        recipe = (installation.adapter, installation.kind, installation.family, settings)
        return restore_client, (installation.make, *recipe)


def restore_client(
    make: Callable[..., Any],
    adapter: Adapter,
    kind: Kind,
    family: FamilyName,
    settings: dict[str, Any],
) -> Any:
    """Make a client again from its pickle."""
    client = make(adapter, kind, family)
    apply_settings(client, settings)
    return client


def apply_settings(client: Any, settings: dict[str, Any]) -> None:
    """Give a client the settings of another one."""
    client.__dict__.update(settings)


def _settings_of(client: object) -> dict[str, Any]:
    given = vars(client)
    return {name: given[name] for name in _SETTINGS if name in given}
