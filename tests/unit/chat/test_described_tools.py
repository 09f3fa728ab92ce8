"""What the changes of tools say: what was given, what is sent, why, and what the caller can do."""

from __future__ import annotations

import pytest

from tess_openai.core.chat.tools import to_tools
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tests.unit.chat.tool_requests import FUNCTION, JSON, SEARCH

LEAVE_OUT = 'Leave it out, or accept this: create_client(unsupported={{"{}": "ignore"}}).'
EMULATE = "It can be emulated: create_client(emulate=True); a preset takes emulate=True too."
PARALLEL = "parallel_tool_calls"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"tools": [SEARCH]},
            ("mapped", "web_search", "internet", "Tess takes the name of one tool", ""),
        ),
        (
            {"tools": ["internet"]},
            ("mapped", "a list", "internet", "Tess takes the name of one tool", ""),
        ),
        (
            {"web_search_options": {}},
            ("mapped", "web_search_options", "internet", "Tess takes the name of one tool", ""),
        ),
        (
            {"tools": ["internet", "wikipedia"]},
            (
                "rewritten",
                "internet, wikipedia",
                "internet",
                "Tess runs one tool per request, so only the first is sent",
                "Use one tool per call.",
            ),
        ),
        (
            {"tools": [{**SEARCH, "user_location": {"city": "Rome"}, "filters": {"a": 1}}]},
            (
                "stripped",
                "2 settings of a tool",
                "",
                "Tess takes a tool's name only, so the tool runs with the agent's settings",
                LEAVE_OUT.format("tools"),
            ),
        ),
        (
            {"tools": [{**SEARCH, "filters": {"a": 1}}, {"type": "web_search_preview", "filters": {"a": 1}}]},
            (
                "stripped",
                "2 settings of a tool",
                "",
                "Tess takes a tool's name only, so the tool runs with the agent's settings",
                LEAVE_OUT.format("tools"),
            ),
        ),
    ],
    ids=["a hosted tool", "a list", "a search", "two tools of the agent", "settings", "settings of two"],
)
def test_a_change_of_the_agents_tools_is_described(given: JSON, expected: tuple[str, ...]) -> None:
    """The change shows what was given, what is sent, why, and what the caller can do."""
    ledger = Ledger(Policy("warn"))
    assert to_tools(given, Options(), ledger).tool == "internet"
    changes = [(each.action, each.given, each.sent, each.why, each.remedy) for each in ledger.changes]
    assert expected in changes
    assert {each.param for each in ledger.changes} == {"tools"}


LOST_WITH_FUNCTIONS = [
    pytest.param(
        {"tool_choice": "required"},
        Policy("warn"),
        ("tool_choice", '"required"', "Tess makes no function calls, so the answer is text", EMULATE),
        id="a demand",
    ),
    pytest.param(
        {PARALLEL: False},
        Policy("ignore", {PARALLEL: "warn"}),
        (
            *(PARALLEL, "false"),
            "no functions are called, neither one by one nor in parallel",
            LEAVE_OUT.format(PARALLEL),
        ),
        id="one call at a time",
    ),
    pytest.param(
        {PARALLEL: False},
        Policy("warn", {"tools": "forward"}),
        (PARALLEL, "false", "sent as given, as unsupported= says; Tess may ignore or refuse it", ""),
        id="one call at a time that is forwarded with them",
    ),
]


@pytest.mark.parametrize(("further", "policy", "expected"), LOST_WITH_FUNCTIONS)
def test_a_change_of_what_belongs_to_functions_is_described(
    further: JSON, policy: Policy, expected: tuple[str, ...]
) -> None:
    """The change shows the value, the reason, and what the caller can do."""
    ledger = Ledger(policy)
    to_tools({"tools": [FUNCTION], **further}, Options(policy=policy), ledger)
    changes = [(each.param, each.given, each.why, each.remedy) for each in ledger.changes]
    assert expected in changes


@pytest.mark.parametrize(
    ("kind", "described"),
    [
        ("code_interpreter", 'an object of type "code_interpreter"'),
        ("x" * 39, f'an object of type "{"x" * 39}"'),
        ("x" * 40, "an object with 1 key"),
        ("a secret: 1", "an object with 1 key"),
        ("secret_\u00e9", "an object with 1 key"),
    ],
)
@pytest.mark.parametrize("tools", ["internet", [FUNCTION]], ids=["a tool of the agent", "a function"])
def test_a_choice_shows_its_type_where_that_may_be_one_of_openais(
    tools: object, kind: str, described: str
) -> None:
    """Another text may be a secret."""
    ledger = Ledger(Policy("warn"))
    to_tools({"tools": tools, "tool_choice": {"type": kind}}, Options(), ledger)
    (change,) = [each for each in ledger.changes if each.param == "tool_choice"]
    assert change.given == described


def test_a_choice_of_the_agents_tool_beside_functions_that_are_not_emulated_is_reported_once() -> None:
    """The tool of the agent is still sent, and nothing is emulated."""
    ledger = Ledger(Policy("warn"))
    tools = to_tools({"tools": [FUNCTION, SEARCH], "tool_choice": SEARCH}, Options(), ledger)
    assert (tools.tool, tools.emulate) == ("internet", False)
    assert [each.param for each in ledger.changes if each.action == "stripped"] == ["tools", "tool_choice"]


def test_all_parameters_that_the_policy_forwards_stay_when_functions_go() -> None:
    """Each is forwarded by its own name."""
    policy = Policy("ignore", dict.fromkeys(("web_search_options", PARALLEL, "tool_choice"), "forward"))
    given = {
        "tools": [FUNCTION],
        "web_search_options": {"search_context_size": "high"},
        PARALLEL: False,
        "tool_choice": "required",
    }
    tools = to_tools(given, Options(policy=policy), Ledger(policy))
    assert (tools.tool, tools.kept) == ("internet", frozenset(given) - {"tools"})
