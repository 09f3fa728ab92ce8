"""The gateway's own options, which it has in addition to the adapter's, and their checks."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

from tess_openai.client_options import TessOptions
from tess_openai.core.changes import quoted
from tess_openai.core.options import is_count
from tess_openai.exceptions import TessConfigurationError

MEBIBYTE: Final = 1024 * 1024


class GatewayOptions(TessOptions, total=False):
    """The options of `create_app`: the adapter's and the gateway's own.

    Attributes:
        key_file: The file with the keys of the gateway's own callers; each line is a name and a key. Callers
            use these keys, and the gateway uses its key of Tess.
        pass_through: Whether each caller uses a Tess key of their own instead.
        allow_origins: The origins whose pages may call from a browser, `"https://chat.example.com"`.
        allow_hosts: Names, besides those of loopback, that the header `Host` may have when the gateway
            listens on loopback, for a reverse proxy on this machine.
        heartbeat_seconds: After so many seconds of silence a comment line is written into a stream; 0 writes
            none.
        max_body_bytes: The longest body of a call; it is kept in memory.
        max_upload_bytes: The longest body of an upload; its pieces are passed on as they arrive.
        open_metrics: Whether `/metrics` is shown to everyone who reaches the gateway. Otherwise a request
            from another machine needs a caller's key.
    """

    key_file: str | os.PathLike[str] | None
    pass_through: bool
    allow_origins: tuple[str, ...]
    allow_hosts: tuple[str, ...]
    heartbeat_seconds: float
    max_body_bytes: int
    max_upload_bytes: int
    open_metrics: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """The checked `GatewayOptions`, without the adapter's."""

    key_file: Path | None
    pass_through: bool
    allow_origins: tuple[str, ...]
    allow_hosts: tuple[str, ...]
    heartbeat_seconds: float
    max_body_bytes: int
    max_upload_bytes: int
    open_metrics: bool


def _to_path(given: object) -> Path | None:
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike) or not str(cast("object", given)):
        raise ValueError("it must be the path of a file")
    return Path(cast("str", given)).expanduser()


def _to_switch(given: object) -> bool:
    if not isinstance(given, bool):
        raise ValueError("it must be true or false")
    return given


def _to_texts(given: object) -> tuple[str, ...]:
    items = list(cast("list[object]", given)) if isinstance(given, list | tuple) else [given]
    if not all(isinstance(item, str) and item for item in items):
        raise ValueError("it must be a list of names")
    return tuple(cast("list[str]", items))


def _to_origins(given: object) -> tuple[str, ...]:
    origins = _to_texts(given)
    for origin in origins:
        scheme, separator, host = origin.partition("://")
        if origin != "null" and (not separator or not scheme or not host or "/" in host or "*" in origin):
            raise ValueError('it must list origins, such as "https://chat.example.com", without a path')
    return origins


def _to_seconds(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 3600:
        raise ValueError("it must be a number of seconds from 0 to 3600")
    return float(given)


def _to_bytes(given: object) -> int:
    if not is_count(given) or given == 0:
        raise ValueError("it must be a number of bytes from 1")
    return given


@dataclass(frozen=True, slots=True)
class GatewayOption:
    """The default of one option, and the function that checks and converts its value."""

    default: Any
    check: Callable[[object], object]


GATEWAY_OPTIONS: Final[Mapping[str, GatewayOption]] = {
    "key_file": GatewayOption(None, _to_path),
    "pass_through": GatewayOption(False, _to_switch),
    "allow_origins": GatewayOption((), _to_origins),
    "allow_hosts": GatewayOption((), _to_texts),
    "heartbeat_seconds": GatewayOption(15.0, _to_seconds),
    "max_body_bytes": GatewayOption(32 * MEBIBYTE, _to_bytes),
    "max_upload_bytes": GatewayOption(512 * MEBIBYTE, _to_bytes),
    "open_metrics": GatewayOption(False, _to_switch),
}
"""Every option of the gateway by its name, in the order of `GatewayOptions`."""


def check_gateway_options(given: Mapping[str, object]) -> GatewaySettings:
    """Complete and check the gateway's options.

    Raises:
        TessConfigurationError: A value cannot work, or two exclude each other.
    """
    checked: dict[str, Any] = {
        name: check_gateway_option(name, given.get(name, option.default))
        for name, option in GATEWAY_OPTIONS.items()
    }
    settings = GatewaySettings(**checked)
    if settings.key_file is not None and settings.pass_through:
        raise TessConfigurationError(
            "key_file and pass_through exclude each other: with the first the callers have keys of the "
            "gateway's, with the second their own of Tess. Choose one"
        )
    return settings


def check_gateway_option(name: str, given: object) -> object:
    """Check one of the gateway's options.

    Raises:
        TessConfigurationError: The value cannot work.
    """
    try:
        return GATEWAY_OPTIONS[name].check(given)
    except ValueError as error:
        raise TessConfigurationError(f"{name} is {quoted(given)}; {error}") from None


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host, a name or an address, is a loopback one."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)
