"""Server-sent events: bytes in any cut and with any line ends, to events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.sse import (
    DONE_EVENT,
    BodyForm,
    EventDecoder,
    ServerSentEvent,
    detect_form,
    encode_event,
    is_done_data,
)


def decode(*pieces: bytes) -> list[tuple[str, bytes]]:
    """Decode a whole stream given in pieces."""
    decoder = EventDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [(event.event, event.data) for event in [*events, *decoder.finish()]]


STREAMS = [
    pytest.param(b"", [], id="nothing"),
    pytest.param(b"data: 1\n\n", [("", b"1")], id="an event"),
    pytest.param(b"data:1\n\n", [("", b"1")], id="no space after the colon"),
    pytest.param(b"data:  1\n\n", [("", b" 1")], id="two spaces after the colon"),
    pytest.param(b"data: 1\n\ndata: 2\n\n", [("", b"1"), ("", b"2")], id="two events"),
    pytest.param(b"data: 1\r\n\r\ndata: 2\r\n\r\n", [("", b"1"), ("", b"2")], id="CRLF"),
    pytest.param(b"event: error\r\ndata: 1\r\n\r\n", [("error", b"1")], id="CRLF inside an event"),
    pytest.param(b"data: 1\r\rdata: 2\r\r", [("", b"1"), ("", b"2")], id="CR"),
    pytest.param(b"data: 1\n\r\ndata: 2\r\n\n", [("", b"1"), ("", b"2")], id="mixed line ends"),
    pytest.param(b"\xef\xbb\xbfdata: 1\n\n", [("", b"1")], id="a byte order mark"),
    pytest.param(b": hello\n\n:\n\ndata: 1\n\n", [("", b"1")], id="comments"),
    pytest.param(b": hello\ndata: 1\n\n", [("", b"1")], id="a comment in an event"),
    pytest.param(b"id: 7\nretry: 10\n\ndata: 1\nid: 8\n\n", [("", b"1")], id="ids and retry times"),
    pytest.param(b"event: ping\n\ndata: 1\n\n", [("", b"1")], id="a ping without data"),
    pytest.param(b"event: ping\ndata\n\ndata: 1\n\n", [("", b"1")], id="a ping with an empty field"),
    pytest.param(b"data:\n\ndata: \n\ndata: 1\n\n", [("", b"1")], id="empty data"),
    pytest.param(b"event: error\ndata: 1\n\n", [("error", b"1")], id="a name"),
    pytest.param(b"data: 1\nevent: error\n\n", [("error", b"1")], id="a name after the data"),
    pytest.param(b"event: \xff\ndata: 1\n\n", [("�", b"1")], id="a name that is no text"),
    pytest.param(b'data: {"a":\ndata: 1}\n\n', [("", b'{"a":\n1}')], id="data over several lines"),
    pytest.param(b'data: {"a":1}\ndata: {"b":2}\n\n', [("", b'{"a":1}'), ("", b'{"b":2}')], id="JSON lines"),
    pytest.param(
        b'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n',
        [("", b'{"a":1}'), ("", b'{"b":2}'), ("", b"[DONE]")],
        id="single line ends",
    ),
    pytest.param(b"\n\n\n\ndata: 1\n\n\n\n\ndata: 2\n\n\n", [("", b"1"), ("", b"2")], id="many blank lines"),
    pytest.param(
        "data: a\u2028b\n\n".encode(), [("", "a\u2028b".encode())], id="a line separator of Unicode"
    ),
    pytest.param(b"data: a\x0bb\x0cc\x85d\n\n", [("", b"a\x0bb\x0cc\x85d")], id="line ends of Python's only"),
    pytest.param(b"\0\0data: 1\n\n", [("", b"1")], id="control characters before a name"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\n", [("", b"1")], id="two byte order marks"),
    pytest.param(b"\x1edata: 1\n\n\x1edata: 2\n\n", [("", b"1"), ("", b"2")], id="record separators"),
    pytest.param(b" data: 1\n\n\tdata : 2\n\n", [("", b"1"), ("", b"2")], id="white space around a name"),
    pytest.param(b"Data: 1\nEVENT: error\n\n", [("error", b"1")], id="a name in capitals"),
    pytest.param(b"nonsense\ndata: 1\n\n", [("", b"1")], id="an unknown field"),
    pytest.param(b"data: [DONE]", [("", b"[DONE]")], id="an end without a line end"),
    pytest.param(
        b'data: 1\n\ndata: {"a":1}', [("", b"1"), ("", b'{"a":1}')], id="a whole event without its end"
    ),
    pytest.param(b'data: 1\n\ndata: {"a"', [("", b"1")], id="half an event"),
    pytest.param(b"data: 1\n\nda", [("", b"1")], id="half a field"),
]


@pytest.mark.parametrize(("stream", "events"), STREAMS)
def test_a_stream_has_these_events(stream: bytes, events: list[tuple[str, bytes]]) -> None:
    """The events are the same for the stream in one piece, byte by byte, and in pieces of two and three."""
    assert decode(stream) == events
    for size in (1, 2, 3):
        assert decode(*(stream[at : at + size] for at in range(0, len(stream), size))) == events


lines = st.sampled_from(
    [b"data: 1", b'data: {"a":1}', b"data:", b"data: [DONE]", b": c", b"event: error", b"id", b"x: y", b""]
)
ends = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n", b"\r\r"])


@given(st.lists(st.tuples(lines, ends)).map(lambda pairs: b"".join(a + b for a, b in pairs)), st.data())
def test_any_cut_gives_the_same_events(stream: bytes, data: st.DataObject) -> None:
    """The events do not depend on where the network divides the stream; pieces may be empty."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream)


