"""Agents as Tess describes them, read from whatever comes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.agents import Agent, Question, closest, option_text, parse_agent
from tess_openai.testing import DEFAULT_AGENTS

DOCUMENTED: dict[str, Any] = {
    "id": 8794,
    "title": "An agent",
    "description": "Answers",
    "long_description": "Answers at length",
    "workspace_id": 12,
    "visibility": "public",
    "slug": "an-agent-AbC12d",
    "active": True,
    "type": "chat",
    "questions": [
        {
            "type": "select",
            "name": "temperature",
            "description": "..",
            "required": True,
            "options": ["0", "0.25", "0.5", "0.75", "1"],
        },
        {"type": "select", "name": "model", "required": True, "options": ["tess-6", "gpt-4o"]},
        {"type": "select", "name": "tools", "required": True, "options": ["no-tools", "internet"]},
        {"type": "array", "name": "messages", "required": True},
        {"type": "number", "name": "root_id", "required": False},
        {"type": "text", "name": "nome-da-empresa", "required": True, "isFieldForTraining": False},
    ],
}


def with_question(**question: object) -> Agent:
    """Return an agent with one question."""
    agent = parse_agent({"id": 1, "questions": [question]})
    assert agent is not None
    return agent


def test_the_documented_agent_is_read() -> None:
    """It gives everything that a program may want to know of an agent."""
    agent = parse_agent(DOCUMENTED)
    assert agent is not None
    assert (agent.id, agent.title, agent.type, agent.slug) == (8794, "An agent", "chat", "an-agent-AbC12d")
    assert (agent.visibility, agent.workspace_id, agent.active) == ("public", 12, True)
    assert agent.description == "Answers"
    assert agent.temperatures == ("0", "0.25", "0.5", "0.75", "1")
    assert agent.models == ("tess-6", "gpt-4o")
    assert agent.tools == ("no-tools", "internet")
    assert agent.fields == agent.required == (Question(name="nome-da-empresa", type="text", required=True),)


@pytest.mark.parametrize(
    ("fields", "active"),
    [
        ({}, True),
        ({"active": None}, True),
        ({"active": 1}, True),
        ({"active": False}, False),
        ({"active": 0}, False),
    ],
)
def test_an_agent_is_active_unless_tess_says_otherwise(fields: dict[str, object], active: bool) -> None:
    """An answer without this field must not make an agent look switched off."""
    agent = parse_agent({"id": 1, **fields})
    assert agent is not None
    assert agent.active is active


@pytest.mark.parametrize(
    ("given_", "required"),
    [
        (True, True),
        (1, True),
        ("true", True),
        ("1", True),
        (False, False),
        (0, False),
        ("0", False),
        (2, False),
    ],
)
def test_a_question_is_required_in_every_spelling(given_: object, required: bool) -> None:
    """Some answers of Tess have a number or a string where a boolean is documented."""
    agent = with_question(name="city", type="TEXT", required=given_, description="Where?")
    assert agent.questions == (Question(name="city", type="text", required=required, description="Where?"),)
    assert bool(agent.required) is required


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"options": [{"value": "a", "label": "A"}, {"value": "b"}]}, id="value and label"),
        pytest.param({"options": [{"label": "a"}, "b"]}, id="label alone, and a string"),
        pytest.param({"values": ["a", "b"]}, id="called values"),
        pytest.param({"options": [], "choices": ["a", "b", "a"]}, id="called choices, one twice"),
        pytest.param({"answers": ["a", None, {}, [], "b"]}, id="among what is empty"),
        pytest.param({"options": [{"value": None, "label": "a"}, {"value": "b"}]}, id="a label for no value"),
    ],
)
def test_options_are_read_in_every_spelling(options: dict[str, object]) -> None:
    """Other clients have met all of these forms."""
    assert with_question(type="select", name="model", **options).models == ("a", "b")


@pytest.mark.parametrize(
    "unreadable", [{"id": "b", "name": "B"}, ["b"], {"value": ["b"]}], ids=["an object", "a list", "within"]
)
def test_options_of_which_one_cannot_be_read_are_open(unreadable: object) -> None:
    """It may be the one that is asked for; what is known of the others would refuse it."""
    agent = with_question(type="select", name="model", options=["a", unreadable])
    assert agent.question("model") is not None
    assert agent.models == ()


def test_truth_is_an_option_by_its_word() -> None:
    """A boolean option is `"true"` or `"false"`, as in JSON."""
    assert with_question(name="formal", options=[True, False]).options("formal") == ("true", "false")


def test_numbers_are_options_by_their_text() -> None:
    """`0.50` and `1.0` would not be found otherwise."""
    assert with_question(name="temperature", options=[0, 0.5, 1.0, "low"]).options("temperature") == (
        "0",
        "0.5",
        "1",
        "low",
    )
    assert with_question(name="temperature", options=[0, "low", "nan"]).temperatures == ("0",)


def test_an_agent_with_a_fixed_model_has_no_models() -> None:
    """It has no such question."""
    agent = parse_agent({**DOCUMENTED, "questions": DOCUMENTED["questions"][:1]})
    assert agent is not None
    assert (agent.models, agent.question("model")) == ((), None)


def test_a_text_agent_requires_its_selects_too() -> None:
    """Users met 422 there, and never on chat agents."""
    agent = parse_agent({**DOCUMENTED, "type": "text"})
    assert agent is not None
    names = [question.name for question in agent.required]
    assert names == ["temperature", "model", "tools", "nome-da-empresa"]


@pytest.mark.parametrize(
    "value", [None, [], "agent", {}, {"id": None}, {"id": "x"}, {"id": True}, {"id": -1}]
)
def test_what_is_no_agent_is_none(value: object) -> None:
    """An object without a number as its id is not an agent."""
    assert parse_agent(value) is None


def test_an_agent_may_be_wrapped() -> None:
    """Some routes of Tess answer `{"data": ...}`."""
    assert parse_agent({"data": DOCUMENTED}) == parse_agent(DOCUMENTED)
    assert parse_agent({"id": "8794"}) == Agent(id=8794)


def test_the_simulators_agents_are_read_whole() -> None:
    """No question of any simulated agent is dropped."""
    for simulated in DEFAULT_AGENTS:
        agent = parse_agent(simulated.to_json())
        assert agent is not None
        for question in simulated.questions:
            assert agent.options(question.name) == question.values


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
keys = st.sampled_from(["id", "title", "type", "slug", "workspace_id", "active", "questions"])
question_keys = st.sampled_from(["name", "type", "required", "options", "values", "description"])


@given(
    st.dictionaries(keys, json_values),
    st.lists(st.dictionaries(question_keys, json_values) | json_values, max_size=4),
)
def test_no_json_breaks_the_reader(fields: dict[str, object], questions: list[object]) -> None:
    """Any JSON is read without an exception, and is not changed."""
    value = {"id": 7, **fields, "questions": questions}
    before = copy.deepcopy(value)
    agent = parse_agent(value)
    assert repr(value) == repr(before)
    assert agent is None or all(question.name for question in agent.questions)


@pytest.mark.parametrize(
    ("given_", "near"),
    [
        ("gpt-4", "gpt-4o"),
        ("GPT-4O", "gpt-4o"),
        ("tess6", "tess-6"),
        ("4o", "gpt-4o"),
        ("mistral-large", None),
        ("", None),
    ],
)
def test_the_closest_option_is_found(given_: str, near: str | None) -> None:
    """Case is ignored, and an option that is not similar is not proposed."""
    assert closest(given_, ["tess-6", "gpt-4o"]) == near


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (10**20, "1" + "0" * 20),
        (1.0, "1"),
        (0.25, "0.25"),
        ("x", "x"),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_scalars_are_written_as_options(value: object, text: str | None) -> None:
    """A boolean is no number."""
    assert option_text(value) == text
