"""Repairs: an emulated answer that cannot be used is asked for again, through the real SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import changes_of
from tess_openai.testing import faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model

LISBON = {"city": "Lisbon"}


class TestAskingAgain:
    """What cannot be used is asked for again, a paid call each, and reported."""

    def test_a_bad_call_is_repaired(
        self, driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool
    ) -> None:
        """The prose before it was written already; what the model says instead is not."""
        bad = model.call("get_weather", {"town": "Lisbon"}, before="Let me look. ")
        model.simulator.script(bad, model.call("get_weather", LISBON, before="Sorry! "))
        (reply,) = model.asked(driver, client, stream=stream, tools=tools)
        assert reply.calls == [("get_weather", LISBON)]
        assert (reply.content or "").strip() == "Let me look."
        first, repair = (body["messages"] for body in model.received)
        assert [message["role"] for message in repair] == ["system", "user"]
        assert repair[0] == first[0]
        assert repair[1]["content"].startswith(first[1]["content"])
        assert "'city' is a required property" in repair[1]["content"]

    def test_it_is_reported_and_counted(
        self, driver: Driver, client: Any, model: Model, tools: list[Any]
    ) -> None:
        """The ledger has the further call, and the usage both."""
        model.simulator.script(model.call("get_weather", LISBON))
        once = driver.ask(client, tools=tools)
        model.simulator.script(model.call("get_moon", LISBON), model.call("get_weather", LISBON))
        twice = driver.ask(client, tools=tools)
        assert [change.action for change in changes_of(twice)] == ["emulated", "asked again"]
        assert twice.usage.prompt_tokens > 2 * once.usage.prompt_tokens
        assert twice.usage.completion_tokens > once.usage.completion_tokens

    @pytest.mark.parametrize(("repairs", "calls"), [(0, 1), (1, 2), (3, 4)])
    def test_only_so_often(
        self, driver: Driver, model: Model, tools: list[Any], *, stream: bool, repairs: int, calls: int
    ) -> None:
        """When no repair is left, a call of an unknown function is an error, neither a guess nor text."""
        client = driver.client(emulate=True, max_repairs=repairs)
        model.simulator.script(*(model.call("get_moon", {"number": number}) for number in range(5)))
        with pytest.raises(openai.APIError) as refusal:
            model.asked(driver, client, stream=stream, tools=tools)
        assert refusal.value.code == "function_call_invalid"
        assert len(model.received) == calls

    def test_an_answer_that_was_given_before_ends_the_repairs(
        self, driver: Driver, model: Model, tools: list[Any], *, stream: bool
    ) -> None:
        """The model would go on repeating itself, and each repair is paid for."""
        client = driver.client(emulate=True, max_repairs=9)
        moon, sun = model.call("get_moon", LISBON), model.call("get_sun", LISBON)
        model.simulator.script(moon, sun, sun)
        with pytest.raises(openai.APIError):
            model.asked(driver, client, stream=stream, tools=tools)
        assert len(model.received) == 3

    def test_a_call_may_have_its_own_number(
        self, driver: Driver, client: Any, model: Model, tools: list[Any]
    ) -> None:
        """`extra_body` sets the number of repairs for a call, like its policy."""
        model.simulator.script(*[model.call("get_moon", LISBON)] * 2)
        driver.fails(client, tools=tools, extra_body={"tess_openai": {"max_repairs": 0}})
        assert len(model.received) == 1

    def test_an_error_of_the_further_call_is_one(
        self, driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool
    ) -> None:
        """It is passed on unchanged as long as no text was delivered."""
        model.simulator.script(_then_fail(model, ""))
        with pytest.raises(openai.RateLimitError) as caught:
            model.asked(driver, client, stream=stream, tools=tools)
        assert [change.action for change in changes_of(caught.value)] == ["emulated", "asked again"]

    def test_an_error_after_prose_is_in_the_stream(
        self, driver: Driver, client: Any, model: Model, tools: list[Any]
    ) -> None:
        """The caller has the prose, and then the error: never a finish that was none."""
        seen: list[Any] = []
        model.simulator.script(_then_fail(model, "Let me look. "))
        stream = driver.ask(client, tools=tools, stream=True)
        with pytest.raises(openai.APIError, match="Rate limit"):
            seen += iter(lambda: driver.next(stream), None)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in seen) == "Let me look."
        assert all(chunk.choices[0].finish_reason is None for chunk in seen)


def _then_fail(model: Model, before: str) -> Any:
    """Return a script that makes a bad call and lets the call after it fail."""

    def say(body: Any) -> str:
        model.simulator.fault(faults.rate_limited())
        return model.call("get_moon", LISBON, before=before)(body)

    return say
