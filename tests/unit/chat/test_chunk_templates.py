"""Chunks that differ only in their text are not parsed, and are passed on with the same result."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.answer_body import AnswerBody, AnswerHead
from tess_openai.core.chat.chunk_templates import template_of, unescape_json_text
from tess_openai.core.chat.chunks import ChunkReader
from tess_openai.core.chat.stream_faults import StreamFault
from tess_openai.core.chat.stream_filter import ChunkWriter, StreamFilter
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy
from tess_openai.core.sse import ServerSentEvent


def chunk(text: str, *, ascii_only: bool = False, reason: str | None = None, **delta: str) -> bytes:
    """Return the data of a complete chunk."""
    fields = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tess-6",
        "choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": reason}],
    }
    return json.dumps(fields, ensure_ascii=ascii_only).encode()


def event(text: str, *, ascii_only: bool = False) -> bytes:
    """Return the event of a complete chunk."""
    return b"data: " + chunk(text, ascii_only=ascii_only) + b"\n\n"


def written(text: bytes) -> bytes:
    """Return the event of a complete chunk with a text that is written like this."""
    return event("wind").replace(b'"wind"', b'"' + text + b'"')


def begun() -> ChunkReader:
    """Return a reader that knows the shape of `chunk`."""
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    for data in (chunk("", role="assistant"), chunk("sea")):
        reader.read(ServerSentEvent("", data))
    return reader


def texts_of(reader: ChunkReader, events: bytes) -> list[bytes] | None:
    """Return the texts of events that match the template of a reader."""
    return None if reader.template is None else reader.template.texts_of(events)


@given(texts=st.lists(st.text(), min_size=1), ascii_only=st.booleans())
def test_any_texts_take_the_shorter_way(*, texts: list[str], ascii_only: bool) -> None:
    """Texts are matched even with quotes and line ends, and are those that a JSON parser reads."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    found = texts_of(begun(), b"".join(event(text, ascii_only=ascii_only) for text in texts))
    assert found is not None
    assert [unescape_json_text(text) for text in found] == texts


SCRAPS = st.sampled_from(
    [b"\\", b'"', b"\\u12", b"\\n", b"u12ab", b"\xc3", b"\xa3", b"\xed\xa0\x80", b"\n", b"\x7f"]
)


