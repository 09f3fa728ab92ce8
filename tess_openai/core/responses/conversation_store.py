"""Stores earlier responses by their id, so that `previous_response_id` can continue them.

An entry contains the whole conversation up to its response, so it can be continued without any other entry.
The adapter finds it only for a call with the API key of the call that saved it. Entries are not encrypted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from tess_openai.core.calls import Call, Event, Step, StoreAccess
from tess_openai.core.flow_steps import use_store
from tess_openai.core.jsons import JSONObject, dump_json, object_length, parse_object, to_list, to_object
from tess_openai.core.refusals import Refused

ID_POSITION_DIGITS: Final = 4
"""How many digits of a position end an item's id; before them is the random part of its response's id."""
_HEAD: Final = b'{"response":'


class ResponseStore(Protocol):
    """Stores responses. Its methods may block; the adapter calls them from several threads at once.

    A key is 64 hexadecimal digits, a hash of the response's id and the API key. A value is JSON in UTF-8 that
    contains the conversation. An entry may disappear at any time: when it expires, when newer entries replace
    it, or when another process deletes it. An exception of `save` does not fail the call, since Tess has
    answered it; an exception of `load` or `delete` becomes a refusal with status 503.
    """

    def load(self, key: str) -> bytes | None:
        """Return an entry; None when it does not exist."""
        ...

    def save(self, key: str, value: bytes) -> None:
        """Save an entry; it replaces one with the same key."""
        ...

    def delete(self, key: str) -> None:
        """Delete an entry, if it exists."""
        ...


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class StoredResponse:
    """A response, and the conversation that led to it.

    Attributes:
        response: The response object as the caller got it, but without the ledger.
        inputs: All items before its output, including those of the responses that it continues.
        background: Whether the caller requested it with `background=True`.
    """

    response: JSONObject = field(repr=False)
    inputs: Sequence[JSONObject] = field(repr=False)
    background: bool = False

    @property
    def items(self) -> list[JSONObject]:
        """All items of the conversation, ending with the output of the response."""
        return [*self.inputs, *_objects(self.response.get("output"))]

    def to_bytes(self, response: bytes) -> bytes:
        """Return the value for a store; `response` is `self.response` as JSON, to serialise it only once."""
        rest = dump_json({"inputs": list(self.inputs), "background": self.background})
        return b"%b%b,%b" % (_HEAD, response, rest[1:])


def parse_stored(value: bytes) -> StoredResponse | None:
    """Parse a value from a store; None when it is not a stored response."""
    fields = parse_object(value) or _parse_in_parts(value) or {}
    response = to_object(fields.get("response"))
    if response is None:
        return None
    return StoredResponse(response, _objects(fields.get("inputs")), fields.get("background") is True)


def _parse_in_parts(value: bytes) -> JSONObject | None:
    """Parse the response and the rest apart: the value is one level deeper, maybe too deep for the parser."""
    if value[: len(_HEAD)] != _HEAD:
        return None
    end = len(_HEAD) + object_length(value[len(_HEAD) :])
    response, rest = parse_object(value[len(_HEAD) : end]), parse_object(b"{" + value[end + 1 :])
    return None if response is None or rest is None else {**rest, "response": response}


def load_response(call: Call, response_id: str) -> Generator[Step, Event, StoredResponse | None]:
    """Load a response; None when there is no entry, or it is not a stored response.

    Raises:
        Refused: The store failed, or returned a value of another type or an entry without ids.
    """
    result = yield from use_store(StoreAccess("load", _key(call, response_id)))
    if result.problem:
        raise _store_failed(result.problem)
    return _stored(result.value)


def _stored(value: object) -> StoredResponse | None:
    """Parse and check what a store loaded; the store may be the user's own class."""
    if value is None:
        return None
    if not isinstance(value, bytes | str):
        raise _store_failed(f"a load() that returned {type(value).__name__} instead of the saved bytes")
    stored = parse_stored(value.encode(errors="replace") if isinstance(value, str) else value)
    if stored is not None and not _has_ids(stored):
        raise _store_failed("a load() that returned an entry without the ids that were saved")
    return stored


def save_response(call: Call, stored: StoredResponse, response: bytes) -> Generator[Step, Event, str]:
    """Save a response, given also as JSON; return the name of the store's exception, `""` if it succeeded."""
    response_id = str(stored.response["id"])
    result = yield from use_store(StoreAccess("save", _key(call, response_id), stored.to_bytes(response)))
    return result.problem


def delete_response(call: Call, response_id: str) -> Generator[Step, Event, None]:
    """Delete a response.

    Raises:
        Refused: The store failed.
    """
    result = yield from use_store(StoreAccess("delete", _key(call, response_id)))
    if result.problem:
        raise _store_failed(result.problem)


def previous_not_found(response_id: str) -> Refused:
    """Return the refusal of a `previous_response_id` that is not in the store."""
    is_id = response_id.isidentifier() and len(response_id) < 80
    named = f" with id '{response_id}'" if is_id else ""
    message = (
        f"Previous response{named} not found. Responses are kept in the memory of the client that made them, "
        "so it is missing if another process or client made it, before a restart or long ago, or with "
        "store=False, or if it was deleted. Share a store: "
        "create_client(responses_store=SQLiteResponseStore(path)), or send the whole conversation as input."
    )
    return Refused(message, param="previous_response_id", code="previous_response_not_found")


def response_id_of_item(item_id: str) -> str:
    """Return the id of the response that an item belongs to."""
    return f"resp_{item_id.partition('_')[2][:-ID_POSITION_DIGITS]}"


def _has_ids(stored: StoredResponse) -> bool:
    """Whether the response and its inputs have the ids with which each of them is saved."""
    return all(isinstance(each.get("id"), str) for each in (stored.response, *stored.inputs))


def _store_failed(problem: str) -> Refused:
    message = (
        f"The store of responses failed with {problem}. Nothing was sent to Tess; try again, or send the "
        "whole conversation as input."
    )
    return Refused(message, param=None, code="responses_store_failed", status=503)


def _key(call: Call, response_id: str) -> str:
    """Return the key of an entry: a hash that depends on the API key and does not reveal it."""
    text = f"{call.headers.get('authorization', '')}\n{response_id}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=32).hexdigest()


def _objects(given: object) -> list[JSONObject]:
    return [item for each in to_list(given) or [] if (item := to_object(each)) is not None]
