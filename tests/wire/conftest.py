"""One way to drive the SDK's sync and async clients, so that each test is written once."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast
from urllib.parse import urlsplit

import openai
import pytest

from tess_openai import connection, create_async_client, create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, Fault, TessSimulator

if TYPE_CHECKING:
    from tests.conftest import HttpClientKind


@dataclass(slots=True)
class Driver:
    """Makes clients of one kind against a served simulator, and carries out what they return.

    `run(client.chat.completions.create(...))` reads the same for both kinds: an awaitable is awaited in the
    driver's own loop, anything else is given back.

    Attributes:
        hello: A question that needs nothing changed.
        answer: What the simulator says to it.
        is_async: Which of the two SDK clients it makes.
        http_client_kind: Which http client the lane hands to the SDK.
        simulator: What they talk to.
        sdk: Major and minor release of the SDK.
    """

    hello: ClassVar[Mapping[str, Any]] = {
        "model": "tess-6",
        "messages": [{"role": "user", "content": "hello"}],
    }
    answer: ClassVar[str] = (
        "Agent 42 (model tess-6, temperature by default, tools by default) received: hello"
    )

    is_async: bool
    http_client_kind: HttpClientKind
    simulator: TessSimulator
    sdk: tuple[int, int]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    clients: list[Any] = field(default_factory=list[Any])

    @property
    def connection(self) -> dict[str, Any]:
        """The arguments of every factory that lead to the simulator."""
        return {
            "api_key": SIMULATOR_API_KEY,
            "workspace_id": SIMULATOR_WORKSPACE_ID,
            "base_url": self.simulator.base_url,
        }

    def client(self, agent_id: int | str | None = 42, **options: Any) -> Any:
        """Make a client, on the lane's http client unless one is named."""
        make = create_async_client if self.is_async else create_client
        given = {"http_client": self.http_client(), "max_retries": 0, **self.connection, **options}
        client = make(agent_id, **given)
        self.clients.append(client)
        return client

    def http_client(self) -> Any:
        """Make what a user of this lane passes as `http_client`; None for nothing."""
        if self.http_client_kind == "legacy":
            library = importlib.import_module("httpx")
            make = library.AsyncClient if self.is_async else library.Client
            return make(follow_redirects=True)
        if self.http_client_kind == "aiohttp" and self.is_async:
            return openai.DefaultAioHttpClient()
        return None

    def adapted_http_client(self, own: Any = None, **options: Any) -> Any:
        """Return the http client that `connection()` makes, over one of the user's if given."""
        kind = "async_http_client" if self.is_async else "http_client"
        made: Any = connection(42, **{**self.connection, kind: own, **options})
        return made[kind]

    def new_http_client(self, family: str, **options: Any) -> Any:
        """Make a client of one HTTP family."""
        library = importlib.import_module(family)
        return (library.AsyncClient if self.is_async else library.Client)(**options)

    @contextmanager
    def users_client(self, family: str, **options: Any) -> Iterator[Any]:
        """Make a client as a user does, and close it after what was made of it."""
        if family == "httpx2" and self.sdk < (2, 47):
            pytest.skip("this SDK refuses clients of httpx2")
        client = self.new_http_client(family, **options)
        yield client
        for made in self.clients:
            self.close(made)
        self.close(client)

    def run(self, given: Any) -> Any:
        """Give back what a call came to."""
        return self.loop.run_until_complete(_awaited(given)) if inspect.isawaitable(given) else given

    def items(self, stream: Any) -> list[Any]:
        """Read a stream, or anything else that is iterated, to its end."""
        return self.run(_listed(stream)) if hasattr(stream, "__aiter__") else list(stream)

    def next(self, stream: Any) -> Any:
        """Read one item."""
        return self.run(anext(stream)) if hasattr(stream, "__anext__") else next(stream)

    def close(self, thing: Any) -> None:
        """Close a client, a stream or a response, by the name it has for that."""
        names = ("aclose", "close") if self.is_async else ("close",)
        self.run(next(getattr(thing, name) for name in names if hasattr(thing, name))())

    @contextmanager
    def entered(self, manager: Any) -> Iterator[Any]:
        """Enter a context manager of either kind."""
        if not hasattr(manager, "__aenter__"):
            with manager as value:
                yield value
            return
        value = self.run(manager.__aenter__())
        try:
            yield value
        finally:
            self.run(manager.__aexit__(None, None, None))

    def ask(self, client: Any, **fields: Any) -> Any:
        """Make a chat call."""
        return self.run(client.chat.completions.create(**{**self.hello, **fields}))

    def ask_at_once(self, client: Any, count: int) -> list[str]:
        """Make calls at the same time, in threads or in tasks; their texts."""

        async def gather() -> list[Any]:
            return await asyncio.gather(*(client.chat.completions.create(**self.hello) for _ in range(count)))

        if self.is_async:
            answers = self.run(gather())
        else:
            with ThreadPoolExecutor(count) as pool:
                answers = list(pool.map(lambda _: self.ask(client), range(count)))
        return [answer.choices[0].message.content for answer in answers]

    def text(self, client: Any, *, stream: bool = False, **fields: Any) -> str:
        """Make a chat call and return its text, however it comes."""
        if not stream:
            return str(self.ask(client, **fields).choices[0].message.content)
        return text_of(self.items(self.ask(client, stream=True, **fields)))

    def chat(self, client: Any, name: str) -> Callable[..., Any]:
        """Return `.stream` or `.parse`, wherever this SDK has it."""
        completions = client.chat.completions
        found = getattr(completions, name, None)
        return found or getattr(client.beta.chat.completions, name)  # type: ignore[no-any-return] # older SDKs have no types for it

    def fails(self, client: Any, fault: Fault | None = None, **fields: Any) -> openai.APIError:
        """Make a call that must fail, struck by a fault if one is given; its error."""
        if fault is not None:
            self.simulator.fault(fault)
        with pytest.raises(openai.APIError) as caught:
            self.text(client, **fields)
        return caught.value

    def finish(self) -> None:
        """Close what is open."""
        for client in self.clients:
            self.run(client.close())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class Relay(socketserver.ThreadingTCPServer):
    """Passes bytes on to the simulator and counts connections; a forward proxy, for who takes it as one."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).port
        self.connections = 0
        super().__init__(("127.0.0.1", 0), _Passing)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Passing(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Pass on until one of the two ends closes."""
        self.server.connections += 1
        with socket.create_connection(("127.0.0.1", self.server.target or 0)) as upstream:
            for end in (self.request, upstream):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pump, args=(upstream, self.request), daemon=True)
            back.start()
            _pump(self.request, upstream)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


