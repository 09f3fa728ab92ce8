"""Request headers: what Tess needs, without what is OpenAI's alone."""

from __future__ import annotations

from typing import Final

from tess_openai.core.calls import Call
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused

WORKSPACE: Final = "x-workspace-id"
FOREIGN: Final = ("openai-organization", "openai-project")
"""Sent by the SDK when its environment names them; they are nobody's business but OpenAI's."""


def request_headers(call: Call, options: Options) -> dict[str, str | None]:
    """Return the headers to set and, as None, to remove. A workspace that the call names itself wins."""
    headers: dict[str, str | None] = {name: None for name in FOREIGN if name in call.headers}
    if options.workspace_id is not None and WORKSPACE not in call.headers:
        headers[WORKSPACE] = options.workspace_id
    return headers


def check_key(call: Call) -> None:
    """Refuse to send a key of OpenAI's to Tess.

    Raises:
        Refused: The key starts like OpenAI's.
    """
    if is_openais(call.headers.get("authorization", "")):
        raise foreign_key()


def is_openais(authorization: str) -> bool:
    """Whether a header holds a key of OpenAI's."""
    return authorization[:10].lower() == "bearer sk-"


def foreign_key() -> Refused:
    """Return the refusal of a call with another service's key.

    The SDK lets `OPENAI_CUSTOM_HEADERS` replace the key that the program gave, anew at each `with_options()`.
    """
    return Refused(
        "This call carries a key of another service's, which is never sent to Tess. Pass Tess's own with "
        "api_key= or TESS_API_KEY, and take Authorization out of OPENAI_CUSTOM_HEADERS.",
        param=None,
        code="foreign_key",
        status=401,
    )
