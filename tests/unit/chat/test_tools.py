"""All ways to spell tools, to the one word Tess takes, by every row of the table and every policy."""

from __future__ import annotations

import pytest

from tess_openai.core.options import HOSTED_TOOLS, Options
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused
from tests.unit.chat.tool_requests import FUNCTION, JSON, SEARCH, prepare, sent_and_reported


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="absent"),
        pytest.param({"tools": None}, id="null"),
        pytest.param({"tools": []}, id="an empty list"),
        pytest.param({"tools": ""}, id="an empty string"),
        pytest.param({"tools": [""]}, id="a list of an empty string"),
        pytest.param({"tools": [FUNCTION], "tool_choice": "none"}, id="functions that must not be called"),
        pytest.param({"functions": [{"name": "f"}], "function_call": "none"}, id="functions as of old"),
        pytest.param({"tools": [SEARCH], "tool_choice": "none"}, id="a hosted tool that must not be used"),
        pytest.param({"tools": "", "tool_choice": "none"}, id="an empty string that must not be used"),
        pytest.param({"tool_choice": "auto"}, id="a choice without tools"),
        pytest.param({"tool_choice": None, "function_call": None}, id="no choice"),
        pytest.param({"parallel_tool_calls": False}, id="no parallel calls"),
        pytest.param({"functions": []}, id="no functions as of old"),
        pytest.param({"web_search_options": None}, id="no search"),
    ],
)
def test_without_tools_the_clients_default_is_sent_or_nothing(given: JSON) -> None:
    """Even under the strictest policy, this is not reported."""
    strictest = Policy("error")
    assert sent_and_reported(given, policy=strictest) == ({}, [])
    assert sent_and_reported(given, policy=strictest, tools="wikipedia") == ({"tools": "wikipedia"}, [])


@pytest.mark.parametrize("word", ["internet", "no-tools", "a word of the agent's own"])
def test_a_string_passes(word: str) -> None:
    """A value of Tess's own is sent as given instead of the client's default, under any policy."""
    given = {"tools": word}
    assert sent_and_reported(given, policy=Policy("error"), tools="wikipedia") == (given, [])
    assert prepare(given, Options()).untouched


@pytest.mark.parametrize(
    ("given", "word"),
    [
        pytest.param({"tools": [{"type": kind}]}, "internet", id=f"OpenAI's hosted {kind}")
        for kind in HOSTED_TOOLS
    ]
    + [
        pytest.param({"web_search_options": {}}, "internet", id="the old switch for web search"),
        pytest.param({"tools": [SEARCH, {"type": "web_search_preview"}]}, "internet", id="one tool twice"),
        pytest.param({"tools": [SEARCH], "web_search_options": {}}, "internet", id="both spellings"),
        pytest.param({"tools": ["internet"]}, "internet", id="a list of one word"),
        pytest.param({"tools": list("internet")}, "internet", id="a word split into letters by .stream()"),
        pytest.param({"tools": list("ok")}, "ok", id="a word of two letters that was split"),
        pytest.param({"tools": [SEARCH], "tool_choice": "auto"}, "internet", id="a free choice"),
        pytest.param({"tools": [SEARCH], "tool_choice": SEARCH}, "internet", id="a demand for that tool"),
        pytest.param(
            {
                "tools": [SEARCH],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [SEARCH]},
                },
            },
            "internet",
            id="a choice among allowed tools",
        ),
        pytest.param(
            {"tools": [{"type": "function", "function": {"name": "my_search"}}]},
            "deep_analysis",
            id="a function that the client maps",
        ),
        pytest.param(
            {"tools": [{"type": "function", "name": "my_search"}]},
            "deep_analysis",
            id="the same in the flat spelling",
        ),
        pytest.param(
            {
                "tools": [{"type": "function", "function": {"name": "my_search"}}],
                "tool_choice": {"type": "function", "function": {"name": "my_search"}},
            },
            "deep_analysis",
            id="a demand for that function",
        ),
    ],
)
def test_what_tess_has_a_word_for_is_mapped(given: JSON, word: str) -> None:
    """The change is in the ledger only, since the tool is used."""
    names = {**HOSTED_TOOLS, "my_search": "deep_analysis"}
    for policy in (Policy("error"), Policy("forward")):
        sent, reported = sent_and_reported(given, policy=policy, tool_names=names)
        assert sent == {"tools": word}
        assert reported == [("mapped", "tools", None)]


