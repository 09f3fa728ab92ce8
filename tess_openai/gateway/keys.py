"""Decide who may call the gateway, and with which Tess key their calls are made."""

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
"""The fewest characters of a key; a shorter one could be guessed."""
_NAME: Final = re.compile(r"[\w.@-]{1,64}")
_CHECK_SECONDS: Final = 1.0
"""How often the key file is checked for a change."""


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
            client: The address from which the request comes; None if unknown.

        Raises:
            Refused: The caller is not admitted.
        """
        ...


class KeyFile:
    """The keys of the gateway's own callers; only their hashes are kept.

    Each line is a name and a key. Empty lines and lines that begin with `#` are ignored. A name may have
    several keys. A changed file is read again within a second; if it has a mistake, that is logged, and the
    earlier keys stay valid.
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
        for known, name in self._names.items():  # no early end, which would show in the time
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
            logger.error("%s; the earlier keys stay in use", error)  # noqa: TRY400 - a traceback adds nothing


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
    """Admits callers with a key of the gateway's own; all share the gateway's key of Tess."""

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
    """Admits every caller on this machine, with any key; all share the gateway's key of Tess."""

    api_key: ApiKey = field(repr=False)

    async def admit(self, authorization: str, client: str | None) -> Caller:  # noqa: ARG002 - of the protocol
        """Return the caller, if the request comes from this machine."""
        if client is None or not is_loopback(client):
            raise Refused(
                "This gateway has no keys for its callers, so it serves its own machine only. Start it "
                "with a key file or with pass-through of Tess keys.",
                param=None,
                code="not_on_loopback",
                status=403,
            )
        return Caller("-", await to_authorization(self.api_key))


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Admits every caller that sends a key, and uses it as the key of Tess."""

    async def admit(self, authorization: str, client: str | None) -> Caller:  # noqa: ARG002 - of the protocol
        """Return the caller; Tess itself checks the key."""
        token = _token(authorization)
        if not token or not is_sendable(token):
            raise _unknown_key()
        return Caller("-", f"Bearer {token}")


def admission_of(settings: GatewaySettings, api_key: ApiKey) -> Admission:
    """Return the admission that the settings ask for.

    Raises:
        TessConfigurationError: The key file cannot be used.
    """
    if settings.pass_through:
        return PassThrough()
    if settings.key_file is not None:
        return OwnKeys(api_key, KeyFile(settings.key_file))
    return ThisMachine(api_key)


async def to_authorization(api_key: ApiKey) -> str:
    """Return the `Authorization` header for a key or for a function that returns one.

    Raises:
        Refused: The function failed.
    """
    if isinstance(api_key, str):
        return f"Bearer {api_key}"
    try:
        made = api_key()
        return f"Bearer {await made if inspect.isawaitable(made) else made}"
    except Exception as error:  # noqa: BLE001 - the function is the user's own
        name = type(error).__name__  # the text of the error may contain the key
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
    """Return values that change when the file does; an empty tuple when there is no file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - faster than pathlib, during a call
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
