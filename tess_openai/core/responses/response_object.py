"""Makes the `response` object from a chat completion, or from the pieces of a stream.

Source: OpenAI's API reference, responses (documented), and the schemas of the Open Responses specification;
the object has every field that either of them requires.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tess_openai.core.calls import Call
from tess_openai.core.chat.usage import USAGE_KEYS
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.responses.conversation_store import ID_POSITION_DIGITS
from tess_openai.core.responses.input_items import item_type
from tess_openai.core.responses.response_request import ResponseRequest
from tess_openai.core.responses.used_parameters import used_parameters

RESPONSE: Final = "response"
_FIRST_INPUT_POSITION: Final = 1000
"""The ids of items contain a position. Those of input items begin here, those of output items at 0."""
_PREFIXES: Final = {
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "function_call": "fc",
    "function_call_output": "fco",
    "message": "msg",
}
"""Type of an item -> how its id begins."""
INCOMPLETE_REASONS: Final[Mapping[object, str]] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
"""Finish reason of chat -> why a response is incomplete."""
_COMPLETION_KEYS: Final = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier"}
)
"""Root fields of a completion that are not copied to the response as they are."""
_USAGE_KEYS: Final = frozenset({*USAGE_KEYS, "prompt_tokens_details", "completion_tokens_details"})


@dataclass(slots=True)
class ResponseDraft:
    """A response that is not complete yet.

    Attributes:
        request: The parsed request of the caller.
        random_part: The random part of all ids of this response.
        created_at: Seconds since the epoch.
        model: The model that answers; the requested one until the answer names it.
        root: Further root fields of Tess's answer.
        output: The items of the output so far.
        usage: The usage in chat's form; None until it arrives.
    """

    request: ResponseRequest
    random_part: str
    created_at: int
    model: str
    root: JSONObject
    output: list[JSONObject]
    usage: JSONObject | None = None

    @property
    def id(self) -> str:
        """The id of the response."""
        return f"resp_{self.random_part}"

    def item_id(self, prefix: str, position: int) -> str:
        """Return the id of an item, which contains the random part of the response's id."""
        return f"{prefix}_{self.random_part}{position:0{ID_POSITION_DIGITS}d}"

    def read_root(self, fields: JSONObject) -> None:
        """Take the model, the usage and further root fields from a completion or a chunk."""
        if fields.get("model"):
            self.model = fields["model"]
        usage = to_object(fields.get("usage"))
        if usage is not None:
            self.usage = usage
        if not fields.keys() <= _COMPLETION_KEYS:
            self.root.update((key, value) for key, value in fields.items() if key not in _COMPLETION_KEYS)

    def to_json(
        self,
        status: str,
        *,
        incomplete: str | None = None,
        error: JSONObject | None = None,
        ended: int | None = None,
    ) -> JSONObject:
        """Return the response object.

        Args:
            status: `"in_progress"`, `"completed"`, `"incomplete"` or `"failed"`.
            incomplete: Why it is incomplete.
            error: `{"code", "message"}` of a response that failed.
            ended: When it was completed, in seconds since the epoch; None for all other states.
        """
        details = None if incomplete is None else {"reason": incomplete}
        given = self.request.given
        return {
            **self.root,
            "id": self.id,
            "object": RESPONSE,
            "created_at": self.created_at,
            "completed_at": ended,
            "status": status,
            "error": error,
            "incomplete_details": details,
            "model": self.model,
            "output": list(self.output),
            **used_parameters(given, self.request.ledger),
            "store": self.request.shall_store,
            "usage": None if self.usage is None else to_response_usage(self.usage),
        }


def new_draft(request: ResponseRequest, call: Call) -> ResponseDraft:
    """Return the draft of the response to a call."""
    model = request.given.get("model")
    model = model if isinstance(model, str) else ""
    return ResponseDraft(request, call.new_id(), call.now(), model, root={}, output=[])


