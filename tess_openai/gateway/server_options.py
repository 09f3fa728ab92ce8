"""Where the gateway listens, and how it is served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tess_openai.core.options import is_count
from tess_openai.exceptions import TessConfigurationError
from tess_openai.gateway.gateway_options import GatewaySettings, is_loopback

DEFAULT_PORT: Final = 8484


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of `tess-openai serve`.

    Attributes:
        host: The address to listen on.
        port: The port to listen on; 0 chooses a free one.
        workers: How many processes share the work.
        shutdown_seconds: How long running answers may continue when the gateway is stopped.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    workers: int = 1
    shutdown_seconds: float = 30.0


def _check_host(given: object) -> None:
    if not isinstance(given, str) or not given:
        raise ValueError('it must be an address, such as "127.0.0.1" or "0.0.0.0"')


def _check_port(given: object) -> None:
    if not is_count(given) or given > 65_535:
        raise ValueError("it must be a port from 0 to 65535")


def _check_workers(given: object) -> None:
    if not is_count(given) or not 1 <= given <= 64:
        raise ValueError("it must be a number of processes from 1 to 64")


def _check_seconds(given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 3600:
        raise ValueError("it must be a number of seconds from 0 to 3600")


SERVER_OPTIONS: Final[Mapping[str, Callable[[Any], None]]] = {
    "host": _check_host,
    "port": _check_port,
    "workers": _check_workers,
    "shutdown_seconds": _check_seconds,
}
"""Each option by its name, with a check that raises `ValueError("it must be ...")`."""


def check_exposure(host: str, settings: GatewaySettings) -> None:
    """Refuse to serve other machines if callers need no key.

    Raises:
        TessConfigurationError: The address is not a loopback one, and neither option asks callers for a key.
    """
    if is_loopback(host) or settings.key_file is not None or settings.pass_through:
        return
    raise TessConfigurationError(
        f"host is {host!r}, which other machines reach, and everyone there could spend the credits of your "
        "Tess key. Name the file with your callers' keys with --key-file, or let each caller use a key of "
        "Tess with --pass-through"
    )
