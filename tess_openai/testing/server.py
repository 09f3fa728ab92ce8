"""The simulator on a loopback port: HTTP/1.1 on threads, with persistent connections."""

from __future__ import annotations

import re
import socket
import socketserver
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, cast

from tess_openai.testing.framing import FramingError, read_body
from tess_openai.testing.wire import (
    FOREVER,
    Responder,
    WireRequest,
    WireResponse,
    join_headers,
    json_response,
)

if TYPE_CHECKING:
    from typing_extensions import Self

_POLL_SECONDS = 0.02
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", ""})
_PORT = re.compile(r":\d+$")


class SimulatorServer:
    """A running server; close it, or use it as a context manager.

    Attributes:
        base_url: The API root, `http://127.0.0.1:PORT`, without a slash at its end.
    """

    def __init__(self, simulator: Responder, port: int = 0) -> None:
        self._listener = _Listener(simulator, port)
        self.base_url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = Thread(target=self._listener.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether the server still listens."""
        return self._thread.is_alive()

    def openai_url(self, agent_id: int = 42) -> str:
        """Return what OpenAI's SDK takes as `base_url` for an agent."""
        return f"{self.base_url}/agents/{agent_id}/openai"

    def close(self) -> None:
        """Stop listening, break all connections, wait for the threads; a second call does nothing."""
        if self.is_open:
            self._listener.shutdown()
            self._thread.join()
            self._listener.break_connections()
            self._listener.server_close()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True  # a program that forgets close() must still be able to end

    def __init__(self, simulator: Responder, port: int) -> None:
        self.simulator = simulator
        self._connections: dict[socket.socket, Thread] = {}
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's
        # A thread of a server that was never closed must not keep the program from ending.
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - socketserver's signature
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's
        """Ignore a client that disconnected; print every other error, such as that of a script."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def break_connections(self) -> None:
        """Shut down all connections and wait for their threads."""
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            with suppress(OSError):  # the client has closed it already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections.values():
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "TessSimulator"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one request."""
        simulator = cast("_Listener", self.server).simulator
        try:
            self._check_host()
            body = read_body(self.rfile, self.headers)
        except FramingError as error:
            self._refuse(error)
            return
        request = WireRequest(self.command, self.path, join_headers(self.headers.items()), body)
        response, record = simulator.answer(request)
        try:
            is_complete = self._send(response)
        except OSError:
            is_complete = False
        if not is_complete:
            record.closed_early = response.cut == "never"
            self.close_connection = True
        record.over.set()

    do_GET = do_DELETE = do_PUT = do_PATCH = do_POST  # noqa: N815 - names http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Print nothing: the requests are recorded."""

    def _check_host(self) -> None:
        """Refuse a request for another host: a page in a browser may make its name resolve to loopback."""
        host = self.headers.get("host", "")
        if _PORT.sub("", host).lower() not in _LOOPBACK_NAMES:
            raise FramingError(421, "This simulator answers requests for localhost only.")

    def _refuse(self, error: FramingError) -> None:
        """Answer a request that cannot be parsed, and close the connection, where its end is unknown."""
        self.close_connection = True
        with suppress(OSError):
            self._send(json_response(error.status, {"error": str(error)}).with_headers(connection="close"))

    def _send(self, response: WireResponse) -> bool:
        """Send a response; return whether all of it was sent."""
        if not self._wait(response.delay_seconds) or response.cut == "before the head":
            return False
        self.send_response(response.status)
        for name, value in {**response.headers, **response.framing}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in response.pieces:
            if not self._wait(piece.delay_seconds):
                return False
            if piece.data and response.is_stream:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece.data), piece.data))
            else:
                self.wfile.write(piece.data)
        if response.cut == "in the body":
            return False
        if response.is_stream:
            self.wfile.write(b"0\r\n\r\n")
        return True

    def _wait(self, seconds: float) -> bool:
        """Wait; return whether the client is still connected, which is checked by peeking at the socket."""
        until, left = time.monotonic() + seconds, seconds
        while True:
            self.connection.settimeout(None if left == FOREVER else max(left, 0.0))
            try:
                is_gone = not self.connection.recv(1, socket.MSG_PEEK)
            except (BlockingIOError, TimeoutError):
                return True
            finally:
                self.connection.settimeout(None)
            if is_gone or left <= 0:
                return not is_gone
            time.sleep(min(left, _POLL_SECONDS))  # a pipelined request is readable and must not end the wait
            left = until - time.monotonic()
