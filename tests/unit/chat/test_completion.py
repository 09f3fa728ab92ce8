"""Whole answers: completed, turned into chunks and out of them."""

from __future__ import annotations

import copy
import json
import re
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.completion import (
    contents_of,
    from_chunks,
    has_output,
    parse_completion,
    to_chunks,
)
from tess_openai.core.chat.finish_reasons import FINISH_REASONS
from tess_openai.core.jsons import parse_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy
from tests.unit.chat.completions import CALLS, FULL, choice, completed, reader

JSON: TypeAlias = dict[str, Any]


def test_a_complete_answer_is_unchanged() -> None:
    """Its own bytes may pass."""
    assert completed(FULL, prompts=["hello"]) == (FULL, False)


@pytest.mark.parametrize("reason", FINISH_REASONS)
def test_openais_finish_reasons_stay(reason: str) -> None:
    """None of OpenAI's five finish reasons is changed."""
    full = choice(index=0, message={"role": "assistant", "content": "Hi"}, finish_reason=reason)
    assert completed(full) == (full, False)


@pytest.mark.parametrize(
    ("given", "made_up"),
    [
        pytest.param({**FULL, "id": None}, {"id": "chatcmpl-made-up"}, id="a null id"),
        pytest.param({**FULL, "id": ""}, {"id": "chatcmpl-made-up"}, id="an empty id"),
        pytest.param({**FULL, "id": 7}, {"id": "7"}, id="an id that is a number"),
        pytest.param({**FULL, "id": True}, {"id": "chatcmpl-made-up"}, id="an id that is true"),
        pytest.param({**FULL, "object": "answer"}, {}, id="another object"),
        pytest.param({**FULL, "created": "now"}, {"created": 99}, id="a time that is no number"),
        pytest.param({**FULL, "created": "1700000001"}, {"created": 1700000001}, id="a time that is a text"),
        pytest.param({**FULL, "service_tier": "gold"}, {}, id="a tier that OpenAI does not have"),
        pytest.param(
            choice(**{**FULL["choices"][0], "index": "2"}),
            {"choices": [{**FULL["choices"][0], "index": 2}]},
            id="an index that is not the position",
        ),
        pytest.param(choice(**FULL["choices"][0], logprobs=7), {}, id="log probabilities that are a number"),
        pytest.param({**FULL, "model": None}, {"model": "asked-for"}, id="a null model"),
        pytest.param(choice(message={"content": "Hi"}), {}, id="a text alone"),
        pytest.param(
            choice(index=0, message={"role": "model", "content": "Hi"}, finish_reason="stop"),
            {},
            id="another role",
        ),
        pytest.param(
            choice(index="0", message={"role": "assistant", "content": "Hi"}, finish_reason=["stop"]),
            {},
            id="an index and a finish reason of other types",
        ),
        pytest.param(
            choice(index=0, message={"role": "assistant", "content": "Hi"}, finish_reason=""),
            {},
            id="no reason",
        ),
    ],
)
def test_an_answer_is_completed(given: JSON, made_up: JSON) -> None:
    """Each field is added without which some client fails."""
    assert completed(given) == ({**FULL, **made_up}, True)
    lacking = {key: value for key, value in given.items() if value is not None}
    assert completed(lacking) == ({**FULL, **made_up}, True)


LACKS: dict[tuple[Any, ...], list[Any]] = {
    ("id",): ["", 5, None],
    ("object",): ["x", None],
    ("created",): ["1", True, 1.0, None],
    ("model",): [None, 7],
    ("choices", 0, "index"): ["0", True, 0.0, None],
    ("choices", 0, "message", "role"): ["user", None],
    ("choices", 0, "message", "content"): [["x"], 7],
    ("choices", 0, "finish_reason"): ["end", "", [], None],
    ("usage",): [{}, "x", None, {**FULL["usage"], "prompt_tokens": 1.0}],
    ("usage", "total_tokens"): [True, "2"],
    ("error",): ["partial failure"],
}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path in LACKS for value in LACKS[path]])
def test_an_answer_that_lacks_one_thing_is_completed(path: tuple[Any, ...], value: object) -> None:
    """Its own bytes would lack it, too."""
    answer = copy.deepcopy(FULL)
    holder: Any = answer
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    completion = parse_completion(json.dumps(answer).encode(), None, lambda _: None)
    assert completion is not None
    assert completed(completion.fields, prompts=["hello"])[1] or not completion.untouched


