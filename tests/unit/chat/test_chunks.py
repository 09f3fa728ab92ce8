"""What each event of a stream is: a chunk to complete, an error in any shape, an end, a ping."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.changes import Change
from tess_openai.core.chat.chunks import Chunk, ChunkReader, StreamEnd
from tess_openai.core.chat.finish_reasons import FINISH_REASONS
from tess_openai.core.chat.stream_faults import PARTIAL_ERROR, StreamFault
from tess_openai.core.sse import ServerSentEvent

JSON: TypeAlias = dict[str, Any]

FULL: JSON = {
    "id": "chatcmpl-7",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "tess-6",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}],
}


def reader() -> ChunkReader:
    """Build a reader whose made-up values are known."""
    return ChunkReader("asked-for", lambda: 99, lambda: "made-up")


def event(data: object, name: str = "") -> ServerSentEvent:
    """Build an event; data that is no string is sent as JSON."""
    return ServerSentEvent(name, (data if isinstance(data, str) else json.dumps(data)).encode())


def chunk_of(fields: JSON, of: ChunkReader | None = None) -> Chunk:
    """Read an event that is a chunk."""
    item = (of or reader()).read(event(fields))
    assert isinstance(item, Chunk)
    return item


def error_of(data: object, name: str = "") -> JSON:
    """Read an event that is an error, and return it as the SDK gets it."""
    item = reader().read(event(data, name))
    assert isinstance(item, StreamFault)
    error: JSON = item.envelope["error"]
    return error


def without(fields: JSON, *keys: str) -> JSON:
    """Return fields without some."""
    return {key: value for key, value in fields.items() if key not in keys}


def choice(**fields: object) -> JSON:
    """Return a full chunk with another choice."""
    return {**FULL, "choices": [fields]}


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


def text_of(content: str, index: object = 0, reason: str | None = None) -> JSON:
    """Return one choice of a chunk with a text."""
    return {"index": index, "delta": {"content": content}, "finish_reason": reason}


@pytest.mark.parametrize(
    ("choices", "texts"),
    [
        pytest.param([[text_of("a\ud83d")], [text_of("\ude42b")]], [["a"], ["🙂b"]], id="two chunks"),
        pytest.param([[text_of("a\ud83d")], [text_of("", 0, "stop")]], [["a"], ["\ufffd"]], id="the end"),
        pytest.param([[text_of("a\ud83d", 0, "stop")]], [["a\ufffd"]], id="the text and the end at once"),
        pytest.param(
            [[text_of("\ud83d", 1)], [text_of("\ude42", 0), text_of("\ude42", 1)]],
            [[""], ["\ufffd", "🙂"]],
            id="the choice is found by its index",
        ),
        pytest.param(
            [[text_of("\ud83d", "1")], [text_of("a", None), text_of("\ude42", None)]],
            [[""], ["a", "🙂"]],
            id="indices of other types",
        ),
    ],
)
def test_a_character_that_is_split_between_chunks_is_joined(
    choices: list[list[JSON]], texts: list[list[str]]
) -> None:
    """Chunks with a half of it are encoded again, since no program can print their own bytes."""
    of = reader()
    chunks = [chunk_of({**FULL, "choices": each}, of) for each in choices]
    assert [[each["delta"]["content"] for each in chunk.fields["choices"]] for chunk in chunks] == texts
    assert not any(chunk.untouched for chunk in chunks)


def test_half_a_character_holds_up_only_its_own_choice() -> None:
    """Complete chunks of another choice pass as they are, and the end without a reason replaces the half."""
    of = reader()
    chunk_of({**FULL, "choices": [text_of("a"), text_of("b\ud83d", 1)]}, of)
    assert chunk_of({**FULL, "choices": [text_of("c")]}, of).untouched
    assert chunk_of({**FULL, "choices": [text_of("", 0, "stop")]}, of).untouched
    closing = of.closing_chunk()
    assert closing is not None
    assert closing["choices"] == [{"index": 1, "delta": {"content": "\ufffd"}, "finish_reason": "stop"}]


def test_half_a_character_outside_of_the_text_is_replaced() -> None:
    """Fields of Tess's own are printed and saved too."""
    given = choice(index=0, delta={"role": "assistant", "content": "Hi"}, finish_reason=None, extra="\ud83d")
    chunk = chunk_of({**given, "note": "a\ud83d"})
    assert chunk.fields["note"] == "a\ufffd"
    assert chunk.fields["choices"][0]["extra"] == "\ufffd"
    assert not chunk.untouched


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


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("delta", "is_untouched"),
    [
        ({"tool_calls": [{"index": 0, **CALL}]}, True),
        ({"tool_calls": [CALL]}, False),
        ({"function_call": {"name": "f", "arguments": "{}"}}, True),
        ({"function_call": {"name": "f", "arguments": {}}}, False),
    ],
)
def test_a_chunk_with_calls_is_untouched_only_if_they_are_complete(
    *, delta: JSON, is_untouched: bool
) -> None:
    """The bytes of Tess must not pass if the index of a call was added."""
    given = choice(index=0, delta={"role": "assistant", **delta}, finish_reason=None)
    assert chunk_of(given).untouched is is_untouched


