"""Recognises whole answers that need no change, at a fraction of the cost of `normalise_completion`.

Most answers need none. An answer that is not recognised is normalised as usual, with the same result.
"""

from __future__ import annotations

from typing import Final

from tess_openai.core.calls import Incoming
from tess_openai.core.chat.answer_types import ROOT_EXTRAS
from tess_openai.core.chat.finish_reasons import FINISH_REASONS
from tess_openai.core.chat.split_characters import may_hold_surrogates
from tess_openai.core.chat.usage import is_usage
from tess_openai.core.jsons import JSONObject, parse_object

JSON_TYPE: Final = "application/json"
_COMPLETION: Final = "chat.completion"
_CHECKED_IN_MESSAGE: Final = frozenset({"refusal", "tool_calls", "function_call", "annotations", "audio"})
"""Fields of a message that `normalise_completion` would check or convert."""
_CHECKED_IN_ROOT: Final = frozenset({*ROOT_EXTRAS, "error"})


def parse_finished_answer(incoming: Incoming) -> JSONObject | None:
    """Return the completion in the first piece of an answer, if it was read and needs no change; else None.

    It is a whole answer in OpenAI's format: `normalise_completion` would neither change nor report anything.
    """
    body = incoming.first_piece
    if (
        not body
        or b'"usage"' not in body
        or not incoming.headers.get("content-type", "").startswith(JSON_TYPE)
    ):
        return None
    if b"\\u" in body and may_hold_surrogates(body):
        return None
    fields = parse_object(body)
    return fields if fields is not None and is_finished_completion(fields) else None


def is_json(incoming: Incoming) -> bool:
    """Whether the content type of an answer is JSON."""
    return incoming.headers.get("content-type", "").startswith(JSON_TYPE)


def is_finished_completion(fields: JSONObject) -> bool:
    """Whether a completion has one choice with a text, and no field that must be added or checked."""
    try:
        (choice,), answer_id = fields["choices"], fields["id"]
        message = choice["message"]
        content = message["content"]
        return (
            fields["object"] == _COMPLETION
            and isinstance(answer_id, str)
            and answer_id != ""
            and type(fields["created"]) is int
            and isinstance(fields["model"], str)
            and type(choice["index"]) is int
            and message["role"] == "assistant"
            and isinstance(content, str)
            and content != ""
            and choice["finish_reason"] in FINISH_REASONS
            and choice.get("logprobs") is None
            and _CHECKED_IN_MESSAGE.isdisjoint(message)
            and _CHECKED_IN_ROOT.isdisjoint(fields)
            and is_usage(fields["usage"])
        )
    except (KeyError, TypeError, ValueError, AttributeError):  # a field is missing or has another type
        return False
