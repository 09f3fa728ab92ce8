"""Answers as compatible servers really send them: the program gets what OpenAI would have sent."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
from fault_server import Connection, Fault, serving

from tess_openai import TessWarning

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")

ROOT: Final = {"id": "chatcmpl-1", "created": 1, "model": "tess-6"}
USAGE: Final = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
EMULATED: Final = {"stop": "never written"}


def chunk(delta: object, reason: str | None = None, **more: object) -> bytes:
    """Return one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return event({**ROOT, "object": "chat.completion.chunk", "choices": [choice], **more})


def event(data: object) -> bytes:
    """Return an event with data as JSON, or with bytes as they are."""
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def whole(message: object, **more: object) -> bytes:
    """Return a completion."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps(
        {**ROOT, "object": "chat.completion", "choices": [choice], "usage": USAGE, **more}
    ).encode()


DONE: Final = b"data: [DONE]\n\n"
END: Final = chunk({}, "stop") + DONE
STREAM: Final = chunk({"role": "assistant", "content": "Good "}) + chunk({"content": "morning"}) + END
WHOLE: Final = whole({"role": "assistant", "content": "Good morning"})


def answers(body: bytes, *, content_type: str | None = None) -> Fault:
    """Answer with a body, as a stream or JSON, or under another content type; `""` for none."""
    right = "text/event-stream" if body.startswith(b"data:") else "application/json"
    named = right if content_type is None else content_type
    head = (f"content-type: {named}\r\n" if named else "") + f"content-length: {len(body)}\r\n\r\n"

    def fault(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\n" + head.encode() + body)

    return fault


class Reply:
    """What a program gets of an answer, read as most programs do: by adding up what the chunks hold."""

    def __init__(self, driver: Driver, fault: Fault, *, stream: bool, **fields: Any) -> None:
        """Ask once."""
        self.text, self.role, self.usages = "", "", list[Any]()
        self.calls: dict[int, list[str]] = {}
        with serving(fault) as server:
            client = driver.client(base_url=server.url, max_retries=0, emulate="stop" in fields)
            answer = driver.ask(client, stream=stream, **fields)
            if stream:
                for each in driver.items(answer):
                    self.add_chunk(each)
                return
            message = answer.choices[0].message
            self.text, self.role, self.usages = message.content or "", message.role, [answer.usage]
            for index, call in enumerate(message.tool_calls or []):
                self.calls[index] = [call.id, call.function.name, call.function.arguments]

    def add_chunk(self, each: Any) -> None:
        """Add a chunk."""
        if each.usage is not None:
            self.usages.append(each.usage)
        for choice in each.choices:
            self.text += choice.delta.content or ""
            self.role += choice.delta.role or ""
            for call in choice.delta.tool_calls or []:
                parts = self.calls.setdefault(call.index, ["", "", ""])
                parts[0] += call.id or ""
                parts[1] += (call.function and call.function.name) or ""
                parts[2] += (call.function and call.function.arguments) or ""

    @property
    def counts(self) -> tuple[int, int, int]:
        """The token counts, added up over all chunks."""
        return (
            sum(usage.prompt_tokens for usage in self.usages),
            sum(usage.completion_tokens for usage in self.usages),
            sum(usage.total_tokens for usage in self.usages),
        )


@pytest.fixture(params=[False, True], ids=["plain", "emulated"])
def fields(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Ask for what Tess has, and for something that is emulated."""
    return EMULATED if request.param else {}


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json", "application/octet-stream", "text/html"]
)
@pytest.mark.parametrize("body", [STREAM, WHOLE], ids=["an event stream", "JSON"])
def test_the_body_decides_what_it_is(
    driver: Driver, body: bytes, content_type: str, fields: dict[str, Any], *, stream: bool
) -> None:
    """Neither its content type nor the request decides."""
    assert (
        Reply(driver, answers(body, content_type=content_type), stream=stream, **fields).text
        == "Good morning"
    )


@pytest.mark.parametrize("body", [STREAM, WHOLE], ids=["an event stream", "JSON"])
def test_what_is_called_a_stream_is_read_as_what_it_is(
    driver: Driver, body: bytes, fields: dict[str, Any], *, stream: bool
) -> None:
    """A body with the type of a stream may be JSON."""
    fault = answers(body, content_type="text/event-stream")
    assert Reply(driver, fault, stream=stream, **fields).text == "Good morning"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