@given(
    st.lists(
        st.one_of(
            SCRAPS, st.binary(max_size=3), st.text(max_size=3).map(lambda t: t.encode("utf-8", "ignore"))
        )
    )
)
def test_what_is_no_json_never_takes_it(scraps: list[bytes]) -> None:
    """What is taken for a text is one for a parser too, and the same."""
    text = b"".join(scraps)
    found = texts_of(begun(), written(text) + event("wind"))
    if found is not None:
        assert [json.loads(b'"' + each + b'"') for each in found] == [*map(unescape_json_text, found)]
    try:
        is_text = isinstance(json.loads((b'"' + text + b'"').decode()), str)
    except ValueError:
        is_text = False
    assert (found is not None) == is_text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(written(b"a\x01"), id="a control character that JSON forbids"),
        pytest.param(written(b"\xff"), id="bytes that are no UTF-8"),
        pytest.param(written(b"a\\") + event("b"), id="an escape that ends with its event"),
        pytest.param(written(b"\xc3") + written(b"\xa3"), id="a character in two events"),
        pytest.param(event("a").replace(b"chatcmpl-1", b"chatcmpl-2"), id="another id"),
        pytest.param(b"data: " + chunk("a", reason="stop") + b"\n\n", id="a finish reason"),
        pytest.param(b"data: " + chunk("a", role="assistant") + b"\n\n", id="another delta"),
        pytest.param(event("a") + b"data: {}\n\n" + event("b"), id="another event between"),
        pytest.param(b"event: error\n" + event("a"), id="an event with a name"),
        pytest.param(b"data: {}\n\n", id="something short"),
        pytest.param(event("wind").replace(b'"wind"', b'"'), id="one quote for two"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_certain_is_parsed(data: bytes) -> None:
    """The shorter way is for texts alone."""
    assert texts_of(begun(), data) is None


@pytest.mark.parametrize("text", ["content", "tess-6", "index"])
def test_a_text_that_occurs_elsewhere_too_gives_no_shape(text: str) -> None:
    """A chunk whose text equals one of its own keys or values cannot be cut in two with certainty."""
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    for data in (chunk("", role="assistant"), chunk(text)):
        reader.read(ServerSentEvent("", data))
    assert texts_of(reader, event("wind")) is None


def test_a_chunk_with_a_usage_gives_no_template() -> None:
    """Its usage would pass with each text, and programs add up the usage of all chunks."""
    usage = b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"choices"'
    data = chunk("sea").replace(b'"choices"', usage)
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    for each in (chunk("", role="assistant"), data):
        reader.read(ServerSentEvent("", each))
    assert texts_of(reader, b"data: " + data + b"\n\n") is None


def test_while_half_a_character_is_kept_no_text_takes_the_shorter_way() -> None:
    """The next text begins with the other half, which only a parser can join."""
    reader = begun()
    reader.read(ServerSentEvent("", chunk("a\ud83d", ascii_only=True)))
    assert texts_of(reader, event("wind")) is None
    reader.read(ServerSentEvent("", chunk("b")))
    assert texts_of(reader, event("wind")) is not None


@pytest.mark.parametrize(("content", "other"), [(b"a\\n", b"a\n"), (b"\\u0061", b"a"), (b"\\\\n", b"\\n")])
def test_a_text_that_is_written_otherwise_elsewhere_gives_no_shape(content: bytes, other: bytes) -> None:
    """What JSON escapes in the text may stand in another field as it is."""
    data = event("wind").replace(b'"wind"', b'"%b"' % content).replace(b'"tess-6"', b'"%b"' % other)[6:-2]
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    for each in (chunk("", role="assistant"), data):
        reader.read(ServerSentEvent("", each))
    assert texts_of(reader, b"data: " + data.replace(b'"%b"' % other, b'"ZZ"') + b"\n\n") is None


def test_a_broken_line_of_known_shape_is_a_fault() -> None:
    """A control character inside the text is not JSON, and the fault says so."""
    item = begun().read(ServerSentEvent("", chunk("a").replace(b'"a"', b'"a\x01"')))
    assert isinstance(item, StreamFault)


@given(st.lists(st.text(), min_size=1))
def test_every_text_counts_for_the_estimate(texts: list[str]) -> None:
    """The estimate of the usage is the same on both ways."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    ledger = Ledger(Policy())
    writer = ChunkWriter(reader, ledger, include_usage=True, estimate_for=["prompt"])
    stream = StreamFilter(AnswerBody(reader, AnswerHead(), expected="a stream"), writer, ledger)
    for text in ["", "sea", *texts]:
        stream.feed(b"data: " + chunk(text) + b"\n\n")
    end = stream.feed(b"data: " + chunk("", reason="stop") + b"\n\ndata: [DONE]\n\n")
    usage = json.loads(end.split(b"data: ")[-2])["usage"]
    whole = "".join(["sea", *texts])
    assert usage["completion_tokens"] == -(-len(whole.encode()) // 4)


def test_a_template_keeps_the_fields_of_its_chunk_without_its_text() -> None:
    """An emulated answer is made with them, and with the text of each event."""
    template = template_of(json.loads(chunk("sea")), ServerSentEvent("", chunk("sea")))
    assert template is not None
    assert template.fields == json.loads(chunk(""))
    assert template.with_text(b"a\\n\\u00e9") == json.loads(chunk("a\n\u00e9"))
    assert template.fields == json.loads(chunk(""))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(ServerSentEvent("", chunk("sea", reason="stop")), id="a finish reason"),
        pytest.param(ServerSentEvent("error", chunk("sea")), id="an event with a name"),
        pytest.param(ServerSentEvent("", chunk("sea").replace(b", ", b",\n")), id="data in several lines"),
        pytest.param(ServerSentEvent("", chunk("\ud83d", ascii_only=True)), id="half a surrogate pair"),
        pytest.param(ServerSentEvent("", chunk("")), id="an empty text"),
        pytest.param(ServerSentEvent("", chunk("sea", role="assistant")), id="a role"),
        pytest.param(ServerSentEvent("", chunk("sea", reasoning_content="hm")), id="another text"),
    ],
)
def test_an_event_that_is_no_text_alone_gives_no_template(sent: ServerSentEvent) -> None:
    """Later events that look like it would be taken for texts."""
    assert template_of(json.loads(sent.data), sent) is None


TEXTS = ["sea", "wind", "a\n", "\u00e9\U0001f642", "sun", "rain"]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([event(text) for text in TEXTS], id="each event alone"),
        pytest.param([b"".join(map(event, TEXTS[:2])), b"".join(map(event, TEXTS[2:]))], id="some together"),
        pytest.param(
            [event("sea"), event("wind")[:9], event("wind")[9:] + event("sun")], id="an event in two"
        ),
    ],
)
@pytest.mark.parametrize("counted", [False, True], ids=["without usage", "with usage"])
def test_texts_that_are_not_parsed_pass_as_the_same_bytes(pieces: list[bytes], *, counted: bool) -> None:
    """They are sent at once, and their texts are kept only for the estimate of the usage."""
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    ledger = Ledger(Policy())
    writer = ChunkWriter(reader, ledger, include_usage=counted, estimate_for=["prompt"] if counted else None)
    stream = StreamFilter(AnswerBody(reader, AnswerHead(), expected="a stream"), writer, ledger)
    stream.feed(b"data: " + chunk("", role="assistant") + b"\n\n" + event("first"))
    assert b"".join(stream.feed(piece) for piece in pieces) == b"".join(pieces)


def test_a_stream_that_fails_has_ended() -> None:
    """Nothing more is read from Tess; a chunk of text is not yet the end."""
    reader, ledger = begun(), Ledger(Policy())
    writer = ChunkWriter(reader, ledger, include_usage=False, estimate_for=None)
    stream = StreamFilter(AnswerBody(reader, AnswerHead(), expected="a stream"), writer, ledger)
    assert stream.ended is False
    stream.feed(event("wind"))
    assert stream.ended is False
    fault = StreamFault({"error": {"message": "lost"}})
    assert json.loads(stream.fail(fault).removeprefix(b"data: ")) == fault.envelope
    assert (stream.ended, stream.fault) == (True, fault)


def test_a_role_in_each_chunk_reaches_the_caller_once() -> None:
    """Frameworks append the role of each delta; the first chunk may have both a role and a text."""
    reader, ledger = ChunkReader("tess-6", lambda: 0, lambda: "x"), Ledger(Policy())
    writer = ChunkWriter(reader, ledger, include_usage=False, estimate_for=None)
    stream = StreamFilter(AnswerBody(reader, AnswerHead(), expected="a stream"), writer, ledger)
    sent = [b"data: " + chunk(text, role="assistant") + b"\n\n" for text in ("sea", "wind", "sun")]
    assert [stream.feed(each).count(b"role") for each in sent] == [1, 0, 0]


def test_an_error_beside_text_is_moved_in_each_chunk() -> None:
    """The SDK would raise the error, and the text, which was paid for, would be lost."""
    reader, ledger = ChunkReader("tess-6", lambda: 0, lambda: "x"), Ledger(Policy())
    writer = ChunkWriter(reader, ledger, include_usage=False, estimate_for=None)
    stream = StreamFilter(AnswerBody(reader, AnswerHead(), expected="a stream"), writer, ledger)
    stream.feed(b"data: " + chunk("", role="assistant") + b"\n\n")
    for text in ("sea", "wind"):
        sent = {**json.loads(chunk(text)), "error": {"message": "slow"}}
        fields = json.loads(stream.feed(b"data: " + json.dumps(sent).encode() + b"\n\n")[6:])
        assert "error" not in fields
        assert fields["tess"] == {"error": {"message": "slow"}}
