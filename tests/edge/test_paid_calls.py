"""A failed call that Tess may have executed is known as such, and the SDK's repetition of it is not sent."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final

import openai
import pytest

from tess_openai.edge import paid_calls
from tess_openai.edge.families import Family
from tess_openai.edge.paid_calls import (
    ObservedBody,
    may_have_been_sent,
    must_not_be_repeated,
    observed_bodies,
    passes_own_errors,
    remember_failure,
    repeated_failure,
    to_family_error,
    to_sdk_error,
)

URL: Final = "https://tess.example/agents/42/openai/chat/completions"
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def no_failure() -> Iterator[None]:
    """Let no test see the failure that another one remembered."""
    paid_calls._FAILED_CALL.set(None)
    yield
    paid_calls._FAILED_CALL.set(None)


def error_of(family: Family, name: str, text: str = "broken") -> Exception:
    """Build the family's own error."""
    error: Exception = getattr(importlib.import_module(family.name), name)(text)
    return error


def request_of(family: Family, *, retry: str | None = "0", body: bytes = b"{}", url: str = URL) -> Any:
    """Build a request as the SDK does, or, without a retry count, as another program does."""
    headers = {} if retry is None else {"x-stainless-retry-count": retry}
    return family.Request("POST", url, headers=headers, content=body)


def body_of(*pieces: bytes, read: int | None = 0) -> ObservedBody:
    """Build a body of which the transport has read some pieces; None: all, and its end."""
    body = ObservedBody(pieces)
    reading = iter(body)
    for _ in pieces[:read]:
        next(reading)
    if read is None:
        assert list(reading) == []
    return body


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("ConnectError", False),
        ("ConnectTimeout", False),
        ("LocalProtocolError", False),
        ("PoolTimeout", False),
        ("ProxyError", False),
        ("UnsupportedProtocol", False),
        ("WriteError", False),
        ("WriteTimeout", False),
        ("ReadError", True),
        ("ReadTimeout", True),
        ("CloseError", True),
        ("RemoteProtocolError", True),
    ],
)
def test_the_class_decides_when_the_body_was_not_observed(family: Family, name: str, sent: bool) -> None:
    """Some transports read a copy of the request, and its body is then never begun."""
    assert may_have_been_sent(error_of(family, name), body_of(b"{}")) is sent
    assert may_have_been_sent(error_of(family, name), None) is sent


def test_a_connection_does_not_show_whether_a_replaced_body_was_sent(family: Family) -> None:
    """A request whose body is unknown counts as sent if the connection ended before the answer."""
    error = error_of(family, "RemoteProtocolError", "Server disconnected without sending a response.")
    error.__cause__ = failing_exchange(family, [ANSWER])
    assert may_have_been_sent(error, None)


@pytest.mark.parametrize("name", ["ConnectError", "WriteError", "ReadError", "ReadTimeout"])
@pytest.mark.parametrize(("read", "sent"), [(1, False), (2, False), (None, True)])
def test_the_body_decides_when_it_was_observed(
    family: Family, name: str, read: int | None, sent: bool
) -> None:
    """A request is complete when the transport has asked for what follows its last piece."""
    assert may_have_been_sent(error_of(family, name), body_of(b"{", b"}", read=read)) is sent


@pytest.mark.needs("aiohttp")
@pytest.mark.parametrize(
    ("cause", "sent"),
    [
        ("ConnectionTimeoutError", False),
        ("InvalidURL", False),
        ("ServerDisconnectedError", True),
        ("ServerTimeoutError", True),
        ("ClientPayloadError", True),
    ],
)
def test_the_cause_decides_for_aiohttp(family: Family, cause: str, sent: bool) -> None:
    """Its transport raises `ConnectTimeout` for every lost connection; the cause says what happened."""
    error = error_of(family, "ConnectTimeout")
    error.__cause__ = getattr(importlib.import_module("aiohttp"), cause)("https://tess.example")
    assert may_have_been_sent(error, body_of(b"{}")) is sent


def failing_exchange(family: Family, answers: Iterable[bytes]) -> Exception:
    """Send requests on one connection of the family's core until one fails; the server is a list of bytes."""
    core = importlib.import_module(family.name.replace("httpx", "httpcore"))
    with core.ConnectionPool(network_backend=core.MockBackend(list(answers))) as pool:
        try:
            while True:
                pool.request("GET", "http://tess.example/")
        except core.RemoteProtocolError as error:
            failure: Exception = error
            return failure


