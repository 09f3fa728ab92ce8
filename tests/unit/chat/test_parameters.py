"""Every parameter of OpenAI's that Tess lacks: neutral values go in silence, all others are reported."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tess_openai.core.changes import Change, accept_advice
from tess_openai.core.chat.parameters import (
    EMULATE_REMEDY,
    TOOL_PARAMETERS,
    UNSUPPORTED,
    stop_sequences,
)
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat_call import translate_request
from tess_openai.core.options import Options, UsageOption
from tess_openai.core.policy import Policy, PolicyAction
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.refusals import Refused

prepare = partial(translate_request, new_id=lambda: "0123456789ab")

CHAT: dict[str, Any] = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}

# What OpenAI's own default or an absence means, for each parameter that has such a value.
NEUTRAL: dict[str, list[Any]] = {
    "frequency_penalty": [0, 0.0],
    "logit_bias": [{}],
    "logprobs": [False],
    "metadata": [{}],
    "modalities": [["text"], []],
    "n": [1],
    "presence_penalty": [0],
    "prompt_cache_key": [""],
    "prompt_cache_options": [{}],
    "response_format": [{"type": "text"}],
    "safety_identifier": [""],
    "service_tier": ["auto", "default"],
    "stop": [[], ""],
    "store": [False],
    "top_logprobs": [0],
    "top_p": [1, 1.0],
    "user": [""],
    "verbosity": ["medium"],
}
# A value that asks for something, for each parameter.
ASKING: dict[str, Any] = {
    "audio": {"voice": "alloy", "format": "mp3"},
    "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "max_completion_tokens": 100,
    "max_tokens": 100,
    "metadata": {"trace": "1"},
    "modalities": ["text", "audio"],
    "moderation": {"model": "m"},
    "n": 2,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": -0.5,
    "prompt_cache_key": "k",
    "prompt_cache_options": {"ttl": "1h"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "safety_identifier": "u",
    "seed": 0,
    "service_tier": "flex",
    "stop": "\n",
    "store": True,
    "top_logprobs": 2,
    "top_p": 0.9,
    "user": "u",
    "verbosity": "low",
}


def prepared_with(name: str, value: object, word: PolicyAction = "warn") -> TranslatedRequest:
    """Translate an ordinary chat with one more parameter."""
    return prepare({**CHAT, name: value}, Options(policy=Policy(word)))


def test_the_tables_of_this_test_name_every_parameter() -> None:
    """A parameter that is added without a value to try fails here."""
    assert set(ASKING) == set(UNSUPPORTED)
    assert set(NEUTRAL) <= set(UNSUPPORTED)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_the_warning_offers_emulation_where_it_exists(name: str) -> None:
    """A parameter with another way out names that one; all others can be accepted only."""
    (change,) = prepared_with(name, ASKING[name]).ledger.changes
    parameter = UNSUPPORTED[name]
    remedy = parameter.remedy or (EMULATE_REMEDY if parameter.can_emulate else accept_advice([name]))
    assert change.remedy == remedy
    assert (EMULATE_REMEDY in change.remedy) is (EMULATE_REMEDY in parameter.remedy or parameter.can_emulate)


def test_null_stream_options_are_not_forwarded() -> None:
    """As with any other parameter, null is "not given", whatever the policy says."""
    assert "stream_options" not in prepared_with("stream_options", None, "forward").body
    given = {"include_usage": True, "other": 1}
    assert prepared_with("stream_options", given, "forward").body["stream_options"] == given


WITHOUT = "Tess does not have it, so the stream comes without it"


@pytest.mark.parametrize(
    ("given", "shown", "why", "remedy"),
    [
        (
            {"include_usage": True},
            "include_usage",
            "Tess does not have it, so the stream has `usage` only if Tess sends it",
            'The usage can be estimated: create_client(usage="estimate").',
        ),
        ({"other": 1, "more": True}, "other, more", WITHOUT, accept_advice(["stream_options"])),
        ("usage", "a string of 5 characters", WITHOUT, accept_advice(["stream_options"])),
    ],
    ids=["the usage", "other options", "what is no object"],
)
def test_stream_options_that_are_lost_are_named(given: object, shown: str, why: str, remedy: str) -> None:
    """The adapter can estimate the usage; nothing replaces the other options."""
    body = {**CHAT, "stream": True, "stream_options": given}
    (change,) = prepare(body, Options(usage="none")).ledger.changes
    assert change == Change("stripped", "stream_options", shown, "", why, remedy, "request")


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_null_asks_for_nothing(name: str) -> None:
    """The SDK sends null for an explicit None."""
    translated = prepared_with(name, None, "error")
    assert (translated.body, translated.ledger.changes) == (CHAT, ())


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in NEUTRAL for value in NEUTRAL[name]])
def test_a_neutral_value_is_left_out_in_silence(name: str, value: object) -> None:
    """Even the strictest policy does not refuse it, since leaving it out changes nothing."""
    translated = prepared_with(name, value, "error")
    assert (translated.body, translated.ledger.changes) == (CHAT, ())
    assert not translated.untouched


@pytest.mark.parametrize(("name", "value"), [("n", True), ("frequency_penalty", False), ("logprobs", 0)])
def test_a_number_is_no_truth_value(name: str, value: object) -> None:
    """`n=True` is a mistake of the caller's, although it is equal to 1 in Python."""
    assert [change.param for change in prepared_with(name, value).ledger.changes] == [name]


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_warn_omits_and_warns(name: str) -> None:
    """The ledger has one change for the parameter, with the category that silences it."""
    translated = prepared_with(name, ASKING[name])
    assert translated.body == CHAT
    (change,) = translated.ledger.changes
    assert (change.action, change.param, change.warn) == ("stripped", name, "request")
    assert change.why.startswith("Tess does not have it, so ")


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_ignore_omits_and_keeps_it_in_the_ledger(name: str) -> None:
    """The caller gets no warning, and the change is recorded."""
    translated = prepared_with(name, ASKING[name], "ignore")
    assert translated.body == CHAT
    assert [(change.param, change.warn) for change in translated.ledger.changes] == [(name, None)]


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_error_refuses_as_openai_does(name: str) -> None:
    """400, `unsupported_parameter`, and `param` is the parameter's name."""
    with pytest.raises(Refused) as caught:
        prepared_with(name, ASKING[name], "error")
    refused = caught.value
    assert (refused.status, refused.param, refused.code) == (400, name, "unsupported_parameter")


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_forward_sends_as_given(name: str) -> None:
    """The body is what the caller gave, and the ledger says so."""
    translated = prepared_with(name, ASKING[name], "forward")
    assert translated.body == {**CHAT, name: ASKING[name]}
    assert translated.untouched
    assert [(change.action, change.param) for change in translated.ledger.changes] == [("forwarded", name)]


