"""Reword the advice in errors for callers of the gateway: options are named as in the gateway's file.

The adapter's errors name arguments of `create_client`, which callers of the gateway do not use. The same
options can be set in the gateway's file.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from tess_openai.client_options import OPTIONS
from tess_openai.core.jsons import JSONObject, to_object

_CALL: Final = "create_client("
_LONGEST_CALL: Final = 300
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_NOT_LITERAL: Final = (ValueError, TypeError, RecursionError, MemoryError)
_STORE: Final = 'responses_store = "sqlite:///responses.sqlite"'
_WORDINGS: Final = {
    r"\bapi_key= or TESS_API_KEY|\bTESS_API_KEY or api_key=": "TESS_API_KEY",
    r"; a preset takes emulate=True too": "",
    r" A client of yours for another service can answer it: .*": "",
    rf"\b({'|'.join(OPTIONS)})=(?=[\s,.;)]|$)": r"\g<1>",
}
"""Parts of messages for programs -> the wording for the gateway."""


def reword_envelope(envelope: JSONObject) -> JSONObject:
    """Return an error envelope with a reworded message; `envelope` itself when nothing changes."""
    error = to_object(envelope.get("error"))
    message = None if error is None else error.get("message")
    if error is None or not isinstance(message, str):
        return envelope
    reworded = reword(message)
    return envelope if reworded == message else {**envelope, "error": {**error, "message": reworded}}


def reword(message: str) -> str:
    """Return a message with `create_client(name=value)` written as a line of the gateway's file."""
    message = "".join(_with_lines(message))
    for pattern, wording in _WORDINGS.items():
        message = re.sub(pattern, wording, message)
    return message


def _with_lines(message: str) -> Iterator[str]:
    """Yield the parts of a message, each call of `create_client` as a line of the file."""
    at = 0
    while (start := message.find(_CALL, at)) >= 0:
        yield message[at:start]
        at = start + len(_CALL)
        for end in range(at, min(len(message), start + _LONGEST_CALL)):
            line = _line_of(message[start : end + 1]) if message[end] == ")" else None
            if line is not None:
                yield f"{line} in the gateway's file"
                at = end + 1
                break
        else:
            yield _CALL
    yield message[at:]


def _line_of(call: str) -> str | None:
    """Return the line of the file for a call with one option; None for any other text."""
    try:
        found = ast.parse(call, mode="eval").body
    except (SyntaxError, *_NOT_LITERAL):
        return None
    if not isinstance(found, ast.Call) or found.args or len(found.keywords) != 1:
        return None
    (keyword,) = found.keywords
    if keyword.arg == "responses_store":
        return _STORE
    try:
        return f"{keyword.arg} = {_to_toml(ast.literal_eval(keyword.value))}"
    except _NOT_LITERAL:
        return None


def _to_toml(value: object) -> str:
    """Write a value in TOML; None, which means the model of the agent, as an empty string."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_to_toml, cast('list[object]', value)))}]"
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value).items()
        return f"{{ {', '.join(f'{_to_key(key)} = {_to_toml(each)}' for key, each in members)} }}"
    return json.dumps("" if value is None else value, ensure_ascii=False)


def _to_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
