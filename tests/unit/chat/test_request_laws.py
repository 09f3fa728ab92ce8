"""What holds for every request: nothing mutated, nothing vanishes, nothing undocumented, nothing twice."""

from __future__ import annotations

import copy
import json
from typing import Any, TypeAlias, get_args

from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.parameters import CHAT_PARAMETERS, TOOL_PARAMETERS
from tess_openai.core.chat.request_translation import TranslatedRequest
from tess_openai.core.chat_call import translate_request
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy, PolicyAction
from tess_openai.core.refusals import Refused
from tess_openai.testing import DEFAULT_AGENTS, Profile
from tess_openai.testing.chat_rules import find_problems

JSON: TypeAlias = dict[str, Any]

# What asks for nothing, so that it may go without a word; null, "", [] and {} always may.
NEUTRAL: dict[str, list[Any]] = {
    "frequency_penalty": [0],
    "logprobs": [False],
    "modalities": [["text"]],
    "n": [1],
    "presence_penalty": [0],
    "response_format": [{"type": "text"}],
    "service_tier": ["auto", "default"],
    "store": [False],
    "stream_options": [{"include_usage": True}, {"include_usage": False}, {"include_obfuscation": False}],
    "top_logprobs": [0],
    "top_p": [1],
    "verbosity": ["medium"],
    "tool_choice": ["auto", "none"],
    "function_call": ["auto", "none"],
}

texts = st.text(min_size=1, max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.just("")
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "name", "function", "tool_calls", "id", "x"]),
            inner,
        )
    ),
    max_leaves=10,
)
text_parts = st.fixed_dictionaries({"type": st.just("text"), "text": texts})
lost_parts = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "file", "file": {"file_data": "AAAA"}},
    ]
)
contents = texts | st.lists(text_parts | lost_parts, min_size=1, max_size=3)
identifiers = st.sampled_from(["call_1", "call_2"])
calls = st.fixed_dictionaries(
    {
        "id": identifiers,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.sampled_from(["f", "g"]), "arguments": texts}),
    }
)
messages = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user"]), "content": contents},
        optional={"name": texts},
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.none() | st.just("") | contents},
        optional={
            "tool_calls": st.none() | st.lists(calls, max_size=2),
            "refusal": st.none() | texts,
            "annotations": st.just([]),
            "audio": st.none(),
        },
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": identifiers, "content": contents}),
)
reply = st.fixed_dictionaries({"role": st.just("user"), "content": texts})
functions = st.sampled_from(
    [
        {"type": "function", "function": {"name": "f", "parameters": {}}},
        {"type": "web_search"},
        {"type": "custom"},
    ]
)
well_formed = st.fixed_dictionaries(
    {"messages": st.tuples(st.lists(messages, max_size=5), reply).map(lambda pair: [*pair[0], pair[1]])},
    optional={
        "model": st.just("tess-6"),
        "stream": st.booleans(),
        "temperature": st.floats(0, 2) | st.integers(0, 2) | st.sampled_from(["1", "0.7"]),
        "tools": st.sampled_from(["internet", "no-tools"]) | st.lists(functions, max_size=3),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "f"}}]
        ),
        "functions": st.lists(st.just({"name": "f"}), max_size=2),
        "root_id": st.integers(1, 99),
        "audience": texts,
        **{
            name: st.sampled_from(NEUTRAL.get(name, [None])) | scalars
            for name in sorted(CHAT_PARAMETERS)
            if name not in {"messages", "model", "stream", "temperature", "tools", "tool_choice", "functions"}
        },
    },
)
odd = st.dictionaries(
    st.sampled_from([*sorted(CHAT_PARAMETERS), "root_id", "file_ids", "x"]),
    anything | messages | st.lists(messages | anything, max_size=4),
    max_size=6,
)
words = st.sampled_from(["warn", "ignore", "forward"])


def translate(body: JSON, word: Any = "warn") -> TranslatedRequest:
    """Translate under a policy that does not refuse."""
    return translate_request(body, Options(policy=Policy(word)), new_id=str)


def all_texts(value: object) -> list[str]:
    """Return each text that a message says: content, parts, refusals, arguments."""
    if isinstance(value, str):
        return [value]
    found: list[str] = []
    for item in value if isinstance(value, list) else []:
        found += all_texts(item.get("text", "")) if isinstance(item, dict) else all_texts(item)
    return found


@given(well_formed | odd, words)
def test_what_the_caller_passed_is_not_changed(body: JSON, word: str) -> None:
    """The translation changes no value of the caller, however deeply nested."""
    before = copy.deepcopy(body)
    translate(body, word)
    assert json.dumps(body) == json.dumps(before)


