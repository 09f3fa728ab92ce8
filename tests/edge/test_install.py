"""How the adapter gets below a client: each transport is wrapped once, and no remote proxy gets a key."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
from typing import Any, Final

import pytest

from tess_openai import TessConfigurationError
from tess_openai.core.options import Options
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.async_transports import AsyncTessTransport
from tess_openai.edge.families import Family, Kind
from tess_openai.edge.install import _close, _close_soon, new_client, wrap_copy
from tess_openai.edge.origins import Origin
from tess_openai.edge.portable_clients import INSTALLATION
from tess_openai.edge.transports import TessTransport

REMOTE: Final = "http://10.0.0.1:3128"
HERE: Final = "http://127.0.0.1:8080/api/agents/42"


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Name both kinds of clients."""
    kind: Kind = request.param
    return kind


@pytest.fixture
def adapter() -> Adapter:
    """Make an adapter for a Tess on this machine, over plain http."""
    return Adapter(Origin("http", "127.0.0.1", 8080, "/api"), Options())


class Transport:
    """A transport that counts how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        """Count the call."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count the call, and fail."""
        self.closed += 10
        raise OSError("closed already")


def make(family: Family, kind: Kind, **options: Any) -> Any:
    """Make a client of a program, which reads no settings of the environment."""
    return (family.Client if kind == "sync" else family.AsyncClient)(trust_env=False, **options)


def proxied(family: Family, kind: Kind, url: str) -> Any:
    """Make a transport that sends to a proxy."""
    library = importlib.import_module(family.name)
    transport = library.HTTPTransport if kind == "sync" else library.AsyncHTTPTransport
    return transport(proxy=library.Proxy(url))


def transport_for(client: Any, url: str) -> Any:
    """Return the transport that a client uses for a URL."""
    return client._transport_for_url(client.build_request("GET", url).url)


def own(kind: Kind) -> type[Any]:
    """Return the class of the adapter's transports."""
    return TessTransport if kind == "sync" else AsyncTessTransport


def test_each_transport_is_wrapped_once(family: Family, kind: Kind, adapter: Adapter) -> None:
    """A transport that serves several hosts keeps one pool; hosts without a proxy keep having none."""
    shared = Transport()
    theirs = make(family, kind, mounts={"https://a": shared, "https://b": shared, "https://c": None})
    ours = wrap_copy(theirs, adapter, kind)
    a, b, c = (transport_for(ours, f"https://{host}/") for host in "abc")
    assert a is b
    assert c is ours._transport
    assert (a.inner, c.inner) == (shared, theirs._transport)
    base = family.BaseTransport if kind == "sync" else family.AsyncBaseTransport
    for each in (a, c):
        assert isinstance(each, own(kind))
        assert isinstance(each, base)
        assert (each.owner, each.adapter, each.family) == (theirs, adapter, family)
    assert transport_for(theirs, "https://a/") is shared


def test_a_client_that_is_wrapped_already_is_not_wrapped_twice(
    family: Family, kind: Kind, adapter: Adapter
) -> None:
    """The later adapter replaces the earlier one, also where a proxy is below it."""
    theirs = make(family, kind, mounts={"all://": proxied(family, kind, REMOTE)})
    other = Adapter(Origin("https", "tess.example", None, ""), Options())
    ours = wrap_copy(wrap_copy(theirs, other, kind), adapter, kind)
    assert ours._transport.inner is theirs._transport
    assert ours._transport.adapter is adapter
    assert transport_for(ours, "https://a/").inner is transport_for(theirs, "https://a/")
    assert transport_for(ours, HERE) is ours._transport


def test_a_client_knows_how_it_was_made(family: Family, kind: Kind, adapter: Adapter) -> None:
    """A copy is made from this, and a pickle only where it would hold no key."""
    theirs = make(family, kind)
    for client, original, may_pickle in (
        (wrap_copy(theirs, adapter, kind), theirs, False),
        (new_client(adapter, kind, family.name), None, True),
        (new_client(adapter, kind, family.name, may_pickle=False), None, False),
    ):
        made = vars(client)[INSTALLATION]
        assert (made.adapter, made.kind, made.family) == (adapter, kind, family.name)
        assert (made.original, made.may_pickle, made.make) == (original, may_pickle, new_client)
        assert isinstance(client._transport, own(kind))
        assert client._transport.owner is original


