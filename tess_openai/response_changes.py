"""Read the ledger from an answer."""

from __future__ import annotations

from typing import Any, Final, cast, get_args

from tess_openai.core.changes import Action, Change
from tess_openai.core.chat.context import LEDGER_HEADER
from tess_openai.core.jsons import parse_json, to_list, to_object
from tess_openai.core.options import CALL_FIELD

_CARRIERS: Final = ("raw", "_raw_response", "response_metadata", "response")
"""The attributes that hold the SDK's answer in LlamaIndex, Instructor, LangChain and an error of `openai`."""


def changes_of(answer: object) -> tuple[Change, ...]:
    """Return what the adapter changed in a call, as recorded on its answer.

    Args:
        answer: A completion, a chunk of a stream (the last one has it), a raw response, an error of `openai`,
            a plain dict of one of these, or the answer of a framework that keeps one of them: a message of
            LangChain, a response of LlamaIndex or LiteLLM, a model made by Instructor.

    Returns:
        The changes in the order in which they were made; empty when nothing changed, or when the answer is
        not one of these.
    """
    for carrier in _CARRIERS:
        answer = getattr(answer, carrier, None) or answer
    fields = to_object(answer)
    if fields is None:
        fields = to_object(getattr(answer, CALL_FIELD, None)) or {}
    if CALL_FIELD in fields:
        fields = to_object(fields[CALL_FIELD]) or {}
    items = to_list(fields.get("changes"))
    if items is None:
        headers: Any = fields.get("headers") or getattr(answer, "headers", None)
        header: object = headers.get(LEDGER_HEADER) if hasattr(headers, "get") else None
        items = to_list(parse_json(header)) if isinstance(header, str) else None
    return tuple(_to_change(item) for item in items or [])


def _to_change(item: object) -> Change:
    fields = {key: value for key, value in (to_object(item) or {}).items() if isinstance(value, str)}
    action = fields.get("action")
    return Change(
        action=cast("Action", action) if action in get_args(Action) else "noticed",
        param=fields.get("param", ""),
        given=fields.get("given", ""),
        sent=fields.get("sent", ""),
        why=fields.get("why", ""),
    )
