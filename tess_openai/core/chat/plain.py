"""The short way of a chat: a call that needs nothing changed, and an answer that is complete as it came.

Most calls are of that kind, and seeing it costs a fraction of the flow. So a driver sends such a call ahead
of its flow. When the answer is complete too, no flow is needed; else the flow runs as ever, and the answer in
hand is its first exchange. What is not plainly so goes the whole way: nothing is decided here.
"""

from __future__ import annotations

from typing import Final

from tess_openai.core.calls import Incoming
from tess_openai.core.chat.chunks import FINISH_REASONS
from tess_openai.core.chat.completion import COMPLETION
from tess_openai.core.chat.messages import is_plain_chat
from tess_openai.core.chat.target import AGENT
from tess_openai.core.chat.usage import is_usage
from tess_openai.core.jsons import JSONObject, parse_object, to_list, to_object
from tess_openai.core.options import Options
from tess_openai.core.profile import NOTHING_PROVEN

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


def is_whole(incoming: Incoming) -> bool:
    """Whether the head of an answer is that of a whole one, as JSON."""
    return incoming.status == 200 and incoming.headers.get("content-type", "").startswith("application/json")


def is_complete(body: bytes, options: Options) -> bool:
    """Whether a whole answer holds all that OpenAI's would, and a text in each choice.

    The flow would add nothing to such an answer, and tell nothing of it.
    """
    fields = parse_object(body)
    if fields is None or fields.get("object") != COMPLETION or fields.get("error") is not None:
        return False
    if not isinstance(fields.get("id"), str) or not fields["id"] or type(fields.get("created")) is not int:
        return False
    if not isinstance(fields.get("model"), str) or not to_list(fields.get("choices")):
        return False
    if options.usage != "none" and not is_usage(to_object(fields.get("usage"))):
        return False
    return all(map(_is_complete_choice, fields["choices"]))


def _is_complete_choice(given: object) -> bool:
    choice = to_object(given)
    message = None if choice is None else to_object(choice.get("message"))
    if choice is None or message is None or type(choice.get("index")) is not int:
        return False
    content, reason = message.get("content"), choice.get("finish_reason")
    says = isinstance(content, str) and content != "" and message.get("role") == "assistant"
    return says and isinstance(reason, str) and reason in FINISH_REASONS
