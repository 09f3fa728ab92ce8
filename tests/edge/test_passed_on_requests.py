"""A request that another client answers: its time limit, its body, and the other client's own hooks."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any, Final

import openai
import pytest

from tess_openai.edge.families import FAMILY_NAMES, FamilyName, family_of, load_family
from tess_openai.edge.known_keys import KnownKeys
from tess_openai.edge.origins import ApiPath
from tess_openai.edge.other_clients import OtherEndpoints, PassedBody

INSTALLED: Final[list[FamilyName]] = [name for name in FAMILY_NAMES if importlib.util.find_spec(name)]
URL: Final = "https://tess.example/agents/42/openai/audio/transcriptions"


class Body:
    """A body that may break, and that counts how often it was read and closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.read = self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        self.read += 1
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        """Count the call."""
        self.closed += 1

    async def aclose(self) -> None:
        """Count the call."""
        self.closed += 10


def read(body: PassedBody, *, is_async: bool) -> list[bytes]:
    """Read a body as a sync or an async client does."""

    async def read_async() -> list[bytes]:
        return [piece async for piece in body]

    return asyncio.run(read_async()) if is_async else list(body)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("own", "others"), list(product(INSTALLED, INSTALLED)))
@pytest.mark.parametrize(
    ("raised", "expected"),
    [("ReadTimeout", "ReadTimeout"), ("ReadError", "ReadError"), ("RemoteProtocolError", "ReadError")],
)
def test_a_broken_body_is_an_error_of_the_callers_family(
    own: FamilyName, others: FamilyName, raised: str, expected: str, *, is_async: bool
) -> None:
    """The SDK understands no other; an error of its own family stays as it is."""
    error = getattr(importlib.import_module(others), raised)("it broke")
    body = PassedBody(Body(b"a", error), load_family(own))
    kind = getattr(importlib.import_module(own), raised if own == others else expected)
    with pytest.raises(kind, match="it broke") as caught:
        read(body, is_async=is_async)
    assert type(caught.value) is kind


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", INSTALLED)
def test_an_error_of_the_program_passes(name: FamilyName, *, is_async: bool) -> None:
    """It is no error of a connection, and a body without one is passed on."""
    with pytest.raises(KeyError):
        read(PassedBody(Body(KeyError("mine")), load_family(name)), is_async=is_async)
    assert read(PassedBody(Body(b"a", b"b"), load_family(name)), is_async=is_async) == [b"a", b"b"]


@pytest.mark.parametrize("name", INSTALLED)
def test_an_error_without_a_text_is_named(name: FamilyName) -> None:
    """Some transports give none."""
    (others,) = [each for each in INSTALLED if each != name] or [name]
    error = importlib.import_module(others).ReadError("")
    with pytest.raises(load_family(name).ReadError) as caught:
        list(PassedBody(Body(error), load_family(name)))
    assert str(caught.value) == ("ReadError" if others != name else "")


def test_a_body_is_closed_with_its_source() -> None:
    """Else the connection of the other service would stay taken."""
    body, family = Body(), load_family(INSTALLED[0])
    passed = PassedBody(body, family)
    passed.close()
    asyncio.run(passed.aclose())
    assert body.closed == 11
    passed = PassedBody(iter([b"a"]), family)
    passed.close()
    asyncio.run(passed.aclose())
    assert list(passed) == [b"a"]


