"""Install the adapter's transport in an http client by wrapping the client's own transports.

A client made with `transport=` would lack the proxies of the environment, the limits of the pool and
redirects (measured). So this module takes a complete client and wraps its transport and each proxy mount.

Source: httpx 0.23 to 0.28 and httpx2 2.x keep them in `_transport` and `_mounts` (read in their source). Both
are checked after wrapping, so that a release that moves them fails loudly in the factory.
"""

from __future__ import annotations

import asyncio
import copy
import weakref
from ipaddress import ip_address
from typing import Any, cast

from tess_openai.edge import sdk
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.async_transports import AsyncTessTransport
from tess_openai.edge.event_loops import close_silently
from tess_openai.edge.families import Family, FamilyName, Kind, family_of, load_family
from tess_openai.edge.portable_clients import INSTALLATION, Installation, PortableClient
from tess_openai.edge.transports import TessTransport
from tess_openai.exceptions import TessConfigurationError


def new_client(
    adapter: Adapter, kind: Kind, family: FamilyName | None = None, *, may_pickle: bool = True
) -> Any:
    """Return an http client with the SDK's own defaults and the adapter's transports.

    Like the SDK's own client, it closes its connections when it is garbage-collected without `close()`.

    Args:
        adapter: The adapter of the transports.
        kind: Sync or async.
        family: The HTTP family; None is the SDK's own.
        may_pickle: Whether a pickle of the object that holds the client would contain no key.
    """
    client = _wrap(sdk.new_http_client(kind, family), None, adapter, kind, may_pickle=may_pickle)
    transports = [client._transport, *client._mounts.values()]  # noqa: SLF001
    finalizer = _close if kind == "sync" else _close_soon
    weakref.finalize(client, finalizer, transports).atexit = kind == "sync"
    return client


def wrap_copy(client: Any, adapter: Adapter, kind: Kind) -> Any:
    """Return a copy of the user's client with wrapped transports; the original is not changed.

    The copy shares the connection pool, hooks, cookies and timeouts, and keeps the original alive.

    Raises:
        TessConfigurationError: It is not a client of httpx or httpx2, or not of the `kind`.
    """
    _family_name(client, kind)
    return _wrap(copy.copy(client), client, adapter, kind)


def _wrap(client: Any, original: Any, adapter: Adapter, kind: Kind, *, may_pickle: bool = False) -> Any:
    family = load_family(_family_name(client, kind))
    wrapper = _Wrapper(adapter, family, kind, original)
    try:
        default, mounts = client._transport, _mounts_on_loopback(client, adapter)  # noqa: SLF001
        client._transport = wrapper.wrap(default)  # noqa: SLF001
        client._mounts = {  # noqa: SLF001
            pattern: None if transport is None else wrapper.wrap(transport)
            for pattern, transport in mounts.items()
        }
        wrapped = [client._transport, *client._mounts.values()]  # noqa: SLF001
    except AttributeError as error:
        raise TessConfigurationError(
            f"this release of {family.name} keeps its transports in attributes that tess_openai does not "
            f"know ({error}); install a release of {family.name} that your openai supports"
        ) from error
    if not all(transport is None or isinstance(transport, wrapper.own) for transport in wrapped):
        raise TessConfigurationError(f"this {family.name} client does not allow its transports to be wrapped")
    if not isinstance(client, PortableClient):
        known: type[Any] = client.__class__
        client.__class__ = family.derive(PortableClient, known)
    installation = Installation(adapter, kind, family.name, original, may_pickle, new_client)
    vars(client)[INSTALLATION] = installation
    return client


def _mounts_on_loopback(client: Any, adapter: Adapter) -> dict[Any, Any]:
    """Return the mounts of a client, with one more if plain http would go through a proxy on another machine.

    Plain http is accepted only for a base URL on loopback. A proxy of `HTTP_PROXY` or `ALL_PROXY` would get
    the key and the prompt unencrypted. The added mount is None, which means the client's own transport, as
    for the hosts of `NO_PROXY`.

    Raises:
        TessConfigurationError: The client has no transport without that proxy.
    """
    mounts: dict[Any, Any] = client._mounts  # noqa: SLF001
    origin = adapter.origin
    if origin.scheme != "http":
        return mounts
    url = client.build_request("GET", str(origin)).url
    if not _can_reach_beyond_loopback(client._transport_for_url(url)):  # noqa: SLF001
        return mounts
    if _can_reach_beyond_loopback(client._transport):  # noqa: SLF001
        raise TessConfigurationError(
            "base_url is plain http on this machine, and the proxy of your http client is on another one: it "
            "would get the key in the clear. Pass an http_client without that proxy"
        )
    pattern: Any = cast("object", next(iter(mounts))).__class__
    here = pattern(str(url.copy_with(path="/")).rstrip("/"))
    return {here: None, **{each: transport for each, transport in mounts.items() if each != here}}


def _can_reach_beyond_loopback(transport: Any) -> bool:
    """Whether a transport sends to a proxy on another machine."""
    pool = getattr(getattr(transport, "inner", transport), "_pool", None)
    proxy = getattr(pool, "_proxy_url", None)
    if proxy is None:
        return False
    host: str = proxy.host.decode("ascii").strip("[]").lower()
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _close(transports: list[Any]) -> None:
    for transport in transports:
        if transport is not None:
            transport.close()


def _close_soon(transports: list[Any]) -> None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no event loop runs that could close them; the sockets close with their objects
        return
    tasks = [loop.create_task(close_silently(transport)) for transport in transports if transport is not None]
    for task in tasks:
        task.add_done_callback(tasks.remove)  # the list keeps each task alive until it is done


class _Wrapper:
    def __init__(self, adapter: Adapter, family: Family, kind: Kind, original: object) -> None:
        self.adapter = adapter
        self.family = family
        self.original = original
        self.own: type[Any] = TessTransport if kind == "sync" else AsyncTessTransport
        base = family.BaseTransport if kind == "sync" else family.AsyncBaseTransport
        self.derived = family.derive(self.own, base)
        self.wrapped: dict[int, Any] = {}

    def wrap(self, inner: Any) -> Any:
        """Wrap one transport once; the wrapper of an earlier adapter is replaced, not nested."""
        if isinstance(inner, self.own):
            inner = inner.inner
        if id(inner) not in self.wrapped:
            self.wrapped[id(inner)] = self.derived(inner, self.adapter, self.family, self.original)
        return self.wrapped[id(inner)]


def _family_name(client: object, kind: Kind) -> FamilyName:
    name = family_of(client)
    wanted = "Client" if kind == "sync" else "AsyncClient"
    if name is None:
        raise TessConfigurationError(
            f"http_client is a {type(client).__module__}.{type(client).__qualname__}; it must be an "
            f"httpx.{wanted} or httpx2.{wanted}"
        )
    family = load_family(name)
    if not isinstance(client, family.Client if kind == "sync" else family.AsyncClient):
        factory = "create_async_client" if kind == "sync" else "create_client"
        raise TessConfigurationError(
            f"http_client must be an {name}.{wanted} here; for the client you passed use {factory}()"
        )
    return name
