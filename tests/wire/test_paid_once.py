"""Whatever becomes of the answer to a request that was sent, Tess gets the request once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
import raw_faults
from fault_server import TEXT, Fault, FaultServer, serving

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

TIMEOUT_SECONDS: Final = 0.4
EMULATED: Final = {"stop": "never written", "n": 1}
MAY_BE_RUNNING: Final = (408, 502, 504, 520, 522, 524, 527, 599)
SURELY_NOT: Final = (429, 500, 503, 521, 523, 525, 526, 529, 530)


@pytest.fixture(params=[False, True], ids=["plain", "emulated"])
def fields(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Ask for what Tess has, and for something that is emulated."""
    return EMULATED if request.param else {}


def ask(driver: Driver, server: FaultServer, fields: dict[str, Any], **options: Any) -> Any:
    """Make a chat call against the fault server."""
    given = {"max_retries": 1, "timeout": TIMEOUT_SECONDS, "emulate": bool(fields), **options}
    client = driver.client(base_url=server.url, **given)
    return driver.ask(client, **fields)


def text_of(driver: Driver, answer: Any, *, stream: bool) -> str:
    """Read an answer to its end."""
    if not stream:
        return str(answer.choices[0].message.content)
    return "".join(chunk.choices[0].delta.content or "" for chunk in driver.items(answer) if chunk.choices)


def fault_id(fault: Fault) -> str:
    """Name a fault as a test's id."""
    return fault.__name__.replace("_", " ")


@pytest.mark.parametrize("fault", [*raw_faults.BEFORE_ANSWER, *raw_faults.IN_ANSWER], ids=fault_id)
def test_what_may_have_been_executed_is_sent_once(
    driver: Driver, fault: Fault, fields: dict[str, Any], *, stream: bool
) -> None:
    """It does not matter how its answer was lost."""
    with serving(fault) as server:
        with pytest.raises(openai.APIError) as caught:
            text_of(driver, ask(driver, server, {**fields, "stream": stream}), stream=stream)
        assert server.posts == 1
        assert type(caught.value).__module__.startswith("openai")


@pytest.mark.parametrize("fault", raw_faults.BEHIND_ANSWER, ids=fault_id)
def test_a_whole_answer_is_whole_whatever_follows(
    driver: Driver, fault: Fault, fields: dict[str, Any], *, stream: bool
) -> None:
    """Nothing is waited for, and nothing is asked again."""
    if driver.http_client_kind == "aiohttp" and driver.is_async and "close" in fault.__name__:
        pytest.skip("aiohttp discards what it has received when the connection breaks behind it")
    with serving(fault) as server:
        started = time.monotonic()
        answer = ask(driver, server, {**fields, "stream": stream}, timeout=20)
        assert text_of(driver, answer, stream=stream) == TEXT
        assert time.monotonic() - started < 10
        assert server.posts == 1


@pytest.mark.parametrize("status", MAY_BE_RUNNING)
def test_a_status_after_which_the_execution_may_go_on_is_not_repeated(
    driver: Driver, status: int, fields: dict[str, Any]
) -> None:
    """A gateway may have stopped waiting, or may have lost the answer."""
    with serving(raw_faults.status(status)) as server:
        with pytest.raises(openai.APIStatusError) as caught:
            ask(driver, server, fields)
        assert (server.posts, caught.value.status_code) == (1, status)


@pytest.mark.parametrize("status", SURELY_NOT)
def test_a_status_that_states_that_nothing_ran_is_repeated(driver: Driver, status: int) -> None:
    """The SDK retries it as often as its options say."""
    with serving(raw_faults.status(status)) as server:
        with pytest.raises(openai.APIStatusError):
            ask(driver, server, {})
        assert server.posts == 2