def test_a_stream_of_another_name_is_passed_on_at_once(driver: Driver, content_type: str) -> None:
    """The first text is there before the server sends the second."""
    read_first = threading.Event()

    def fault(connection: Connection) -> None:
        head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n" if content_type else "HTTP/1.1 200 OK\r\n"
        )
        first = chunk({"role": "assistant", "content": "Good "})
        connection.send(f"{head}content-length: {len(first) + len(END)}\r\n\r\n".encode() + first)
        if read_first.wait(20):
            connection.send(END)

    with serving(fault) as server:
        client = driver.client(base_url=server.url, max_retries=0, timeout=5)
        stream = driver.ask(client, stream=True)
        assert driver.next(stream).choices[0].delta.content == "Good "
        read_first.set()
        assert [each.choices[0].finish_reason for each in driver.items(stream)] == ["stop"]


PARTS: Final = [{"type": "text", "text": "Good "}, {"type": "text", "text": "morning"}]
TEXTS: Final = [
    pytest.param(whole({"role": "assistant", "content": PARTS}), id="parts"),
    pytest.param(
        whole({"role": "assistant", "content": {"type": "text", "text": "Good morning"}}), id="a part"
    ),
    pytest.param(whole("Good morning"), id="a message that is a text"),
    pytest.param(json.dumps({**ROOT, "choices": ["Good morning"]}).encode(), id="a choice that is a text"),
    pytest.param(
        json.dumps({**ROOT, "choices": [{"text": "Good morning"}]}).encode(), id="a text completion"
    ),
    pytest.param(chunk({"content": PARTS}) + END, id="parts in a delta"),
    pytest.param(chunk({"content": PARTS[:1]}) + chunk({"content": PARTS[1:]}) + END, id="parts in deltas"),
    pytest.param(chunk("Good ") + chunk("morning") + END, id="deltas that are texts"),
    pytest.param(
        event({"choices": ["Good "]}) + event({"choices": ["morning"]}) + DONE, id="choices of texts"
    ),
    pytest.param(
        chunk({"content": "Good "}) + event({"message": "Searching"}) + chunk({"content": "morning"}) + END,
        id="a report of progress in between",
    ),
    pytest.param(STREAM.replace(DONE, b'data: "[DONE]"\n\n'), id="a quoted end mark"),
]


@pytest.mark.parametrize("body", TEXTS)
def test_a_text_of_another_type_is_that_text(
    driver: Driver, body: bytes, fields: dict[str, Any], *, stream: bool
) -> None:
    """No part of it is lost, and the program gets a string."""
    assert Reply(driver, answers(body), stream=stream, **fields).text == "Good morning"