async def _awaited(given: Any) -> Any:
    return await given


async def _listed(stream: Any) -> list[Any]:
    return [item async for item in stream]


def text_of(chunks: list[Any]) -> str:
    """Join the text of a stream's chunks."""
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


@pytest.fixture
def simulator() -> Iterator[TessSimulator]:
    """Serve a strict simulated Tess on loopback."""
    with TessSimulator() as simulator:
        simulator.serve()
        yield simulator


@pytest.fixture
def relay(simulator: TessSimulator) -> Iterator[Relay]:
    """Stand between the client and the simulator, counting connections."""
    with Relay(simulator.base_url) as relay:
        thread = threading.Thread(target=relay.serve_forever, args=(0.02,))
        thread.start()
        yield relay
        simulator.close()  # ends the connections, and with them the threads that pass on
        relay.shutdown()
        thread.join()


@pytest.fixture(params=["sync", "async"])
def driver(
    request: pytest.FixtureRequest, simulator: TessSimulator, http_client_kind: HttpClientKind
) -> Iterator[Driver]:
    """Drive each of the SDK's two clients."""
    major, minor, *_ = openai.VERSION.split(".")
    driver = Driver(request.param == "async", http_client_kind, simulator, (int(major), int(minor)))
    yield driver
    driver.finish()


@pytest.fixture(params=[False, True], ids=["completion", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Ask for a completion, and for a stream."""
    return bool(request.param)


@pytest.fixture(
    params=[
        pytest.param("httpx", marks=pytest.mark.needs("httpx")),
        pytest.param("httpx2", marks=pytest.mark.needs("httpx2")),
    ]
)
def family(request: pytest.FixtureRequest) -> Literal["httpx", "httpx2"]:
    """Use each of the two HTTP families."""
    return cast('Literal["httpx", "httpx2"]', request.param)


@pytest.fixture(params=[False, True], ids=["plain", "emulated"])
def fields(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Ask for what Tess has, and for something that is emulated."""
    return {"stop": "never written"} if request.param else {}