@pytest.mark.parametrize(
    ("answers", "age", "sent"),
    [
        pytest.param([ANSWER], 0.0, False, id="an idle connection that ended at once"),
        pytest.param([ANSWER, ANSWER], 0.0, False, id="an idle connection, used twice before"),
        pytest.param([ANSWER], 0.2, True, id="an idle connection that ended later than a race does"),
        pytest.param([], 0.0, True, id="a new connection"),
        pytest.param([ANSWER, b"HTTP/1.1 200"], 0.0, True, id="a part of an answer"),
        pytest.param([ANSWER, b"nonsense\r\n\r\n"], 0.0, True, id="an answer that is not HTTP"),
    ],
)
def test_a_race_with_the_end_of_an_idle_connection_is_recognised(
    family: Family, answers: list[bytes], age: float, sent: bool
) -> None:
    """The server closed the connection before the request came, so the SDK may repeat it."""
    error, body = failing_exchange(family, answers), body_of(b"{}", read=None)
    assert body.sent_at is not None
    body.sent_at -= age
    assert may_have_been_sent(error, body) is sent


def test_the_connection_is_found_behind_the_familys_own_error(family: Family) -> None:
    """The family raises its own error from that of its core, whose frames hold the connection."""
    error = error_of(family, "RemoteProtocolError", "Server disconnected without sending a response.")
    body = body_of(b"{}", read=None)
    assert may_have_been_sent(error, body)
    error.__cause__ = failing_exchange(family, [ANSWER])
    assert not may_have_been_sent(error, body)
    assert may_have_been_sent(error, body_of(b"{}")) is False  # the connection shows that nothing was written


def test_a_remembered_failure_is_raised_again_for_the_sdks_repetition_only(family: Family) -> None:
    """Another body, URL or method is another call, and so is the same call made again by the program."""
    assert repeated_failure(request_of(family, retry="1")) is None
    remember_failure(request_of(family), error_of(family, "ReadError", "lost"))
    assert must_not_be_repeated()
    again = repeated_failure(request_of(family, retry="1"))
    assert (type(again), str(again)) == (family.ReadError, "lost")
    others = [
        request_of(family, retry="1", body=b"[]"),
        request_of(family, retry="1", url=f"{URL}?page=2"),
        family.Request("PUT", URL, headers={"x-stainless-retry-count": "1"}, content=b"{}"),
    ]
    assert [repeated_failure(other) for other in others] == [None, None, None]
    assert repeated_failure(request_of(family, retry="2")) is not None


@pytest.mark.parametrize("retry", ["0", None])
def test_a_new_call_forgets_the_failure(family: Family, retry: str | None) -> None:
    """A program that makes the call again wants it to be sent."""
    remember_failure(request_of(family), error_of(family, "ReadError"))
    assert repeated_failure(request_of(family, retry=retry)) is None
    assert not must_not_be_repeated()
    assert repeated_failure(request_of(family, retry="1")) is None


def test_a_failure_is_remembered_in_its_own_context(family: Family) -> None:
    """Another thread or task may make the same call at the same moment."""
    contextvars.Context().run(remember_failure, request_of(family), error_of(family, "ReadError"))
    assert repeated_failure(request_of(family, retry="1")) is None


def test_a_remembered_failure_does_not_contain_the_prompt(family: Family) -> None:
    """It may live as long as its thread, and an error tracker shows the variables of a thread."""
    remember_failure(request_of(family, body=b"a secret prompt"), error_of(family, "ReadError"))
    assert "secret" not in repr(paid_calls._FAILED_CALL.get())


@pytest.mark.parametrize("name", ["ReadTimeout", "ConnectTimeout", "PoolTimeout"])
def test_a_timeout_becomes_the_sdks_timeout(family: Family, name: str) -> None:
    """Programs catch it apart from other connection errors."""
    request = request_of(family)
    error = to_sdk_error(error_of(family, name), request, in_stream=False)
    assert type(error) is openai.APITimeoutError
    assert error.request is request


@pytest.mark.parametrize("in_stream", [False, True])
@pytest.mark.parametrize(("text", "reason"), [("lost", "lost"), ("", "ReadError")])
def test_a_broken_connection_becomes_the_sdks_error(
    family: Family, text: str, reason: str, in_stream: bool
) -> None:
    """The message says what happened, that it may be paid for, and which option would repeat the call."""
    request = request_of(family)
    error = to_sdk_error(error_of(family, "ReadError", text), request, in_stream=in_stream)
    assert type(error) is openai.APIConnectionError
    assert error.request is request
    option = "" if in_stream else ", so the call was not sent again; with repeat_paid=True it would be"
    assert error.message == (
        f"Connection error: {reason}. The execution may go on at Tess and be paid for{option}."
    )


def test_another_program_gets_its_familys_error(family: Family) -> None:
    """Only the SDK counts its repetitions, so only its requests get the SDK's errors."""
    request = request_of(family, retry=None)
    assert to_sdk_error(error_of(family, "ReadError"), request, in_stream=False) is None