@pytest.mark.parametrize("name", [name for name in UNSUPPORTED if UNSUPPORTED[name].can_emulate])
def test_what_can_be_emulated_states_how(name: str) -> None:
    """The warning names the remedy."""
    (change,) = prepared_with(name, ASKING[name]).ledger.changes
    assert change.remedy == (
        "It can be emulated: create_client(emulate=True); a preset takes emulate=True too."
    )


@pytest.mark.parametrize(
    ("stream_options", "usage", "lost"),
    [
        pytest.param(None, "none", None, id="null asks for nothing"),
        pytest.param({}, "none", None, id="an empty object asks for nothing"),
        pytest.param({"include_usage": True}, "estimate", None, id="the usage is given by the adapter"),
        pytest.param({"include_usage": True}, "none", "include_usage", id="the usage cannot be given"),
        pytest.param({"include_usage": False}, "none", None, id="no usage is wanted"),
        pytest.param({"include_obfuscation": False}, "none", None, id="no padding is wanted"),
        pytest.param(
            {"include_obfuscation": True}, "estimate", "include_obfuscation", id="padding is wanted"
        ),
        pytest.param([1, 2], "estimate", "a list of 2", id="no object"),
    ],
)
def test_stream_options_are_honoured_or_reported(
    stream_options: object, usage: UsageOption, lost: str | None
) -> None:
    """`include_usage` is the adapter's own work; what it cannot do is a change."""
    translated = prepare(
        {**CHAT, "stream": True, "stream_options": stream_options},
        Options(usage=usage),
    )
    assert translated.body == {**CHAT, "stream": True}
    reported = [(change.param, change.given) for change in translated.ledger.changes]
    assert reported == ([("stream_options", lost)] if lost else [])


def test_stream_options_can_be_forwarded() -> None:
    """The policy `"forward"` sends them as given."""
    options = {"include_obfuscation": True}
    translated = prepare({**CHAT, "stream_options": options}, Options(policy=Policy("forward")))
    assert translated.body == {**CHAT, "stream_options": options}


@pytest.mark.parametrize(
    ("stream_options", "wanted"),
    [({"include_usage": True}, True), ({"include_usage": 1}, False), (None, False), ([True], False)],
)
def test_usage_is_wanted_only_when_it_is_asked_for(*, stream_options: object, wanted: bool) -> None:
    """A stream ends in a chunk with `usage` for those who asked."""
    assert prepare({**CHAT, "stream_options": stream_options}, Options()).include_usage is wanted


@pytest.mark.parametrize(
    ("value", "sequences"),
    [
        pytest.param(None, (), id="null is none"),
        pytest.param("\n", ("\n",), id="a string is one"),
        pytest.param(["a", "b"], ("a", "b"), id="a list is several"),
        pytest.param(["", 7, None, "a"], ("a",), id="what cannot stop anything is passed over"),
        pytest.param({"a": 1}, (), id="an object is none"),
    ],
)
def test_stop_sequences_are_read(value: object, sequences: tuple[str, ...]) -> None:
    """OpenAI takes a string or up to four."""
    assert stop_sequences(value) == sequences


CUSTOM: dict[str, Any] = {
    "root_id": 7,
    "file_ids": [1, 2],
    "memory_collections": [],
    "waitExecution": True,
    "nome-da-empresa": None,
    "thinking": {"a": {"b": "c"}},
}


def test_fields_of_the_agents_own_pass_untouched() -> None:
    """Only parameters of OpenAI's chat API are ever left out; a null of another field is sent too."""
    given = {**CHAT, **CUSTOM}
    translated = prepare(given, Options(policy=Policy("error")))
    assert translated.untouched
    assert translated.body == given


def test_a_calls_own_options_are_consumed() -> None:
    """`tess_openai` configures this call and is not sent."""
    translated = prepare({**CHAT, "seed": 7, "tess_openai": {"unsupported": "ignore"}}, Options())
    assert translated.body == CHAT
    assert [(change.param, change.warn) for change in translated.ledger.changes] == [("seed", None)]


@pytest.mark.parametrize("name", ["model", "stream", "messages", "temperature", "tools"])
def test_null_for_a_parameter_of_tess_is_left_out(name: str) -> None:
    """An explicit None means "not given"."""
    given = {**CHAT, name: None}
    translated = prepare(given, Options(policy=Policy("error")))
    assert translated.body == {key: value for key, value in given.items() if key != name}


def test_a_policy_can_be_set_for_every_parameter() -> None:
    """`unsupported=` takes all of them, the tools' included."""
    assert (
        set(UNSUPPORTED) | TOOL_PARAMETERS | {"messages", "temperature", "stream_options"}
        <= POLICY_PARAMETERS
    )
