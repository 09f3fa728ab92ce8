"""Agents over the wire: looked up, held against, named by slug and by model, listed as models."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import (
    Agent,
    TessConfigurationError,
    async_get_agent,
    async_list_agents,
    changes_of,
    get_agent,
    list_agents,
)
from tess_openai.testing import Fault, SimulatedAgent, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
from tests.wire.agent_requests import requests

QUESTION = {"messages": [{"role": "user", "content": "hello"}]}


def look_up(driver: Driver, *given: Any, **options: Any) -> Agent:
    """Look an agent up by the function of the driver's kind."""
    found: Agent = driver.run((async_get_agent if driver.is_async else get_agent)(*given, **options))
    return found


def listed(driver: Driver, **options: Any) -> list[int]:
    """Return the numbers of all agents."""
    agents = (async_list_agents if driver.is_async else list_agents)(**options)
    return [agent.id for agent in driver.items(agents)]


def refusing(driver: Driver, family: str, seen: list[Any], on_look: Exception | Callable[[], None]) -> Any:
    """Make a transport of a user's that refuses every model; then, or at a look-up, more goes wrong."""
    library: Any = importlib.import_module(family)

    def answer(request: Any) -> Any:
        seen.append(request)
        if request.method == "GET" and isinstance(on_look, Exception):
            raise on_look
        if callable(on_look):
            on_look()
        return library.Response(422, json={"message": "The selected model is invalid."})

    class Refusing(library.BaseTransport):  # type: ignore[misc] # its base is loaded by name
        def handle_request(self, request: Any) -> Any:
            return answer(request)

    class AsyncRefusing(library.AsyncBaseTransport):  # type: ignore[misc] # its base is loaded by name
        async def handle_async_request(self, request: Any) -> Any:
            return answer(request)

    return AsyncRefusing() if driver.is_async else Refusing()


