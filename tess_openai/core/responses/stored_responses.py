"""The routes below `/responses` that answer from the store, and the estimate of input tokens.

Source: OpenAI's API reference, responses (documented).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs

from tess_openai.core.calls import Answer, Call, Flow
from tess_openai.core.chat.context import ledger_header, report_changes
from tess_openai.core.chat.stream_filter import append_ledger_to_json
from tess_openai.core.chat.usage import estimate_usage
from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused, json_headers
from tess_openai.core.responses.conversation_items import conversation_items
from tess_openai.core.responses.conversation_store import StoredResponse, delete_response, load_response
from tess_openai.core.responses.input_items import item_type
from tess_openai.core.responses.response_request import (
    keeps_include,
    read_response_request,
    to_chat_request,
)
from tess_openai.core.responses.responses_flow import RESPONSES_PATH
from tess_openai.core.translated_chat import read_call

INPUT_TOKENS_PATH: Final = f"{RESPONSES_PATH}/input_tokens"
_DEFAULT_LIMIT: Final = 20
_HIGHEST_LIMIT: Final = 100
_COUNTED: Final = ("tools", "response_format")
"""Fields of a chat request that are counted in addition to its messages, since the model reads them."""


def stored_response(call: Call, options: Options) -> Flow:
    """Answer a request for `/responses/{id}` or a path below it."""
    response_id, _, rest = call.path.removeprefix(RESPONSES_PATH).strip("/").partition("/")
    to_fields = _ROUTES.get((call.method, rest)) if response_id else None
    try:
        if to_fields is None:
            raise _not_supported()
        stored = yield from load_response(call, response_id)
        if stored is None:
            raise _not_found()
        fields = to_fields(call, stored)
        action = options.policy.action_for("include")
        # `include` cannot be forwarded, since no request is sent.
        ledger = Ledger(Policy("warn" if action == "forward" else action))
        keeps_include(_included(call), ledger)
        refused = yield from report_changes(ledger)
        if refused is not None:
            raise refused
        if call.method == "DELETE":
            yield from delete_response(call, response_id)
        yield _json(fields, ledger)
    except Refused as refused:
        yield refused.to_answer()


def count_input_tokens(call: Call, options: Options) -> Flow:
    """Answer `POST /responses/input_tokens` with an estimate, marked as one."""
    try:
        request = read_response_request(*read_call(call, options))
        items = yield from conversation_items(call, request)
        # Nothing is sent, so no warning or refusal by the policy applies.
        chat = to_chat_request(replace(request, ledger=Ledger(Policy("ignore"))), items)
    except Refused as refused:
        yield refused.to_answer()
        return
    counted = [dump_json(chat[name]).decode() for name in _COUNTED if chat.get(name)]
    usage = estimate_usage([*_texts(to_list(chat["messages"]) or []), *counted], "")
    count = usage["prompt_tokens"]
    fields: JSONObject = {"object": "response.input_tokens", "input_tokens": count, "estimated": True}
    yield _json(fields, Ledger(options.policy))


def _retrieve(call: Call, stored: StoredResponse) -> JSONObject:
    if _query(call, "stream") == "true":
        message = "stream: a stored response is returned as a whole. Leave stream out."
        raise Refused(message, param="stream", code="unsupported_parameter")
    return stored.response


def _delete(_call: Call, stored: StoredResponse) -> JSONObject:
    return {"id": stored.response["id"], "object": "response", "deleted": True}


def _cancel(_call: Call, stored: StoredResponse) -> JSONObject:
    """Return the response, which has already ended: nothing runs in the background."""
    if not stored.background:
        raise Refused("Cannot cancel a synchronous response.", param=None, code="invalid_request")
    return stored.response


def _list_input_items(call: Call, stored: StoredResponse) -> JSONObject:
    items = [_listed(item) for item in stored.inputs]
    order = _query(call, "order") or "desc"
    if order not in ("asc", "desc"):
        raise Refused("order must be asc or desc.", param="order", code="invalid_value")
    if order == "desc":
        items.reverse()
    if _query(call, "after"):
        items = items[_position(call, "after", items) + 1 :]
    if _query(call, "before"):
        items = items[: _position(call, "before", items)]
    given = _query(call, "limit") or str(_DEFAULT_LIMIT)
    if not (given.isascii() and given.isdecimal() and len(given) < 4 and 0 < int(given) <= _HIGHEST_LIMIT):
        raise Refused("limit must be a number from 1 to 100.", param="limit", code="invalid_value")
    page = items[: int(given)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": len(items) > len(page),
    }


def _position(call: Call, name: str, items: Sequence[JSONObject]) -> int:
    """Return the position of the item that a parameter of the query names."""
    item_id = _query(call, name)
    for position, item in enumerate(items):
        if item["id"] == item_id:
            return position
    raise Refused(f"{name} names no item of this response.", param=name, code="invalid_value")


_ROUTES: Final[Mapping[tuple[str, str], Callable[[Call, StoredResponse], JSONObject]]] = {
    ("GET", ""): _retrieve,
    ("DELETE", ""): _delete,
    ("POST", "cancel"): _cancel,
    ("GET", "input_items"): _list_input_items,
}
"""Method and path below the id -> returns the fields of the answer."""


def _listed(item: JSONObject) -> JSONObject:
    """Return an input item in the form of the API's list: with type, status, and complete parts in a list."""
    kind = item_type(item)
    listed: JSONObject = {**item, "type": kind}
    listed.setdefault("status", "completed")
    name = "content" if kind == "message" else "output"
    text_type = "output_text" if item.get("role") == "assistant" else "input_text"
    parts = to_list(item.get(name))
    if kind == "message" and isinstance(item.get("content"), str):
        parts = [{"type": text_type, "text": item["content"]}]
    if parts is not None:
        listed[name] = [_listed_part(part, text_type) for part in parts]
    return listed