@pytest.mark.parametrize("settings", [{}, {"search_context_size": "high"}], ids=["no settings", "settings"])
def test_search_without_a_word_for_it_is_not_lost_in_silence(settings: JSON) -> None:
    """A client may take the word out of the table; the settings are lost with the search, not once more."""
    sent, reported = sent_and_reported({"web_search_options": settings}, tool_names={})
    assert (sent, reported) == ({"tools": "no-tools"}, [("stripped", "web_search_options", "request")])


SEVERAL = [
    pytest.param({"tools": ["internet", "wikipedia"]}, "a list", id="a list of words"),
    pytest.param({"tools": [SEARCH, {"type": "wiki"}]}, "web_search", id="two hosted tools"),
    pytest.param(
        {"tools": "internet", "functions": [], "web_search_options": {}}, "", id="a word, and search"
    ),
]


@pytest.mark.parametrize(("given", "origin"), SEVERAL)
def test_of_several_tools_the_first_is_sent(given: JSON, origin: str) -> None:
    """Tess runs one tool a call, so the others are reported."""
    names = {"web_search": "internet" if origin else "wikipedia", "wiki": "wikipedia"}
    sent, reported = sent_and_reported(given, tool_names=names)
    assert sent == {"tools": "internet"}
    mapped = [("mapped", "tools", None)] if origin else []
    assert reported == [*mapped, ("rewritten", "tools", "request")]
    sent, reported = sent_and_reported(given, policy=Policy("forward"), tool_names=names)
    assert sent == given
    assert [each for each in reported if each[1] == "tools"] == [("forwarded", "tools", None)]


SETTINGS = [
    pytest.param(
        {"web_search_options": {"search_context_size": "high"}}, "web_search_options", id="of the old switch"
    ),
    pytest.param(
        {"tools": [{**SEARCH, "filters": {"allowed_domains": ["a.example"]}, "user_location": None}]},
        "tools",
        id="of a hosted tool",
    ),
]


@pytest.mark.parametrize(("given", "param"), SETTINGS)
def test_settings_that_a_word_cannot_carry_are_reported(given: JSON, param: str) -> None:
    """The word is sent, and what it was to be searched like is not lost in silence."""
    sent, reported = sent_and_reported(given)
    assert sent == {"tools": "internet"}
    assert reported == [("mapped", "tools", None), ("stripped", param, "request")]
    with pytest.raises(Refused) as caught:
        prepare(given, Options(policy=Policy("error")))
    assert caught.value.param == param
    sent, reported = sent_and_reported(given, policy=Policy("forward"))
    assert sent[param] == given[param]
    assert ("forwarded", param, None) in reported


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            {"web_search_options": {"search_context_size": "medium", "user_location": None, "x": ""}},
            id="of search",
        ),
        pytest.param({"tools": [{**SEARCH, "search_context_size": "medium", "filters": {}}]}, id="of a tool"),
    ],
)
def test_settings_that_change_nothing_are_not_reported(given: JSON) -> None:
    """OpenAI's default settings of a tool have no effect."""
    assert sent_and_reported(given, policy=Policy("error")) == (
        {"tools": "internet"},
        [("mapped", "tools", None)],
    )


@pytest.mark.parametrize("param", ["tool_choice", "function_call"])
def test_a_word_that_must_not_be_used_is_reported(param: str) -> None:
    """A caller who selects the agent's tool and forbids tools is warned, since Tess cannot do both."""
    given = {"tools": "internet", param: "none"}
    assert sent_and_reported(given) == ({"tools": "internet"}, [("stripped", param, "request")])


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"tools": {"type": "function"}, "tool_choice": "required"}, id="an object for tools"),
        pytest.param({"tools": 7}, id="a number for tools"),
        pytest.param({"tools": False}, id="false for tools"),
        pytest.param({"functions": "f", "function_call": {"name": "f"}}, id="a string for functions"),
    ],
)
def test_what_is_no_list_of_tools_is_sent_as_given(given: JSON) -> None:
    """Tess says itself what is wrong with it."""
    assert sent_and_reported(given, policy=Policy("error"), tools="wikipedia") == (given, [])