def test_the_bytes_of_complete_events_are_given_as_they_are() -> None:
    """Only their line ends change; what is not complete gives nothing yet."""
    decoder = EventDecoder()
    assert decoder.feed_bytes(b"data: 1\r\n") == b""
    assert decoder.feed_bytes(b"\r\ndata: 2") == b"data: 1\n\n"
    assert decoder.feed_bytes(b"") == b""
    assert decoder.feed_bytes(b"\n\n") == b"data: 2\n\n"
    assert [decoder.feed_bytes(b"\n"), decoder.feed_bytes(b"\n")] == [b"", b"\n\n"]
    assert decoder.is_between_events


@pytest.mark.parametrize(
    ("data", "is_done"),
    [(b"[DONE]", True), (b' "[DONE]" ', True), (b"'[DONE]'", False), (b"DONE", False), (b"", False)],
)
def test_the_end_of_a_stream_may_be_in_quotes(data: bytes, *, is_done: bool) -> None:
    """Some servers write it as JSON."""
    assert is_done_data(data) is is_done


def test_what_is_complete_is_given_at_once() -> None:
    """No event waits for the next one."""
    decoder = EventDecoder()
    assert decoder.feed(b"data: 1\n\ndata: 2\n") == [ServerSentEvent("", b"1")]
    assert decoder.feed(b"\n") == [ServerSentEvent("", b"2")]
    assert decoder.finish() == []


@given(st.text(alphabet=st.characters(exclude_characters="\r\n"), min_size=1).map(str.encode))
def test_what_is_encoded_is_decoded(line: bytes) -> None:
    """One line of data comes back as it was."""
    assert decode(encode_event(line)) == [("", line)]
    assert decode(DONE_EVENT) == [("", b"[DONE]")]


def test_data_over_several_lines_is_encoded_so_that_it_stays_one_event() -> None:
    """A line without its field name would be lost."""
    assert encode_event(b'{"a":\n1}') == b'data: {"a":\ndata: 1}\n\n'


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"", None),
        (b" \r\n", None),
        (b"\xef\xbb", None),
        (b"\xef\xbb\xbf", None),
        (b"\xef\xbb\xbf\n {", "json"),
        (b'\n{"choices"', "json"),
        (b"[", "json"),
        (b"data: {", "stream"),
        (b"\xef\xbb\xbfdata:", "stream"),
        (b": ping", "stream"),
        (b"event: error\n", "stream"),
        (b"retry\n", "stream"),
        (b"DATA: 1", "stream"),
        (b"da", None),
        (b"even", None),
        (b"data", None),
        (b"<html>", "other"),
        (b"Error: no", "other"),
        (b"Bad gateway\n", "other"),
        (b"7", "other"),
        (b"\0" * 1023, None),
        (b"\0" * 1024, "other"),
        (b" " * 5000 + b"da", None),
    ],
)
def test_the_form_of_a_body_is_detected_from_its_first_bytes(start: bytes, form: BodyForm | None) -> None:
    """More bytes are waited for only while they can still decide."""
    assert detect_form(start) == form


def test_a_line_end_at_the_beginning_of_a_piece_ends_an_event() -> None:
    """Only the LF of a CR LF that is split between two pieces belongs to the piece before."""
    assert decode(b"data: a\n", b"\ndata: b\r\n\r\n") == [("", b"a"), ("", b"b")]
    assert decode(b"data: a\r", b"\n\r", b"\ndata: b\n\n") == [("", b"a"), ("", b"b")]
