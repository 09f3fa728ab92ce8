"""What goes wrong in the middle of a stream of events, or ends it early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai.testing import Fault, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

HELLO: dict[str, Any] = {"model": "tess-6", "input": "hello"}
LONG_ANSWER = "One, two, three, four, five, six, seven, eight, nine."


def read_events(driver: Driver, client: Any, **fields: Any) -> tuple[list[Any], openai.APIError | None]:
    """Read a stream to its end, or to the error that ends it."""
    events: list[Any] = []
    try:
        stream = driver.run(client.responses.create(**{**HELLO, **fields}, stream=True))
        while True:
            events.append(driver.next(stream))
    except (StopIteration, StopAsyncIteration):
        return events, None
    except openai.APIError as error:
        return events, error


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(faults.error_event(after_events=3), "stream_error", id="an error event"),
        pytest.param(faults.ends_early(after_events=3), "stream_truncated", id="an early end"),
        pytest.param(faults.non_json_line(after_events=3), "stream_not_json", id="a line that is no JSON"),
    ],
)
def test_a_stream_that_fails_ends_in_failed_and_an_error(driver: Driver, fault: Fault, code: str) -> None:
    """The SDK raises it; the caller got the earlier events, and nothing is stored or sent again."""
    driver.simulator.script(LONG_ANSWER)
    driver.simulator.fault(fault)
    client = driver.client(max_retries=2)
    events, error = read_events(driver, client)
    assert error is not None
    assert not isinstance(error, openai.APIStatusError)
    assert error.code == code
    kinds = [event.type for event in events]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.failed")
    assert "response.output_text.delta" in kinds
    assert "response.completed" not in kinds
    failed = events[-1].response
    assert (failed.status, failed.error.code) == ("failed", "server_error")
    assert failed.error.message == error.message
    streamed = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert (failed.output_text, failed.output[0].status) == (streamed, "incomplete")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert len(driver.simulator.requests) == 1
    with pytest.raises(openai.NotFoundError):
        driver.run(client.responses.retrieve(failed.id))


def test_a_lost_connection_is_the_sdks_own_error(driver: Driver) -> None:
    """The error says that the execution may continue, and nothing is sent again."""
    driver.simulator.script(LONG_ANSWER)
    driver.simulator.fault(faults.breaks_off(after_events=3))
    events, error = read_events(driver, driver.client(max_retries=2))
    assert isinstance(error, openai.APIConnectionError)
    discards = driver.is_async and driver.http_client_kind == "aiohttp"  # the data before a break
    assert discards or "response.output_text.delta" in {event.type for event in events}
    assert len(driver.simulator.requests) == 1


@pytest.mark.parametrize(
    ("reason", "incomplete"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_answer_that_tess_cuts_is_incomplete(
    driver: Driver, reason: str, incomplete: str, *, stream: bool
) -> None:
    """The response has the reason and the text, whole or as the last event, and can be continued."""
    driver.simulator.fault(faults.finish_reason(value=reason))
    client = driver.client()
    if stream:
        events, error = read_events(driver, client)
        assert error is None
        assert events[-1].type == "response.incomplete"
        response = events[-1].response
    else:
        response = driver.run(client.responses.create(**HELLO))
    assert (response.status, response.incomplete_details.reason) == ("incomplete", incomplete)
    assert response.output[0].status == "incomplete"
    assert response.output_text == driver.answer
    assert driver.run(client.responses.retrieve(response.id)).status == "incomplete"


def test_an_error_before_the_first_event_is_an_http_error(driver: Driver) -> None:
    """The SDK can then retry where that is safe."""
    driver.simulator.fault(faults.rate_limited(retry_after_seconds=0.05))
    events, error = read_events(driver, driver.client(max_retries=1))
    assert error is None
    assert events[-1].type == "response.completed"
    assert len(driver.simulator.requests) == 2


def test_an_empty_answer_is_an_error_and_no_empty_response(driver: Driver, *, stream: bool) -> None:
    """The caller gets nothing that looks like an answer."""
    driver.simulator.fault(faults.empty_answer())
    with pytest.raises(openai.InternalServerError):
        driver.run(driver.client().responses.create(**HELLO, stream=stream))


def test_prompts_of_legacy_completions_fail_as_streams_do(driver: Driver) -> None:
    """The text so far is followed by the error."""
    driver.simulator.script(LONG_ANSWER)
    driver.simulator.fault(faults.error_event(after_events=3))
    texts: list[str] = []
    stream = driver.run(driver.client().completions.create(model="tess-6", prompt="hello", stream=True))
    with pytest.raises(openai.APIError) as caught:
        read_texts(driver, stream, texts)
    assert caught.value.code == "stream_error"
    assert LONG_ANSWER.startswith("".join(texts))
    assert texts


def read_texts(driver: Driver, stream: Any, texts: list[str]) -> None:
    """Collect the texts of a stream for as long as it lasts."""
    while True:
        texts.append(driver.next(stream).choices[0].text)


@pytest.mark.parametrize(
    ("param", "fields"),
    [
        ("input", {"input": "hello"}),
        ("input", {"input": "hello", "instructions": "Be short."}),
        ("prompt", {"prompt": "hello"}),
    ],
)
def test_an_error_about_a_message_names_the_parameter_of_the_caller(
    driver: Driver, param: str, fields: dict[str, str], *, stream: bool
) -> None:
    """The request has no such position, since other messages were sent; Tess's own text is kept."""
    text = "The messages.0.content field is required."
    refused = {"error": "Validation failed", "messages": {"messages.0.content": [text]}}
    driver.simulator.fault(faults.answers(422, refused))
    client = driver.client()
    create = client.completions.create if param == "prompt" else client.responses.create
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        driver.run(create(model="tess-6", **fields, stream=stream))
    body: Any = caught.value.body
    assert caught.value.param == param
    assert body["message"] == f"Validation failed: {param}: The {param} field is required."
    assert body["tess"] == refused
