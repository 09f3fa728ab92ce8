"""Which repetitions reach Tess: those of the SDK after a request that was sent do not, all others do."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import openai
import pytest
from fault_server import DONE, TEXT, Connection, FaultServer, chunk, serving
from raw_faults import bad_chunk, closes, cut, good, gzip_bomb, hangs, resets, status

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

PASSES_OWN_ERRORS = (2, 31)


def client_of(driver: Driver, server: FaultServer, **options: Any) -> Any:
    """Make a client of the fault server whose SDK repeats a call once."""
    return driver.client(base_url=server.url, **{"max_retries": 1, "timeout": 1, **options})


def test_a_repetition_of_ones_own_is_a_call_of_its_own(driver: Driver) -> None:
    """The program, or a framework, asks again: that is its decision."""
    with serving(closes, cut, good) as server:
        client = client_of(driver, server)
        for _ in range(2):
            with pytest.raises(openai.APIConnectionError):
                driver.ask(client)
        assert driver.text(client) == TEXT
        assert server.posts == 3


def test_identical_calls_side_by_side_fail_on_their_own(driver: Driver) -> None:
    """Each is sent once, whichever of them fails first."""
    with serving(closes) as server:
        client = client_of(driver, server, timeout=20)

        async def gather() -> list[Any]:
            calls = [client.chat.completions.create(**driver.hello) for _ in range(4)]
            return await asyncio.gather(*calls, return_exceptions=True)

        def ask(_: int) -> Any:
            try:
                return client.chat.completions.create(**driver.hello)
            except openai.APIError as error:
                return error

        if driver.is_async:
            ended = driver.run(gather())
        else:
            with ThreadPoolExecutor(4) as pool:
                ended = list(pool.map(ask, range(4)))
        assert all(isinstance(each, openai.APIConnectionError) for each in ended)
        assert server.posts == 4


def test_a_failed_call_keeps_no_trace_for_another_one(driver: Driver) -> None:
    """The next call of the same thread or task is repeated by the SDK where nothing was executed."""
    with serving(closes, status(503), good) as server:
        client = client_of(driver, server)
        with pytest.raises(openai.APIConnectionError):
            driver.ask(client)
        assert driver.text(client) == TEXT
        assert server.posts == 3


@pytest.mark.parametrize("fault", [closes, hangs, cut, status(504), status(524)])
def test_on_request_the_sdk_repeats_as_it_does(driver: Driver, fault: Any) -> None:
    """With `repeat_paid=True`, two requests may be executed and paid for."""
    with serving(fault, good) as server:
        assert driver.text(client_of(driver, server, repeat_paid=True)) == TEXT
        assert server.posts == 2


def test_no_time_is_lost_where_the_sdk_passes_its_own_errors_on(driver: Driver) -> None:
    """Its retry loop does not wait, and the error has the reason and the remedy."""
    if driver.sdk < PASSES_OWN_ERRORS:
        pytest.skip("this SDK repeats whatever a transport raises")
    with serving(resets) as server:
        client = client_of(driver, server, max_retries=5)
        started = time.monotonic()
        with pytest.raises(openai.APIConnectionError) as caught:
            driver.ask(client)
        assert time.monotonic() - started < 5  # five waits take at least 11 seconds
        assert isinstance(caught.value, openai.APITimeoutError) or "repeat_paid=True" in str(caught.value)


def test_a_request_that_was_not_sent_as_a_whole_is_repeated(driver: Driver) -> None:
    """The server resets the connection while the request is written: nothing was executed."""
    if driver.http_client_kind == "aiohttp" and driver.is_async:
        pytest.skip("aiohttp does not tell how much of a request it wrote")

    def resets_early(connection: Connection) -> None:
        connection.reset()

    with serving(good, before=resets_early) as server:
        messages = [{"role": "user", "content": "x" * 20_000_000}]
        with pytest.raises(openai.APIConnectionError):
            driver.ask(client_of(driver, server, timeout=20), messages=messages)
        assert (server.posts, server.opened) == (0, 2)


def test_the_sdk_retries_a_refused_connection(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """Without a connection nothing was executed."""
    with serving(good) as server:
        url = server.url
    caplog.set_level("INFO", logger="openai")
    with pytest.raises(openai.APIConnectionError):
        driver.ask(driver.client(base_url=url, max_retries=1, timeout=5))
    assert sum("Retrying request" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize("fault", [closes, cut, bad_chunk, hangs, status(504)])
@pytest.mark.parametrize("choices", [2, 4])
def test_the_further_calls_of_emulation_are_sent_once(driver: Driver, fault: Any, choices: int) -> None:
    """`n=4` whose second answer is lost has cost two requests, and costs no more."""
    with serving(good, fault) as server:
        client = client_of(driver, server, emulate=True, max_retries=2)
        with pytest.raises(openai.APIError):
            driver.ask(client, n=choices)
        assert server.posts == 2


@pytest.mark.parametrize("fault", [closes, cut, hangs])
def test_an_upload_is_sent_once(driver: Driver, fault: Any) -> None:
    """A file may have been stored although the answer was lost."""
    with serving(fault) as server:
        client = client_of(driver, server)
        with pytest.raises(openai.APIError):
            driver.run(client.files.create(file=("a.txt", b"text"), purpose="assistants"))
        assert server.posts == 1


@pytest.mark.parametrize("fault", [closes, cut, hangs, status(520)])
def test_a_path_that_passes_through_is_sent_once(driver: Driver, fault: Any) -> None:
    """A POST to it may have been executed."""
    with serving(fault) as server:
        client = client_of(driver, server)
        with pytest.raises(openai.APIError):
            driver.run(client.post("/own/path", cast_to=object, body={"a": 1}))
        assert server.posts == 1


def test_a_slow_answer_with_content_is_no_silent_one(driver: Driver, *, stream: bool) -> None:
    """`timeout` limits each silence, not the length of an answer."""

    def slow(connection: Connection) -> None:
        connection.head(kind="text/event-stream")
        for letter in TEXT:
            connection.part(chunk(letter))
            time.sleep(0.1)
        connection.part(chunk(None, "stop") + DONE)
        connection.end()

    with serving(slow) as server:
        assert driver.text(client_of(driver, server, timeout=0.5), stream=stream) == TEXT


def test_an_answer_is_bounded(driver: Driver) -> None:
    """The 300 MB behind 300 kB of gzip are not read, and the call is not repeated."""
    with serving(gzip_bomb) as server:
        with pytest.raises(openai.APIConnectionError) as caught:
            driver.ask(client_of(driver, server, timeout=60))
        if driver.sdk >= PASSES_OWN_ERRORS:
            assert "max_answer_bytes=67108864" in str(caught.value)
        assert server.posts == 1


def test_the_bound_of_an_answer_can_be_moved(driver: Driver, *, stream: bool) -> None:
    """What a stream has passed on no longer counts."""
    with serving(good) as server:
        assert driver.text(client_of(driver, server, max_answer_bytes=1200), stream=stream) == TEXT
        with pytest.raises(openai.APIError):
            driver.text(client_of(driver, server, max_answer_bytes=100), stream=stream)
        assert driver.text(client_of(driver, server, max_answer_bytes=None), stream=stream) == TEXT


@pytest.mark.parametrize("place", ["head", "body"])
def test_a_look_up_for_an_errors_hint_does_not_delay_the_error(driver: Driver, place: str) -> None:
    """A server that sends a byte of it now and then would keep the caller waiting without end."""

    def refuses(connection: Connection) -> None:
        connection.answer(422, b'{"error": "Validation failed", "messages": {"model": ["is invalid"]}}')

    def drips(connection: Connection) -> None:
        if place == "head":
            connection.send(b"HTTP/1.1 200 OK\r\nx-long: ")
            while not connection.over.wait(0.1):
                connection.send(b"x")
        else:
            connection.head(200, kind="application/json")
            connection.repeat(b" ", 0.1)

    with serving(refuses, other=drips) as server:
        began = time.monotonic()
        with pytest.raises(openai.UnprocessableEntityError):
            driver.ask(client_of(driver, server, timeout=0.5))
        assert time.monotonic() - began < 5
