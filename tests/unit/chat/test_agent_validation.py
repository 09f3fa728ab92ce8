"""Requests are validated against what their agent offers; `model` may name another agent."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tess_openai.core.agents import Agent, Question
from tess_openai.core.chat.agent_validation import rejected_options
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat.target import Target, to_target
from tess_openai.core.chat_call import translate_request
from tess_openai.core.errors import TessError
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused

MESSAGES = [{"role": "user", "content": "hello"}]


def select(name: str, *options: str, required: bool = True) -> Question:
    """Return a question with options."""
    return Question(name=name, type="select", required=required, options=options)


TEMPERATURE = select("temperature", "0", "0.5", "1")
MODEL = select("model", "tess-6", "tess-5", "gpt-4o")
TOOLS = select("tools", "no-tools", "internet")
FULL = Agent(id=42, type="chat", questions=(TEMPERATURE, MODEL, TOOLS))
FIXED = Agent(id=43, type="chat", questions=(TEMPERATURE, TOOLS))
BARE = Agent(id=44, type="chat", questions=(Question(name="messages"),))
OWN = Agent(
    id=45,
    type="chat",
    questions=(Question(name="nome-da-empresa", type="text", required=True), select("language", "English")),
)
UNKNOWN = Agent(id=46)
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {}}}


def fitted(agent: Agent | None, fields: dict[str, Any], **options: Any) -> TranslatedRequest:
    """Translate a request for an agent; what was given must not change."""
    given = {"messages": MESSAGES, **fields}
    before = copy.deepcopy(given)
    translated = translate_request(given, Options(**options), agent, new_id=str)
    assert given == before
    return translated


def sent(agent: Agent | None, fields: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return what is sent beside the messages."""
    return {key: value for key, value in fitted(agent, fields, **options).body.items() if key != "messages"}


def refusal(agent: Agent | None, fields: dict[str, Any], **options: Any) -> Refused:
    """Return the refusal of a request."""
    with pytest.raises(Refused) as caught:
        fitted(agent, fields, **options)
    return caught.value


