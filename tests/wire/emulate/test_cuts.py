"""`stop`, `max_tokens` and `n`: done by the adapter, seen as from OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import changes_of
from tess_openai.testing import Fault, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model


@pytest.mark.parametrize("chunking", [1, 2, 3, 5, "words"])
@pytest.mark.parametrize("stop", ["###", ["never", "###"]], ids=["one", "several"])
def test_a_stop_sequence_ends_the_answer(
    driver: Driver, client: Any, model: Model, *, stream: bool, chunking: Any, stop: Any
) -> None:
    """The stream may divide it anywhere; text that only begins like it is returned."""
    model.simulator.chunking = chunking
    model.simulator.script("one ## two ### three ###")
    (reply,) = model.asked(driver, client, stream=stream, stop=stop)
    assert (reply.content, reply.reason) == ("one ## two ", "stop")
    assert "stop" not in model.received[-1]


def test_the_connection_is_closed_early(driver: Driver, client: Any, model: Model) -> None:
    """What follows the stop sequence is not read, however long it is."""
    model.simulator.script(["one", " ### ", *["and so on "] * 200_000])
    chunks = driver.items(driver.ask(client, stop="###", stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one "
    (call,) = model.simulator.calls
    assert call.over.wait(10)
    assert call.closed_early


def test_the_answer_ends_at_max_tokens(driver: Driver, client: Any, model: Model, *, stream: bool) -> None:
    """About there, and it is reported; the model was asked to be short."""
    model.simulator.script("word " * 100)
    (reply,) = model.asked(driver, client, stream=stream, max_tokens=10)
    assert (reply.content, reply.reason) == (("word " * 8), "length")
    assert "below 10 tokens" in model.instructions
    model.simulator.script("word " * 3)
    (reply,) = model.asked(driver, client, stream=stream, max_completion_tokens=10)
    assert (reply.content, reply.reason) == ("word word word ", "stop")


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens", "n", "stop"])
@pytest.mark.parametrize("value", [-1, "many", 1.5, {}], ids=repr)
def test_what_is_no_limit_is_refused(
    driver: Driver, client: Any, model: Model, field: str, value: Any
) -> None:
    """OpenAI refuses it too, and nothing is sent; a string is a valid stop sequence."""
    if (field, value) == ("stop", "many"):
        assert driver.text(client, stop=value) == driver.answer
        return
    error = driver.fails(client, **{field: value})
    assert isinstance(error, openai.BadRequestError)
    assert (error.param, model.received) == (field, [])


class TestChoices:
    """`n` is that many calls."""

    def test_they_come_in_one_answer(
        self, driver: Driver, client: Any, model: Model, *, stream: bool
    ) -> None:
        """The choices are in order, each with its index, its own text and its own end."""
        model.simulator.script("one two", "three ### four", "five")
        reply = model.asked(driver, client, stream=stream, n=3, stop="###")
        assert [(each.content, each.reason) for each in reply] == [
            ("one two", "stop"),
            ("three ", "stop"),
            ("five", "stop"),
        ]
        assert all("n" not in body for body in model.received)

    def test_each_may_be_asked_for_again(
        self, driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool
    ) -> None:
        """Each choice has repairs of its own."""
        arguments = {"city": "Lisbon"}
        model.simulator.script(
            model.call("get_weather", arguments), model.call("x", {}), model.call("get_time", arguments)
        )
        reply = model.asked(driver, client, stream=stream, n=2, tools=tools)
        assert [each.calls for each in reply] == [[("get_weather", arguments)], [("get_time", arguments)]]

    def test_their_usage_is_the_sum(self, driver: Driver, client: Any) -> None:
        """Every prompt was paid for."""
        once = driver.ask(client, stop="###").usage
        thrice = driver.ask(client, n=3).usage
        assert thrice.prompt_tokens == 3 * once.prompt_tokens
        assert thrice.completion_tokens == 3 * once.completion_tokens
        chunks = driver.items(driver.ask(client, n=3, stream=True, stream_options={"include_usage": True}))
        assert chunks[-1].usage == thrice
        assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)

    def test_there_may_not_be_many(self, driver: Driver, client: Any, model: Model) -> None:
        """Each is paid for, so a slip of the pen is not obeyed."""
        error = driver.fails(client, n=17)
        assert (type(error), error.param, model.received) == (openai.BadRequestError, "n", [])
        assert "from 1 to 16" in str(error)

    def test_an_error_of_a_later_one_is_one(
        self, driver: Driver, client: Any, model: Model, *, stream: bool
    ) -> None:
        """A completion fails as a whole; in a stream, the first choices were already sent."""

        def then_fail(body: Any) -> str:
            model.simulator.fault(faults.rate_limited())
            return "one"

        model.simulator.script(then_fail)
        with pytest.raises(openai.APIError, match="Rate limit") as caught:
            model.asked(driver, client, stream=stream, n=2)
        assert isinstance(caught.value, openai.RateLimitError) is not stream

    @pytest.mark.parametrize("fault", [faults.rate_limited(), faults.server_error()], ids=["429", "500"])
    def test_what_was_paid_for_is_not_asked_for_again(
        self, driver: Driver, model: Model, fault: Fault
    ) -> None:
        """The SDK retries a call that has cost nothing yet, and no other; the ledger says what was asked."""
        client = driver.client(emulate=True, max_retries=2)

        def then_fail(_: Any) -> str:
            model.simulator.fault(fault)
            return "two"

        model.simulator.script("one", then_fail, "three", "four", "five")
        error = driver.fails(client, n=3)
        assert isinstance(error, openai.APIStatusError)
        assert error.response.headers["x-should-retry"] == "false"
        assert "3 paid calls" in error.response.headers["x-tess-openai"]
        assert len(model.received) == 3

    def test_the_ledger_states_what_it_costs(self, driver: Driver, client: Any) -> None:
        """It gives the number of paid calls."""
        (change,) = changes_of(driver.ask(client, n=3))
        assert (change.action, change.param, change.given, change.sent) == (
            "emulated",
            "n",
            "3",
            "3 paid calls",
        )
