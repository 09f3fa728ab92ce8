"""A response whose body is in memory behaves like the family's own, whichever way it is read."""

from __future__ import annotations

import asyncio
import copy
import importlib.util
import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from tess_openai.edge.families import FAMILY_NAMES, Family, FamilyName, load_family
from tess_openai.edge.whole_responses import AsyncWholeResponse, WholeResponse, to_whole

BODY: Final = b'{"text": "caf\\u00e9", "list": [1, {"a": null}]}'
HEADERS: Final = {"content-type": "application/json", "content-length": str(len(BODY))}
INSTALLED: Final = [name for name in FAMILY_NAMES if importlib.util.find_spec(name)]


@pytest.fixture(params=INSTALLED)
def family(request: pytest.FixtureRequest) -> Family:
    """Load each installed HTTP family."""
    name: FamilyName = request.param
    return load_family(name)


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


def to_whole_of(family: Family, own: type[Any]) -> Callable[[Any], Any]:
    """Return a function that makes a whole response from the family's own."""
    kind = family.derive(own, family.Response)
    return lambda response: to_whole(response, kind, BODY, json.loads(BODY))


def responses(family: Family, *, stream: bool) -> list[Any]:
    """Return the family's own response and the whole one, as a sync client returns them."""
    found: list[Any] = []
    for change in (as_it_is, to_whole_of(family, WholeResponse)):
        client = family.Client(transport=family.derive(Answering, family.BaseTransport)(family, change))
        found.append(client.send(client.build_request("GET", "http://localhost/"), stream=stream))
    return found


async def async_responses(family: Family, *, stream: bool) -> list[Any]:
    """Return the family's own response and the whole one, as an async client returns them."""
    found: list[Any] = []
    for change in (as_it_is, to_whole_of(family, AsyncWholeResponse)):
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
def test_a_whole_response_is_read_like_the_familys_own(family: Family, way: str, *, stream: bool) -> None:
    """Each way of reading gives the same values and errors. What a program sees afterwards is equal too."""
    own, whole = responses(family, stream=stream)
    for step in WAYS[way]:
        assert result(lambda: step(whole)) == result(lambda: step(own))  # noqa: B023 - called at once
    assert state(whole) == state(own)
    assert isinstance(whole, type(own))


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
def test_an_async_whole_response_is_read_like_the_familys_own(
    family: Family, way: str, *, stream: bool
) -> None:
    """The same holds for async responses."""

    async def outcome(awaitable: Awaitable[object]) -> object:
        try:
            return await awaitable
        except Exception as error:  # noqa: BLE001 - whichever it is
            return type(error).__name__

    async def main() -> None:
        own, whole = await async_responses(family, stream=stream)
        for step in ASYNC_WAYS[way]:
            assert await outcome(step(whole)) == await outcome(step(own))
        assert state(whole) == state(own)

    asyncio.run(main())


def test_an_async_whole_response_can_be_iterated(family: Family) -> None:
    """Its pieces are those of the body."""

    async def main() -> None:
        _, whole = await async_responses(family, stream=True)
        assert b"".join([piece async for piece in whole.aiter_bytes()]) == BODY

    asyncio.run(main())


def test_the_parsed_body_belongs_to_one_caller(family: Family) -> None:
    """A caller that mutates it does not change what the next one gets."""
    _, whole = responses(family, stream=False)
    first = whole.json()
    first["list"].clear()
    assert whole.json() == json.loads(BODY)


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda response: pickle.loads(pickle.dumps(response))],  # noqa: S301 - made here
)
def test_a_whole_response_is_copied_and_pickled_like_the_familys_own(
    family: Family, duplicate: Callable[[Any], Any]
) -> None:
    """The copy is one of the family's own, whose class can be imported."""
    own, whole = responses(family, stream=False)
    made, expected = duplicate(whole), duplicate(own)
    assert type(made) is type(own)
    assert vars(made).keys() == vars(expected).keys()
    assert (made.status_code, made.content, made.json()) == (200, BODY, json.loads(BODY))
