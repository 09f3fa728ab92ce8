"""Choices of the agent's own tools beside emulated functions, and errors that list what an agent offers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tess_openai.core.agents import Agent, Question
from tess_openai.core.calls import AgentNotFound, Answer, Call, Event, Incoming, Lookup, Outgoing, ReadAll
from tess_openai.core.chat.context import to_completion_answer
from tess_openai.core.chat.tools import to_tools
from tess_openai.core.chat_call import chat_completion
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tests.unit.chat.tool_requests import FUNCTION, JSON, SEARCH

AGENT_DECIDES = "the agent itself decides whether it uses its tool"


@pytest.mark.parametrize(
    "choice",
    [
        SEARCH,
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION, SEARCH]}},
    ],
    ids=["a hosted tool", "one of several"],
)
@pytest.mark.parametrize("action", ["warn", "forward"])
def test_a_choice_of_the_agents_tool_is_reported_beside_emulated_functions(choice: JSON, action: Any) -> None:
    """The functions are emulated still, and the choice is sent where the policy says so."""
    ledger = Ledger(Policy("warn", {"tools": "emulate", "tool_choice": action}))
    options = Options(policy=ledger.policy)
    tools = to_tools({"tools": [FUNCTION, SEARCH], "tool_choice": choice}, options, ledger)
    (change,) = [each for each in ledger.changes if each.param == "tool_choice"]
    assert (tools.tool, tools.emulate) == ("internet", True)
    assert tools.kept == (frozenset({"tool_choice"}) if action == "forward" else frozenset())
    assert change.action == ("forwarded" if action == "forward" else "stripped")
    if action == "warn":
        assert change.why == AGENT_DECIDES
    assert choice["type"] in change.given


@pytest.mark.parametrize(
    "choice",
    [
        "auto",
        "required",
        {"type": "function", "function": {"name": "get_weather"}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [SEARCH]}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}},
    ],
)
def test_a_choice_that_requires_no_tool_of_the_agent_is_not_reported(choice: object) -> None:
    """Emulation itself follows it."""
    ledger = Ledger(Policy("warn", {"tools": "emulate"}))
    options = Options(policy=ledger.policy)
    tools = to_tools({"tools": [FUNCTION, SEARCH], "tool_choice": choice}, options, ledger)
    assert tools.emulate
    assert [each for each in ledger.changes if each.param == "tool_choice"] == []


def test_settings_of_a_search_are_reported() -> None:
    """Tess takes the name of the tool only; the change shows the settings without their values."""
    given = {"web_search_options": {"search_context_size": "high"}}
    ledger = Ledger(Policy("warn"))
    assert to_tools(given, Options(), ledger).tool == "internet"
    (change,) = [each for each in ledger.changes if each.action == "stripped"]
    assert change.param == "web_search_options"
    assert change.given == "an object with 1 key"
    assert change.why == "Tess takes a tool's name only, so the tool runs with the agent's settings"


@pytest.mark.parametrize("parsed", [False, True])
@pytest.mark.parametrize("has_changes", [False, True])
def test_a_whole_answer_and_its_parsed_fields_are_equal(*, parsed: bool, has_changes: bool) -> None:
    """The ledger is added to both, so that a translator of the answer reads what the caller would read."""
    ledger = Ledger(Policy("warn"))
    if has_changes:
        ledger.mapped("model", "a", "b", "models= maps it")
    body = b'{"id": "a", "choices": []}'
    answer = to_completion_answer(ledger, body, json.loads(body) if parsed else None)
    assert answer.status == 200
    assert answer.base == ("incoming" if has_changes else "as read")
    assert ("tess_openai" in json.loads(answer.body or b"")) is has_changes
    assert answer.fields == (json.loads(answer.body or b"") if parsed else None)


OWN = Agent(
    id=42,
    questions=(
        Question(name="model", options=("tess-6", "tess-7")),
        Question(name="temperature", options=("0", "0.5")),
    ),
)
NOT_FOUND = AgentNotFound(Answer(404, {}, b"{}"), "why")


def failed(
    status: int, body: JSON, agent: Agent | AgentNotFound, *, in_url: str = "42"
) -> tuple[JSON, list[Lookup]]:
    """Return the error of a call that Tess refused, and the look-ups that were made for it."""
    request = json.dumps({"model": "tess-8", "messages": [{"role": "user", "content": "hello"}]}).encode()
    call = Call("POST", "/chat/completions", {}, request, 0, lambda: 1, lambda: "1", agent=in_url)
    flow = chat_completion(call, Options(workspace_id="7001"))
    lookups: list[Lookup] = []
    envelope: JSON = {}
    event: Event = None
    while True:
        try:
            step = flow.send(event)
        except StopIteration:
            return envelope, lookups
        event = None
        if isinstance(step, Outgoing):
            event = Incoming(status, {"content-type": "application/json"})
        elif isinstance(step, ReadAll):
            event = json.dumps(body).encode()
        elif isinstance(step, Lookup):
            lookups.append(step)
            event = agent
        else:
            assert isinstance(step, Answer)
            assert step.status == status
            envelope = json.loads(step.body or b"null")


REFUSED = {"message": "The given data was invalid.", "errors": {"model": ["The model is invalid."]}}


def test_an_error_about_a_model_lists_what_the_agent_offers() -> None:
    """The agent is looked up for the hint only, so that a failure of the look-up is not shown."""
    envelope, lookups = failed(422, REFUSED, OWN)
    assert [(each.agent, each.is_hint) for each in lookups] == [(42, True)]
    assert lookups[0].headers == {"x-workspace-id": "7001"}
    assert "Options of agent 42 for model: tess-6, tess-7." in envelope["error"]["message"]
    assert "The model is invalid." in envelope["error"]["message"]


def test_an_error_is_shown_without_a_hint_when_the_look_up_fails() -> None:
    """The caller gets the error of the call."""
    envelope, lookups = failed(422, REFUSED, NOT_FOUND)
    assert len(lookups) == 1
    assert "The model is invalid." in envelope["error"]["message"]
    assert "Options of agent" not in envelope["error"]["message"]


def test_an_error_about_something_else_needs_no_look_up() -> None:
    """A further request would delay it."""
    assert failed(422, {"errors": {"messages": ["No."]}}, OWN)[1] == []
    assert failed(500, {"error": "The model failed."}, OWN)[1] == []


def test_a_404_of_a_call_is_about_its_agent() -> None:
    """The path of a chat names an agent, which may not exist."""
    assert failed(404, {"error": "Not found."}, OWN)[0]["error"]["code"] == "agent_not_found"


def test_settings_that_are_forwarded_stay_beside_emulated_functions() -> None:
    """The policy of one parameter does not depend on that of another."""
    ledger = Ledger(Policy("warn", {"tools": "emulate", "web_search_options": "forward"}))
    given = {"tools": [FUNCTION], "web_search_options": {"search_context_size": "high"}}
    tools = to_tools(given, Options(policy=ledger.policy), ledger)
    assert (tools.tool, tools.emulate, tools.kept) == ("internet", True, frozenset({"web_search_options"}))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tool_choice": "required"}, "there are no tools to choose from"),
        (
            {"tools": "internet", "tool_choice": "required"},
            "the agent itself decides whether it uses its tool",
        ),
        ({"tools": "internet", "tool_choice": "none"}, "the agent itself decides whether it uses its tool"),
    ],
)
def test_a_choice_that_cannot_be_required_gives_the_reason(given: JSON, reason: str) -> None:
    """The change shows the choice."""
    ledger = Ledger(Policy("warn"))
    to_tools(given, Options(), ledger)
    (change,) = [each for each in ledger.changes if each.param == "tool_choice"]
    assert given["tool_choice"] in change.given
    assert change.why == reason
