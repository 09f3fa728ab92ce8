"""Events of a stream, and how tests read them with values that are known."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from tess_openai.core.chat.chunks import Chunk, ChunkReader
from tess_openai.core.chat.stream_faults import StreamFault
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
