"""Calls and token counts in forms that OpenAI does not send, as other servers do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tess_openai import TessWarning

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
from tests.wire.odd_bodies import (
    DONE,
    EMULATED,
    END,
    ROOT,
    STREAM,
    USAGE,
    Reply,
    answers,
    chunk,
    event,
    whole,
)

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")


def test_the_role_comes_once(driver: Driver, fields: dict[str, Any], *, stream: bool) -> None:
    """Programs join the roles of all deltas, and send the result back as a role."""
    deltas = [{"role": "assistant", "content": text} for text in ("Good ", "morn", "ing")]
    reply = Reply(driver, answers(b"".join(map(chunk, deltas)) + END), stream=stream, **fields)
    assert (reply.role, reply.text) == ("assistant", "Good morning")


def call_delta(arguments: object, **more: object) -> dict[str, Any]:
    """Return a delta with one delta of a call."""
    return {"tool_calls": [{"function": {"arguments": arguments, **more.pop("function", {})}, **more}]}  # type: ignore[dict-item] # any JSON


FIRST: Final = {"id": "call_1", "type": "function", "function": {"name": "weather"}}
CALLS: Final = [
    pytest.param(
        [call_delta('{"city"', index=0, **FIRST), call_delta(': "x"}', index=0, **FIRST)],
        id="all in every delta",
    ),
    pytest.param([call_delta('{"city"', **FIRST), call_delta(': "x"}')], id="no index"),
    pytest.param(
        [call_delta('{"city"', **FIRST), call_delta(': "x"}', **FIRST)], id="no index, all in every delta"
    ),
    pytest.param(
        [call_delta('{"city"', index="0", **FIRST), call_delta(': "x"}', index=0.0)], id="odd indices"
    ),
    pytest.param([call_delta({"city": "x"}, **FIRST)], id="arguments that are an object"),
    pytest.param(
        [{"tool_calls": {"id": "call_1", "name": "weather", "arguments": {"city": "x"}}}],
        id="a flat call, no list",
    ),
]


@pytest.mark.parametrize("deltas", CALLS)
def test_a_call_is_one_call(driver: Driver, deltas: list[dict[str, Any]], *, stream: bool) -> None:
    """Its id and its name come once, and its index is completed."""
    reply = Reply(driver, answers(b"".join(map(chunk, deltas)) + END), stream=stream)
    ((call_id, name, arguments),) = reply.calls.values()
    assert (call_id, name, json.loads(arguments)) == ("call_1", "weather", {"city": "x"})


SECOND: Final = {"id": "call_2", "type": "function", "function": {"name": "weather"}}
TWO_CALLS: Final = [
    pytest.param(
        [call_delta('{"a":1}', **FIRST), call_delta('{"b":', **SECOND), call_delta("2}")], id="no index"
    ),
    pytest.param(
        [call_delta('{"a":1}', index=0, **FIRST), call_delta('{"b":2}', index=0, **SECOND)], id="index 0"
    ),
    pytest.param(
        [
            {
                "tool_calls": [
                    call_delta('{"a":1}', **FIRST)["tool_calls"][0],
                    call_delta('{"b":2}', **SECOND)["tool_calls"][0],
                ]
            }
        ],
        id="both in one delta",
    ),
]


@pytest.mark.parametrize("deltas", TWO_CALLS)
def test_two_calls_are_two_calls(driver: Driver, deltas: list[dict[str, Any]], *, stream: bool) -> None:
    """They stay separate even if no index distinguishes them."""
    reply = Reply(driver, answers(b"".join(map(chunk, deltas)) + END), stream=stream)
    assert [[call[0], json.loads(call[2])] for call in reply.calls.values()] == [
        ["call_1", {"a": 1}],
        ["call_2", {"b": 2}],
    ]


def growing(*more: bytes) -> bytes:
    """Return a stream whose usage grows with each chunk."""
    usages = [{"prompt_tokens": 10, "completion_tokens": n, "total_tokens": 10 + n} for n in (1, 2, 3)]
    texts = [
        chunk({"content": text}, usage=usage) for text, usage in zip(("a", "b", "c"), usages, strict=True)
    ]
    return b"".join((*texts, chunk({}, "stop", usage=usages[-1]), *more, DONE))


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(growing(), id="in every chunk"),
        pytest.param(growing(event({**ROOT, "choices": [], "usage": USAGE})), id="and alone at the end"),
        pytest.param(
            chunk({"content": "a"}, usage={"prompt_tokens": 10})
            + chunk({}, "stop", usage={"completion_tokens": 3})
            + DONE,
            id="in parts",
        ),
    ],
)
def test_usage_counts_once(driver: Driver, body: bytes, fields: dict[str, Any], *, asked: bool) -> None:
    """Frameworks add up the counts of all chunks."""
    more = {"stream_options": {"include_usage": True}} if asked else {}
    reply = Reply(driver, answers(body), stream=True, **fields, **more)
    assert reply.counts == (10, 3, 13) if asked or not fields else reply.counts in ((10, 3, 13), (0, 0, 0))


REAL: Final = [
    pytest.param({"input_tokens": 1000, "output_tokens": 500}, id="other names"),
    pytest.param({"prompt_tokens": 1000.0, "completion_tokens": 500.0}, id="floats"),
    pytest.param({"prompt_tokens": "1000", "completion_tokens": "500", "total_tokens": "1500"}, id="texts"),
    pytest.param({"prompt_tokens": 1000, "total_tokens": 1500}, id="the answer's left out"),
    pytest.param({"completion_tokens": 500, "total_tokens": 1500}, id="the prompt's left out"),
    pytest.param(
        {"promptTokenCount": 1000, "candidatesTokenCount": 500, "totalTokenCount": 1500}, id="Gemini's"
    ),
]


def with_usage(usage: object) -> tuple[bytes, bytes]:
    """Return an answer with a usage, whole and as a stream."""
    return whole({"role": "assistant", "content": "Hi"}, usage=usage), STREAM.replace(
        DONE, event({**ROOT, "choices": [], "usage": usage}) + DONE
    )


@pytest.mark.parametrize("form", [0, 1], ids=["whole answer", "event stream"])
@pytest.mark.parametrize("usage", REAL)
def test_real_counts_are_kept(
    driver: Driver, usage: dict[str, Any], form: int, fields: dict[str, Any], *, stream: bool
) -> None:
    """They may have any known name; missing counts are derived from them and not estimated."""
    more = {"stream_options": {"include_usage": True}} if stream else {}
    reply = Reply(driver, answers(with_usage(usage)[form]), stream=stream, **fields, **more)
    assert reply.counts == (1000, 500, 1500)


def test_a_total_alone_is_kept(driver: Driver, fields: dict[str, Any], *, stream: bool) -> None:
    """Only its division into two counts is an estimate, and is marked."""
    more = {"stream_options": {"include_usage": True}} if stream else {}
    reply = Reply(
        driver, answers(with_usage({"total_tokens": 1500})[stream]), stream=stream, **fields, **more
    )
    assert (reply.counts[2], reply.counts[0] + reply.counts[1]) == (1500, 1500)


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        ("inputTokens", "outputTokens"),
        ("inputTokenCount", "outputTokenCount"),
        ("prompt_eval_count", "eval_count"),
    ],
)
def test_counts_under_the_names_of_other_makers(
    driver: Driver, prompt: str, completion: str, fields: dict[str, Any]
) -> None:
    """A count that Tess sends is used instead of an estimate."""
    body = whole({"role": "assistant", "content": "Hi"}, usage={prompt: "1000", completion: 500.0})
    assert Reply(driver, answers(body), stream=False, **fields).counts == (1000, 500, 1500)


def test_calls_that_emulation_cannot_pass_on_are_reported(driver: Driver, *, stream: bool) -> None:
    """When only `stop` is emulated, only the text of an answer is read."""
    call = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    delta = {"role": "assistant", "content": "Good morning", "tool_calls": [call]}
    body = chunk(delta) + END if stream else whole(delta)
    with pytest.warns(TessWarning, match="tool_calls.*Tess made function calls of its own"):
        assert Reply(driver, answers(body), stream=stream, **EMULATED).text == "Good morning"
