"""A server of raw sockets that fails in the ways in which servers and networks fail.

The simulator of this package speaks correct HTTP. This one writes bytes, breaks connections and holds them
open, and counts the POST requests that it received as a whole: each of them may have been executed and paid
for.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["completion", "stream"]
TEXT: Final = "Good morning"
_HOLD_SECONDS: Final = 30.0
_COMPLETION: Final = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "tess-6",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"},
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
JSON_BODY: Final = json.dumps(_COMPLETION).encode()
DONE: Final = b"data: [DONE]\n\n"


def chunk(content: str | None, finish_reason: str | None = None) -> bytes:
    """Return one event of a stream."""
    delta = {} if content is None else {"role": "assistant", "content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return b"data: " + json.dumps({**head, "choices": [choice]}).encode() + b"\n\n"


EVENTS: Final = chunk(TEXT[:4]) + chunk(TEXT[4:]) + chunk(None, "stop")


@dataclass
class Connection:
    """One connection, as a fault sees it after a request has come."""

    sock: socket.socket
    over: threading.Event
    wants_stream: bool = False

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self.sock.sendall(data)

    def head(self, status: int = 200, *headers: str, kind: str | None = None) -> None:
        """Write a head; its body is chunked unless `headers` say otherwise."""
        kind = kind or ("text/event-stream" if self.wants_stream else "application/json")
        framing = [] if any("ength" in each for each in headers) else ["transfer-encoding: chunked"]
        lines = [f"HTTP/1.1 {status} Whatever", f"content-type: {kind}", *headers, *framing]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def part(self, data: bytes) -> None:
        """Write one chunk of a chunked body."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Write the end of a chunked body."""
        self.send(b"0\r\n\r\n")

    def answer(self, status: int, body: bytes, *headers: str, kind: str = "application/json") -> None:
        """Write a whole answer."""
        self.head(status, f"content-length: {len(body)}", *headers, kind=kind)
        self.send(body)

    def good(self) -> None:
        """Answer as Tess does."""
        self.head()
        self.part(EVENTS + DONE if self.wants_stream else JSON_BODY)
        self.end()

    def hold(self) -> None:
        """Keep the connection open, and send nothing more."""
        self.over.wait(_HOLD_SECONDS)

    def close(self) -> None:
        """Close the connection in an orderly way."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Close the connection by a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def repeat(self, data: bytes, every_seconds: float) -> None:
        """Write the same chunk again and again."""
        while not self.over.wait(every_seconds):
            self.part(data)


Fault: TypeAlias = Callable[[Connection], None]


@dataclass
class FaultServer:
    """Answers POST requests by `faults`, one after another, the last one for all that follow.

    Attributes:
        faults: What becomes of the connection once a request was received as a whole.
        before: What becomes of it once only the head of a request was received; None waits for the whole.
        other: What becomes of a request that is no POST; None answers it with 404.
        posts: How many POST requests were received as a whole.
        opened: How many connections were opened.
    """

    faults: list[Fault]
    before: Fault | None = None
    other: Fault | None = None
    posts: int = 0
    opened: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64)
    )
    open_sockets: list[socket.socket] = field(default_factory=list[socket.socket])

    @property
    def url(self) -> str:
        """Root of the API."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def open_now(self) -> int:
        """Return how many connections the client has not closed yet."""
        alive = 0
        for sock in list(self.open_sockets):
            with suppress(OSError):
                alive += sock.fileno() >= 0 and not _is_at_end(sock)
        return alive

    def serve(self) -> None:
        """Accept connections until the listener is closed."""
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.opened += 1
            self.open_sockets.append(sock)
            threading.Thread(target=self._serve_connection, args=(sock,), daemon=True).start()

    def _serve_connection(self, sock: socket.socket) -> None:
        with suppress(OSError):
            while self._serve_request(Connection(sock, self.over), sock.makefile("rb")):
                pass

    def _serve_request(self, connection: Connection, source: BufferedReader) -> bool:
        request = _read_head(source)
        if request is None:
            return False
        method, length = request
        if method == "POST" and self.before is not None:
            self.before(connection)
            return False
        body = source.read(length) if length >= 0 else _read_chunked(source)
        if method != "POST" and self.other is not None:
            self.other(connection)
            return False
        if method != "POST":
            connection.answer(404, b'{"message": "Not found."}')
            return True
        fault = self.faults[min(self.posts, len(self.faults) - 1)]
        self.posts += 1
        connection.wants_stream = b'"stream":true' in body.replace(b" ", b"")
        fault(connection)
        return connection.sock.fileno() >= 0

    def stop(self, accepting: threading.Thread) -> None:
        """Accept no more connections, and close every one."""
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        accepting.join()
        self.listener.close()
        for sock in self.open_sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


@contextmanager
def serving(*faults: Fault, before: Fault | None = None, other: Fault | None = None) -> Iterator[FaultServer]:
    """Serve on loopback."""
    server = FaultServer(list(faults), before, other)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop(thread)


def _read_head(source: BufferedReader) -> tuple[str, int] | None:
    """Read the head of a request: its method and the length of its body, -1 for a chunked one."""
    line = source.readline()
    if not line:
        return None
    length = 0
    while (header := source.readline().strip().lower()) != b"":
        name, _, value = header.partition(b":")
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            length = -1
    return line.decode().partition(" ")[0], length


def _read_chunked(source: BufferedReader) -> bytes:
    body = b""
    while size := int(source.readline(), 16):
        body += source.read(size)
        source.readline()
    source.readline()
    return body


def _is_at_end(sock: socket.socket) -> bool:
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