def test_a_message_of_calls_gets_a_null_content() -> None:
    """OpenAI's messages with calls have null as content too."""
    fields, changed = completed(
        choice(index=0, message={"role": "assistant", "tool_calls": CALLS}, finish_reason="stop")
    )
    assert changed
    assert fields["choices"][0]["message"] == {"role": "assistant", "tool_calls": CALLS, "content": None}
    assert "tess_openai" not in fields


@pytest.mark.parametrize(
    ("given", "meant", "noticed"),
    [
        pytest.param("max_tokens", "length", [], id="a limit"),
        pytest.param("max_output_tokens", "length", [], id="a limit in other words"),
        pytest.param("end_turn", "stop", [], id="an end"),
        pytest.param("tool_use", "tool_calls", [], id="a call"),
        pytest.param("recitation", "stop", ["recitation"], id="an unknown word"),
        pytest.param("it was over", "stop", ["a string of 11 characters"], id="no word"),
        pytest.param({"a": 1}, "stop", ["an object with 1 key"], id="an object"),
        pytest.param(None, "stop", [], id="nothing"),
    ],
)
def test_a_finish_reason_of_anothers_is_translated(given: object, meant: str, noticed: list[str]) -> None:
    """A truncated answer must not look complete, and an unknown word is recorded."""
    ledger = Ledger(Policy())
    one = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": given}
    fields, changed = completed({**FULL, "choices": [one, {**one, "index": 1}]}, ledger)
    assert [each["finish_reason"] for each in fields["choices"]] == [meant, meant]
    assert [(change.action, change.given) for change in ledger.changes] == [("noticed", x) for x in noticed]
    assert changed


def test_an_error_beside_a_text_is_reported_and_moved() -> None:
    """The text was paid for; and the SDK takes a root field `error` of a stream for a failure."""
    ledger = Ledger(Policy())
    given = {**FULL, "error": "partial failure"}
    assert completed(given, ledger) == ({**FULL, "tess": {"error": "partial failure"}}, True)
    assert [(change.action, change.warn) for change in ledger.changes] == [("noticed", "answer")]
    notes: list[Change] = []
    item, *_ = to_chunks(copy.deepcopy(given), ChunkReader("m", lambda: 99, lambda: "x", notes.append))
    assert (item.fields["tess"], "error" in item.fields) == ({"error": "partial failure"}, False)
    assert notes == list(ledger.changes)


@pytest.mark.parametrize("error", [None, False, "", {}])
def test_no_error_is_nothing_to_report(error: object) -> None:
    """Tess's own answers have a null one."""
    assert completed({**FULL, "error": error}) == ({**FULL, "error": error}, False)


@pytest.mark.parametrize("content", [None, ""])
def test_an_answer_without_text_states_it(content: object) -> None:
    """The ledger records it, so that the caller is warned."""
    ledger = Ledger(Policy())
    completed(choice(index=0, message={"role": "assistant", "content": content}), ledger)
    assert [change.warn for change in ledger.changes] == ["answer"]


@pytest.mark.parametrize("usage", [None, {}, [1], [], 7, "x", {"total_tokens": True}, {"credits": 3}])
def test_usage_without_a_count_is_estimated(usage: object) -> None:
    """Where estimates are allowed, the counts are marked as one; otherwise there is no usage."""
    given = {**FULL, "usage": usage}
    fields, changed = completed(given, prompts=["12345678"])
    assert changed
    assert fields["usage"] == {
        "prompt_tokens": 6,
        "completion_tokens": 1,
        "total_tokens": 7,
        "estimated": True,
    }
    assert completed(given)[0]["usage"] is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(None, id="nothing"),
        pytest.param({}, id="an empty object"),
        pytest.param({"choices": None}, id="null choices"),
        pytest.param({"choices": []}, id="no choice"),
        pytest.param({**FULL, "choices": [{"message": {"content": ""}}], "error": "x"}, id="an error"),
        pytest.param(
            {"choices": [{"message": {"content": "H"}, "finish_reason": "error"}]}, id="a failure with a text"
        ),
    ],
)
def test_what_is_no_completion_is_known(fields: JSON | None) -> None:
    """It becomes an error, not an object that breaks later."""
    assert parsed(fields) is None
    assert parsed(FULL) == FULL


