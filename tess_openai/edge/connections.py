"""The connection of a call, and how to wake a thread or task that waits for it."""

from __future__ import annotations

import socket
from threading import Lock
from typing import Any

from tess_openai.edge.families import Response


class HeldConnection:
    """The connection that delivers the answer of a call, until it returns to its pool."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._response: Response | None = None

    def hold(self, response: Response) -> None:
        """Hold the connection of a response whose head has just been received."""
        self._response = response

    def release(self) -> None:
        """Allow no further interruption of the connection, which is about to return to its pool."""
        with self._lock:
            self._response = None

    def interrupt(self, response: Response | None = None) -> bool:
        """Wake the thread or task that waits for the answer; False where that is not possible.

        Args:
            response: Do so only if the connection of this response is held; None for any.
        """
        with self._lock:
            held = self._response
            if held is None or (response is not None and response is not held):
                return True
            stream: Any = held.extensions.get("network_stream")
            if stream is None or held.extensions.get("http_version") == b"HTTP/2":
                return False  # there is no socket, or other calls share it
            try:
                _shut_down(stream.get_extra_info("socket"))
            except (OSError, AttributeError, TypeError):  # it is closed already, or uvloop does not allow it
                return False
            return True


def _shut_down(sock: Any) -> None:
    """Shut down both directions of a socket, which ends a blocked read."""
    if isinstance(sock, socket.socket):
        socket.socket.shutdown(
            sock, socket.SHUT_RDWR
        )  # `SSLSocket.shutdown` removes the state its reader uses
    else:
        sock.shutdown(socket.SHUT_RDWR)