@pytest.mark.parametrize(
    ("version", "passes"),
    [
        ("1.66.0", False),
        ("1.109.1", False),
        ("2.30.0", False),
        ("2.31.0", True),
        ("2.100.0", True),
        ("3.0.0", True),
        ("3.0.0rc1", True),
    ],
)
def test_the_release_decides_whether_the_sdk_passes_its_own_errors_on(
    monkeypatch: pytest.MonkeyPatch, version: str, passes: bool
) -> None:
    """An earlier one repeats a call whatever its transport raises."""
    monkeypatch.setattr(openai, "VERSION", version)
    assert passes_own_errors() is passes


def test_an_error_of_openais_aiohttp_transport_becomes_the_familys(family: Family) -> None:
    """The SDK recognises the errors of its family only."""
    assert type(to_family_error(TimeoutError(), family)) is family.ReadTimeout
    other = ValueError("x")
    assert to_family_error(other, family) is other


@pytest.mark.needs("aiohttp")
@pytest.mark.parametrize(("text", "reason"), [("cut", "cut"), ("", "ClientPayloadError")])
def test_a_broken_body_of_aiohttp_becomes_the_familys_error(family: Family, text: str, reason: str) -> None:
    """An error without a text is named by its class."""
    cut: Exception = importlib.import_module("aiohttp").ClientPayloadError(text)
    error = to_family_error(cut, family)
    assert (type(error), str(error)) == (family.ReadError, reason)


@pytest.mark.parametrize(
    ("module", "is_reading", "kind"),
    [
        ("aiohttp.streams", True, "ReadError"),
        ("own.streams", True, "RuntimeError"),
        ("aiohttp.client", False, "RuntimeError"),
    ],
)
def test_a_built_in_error_that_aiohttp_raises_while_it_reads_becomes_the_familys_error(
    family: Family, module: str, kind: str, *, is_reading: bool
) -> None:
    """It raises a RuntimeError for a closed connection, and for a closed session of the program."""
    raising: dict[str, Any] = {"__name__": module}
    code = "def read():\n    raise RuntimeError('Connection closed.')"
    exec(code, raising)  # noqa: S102 - only so does it belong to a module of this name
    with pytest.raises(RuntimeError) as caught:
        raising["read"]()
    error = to_family_error(caught.value, family, is_reading=is_reading)
    assert (type(error).__name__, str(error)) == (kind, "Connection closed.")


async def async_pieces(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Return pieces as the body of an async request does."""
    for piece in pieces:
        yield piece


def read_sync(pieces: list[bytes], on_start: Callable[[], None]) -> tuple[ObservedBody, list[bytes]]:
    """Read a body as a sync transport does."""
    body = ObservedBody(pieces, on_start)
    return body, list(body)


def read_async(pieces: list[bytes], on_start: Callable[[], None]) -> tuple[ObservedBody, list[bytes]]:
    """Read a body as an async transport does."""

    async def read() -> tuple[ObservedBody, list[bytes]]:
        body = ObservedBody(async_pieces(pieces), on_start)
        return body, [piece async for piece in body]

    return asyncio.run(read())


@pytest.mark.parametrize("read", [read_sync, read_async])
@pytest.mark.parametrize(
    ("pieces", "sizes"),
    [
        ([], []),
        ([b"a", b"bc"], [1, 2]),
        ([b"a" * 65_536], [65_536]),
        ([b"a" * 65_537, b"b"], [65_536, 1, 1]),
        ([b"a" * 200_000], [65_536, 65_536, 65_536, 3_392]),
    ],
)
def test_a_body_is_sent_in_parts_that_an_event_loop_does_not_buffer(
    read: Callable[..., tuple[ObservedBody, list[bytes]]], pieces: list[bytes], sizes: list[int]
) -> None:
    """If a loop buffered all of it, it would count as sent before a byte left the machine."""
    started: list[None] = []
    body, sent = read(pieces, lambda: started.append(None))
    assert (b"".join(sent), [len(piece) for piece in sent]) == (b"".join(pieces), sizes)
    assert (body.has_begun, body.sent_at is not None, len(started)) == (True, True, 1)


def test_a_body_that_is_read_in_part_was_not_sent() -> None:
    """It has begun, though, which is reported before its first piece."""
    started: list[str] = []
    body = ObservedBody([b"{", b"}"], lambda: started.append("begun"))
    assert (body.has_begun, body.sent_at, started) == (False, None, [])
    assert next(iter(body)) == b"{"
    assert (body.has_begun, body.sent_at, started) == (True, None, ["begun"])


def test_the_bodies_of_a_family_are_its_own_streams(family: Family) -> None:
    """Its clients refuse others; a body in memory can be read again."""
    in_memory, streamed = observed_bodies(family)
    assert issubclass(in_memory, family.ByteStream)
    assert issubclass(streamed, family.SyncByteStream)
    assert issubclass(streamed, family.AsyncByteStream)
    assert not issubclass(streamed, family.ByteStream)
