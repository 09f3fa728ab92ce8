"""One word per parameter: its own, else its parent's, else the default; for a client and for one call."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tess_openai.core.options import Options
from tess_openai.core.policy import POLICY_ACTIONS, Policy, Unsupported, parse_unsupported
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.refusals import Refused

MIXED = Policy("warn", {"seed": "ignore", "messages": "error", "messages.content": "forward"})


@pytest.mark.parametrize(
    ("param", "word"),
    [
        pytest.param("seed", "ignore", id="a parameter has its own word"),
        pytest.param("top_p", "warn", id="a parameter without one has the default"),
        pytest.param("messages.name", "error", id="a part has its parent's word"),
        pytest.param("messages.content", "forward", id="a part's own word beats its parent's"),
        pytest.param("metadata.seed", "warn", id="the name of a part alone is no parameter"),
    ],
)
def test_a_parameter_has_one_word(param: str, word: str) -> None:
    """The most particular word counts."""
    assert MIXED.action_for(param) == word


@pytest.mark.parametrize(
    ("other", "merged"),
    [
        pytest.param(None, MIXED, id="nothing changes nothing"),
        pytest.param("error", Policy("error"), id="a word replaces all"),
        pytest.param({}, MIXED, id="an empty mapping changes nothing"),
        pytest.param({"*": "error"}, Policy("error", MIXED.by_param), id="a star replaces the default alone"),
        pytest.param(
            {"seed": "forward"},
            Policy("warn", {**MIXED.by_param, "seed": "forward"}),
            id="a mapping replaces what it names",
        ),
    ],
)
def test_a_call_overrides_the_client(other: Unsupported | None, merged: Policy) -> None:
    """A call's own policy takes precedence, and the client's is not changed."""
    before = dict(MIXED.by_param)
    assert MIXED.overridden_by(other) == merged
    assert MIXED.by_param == before


@pytest.mark.parametrize("word", POLICY_ACTIONS)
def test_each_word_counts_for_all_for_one_and_for_the_rest(word: str) -> None:
    """The five words are accepted wherever a word may stand."""
    assert parse_unsupported(word, POLICY_PARAMETERS) == word
    mapping = {"seed": word, "*": word, "messages.content": word}
    assert parse_unsupported(mapping, POLICY_PARAMETERS) == mapping


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("Warn", "unsupported is 'Warn'; it must be one of 'warn'", id="a word in capitals"),
        pytest.param("", "unsupported is ''", id="an empty word"),
        pytest.param(None, "or a mapping of parameters", id="nothing"),
        pytest.param(["warn"], "or a mapping of parameters", id="a list"),
        pytest.param({"sed": "warn"}, "contains 'sed'.*did you mean 'seed'", id="a misspelt parameter"),
        pytest.param({"qqqqqq": "warn"}, '"\\*" means all that are not named', id="no parameter at all"),
        pytest.param({"root_id": "warn"}, "no parameter of OpenAI's APIs", id="a field of the agent's"),
        pytest.param({7: "warn"}, "contains 7", id="a name that is a number"),
        pytest.param({"seed": "strip"}, r"unsupported\['seed'\] is 'strip'", id="a word that is none"),
        pytest.param({"seed": None}, r"unsupported\['seed'\] is None", id="null for a word"),
        pytest.param({"seed": []}, r"unsupported\['seed'\] is \[\]", id="a list for a word"),
    ],
)
def test_a_mistake_states_what_is_wrong(given: object, expected: str) -> None:
    """A typo is an error that names it, not a policy that never applies."""
    with pytest.raises(ValueError, match=expected):
        parse_unsupported(given, POLICY_PARAMETERS)


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({}, {}, id="no option"),
        pytest.param({"unsupported": "error"}, {"policy": Policy("error")}, id="a word"),
        pytest.param(
            {"unsupported": {"seed": "ignore"}},
            {"policy": Policy("warn", {"seed": "ignore"})},
            id="a mapping",
        ),
        pytest.param({"merge_messages": False}, {"merge_messages": False}, id="no merging"),
        pytest.param({"usage": "none"}, {"usage": "none"}, id="no estimate"),
        pytest.param(
            {"usage": "none", "merge_messages": False},
            {"usage": "none", "merge_messages": False},
            id="several",
        ),
        pytest.param({"max_repairs": 0}, {"max_repairs": 0}, id="no repairs"),
        pytest.param({"max_repairs": 3}, {"max_repairs": 3}, id="several repairs"),
        pytest.param({"max_answer_seconds": 0.5}, {"max_answer_seconds": 0.5}, id="half a second"),
        pytest.param({"max_answer_seconds": None}, {"max_answer_seconds": None}, id="no limit"),
        pytest.param({"tools": "none"}, {"tools": "none"}, id="another value for tools"),
        pytest.param({"long_answers": "poll"}, {"long_answers": "poll"}, id="polling"),
        pytest.param({"long_answers": None}, {"long_answers": None}, id="no polling"),
        pytest.param({"on_cut": "return"}, {"on_cut": "return"}, id="another action for a cut"),
        pytest.param({"attachments": "upload"}, {"attachments": "upload"}, id="uploading"),
    ],
)
def test_a_call_has_options_of_its_own(given: dict[str, Any], changed: dict[str, Any]) -> None:
    """`extra_body={"tess_openai": {...}}` changes the options that it names, for one call."""
    options = Options(workspace_id="7", tools="internet")
    own = options.for_call(given, POLICY_PARAMETERS)
    assert own == Options(**{"workspace_id": "7", "tools": "internet", **changed})
    assert options == Options(workspace_id="7", tools="internet")


@pytest.mark.parametrize(
    ("given", "param", "expected"),
    [
        pytest.param(None, "tess_openai", "must be an object", id="null"),
        pytest.param("warn", "tess_openai", "must be an object", id="a word instead of an object"),
        pytest.param({"unsuported": "warn"}, "tess_openai.unsuported", "not an option", id="a misspelt one"),
        pytest.param({"unsupported": "wrn"}, "tess_openai.unsupported", "must be one of", id="a bad word"),
        pytest.param({"unsupported": {"sed": "warn"}}, "tess_openai.unsupported", "seed", id="a bad name"),
        pytest.param({"merge_messages": 1}, "tess_openai.merge_messages", "wrong kind", id="1 for true"),
        pytest.param({"usage": "guess"}, "tess_openai.usage", "wrong kind", id="another word for usage"),
        pytest.param({"usage": ["none"]}, "tess_openai.usage", "wrong kind", id="a list for usage"),
        pytest.param({"max_repairs": -1}, "tess_openai.max_repairs", "wrong kind", id="repairs below 0"),
        pytest.param({"max_repairs": True}, "tess_openai.max_repairs", "wrong kind", id="true for a count"),
        pytest.param(
            {"max_repairs": 1.0}, "tess_openai.max_repairs", "wrong kind", id="a fraction for a count"
        ),
        pytest.param({"tools": None}, "tess_openai.tools", "a string", id="null for tools"),
        pytest.param({"on_cut": None}, "tess_openai.on_cut", "wrong kind", id="null for an action"),
        pytest.param({"long_answers": "wait"}, "tess_openai.long_answers", "wrong kind", id="another way"),
        *(
            pytest.param(
                {"max_answer_seconds": given},
                "tess_openai.max_answer_seconds",
                "wrong kind",
                id=f"{given} seconds",
            )
            for given in (0, -1, True, math.inf, math.nan, "1")
        ),
    ],
)
def test_a_calls_bad_option_is_refused(given: object, param: str, expected: str) -> None:
    """It is refused as OpenAI refuses: 400 with `param` and a code, before the network."""
    with pytest.raises(Refused, match=expected) as caught:
        Options().for_call(given, POLICY_PARAMETERS)
    assert (caught.value.status, caught.value.param, caught.value.code) == (400, param, "invalid_option")
