"""What a request offers and demands is read in every spelling OpenAI has for it."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.emulate.offers import NO_ARGUMENTS, Offer, OfferedFunction, parse_offer
from tess_openai.core.refusals import Refused

LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
}
TOOLS = [LOOK, {"type": "function", "function": {"name": "leap"}}]
LEGACY = [tool["function"] for tool in TOOLS]


def offer_of(**body: Any) -> Offer:
    """Read an offer of `TOOLS`."""
    return parse_offer({"tools": TOOLS, **body})


@pytest.mark.parametrize(
    ("body", "functions", "tool_choice", "is_named"),
    [
        pytest.param({}, ["look", "leap"], "auto", False, id="nothing given means auto"),
        pytest.param({"tool_choice": None}, ["look", "leap"], "auto", False, id="null means auto"),
        pytest.param({"tool_choice": "auto"}, ["look", "leap"], "auto", False, id="auto"),
        pytest.param({"tool_choice": "required"}, ["look", "leap"], "required", False, id="required"),
        pytest.param({"tool_choice": "none"}, [], "none", False, id="none offers nothing"),
        pytest.param(
            {"tool_choice": {"type": "function", "function": {"name": "leap"}}},
            ["leap"],
            "required",
            True,
            id="a named function alone is offered",
        ),
        pytest.param(
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "required",
                        "tools": [{"type": "function", "function": {"name": "look"}}],
                    },
                }
            },
            ["look"],
            "required",
            False,
            id="allowed tools",
        ),
        pytest.param({"tools": None, "functions": LEGACY}, ["look", "leap"], "auto", False, id="functions"),
        pytest.param(
            {"tools": None, "functions": LEGACY, "function_call": {"name": "leap"}},
            ["leap"],
            "required",
            True,
            id="a named function in the older spelling",
        ),
        pytest.param(
            {"tools": None, "functions": LEGACY, "function_call": "none"}, [], "none", False, id="older none"
        ),
        pytest.param({"tools": []}, [], "none", False, id="no tools"),
        pytest.param({"tools": ["internet", LOOK]}, ["look"], "auto", False, id="a word before a function"),
        pytest.param({"tools": "internet"}, [], "none", False, id="a word of the agent's"),
    ],
)
def test_an_offer(body: dict[str, Any], functions: list[str], tool_choice: str, is_named: bool) -> None:
    """The functions, the choice and whether one is named."""
    offer = offer_of(**body)
    assert list(offer.functions) == functions
    assert (offer.tool_choice, offer.is_named) == (tool_choice, is_named)


def allowed(mode: str, *tools: object) -> dict[str, Any]:
    """Return a request that allows some of its tools."""
    return {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}}


LEAP = {"type": "function", "function": {"name": "leap"}}
SEARCH = {"type": "web_search"}


@pytest.mark.parametrize(
    ("body", "functions", "tool_choice"),
    [
        pytest.param(allowed("auto", SEARCH, LEAP), ["leap"], "auto", id="a search may be used as well"),
        pytest.param(allowed("required", SEARCH, LEAP), ["leap"], "auto", id="a search can meet the demand"),
        pytest.param(allowed("required", SEARCH), [], "none", id="a search alone"),
        pytest.param(
            allowed("required", {"type": "mcp"}, LEAP),
            ["leap"],
            "required",
            id="a hosted tool that Tess lacks",
        ),
    ],
)
def test_hosted_tools_are_among_those_that_are_allowed(
    body: dict[str, Any], functions: list[str], tool_choice: str
) -> None:
    """They are no functions of the caller, so they are not looked for among them."""
    offer = parse_offer({"tools": [*TOOLS, SEARCH], **body}, agent_tools={"web_search"})
    assert (list(offer.functions), offer.tool_choice) == (functions, tool_choice)


def test_a_hosted_tool_that_is_demanded_is_not_taken_for_a_function() -> None:
    """Also not for one with its name."""
    for choice in ({"type": "mcp", "server_label": "x", "name": "leap"}, {"type": "function"}):
        with pytest.raises(Refused, match="no function or custom tool"):
            offer_of(tool_choice=choice)


def test_one_call_at_a_time_where_the_request_states_it_or_cannot_say_otherwise() -> None:
    """`parallel_tool_calls: false` and the older `functions` allow one call only."""
    assert offer_of().allows_several
    assert not offer_of(parallel_tool_calls=False).allows_several
    legacy = parse_offer({"functions": LEGACY})
    assert not legacy.allows_several
    assert (legacy.is_legacy, legacy.param) == (True, "functions")
    both = offer_of(functions=[{"name": "fly"}])
    assert (both.is_legacy, both.param, both.allows_several) == (False, "tools", True)


def test_a_function_without_parameters_takes_none() -> None:
    """The absent schema is that of no arguments, and an absent description is empty."""
    functions = offer_of().functions
    assert functions["leap"] == OfferedFunction("leap", "", NO_ARGUMENTS)
    assert functions["look"] == OfferedFunction("look", "Looks.", {"type": "object"})


def test_a_function_may_be_strict() -> None:
    """Only `strict: true` states it."""
    tools = [
        {"type": "function", "function": {"name": f"f{given}", "strict": given}} for given in (True, False)
    ]
    functions = parse_offer({"tools": tools}).functions
    assert (functions["fTrue"].is_strict, functions["fFalse"].is_strict) == (True, False)


def test_tools_that_cannot_be_emulated_are_listed_by_type() -> None:
    """Tools that the agent has itself are not listed."""
    interpreter = {"type": "code_interpreter", "code_interpreter": {"name": "python"}}
    tools = [*TOOLS, interpreter, {"type": "web_search"}]
    offer = parse_offer({"tools": tools}, agent_tools={"web_search", "look"})
    assert offer.unsupported_types == ("code_interpreter",)
    assert list(offer.functions) == ["leap"]


def test_a_custom_tool_is_offered_with_its_grammar() -> None:
    """It can be chosen like a function."""
    grammar = {"syntax": "regex", "definition": "[a-z]+"}
    custom = {"name": "run", "description": "Runs.", "format": {"type": "grammar", "grammar": grammar}}
    tools = [*TOOLS, {"type": "custom", "custom": custom}]
    offer = parse_offer({"tools": tools, "tool_choice": {"type": "custom", "custom": {"name": "run"}}})
    run = OfferedFunction("run", "Runs.", NO_ARGUMENTS, is_custom=True, grammar=grammar)
    assert (offer.functions, offer.tool_choice, offer.is_named) == ({"run": run}, "required", True)


def test_a_function_called_like_a_hosted_tool_is_offered() -> None:
    """It is the caller's own; only the hosted tool itself is the agent's."""
    tools = [{"type": "function", "function": {"name": "web_search"}}, {"type": "web_search"}]
    offer = parse_offer({"tools": tools}, agent_tools={"web_search"})
    assert (list(offer.functions), offer.unsupported_types) == (["web_search"], ())


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param({"type": "function", "function": {"name": "fly"}}, id="a function that is not there"),
        pytest.param("any", id="a word OpenAI does not know"),
        pytest.param(
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"name": "fly"}]}},
            id="an allowed function that is not there",
        ),
    ],
)
def test_an_invalid_choice_is_refused(choice: object) -> None:
    """The error names the parameter, as OpenAI's does."""
    with pytest.raises(Refused) as refusal:
        offer_of(tool_choice=choice)
    assert (refusal.value.param, refusal.value.code) == ("tool_choice", "invalid_tool_choice")


