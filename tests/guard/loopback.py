"""Refuse every connection that would leave this machine, so that no test can depend on one."""

from __future__ import annotations

import sys
from ipaddress import ip_address


class NotLoopbackError(BaseException):
    """A connection or a name look-up that would have left this machine.

    Not an `Exception`: the SDK retries those and reports them as "Connection error.", which a test of
    connection errors would take for its own.
    """


def install() -> None:
    """Watch this process for as long as it lives; an audit hook needs no patching and cannot be undone."""
    sys.addaudithook(_watch)


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        _refuse_others(args[0])
    elif event in {"socket.connect", "socket.sendto"} and isinstance(address := args[1], tuple):
        _refuse_others(address[0])  # a Unix socket's address is no tuple


def _refuse_others(host: object) -> None:
    if host is None:
        return
    name = host.decode() if isinstance(host, bytes) else str(host)
    try:
        loopback = name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise NotLoopbackError(f"{name!r} is not on loopback: serve what the test needs on this machine")
