"""The adapter's responses behave like the family's own, whichever way they are read."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

import pytest

from tess_openai.edge.families import Family
from tess_openai.edge.own_responses import (
    AsyncStreamedResponse,
    AsyncWholeResponse,
    StreamedResponse,
    WholeResponse,
    copied_as,
)

BODY: Final = b'{"text": "caf\\u00e9", "list": [1, {"a": null}]}'
HEADERS: Final = {"content-type": "application/json", "content-length": str(len(BODY))}


class Answering:
    """A transport that answers each request with a response of the family, which `change` may replace."""

    def __init__(self, family: Family, change: Callable[[Any], Any]) -> None:
        self.family = family
        self.change = change

    def handle_request(self, request: Any) -> Any:
        """Answer a sync client."""
        del request
        stream = self.family.ByteStream(BODY)
        return self.change(self.family.Response(200, headers=HEADERS, stream=stream, extensions={"x": 1}))

    async def handle_async_request(self, request: Any) -> Any:
        """Answer an async client."""
        return self.handle_request(request)


def as_it_is(response: Any) -> Any:
    """Return the family's own response."""
    return response


KINDS: Final = {
    "whole": (WholeResponse, AsyncWholeResponse),
    "streamed": (StreamedResponse, AsyncStreamedResponse),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name each kind of response."""
    return str(request.param)


def to_own_of(family: Family, kind: str, *, is_async: bool) -> Callable[[Any], Any]:
    """Return a function that makes one of the adapter's responses from the family's own."""
    own = family.derive(KINDS[kind][is_async], family.Response)
    attributes = {"whole_body": BODY, "parsed_body": json.loads(BODY)} if kind == "whole" else {}

    def change(response: Any) -> Any:
        made = copied_as(response, own)
        vars(made).update(own_stream=response.stream, **attributes)
        return made

    return change


def responses(family: Family, kind: str, *, stream: bool) -> list[Any]:
    """Return the family's own response and the adapter's, as a sync client returns them."""
    found: list[Any] = []
    for change in (as_it_is, to_own_of(family, kind, is_async=False)):
        client = family.Client(transport=family.derive(Answering, family.BaseTransport)(family, change))
        found.append(client.send(client.build_request("GET", "http://localhost/"), stream=stream))
    return found


async def async_responses(family: Family, kind: str, *, stream: bool) -> list[Any]:
    """Return the family's own response and the adapter's, as an async client returns them."""
    found: list[Any] = []
    for change in (as_it_is, to_own_of(family, kind, is_async=True)):
        transport = family.derive(Answering, family.AsyncBaseTransport)(family, change)
        client = family.AsyncClient(transport=transport)
        found.append(await client.send(client.build_request("GET", "http://localhost/"), stream=stream))
    return found


def result(action: Callable[[], object]) -> object:
    """Return what an action returns, or the name of the error that it raises."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - whichever it is
        return type(error).__name__


def state(response: Any) -> dict[str, object]:
    """Return what a program can see of a response."""
    return {
        "content": result(lambda: response.content),
        "text": result(lambda: response.text),
        "json": result(response.json),
        "json again": result(response.json),
        "json of decimals": result(lambda: response.json(parse_int=str)),
        "closed": response.is_closed,
        "consumed": response.is_stream_consumed,
        "bytes": response.num_bytes_downloaded,
        "is timed": result(lambda: response.elapsed.total_seconds() >= 0),
        "headers": dict(response.headers),
        "url": str(response.request.url),
        "extensions": response.extensions,
        "shown": repr(response),
    }


OTHER: Final = b'{"other": 1}'


def replace_stream(response: Any) -> None:
    """Give a response another stream, as a hook that decrypts or records answers does."""
    response.stream = type(response.request.stream)(OTHER)


def replace_content(response: Any) -> None:
    """Give a response another body, as a hook that changes answers does."""
    response._content = OTHER


WAYS: Final[dict[str, list[Callable[[Any], object]]]] = {
    "not at all": [],
    "read": [lambda response: response.read()],
    "read twice": [lambda response: response.read(), lambda response: response.read()],
    "bytes": [lambda response: list(response.iter_bytes())],
    "bytes of a size": [lambda response: list(response.iter_bytes(7))],
    "bytes twice": [
        lambda response: list(response.iter_bytes()),
        lambda response: list(response.iter_bytes()),
    ],
    "raw, then bytes": [
        lambda response: list(response.iter_raw()),
        lambda response: list(response.iter_bytes()),
    ],
    "bytes of another stream": [replace_stream, lambda response: list(response.iter_bytes())],
    "closed, then bytes": [lambda response: response.close(), lambda response: list(response.iter_bytes())],
    "bytes, then read": [lambda response: list(response.iter_bytes()), lambda response: response.read()],
    "read, then bytes": [lambda response: response.read(), lambda response: list(response.iter_bytes(5))],
    "lines": [lambda response: list(response.iter_lines())],
    "raw": [lambda response: list(response.iter_raw())],
    "read, then raw": [lambda response: response.read(), lambda response: list(response.iter_raw())],
    "closed, then read": [lambda response: response.close(), lambda response: response.read()],
    "from another stream": [replace_stream, lambda response: response.read()],
    "with other content": [replace_content, lambda response: response.read()],
    "read, with other content": [lambda response: response.read(), replace_content],
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_response_is_read_like_the_familys_own(
    family: Family, kind: str, way: str, *, stream: bool
) -> None:
    """Each way of reading gives the same values and errors. What a program sees afterwards is equal too."""
    familys, own = responses(family, kind, stream=stream)
    for step in WAYS[way]:
        assert result(lambda: step(own)) == result(lambda: step(familys))  # noqa: B023 - called at once
    assert state(own) == state(familys)
    assert isinstance(own, type(familys))


def as_async(action: Callable[[Any], object]) -> Callable[[Any], Awaitable[object]]:
    """Return an async function that does the same."""

    async def carry_out(response: Any) -> object:
        return action(response)

    return carry_out


ASYNC_WAYS: Final[dict[str, list[Callable[[Any], Awaitable[object]]]]] = {
    "not at all": [],
    "read": [lambda response: response.aread()],
    "read twice": [lambda response: response.aread(), lambda response: response.aread()],
    "closed, then read": [lambda response: response.aclose(), lambda response: response.aread()],
    "from another stream": [as_async(replace_stream), lambda response: response.aread()],
    "with other content": [as_async(replace_content), lambda response: response.aread()],
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("way", ASYNC_WAYS)
def test_an_async_response_is_read_like_the_familys_own(
    family: Family, kind: str, way: str, *, stream: bool
) -> None:
    """The same holds for async responses."""

    async def outcome(awaitable: Awaitable[object]) -> object:
        try:
            return await awaitable
        except Exception as error:  # noqa: BLE001 - whichever it is
            return type(error).__name__

    async def main() -> None:
        familys, own = await async_responses(family, kind, stream=stream)
        for step in ASYNC_WAYS[way]:
            assert await outcome(step(own)) == await outcome(step(familys))
        assert state(own) == state(familys)

    asyncio.run(main())


async def pieces_of(response: Any, *sizes: int) -> list[bytes]:
    """Return the pieces of an async response."""
    return [piece async for piece in response.aiter_bytes(*sizes)]


class Breaking:
    """The stream of a body that breaks after two pieces."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"one", b"two")
        raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        """Note that the caller closed it."""
        self.is_closed = True

    async def aclose(self) -> None:
        """Note that the caller closed it."""
        self.close()


def breaking_response(
    family: Family, *, is_async: bool, has_request: bool, error: Exception | None = None
) -> tuple[Any, Any]:
    """Return a streamed response whose connection breaks, and the error, by default one of the family."""
    error = error or family.ReadError("broken")
    stream = family.derive(Breaking, family.SyncByteStream, family.AsyncByteStream)(error)
    response = family.Response(200, stream=stream)
    if has_request:
        response.request = family.Request("GET", "http://localhost/")
    return to_own_of(family, "streamed", is_async=is_async)(response), error


@pytest.mark.parametrize("has_request", [False, True])
def test_a_stream_that_breaks_gives_its_pieces_and_then_the_error(
    family: Family, *, has_request: bool
) -> None:
    """The error has the request, as the family's own does; the stream is closed, and counted."""
    response, error = breaking_response(family, is_async=False, has_request=has_request)
    pieces = response.iter_bytes()
    assert [next(pieces), next(pieces)] == [b"one", b"two"]
    with pytest.raises(family.ReadError) as caught:
        next(pieces)
    assert caught.value is error
    assert caught.value._request is (response.request if has_request else None)
    assert (response.is_closed, response.stream.is_closed, response.num_bytes_downloaded) == (True, True, 6)


def test_an_error_of_another_kind_is_not_changed(family: Family) -> None:
    """Only the family's own errors have a request."""
    response, error = breaking_response(family, is_async=False, has_request=True, error=ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        list(response.iter_bytes())
    assert vars(error) == {}
    assert response.is_closed


@pytest.mark.parametrize("has_request", [False, True])
def test_an_async_stream_that_breaks_gives_its_pieces_and_then_the_error(
    family: Family, *, has_request: bool
) -> None:
    """The same holds for async responses."""
    response, error = breaking_response(family, is_async=True, has_request=has_request)

    async def main() -> None:
        pieces = response.aiter_bytes()
        assert [await anext(pieces), await anext(pieces)] == [b"one", b"two"]
        with pytest.raises(family.ReadError) as caught:
            await anext(pieces)
        assert caught.value is error
        assert caught.value._request is (response.request if has_request else None)

    asyncio.run(main())
    assert (response.is_closed, response.stream.is_closed, response.num_bytes_downloaded) == (True, True, 6)


def test_pieces_of_a_size_are_the_familys_own(family: Family, kind: str) -> None:
    """A caller may ask for them."""

    async def main() -> None:
        for sizes in ((), (7,)):
            familys, own = await async_responses(family, kind, stream=True)
            assert await pieces_of(own, *sizes) == await pieces_of(familys, *sizes)
            assert state(own) == state(familys)

    asyncio.run(main())


def test_the_parsed_body_belongs_to_one_caller(family: Family) -> None:
    """A caller that mutates it does not change what the next one gets."""
    _, whole = responses(family, "whole", stream=False)
    first = whole.json()
    first["list"].clear()
    assert whole.json() == json.loads(BODY)


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda response: pickle.loads(pickle.dumps(response))],  # noqa: S301 - made here
)
def test_a_response_is_copied_and_pickled_like_the_familys_own(
    family: Family, kind: str, duplicate: Callable[[Any], Any]
) -> None:
    """The copy is one of the family's own, whose class can be imported."""
    familys, own = responses(family, kind, stream=False)
    made, expected = duplicate(own), duplicate(familys)
    assert type(made) is type(familys)
    assert vars(made).keys() == vars(expected).keys()
    assert (made.status_code, made.content, made.json()) == (200, BODY, json.loads(BODY))
