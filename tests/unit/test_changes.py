"""A change says what was done and never repeats a text of the caller."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.changes import Change, accept_advice, describe, summarize
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy, PolicyAction
from tess_openai.core.refusals import Refused

MARK = "Prompt-that-must-not-be-shown"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "null", id="null"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(7, "7", id="an integer"),
        pytest.param(0.7, "0.7", id="a number"),
        pytest.param(0.123456789, "0.123457", id="a number of many digits"),
        pytest.param(10**23, str(10**23), id="the longest integer"),
        pytest.param(10**24, "a number", id="an integer that may be a secret"),
        pytest.param("secret", "a string of 6 characters", id="a string"),
        pytest.param("", "a string of 0 characters", id="the empty string"),
        pytest.param(["secret"], "a list of 1", id="a list"),
        pytest.param({"secret": 1, "b": 2}, "an object with 2 keys", id="an object"),
        pytest.param((1,), "a tuple", id="what is no JSON"),
    ],
)
def test_a_value_is_described(value: object, text: str) -> None:
    """Numbers, booleans and null are shown, all else by its size."""
    assert describe(value) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(MARK),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just(MARK), inner, max_size=1),
    max_leaves=8,
)


@given(json_values)
def test_no_text_is_ever_described_by_itself(value: object) -> None:
    """A description repeats neither a string nor the key of an object."""
    assert MARK not in describe(value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param(
            Change("rewritten", "temperature", "0.7", "0.75", "it takes options", "Ask for one of these."),
            "temperature=0.7 was changed to 0.75: it takes options. Ask for one of these.",
            id="what was given, what was sent, why, and a remedy",
        ),
        pytest.param(
            Change("stripped", "seed", "7", "", "Tess does not have it"),
            "seed=7 was not sent: Tess does not have it.",
            id="nothing was sent",
        ),
        pytest.param(
            Change("noticed", "answer", "", "", "no text", "Ask again."),
            "answer needs attention: no text. Ask again.",
            id="nothing was given",
        ),
        pytest.param(
            Change("stripped", "stop", "a list of 2", "", "Tess does not have it"),
            "stop (a list of 2) was not sent: Tess does not have it.",
            id="a value that is not shown",
        ),
        pytest.param(
            Change("stripped", "tool_choice", '"required"', "", "Tess makes no calls"),
            'tool_choice="required" was not sent: Tess makes no calls.',
            id="a word of OpenAI",
        ),
    ],
)
def test_a_change_reads_as_one_line(change: Change, text: str) -> None:
    """The text of a warning gives the parameter, its values, what was done, why, and what to do."""
    assert str(change) == text


def test_several_changes_are_a_list_on_one_line() -> None:
    """How to accept them is stated once, for all of them; any other remedy stays with its change."""
    ledger = Ledger(Policy())
    for param in ("seed", "user"):
        ledger.resolve_unsupported(param, given="7", why="it is so")
    ledger.resolve_unsupported("top_p", given="0.5", why="it is so", remedy="Use temperature instead.")
    assert summarize(ledger.changes) == (
        "3 changes: (1) seed=7 was not sent: it is so. (2) user=7 was not sent: it is so. "
        "(3) top_p=0.5 was not sent: it is so. Use temperature instead. Leave them out, or accept this: "
        'create_client(unsupported={"seed": "ignore", "user": "ignore"}).'
    )
    assert summarize([ledger.changes[2]] * 2) == (
        "2 changes: (1) top_p=0.5 was not sent: it is so. Use temperature instead. "
        "(2) top_p=0.5 was not sent: it is so. Use temperature instead."
    )
    assert summarize(ledger.changes[:1]) == (
        "seed=7 was not sent: it is so. Leave it out, or accept this: "
        'create_client(unsupported={"seed": "ignore"}).'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("required", '"required"'),
        (["required"], '["required"]'),
        ({"type": "required", "name": MARK}, 'an object of type "required"'),
        (MARK, "a string of 29 characters"),
        (["required", MARK], "a list of 2"),
        ({"type": MARK}, "an object with 1 key"),
    ],
    ids=["a string", "a list", "an object", "another string", "a list with another", "another type"],
)
def test_a_word_that_openai_defines_is_shown(value: object, text: str) -> None:
    """No other string is shown, wherever it is."""
    assert describe(value, ("required",)) == text


def test_a_change_on_an_answer_has_no_remedy_and_no_category() -> None:
    """The JSON form holds what a program reads."""
    change = Change("stripped", "seed", "7", "", "why", "remedy", "request")
    assert change.to_json() == {"action": "stripped", "param": "seed", "given": "7", "sent": "", "why": "why"}
    assert json.loads(json.dumps(change.to_json())) == change.to_json()


def test_a_forwarded_parameter_is_recorded_as_it_was_given() -> None:
    """Tess may ignore or refuse it, and the reason says so."""
    ledger = Ledger(Policy("forward"))
    ledger.resolve_unsupported("seed", given="7", why="Tess does not document it", sent="8", remedy="Use 8.")
    assert ledger.changes == (
        Change(
            "forwarded", "seed", "7", "7", "sent as given, as unsupported= says; Tess may ignore or refuse it"
        ),
    )


@pytest.mark.parametrize(
    ("word", "can_emulate", "verdict", "recorded"),
    [
        pytest.param("warn", False, "drop", ("stripped", "request"), id="warn strips and warns"),
        pytest.param("ignore", False, "drop", ("stripped", None), id="ignore strips in silence"),
        pytest.param("forward", False, "keep", ("forwarded", None), id="forward sends"),
        pytest.param("emulate", True, "emulate", None, id="emulate has the record made by the emulation"),
        pytest.param("emulate", False, "drop", ("stripped", "request"), id="what cannot be emulated warns"),
    ],
)
def test_the_policy_decides(*, word: PolicyAction, can_emulate: bool, verdict: str, recorded: object) -> None:
    """Each word has its verdict and its entry in the ledger."""
    ledger = Ledger(Policy(word))
    assert ledger.resolve_unsupported("seed", given="7", why="it is so", can_emulate=can_emulate) == verdict
    assert [(change.action, change.warn) for change in ledger.changes] == ([recorded] if recorded else [])


def test_an_error_names_the_parameter_and_a_way_out() -> None:
    """The policy `error` refuses as OpenAI does and records nothing."""
    ledger = Ledger(Policy("error"))
    with pytest.raises(
        Refused, match=r'seed: it is so\..*create_client\(unsupported=\{"seed": "warn"\}\)'
    ) as caught:
        ledger.resolve_unsupported("seed", given="7", why="it is so")
    assert (caught.value.param, caught.value.code, ledger.changes) == ("seed", "unsupported_parameter", ())


def test_a_parameter_cannot_be_emulated_unless_its_rule_says_so() -> None:
    """The policy `emulate` for all parameters warns about those that nothing emulates."""
    ledger = Ledger(Policy("emulate"))
    assert ledger.resolve_unsupported("seed", given="7", why="it is so") == "drop"
    (change,) = ledger.changes
    assert (change.warn, change.remedy) == ("request", accept_advice(["seed"]))


def test_each_change_is_reported_once() -> None:
    """A change that was reported is not reported again when the answer adds to the ledger."""
    ledger = Ledger(Policy())
    ledger.mapped("tools", "a", "b", "c")
    assert [change.param for change in ledger.take_unreported()] == ["tools"]
    ledger.mapped("stream", "a", "b", "c")
    assert [change.param for change in ledger.take_unreported()] == ["stream"]
    assert ledger.take_unreported() == ()
    assert [change.param for change in ledger.changes] == ["tools", "stream"]


def test_a_ledger_in_the_body_is_the_one_of_the_header() -> None:
    """A program may change the objects of the body without changing the ledger."""
    ledger = Ledger(Policy())
    assert (ledger.to_text(), ledger.to_json()) == ("[]", [])
    ledger.mapped("tools", "a", "b", "c")
    ledger.to_json()[0].clear()
    assert json.loads(ledger.to_text()) == ledger.to_json() == [ledger.changes[0].to_json()]
