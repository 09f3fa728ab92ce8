"""The stream filter: complete bytes pass, the ledger comes last, nothing ends in silence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.stream_filter import (
    ChunkWriter,
    StreamFilter,
    append_ledger_to_json,
    texts_of_chunk,
)
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy

JSON: TypeAlias = dict[str, Any]
DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = None, reason: str | None = None, **more: object) -> JSON:
    """Build a complete chunk."""
    delta = {} if content is None else {"content": content}
    return {
        "id": "chatcmpl-7",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tess-6",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        **more,
    }


def two(index: int, content: str | None, reason: str | None = None) -> JSON:
    """Build a complete chunk of one of several choices."""
    fields = chunk(content, reason)
    fields["choices"][0] |= {"index": index}
    return fields


FIRST = chunk("Hi")
FIRST["choices"][0]["delta"]["role"] = "assistant"
LAST = chunk(None, "stop")
USAGE = {**chunk(), "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
CHANGE = {"action": "mapped", "param": "tools", "given": "a", "sent": "b", "why": "c"}


def wire(*chunks: JSON) -> bytes:
    """Encode chunks as Tess does, with spaces that a re-encoding would drop."""
    return b"".join(b"data: " + json.dumps(each, ensure_ascii=False).encode() + b"\n\n" for each in chunks)


def new_filter(
    *, reported: bool = False, include_usage: bool = False, prompts: Sequence[str] | None = None
) -> StreamFilter:
    """Build a filter; `reported` puts a change into its ledger."""
    ledger = Ledger(Policy())
    if reported:
        ledger.mapped("tools", "a", "b", "c")
    reader = ChunkReader("asked-for", lambda: 99, lambda: "made-up")
    body = AnswerBody(reader, AnswerHead(content_type="text/event-stream"), expected="a stream")
    writer = ChunkWriter(reader, ledger, include_usage=include_usage, estimate_for=prompts)
    return StreamFilter(body, writer, ledger)


def run(stream: StreamFilter, *pieces: bytes) -> bytes:
    """Feed a whole stream."""
    return b"".join([*(stream.feed(piece) for piece in pieces if piece), stream.feed(b"")])


def events(data: bytes) -> list[Any]:
    """Decode what the caller gets; `[DONE]` as the string."""
    blocks = data.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") for block in blocks)
    return [block[6:] if block == "data: [DONE]" else json.loads(block[6:]) for block in blocks]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wire(FIRST, chunk(" there"), LAST) + DONE, id="a whole stream"),
        pytest.param(wire(FIRST, chunk("é\u2028🙂"), LAST) + DONE, id="text of every script"),
        pytest.param(wire({**FIRST, "usage": None, "x": [1.0]}, LAST) + DONE, id="fields of Tess's own"),
        pytest.param(wire(FIRST, LAST, chunk("late")) + DONE, id="a chunk after the finish reason"),
    ],
)
def test_complete_chunks_pass_as_the_same_bytes(data: bytes) -> None:
    """A stream that needs no change is passed on without being encoded again."""
    assert run(new_filter(), data) == data
    assert run(new_filter(), *(data[at : at + 1] for at in range(len(data)))) == data


def test_the_ledger_is_on_the_last_chunk() -> None:
    """One chunk is held from the finish reason on; those before pass at once."""
    stream = new_filter(reported=True)
    assert stream.feed(wire(FIRST)) == wire(FIRST)
    assert stream.feed(wire(LAST)) == b""
    assert events(stream.feed(DONE)) == [{**LAST, "tess_openai": {"changes": [CHANGE]}}, "[DONE]"]
    assert stream.ended
    assert stream.fault is None


def test_a_chunk_after_the_finish_reason_frees_the_one_before() -> None:
    """A held chunk is sent when another follows, so that only the last has the ledger."""
    given = wire(FIRST, LAST, chunk("late"), USAGE) + DONE
    data = run(new_filter(reported=True, include_usage=True), given)
    assert data.startswith(wire(FIRST, LAST, chunk("late")))
    last, done = events(data)[-2:]
    assert last == {**USAGE, "tess_openai": {"changes": [CHANGE]}}
    assert done == "[DONE]"


@pytest.mark.parametrize("reported", [False, True])
def test_without_a_finish_reason_one_is_made(*, reported: bool) -> None:
    """`[DONE]` says that the answer is whole."""
    ledger = {"tess_openai": {"changes": [CHANGE]}} if reported else {}
    assert events(run(new_filter(reported=reported), wire(FIRST) + DONE)) == [
        FIRST,
        {**LAST, **ledger},
        "[DONE]",
    ]


def test_a_finish_reason_without_done_is_a_whole_answer() -> None:
    """The mark of the end is added."""
    assert run(new_filter(), wire(FIRST, LAST)) == wire(FIRST, LAST) + DONE
    assert run(new_filter(), wire(FIRST) + wire(LAST).rstrip()) == wire(FIRST, LAST) + DONE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(wire(FIRST), id="after a chunk"),
        pytest.param(wire(FIRST) + wire(LAST)[:40], id="inside the last chunk"),
        pytest.param(wire(FIRST) + b"data: [DON", id="inside the mark of the end"),
        pytest.param(b": ping\n\n", id="after a comment"),
        pytest.param(b"", id="at once"),
        pytest.param(b"dat", id="inside the first word"),
        pytest.param(
            wire(two(0, "a"), two(1, "b"), two(0, None, "stop")), id="after the end of one of two choices"
        ),
    ],
)
@pytest.mark.parametrize("reported", [True, False])
def test_a_stream_that_is_cut_ends_in_an_error(*, data: bytes, reported: bool) -> None:
    """A program must not take the beginning of an answer for the whole."""
    stream = new_filter(reported=reported)
    error = events(run(stream, data))[-1]["error"]
    assert (error["code"], error["type"]) == ("stream_truncated", "server_error")
    assert stream.ended
    assert stream.fault is not None


@pytest.mark.parametrize("held", [False, True])
def test_an_error_event_ends_the_stream_after_the_chunks_before_it(*, held: bool) -> None:
    """What comes after it is not read."""
    stream = new_filter(reported=True)
    before = [FIRST, LAST] if held else [FIRST]
    data = wire(*before) + b'data: {"error":"boom"}\n\n' + wire(chunk("late")) + DONE
    *chunks, fault = events(run(stream, data))
    assert chunks == before
    assert fault["error"]["message"] == "boom"
    assert stream.feed(wire(FIRST)) == b""


@pytest.mark.parametrize("data", [DONE, b"\xef\xbb\xbf" + DONE, b": ping\n\n" + DONE, b"data: [DONE]"])
def test_a_stream_of_nothing_is_one_empty_chunk_that_states_it(data: bytes) -> None:
    """`chunk.choices[0]` can be read, and the ledger tells that no text came."""
    empty, done = events(run(new_filter(), data))
    assert empty["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert [change["param"] for change in empty["tess_openai"]["changes"]] == ["answer"]
    assert done == "[DONE]"


def test_a_stream_without_text_states_it() -> None:
    """The last chunk has a change that says so."""
    silent = {
        **FIRST,
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
    }
    first, last, _ = events(run(new_filter(), wire(silent, LAST) + DONE))
    assert first == silent
    assert [change["why"] for change in last["tess_openai"]["changes"]] == ["Tess answered with no text"]


def test_a_chunk_without_choices_gets_one_unless_usage_was_asked_for() -> None:
    """Programs read `choices[0]` of each chunk."""
    assert (
        run(new_filter(include_usage=True), wire(FIRST, LAST, USAGE) + DONE)
        == wire(FIRST, LAST, USAGE) + DONE
    )
    given = wire(FIRST, LAST, USAGE) + DONE
    usage = events(run(new_filter(), given))[2]
    assert usage == {**USAGE, "choices": [{"index": 0, "delta": {}, "finish_reason": None}]}


@pytest.mark.parametrize(
    ("given", "asked", "prompts", "estimated"),
    [
        pytest.param([FIRST, LAST], True, ["12345678"], True, id="asked for and absent"),
        pytest.param([FIRST], True, ["12345678"], True, id="asked for, and no finish reason"),
        pytest.param([FIRST, LAST, USAGE], True, ["12345678"], False, id="asked for and given"),
        pytest.param(
            [FIRST, USAGE], True, ["12345678"], False, id="asked for and given, and no finish reason"
        ),
        pytest.param([FIRST, LAST], True, None, False, id="asked for, and not to be estimated"),
        pytest.param(
            [FIRST, {**LAST, "usage": {"prompt_tokens": 6}}], True, ["12345678"], True, id="given in part"
        ),
        pytest.param(
            [FIRST, LAST, {**USAGE, "usage": {"prompt_tokens": 6}}],
            True,
            ["12345678"],
            True,
            id="given in part, by itself",
        ),
        pytest.param([FIRST, LAST], False, ["12345678"], False, id="not asked for"),
    ],
)
def test_usage_comes_last_when_it_was_asked_for(
    *, given: list[JSON], asked: bool, prompts: list[str] | None, estimated: bool
) -> None:
    """It has a chunk of its own without choices, and is marked if it is an estimate."""
    *_, last, done = events(
        run(new_filter(reported=True, include_usage=asked, prompts=prompts), wire(*given) + DONE)
    )
    assert last["tess_openai"] == {"changes": [CHANGE]}
    assert ("estimated" in (last.get("usage") or {})) is estimated
    if estimated:
        assert last["choices"] == []
        assert last["usage"] == {
            "prompt_tokens": 6,
            "completion_tokens": 1,
            "total_tokens": 7,
            "estimated": True,
        }
    assert done == "[DONE]"


COUNTS = USAGE["usage"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([FIRST, {**LAST, "usage": COUNTS}], id="beside the finish reason"),
        pytest.param(
            [{**FIRST, "usage": {**COUNTS, "total_tokens": 1}}, {**LAST, "usage": COUNTS}], id="in each"
        ),
        pytest.param([{**FIRST, "usage": COUNTS}, LAST, USAGE], id="in the first, and by itself"),
        pytest.param([FIRST, LAST, {**chunk(), "usage": COUNTS}], id="beside an empty choice"),
    ],
)
def test_usage_comes_once_and_alone_wherever_tess_puts_it(given: list[JSON]) -> None:
    """Programs look for it in the last chunk, which has no choices."""
    *chunks, last, done = events(run(new_filter(include_usage=True, prompts=["a"]), wire(*given) + DONE))
    assert (last["choices"], last["usage"], done) == ([], COUNTS, "[DONE]")
    assert all(each["choices"] and "usage" not in each for each in chunks)


def test_usage_in_part_is_given_where_none_is_to_be_estimated() -> None:
    """A stream gives the counts that Tess sent, as a whole answer does."""
    part = {"prompt_tokens": 1}
    *_, last, _ = events(run(new_filter(include_usage=True), wire(FIRST, {**LAST, "usage": part}) + DONE))
    assert (last["choices"], last["usage"]) == ([], part)


def test_texts_of_a_chunk_are_those_of_all_choices() -> None:
    """Other values in a chunk do not disturb the search for texts."""
    choices = [
        {"delta": {"content": "a"}},
        {"delta": {"content": None}},
        {"delta": None},
        7,
        {"delta": {"content": "b"}},
    ]
    assert texts_of_chunk({"choices": choices}) == ["a", "b"]
    assert texts_of_chunk({}) == []


PARTS = [
    wire(FIRST),
    wire(chunk("é")),
    wire(LAST),
    wire(USAGE),
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"b"}}]}\r\n\r\n',
    b'data: {"status":"running","output":"c"}\r\r',
    b"event: ping\ndata: {}\n\n",
    b": comment\n\n",
    b'data: {"choices":[],"model":\ndata: "m"}\n\n',
    b'data: {"error":"boom"}\n\n',
    b"data: nonsense\n\n",
    b'event: error\ndata: "boom"\n\n',
    DONE,
    b"data: [DO",
]


@given(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join), st.booleans(), st.data())
def test_any_cut_gives_the_same_bytes(data: bytes, reported: bool, draw: st.DataObject) -> None:
    """What the caller gets does not depend on the network; and it always ends, in `[DONE]` or an error."""
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    whole = run(new_filter(reported=reported, include_usage=reported, prompts=["a"]), data)
    assert run(new_filter(reported=reported, include_usage=reported, prompts=["a"]), *pieces) == whole
    *chunks, end = events(whole)
    assert end == "[DONE]" or "error" in end
    assert all("choices" in each for each in chunks)
    assert len({each["id"] for each in chunks}) <= 1


def test_the_ledger_is_the_last_field_of_an_object() -> None:
    """The result is valid JSON for any object; without changes nothing is added."""
    ledger = Ledger(Policy())
    data = b'{"choices": [{"text": "}"}]} \n'
    assert append_ledger_to_json(data, ledger) == data
    ledger.mapped("messages.role", 'a "quoted" \u00e9', "system", "why")
    fields = json.loads(append_ledger_to_json(data, ledger))
    assert fields["choices"] == [{"text": "}"}]
    assert fields["tess_openai"] == {"changes": [change.to_json() for change in ledger.changes]}