@given(well_formed | odd, words)
def test_no_parameter_vanishes(body: JSON, word: str) -> None:
    """Each is sent, asks for nothing or is named in the ledger; and nothing is sent that was not asked."""
    translated = translate(body, word)
    named = {change.param.partition(".")[0] for change in translated.ledger.changes}
    if named & TOOL_PARAMETERS:
        named |= TOOL_PARAMETERS  # they are read together
    for name, value in body.items():
        gone = name not in translated.body
        nothing = value in (None, "", [], {}, [""], *NEUTRAL.get(name, ())) or name == "parallel_tool_calls"
        assert (
            not gone
            or nothing
            or name in named
            or "none" in (body.get("tool_choice"), body.get("function_call"))
        )
    assert set(translated.body) <= {*body, "tools", "file_ids"}


SHARED: dict[PolicyAction, Options] = {
    word: Options(policy=Policy(word)) for word in get_args(PolicyAction) if word != "error"
}


@given(well_formed | odd, st.lists(messages, max_size=3), st.sampled_from(sorted(SHARED)))
def test_earlier_calls_change_no_translation(body: JSON, others: list[JSON], word: PolicyAction) -> None:
    """A client remembers what parameters become, whatever messages they come with; it shows in nothing."""
    for given_body in (body, {**body, "messages": others}, body):
        outcomes: list[object] = []
        for options in (SHARED[word], Options(policy=Policy(word))):
            try:
                translated = translate_request(given_body, options, new_id=lambda: "1")
            except Refused as refused:
                outcomes.append(str(refused))
                continue
            outcomes.append((json.dumps(translated.body), translated.untouched, translated.ledger.changes))
            translated.body.clear()  # it is the call's own
        assert outcomes[0] == outcomes[1]


def test_parameters_are_worked_out_once_whatever_the_messages() -> None:
    """The cache is used; otherwise the law above would hold without testing it."""
    options = Options()
    for text in ("hi", "and now?"):
        translate_request({"messages": [{"role": "user", "content": text}], "seed": 1}, options, new_id=str)
    assert len(options.parameter_cache._made) == 1


def test_what_is_sent_as_given_is_of_this_very_call() -> None:
    """A cached translation never sends a value of the earlier call that it was made for."""
    options = Options()
    for _ in range(2):
        body = {"messages": [{"role": "user", "content": "hi"}], "x": [["deep"]], "metadata": {"a": "b"}}
        translated = translate_request(body, options, new_id=str)
        assert translated.body["x"] is body["x"]
        assert translated.body["messages"] is body["messages"]


@given(well_formed | odd)
def test_what_is_forwarded_is_what_was_given(body: JSON) -> None:
    """The policy `forward` sends each parameter that it names as it was."""
    translated = translate(body, "forward")
    for change in translated.ledger.changes:
        if change.action == "forwarded" and "." not in change.param and change.param != "stream_options":
            assert translated.body[change.param] == body[change.param]


@given(well_formed)
def test_no_text_vanishes(body: JSON) -> None:
    """Every word of the conversation arrives, from any role and in any form."""
    sent = "\n".join(message["content"] for message in translate(body).body["messages"])
    for message in body["messages"]:
        arguments = [call["function"]["arguments"] for call in message.get("tool_calls") or []]
        for text in [*all_texts(message["content"]), *all_texts(message.get("refusal")), *arguments]:
            assert text in sent


@given(well_formed, st.sampled_from(["warn", "ignore"]))
def test_what_is_sent_is_what_tess_documents(body: JSON, word: str) -> None:
    """The strict simulator accepts it, and shares no rule with the translation."""
    assert find_problems(translate(body, word).body, DEFAULT_AGENTS[0], Profile.strict()) == []


@given(well_formed, st.sampled_from(["warn", "ignore"]))
def test_translating_twice_changes_nothing(body: JSON, word: str) -> None:
    """What was sent needs no translation and is not reported again."""
    once = translate(body, word).body
    twice = translate(once, word)
    assert twice.untouched
    assert twice.body == once
    assert twice.ledger.changes == ()


@given(well_formed | odd)
def test_under_error_nothing_is_lost(body: JSON) -> None:
    """It is refused, or every change is one that drops nothing."""
    try:
        translated = translate_request(body, Options(policy=Policy("error")), new_id=str)
    except Refused:
        return
    assert {change.action for change in translated.ledger.changes} <= {"mapped"}
    assert [change.action for change in translate(body).ledger.changes] == [
        change.action for change in translated.ledger.changes
    ]


@given(well_formed | odd, words)
def test_no_text_of_the_callers_is_in_the_ledger(body: JSON, word: str) -> None:
    """The ledger has counts, types and numbers, and neither prompts nor other texts."""
    mark = "Prompt-that-must-not-be-reported"
    marked = json.loads(
        json.dumps(body), object_hook=lambda fields: {k: mark_text(k, v, mark) for k, v in fields.items()}
    )
    for change in translate(marked, word).ledger.changes:
        assert mark not in f"{change}{change.to_json()}"


def mark_text(name: str, value: object, mark: str) -> object:
    """Replace a text that may be a prompt or a secret; not names of roles, types and tools."""
    closed = {"role", "type", "tools", "tool_choice", "function_call"}
    return mark if isinstance(value, str) and name not in closed else value
