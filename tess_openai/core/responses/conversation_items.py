"""The items of a conversation: those of the response that is continued, and the input of the request.

Source: OpenAI's API reference, responses, `previous_response_id` and item references (documented). OpenAI
refuses an item that the continued conversation contains already, "Duplicate item found with id" (reported).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Final

from tess_openai.core.calls import Call, Event, Step
from tess_openai.core.changes import Change, counted
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.conversation_store import (
    StoredResponse,
    load_response,
    previous_not_found,
    response_id_of_item,
)
from tess_openai.core.responses.input_items import ITEM_REFERENCE, item_type, to_chat_messages
from tess_openai.core.responses.response_request import ResponseRequest

_RANDOM_ID: Final = re.compile(r"[a-z]+_[0-9A-Za-z]{20,}")
"""Matches an id with a random part, which belongs to one item only."""
_CALLS: Final = ("custom_tool_call", "function_call")


def conversation_items(call: Call, request: ResponseRequest) -> Generator[Step, Event, list[JSONObject]]:
    """Return all items of a conversation: those of earlier responses, then those of the input.

    References in the input are replaced by their items, and repetitions of earlier items are left out.

    Raises:
        Refused: An earlier response or a referenced item is not in the store, or the store failed.
    """
    before: list[JSONObject] = []
    previous: StoredResponse | None = None
    if request.previous_id:
        previous = yield from load_response(call, request.previous_id)
        if previous is None:
            raise previous_not_found(request.previous_id)
        before = previous.items
    items = list(request.items)
    if any(item_type(item) == ITEM_REFERENCE for item in items):
        items = yield from _without_references(call, before, items)
    if previous is not None:
        items = _without_repetitions(previous, items, request.ledger)
    return [*before, *items]


def _without_references(
    call: Call, before: Sequence[JSONObject], items: Sequence[JSONObject]
) -> Generator[Step, Event, list[JSONObject]]:
    """Return items with each reference replaced by its item.

    The item is one of `before`, one that precedes the reference in `items`, or one of a stored response.

    Each response is loaded once, however many of its items are referred to.
    """
    known: dict[str, JSONObject] = {}
    _add_known(known, before)
    loaded: set[str] = set()
    found: list[JSONObject] = []
    for given in items:
        item = given
        if item_type(given) == ITEM_REFERENCE:
            item_id = str(given.get("id"))
            response_id = response_id_of_item(item_id)
            if item_id not in known and response_id not in loaded:
                loaded.add(response_id)
                stored = yield from load_response(call, response_id)
                _add_known(known, [] if stored is None else stored.items)
            if item_id not in known:
                raise _item_not_found()
            item = known[item_id]
        _add_known(known, [item])
        found.append(item)
    return found


def _add_known(known: dict[str, JSONObject], items: Sequence[JSONObject]) -> None:
    """Add items that have an id, unless another item has it already."""
    for item in items:
        item_id = item.get("id")
        if isinstance(item_id, str) and item_id:
            known.setdefault(item_id, item)


def _item_not_found() -> Refused:
    message = (
        "An item that input refers to is not found. Items are kept with their responses by the client that "
        "made them, unless store=False; pass the item itself instead of a reference."
    )
    return Refused(message, param="input", code="item_not_found", status=404)


def _without_repetitions(
    previous: StoredResponse, items: list[JSONObject], ledger: Ledger
) -> list[JSONObject]:
    """Return the items that the continued conversation does not contain, and record the number of others.

    An item is a repetition of an earlier one if the model would read the same messages for both, and it has
    the random id of the earlier one, or both are calls with the same `call_id` and the earlier one is in the
    output of the previous response. All other items are new, also those with an id that a client gives to
    several items, such as `"__fake_id__"`.
    """
    if not any(item.get("id") or item_type(item) in _CALLS for item in items):
        return items
    known: dict[str, JSONObject] = {}
    _add_known(known, [item for item in previous.items if _RANDOM_ID.fullmatch(str(item.get("id")))])
    open_calls: dict[str, JSONObject] = {}
    for item in map(to_object, to_list(previous.response.get("output")) or []):
        if item is not None and item_type(item) in _CALLS and isinstance(item.get("call_id"), str):
            open_calls[item["call_id"]] = item
    kept: list[JSONObject] = []
    for item in items:
        earlier = _get(known, item.get("id"))
        if earlier is None and item_type(item) in _CALLS:
            earlier = _get(open_calls, item.get("call_id"))
        if earlier is None or _messages_for(earlier, ledger) != _messages_for(item, ledger):
            kept.append(item)
    repeated = len(items) - len(kept)
    if repeated:
        why = "the conversation that previous_response_id continues contains it already"
        ledger.add(
            Change(action="stripped", param="input", given=counted(repeated, "item"), sent="", why=why)
        )
    return kept


def _get(items: dict[str, JSONObject], key: object) -> JSONObject | None:
    return items.get(key) if isinstance(key, str) else None


def _messages_for(item: JSONObject, ledger: Ledger) -> list[object]:
    """Return the chat messages for one item alone, without recording changes in the ledger of the call."""
    return to_chat_messages([item], Ledger(ledger.policy))
