"""Who may call the gateway, and with which key of Tess their calls are made."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tess_openai.core.headers import is_sendable
from tess_openai.core.refusals import Refused
from tess_openai.exceptions import TessConfigurationError
from tess_openai.gateway.gateway_options import GatewaySettings, is_loopback
from tess_openai.identifiers import ApiKey

logger = logging.getLogger("tess_openai.gateway")

SHORTEST_KEY: Final = 16
"""Characters; a shorter key could be guessed."""
_NAME: Final = re.compile(r"[\w.@-]{1,64}")
_CHECK_SECONDS: Final = 1.0
"""How often the file of the keys is looked at for a change."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of the gateway.

    Attributes:
        name: The name for the log; `"-"` where callers have no names.
        authorization: The header with the key of Tess.
    """

    name: str
    authorization: str = field(repr=False)


class Admission(Protocol):
    """Decides who may call."""

    async def admit(self, authorization: str, client: str | None) -> Caller:
        """Return the caller.

        Args:
            authorization: The header of the request; `""` if it has none.
            client: The address that the request comes from, if it is known.

        Raises:
            Refused: They may not call.
        """
        ...


class KeyFile:
    """The keys of the gateway's own callers; only their hashes are kept.

    Each line is a name and a key. Empty lines and those that begin with `#` are ignored. A name may have
    several keys. A change of the file counts after a second; one that cannot be used is logged, and the keys
    from before it stay.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file.

        Raises:
            TessConfigurationError: It cannot be read, or a line of it is wrong.
        """
        self._path = path
        self._clock = clock
        self._looked_at = clock()
        self._version = _version_of(path)
        self._names = read_keys(path)

    def name_of(self, key: str) -> str | None:
        """Return the name of the caller who has this key; None when there is no such key."""
        self._reload()
        digest = _digest(key)
        found: str | None = None
        for known, name in self._names.items():  # all of them, so that the time says nothing
            if hmac.compare_digest(known, digest):
                found = name
        return found

    def _reload(self) -> None:
        now = self._clock()
        if now < self._looked_at + _CHECK_SECONDS:
            return
        self._looked_at = now
        version = _version_of(self._path)
        if version == self._version:
            return
        self._version = version
        try:
            self._names = read_keys(self._path)
            logger.info("the key file was read again: %d keys", len(self._names))
        except TessConfigurationError as error:
            logger.error("%s; the keys from before stay in use", error)  # noqa: TRY400 - the text says it all


def read_keys(path: Path) -> Mapping[bytes, str]:
    """Read a key file; return the names by the hashes of the keys.

    Raises:
        TessConfigurationError: It cannot be read, or a line of it is wrong; no key is shown.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()  # editors of Windows write a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise TessConfigurationError(f"the key file {str(path)!r} cannot be read: {reason}") from None
    names: dict[bytes, str] = {}
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        problem = _problem_of(parts, names)
        if problem:
            raise TessConfigurationError(f"line {number} of the key file {str(path)!r}: {problem}")
        names[_digest(parts[1])] = parts[0]
    if not names:
        raise TessConfigurationError(
            f"the key file {str(path)!r} has no key; each line is a name and a key, with a space between them"
        )
    return names


def _problem_of(parts: list[str], names: Mapping[bytes, str]) -> str:
    if len(parts) != 2 or _NAME.fullmatch(parts[0]) is None:
        return "it must be a name and a key with a space between them"
    key = parts[1]
    if len(key) < SHORTEST_KEY or not (key.isascii() and key.isprintable()):
        return f"the key must have {SHORTEST_KEY} or more visible ASCII characters"
    if _digest(key) in names:
        return "an earlier line has the same key"
    return ""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The callers have keys of the gateway's, which holds the one key of Tess."""

    api_key: ApiKey = field(repr=False)
    keys: KeyFile

    async def admit(self, authorization: str, client: str | None) -> Caller:  # noqa: ARG002 - of the protocol
        """Return the caller whose key the request has."""
        name = self.keys.name_of(_token(authorization))
        if name is None:
            raise _unknown_key()
        return Caller(name, await to_authorization(self.api_key))


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """Everybody on this machine may call, with any key; the gateway holds the key of Tess."""

    api_key: ApiKey = field(repr=False)

    async def admit(self, authorization: str, client: str | None) -> Caller:  # noqa: ARG002 - of the protocol
        """Return the one caller, if they are on this machine."""
        if client is None or not is_loopback(client):
            raise Refused(
                "This gateway has no keys for its callers, so it answers to its own machine only. Start it "
                "with a key file or with pass-through of Tess keys.",
                param=None,
                code="not_on_loopback",
                status=403,
            )
        return Caller("-", await to_authorization(self.api_key))


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Each caller has a key of Tess."""

    async def admit(self, authorization: str, client: str | None) -> Caller:  # noqa: ARG002 - of the protocol
        """Return the caller; Tess judges the key."""
        token = _token(authorization)
        if not token or not is_sendable(token):
            raise _unknown_key()
        return Caller("-", f"Bearer {token}")


def admission_of(settings: GatewaySettings, api_key: ApiKey) -> Admission:
    """Return who decides about callers.

    Raises:
        TessConfigurationError: The key file cannot be used.
    """
    if settings.pass_through:
        return PassThrough()
    if settings.key_file is not None:
        return OwnKeys(api_key, KeyFile(settings.key_file))
    return ThisMachine(api_key)


async def to_authorization(api_key: ApiKey) -> str:
    """Return the header with a key, which a function may give.

    Raises:
        Refused: The function failed.
    """
    if isinstance(api_key, str):
        return f"Bearer {api_key}"
    try:
        made = api_key()
        return f"Bearer {await made if inspect.isawaitable(made) else made}"
    except Exception as error:  # noqa: BLE001 - of a function that may be anybody's
        name = type(error).__name__  # its text may hold the key
        logger.error("the function that gives the key of Tess failed with %s", name)  # noqa: TRY400 - as above
        raise Refused(
            f"The function that gives the gateway its key of Tess failed with {name}; nothing was sent.",
            param=None,
            code="no_api_key",
            status=503,
        ) from None


def _token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def _version_of(path: Path) -> tuple[int, ...]:
    """Return what changes when the file does; an empty tuple when it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116 - once a second, in the way of a call
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _unknown_key() -> Refused:
    return Refused(
        "Incorrect API key provided. Pass a key of this gateway as `Authorization: Bearer ...`.",
        param=None,
        code="invalid_api_key",
        status=401,
    )