@pytest.mark.parametrize(
    ("choices", "place"),
    [
        pytest.param({"0": {}}, "choices[0] has no message", id="a choice in an object, without a message"),
        pytest.param([None], "choices[0] is null", id="a null choice"),
        pytest.param([{"message": None}], "choices[0] has no message", id="a null message"),
        pytest.param([{"message": 7}], "choices[0].message is 7", id="a message that is a number"),
        pytest.param(
            [{"message": {"content": "Hi"}}, 7], "choices[1] is 7", id="one good choice and a number"
        ),
        pytest.param(7, "choices is 7", id="choices that are a number"),
    ],
)
def test_a_part_that_cannot_be_read_is_named(choices: object, place: str) -> None:
    """Nothing is dropped in silence."""
    with pytest.raises(InvalidAnswerError, match=re.escape(place)):
        parsed({"choices": choices})


@pytest.mark.parametrize(
    "choices",
    [
        pytest.param([{"message": "Hi"}], id="a message that is a string"),
        pytest.param([{"message": ["Hi"]}], id="a message that is a list of parts"),
        pytest.param([{"text": "Hi"}], id="a text completion"),
        pytest.param([{"delta": {"content": "Hi"}}], id="a delta for a message"),
        pytest.param({"0": {"message": {"content": "Hi"}}}, id="an object with numbered keys"),
        pytest.param({"message": {"content": "Hi"}}, id="one choice without a list"),
        pytest.param(["Hi"], id="a choice that is a string"),
        pytest.param("Hi", id="choices that are a string"),
        pytest.param([{"message": {"content": [{"type": "text", "text": "Hi"}]}}], id="a content part"),
        pytest.param([{"message": {"content": ["H", {"text": {"value": "i"}}]}}], id="several parts"),
    ],
)
def test_one_reading_is_taken(choices: object) -> None:
    """A value of another type is converted to the text that it means."""
    fields = parsed({"choices": choices})
    assert fields is not None
    assert contents_of(fields) == ["Hi"]


def parsed(fields: JSON | None) -> JSON | None:
    """Parse a completion from its JSON."""
    completion = parse_completion(json.dumps(fields).encode(), None, lambda _: None)
    return None if completion is None else completion.fields


def test_texts_and_output_are_found() -> None:
    """All choices are searched, and calls and refusals count as output."""
    two = {"choices": [{"message": {"content": "a"}}, {"message": {"content": None, "tool_calls": CALLS}}]}
    assert contents_of(two) == ["a"]
    assert has_output(two)
    assert has_output({"choices": [{"message": {"refusal": "no"}}]})
    assert not has_output({"choices": [{"message": {"content": ""}}]})


values: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.just([]) | st.just({}) | st.just(CALLS)
)
messages = st.dictionaries(st.sampled_from(["role", "content", "refusal", "tool_calls"]), values, min_size=1)
choices = st.fixed_dictionaries({"message": messages}, optional={"index": values, "finish_reason": values})
completions = st.fixed_dictionaries(
    {"choices": st.lists(choices, min_size=1, max_size=3)},
    optional=dict.fromkeys(["id", "object", "created", "model", "usage", "error"], values),
)


@given(completions)
def test_no_answer_raises_and_completing_twice_changes_nothing(given: JSON) -> None:
    """Fields of any type become what clients read, in both forms, or the answer is refused."""
    try:
        fields = parsed(given)
        assume(fields is not None)
        assert fields is not None
        once, _ = completed(fields, prompts=["a"])
    except InvalidAnswerError:
        return
    for each in once["choices"]:
        assert type(each["index"]) is int
        assert each["message"]["role"] == "assistant"
        assert each["finish_reason"] in FINISH_REASONS
    assert completed(once, prompts=["a"])[0] == once
    chunks = [each.fields for each in to_chunks(fields, reader())]
    assert all(parse_object(json.dumps(each)) == each for each in chunks)
    assert parsed(from_chunks(chunks)) is not None