UNREADABLE: Final = [
    pytest.param(whole(7), id="a message that is a number"),
    pytest.param(json.dumps({**ROOT, "choices": [7]}).encode(), id="a choice that is a number"),
    pytest.param(json.dumps({**ROOT, "choices": True}).encode(), id="choices that are true"),
    pytest.param(whole({"role": "assistant", "tool_calls": ["f"]}), id="a call that is a text"),
    pytest.param(chunk({"content": "a"}) + chunk(7) + END, id="a delta that is a number"),
    pytest.param(chunk({"content": "a"}) + chunk({"tool_calls": [7]}) + END, id="a call that is a number"),
    pytest.param(event({"message": "Searching"}) + DONE, id="nothing but a message"),
    pytest.param(b'{"choices":' + b"[" * 960 + b"]" * 960 + b"}", id="960 levels"),
    pytest.param(event(b'{"choices":' + b"[" * 960 + b"]" * 960 + b"}"), id="960 levels in a stream"),
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_has_no_reading_is_an_error(
    driver: Driver, body: bytes, fields: dict[str, Any], *, stream: bool
) -> None:
    """The error is one of OpenAI's, and nothing is dropped silently."""
    with pytest.raises(openai.APIError):
        Reply(driver, answers(body), stream=stream, **fields)


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


FACE: Final = "\N{GRINNING FACE}"
HALF: Final = [json.dumps(FACE)[1:7].encode(), json.dumps(FACE)[7:13].encode()]
BYTES: Final = [FACE.encode()[:2], FACE.encode()[2:]]


def split(first: bytes, second: bytes, *, between: bytes = b"") -> bytes:
    """Return a stream with a text that is split between two chunks."""
    texts = [chunk({"content": "a MARK"}), between, chunk({"content": "MARK b"})]
    return b"".join((texts[0].replace(b"MARK", first), texts[1], texts[2].replace(b"MARK", second), END))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(split(*HALF), f"a {FACE} b", id="half of an emoji"),
        pytest.param(split(*HALF, between=chunk({})), f"a {FACE} b", id="with a chunk in between"),
        pytest.param(
            chunk({"content": "x"}) * 3 + split(*HALF), f"xxxa {FACE} b", id="in the middle of a stream"
        ),
        pytest.param(split(*BYTES), f"a {FACE} b", id="half of its bytes"),
        pytest.param(split(HALF[0], b""), "a \ufffd b", id="the first half alone"),
        pytest.param(split(b"", HALF[1]), "a \ufffd b", id="the second half alone"),
        pytest.param(
            chunk({"content": "a MARK"}).replace(b"MARK", HALF[0]) + END, "a \ufffd", id="at the end"
        ),
        pytest.param(
            whole({"content": "a MARK b"}).replace(b"MARK", HALF[0]), "a \ufffd b", id="a whole answer"
        ),
        pytest.param(
            whole({"content": "a MARK b"}).replace(b"MARK", b"\xf0\x9f"), "a \ufffd b", id="bytes, whole"
        ),
    ],
)
def test_a_split_character_is_joined_or_replaced(
    driver: Driver, body: bytes, text: str, fields: dict[str, Any], *, stream: bool
) -> None:
    """What reaches the program can be printed, saved and sent again."""
    reply = Reply(driver, answers(body), stream=stream, **fields)
    assert reply.text.encode().decode() == text


def test_an_end_mark_alone_is_an_answer_without_text(driver: Driver, *, stream: bool) -> None:
    """This holds for streams and whole answers, with a warning."""
    with pytest.warns(TessWarning, match="no text"):
        assert Reply(driver, answers(DONE), stream=stream).text == ""


@pytest.mark.parametrize("junk", [b"[done]", b"null", b"7", b"bye"])
def test_what_follows_a_complete_answer_is_no_part_of_it(
    driver: Driver, junk: bytes, fields: dict[str, Any], *, stream: bool
) -> None:
    """After its finish reason an answer is complete, and was paid for."""
    body = chunk({"role": "assistant", "content": "Good morning"}) + chunk({}, "stop") + event(junk)
    assert Reply(driver, answers(body), stream=stream, **fields).text == "Good morning"
    with pytest.raises(openai.APIError):
        Reply(driver, answers(chunk({"content": "Good"}) + event(junk)), stream=stream, **fields)


@pytest.mark.parametrize("rest", [b"\n\n", b"}", b'{"error": "late"}', WHOLE, b"\0trailing \xff"])
def test_bytes_behind_a_whole_answer_are_no_part_of_it(
    driver: Driver, rest: bytes, fields: dict[str, Any], *, stream: bool
) -> None:
    """Its object is whole, and it was paid for."""
    assert Reply(driver, answers(WHOLE + rest), stream=stream, **fields).text == "Good morning"


@pytest.mark.parametrize("before", [b"\0\0", b"\xef\xbb\xbf" * 2, b"\x1e", b" \t"])
def test_no_text_is_lost_by_what_comes_before_an_event(
    driver: Driver, before: bytes, fields: dict[str, Any], *, stream: bool
) -> None:
    """A byte order mark or control character may precede the first field name, or each."""
    fault = answers(before + STREAM, content_type="text/event-stream")
    assert Reply(driver, fault, stream=stream, **fields).text == "Good morning"
    fault = answers(STREAM.replace(b"data:", before + b"data:"), content_type="text/event-stream")
    assert Reply(driver, fault, stream=stream, **fields).text == "Good morning"


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
