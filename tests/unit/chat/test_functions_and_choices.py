"""Functions that Tess cannot call, the choices that require a call, and what each policy does with them."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.chat.tools import to_tools
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused
from tests.unit.chat.tool_requests import FUNCTION, JSON, SEARCH, prepare, sent_and_reported

DEMAND: JSON = {"type": "function", "function": {"name": "get_weather"}}
FUNCTIONS = [
    pytest.param({"tools": [FUNCTION]}, "tools", "1 function", id="a function"),
    pytest.param({"tools": [FUNCTION, FUNCTION]}, "tools", "2 functions", id="two functions"),
    pytest.param(
        {"tools": [{"type": "custom", "custom": {"name": "s"}}]}, "tools", "1 function", id="custom"
    ),
    pytest.param({"tools": [7]}, "tools", "1 function", id="a number"),
    pytest.param({"tools": [{"type": 7}]}, "tools", "1 function", id="a tool of no type"),
    pytest.param({"tools": [{"type": ["web_search"]}]}, "tools", "1 function", id="a type that is a list"),
    pytest.param(
        {"tools": [{"type": "function", "function": {"name": ["f"]}}]},
        *("tools", "1 function"),
        id="a name that is a list",
    ),
    pytest.param({"functions": [{"name": "f"}]}, "functions", "1 function", id="functions as of old"),
    pytest.param(
        {"tools": [FUNCTION], "tool_choice": "auto", "parallel_tool_calls": True},
        "tools",
        "1 function",
        id="a function with its further parameters",
    ),
]


@pytest.mark.parametrize(("given", "param", "count"), FUNCTIONS)
def test_functions_become_no_tools_with_a_warning(given: JSON, param: str, count: str) -> None:
    """The warning counts them and names the remedy."""
    translated = prepare(given, Options(tools="wikipedia"))
    assert translated.body == {"tools": "no-tools"}
    (change,) = translated.ledger.changes
    assert (change.action, change.param, change.given, change.sent, change.warn) == (
        "stripped",
        param,
        count,
        "no-tools",
        "request",
    )
    assert change.why == "Tess cannot call your functions, so the answer is made without them"
    assert change.remedy == (
        "It can be emulated: create_client(emulate=True); a preset takes emulate=True too."
    )


@pytest.mark.parametrize(
    ("given", "param"), [pytest.param(*each.values[:2], id=each.id) for each in FUNCTIONS]
)
def test_functions_obey_every_policy(given: JSON, param: str) -> None:
    """All functions together are ignored, refused or forwarded."""
    sent, reported = sent_and_reported(given, policy=Policy("ignore"))
    assert (sent, reported) == ({"tools": "no-tools"}, [("stripped", param, None)])
    sent, reported = sent_and_reported(given, policy=Policy("forward"), tools="wikipedia")
    assert (sent, reported) == (given, [("forwarded", param, None)])
    with pytest.raises(Refused, match="cannot call your functions") as caught:
        prepare(given, Options(policy=Policy("warn", {param: "error"})))
    assert caught.value.param == param


WITHOUT_EQUIVALENT = [
    pytest.param(
        {"tools": [{"type": "code_interpreter"}]},
        "code_interpreter",
        "no name for code_interpreter, so the answer is made without it",
        id="one hosted tool",
    ),
    pytest.param(
        {"tools": [{"type": "code_interpreter"}, {"type": "file_search"}]},
        "code_interpreter, file_search",
        "no name for code_interpreter, file_search, so the answer is made without them",
        id="two hosted tools",
    ),
    pytest.param(
        {"tools": [FUNCTION, {"type": "code_interpreter"}]},
        "1 function, code_interpreter",
        "cannot call your functions and has no name for code_interpreter",
        id="a function and a hosted tool",
    ),
    pytest.param(
        {"tools": [{"type": "a secret: 1"}, {"type": "mcp"}, {"type": "mcp"}]},
        "another tool, mcp",
        "no name for another tool, mcp",
        id="what is no type of a tool's",
    ),
]


@pytest.mark.parametrize(("given", "count", "reason"), WITHOUT_EQUIVALENT)
def test_a_hosted_tool_without_a_word_is_not_called_a_function(given: JSON, count: str, reason: str) -> None:
    """The warning says what it is, and that a word can be named for it."""
    (change,) = prepare(given, Options()).ledger.changes
    assert (change.given, change.sent, change.warn) == (count, "no-tools", "request")
    assert reason in change.why
    assert ("tool_names" in change.remedy) is ("function" not in count)


def test_functions_for_the_emulation_are_reported_by_it() -> None:
    """The word for Tess stays what it would be without them."""
    options = Options(policy=Policy("emulate"), tools="wikipedia")
    ledger = Ledger(options.policy)
    tools = to_tools({"tools": [FUNCTION]}, options, ledger)
    assert (tools.emulate, tools.tool, tools.kept, ledger.changes) == (True, "wikipedia", frozenset(), ())


def test_a_hosted_tool_stays_when_functions_go() -> None:
    """What Tess has is used, what it lacks is reported."""
    sent, reported = sent_and_reported({"tools": [FUNCTION, SEARCH]})
    assert sent == {"tools": "internet"}
    assert reported == [("mapped", "tools", None), ("stripped", "tools", "request")]


REQUIRED: JSON = {"tools": [FUNCTION], "tool_choice": "required", "parallel_tool_calls": False}


@pytest.mark.parametrize(
    ("own", "lost"),
    [
        pytest.param({}, [], id="all with the tools"),
        pytest.param({"*": "error"}, [], id="all with the tools, whatever the rest has"),
        pytest.param({"tool_choice": "ignore"}, ["tool_choice"], id="but for the choice"),
        pytest.param({"parallel_tool_calls": "warn"}, ["parallel_tool_calls"], id="but for parallel calls"),
    ],
)
def test_what_belongs_to_forwarded_tools_goes_with_them(own: dict[str, Any], lost: list[str]) -> None:
    """Other tool parameters are forwarded too, unless the policy names them; the ledger records both."""
    policy = Policy().overridden_by({"tools": "forward", **own})
    sent, reported = sent_and_reported(REQUIRED, policy=policy)
    assert sent == {name: value for name, value in REQUIRED.items() if name not in lost}
    assert {(action, param) for action, param, _ in reported} == {
        ("stripped" if name in lost else "forwarded", name) for name in REQUIRED
    }


@pytest.mark.parametrize("given", [REQUIRED, {"tools": ["a", "b"], "tool_choice": "required"}])
def test_what_belongs_to_forwarded_tools_is_refused_by_its_own_word(given: JSON) -> None:
    """The tools are functions, and tools of the agent, of which Tess runs one."""
    with pytest.raises(Refused) as caught:
        prepare(given, Options(policy=Policy("warn", {"tools": "forward", "tool_choice": "error"})))
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    "given",
    [
        {"tools": [SEARCH, {"type": "function", "function": {"name": "f"}}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "web_search_options": {}},
        {"tools": [SEARCH, {"type": "code_interpreter"}]},
    ],
)
def test_what_goes_as_given_is_not_reported_as_mapped(given: JSON) -> None:
    """A hosted tool that has a word goes with the others of its list."""
    sent, reported = sent_and_reported(given, policy=Policy("warn", {"tools": "forward"}))
    assert sent["tools"] == given["tools"]
    assert "mapped" not in [action for action, *_ in reported]


def test_a_word_beside_forwarded_functions_stays() -> None:
    """Tess has it, so no policy has a say."""
    given = {"tools": "internet", "functions": [{"name": "f"}]}
    policy = Policy("warn", {"functions": "forward", "tools": "error"})
    assert sent_and_reported(given, policy=policy) == (given, [("forwarded", "functions", None)])


def test_one_call_at_a_time_is_lost_with_the_functions_unless_it_has_its_own_word() -> None:
    """One warning is enough, except for who asks for two; and without functions it asks for nothing."""
    given = {"tools": [FUNCTION], "parallel_tool_calls": False}
    tools = {"tools": "no-tools"}
    assert sent_and_reported(given) == (tools, [("stripped", "tools", "request")])
    own = "parallel_tool_calls"
    _, reported = sent_and_reported(given, policy=Policy("ignore", {own: "warn"}))
    assert reported == [("stripped", "tools", None), ("stripped", own, "request")]
    assert sent_and_reported(given, policy=Policy("ignore", {own: "forward"}))[0] == {**tools, own: False}
    with pytest.raises(Refused) as caught:
        prepare(given, Options(policy=Policy("ignore", {own: "error"})))
    assert caught.value.param == own
    assert sent_and_reported({own: False}, policy=Policy("warn", {own: "error"})) == ({}, [])


@pytest.mark.parametrize("word", ["warn", "emulate"])
def test_a_demand_without_tools_is_warned_of_where_that_was_asked_for(word: Any) -> None:
    """Some clients demand a call of nothing, so otherwise the ledger tells of it."""
    given = {"tool_choice": "required"}
    assert sent_and_reported(given) == ({}, [("stripped", "tool_choice", None)])
    asked = Policy("ignore", {"tool_choice": word})
    assert sent_and_reported(given, policy=asked) == ({}, [("stripped", "tool_choice", "request")])


DEMANDS = [
    pytest.param("tool_choice", "required", id="a call is required"),
    pytest.param("tool_choice", DEMAND, id="a named function"),
    pytest.param(
        "tool_choice",
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}},
        id="one of several must be called",
    ),
    pytest.param("tool_choice", 7, id="a number"),
    pytest.param("function_call", {"name": "get_weather"}, id="a named function as of old"),
]


@pytest.mark.parametrize(("param", "choice"), DEMANDS)
def test_a_demand_that_stripping_would_betray_has_its_own_say(param: str, choice: object) -> None:
    """A `tool_choice` that cannot be honoured is reported, refused or forwarded under its own name."""
    given = {"tools": [FUNCTION], param: choice}
    sent, reported = sent_and_reported(given)
    assert sent == {"tools": "no-tools"}
    assert reported == [("stripped", "tools", "request"), ("stripped", param, "request")]
    with pytest.raises(Refused, match="the answer is text") as caught:
        prepare(given, Options(policy=Policy("ignore", {param: "error"})))
    assert caught.value.param == param
    sent, reported = sent_and_reported(given, policy=Policy("ignore", {param: "forward"}))
    assert sent == {"tools": "no-tools", param: choice}
    assert reported == [("stripped", "tools", None), ("forwarded", param, None)]


@pytest.mark.parametrize(("param", "choice"), DEMANDS)
def test_a_demand_upon_an_agents_tool_is_reported(param: str, choice: object) -> None:
    """The agent decides itself; the word of the tool is still sent."""
    given = {"tools": "internet", param: choice}
    assert sent_and_reported(given) == ({"tools": "internet"}, [("stripped", param, "request")])
    forwarded = sent_and_reported(given, policy=Policy("forward"))
    assert forwarded == (given, [("forwarded", param, None)])


def test_a_function_called_like_a_hosted_tool_is_the_callers_own() -> None:
    """It is theirs to run, so it is not turned into a search of the agent's without a word."""
    tools = [{"type": "function", "function": {"name": "web_search"}}]
    sent, reported = sent_and_reported({"tools": tools})
    assert sent == {"tools": "no-tools"}
    assert reported == [("stripped", "tools", "request")]


ALLOWED: JSON = {"mode": "required", "tools": [SEARCH, DEMAND]}


@pytest.mark.parametrize(
    ("choice", "is_reported"),
    [
        pytest.param(SEARCH, True, id="a search"),
        pytest.param({"type": "allowed_tools", "allowed_tools": ALLOWED}, True, id="a search or a function"),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {**ALLOWED, "mode": "auto"}}, False, id="no demand"
        ),
        pytest.param("auto", False, id="no choice"),
    ],
)
def test_a_search_that_is_demanded_while_functions_are_emulated_is_reported(
    choice: object, *, is_reported: bool
) -> None:
    """The agent may not search, and the model may call a function."""
    given = {"messages": [{"role": "user", "content": "x"}], "tools": [FUNCTION, SEARCH]}
    sent, reported = sent_and_reported({**given, "tool_choice": choice}, policy=Policy("emulate"))
    assert sent == {"tools": "internet"}
    assert (("stripped", "tool_choice", "request") in reported) is is_reported
