"""Calls of `/models`: the names that a call may pass as its model, and what its agent offers."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.agents import Agent, Question
from tess_openai.core.calls import AgentNotFound, Answer
from tess_openai.core.options import Options
from tests.unit.fetched import fetch


def agent(number: int, *models: str) -> Agent:
    """Return an agent with these models, or with a fixed one."""
    questions = [
        Question(name="temperature", options=("0", "0.5")),
        Question(name="tools", options=("internet", "none")),
    ]
    if models:
        questions.append(Question(name="model", options=models))
    return Agent(id=number, questions=tuple(questions))


OWN = agent(42, "tess-6", "tess-7")
OTHER = agent(9, "tess-9")
OFFERS = {"temperatures": ["0", "0.5"], "tools": ["internet", "none"]}


def shown(name: str, number: int | None = None) -> dict[str, Any]:
    """Return OpenAI's object for a name; with the offers of an agent where a number is given."""
    listed: dict[str, Any] = {"id": name, "object": "model", "created": 0, "owned_by": "tess"}
    return listed if number is None else {**listed, "tess": {"agent": number, **OFFERS}}


def test_the_list_has_every_name_once() -> None:
    """The agent's own models come first, then aliases and names of agents; `"*"` is no name."""
    options = Options(
        models={"gpt-4o": "tess-6", "tess-7": "tess-6", "*": None}, agent_names={"support": 9, "gpt-4o": 9}
    )
    fetched = fetch("GET", "/models", options=options, agents=[OWN])
    assert (fetched.answer.status, fetched.answer.base) == (200, "none")
    assert fetched.answer.headers == {"content-type": "application/json"}
    assert fetched.body == {
        "object": "list",
        "data": [shown("tess-6", 42), shown("tess-7", 42), shown("gpt-4o"), shown("support")],
    }
    assert (fetched.lookups, fetched.sent) == ([42], [])


def test_an_agent_with_a_fixed_model_lists_itself() -> None:
    """A call may pass that name, so that the agent chooses the model."""
    fetched = fetch("GET", "/models/", agents=[agent(42)])
    assert fetched.body["data"] == [shown("agent:42", 42)]


def test_an_agent_of_the_options_is_not_looked_up() -> None:
    """The client knows it already."""
    fetched = fetch("GET", "/models", options=Options(agents={42: OWN}))
    assert fetched.lookups == []
    assert [model["id"] for model in fetched.body["data"]] == ["tess-6", "tess-7"]


@pytest.mark.parametrize(
    ("path", "name", "number"),
    [
        ("/models/tess-6", "tess-6", 42),
        ("/models/gpt-4o", "gpt-4o", None),
        ("/models/my%20model", "my model", None),
        ("/models/support", "support", None),
    ],
)
def test_a_listed_name_is_shown(path: str, name: str, number: int | None) -> None:
    """An alias shows no offers, since the model that it means is listed too."""
    options = Options(models={"gpt-4o": "tess-6", "my model": None}, agent_names={"support": 9})
    fetched = fetch("GET", path, options=options, agents=[OWN])
    assert (fetched.answer.status, fetched.answer.base) == (200, "none")
    assert fetched.answer.headers == {"content-type": "application/json"}
    assert fetched.body == shown(name, number)
    assert fetched.lookups == [42]


@pytest.mark.parametrize(
    ("name", "number"),
    [("agent:9", None), ("agent:9/tess-9", 9), ("support/tess-9", 9)],
)
def test_a_name_of_another_agent_is_shown(name: str, number: int | None) -> None:
    """It works in a call too, although it is not listed."""
    options = Options(agent_names={"support": 9})
    fetched = fetch("GET", f"/models/{name}", options=options, agents=[OWN, OTHER])
    assert (fetched.answer.status, fetched.answer.base) == (200, "none")
    assert fetched.answer.headers == {"content-type": "application/json"}
    assert fetched.body == shown(name, number)
    assert fetched.lookups == [42, 9]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tess-8", ["Agent 42 has no such model.", "Did you mean 'tess-", "It offers: tess-6, tess-7."]),
        ("llama", ["Agent 42 has no such model. It offers: tess-6, tess-7."]),
        ("agent:9/tess-99", ["Agent 9 has no such model.", "It offers: tess-9."]),
        ("agent:unknown", ["names no agent"]),
    ],
)
def test_a_name_that_no_call_may_use_is_not_found(name: str, words: list[str]) -> None:
    """The message offers the names that a call may use."""
    fetched = fetch("GET", f"/models/{name}", agents=[OWN, OTHER])
    assert fetched.error == (404, "model_not_found", "model")
    for each in words:
        assert each in fetched.body["error"]["message"]


@pytest.mark.parametrize("path", ["/models", "/models/agent:9"])
def test_an_agent_that_was_not_found_is_the_error(path: str) -> None:
    """The caller gets the answer of the look-up."""
    answer = Answer(403, {}, b'{"error": {"code": "forbidden"}}', base="none")
    agents = [AgentNotFound(answer, "why")]
    fetched = fetch("GET", path, agents=[OWN, *agents] if "agent" in path else agents)
    assert fetched.answer is answer


@pytest.mark.parametrize("path", ["/models", "/models/", "/models/tess-6"])
def test_an_agent_is_looked_up_by_its_slug(path: str) -> None:
    """The URL may have either."""
    fetched = fetch("GET", path, agent="help-desk-1", agents=[OWN])
    assert fetched.lookups == ["help-desk-1"]
