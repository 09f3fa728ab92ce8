"""What each event of a stream is: a chunk to complete, an error in any shape, an end, a ping."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.chunks import Chunk
from tess_openai.core.chat.finish_reasons import FINISH_REASONS
from tests.unit.chat.chunk_events import FULL, choice, chunk_of, event, reader, without

JSON: TypeAlias = dict[str, Any]


def test_a_complete_chunk_is_untouched() -> None:
    """Its own bytes may pass."""
    chunk = chunk_of(FULL)
    assert chunk.untouched
    assert chunk.fields == FULL


@pytest.mark.parametrize("reason", FINISH_REASONS)
def test_openais_finish_reasons_are_untouched(reason: str) -> None:
    """They are remembered too, so that the adapter adds none."""
    of = reader()
    assert chunk_of(choice(index=0, delta={"role": "assistant"}, finish_reason=reason), of).untouched
    assert of.closing_chunk() is None


COMPLETED = [
    pytest.param(without(FULL, "id"), {"id": "chatcmpl-made-up"}, id="no id"),
    pytest.param({**FULL, "id": ""}, {"id": "chatcmpl-made-up"}, id="an empty id"),
    pytest.param({**FULL, "id": 7}, {"id": "7"}, id="an id that is a number"),
    pytest.param(without(FULL, "object"), {}, id="no object"),
    pytest.param({**FULL, "object": "chunk"}, {}, id="another object"),
    pytest.param(without(FULL, "created"), {"created": 99}, id="no time"),
    pytest.param({**FULL, "created": "today"}, {"created": 99}, id="a time that is no number"),
    pytest.param({**FULL, "created": True}, {"created": 99}, id="a time that is true"),
    pytest.param(without(FULL, "model"), {"model": "asked-for"}, id="no model"),
    pytest.param({**FULL, "model": None}, {"model": "asked-for"}, id="a null model"),
    pytest.param(choice(delta={"role": "assistant", "content": "Hi"}, finish_reason=None), {}, id="no index"),
    pytest.param(
        choice(index="0", delta={"role": "assistant", "content": "Hi"}, finish_reason=None),
        {},
        id="an index that is a string",
    ),
    pytest.param(choice(index=0, delta={"content": "Hi"}, finish_reason=None), {}, id="no role"),
    pytest.param(choice(index=0, delta={"role": "assistant", "content": "Hi"}), {}, id="no finish reason"),
    pytest.param(
        choice(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason=""),
        {},
        id="an empty finish reason",
    ),
    pytest.param(
        choice(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason=[]),
        {},
        id="a finish reason that is an empty list",
    ),
    pytest.param(
        choice(index=0, message={"role": "assistant", "content": "Hi"}, finish_reason=None),
        {},
        id="a message for a delta",
    ),
    pytest.param(
        choice(
            index=0,
            delta={"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
            finish_reason=None,
        ),
        {},
        id="content parts",
    ),
    pytest.param(
        choice(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason=None, logprobs=7),
        {},
        id="log probabilities that are a number",
    ),
    pytest.param({**FULL, "service_tier": "gold"}, {}, id="a tier that OpenAI does not have"),
    pytest.param(
        choice(index="2", delta={"role": "assistant", "content": "Hi"}, finish_reason=None),
        {"choices": [{**FULL["choices"][0], "index": 2}]},
        id="an index that is a string and not the position",
    ),
    pytest.param(
        choice(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason="max_tokens"),
        {"choices": [{**FULL["choices"][0], "finish_reason": "length"}]},
        id="a finish reason of a model behind Tess",
    ),
    pytest.param(
        {**FULL, "usage": {"input_tokens": 3, "output_tokens": 4}},
        {"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}},
        id="counts under other names",
    ),
]


@pytest.mark.parametrize(("fields", "made_up"), COMPLETED)
def test_a_chunk_is_completed(fields: JSON, made_up: JSON) -> None:
    """Each missing field is added, whichever it is."""
    chunk = chunk_of(fields)
    assert not chunk.untouched
    assert chunk.fields == {**FULL, **made_up}


EMPTY_CHOICE = {"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}
HI_CHOICE = {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}


@pytest.mark.parametrize(
    ("choices", "completed"),
    [
        pytest.param(None, [], id="null"),
        pytest.param("", [], id="an empty string"),
        pytest.param("Hi", [HI_CHOICE], id="a string"),
        pytest.param({"index": 0}, [EMPTY_CHOICE], id="an object"),
        pytest.param({"0": {"delta": {"content": "Hi"}}}, [HI_CHOICE], id="an object with numbered keys"),
        pytest.param(["Hi"], [HI_CHOICE], id="a choice that is a string"),
        pytest.param([{"text": "Hi"}], [HI_CHOICE], id="a legacy completion"),
        pytest.param([], [], id="no choice"),
        pytest.param([None], [EMPTY_CHOICE], id="a choice that is null"),
        pytest.param([{}], [EMPTY_CHOICE], id="an empty choice"),
        pytest.param([{"delta": None}], [EMPTY_CHOICE], id="a null delta"),
        pytest.param([{"delta": "Hi"}], [HI_CHOICE], id="a delta that is a string"),
        pytest.param([{"delta": ["H", {"text": "i"}]}], [HI_CHOICE], id="a delta that is a list of parts"),
        pytest.param(
            [{"delta": {}, "finish_reason": {"a": 1}}],
            [{**EMPTY_CHOICE, "finish_reason": "stop"}],
            id="a finish reason that is an object",
        ),
        pytest.param(
            [{"delta": {}, "finish_reason": "eos"}],
            [{**EMPTY_CHOICE, "finish_reason": "stop"}],
            id="a finish reason of another's",
        ),
    ],
)
def test_choices_of_any_type_become_choices(choices: object, completed: list[JSON]) -> None:
    """No program that reads `choices` can fail on them."""
    assert chunk_of({**FULL, "choices": choices}).fields["choices"] == completed


def test_the_id_is_constant_and_the_role_comes_once() -> None:
    """A client sees one id and one role even if Tess omits them, changes them or sends them late."""
    of = reader()
    given = [without(FULL, "id", "created"), {**FULL, "id": "other"}, without(FULL, "id", "created")]
    chunks = [chunk_of({**each, "choices": [{"index": 0, "delta": {"content": "a"}}]}, of) for each in given]
    assert [chunk.fields["id"] for chunk in chunks] == ["chatcmpl-made-up"] * 3
    assert [chunk.fields["created"] for chunk in chunks] == [99, FULL["created"], 99]
    roles = [chunk.fields["choices"][0]["delta"].get("role") for chunk in chunks]
    assert roles == ["assistant", None, None]


def test_a_chunk_that_repeats_the_role_is_not_passed_on_as_it_is() -> None:
    """Programs would add up the roles to `"assistantassistant"`."""
    of = reader()
    assert chunk_of(FULL, of).untouched
    repeated = chunk_of(FULL, of)
    assert "role" not in repeated.fields["choices"][0]["delta"]
    assert not repeated.untouched


def test_each_choice_has_its_own_role_and_end() -> None:
    """Several choices may come in one stream."""
    of = reader()
    chunk = chunk_of(
        {"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}, "finish_reason": "stop"}]}, of
    )
    assert [each["index"] for each in chunk.fields["choices"]] == [0, 1]
    assert [each["delta"]["role"] for each in chunk.fields["choices"]] == ["assistant"] * 2
    closing = of.closing_chunk()
    assert closing is not None
    assert closing["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert closing["id"] == chunk.fields["id"]
    assert of.closing_chunk() is None


@pytest.mark.parametrize(
    ("delta", "reply"),
    [
        ({"content": "a"}, True),
        ({"tool_calls": [{}]}, True),
        ({"refusal": "no"}, True),
        ({"content": ""}, False),
    ],
)
def test_it_is_known_whether_there_was_any_text(*, delta: JSON, reply: bool) -> None:
    """A text, a call and a refusal each count as output."""
    of = reader()
    chunk_of(choice(index=0, delta=delta), of)
    assert of.has_output is reply


def test_usage_is_noticed() -> None:
    """An estimate is for streams without it."""
    of = reader()
    chunk_of({**FULL, "usage": None}, of)
    assert of.usage == {}
    chunk_of({**FULL, "choices": [], "usage": {"total_tokens": 7}}, of)
    assert of.usage == {"total_tokens": 7}
    counts = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    chunk_of({**FULL, "usage": counts}, of)
    assert of.usage == counts


@pytest.mark.parametrize(
    ("fields", "delta", "reason"),
    [
        pytest.param({"status": "running", "output": "Hi"}, "Hi", None, id="a piece"),
        pytest.param({"status": "completed", "output": ""}, "", "stop", id="the end"),
        pytest.param({"status": "succeeded", "output": "Hi"}, "Hi", "stop", id="a piece and the end"),
    ],
)
def test_an_event_of_execute_is_a_chunk(fields: JSON, delta: str, reason: str | None) -> None:
    """Its `output` is a delta; its own fields stay."""
    native = {"id": 7, "error": None, "credits": 10, "root_id": 3, **fields}
    chunk = chunk_of(native)
    assert chunk.fields["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": delta}, "finish_reason": reason}
    ]
    assert (chunk.fields["id"], chunk.fields["root_id"]) == ("7", 3)


@pytest.mark.parametrize(
    "fields", [{"output": "Hi"}, {"status": "running"}, {"status": "running", "output": None}, {}]
)
def test_an_object_that_has_no_text_is_a_chunk_without_choices(fields: JSON) -> None:
    """It is not taken for text."""
    assert chunk_of(fields).fields["choices"] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "object",
                    "created",
                    "model",
                    "choices",
                    "index",
                    "delta",
                    "message",
                    "finish_reason",
                    "role",
                    "content",
                    "tool_calls",
                    "usage",
                    "error",
                    "status",
                    "output",
                    "code",
                    "param",
                ]
            ),
            inner,
        )
    ),
)


@given(st.lists(st.tuples(st.sampled_from(["", "error", "ping", "x"]), json_values), max_size=5))
def test_no_event_raises_and_every_chunk_is_complete(events: list[tuple[str, object]]) -> None:
    """Even of a hostile stream, each chunk for the caller has the fields that clients read."""
    of = reader()
    for name, value in events:
        item = of.read(event(json.dumps(value), name))
        if isinstance(item, Chunk):
            fields = item.fields
            assert fields["object"] == "chat.completion.chunk"
            assert isinstance(fields["model"], str)
            assert fields["id"] == of.id
            for each in fields["choices"]:
                assert type(each["index"]) is int
                assert isinstance(each["delta"], dict)
                assert each["finish_reason"] in (None, *FINISH_REASONS)
    of.closing_chunk()
