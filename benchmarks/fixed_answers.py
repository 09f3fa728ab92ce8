"""A local server that answers with fixed bytes, for benchmarks that compare its clients."""

from __future__ import annotations

import asyncio
import json
from multiprocessing.connection import Connection
from typing import Any

KEY = "1|abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL"
HISTORY = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Write one sentence about the sea." * 4},
]
PLAIN: dict[str, Any] = {"model": "tess-6", "messages": HISTORY}
CHANGED: dict[str, Any] = {
    "model": "tess-6",
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}], "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"x"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "user", "content": "And now?"},
    ],
    "temperature": 0.7,
    "top_p": 0.9,
    "seed": 1,
    "stop": ["END"],
    "max_tokens": 100,
    "response_format": {"type": "json_object"},
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "tess-6",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "The sea is wide and blue. " * 4},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
}


def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    """Return one complete stream event."""
    fields = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "tess-6",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chat_events() -> list[bytes]:
    """Return the events of a chat of 1000 chunks."""
    words = [chunk({"content": f"word{number} "}) for number in range(1000)]
    return [chunk({"role": "assistant", "content": ""}), *words, chunk({}, "stop"), b"data: [DONE]\n\n"]


def response(output: list[Any], status: str) -> dict[str, Any]:
    """Return a response with all the fields that the Open Responses specification requires."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "completed_at": 2 if status == "completed" else None,
        "status": status,
        "background": False,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "model": "tess-6",
        "output": output,
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 30,
        },
    }


def message(text: str | None, status: str) -> dict[str, Any]:
    """Return the message of a response; without a text, the message as it is when the server adds it."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    content = [] if text is None else [part]
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def response_events() -> list[bytes]:
    """Return the events of a response of 1000 deltas."""
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    words = [f"word{number} " for number in range(1000)]
    text = "".join(words)
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response([], "in_progress")},
        {"type": "response.in_progress", "response": response([], "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": message(None, "in_progress")},
        {"type": "response.content_part.added", **place, "part": part},
        *({"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in words),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": {**part, "text": text}},
        {"type": "response.output_item.done", "output_index": 0, "item": message(text, "completed")},
        {"type": "response.completed", "response": response([message(text, "completed")], "completed")},
    ]
    return [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n".encode()
        for number, event in enumerate(events)
    ]


def http_answers(whole: dict[str, Any], events: list[bytes]) -> tuple[bytes, bytes]:
    """Return a whole answer and a stream as a server sends them: ten events a piece, as a network does."""
    body = json.dumps(whole).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    pieces = [b"".join(events[i : i + 10]) for i in range(0, len(events), 10)]
    stream_head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    stream = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return head + body, stream_head + stream


def serve(port: Connection) -> None:
    """Answer chats and responses with fixed bytes, as fast as asyncio can; runs in a process of its own."""
    chats = http_answers(COMPLETION, chat_events())
    text: str = COMPLETION["choices"][0]["message"]["content"]
    responses = http_answers(response([message(text, "completed")], "completed"), response_events())

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in request.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                given = await reader.readexactly(length)
                streamed = b'"stream":true' in given or b'"stream": true' in given
                answers = responses if b"/responses HTTP/" in request[:200] else chats
                writer.write(answers[streamed])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())
