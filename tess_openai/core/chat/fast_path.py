"""The short way of a chat: a call that needs nothing changed, and an answer that is complete as it came.

Most calls are of that kind, and seeing it costs a fraction of the flow. So a driver sends such a call ahead
of its flow. When the answer is complete too, no flow is needed; else the flow runs as ever, and the answer in
hand is its first exchange. What is not plainly so goes the whole way: nothing is decided here.
"""

from __future__ import annotations

from typing import Final

from tess_openai.core.chat.chunks import FINISH_REASONS
from tess_openai.core.chat.completion import COMPLETION
from tess_openai.core.chat.messages import is_plain_chat
from tess_openai.core.chat.target import AGENT
from tess_openai.core.chat.text_repair import repair_text
from tess_openai.core.chat.usage import is_usage
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.options import Options
from tess_openai.core.probe_profile import NOTHING_PROVEN

_FIELDS: Final = {"messages", "model", "stream"}


def may_be_plain(options: Options) -> bool:
    """Whether these options add nothing of their own to a call."""
    return (
        options.tools is None
        and not (options.fetch_agents or options.agents or options.agent_names or options.models)
        and not options.policy.emulates
        and options.profile is NOTHING_PROVEN
    )


def is_plain(given: JSONObject, options: Options) -> bool:
    """Whether a request goes to the agent of its URL as it is, under options that may be plain.

    Shape: `{"messages": [...], "model": "tess-6", "stream": false}`, each message with a documented role and
    a text, and with `merge_messages` no two neighbours of one role.
    """
    if not given.keys() <= _FIELDS or given.get("stream", False) is not False:
        return False
    model, messages = given.get("model"), to_list(given.get("messages"))
    if not isinstance(model, str) or model.startswith(AGENT) or not messages:
        return False
    return is_plain_chat(messages, merge=options.merge_messages)


def is_complete(fields: JSONObject, options: Options) -> bool:
    """Whether a whole answer holds all that OpenAI's would, and one choice with a text.

    There is nothing to add to such an answer, and nothing to tell of it.
    """
    try:
        (choice,), answer_id = fields["choices"], fields["id"]
        message = choice["message"]
        content = message["content"]
        return (
            fields.get("error") is None
            and fields["object"] == COMPLETION
            and (isinstance(answer_id, str) and answer_id != "")
            and type(fields["created"]) is int
            and isinstance(fields["model"], str)
            and type(choice["index"]) is int
            and message["role"] == "assistant"
            and (isinstance(content, str) and content != "" and repair_text(content) is content)
            and choice["finish_reason"] in FINISH_REASONS
            and (options.usage == "none" or is_usage(to_object(fields["usage"])))
        )
    except (KeyError, TypeError, ValueError):  # something is missing, or of another kind
        return False
