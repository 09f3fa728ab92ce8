"""The models that a program lists, and the names by which a call chooses its agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import (
    TessConfigurationError,
)
from tess_openai.core.probe_profile import TessProfile
from tess_openai.testing import SimulatedAgent

if TYPE_CHECKING:
    from tests.wire.conftest import Driver, Relay
from tests.wire.agent_requests import requests

MODELS = ["tess-6", "tess-5", "gpt-4o", "gpt-4o-mini", "claude-4.5-haiku", "gemini-2.5-flash"]


class TestModels:
    def test_the_models_are_the_agents(self, driver: Driver) -> None:
        """They have OpenAI's shape, and take one look-up."""
        client = driver.client()
        models = driver.items(client.models.list())
        assert [model.id for model in models] == MODELS
        assert {(model.object, model.owned_by) for model in models} == {("model", "tess")}
        assert driver.run(client.models.retrieve("gpt-4o")).id == "gpt-4o"
        assert requests(driver.simulator) == ["GET /agents/42"]

    def test_an_unknown_model_is_not_found(self, driver: Driver) -> None:
        """The error is OpenAI's, with the most similar name."""
        with pytest.raises(openai.NotFoundError, match="Did you mean 'gpt-4o'") as caught:
            driver.run(driver.client().models.retrieve("gpt-4"))
        assert caught.value.code == "model_not_found"

    def test_all_that_a_call_may_name_is_listed(self, driver: Driver) -> None:
        """Aliases and names of agents; an agent with a fixed model by its number."""
        client = driver.client(43, models={"gpt-4": None, "*": None}, agents={"support": 44})
        names = [model.id for model in driver.items(client.models.list())]
        assert names == ["agent:43", "gpt-4", "support"]
        for name in names:
            assert driver.run(client.models.retrieve(name)).id == name
            assert driver.text(client, model=name)

    def test_what_names_another_agent_is_found_too(self, driver: Driver) -> None:
        """A call may name it; a list of all models of all agents would be endless."""
        client = driver.client(agents={"support": 44})
        for name in ("agent:42", "agent:44", "agent:44/gpt-4o", "support/tess-5", "agent:simulated-agent-43"):
            assert driver.run(client.models.retrieve(name)).id == name
        for name, words in (
            ("support/gpt-4", "Agent 44 has no such model"),
            ("agent:999", "not found"),
            ("agent:unknown", "names no agent"),
        ):
            with pytest.raises(openai.NotFoundError, match=words):
                driver.run(client.models.retrieve(name))

    def test_a_failed_look_up_fails_the_list(self, driver: Driver) -> None:
        """Made-up models would be worse."""
        with pytest.raises(openai.NotFoundError):
            driver.items(driver.client(999).models.list())


class TestNamingAgents:
    def test_a_slug_is_resolved_once(self, driver: Driver, *, stream: bool) -> None:
        """Its number is found in the list of agents."""
        client = driver.client("simulated-agent-42")
        assert [driver.text(client, stream=stream) for _ in range(2)] == [driver.answer] * 2
        chat = "POST /agents/42 chat"
        assert requests(driver.simulator) == ["GET /agents", chat, chat]

    def test_an_unknown_slug_is_not_found(self, driver: Driver) -> None:
        """Nothing is sent to a wrong agent."""
        error = driver.fails(driver.client("no-such-agent"))
        assert isinstance(error, openai.NotFoundError)
        assert error.code == "agent_not_found"
        assert requests(driver.simulator) == ["GET /agents"]

    def test_the_model_names_the_agent(self, driver: Driver, *, stream: bool) -> None:
        """It may be a number, name or slug, with a model or without one."""
        client = driver.client(agents={"support": 44, "slug": "simulated-agent-43"})
        for model, received in [
            ("agent:44", "Agent 44 (model tess-6"),
            ("agent:44/gpt-4o", "Agent 44 (model gpt-4o"),
            ("support", "Agent 44 (model tess-6"),
            ("support/tess-5", "Agent 44 (model tess-5"),
            ("slug", "Agent 43 (model tess-ai-3"),
            ("tess-6", "Agent 42 (model tess-6"),
        ]:
            assert driver.text(client, stream=stream, model=model).startswith(received)

    def test_each_agent_keeps_its_own_options(self, driver: Driver) -> None:
        """44 has temperatures 0 and 1, 42 the documented five."""
        client = driver.client(agent="fetch", unsupported="ignore")
        assert "temperature 0.25" in driver.text(client, temperature=0.3)
        assert "temperature 0," in driver.text(client, model="agent:44", temperature=0.3)

    @pytest.mark.parametrize("own", [42, "simulated-agent-42"], ids=["by number", "by slug"])
    def test_what_a_probe_proved_of_one_agent_holds_for_no_other(
        self, driver: Driver, own: int | str, *, stream: bool
    ) -> None:
        """A call that names another agent is translated as without a profile."""
        answers: dict[str, Any] = {"temperature.between": "accepted", "root_id": "refused"}
        profile = TessProfile(agent_id=42, made="2026-11-23", answers=answers)
        client = driver.client(own, profile=profile, unsupported="ignore", agents={"other": 43})
        assert (
            driver.fails(client, stream=stream, temperature=0.9).code == "validation_failed"
        )  # it went as it is
        for model in ("tess-6", "agent:42"):
            error = driver.fails(client, stream=stream, model=model, extra_body={"root_id": 7})
            assert error.code == "proven_refused"
        for model in ("agent:44", "other", "agent:simulated-agent-44"):
            fields: dict[str, Any] = {"model": model, "temperature": 0.9, "extra_body": {"root_id": 7}}
            assert "temperature 1," in driver.text(client, stream=stream, **fields)

    def test_a_hundred_agents_cost_one_connection(self, driver: Driver, relay: Relay) -> None:
        """One client with one pool serves all of them."""
        driver.simulator.agents.update({number: SimulatedAgent.chat(number) for number in range(100, 200)})
        client = driver.client(base_url=relay.url)
        for number in range(100, 200):
            assert driver.text(client, model=f"agent:{number}").startswith(f"Agent {number} ")
        assert relay.connections == 1

    def test_an_extra_query_goes_along(self, driver: Driver) -> None:
        """The route changes, what the caller added does not."""
        driver.text(driver.client(), model="agent:44", extra_query={"a": "b"})
        assert driver.simulator.calls[0].target == "/agents/44/openai/chat/completions?a=b"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"agent": 42}, "agent is 42"),
        ({"agents": {"": 1}}, "empty name"),
        ({"agents": {"x": "no"}}, "agent_id is 'no'"),
        ({"models": {"x": ""}}, r"models\['x'\]"),
        ({"requests_per_second": 0}, "requests_per_second is 0"),
        ({"requests_per_second": True}, "requests_per_second is True"),
        ({"agent_id": "123e4567-e89b-12d3-a456-426614174000"}, "number"),
    ],
    ids=["no agent", "empty name", "no number", "empty model", "zero", "a boolean", "a UUID"],
)
def test_a_mistake_is_reported_at_the_factory(driver: Driver, options: dict[str, Any], words: str) -> None:
    """Nothing is sent."""
    with pytest.raises(TessConfigurationError, match=words):
        driver.client(**options)
