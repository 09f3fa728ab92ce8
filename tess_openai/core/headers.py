"""Request headers: add what Tess needs, remove what is only for OpenAI."""

from __future__ import annotations

from typing import Final

from tess_openai.core.calls import Call
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused

TRANSFER_ENCODING: Final = "transfer-encoding"
WORKSPACE_HEADER: Final = "x-workspace-id"
OPENAI_HEADERS: Final = ("openai-organization", "openai-project")
"""The SDK sends these when the environment sets them; they are for OpenAI only."""


def request_headers(call: Call, options: Options) -> dict[str, str | None]:
    """Return the headers to set and, with None, to remove; a workspace in the call replaces the client's.

    A body that came in chunks and was read is sent as a whole: HTTP allows a length or chunks, not both.
    """
    headers: dict[str, str | None] = {}
    if TRANSFER_ENCODING in call.headers and call.fields is not None:
        headers[TRANSFER_ENCODING], headers["content-length"] = None, str(len(call.body))
    for name in OPENAI_HEADERS:
        if name in call.headers:
            headers[name] = None
    if options.workspace_id is not None and WORKSPACE_HEADER not in call.headers:
        headers[WORKSPACE_HEADER] = options.workspace_id
    return headers


def is_openai_key(authorization: str) -> bool:
    """Whether a key starts like those of OpenAI."""
    return authorization[:10].lower() == "bearer sk-"


def is_sendable(value: str) -> bool:
    """Whether a header can carry a value; the http client would log one with a line break."""
    return value.isascii() and value.isprintable()


def unsendable_header(name: str) -> Refused:
    """Return the refusal of a call with a header that `is_sendable` rejects; its value is not shown."""
    if name == WORKSPACE_HEADER:
        message = (
            f"{WORKSPACE_HEADER} has characters that no header can carry; it must be a number, such as 1234."
        )
        return Refused(message, param=WORKSPACE_HEADER, code="workspace_invalid")
    return Refused(
        "The API key of this call has characters that no header can carry, such as a line break; the call "
        "was not sent. Copy the key again from Tess; a function that reads it from a file must return "
        "text.strip().",
        param=None,
        code="invalid_api_key",
        status=401,
    )


def foreign_key() -> Refused:
    """Return the refusal of a call that carries another service's key.

    With `OPENAI_CUSTOM_HEADERS`, the SDK replaces the program's key again in each `with_options()`.
    """
    return Refused(
        "This call carries the key of another service, which is never sent to Tess. Pass a Tess key with "
        "api_key= or TESS_API_KEY, and remove Authorization from OPENAI_CUSTOM_HEADERS.",
        param=None,
        code="foreign_key",
        status=401,
    )