def _listed_part(given: object, text_type: str) -> object:
    """Return a part of an item with the fields that the API always returns."""
    part = to_object(given)
    kind = None if part is None else part.get("type")
    if part is None or not isinstance(kind, str):
        return given
    if kind in ("input_text", "output_text", "text"):  # clients mix them up
        kind = text_type
    return {**_PART_DEFAULTS.get(kind, {}), **part, "type": kind}


_PART_DEFAULTS: Final[Mapping[str, JSONObject]] = {
    "input_image": {"detail": "auto"},
    "output_text": {"annotations": []},
}


def _texts(messages: Iterable[object]) -> list[str]:
    """Return the texts of messages: the content of each, with parts joined, and its tool calls as JSON."""
    texts: list[str] = []
    for given in messages:
        message = to_object(given) or {}
        content = message.get("content")
        parts = [to_object(part) or {} for part in to_list(content) or [{"text": content}]]
        texts.append("".join(part["text"] for part in parts if isinstance(part.get("text"), str)))
        if message.get("tool_calls"):
            texts.append(dump_json(message["tool_calls"]).decode())
    return texts


def _query(call: Call, name: str) -> str:
    return parse_qs(call.query).get(name, [""])[-1]


def _included(call: Call) -> list[object]:
    """Return the values of `include`, which the SDK writes as `include[]`."""
    query = parse_qs(call.query)
    return [*query.get("include", []), *query.get("include[]", [])]


def _json(fields: JSONObject, ledger: Ledger) -> Answer:
    headers = json_headers(dict(ledger_header(ledger)))
    return Answer(200, headers, append_ledger_to_json(dump_json(fields), ledger), base="none")


def _not_found() -> Refused:
    message = (
        "There is no response with this id. Responses are kept by the client that made them, in its memory, "
        "unless store=False; create_client(responses_store=SQLiteResponseStore(path)) shares them between "
        "processes."
    )
    return Refused(message, param="response_id", code="response_not_found", status=404)


def _not_supported() -> Refused:
    message = "Tess does not have this part of the Responses API. The request was not sent."
    return Refused(message, param=None, code="endpoint_not_supported", status=404)