class OtherService:
    """Answers below another client without reading what it is sent."""

    def __init__(self, *, is_async: bool) -> None:
        name = family_of(openai.DefaultHttpxClient())
        assert name is not None
        self.family = load_family(name)
        self.requests: list[Any] = []
        self.is_async = is_async
        owner = self

        class Transport(self.family.BaseTransport, self.family.AsyncBaseTransport):  # type: ignore[name-defined,misc] # classes of values
            """Hands requests to the service."""

            def handle_request(self, request: Any) -> Any:
                return owner.answer(request)

            async def handle_async_request(self, request: Any) -> Any:
                return owner.answer(request)

        class Hooks:
            """What a user's subclass of the SDK's client may define."""

            custom_auth = ("user", "password")

            def _prepare_request(self, request: Any) -> Any:
                request.headers["x-hook"] = "1"
                return asyncio.sleep(0) if is_async else None

        http = self.family.AsyncClient if is_async else self.family.Client
        sdk: Any = openai.AsyncOpenAI if is_async else openai.OpenAI
        self.client = type("UsersClient", (Hooks, sdk), {})(
            api_key="other", base_url="https://other.example/v1", http_client=http(transport=Transport())
        )
        base = self.family.AsyncBaseTransport if is_async else self.family.BaseTransport
        self.endpoints = OtherEndpoints({"audio": self.client}, base, KnownKeys.of("1|key"), self.family)

    def answer(self, request: Any) -> Any:
        """Record a request."""
        self.requests.append(request)
        kind = self.family.derive(Body, self.family.SyncByteStream, self.family.AsyncByteStream)
        extensions = {"http_version": b"HTTP/2", "reason_phrase": b"Made", "network_stream": object()}
        broken = kind(b"a", self.family.ReadError("it broke"))
        return self.family.Response(201, headers={"x-a": "1"}, stream=broken, extensions=extensions)

    def send(self, request: Any) -> Any:
        """Send a request to this service as a transport does."""
        if not self.is_async:
            return self.endpoints.send(self.client, request, "/audio/transcriptions")
        return asyncio.run(self.endpoints.async_send(self.client, request, "/audio/transcriptions"))


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def other(request: pytest.FixtureRequest) -> OtherService:
    """Make another service."""
    return OtherService(is_async=request.param)


def test_a_request_keeps_its_time_limit_and_its_query(other: OtherService) -> None:
    """The limits are those of the caller's client, which waits for the answer."""
    limits = {"connect": 1.0, "read": 7.0, "write": 2.0, "pool": 3.0}
    given = other.family.Request("POST", f"{URL}?a=1&b=%20", content=b"", extensions={"timeout": limits})
    answer = other.send(given)
    assert answer.status_code == 201
    (sent,) = other.requests
    assert str(sent.url) == "https://other.example/v1/audio/transcriptions?a=1&b=%20"
    assert sent.extensions["timeout"] == limits
    assert sent.method == "POST"
    other.send(other.family.Request("POST", URL, content=b""))
    assert other.requests[-1].extensions["timeout"] == {}


def test_an_answer_is_the_other_services(other: OtherService) -> None:
    """Its connection is not handed on: a call to Tess that ends would interrupt it."""
    answer = other.send(other.family.Request("POST", URL, content=b""))
    assert answer.extensions == {"http_version": b"HTTP/2", "reason_phrase": b"Made"}
    assert (answer.status_code, answer.headers["x-a"]) == (201, "1")
    with pytest.raises(other.family.ReadError, match="it broke"):
        asyncio.run(answer.aread()) if other.is_async else answer.read()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_authentication_of_the_other_http_client_applies(*, is_async: bool) -> None:
    """A client of the SDK that has none of its own uses it."""
    other = OtherService(is_async=is_async)
    type(other.client).custom_auth = None
    other.client._client.auth = ("user", "password")
    other.send(other.family.Request("POST", URL, content=b""))
    assert other.requests[0].headers["authorization"].startswith("Basic ")


def test_the_hooks_of_the_other_client_apply(other: OtherService) -> None:
    """A class derived from the SDK's may sign requests, or use another way to authenticate."""
    other.send(other.family.Request("POST", URL, content=b""))
    (sent,) = other.requests
    assert sent.headers["x-hook"] == "1"
    assert sent.headers["authorization"].startswith("Basic ")


def test_a_large_upload_is_not_kept_in_memory(other: OtherService) -> None:
    """Only a JSON body is read, because the other client may need its fields."""
    stream = other.family.derive(Body, other.family.SyncByteStream, other.family.AsyncByteStream)(b"a", b"b")
    for kind, count in (("multipart/form-data; boundary=x", 0), ("application/json", 1)):
        given = other.family.Request("POST", URL, headers={"content-type": kind}, stream=stream)
        other.send(given)
        assert stream.read == count


@pytest.mark.parametrize(
    ("agent", "path", "is_found"),
    [
        ("42", "/audio/speech", True),
        ("42", "/audio", True),
        ("42", "/audio/./speech", False),
        ("42", "/audio/../chat", False),
        ("42", "/audio/a..b", True),
        ("42", "/embeddings", False),
        ("42", "/chat/completions", False),
        ("", "/audio/speech", False),
    ],
)
def test_only_paths_of_named_endpoints_are_passed_on(
    other: OtherService, agent: str, path: str, *, is_found: bool
) -> None:
    """All others are answered by Tess, or refused."""
    found = other.endpoints.client_for(ApiPath(agent, path, ""))
    assert found is (other.client if is_found else None)
