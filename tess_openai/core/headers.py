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
    """Return the headers to set and, with None, to remove; a workspace header of the call is kept.

    A chunked body that the adapter has read is sent with its length instead; HTTP forbids both headers.
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
    """Whether a value of `Authorization` has a key that begins with `sk-`, as those of OpenAI do."""
    return authorization[:10].lower() == "bearer sk-"


def is_sendable(value: str) -> bool:
    """Whether a header can carry a value; the http client's error would show one that cannot, even a key."""
    return value.isascii() and value.isprintable()


def unsendable_header(name: str) -> Refused:
    """Return the refusal of a call with a header value that is not `is_sendable`; the value is not shown."""
    if name == WORKSPACE_HEADER:
        message = (
            f"{WORKSPACE_HEADER} has characters that no header can carry; it must be a number, such as 1234."
        )
        return Refused(message, param=WORKSPACE_HEADER, code="workspace_invalid")
    return Refused(
        "The API key of this call has characters that no header can carry, such as a line break; the call "
        "was not sent. Copy the key again from Tess; if it is read from a file, strip the line break: "
        "text.strip().",
        param=None,
        code="invalid_api_key",
        status=401,
    )


def key_of_another_service() -> Refused:
    """Return the refusal of a call that carries another service's key.

    The message names `OPENAI_CUSTOM_HEADERS`: an `Authorization` in it replaces the program's key each time
    that `with_options()` copies the client.
    """
    return Refused(
        "This call carries the key of another service, which is never sent to Tess. Pass a Tess key with "
        "api_key= or TESS_API_KEY, and remove Authorization from OPENAI_CUSTOM_HEADERS.",
        param=None,
        code="foreign_key",
        status=401,
    )
