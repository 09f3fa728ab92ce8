"""Every way in which programs call `client.responses` works through the adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import TessRequestWarning, changes_of

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

HELLO: dict[str, Any] = {"model": "tess-6", "input": "hello"}


def test_a_raw_response_is_the_answer(driver: Driver) -> None:
    """It has status and headers, and its body parses to the same response."""
    raw = driver.run(driver.client().responses.with_raw_response.create(**HELLO))
    assert raw.status_code == 200
    assert driver.run(raw.parse()).output_text == driver.answer


def test_a_raw_stream_parses_to_a_stream(driver: Driver) -> None:
    """It behaves like a raw response of OpenAI."""
    raw = driver.run(driver.client().responses.with_raw_response.create(**HELLO, stream=True))
    events = driver.items(driver.run(raw.parse()))
    assert events[-1].response.output_text == driver.answer


def test_a_streaming_response_parses(driver: Driver) -> None:
    """It parses to the response, if no stream was requested."""
    create = driver.client().responses.with_streaming_response.create
    with driver.entered(create(**HELLO)) as response:
        assert driver.run(response.parse()).output_text == driver.answer


def test_options_of_a_derived_client_hold(driver: Driver) -> None:
    """A copy by `with_options` has the store of the client that it was made of."""
    client = driver.client()
    derived = client.with_options(timeout=30, default_headers={"x-mine": "1"})
    first = driver.run(derived.responses.create(**HELLO))
    driver.run(client.responses.create(model="tess-6", input="more", previous_response_id=first.id))
    assert driver.simulator.calls[0].headers["x-mine"] == "1"
    body: Any = driver.simulator.calls[1].json
    assert len(body["messages"]) == 3


def test_fields_of_the_agent_and_options_of_the_call_pass(driver: Driver, *, stream: bool) -> None:
    """They are set in `extra_body`, as in chat."""
    extra = {"root_id": 7, "tess_openai": {"unsupported": {"truncation": "ignore"}}}
    answer = driver.run(
        driver.client().responses.create(**HELLO, truncation="auto", extra_body=extra, stream=stream)
    )
    response = driver.items(answer)[-1].response if stream else answer
    assert [change.param for change in changes_of(response)] == ["truncation"]
    body: Any = driver.simulator.calls[0].json
    assert body["root_id"] == 7
    assert "tess_openai" not in body


def test_a_raw_head_carries_the_ledger(driver: Driver) -> None:
    """Some programs read only headers."""
    client = driver.client(unsupported="ignore")
    raw = driver.run(client.responses.with_raw_response.create(**HELLO, truncation="auto"))
    assert '"truncation"' in raw.headers["x-tess-openai"]


@pytest.mark.parametrize("path", ["compact", "resp_1/nothing"])
def test_what_the_adapter_does_not_have_is_refused(driver: Driver, path: str) -> None:
    """404 that says so; nothing is sent."""
    with pytest.raises(openai.NotFoundError, match="does not have this part"):
        driver.run(driver.client().post(f"/responses/{path}", body={}, cast_to=object))
    assert driver.simulator.requests == []


def test_lists_of_input_items_check_their_page(driver: Driver) -> None:
    """A wrong `limit` or `after` is refused as OpenAI refuses it."""
    client = driver.client()
    made = driver.run(client.responses.create(**HELLO))
    for query, param in (
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"after": "msg_x"}, "after"),
        ({"extra_query": {"before": "msg_x"}}, "before"),
        ({"order": "sideways"}, "order"),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            driver.items(driver.run(client.responses.input_items.list(made.id, **query)))
        assert caught.value.param == param


def test_lists_of_input_items_end_before_an_item(driver: Driver) -> None:
    """Older SDKs have `before` as a parameter of its own."""
    client = driver.client(unsupported="ignore")
    given = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    made = driver.run(client.responses.create(model="tess-6", input=given))
    everything = driver.items(driver.run(client.responses.input_items.list(made.id, order="asc")))
    until = client.responses.input_items.list(made.id, order="asc", extra_query={"before": everything[2].id})
    assert [item.id for item in driver.items(driver.run(until))] == [item.id for item in everything[:2]]


def test_what_a_stored_response_does_not_contain_is_reported(driver: Driver) -> None:
    """`include` of log probabilities, as when a response is made: a warning, or a refusal."""
    client = driver.client()
    made = driver.run(client.responses.create(**HELLO))
    wanted = {"include": ["message.output_text.logprobs"]}
    with pytest.warns(TessRequestWarning, match="include") as caught:
        found = driver.run(client.responses.retrieve(made.id, **wanted))
    assert len(caught) == 1
    assert found.output_text == made.output_text
    assert [change.param for change in changes_of(found)] == ["include"]


@pytest.mark.parametrize("path", ["", "/input_items"])
def test_what_a_stored_response_does_not_contain_is_refused(driver: Driver, path: str) -> None:
    """Where the policy says so."""
    client = driver.client(unsupported="error")
    made = driver.run(client.responses.create(**HELLO))
    query = {"params": {"include": ["message.output_text.logprobs"]}}
    with pytest.raises(openai.BadRequestError) as caught:
        driver.run(client.get(f"/responses/{made.id}{path}", cast_to=object, options=query))
    assert caught.value.param == "include"