@pytest.mark.parametrize(
    ("agent", "fields", "expected"),
    [
        pytest.param(FULL, {"model": "tess-6"}, {"model": "tess-6"}, id="a model it offers"),
        pytest.param(FULL, {"temperature": 0.6}, {"temperature": "0.5"}, id="its nearest temperature"),
        pytest.param(FULL, {"tools": "internet"}, {"tools": "internet"}, id="a tool it offers"),
        pytest.param(FULL, {"tools": [FUNCTION]}, {"tools": "no-tools"}, id="functions it cannot call"),
        pytest.param(FIXED, {"model": "gpt-4o"}, {}, id="a model for an agent with a fixed one"),
        pytest.param(BARE, {"temperature": 0.5}, {}, id="a temperature where there is none to choose"),
        pytest.param(BARE, {"tools": "no-tools"}, {}, id="no tools where there are none"),
        pytest.param(BARE, {"tools": [FUNCTION]}, {}, id="functions where there are no tools"),
        pytest.param(UNKNOWN, {"model": "x", "tools": "y"}, {"model": "x", "tools": "y"}, id="nothing known"),
        pytest.param(None, {"model": "x", "tools": "y"}, {"model": "x", "tools": "y"}, id="no agent known"),
        pytest.param(
            OWN,
            {"nome-da-empresa": "x", "language": "English", "free": 1},
            {"nome-da-empresa": "x", "language": "English", "free": 1},
            id="fields of its own, and an unknown one",
        ),
    ],
)
def test_a_request_that_fits_is_sent(
    agent: Agent | None, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A request with options that the agent offers is sent as the agent takes it."""
    assert sent(agent, fields) == expected


@pytest.mark.parametrize(
    ("agent", "fields", "param", "words"),
    [
        pytest.param(
            FULL,
            {"model": "gpt-4"},
            "model",
            ['model="gpt-4"', "'gpt-4o'?", "tess-6, tess-5", 'models={"gpt-4": "gpt-4o"}'],
            id="model",
        ),
        pytest.param(FULL, {"tools": "internt"}, "tools", ["'internet'?", "no-tools, internet"], id="tool"),
        pytest.param(BARE, {"tools": "internet"}, "tools", ["has no tools to choose"], id="tool of none"),
        pytest.param(
            FULL,
            {"tools": [{"type": "web_search"}], "model": "nope"},
            "model",
            ['model="nope"', 'create_client(models={"nope": "tess-6"})'],
            id="the model before the tool",
        ),
        pytest.param(
            OWN, {"nome-da-empresa": "x", "language": "english"}, "language", ["'English'?"], id="own option"
        ),
        pytest.param(OWN, {}, "nome-da-empresa", ["requires nome-da-empresa (text"], id="missing"),
        pytest.param(
            OWN, {"nome_da_empresa": "x"}, "nome-da-empresa", ["'nome_da_empresa'"], id="missing, misspelt"
        ),
    ],
)
def test_what_the_agent_does_not_take_is_refused(
    agent: Agent, fields: dict[str, Any], param: str, words: list[str]
) -> None:
    """The error lists the agent's options and names the most similar one."""
    refused = refusal(agent, fields)
    assert refused.param == param
    assert refused.code in ("model_not_found", "invalid_value", "missing_required_parameter")
    for word in words:
        assert word in refused.message


def test_a_long_value_is_not_repeated() -> None:
    """It may be a prompt in the wrong place."""
    refused = refusal(OWN, {"nome-da-empresa": "x", "language": "secret " * 20})
    assert "secret" not in refused.message


def test_many_options_are_listed_in_part() -> None:
    """An agent may have hundreds."""
    agent = Agent(id=1, questions=(select("model", *(f"model-{index}" for index in range(60))),))
    assert "model-39 and 20 more" in refusal(agent, {"model": "zzz"}).message


@pytest.mark.parametrize("param", ["model", "tools"])
def test_forward_sends_what_the_agent_does_not_offer(param: str) -> None:
    """The caller knows better, and it is on record."""
    translated = fitted(FULL, {param: "brand-new"}, policy=Policy("warn", {param: "forward"}))
    assert translated.body[param] == "brand-new"
    assert [(change.action, change.param) for change in translated.ledger.changes] == [("forwarded", param)]


def test_a_fixed_model_is_reported_or_refused() -> None:
    """The policy decides, as over every parameter."""
    (change,) = fitted(FIXED, {"model": "gpt-4o"}).ledger.changes
    assert (change.action, change.param, change.warn) == ("stripped", "model", "request")
    assert refusal(FIXED, {"model": "gpt-4o"}, policy=Policy("error")).param == "model"
    assert fitted(FIXED, {"model": "agent:43"}).ledger.changes[0].action == "mapped"


ALIASES = {"gpt-4o-mini": "tess-5", "*": None}


@pytest.mark.parametrize(
    ("agent", "model", "expected"),
    [
        pytest.param(None, "gpt-4o-mini", {"model": "tess-5"}, id="an alias"),
        pytest.param(None, "claude", {}, id="all others are the agent's to choose"),
        pytest.param(None, "tess-5", {"model": "tess-5"}, id="where an alias leads is no other"),
        pytest.param(FULL, "gpt-4o", {"model": "gpt-4o"}, id="what the agent offers is no other"),
        pytest.param(FULL, "claude", {}, id="what it does not offer is"),
    ],
)
def test_aliases_lead_to_models(agent: Agent | None, model: str, expected: dict[str, Any]) -> None:
    """An alias is replaced by its model, and `"*"` is the alias of all unknown models."""
    assert sent(agent, {"model": model}, models=ALIASES) == expected


def test_an_alias_to_what_the_agent_lacks_is_refused() -> None:
    """It would fail at Tess."""
    assert refusal(FULL, {"model": "x"}, models={"x": "y"}).param == "model"


NAMES: dict[str, int | str] = {"support": 8794, "sales": "sales-agent-AbC12d", "a/b": 7}


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("tess-6", Target(None, "tess-6")),
        ("vendor/model", Target(None, "vendor/model")),
        ("agent:8794", Target(8794, None)),
        ("agent:8794/tess-6", Target(8794, "tess-6")),
        ("agent:8794/vendor/x", Target(8794, "vendor/x")),
        ("agent:my-agent-AbC12d/x", Target("my-agent-AbC12d", "x")),
        ("agent:support", Target(8794, None)),
        ("support", Target(8794, None)),
        ("support/tess-6", Target(8794, "tess-6")),
        ("support/short", Target(8794, "tess-6")),
        ("sales", Target("sales-agent-AbC12d", None)),
        ("a/b", Target(7, None)),
        ("alias", Target(9, "tess-6")),
        ("none", Target(None, None)),
        (None, Target(None, None)),
        (5, Target(None, 5)),
    ],
)
def test_a_model_names_an_agent(model: object, target: Target) -> None:
    """An agent is named by number, slug or name, alone or with a model."""
    models = {"alias": "agent:9/tess-6", "none": None, "short": "tess-6"}
    assert to_target(model, Options(agent_names=NAMES, models=models)) == target


def test_what_was_asked_for_is_not_what_was_meant() -> None:
    """An alias leads to a model, not to another alias."""
    refused = refusal(FULL, {"model": "loop"}, models={"loop": "loop2", "loop2": "tess-5"})
    assert 'model="loop2"' in refused.message
    assert "Did you mean" not in refused.message


@pytest.mark.parametrize(
    "model",
    [
        "agent:",
        "agent:0",
        "agent:no",
        "agent:../admin",
        "agent:4%2F2",
        "agent:1?x",
        "agent:123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_a_name_of_no_agent_is_refused(model: str) -> None:
    """It must not end up in a path."""
    with pytest.raises(Refused, match="names no agent"):
        to_target(model, Options())


def test_the_agents_options_replace_the_documented_ones() -> None:
    """Some agents have only the options 0 and 1, or none that is a number."""
    narrow = Agent(id=1, questions=(select("temperature", "0", "1"),))
    worded = Agent(id=1, questions=(select("temperature", "low", "high"),))
    assert sent(narrow, {"temperature": 0.4})["temperature"] == "0"
    assert sent(worded, {"temperature": 0.4})["temperature"] == 0.4


@pytest.mark.parametrize(
    ("status", "code", "rejected"),
    [
        pytest.param(422, "validation_failed", ["temperature"], id="a validation error"),
        pytest.param(400, "invalid_request", ["temperature"], id="a bad request"),
        pytest.param(500, "validation_failed", [], id="a server error"),
        pytest.param(404, "invalid_request", [], id="another status"),
        pytest.param(422, "rate_limit_exceeded", [], id="another code"),
    ],
)
def test_only_a_validation_error_rejects_options(status: int, code: str, rejected: list[str]) -> None:
    """The text of another error may name a parameter without rejecting its value."""
    error = TessError(
        status=status,
        message="The temperature is invalid.",
        param=None,
        code=code,
        type="invalid_request_error",
    )
    assert rejected_options(error) == rejected