def test_a_choice_of_a_tool_the_agent_has_itself_demands_nothing() -> None:
    """The word that is sent for it does what is asked."""
    for choice in ({"type": "web_search"}, {"type": "function", "function": {"name": "look"}}):
        body = {"tools": TOOLS, "tool_choice": choice}
        assert parse_offer(body, agent_tools={"web_search", "look"}).tool_choice == "auto"


@pytest.mark.parametrize(
    ("body", "param", "code", "message"),
    [
        pytest.param(
            {"tools": [LOOK, LOOK]}, "tools", "invalid_function", "'look' is offered twice", id="twice"
        ),
        pytest.param(
            {"functions": [{"name": "fly"}] * 2},
            "functions",
            "invalid_function",
            "'fly' is offered twice",
            id="twice in the older spelling",
        ),
        pytest.param({"tools": [{"function": {}}]}, "tools", "invalid_function", "no name", id="no name"),
        pytest.param(
            {"functions": [{}]},
            "functions",
            "invalid_function",
            "no name",
            id="no name in the older spelling",
        ),
        pytest.param(
            {"tools": [{"type": "code_interpreter"}], "tool_choice": "required"},
            "tool_choice",
            "invalid_tool_choice",
            "tool_choice requires a call",
            id="a call is demanded where none can be made",
        ),
        pytest.param(
            {"functions": LEGACY, "function_call": {"name": "fly"}},
            "function_call",
            "invalid_tool_choice",
            "'fly', which is not among the functions",
            id="a function that is not there",
        ),
    ],
)
def test_an_invalid_offer_is_refused(body: dict[str, Any], param: str, code: str, message: str) -> None:
    """The error names the parameter in the caller's spelling."""
    with pytest.raises(Refused) as refusal:
        parse_offer(body)
    assert (refusal.value.param, refusal.value.code) == (param, code)
    assert message in refusal.value.message


@pytest.mark.parametrize("tool", [{"function": {}}, {"function": {"name": ""}}], ids=["none", "empty"])
def test_a_function_without_a_name_is_refused(tool: dict[str, Any]) -> None:
    """It could never be called."""
    with pytest.raises(Refused, match="no name"):
        parse_offer({"tools": [tool]})
