"""`previous_response_id` continues a conversation from what the client keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import (
    MemoryResponseStore,
    SQLiteResponseStore,
    TessAnswerWarning,
    TessConfigurationError,
    changes_of,
)

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

NAME: dict[str, Any] = {"model": "tess-6", "input": "My name is Ana."}
ASK: dict[str, Any] = {"model": "tess-6", "input": "What is my name?"}


def respond(driver: Driver, client: Any, *, stream: bool = False, **fields: Any) -> Any:
    """Ask for a response, whole or by a stream; the whole response."""
    given = driver.run(client.responses.create(**fields, stream=stream))
    return driver.items(given)[-1].response if stream else given


def messages(driver: Driver) -> Any:
    """Return the messages that Tess got last."""
    request: Any = driver.simulator.calls[-1].json
    return request["messages"]


def test_a_response_is_continued(driver: Driver, *, stream: bool) -> None:
    """Input and output of all turns are sent, the instructions of earlier ones are not."""
    client = driver.client()
    first = respond(driver, client, **NAME, instructions="Be brief.", stream=stream)
    second = respond(driver, client, **ASK, previous_response_id=first.id, stream=stream)
    third = respond(driver, client, model="tess-6", input="Sure?", previous_response_id=second.id)
    assert third.previous_response_id == second.id
    assert messages(driver) == [
        {"role": "user", "content": "My name is Ana."},
        {"role": "assistant", "content": first.output_text},
        {"role": "user", "content": "What is my name?"},
        {"role": "assistant", "content": second.output_text},
        {"role": "user", "content": "Sure?"},
    ]


def test_outputs_of_calls_are_paired_with_the_calls_of_the_previous_response(driver: Driver) -> None:
    """LangChain and others send only what is new in a tool loop."""
    client = driver.client(unsupported="ignore")
    call = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 1}'}
    first = respond(driver, client, model="tess-6", input=[{"role": "user", "content": "Add."}, call])
    output = {"type": "function_call_output", "call_id": "call_1", "output": "2"}
    respond(driver, client, model="tess-6", input=[output], previous_response_id=first.id)
    text = "\n".join(message["content"] for message in messages(driver))
    assert "[Called the tool add (call_1)" in text
    assert "[Result of the tool" in text


@pytest.mark.parametrize("how", ["unknown", "not stored", "deleted", "another client", "another key"])
def test_what_is_not_kept_cannot_be_continued(driver: Driver, how: str) -> None:
    """400 with OpenAI's code, which names the causes and the remedy; nothing is sent."""
    store = MemoryResponseStore()
    client = driver.client(responses_store=store)
    first = respond(driver, client, **NAME, store=how != "not stored")
    if how == "deleted":
        driver.run(client.responses.delete(first.id))
    if how == "another client":
        client = driver.client()
    if how == "another key":
        client = driver.client(responses_store=store, api_key="7|" + "k" * 48)
    sent = len(driver.simulator.requests)
    previous = "resp_0000" if how == "unknown" else first.id
    with pytest.raises(openai.BadRequestError, match=r"restart.*responses_store=") as caught:
        respond(driver, client, **ASK, previous_response_id=previous)
    assert (caught.value.code, caught.value.param) == (
        "previous_response_not_found",
        "previous_response_id",
    )
    assert len(driver.simulator.requests) == sent


def test_a_file_is_shared_by_clients(driver: Driver, tmp_path: Path) -> None:
    """Each with a store of its own on the same file, as in two processes."""
    file = tmp_path / "responses.sqlite"
    stores = SQLiteResponseStore(file), SQLiteResponseStore(file)
    first = respond(driver, driver.client(responses_store=stores[0]), **NAME)
    respond(driver, driver.client(responses_store=stores[1]), **ASK, previous_response_id=first.id)
    assert messages(driver)[0]["content"] == "My name is Ana."
    for store in stores:
        store.close()


class BrokenStore:
    """Fails at everything."""

    def load(self, key: str) -> bytes | None:
        """Fail."""
        raise OSError(f"no {key}")

    def save(self, key: str, value: bytes) -> None:
        """Fail."""
        raise OSError(f"no {key} {value!r}")

    def delete(self, key: str) -> None:
        """Fail."""
        raise OSError(f"no {key}")