class TestLookingAtAgents:
    def test_an_agent_is_looked_up_by_number_slug_or_url(self, driver: Driver) -> None:
        """Each gives the same agent."""
        by_number = look_up(driver, 44, **driver.connection)
        assert (by_number.id, by_number.temperatures) == (44, ("0", "1"))
        assert look_up(driver, "simulated-agent-44", **driver.connection) == by_number
        assert look_up(driver, f"{driver.simulator.base_url}/agents/44", **driver.connection) == by_number

    def test_a_client_lends_its_connections(self, driver: Driver) -> None:
        """Its agent is the default too, unless another is named."""
        client = driver.client(42)
        assert look_up(driver, client=client).id == 42
        assert look_up(driver, 48, client=client).required[0].name == "audience"
        assert 43 in listed(driver, client=client)
        assert driver.text(client) == driver.answer

    def test_the_list_does_not_mind_an_agent_that_is_named(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The base URL, the environment or `agent=` may name one."""
        url = f"{driver.simulator.base_url}/agents/44/openai"
        assert 42 in listed(driver, **{**driver.connection, "base_url": url})
        assert 42 in listed(driver, **driver.connection, agent=Agent(id=44))
        monkeypatch.setenv("TESS_BASE_URL", url)
        assert 42 in listed(driver, **{**driver.connection, "base_url": None})

    def test_the_list_is_read_to_its_last_page(self, driver: Driver) -> None:
        """A hundred agents a page."""
        agents = [SimulatedAgent.chat(number) for number in range(1, 251)]
        with TessSimulator(agents=agents) as simulator, simulator.serve() as server:
            connection = {**driver.connection, "base_url": server.base_url}
            assert listed(driver, **connection) == list(range(1, 251))
            assert len(simulator.requests) == 3

    def test_the_list_is_filtered_by_tess(self, driver: Driver) -> None:
        """The words and the type are sent to Tess."""
        assert listed(driver, type="image", **driver.connection) == [47]
        assert listed(driver, q="fixed model", **driver.connection) == [43]

    def test_what_fails_fails_as_a_chat_does(self, driver: Driver) -> None:
        """The exceptions, codes and hints are the same."""
        with pytest.raises(openai.NotFoundError) as absent:
            look_up(driver, 999, **driver.connection)
        assert absent.value.code == "agent_not_found"
        with pytest.raises(openai.NotFoundError, match="Did you mean 'simulated-agent-42'"):
            look_up(driver, "simulated-agent-422", **driver.connection)
        with pytest.raises(openai.AuthenticationError):
            look_up(driver, 42, **{**driver.connection, "api_key": "1|wrong"})
        driver.simulator.fault(faults.login_page(), on="any")
        with pytest.raises(openai.InternalServerError, match="HTML"):
            look_up(driver, 42, client=driver.client())

    def test_json_that_is_no_agent_is_no_agent(self, driver: Driver) -> None:
        """It must not look like one without options."""
        driver.simulator.fault(faults.answers(200, {"ok": True}), on="any")
        with pytest.raises(openai.InternalServerError, match="not an agent"):
            look_up(driver, 42, client=driver.client())

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (faults.login_page(), "not_an_answer"),
            (faults.error_in_200(), "error_in_200"),
            (faults.answers(200, {"message": "Unauthenticated."}), "error_in_200"),
            (faults.answers(200, {"ok": True}), "not_an_answer"),
            (faults.empty_answer(), "empty_answer"),
        ],
        ids=["a page", "an error", "a message", "another JSON", "nothing"],
    )
    def test_what_is_no_list_is_not_an_empty_one(self, driver: Driver, fault: Fault, code: str) -> None:
        """It is an error for a program that lists agents, and for the look-up of a slug."""
        client, by_slug = driver.client(), driver.client("simulated-agent-42")
        driver.simulator.fault(fault, times=2, on="any")
        with pytest.raises(openai.InternalServerError) as caught:
            listed(driver, client=client)
        assert caught.value.code == code
        error = driver.fails(by_slug)
        assert (getattr(error, "status_code", None), error.code) == (502, code)

    @pytest.mark.parametrize(
        ("pages", "numbers"),
        [
            ([[{"id": 1}]], [1]),
            ([{"data": [{"id": n}], "meta": {"last_page": 2}} for n in (1, 2)], [1, 2]),
            ([{"data": [{"id": n}], "last_page": "2"} for n in (1, 2)], [1, 2]),
            ([{"data": [{"id": n}], "last_page": 3} for n in ("?", 2, 3)], [2, 3]),
            ([{"data": [{"id": 1}], "last_page": 3}, {"data": [], "last_page": 3}], [1]),
        ],
        ids=["a bare list", "last_page in meta", "last_page as text", "none readable", "none left"],
    )
    def test_a_list_is_read_in_every_form(
        self, driver: Driver, pages: list[object], numbers: list[int]
    ) -> None:
        """The look-up of a slug accepts the same forms."""
        for page in pages:
            driver.simulator.fault(faults.answers(200, page), on="any")
        assert listed(driver, client=driver.client()) == numbers
        assert requests(driver.simulator) == ["GET /agents"] * len(pages)

    def test_a_client_has_options_already(self, driver: Driver) -> None:
        """Others beside it would not be used."""
        client = driver.client()
        with pytest.raises(TessConfigurationError, match="workspace_id"):
            look_up(driver, 42, client=client, workspace_id=99)
        with pytest.raises(TessConfigurationError, match="base_url, workspace_id"):
            listed(driver, client=client, workspace_id=99, base_url="https://api.tess.im")

    def test_a_foreign_client_is_refused(self, driver: Driver) -> None:
        """Its key and address are another service's."""
        make = openai.AsyncOpenAI if driver.is_async else openai.OpenAI
        foreign = make(api_key="x", base_url="http://127.0.0.1:9/v1")
        with pytest.raises(TessConfigurationError, match="create_client"):
            look_up(driver, client=foreign)
        driver.run(foreign.close())


class TestHoldingCallsAgainstTheirAgent:
    def test_a_given_agent_needs_no_look_up(self, driver: Driver) -> None:
        """Calls are validated against it, and refused before anything is sent."""
        agent = look_up(driver, 44, **driver.connection)
        client = driver.client(None, agent=agent, unsupported="ignore")
        before = len(driver.simulator.requests)
        error = driver.fails(client, model="gpt-4")
        assert isinstance(error, openai.NotFoundError)
        assert error.code == "model_not_found"
        assert error.param == "model"
        assert "gpt-4o" in str(error)
        assert len(driver.simulator.requests) == before
        assert "temperature 0," in driver.text(client, temperature=0.4)

    def test_fifty_first_calls_make_one_look_up(self, driver: Driver) -> None:
        """This holds for threads and for tasks, and later calls make none."""
        client = driver.client(agent="fetch")
        assert driver.ask_at_once(client, 50) == [driver.answer] * 50
        driver.text(client)
        assert requests(driver.simulator).count("GET /agents/42") == 1

    def test_streams_are_held_against_the_agent_too(self, driver: Driver, *, stream: bool) -> None:
        """A call is validated in the same way for a stream and for a whole answer."""
        client = driver.client(48, agent="fetch")
        error = driver.fails(client, stream=stream)
        assert isinstance(error, openai.BadRequestError)
        assert error.code == "missing_required_parameter"
        assert "audience (text)" in str(error)
        assert driver.text(client, stream=stream, extra_body={"audience": "all"})
        assert requests(driver.simulator) == ["GET /agents/48", "POST /agents/48 chat"]

    def test_a_failed_look_up_lets_the_call_go_on(self, driver: Driver) -> None:
        """The call has a warning, and the next call does not look up again at once."""
        client = driver.client(agent="fetch")
        driver.simulator.fault(faults.server_error(), on="any")
        with pytest.warns(UserWarning, match="look-up of agent 42 failed with status 500"):
            completion = driver.ask(client)
        assert [change.param for change in changes_of(completion)] == ["agent"]
        with pytest.warns(UserWarning, match="look-up"):
            driver.ask(client)
        assert requests(driver.simulator).count("GET /agents/42") == 1

    def test_a_look_up_refused_for_its_rate_is_the_calls_refusal(self, driver: Driver) -> None:
        """The SDK waits, and the next attempt looks up again."""
        client = driver.client(agent="fetch", max_retries=1)
        driver.simulator.fault(faults.rate_limited(retry_after_seconds=0.1), on="any")
        assert driver.text(client) == driver.answer
        assert requests(driver.simulator) == ["GET /agents/42", "GET /agents/42", "POST /agents/42 chat"]

    def test_a_broken_look_up_lets_the_call_go_on(self, driver: Driver) -> None:
        """The connection breaks in the look-up only."""
        client = driver.client(agent="fetch")
        tries = 2 if driver.is_async and driver.http_client_kind == "aiohttp" else 1  # it tries a GET again
        driver.simulator.fault(faults.dropped_connection(), times=tries, on="any")
        with pytest.warns(UserWarning, match="look-up of agent 42 failed"):
            assert driver.text(client) == driver.answer


class TestAfterARefusal:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"model": "gpt-4"}, ["tess-6, tess-5, gpt-4o", "'gpt-4o'?"]),
            ({"extra_body": {"tools": "wiki"}}, ["no-tools, internet, twitter"]),
            ({"temperature": 0.3}, ["0, 0.25, 0.5, 0.75, 1"]),
        ],
        ids=["model", "tools", "temperature"],
    )
    def test_the_error_lists_what_the_agent_offers(
        self, driver: Driver, fields: dict[str, Any], words: list[str], *, stream: bool
    ) -> None:
        """It takes one cached look-up, and the chat is not sent again."""
        client = driver.client(temperatures=None)
        for _ in range(2):
            error = driver.fails(client, stream=stream, **fields)
            assert isinstance(error, openai.UnprocessableEntityError)
            assert "is invalid" in str(error)
            shown = str(error).replace("\\'", "'")  # openai 1 shows the body as a dictionary
            assert all(word in shown for word in words)
        chat = "POST /agents/42 chat"
        assert requests(driver.simulator) == [chat, "GET /agents/42", chat]

    def test_a_failed_look_up_hides_nothing(self, driver: Driver) -> None:
        """The first error comes as it is."""
        client = driver.client()
        driver.simulator.fault(faults.server_error(), on="any")
        error = driver.fails(client, model="gpt-4")
        assert isinstance(error, openai.UnprocessableEntityError)
        assert "model is invalid" in str(error)
        assert requests(driver.simulator)[-1] == "GET /agents/42"

    def test_a_look_up_that_cannot_even_be_sent_hides_nothing(self, driver: Driver, family: str) -> None:
        """Whatever a user's own transport raises, the error of the chat is shown."""
        seen: list[Any] = []
        with driver.users_client(family, transport=refusing(driver, family, seen, OSError("disk"))) as theirs:
            error = driver.fails(driver.client(http_client=theirs), model="gpt-4")
        assert isinstance(error, openai.UnprocessableEntityError)
        assert "model is invalid" in str(error)
        assert [request.method for request in seen] == ["POST", "GET"]

    def test_the_error_does_not_wait_long_for_what_is_added(self, driver: Driver, family: str) -> None:
        """The look-up has five seconds for each step, or less where the call itself has."""
        seen: list[Any] = []
        with driver.users_client(family, transport=refusing(driver, family, seen, OSError("disk"))) as theirs:
            client = driver.client(http_client=theirs, timeout=600)
            driver.fails(client, model="gpt-4")
            driver.fails(client.with_options(timeout=3), model="gpt-4", extra_headers={"x-workspace-id": "9"})
        assert [set(request.extensions["timeout"].values()) for request in seen] == [{600}, {5}, {3}, {3}]

    def test_an_error_does_not_wait_while_the_key_is_held(self, driver: Driver, family: str) -> None:
        """A 429 of another call may pause the key; the next error of this kind looks up again."""
        seen: list[Any] = []
        key = f"77|held-after-a-refusal-{driver.is_async}-{family}"
        transport = refusing(driver, family, seen, lambda: pacer.pause(f"Bearer {key}", 30))
        with driver.users_client(family, transport=transport) as theirs:
            client = driver.client(http_client=theirs, api_key=key, requests_per_second=1000)
            pacer = client._client._transport.adapter.pacer
            error = driver.fails(client, model="gpt-4")
        assert isinstance(error, openai.UnprocessableEntityError)
        assert [request.method for request in seen] == ["POST"]

    @pytest.mark.parametrize(
        "fault",
        [faults.rate_limited(retry_after_seconds=1), faults.no_credits(status=422), faults.server_error()],
        ids=["rate", "credits", "server"],
    )
    def test_other_errors_cause_no_look_up(self, driver: Driver, fault: Any) -> None:
        """Above all not when the rate is the problem."""
        driver.fails(driver.client(), fault)
        assert requests(driver.simulator) == ["POST /agents/42 chat"]
