"""Bodies of answers in unusual forms, and what a program gets from them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fault_server import Connection, Fault, serving

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

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