def test_the_calls_of_each_choice_are_counted_separately() -> None:
    """The first call of each choice has the index 0."""
    chunk = chunk_of({**FULL, "choices": [{"delta": {"tool_calls": [CALL]}} for _ in range(2)]})
    indices = [each["delta"]["tool_calls"][0]["index"] for each in chunk.fields["choices"]]
    assert indices == [0, 0]


@pytest.mark.parametrize(
    ("fields", "params"),
    [
        pytest.param(choice(index=0, delta={"content": [{"type": "image_url"}]}), ["content"], id="a part"),
        pytest.param(choice(index=0, delta={}, logprobs=7), ["logprobs"], id="log probabilities"),
        pytest.param({**FULL, "service_tier": "gold"}, ["service_tier"], id="a tier"),
        pytest.param(choice(index=0, delta={}, finish_reason="odd"), ["finish_reason"], id="a finish reason"),
        pytest.param({"status": "completed", "output": "Hi"}, [], id="the end of an execution"),
    ],
)
def test_a_part_of_a_chunk_that_is_left_out_is_recorded(fields: JSON, params: list[str]) -> None:
    """Nothing that Tess sent disappears from the ledger."""
    notes: list[Change] = []
    chunk_of(fields, ChunkReader("asked-for", lambda: 99, lambda: "made-up", notes.append))
    assert [note.param for note in notes] == params


ERRORS = [
    pytest.param({"error": "boom"}, "", "boom", "stream_error", id="a bare text"),
    pytest.param({"error": {"message": "boom"}}, "", "boom", "stream_error", id="OpenAI's envelope"),
    pytest.param(
        {"error": {"message": "boom", "code": 7, "type": "t", "param": "p"}},
        "",
        "boom",
        "7",
        id="with a code",
    ),
    pytest.param({"error": {"code": "x"}}, "", "an error without a text", "x", id="a code alone"),
    pytest.param({"message": "boom", "status": "failed"}, "", "boom", "stream_error", id="Laravel's"),
    pytest.param(
        {"message": "boom", "errors": {"model": ["bad"]}},
        "",
        "boom: model: bad",
        "stream_error",
        id="with fields",
    ),
    pytest.param({"message": "boom"}, "error", "boom", "stream_error", id="a named event"),
    pytest.param(
        {}, "error", "the execution failed without a reason", "stream_error", id="a named event, empty"
    ),
    pytest.param("boom", "error", "boom", "stream_error", id="a named event of text"),
    pytest.param('"boom"', "error", "boom", "stream_error", id="a named event of a JSON string"),
    pytest.param({"status": "failed", "error": "boom"}, "", "boom", "stream_error", id="a failed execution"),
    pytest.param(
        {"status": "failed", "error": None, "output": ""},
        "",
        "the execution failed without a reason",
        "stream_error",
        id="a failed execution without a reason",
    ),
    pytest.param(
        {"status": "canceled"},
        "",
        "the execution failed without a reason",
        "stream_error",
        id="a canceled one",
    ),
    pytest.param({"choices": [], "error": "boom"}, "", "boom", "stream_error", id="beside choices"),
    pytest.param(
        {"choices": [], "message": "boom"}, "error", "boom", "stream_error", id="a named event with choices"
    ),
    pytest.param(
        choice(index=0, delta={"content": "a"}, finish_reason="error"),
        "",
        "the execution failed without a reason",
        "stream_error",
        id="a failure for a finish reason",
    ),
    pytest.param("not JSON", "", "not a JSON object: not JSON", "stream_not_json", id="a line of text"),
    pytest.param("<html>", "", "not a JSON object: <html>", "stream_not_json", id="a page"),
    pytest.param('"boom"', "", "boom", "stream_error", id="a JSON string"),
    pytest.param('""', "", "the execution failed without a reason", "stream_error", id="an empty string"),
    pytest.param("null", "", "not a JSON object", "stream_not_json", id="null"),
    pytest.param("[]", "", "not a JSON object", "stream_not_json", id="a list"),
    pytest.param("7", "", "not a JSON object", "stream_not_json", id="a number"),
]


