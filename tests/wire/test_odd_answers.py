"""Answers as compatible servers really send them: the program gets what OpenAI would have sent."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import openai
import pytest
from fault_server import Connection, serving

from tess_openai import TessWarning

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
from tests.wire.odd_bodies import DONE, END, ROOT, STREAM, Reply, answers, chunk, event, whole

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")
WHOLE: Final = whole({"role": "assistant", "content": "Good morning"})


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


@pytest.mark.parametrize("rest", [b"\n\n", b"}", b'{"error": "late"}', WHOLE, b"\0trailing \xff", b"[" * 200])
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
