"""The two HTTP families, httpx (openai 1 and 2) and httpx2 (openai 3): the only module that imports them.

They have the same interface, so all other code is written once against `Family`. A family is imported only
when one of its clients is created or passed in: openai 3 does not install httpx.
"""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias, cast

from tess_openai.exceptions import TessConfigurationError

FamilyName: TypeAlias = Literal["httpx", "httpx2"]
Kind: TypeAlias = Literal["sync", "async"]
FAMILY_NAMES: Final[tuple[FamilyName, ...]] = ("httpx", "httpx2")


class URL(Protocol):
    """What this package reads of `httpx.URL`."""

    def __init__(self, url: str) -> None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def path(self) -> str: ...
    @property
    def raw_path(self) -> bytes: ...
    def __hash__(self) -> int: ...
    @property
    def query(self) -> bytes: ...
    def join(self, url: str) -> URL: ...
    def copy_with(self, *, raw_path: bytes) -> URL: ...


class Headers(MutableMapping[str, str]):
    """What this package reads of `httpx.Headers`, which ignore the case of names. For type checkers only."""

    raw: list[tuple[bytes, bytes]]


class Request(Protocol):
    """What this package reads of `httpx.Request`."""

    method: str
    url: URL
    headers: Headers
    stream: Any
    extensions: dict[str, Any]

    def read(self) -> bytes: ...
    async def aread(self) -> bytes: ...


class Response(Protocol):
    """What this package reads of `httpx.Response`."""

    status_code: int
    headers: Headers
    stream: Any
    extensions: dict[str, Any]

    def iter_bytes(self) -> Iterator[bytes]: ...
    def aiter_bytes(self) -> AsyncIterator[bytes]: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...


class Transport(Protocol):
    """A sync transport."""

    def handle_request(self, request: Any) -> Any: ...
    def close(self) -> None: ...


class AsyncTransport(Protocol):
    """An async transport."""

    async def handle_async_request(self, request: Any) -> Any: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Family:
    """The classes of one family that the edge needs, under the family's own names."""

    name: FamilyName
    Request: Callable[..., Request]
    Response: type[Any]
    ByteStream: type[Any]
    Headers: Callable[..., Headers]
    RequestError: type[Exception]
    ReadError: type[Exception]
    ReadTimeout: type[Exception]
    InvalidURL: type[Exception]
    Client: type[Any]
    AsyncClient: type[Any]
    Timeout: Callable[..., Any]
    Limits: Callable[..., Any]
    SyncByteStream: type[Any]
    AsyncByteStream: type[Any]
    BaseTransport: type[Any]
    AsyncBaseTransport: type[Any]

    def derive(self, own: type[Any], *bases: type[Any]) -> type[Any]:
        """Return a subclass of `own` and of the family's `bases`, which its clients require."""
        derived = _DERIVED.get((own, *bases))
        if derived is None:  # making a class costs as much time as a whole call
            made = types.new_class(own.__name__, (own, *bases))
            made.__module__ = bases[0].__module__  # users of the library read the family from it
            derived = _DERIVED.setdefault((own, *bases), made)
        return derived


@functools.cache
def load_family(name: FamilyName) -> Family:
    """Import a family.

    Raises:
        TessConfigurationError: It is not installed, or no such family exists.
    """
    if name not in FAMILY_NAMES:
        raise TessConfigurationError(f'family is {name!r}; it must be "httpx" or "httpx2"')
    try:
        module = cast("Any", importlib.import_module(name))
    except ImportError:
        raise TessConfigurationError(
            f"{name} is not installed; openai {'1 and 2 install' if name == 'httpx' else '3 installs'} it. "
            f"Install it with: pip install {name}"
        ) from None
    names = [field for field in Family.__dataclass_fields__ if field != "name"]
    return Family(name, **{field: getattr(module, field) for field in names})


def family_of(client: object) -> FamilyName | None:
    """Return the family that defines a client's class; None when neither does."""
    for base in type(client).__mro__:
        if base.__name__ in ("Client", "AsyncClient"):
            module = base.__module__.partition(".")[0]
            for name in FAMILY_NAMES:
                if module == name and name in sys.modules:
                    return name
    return None


def copied(request: Request, family: Family, changes: Mapping[str, str | None]) -> Request:
    """Return a copy of a request with other headers, whether its body was read or not.

    Args:
        request: The request to copy; it is not changed.
        family: The family of the request.
        changes: Headers to set or, with None, to remove.
    """
    made: Request = object.__new__(type(request))
    vars(made).update(vars(request))  # the constructor would parse the URL, headers and body again
    made.extensions = dict(request.extensions)
    made.headers = headers = family.Headers(request.headers)
    for name, value in changes.items():
        if value is None:
            headers.pop(name, None)
        else:
            headers[name] = value
    return made


def changed_headers(
    raw: list[tuple[bytes, bytes]], changes: Mapping[str, str | None]
) -> list[tuple[bytes, bytes]]:
    """Return headers in which those in `changes`, with names in lower case, are set or, with None, removed.

    Each change of the family's own `Headers` walks its whole list.
    """
    kept = [pair for pair in raw if pair[0].decode("latin-1").lower() not in changes]
    kept += [(name.encode(), value.encode()) for name, value in changes.items() if value is not None]
    return kept


def to_dict(headers: Headers) -> dict[str, str]:
    """Return headers as a plain dict with names in lower case.

    Each access to the family's own `Headers` walks its whole list.
    """
    found: dict[str, str] = {}
    for name, value in headers.raw:  # no comprehension: up to Python 3.11 it is a function of its own
        found[name.decode("latin-1").lower()] = value.decode("latin-1")
    return found


_DERIVED: Final[dict[tuple[type[Any], ...], type[Any]]] = {}