def test_a_store_that_fails_keeps_every_answer(driver: Driver, *, stream: bool) -> None:
    """The answer comes, says that it is not stored, and a warning says why."""
    client = driver.client(responses_store=BrokenStore())
    with pytest.warns(TessAnswerWarning, match="store of responses failed with OSError"):
        response = respond(driver, client, **NAME, stream=stream)
    assert response.output_text.endswith("received: My name is Ana.")
    assert response.store is False
    assert [change.param for change in changes_of(response)] == ["store"]
    with pytest.raises(openai.InternalServerError) as caught:
        respond(driver, client, **ASK, previous_response_id=response.id)
    assert caught.value.code == "responses_store_failed"
    assert "no " not in str(caught.value).replace("Nothing", "")


class AsyncStore(BrokenStore):
    """Has a method that only an event loop can run."""

    async def save(self, key: str, value: bytes) -> None:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] - the mistake under test
        """Do nothing."""


def test_a_store_with_async_methods_is_refused(driver: Driver) -> None:
    """They would never run: no response would be stored, and nothing would say so."""
    with pytest.raises(TessConfigurationError, match=r"responses_store.*methods must not be async"):
        driver.client(responses_store=AsyncStore())


class ForeignStore(BrokenStore):
    """Returns what it was not given."""

    def load(self, key: str) -> Any:
        """Return an object that is no entry."""
        return {"response": {"id": key}}


def test_a_store_that_returns_something_else_is_named(driver: Driver) -> None:
    """The error is that of a store, not one of the adapter."""
    client = driver.client(responses_store=ForeignStore())
    with pytest.raises(openai.InternalServerError, match=r"a load\(\) that returned dict") as caught:
        respond(driver, client, **ASK, previous_response_id="resp_1")
    assert caught.value.code == "responses_store_failed"
    assert driver.simulator.calls == []


def test_a_response_is_retrieved_and_deleted(driver: Driver) -> None:
    """It is returned as it was made; after the deletion it is not found."""
    client = driver.client()
    made = respond(driver, client, **NAME)
    found = driver.run(client.responses.retrieve(made.id))
    assert found.model_dump() == made.model_dump()
    driver.run(client.responses.delete(made.id))
    with pytest.raises(openai.NotFoundError, match="no response with this id"):
        driver.run(client.responses.retrieve(made.id))


def test_input_items_are_listed_in_pages(driver: Driver) -> None:
    """All that was before the output, the newest first, each with an id."""
    client = driver.client()
    first = respond(driver, client, **NAME)
    second = respond(driver, client, **ASK, previous_response_id=first.id)
    items = driver.items(client.responses.input_items.list(second.id, limit=2))
    assert [item.content[0].text for item in items] == [
        "What is my name?",
        first.output_text,
        "My name is Ana.",
    ]
    assert len({item.id for item in items}) == 3
    ascending = driver.items(client.responses.input_items.list(second.id, order="asc"))
    assert [item.id for item in ascending] == [item.id for item in reversed(items)]


def test_an_item_is_referred_to(driver: Driver) -> None:
    """Its id is enough, even without `previous_response_id`."""
    client = driver.client()
    first = respond(driver, client, **NAME)
    reference = {"type": "item_reference", "id": first.output[0].id}
    respond(driver, client, model="tess-6", input=[reference, {"role": "user", "content": "Go on."}])
    assert messages(driver)[0] == {"role": "assistant", "content": first.output_text}
    with pytest.raises(openai.NotFoundError, match="not found"):
        respond(driver, client, model="tess-6", input=[{"type": "item_reference", "id": "msg_7"}])


def test_a_background_response_is_complete_at_once(driver: Driver) -> None:
    """It is waited for, so a program that polls it ends at the first look; one that cancels gets it."""
    client = driver.client(unsupported="ignore")
    if not hasattr(client.responses, "cancel"):
        pytest.skip("this SDK cannot cancel a response")
    made = respond(driver, client, **NAME, extra_body={"background": True})
    assert (made.status, made.background) == ("completed", False)
    assert driver.run(client.responses.cancel(made.id)).output_text == made.output_text
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        driver.run(client.responses.cancel(respond(driver, client, **NAME).id))


def input_tokens(client: Any) -> Callable[..., Any]:
    """Return the method that counts, or skip: older SDKs have none."""
    resource = getattr(client.responses, "input_tokens", None)
    if resource is None:
        pytest.skip("this SDK does not count input tokens")
    count: Callable[..., Any] = resource.count
    return count


def test_input_tokens_are_estimated(driver: Driver) -> None:
    """Nothing is sent, and the result is marked as an estimate."""
    client = driver.client(unsupported="error")
    counted = driver.run(input_tokens(client)(model="tess-6", input="hello" * 100))
    assert 100 < counted.input_tokens < 150
    assert counted.estimated is True
    assert driver.simulator.requests == []
