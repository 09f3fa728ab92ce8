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

    Leading `system` messages become one `developer` message, later ones become messages of the user.
    Consecutive messages of one role are joined with a blank line.
    """
    items = to_list(given)
    if items is None or not all(to_object(item) for item in items):
        return given
    native: list[JSONObject] = []
    for item in items:
        message = to_object(item) or {}
        role = message.get("role")
        if role in ("system", "developer"):
            is_first = all(each["role"] == "developer" for each in native)
            role = "developer" if is_first else "user"
        if role == "assistant" and not any(each["role"] == "user" for each in native):
            native.append({"role": "user", "content": _OPENING})
        previous = native[-1] if native else {}
        previous_text, text = previous.get("content"), message.get("content")
        if previous.get("role") == role and isinstance(previous_text, str) and isinstance(text, str):
            native[-1] = {**previous, "content": f"{previous_text}{BLANK_LINE}{text}"}
        else:
            native.append({**message, "role": role})
    return native