@pytest.mark.parametrize(("data", "name", "message", "code"), ERRORS)
def test_an_error_event_is_an_error(data: object, name: str, message: str, code: str) -> None:
    """In every format of an error, the caller gets its text, a code, and Tess's own event."""
    error = error_of(data, name)
    assert message in error["message"]
    assert error["code"] == code
    assert error["tess"] == data


def test_a_message_alone_is_an_error_only_if_no_text_follows() -> None:
    """A server may report its progress in that form before the answer."""
    progress = event({"message": "Searching"})
    of = reader()
    assert of.read(progress) is None
    fault = of.read(event("[DONE]"))
    assert isinstance(fault, StreamFault)
    assert fault.envelope["error"]["message"] == "Searching"
    assert of.end_fault() is fault
    chunk_of(FULL, of)
    assert isinstance(of.read(event("[DONE]")), StreamEnd)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [("bye", "", StreamEnd), ("[]", "", StreamEnd), ("bye", "error", StreamFault)],
)
def test_data_after_a_complete_answer_is_ignored_unless_it_is_an_error(
    data: str, name: str, expected: type
) -> None:
    """Before the end of the answer the same data is an error."""
    of = reader()
    chunk_of(choice(index=0, delta={"content": "Hi"}, finish_reason="stop"), of)
    assert isinstance(of.read(event(data, name)), expected)
    assert isinstance(reader().read(event(data, name)), StreamFault)


@pytest.mark.parametrize("key", ["delta", "message"])
def test_an_error_together_with_a_text_does_not_drop_the_text(key: str) -> None:
    """The text was paid for; the error is moved to a field for which the SDK does not raise."""
    notes: list[Change] = []
    of = ChunkReader("asked-for", lambda: 99, lambda: "made-up", notes.append)
    chunk = chunk_of({**FULL, "error": "boom", "choices": [{"index": 0, key: {"content": "Hi"}}]}, of)
    assert chunk.fields["choices"][0]["delta"]["content"] == "Hi"
    assert "error" not in chunk.fields
    assert chunk.fields["tess"] == {"error": "boom"}
    assert not chunk.untouched
    assert notes == [PARTIAL_ERROR]


def test_an_error_event_with_a_text_is_an_error() -> None:
    """An event that is named an error, or whose finish reason is one, ends the stream in any case."""
    failed = choice(index=0, delta={"content": "Hi"}, finish_reason="error")
    assert error_of({**failed, "error": "boom"})["code"] == "stream_error"
    assert error_of({**FULL, "message": "boom"}, "error")["message"] == "boom"


def test_a_chunk_that_cannot_be_read_is_an_error_that_names_the_part() -> None:
    """The error contains what Tess sent, for the user to report it."""
    error = error_of({**FULL, "choices": [7]})
    assert "choices[0] is 7" in error["message"]
    assert (error["code"], error["tess"]) == ("invalid_answer", {**FULL, "choices": [7]})


def test_an_errors_own_fields_are_kept() -> None:
    """The type and the parameter are kept if they are texts."""
    assert error_of({"error": {"message": "m", "type": "t", "param": "p"}})["param"] == "p"
    assert error_of({"error": {"message": "m", "type": "t", "param": ["p"]}})["param"] is None
    assert error_of({"error": {"message": "m", "type": "t"}})["type"] == "t"
    assert error_of({"error": "m"})["type"] == "server_error"


@pytest.mark.parametrize("data", ["{}", "", "ping", "null", '{"message": "alive"}', '{"type": "ping"}'])
def test_a_ping_is_nothing(data: str) -> None:
    """An event of type ping is skipped, whatever it contains, unless it is a chunk."""
    assert reader().read(event(data, "ping")) is None
    assert isinstance(reader().read(event(FULL, "ping")), Chunk)


def test_the_mark_of_the_end_is_the_end() -> None:
    """The stream ends at `[DONE]` as OpenAI writes it."""
    assert isinstance(reader().read(event("[DONE]")), StreamEnd)


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


def test_the_end_mark_may_have_blanks_around_it() -> None:
    """The SDK accepts this too, since it looks only at how the line begins."""
    assert isinstance(reader().read(ServerSentEvent("", b"[DONE] ")), StreamEnd)
