"""Chunks that differ only in their text take a shorter way through the filter, with the same result."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.chunks import ChunkReader, StreamFault
from tess_openai.core.chat.stream import ChunkWriter, StreamFilter
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


def begun() -> ChunkReader:
    """Return a reader that knows the shape of `chunk`."""
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    for data in (chunk("", role="assistant"), chunk("sea")):
        reader.read(ServerSentEvent("", data))
    return reader


def test_a_plain_text_takes_the_shorter_way() -> None:
    """Else the laws below would hold for nothing."""
    assert begun().text_of_alike(chunk("wind")) == "wind"


@given(st.text(), st.booleans())
def test_the_shorter_way_reads_what_a_parser_reads(text: str, ascii_only: bool) -> None:  # noqa: FBT001
    """Whatever the text, the way that is taken gives the same."""
    text = text.encode("utf-8", "ignore").decode()
    found = begun().text_of_alike(chunk(text, ascii_only=ascii_only))
    assert found is None or found == text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(chunk('say "hi"'), id="a quote"),
        pytest.param(chunk("a\\"), id="a backslash"),
        pytest.param(chunk("a\nb"), id="a line end"),
        pytest.param(chunk("a").replace(b'"a"', b'"a\x01"'), id="a control character that JSON forbids"),
        pytest.param(chunk("a").replace(b'"a"', b'"\xff"'), id="bytes that are no UTF-8"),
        pytest.param(chunk("a").replace(b"chatcmpl-1", b"chatcmpl-2"), id="another id"),
        pytest.param(chunk("a", reason="stop"), id="a finish reason"),
        pytest.param(chunk("a", role="assistant"), id="another delta"),
        pytest.param(b"{}", id="something short"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_certain_is_parsed(data: bytes) -> None:
    """The shorter way is for texts alone."""
    assert begun().text_of_alike(data) is None


@pytest.mark.parametrize("text", ["content", "tess-6", "index"])
def test_a_text_that_stands_elsewhere_too_gives_no_shape(text: str) -> None:
    """A chunk whose text equals one of its own keys or values cannot be cut in two with certainty."""
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    for data in (chunk("", role="assistant"), chunk(text)):
        reader.read(ServerSentEvent("", data))
    assert reader.text_of_alike(chunk("wind")) is None


def test_a_broken_line_of_known_shape_is_a_fault() -> None:
    """A control character inside the text is no JSON, and is told as that."""
    item = begun().read(ServerSentEvent("", chunk("a").replace(b'"a"', b'"a\x01"')))
    assert isinstance(item, StreamFault)


@given(st.lists(st.text(), min_size=1))
def test_every_text_counts_for_the_estimate(texts: list[str]) -> None:
    """The estimate of the usage is the same on both ways."""
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    reader = ChunkReader("tess-6", lambda: 0, lambda: "x")
    writer = ChunkWriter(reader, Ledger(Policy()), include_usage=True, estimate_for=["prompt"])
    stream = StreamFilter(reader, writer)
    for text in ["", "sea", *texts]:
        stream.feed(b"data: " + chunk(text) + b"\n\n")
    end = stream.feed(b"data: " + chunk("", reason="stop") + b"\n\ndata: [DONE]\n\n")
    usage = json.loads(end.split(b"data: ")[-2])["usage"]
    whole = "".join(["sea", *texts])
    assert usage["completion_tokens"] == -(-len(whole.encode()) // 4)
