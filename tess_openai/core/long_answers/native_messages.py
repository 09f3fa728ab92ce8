"""Convert the messages of a chat for Tess's own route `/execute`.

Source: Tess docs, execute-agent: `developer` instead of `system`, as the first message only, and alternating
users and assistants, or else "Chat messages must be a pair of user/assistant" (documented).
"""

from __future__ import annotations

from typing import Final

from tess_openai.core.chat.message_texts import BLANK_LINE
from tess_openai.core.jsons import JSONObject, to_list, to_object

_OPENING: Final = "(The conversation begins with your message.)"
"""The message of the user that is added where a conversation begins with the assistant."""


def to_native_messages(given: object) -> object:
    """Return messages for `/execute`; a value that is not a list of messages is not changed.

    Leading messages of `system` or `developer` get the role `developer`, later ones the role `user`.
    Consecutive messages of one role whose contents are strings are joined with a blank line.
    """
    items = to_list(given)
    if items is None or not all(to_object(item) for item in items):
        return given
    native: list[JSONObject] = []
    texts: list[str] = []  # those of the last message, joined once no further text follows
    roles = set[object]()
    for item in items:
        message = to_object(item) or {}
        role = message.get("role")
        if role in ("system", "developer"):
            role = "developer" if roles <= {"developer"} else "user"
        if role == "assistant" and "user" not in roles:
            _end_message(native, texts)
            native.append({"role": "user", "content": _OPENING})
            roles.add("user")
        text = message.get("content")
        if native and native[-1]["role"] == role and texts and isinstance(text, str):
            texts.append(text)
            continue
        _end_message(native, texts)
        native.append({**message, "role": role})
        texts += [text] if isinstance(text, str) else []
        roles.add(role if isinstance(role, str) else None)
    _end_message(native, texts)
    return native


def _end_message(native: list[JSONObject], texts: list[str]) -> None:
    """Join the texts to the content of the last message, and clear them."""
    if texts:
        native[-1]["content"] = BLANK_LINE.join(texts)
        texts.clear()
