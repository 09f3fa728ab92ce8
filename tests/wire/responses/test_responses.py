"""`client.responses` on a Tess agent: requests, whole answers and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import TessRequestWarning, changes_of
from tess_openai.testing import faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

HELLO: dict[str, Any] = {"model": "tess-6", "input": "hello"}


def respond(driver: Driver, client: Any, **fields: Any) -> Any:
    """Ask for a response, whole or by a stream; the whole response."""
    given = {**HELLO, **fields}
    if not given.get("stream"):
        return driver.run(client.responses.create(**given))
    *_, last = driver.items(driver.run(client.responses.create(**given)))
    return last.response


def sent(driver: Driver) -> Any:
    """Return the body of the last chat request that Tess got."""
    return driver.simulator.calls[-1].json


def test_a_text_is_answered(driver: Driver, *, stream: bool) -> None:
    """Changing the line that makes the client is enough."""
    response = respond(driver, driver.client(), stream=stream)
    assert response.output_text == driver.answer
    assert (response.status, response.model, response.error) == ("completed", "tess-6", None)
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert changes_of(response) == ()
    (request,) = driver.simulator.requests
    assert request.path == "/agents/42/openai/chat/completions"
    assert sent(driver)["messages"] == [{"role": "user", "content": "hello"}]


def test_instructions_are_the_system_message(driver: Driver, *, stream: bool) -> None:
    """They come first."""
    respond(driver, driver.client(), instructions="Be brief.", stream=stream)
    assert sent(driver)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello"},
    ]


def test_what_tess_lacks_is_reported_under_the_callers_names(driver: Driver, *, stream: bool) -> None:
    """The warning is at the caller's line, the ledger on the answer, and the response shows the default."""
    client = driver.client()
    with pytest.warns(TessRequestWarning, match="max_output_tokens=20 was not sent"):
        response = respond(driver, client, max_output_tokens=20, stream=stream)
    assert [change.param for change in changes_of(response)] == ["max_output_tokens"]
    assert response.max_output_tokens is None


def test_a_refusal_names_what_the_caller_wrote(driver: Driver, *, stream: bool) -> None:
    """400 before anything is sent."""
    client = driver.client(unsupported="error")
    with pytest.raises(openai.BadRequestError, match=r"text\.format: Tess does not have it") as caught:
        respond(driver, client, text={"format": {"type": "json_object"}}, stream=stream)
    assert caught.value.param == "text.format"
    assert driver.simulator.requests == []


def test_an_error_of_tess_is_raised_as_in_chat(driver: Driver, *, stream: bool) -> None:
    """Before the first event it is an HTTP error."""
    driver.simulator.fault(faults.rate_limited(retry_after_seconds=30))
    with pytest.raises(openai.RateLimitError):
        respond(driver, driver.client(), stream=stream)


def test_a_stream_has_named_events_and_gapless_numbers(driver: Driver) -> None:
    """It has `event:` lines, numbers from 0, and no `[DONE]`."""
    client = driver.client()
    with driver.entered(client.responses.with_streaming_response.create(**HELLO, stream=True)) as response:
        lines = driver.items(response.iter_lines())
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert names[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert names[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert "[DONE]" not in "".join(lines)
    events = driver.items(driver.run(client.responses.create(**HELLO, stream=True)))
    assert [event.sequence_number for event in events] == list(range(len(events)))
