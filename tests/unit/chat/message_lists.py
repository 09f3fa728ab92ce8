"""Messages of several kinds, and what is sent for them."""

from __future__ import annotations

from typing import Any, TypeAlias

from tess_openai.core.changes import Change
from tess_openai.core.chat.messages import to_messages
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy

JSON: TypeAlias = dict[str, Any]


def text(role: str, content: object, **more: object) -> JSON:
    """Build a message."""
    return {"role": role, "content": content, **more}


HELLO = text("user", "hello")
CALL: JSON = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Lisbon"}'},
}
LOOP: list[JSON] = [
    HELLO,
    text("assistant", None, tool_calls=[CALL]),
    text("tool", "sunny", tool_call_id="call_1"),
]
IMAGE: JSON = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TEXT: JSON = {"type": "text", "text": "What is this?"}


def translate(given: object, policy: Policy | None = None, *, merge: bool = True) -> tuple[Any, list[Change]]:
    """Return what is sent, and the changes."""
    ledger = Ledger(Policy() if policy is None else policy)
    return to_messages(given, ledger, merge=merge), list(ledger.changes)
