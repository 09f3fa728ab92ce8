"""What breaks on the wire under responses and legacy completions ends as in chat, and is sent once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
import raw_faults
from fault_server import DONE, EVENTS, JSON_BODY, TEXT, Connection, Fault, serving

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

TIMEOUT_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Api:
    """Calls one of the two endpoints, and reads the text of its answer to the end."""

    name: str

    def ask(self, driver: Driver, client: Any, *, stream: bool) -> str:
        """Make a call."""
        if self.name == "completions":
            answer = driver.run(client.completions.create(model="tess-6", prompt="hello", stream=stream))
            chunks = driver.items(answer) if stream else [answer]
            return "".join(choice.text for chunk in chunks for choice in chunk.choices)
        answer = driver.run(client.responses.create(model="tess-6", input="hello", stream=stream))
        if not stream:
            return str(answer.output_text)
        events = driver.items(answer)
        assert events[-1].type == "response.completed"
        return "".join(event.delta for event in events if event.type == "response.output_text.delta")


@pytest.fixture(params=["responses", "completions"])
def api(request: pytest.FixtureRequest) -> Api:
    """Use each of the two endpoints."""
    return Api(request.param)


def fault_id(fault: Fault) -> str:
    """Name a fault as a test's id."""
    return fault.__name__.replace("_", " ")


def empty(connection: Connection) -> None:
    """Answer 200 with an empty body."""
    connection.head(200, "content-length: 0")


def pings_then_closes(connection: Connection) -> None:
    """Close after pings, in the middle of one."""
    connection.head()
    connection.part(b": ping\n\n: pi" if connection.wants_stream else b" \n \n")
    connection.close()


def with_rest(connection: Connection) -> None:
    """Answer as Tess does, with bytes of no meaning behind it."""
    connection.head()
    connection.part(
        (EVENTS + DONE if connection.wants_stream else JSON_BODY) + b"\n<!-- 0.02 s -->\n\x00\xff"
    )
    connection.end()


def with_pings(connection: Connection) -> None:
    """Answer with a ping before each event, in pieces that end anywhere."""
    connection.head()
    body = b": ping\n\n" + EVENTS.replace(b"\n\n", b"\n\n: ping\n\n") + DONE
    body = body if connection.wants_stream else b" \n" * 9 + JSON_BODY
    for start in range(0, len(body), 50):
        connection.part(body[start : start + 50])
    connection.end()


@pytest.mark.parametrize(
    "fault",
    [*raw_faults.BEFORE_ANSWER, *raw_faults.IN_ANSWER, empty, pings_then_closes, raw_faults.status(524)],
    ids=fault_id,
)
def test_what_may_have_been_executed_is_sent_once(
    driver: Driver, api: Api, fault: Fault, *, stream: bool
) -> None:
    """The caller gets the SDK's own error, however the answer was lost."""
    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=1, timeout=TIMEOUT_SECONDS)
        with pytest.raises(openai.APIError) as caught:
            api.ask(driver, client, stream=stream)
        assert server.posts == 1
        assert type(caught.value).__module__.startswith("openai")


@pytest.mark.parametrize("fault", [*raw_faults.BEHIND_ANSWER, with_rest, with_pings], ids=fault_id)
def test_a_whole_answer_is_whole_whatever_follows(
    driver: Driver, api: Api, fault: Fault, *, stream: bool
) -> None:
    """Nothing is waited for, and nothing is asked again."""
    if driver.http_client_kind == "aiohttp" and driver.is_async and "close" in fault.__name__:
        pytest.skip("aiohttp discards what it has received when the connection breaks behind it")
    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=1, timeout=20)
        assert api.ask(driver, client, stream=stream) == TEXT
        assert server.posts == 1


@pytest.mark.parametrize("fault", raw_faults.KEEP_ALIVE_RACES, ids=fault_id)
def test_a_request_that_was_not_read_is_sent_again(
    driver: Driver, api: Api, fault: Fault, *, stream: bool
) -> None:
    """The SDK repeats the call on another connection."""
    if driver.http_client_kind == "aiohttp" and driver.is_async:
        pytest.skip("aiohttp does not tell whether a connection was used before")
    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=1)
        assert driver.text(client) == TEXT
        assert api.ask(driver, client, stream=stream) == TEXT
        assert (server.posts, server.opened) == (2, 2)