@pytest.mark.parametrize(
    ("origin", "proxy", "is_avoided"),
    [
        (Origin("http", "127.0.0.1", 8080, "/api"), REMOTE, True),
        (Origin("http", "127.0.0.1", 8080, "/api"), "http://proxy.example:3128", True),
        (Origin("http", "127.0.0.1", 8080, "/api"), "http://127.0.0.2:3128", False),
        (Origin("http", "127.0.0.1", 8080, "/api"), "http://localhost:3128", False),
        (Origin("http", "127.0.0.1", 8080, "/api"), "http://[::1]:3128", False),
        (Origin("https", "127.0.0.1", 8080, "/api"), REMOTE, False),
    ],
)
def test_plain_http_goes_through_no_proxy_of_another_machine(
    family: Family, kind: Kind, origin: Origin, proxy: str, *, is_avoided: bool
) -> None:
    """The proxy would get the key and the prompt; other URLs still go through it."""
    theirs = make(family, kind, mounts={"all://": proxied(family, kind, proxy)})
    ours = wrap_copy(theirs, Adapter(origin, Options()), kind)
    through = transport_for(theirs, HERE)
    assert transport_for(ours, HERE).inner is (theirs._transport if is_avoided else through)
    for url in ("http://127.0.0.1:8081/api", "https://127.0.0.1:8080/api", "http://other.example:8080/"):
        assert transport_for(ours, url).inner is through


@pytest.mark.parametrize(
    "pattern", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1", "all://127.0.0.1:8080"]
)
def test_a_proxy_of_another_machine_that_is_named_for_this_one_is_avoided_too(
    family: Family, kind: Kind, adapter: Adapter, pattern: str
) -> None:
    """It would get the key and the prompt as well."""
    theirs = make(family, kind, mounts={pattern: proxied(family, kind, REMOTE)})
    ours = wrap_copy(theirs, adapter, kind)
    assert transport_for(ours, HERE).inner is theirs._transport


def test_a_client_whose_only_transport_is_a_proxy_is_refused(
    family: Family, kind: Kind, adapter: Adapter
) -> None:
    """The error says what to do; a proxy on this machine, or https, is accepted."""
    remote = make(family, kind, transport=proxied(family, kind, REMOTE))
    with pytest.raises(TessConfigurationError, match="Pass an http_client without that proxy"):
        wrap_copy(remote, adapter, kind)
    wrap_copy(make(family, kind, transport=proxied(family, kind, "http://localhost:1")), adapter, kind)
    wrap_copy(remote, Adapter(Origin("https", "tess.example", None, ""), Options()), kind)


def test_what_is_no_client_of_its_kind_is_refused(family: Family, kind: Kind, adapter: Adapter) -> None:
    """The error names the class that was passed, the classes that can be, and the right factory."""
    other, factory, wanted = {
        "sync": (family.AsyncClient, r"create_async_client\(\)", "Client"),
        "async": (family.Client, r"create_client\(\)", "AsyncClient"),
    }[kind]
    message = f"http_client must be an {family.name}.{wanted} here; for the client you passed use {factory}"
    with pytest.raises(TessConfigurationError, match=message):
        wrap_copy(other(), adapter, kind)
    message = f"http_client is a builtins.dict; it must be an httpx.{wanted} or httpx2.{wanted}"
    with pytest.raises(TessConfigurationError, match=message):
        wrap_copy({}, adapter, kind)


def test_a_client_that_cannot_be_wrapped_is_refused(family: Family, kind: Kind, adapter: Adapter) -> None:
    """A later release may keep its transports elsewhere; calls without the adapter would fail later."""
    client = make(family, kind)
    del client._mounts
    with pytest.raises(TessConfigurationError, match=f"this release of {family.name} keeps its .*'_mounts'"):
        wrap_copy(client, adapter, kind)
    library_class = family.Client if kind == "sync" else family.AsyncClient
    fixed = property(lambda _: Transport(), lambda _, __: None)
    client = type(library_class.__name__, (library_class,), {"_transport": fixed})()
    with pytest.raises(TessConfigurationError, match=f"this {family.name} client does not allow"):
        wrap_copy(client, adapter, kind)


def test_connections_are_closed_after_their_client() -> None:
    """At once in a thread, in a task of the running loop, and not at all where no loop runs."""
    transport = Transport()
    _close([None, transport])
    assert transport.closed == 1
    _close_soon([None, transport])
    assert transport.closed == 1

    async def close() -> None:
        _close_soon([None, transport, transport])
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))

    asyncio.run(close())
    assert transport.closed == 21


def test_the_connections_of_a_client_are_closed_when_it_is_garbage_collected(
    family: Family, kind: Kind, adapter: Adapter
) -> None:
    """Programs that forget to close a client run out of connections otherwise."""
    transport = Transport()

    def forget() -> None:
        client = new_client(adapter, kind, family.name)
        client._transport.inner = transport
        del client
        gc.collect()

    async def forget_in_a_loop() -> None:
        forget()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))

    if kind == "sync":
        forget()
    else:
        asyncio.run(forget_in_a_loop())
    assert transport.closed == (1 if kind == "sync" else 10)