def to_response(draft: ResponseDraft, completion: JSONObject, *, now: int) -> JSONObject:
    """Return the whole response for a whole completion."""
    draft.read_root(completion)
    reason: object = None
    for choice in map(to_object, to_list(completion.get("choices")) or []):
        fields = choice or {}
        _add_items(draft, to_object(fields.get("message")) or {})
        incomplete = INCOMPLETE_REASONS.get(fields.get("finish_reason"))
        if incomplete is not None:  # the item that the answer was cut in
            draft.output[-1]["status"] = "incomplete"
        reason = reason or incomplete
    if isinstance(reason, str):
        return draft.to_json("incomplete", incomplete=reason)
    return draft.to_json("completed", ended=now)


def _add_items(draft: ResponseDraft, message: JSONObject) -> None:
    text, refusal = message.get("content"), message.get("refusal")
    calls = calls_of(message)
    parts: list[JSONObject] = []
    if isinstance(text, str) and (text or not (refusal or calls)):
        parts.append(text_part(text))
    if isinstance(refusal, str) and refusal:
        parts.append(refusal_part(refusal))
    if parts or not calls:
        item = message_item(draft.item_id("msg", len(draft.output)))
        item.update(status="completed", content=parts)
        draft.output.append(item)
    for given in calls:
        call = to_object(given) or {}
        item = call_item(call, draft, len(draft.output))
        item.update(status="completed", **{arguments_key(item): call_arguments(call)})
        draft.output.append(item)


def with_ids(items: Iterable[JSONObject], draft: ResponseDraft) -> list[JSONObject]:
    """Return input items; those without an id get one that belongs to this response."""
    return [
        item
        if isinstance(item.get("id"), str) and item["id"]
        else {**item, "id": draft.item_id(_PREFIXES.get(item_type(item), "item"), position)}
        for position, item in enumerate(items, _FIRST_INPUT_POSITION)
    ]


def message_item(item_id: str) -> JSONObject:
    """Return an empty message of the assistant, in progress."""
    return {"id": item_id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}


def text_part(text: str) -> JSONObject:
    """Return a text part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(refusal: str) -> JSONObject:
    """Return a refusal part of a message."""
    return {"type": "refusal", "refusal": refusal}


def calls_of(message: JSONObject) -> list[object]:
    """Return the tool calls of a message or a delta of chat; its older `function_call` counts as one."""
    calls = to_list(message.get("tool_calls"))
    if calls:
        return calls
    function = message.get("function_call")
    return [{"function": function}] if function else []


def call_item(call: JSONObject, draft: ResponseDraft, position: int) -> JSONObject:
    """Return a tool call in progress, without its arguments."""
    custom = to_object(call.get("custom"))
    inner = custom or to_object(call.get("function")) or {}
    prefix, kind = ("fc", "function_call") if custom is None else ("ctc", "custom_tool_call")
    item_id = draft.item_id(prefix, position)
    call_id = call.get("id")
    item: JSONObject = {
        "id": item_id,
        "type": kind,
        "status": "in_progress",
        "call_id": call_id if isinstance(call_id, str) and call_id else f"call_{item_id}",
        "name": inner.get("name") or "",
    }
    item[arguments_key(item)] = ""
    return item


def arguments_key(item: JSONObject) -> str:
    """Return the key under which a call item has its arguments: a custom tool has an `input`."""
    return "input" if item["type"] == "custom_tool_call" else "arguments"


def call_arguments(call: JSONObject) -> str:
    """Return the arguments or the input of a tool call of chat, or of a piece of one."""
    custom = to_object(call.get("custom"))
    value = (
        custom.get("input")
        if custom is not None
        else (to_object(call.get("function")) or {}).get("arguments")
    )
    return value if isinstance(value, str) else ""


def to_response_usage(usage: JSONObject) -> JSONObject:
    """Return the token counts of chat under the names of this API.

    Other keys are kept, except in the details, which get only the cached and the reasoning tokens.
    """
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    total = usage.get("total_tokens")
    others = {key: value for key, value in usage.items() if key not in _USAGE_KEYS}
    cached = _count((to_object(usage.get("prompt_tokens_details")) or {}).get("cached_tokens"))
    reasoned = _count((to_object(usage.get("completion_tokens_details")) or {}).get("reasoning_tokens"))
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": reasoned},
        "total_tokens": total if type(total) is int else prompt + completion,
        **others,
    }


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
