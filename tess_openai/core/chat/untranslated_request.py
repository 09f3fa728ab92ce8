"""Recognises requests that need no translation, at a fraction of the cost of translating them.

Most requests need none. A request that is not recognised is translated as usual, with the same result.
"""

from __future__ import annotations

from typing import Final

from tess_openai.core.chat.messages import need_no_translation
from tess_openai.core.chat.target import AGENT_PREFIX
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options

_FIELDS: Final = {"messages", "model", "stream"}


def needs_no_translation(given: JSONObject, options: Options) -> bool:
    """Whether a request is sent to the agent of its URL unchanged.

    Shape: `{"messages": [...], "model": "tess-6", "stream": false}`, where each message has a documented role
    and a text, and, with `merge_messages`, no two consecutive messages have the same role.
    """
    if not options.may_need_no_translation or not given.keys() <= _FIELDS:
        return False
    if not isinstance(given.get("stream", False), bool):
        return False
    model, messages = given.get("model"), given.get("messages")
    if (
        not isinstance(model, str)
        or model.startswith(AGENT_PREFIX)
        or not isinstance(messages, list)
        or not messages
    ):
        return False
    return need_no_translation(messages, merge=options.merge_messages)  # pyright: ignore[reportUnknownArgumentType] - `to_list` would be a call
