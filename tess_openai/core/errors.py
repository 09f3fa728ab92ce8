"""Errors: translate every error format of Tess, and of the proxies in front of it, to OpenAI's format.

Source: Tess docs, errors: `{"error": "..."}`, 400 `{"error", "messages": {field: [...]}}`, 429 with
`retry_after`, 500 (documented). Laravel's 401 `{"message": "Unauthenticated."}` and 422
`{"message", "errors": {field: [...]}}`, Cloudflare's 524 as text, 502 to 504 as text or HTML (observed).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tess_openai.core.calls import Answer
from tess_openai.core.changes import counted
from tess_openai.core.error_hints import CODES_OUTSIDE_AGENTS, classify_error
from tess_openai.core.field_errors import field_errors_of, field_names_of, with_field_errors
from tess_openai.core.jsons import JSONObject, dump_json, parse_json, to_list, to_object
from tess_openai.core.paid_once import REPEAT_PAID_HINT
from tess_openai.core.refusals import error_envelope, error_type, json_headers
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS, retry_after_seconds, show_seconds

ERROR_BODY_LIMIT: Final = 65_536
"""The largest part of an error's body that is read, in bytes. A proxy may send a page of any length."""
_MAX_LINE_LENGTH: Final = 300
"""How many characters of an error page a message shows."""
FAILED_STATES: Final = ("failed", "error", "canceled", "cancelled")
"""Finish reasons and states of a failed execution. Source: `failed` documented, the others reported."""
NO_REASON: Final = "the execution failed without a reason"


@dataclass(frozen=True, slots=True)
class TessError:
    """One error of Tess, independent of its format.

    Attributes:
        status: The status for the SDK; not always the one that Tess sent.
        message: The reason, with the reasons of single fields.
        param: The first refused field, or the header `x-workspace-id`; None when none is known.
        code: What a program tests as `exception.code`.
        type: OpenAI's error type.
        hint: The usual cause or the remedy; `""` when unknown.
        retry_after_seconds: How long Tess asks to wait.
        may_retry: False when the SDK must not retry; None means that the SDK decides.
        tess: Tess's own body, parsed or as text.
        fields: All refused fields, in order, `"messages.0.role"`.
    """

    status: int
    message: str
    param: str | None
    code: str
    type: str
    hint: str = ""
    retry_after_seconds: float | None = None
    may_retry: bool | None = None
    tess: object = None
    fields: tuple[str, ...] = ()

    def to_json(self) -> JSONObject:
        """Return OpenAI's error body, with `retry_after` (seconds) and `tess` (Tess's own body) added."""
        message = f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message
        envelope = error_envelope(message, type_=self.type, param=self.param, code=self.code, tess=self.tess)
        if self.retry_after_seconds is not None:
            envelope["error"]["retry_after"] = self.retry_after_seconds
        return envelope

    def to_answer(self) -> Answer:
        """Return the answer that the SDK raises as the matching exception."""
        headers: dict[str, str | None] = {}
        if self.retry_after_seconds is not None:
            headers["retry-after"] = show_seconds(self.retry_after_seconds)
            headers["retry-after-ms"] = None  # the SDK would read this header first
        if self.may_retry is False:
            headers["x-should-retry"] = "false"
        return Answer(self.status, json_headers(headers), dump_json(self.to_json()))


def parse_error(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    max_retry_wait_seconds: float,
    names_agent: bool = True,
) -> TessError:
    """Parse an error answer of Tess or of a proxy in front of it.

    Args:
        status: HTTP status, 300 or above.
        headers: Response headers with names in lower case.
        body: Decoded body, possibly cut at `ERROR_BODY_LIMIT`.
        max_retry_wait_seconds: The SDK must not retry when Tess asks for a longer wait.
        names_agent: Whether the path of the request names an agent; if not, the error has no code and no hint
            about an agent or an execution.
    """
    payload = parse_json(body)
    fields = to_object(payload) or {}
    reasons = field_errors_of(fields)
    refused = field_names_of(reasons)
    message = _message(fields)
    if refused or not (message or reasons):
        message = message or _text(status, headers.get("content-type", ""), body, payload)
    message = with_field_errors(message, reasons)
    wait = retry_after_seconds(fields, headers)
    may_retry = None
    if wait is not None and wait > max_retry_wait_seconds:
        message = f"{message.rstrip('.')}. Tess asks to wait {show_seconds(wait)} seconds"
        if wait > MAX_KEY_PAUSE_SECONDS:
            limit = show_seconds(MAX_KEY_PAUSE_SECONDS)
            message += (
                f"; with requests_per_second= the key is paused for {limit} seconds at most, and a new "
                "client may try at once"
            )
        may_retry = False
    status, code, hint = classify_error(status, message, has_fields=bool(refused))
    if not names_agent:
        hint = "" if hint == REPEAT_PAID_HINT else hint
        code, hint = CODES_OUTSIDE_AGENTS.get(code, (code, hint))
    if code == "insufficient_quota":
        may_retry = False
    return TessError(
        status=status,
        message=message,
        param="x-workspace-id" if code.startswith("workspace_") else next(iter(refused), None),
        code=code,
        type=error_type(status),
        hint=hint,
        retry_after_seconds=wait,
        may_retry=may_retry,
        tess=_excerpt(body) if payload is None else payload,
        fields=refused,
    )


def parse_error_in_200(body: bytes, content_type: str, *, expected: str, status: int = 200) -> TessError:
    """Parse a success that is not the expected answer: HTML, `{"error": ...}`, an empty body, other JSON.

    It becomes a 502 that is not retried: the execution may have been paid for.

    Args:
        body: Decoded body.
        content_type: Content type of the response.
        expected: What the answer should be, `"a chat completion"`.
        status: HTTP status, 200 to 299.
    """
    payload = parse_json(body)
    fields = to_object(payload) or {}
    message = message_of(fields)
    hint, code = "", "not_an_answer"
    if message:
        code, what = "error_in_200", f"an error: {message}"
    elif has_failed(fields):
        code, what = "error_in_200", f"an error: {NO_REASON}"
    elif not body.strip():
        code, what = "empty_answer", f"an empty body instead of {expected}"
    elif payload is None:
        what = f"something other than {expected}: {_text(status, content_type, body, None)}"
        hint = "It may be the page of a login or a proxy: check the base URL."
    else:
        what = f"JSON that is not {expected}"
    return TessError(
        status=502,
        message=f"Tess answered {status} with {what}",
        param=next(iter(field_names_of(field_errors_of(fields))), None),
        code=code,
        type="server_error",
        hint=hint,
        retry_after_seconds=retry_after_seconds(fields, {}),
        may_retry=False,
        tess=_excerpt(body) if payload is None else payload,
    )


def parse_redirect(
    status: int, location: str, *, redirects_within_api: bool, drops_body: bool = True, redirects: int = 0
) -> TessError:
    """Parse a redirect that must not be followed.

    It leads to another origin or outside the API; or the http client would follow it with another request
    than the adapter's, a GET without the body (`drops_body`) or the caller's own; or, like a 304, it has no
    `location`. Where `redirects` were followed before it, the message gives their number instead of its
    destination.
    """
    where = "another origin, or to a page outside the API"
    if redirects_within_api:
        where = "another page, which " + ("would drop the request body" if drops_body else "is not followed")
    description = f"with a redirect to {where}; nothing was sent there"
    if redirects:
        before = counted(redirects, "redirect")
        description = f"with a redirect after {before} in a row, which is not followed"
    if not location:
        description = "without a location, which is no answer"
    return TessError(
        status=502,
        message=f"Tess answered {status} {description}",
        param=None,
        code="redirected",
        type="server_error",
        hint="Check the base URL, and whether a proxy or a login page answers in Tess's place.",
        may_retry=False,
        tess={"location": printable(location)},
    )


def message_of(fields: JSONObject) -> str:
    """Return the text of an error object in any format, with its reasons; `""` when it is not an error.

    Field errors without a message count as an error only in an object `messages` or `errors`: other answers
    may contain a list of messages or details too.
    """
    message, reasons = _message(fields), field_errors_of(fields)
    is_error = message or to_object(fields.get("messages")) or to_object(fields.get("errors"))
    return with_field_errors(message, reasons) if is_error else ""


def has_failed(fields: JSONObject) -> bool:
    """Whether a finish reason of an answer says that the execution failed."""
    choices = [to_object(choice) or {} for choice in to_list(fields.get("choices")) or []]
    return any(choice.get("finish_reason") in FAILED_STATES for choice in choices)


def _message(fields: JSONObject) -> str:
    for holder in (fields.get("error"), fields):
        if isinstance(holder, str) and holder.strip():
            return holder.strip()
        message = (to_object(holder) or {}).get("message")
        if isinstance(message, str) and message.strip():
            return message.strip()
    error = fields.get("error")
    return "" if error in (None, False, "", {}, []) else "an error without a text"


def _text(status: int, content_type: str, body: bytes, payload: object) -> str:
    """Describe a body without an error text: the first words of plain text or the title of a page."""
    if payload is not None or not body.strip():
        return f"HTTP {status} without a reason" if payload is None else f"HTTP {status}"
    text = body.decode(errors="replace")
    if "html" in content_type or text.lstrip()[:1] == "<":
        title = re.search(r"<title[^>]{0,200}>([^<]{1,200})", text[: _MAX_LINE_LENGTH * 20], re.IGNORECASE)
        return f'an HTML page, "{printable(html.unescape(title[1]))}"' if title else "an HTML page"
    return printable(text) or f"HTTP {status} without a reason"


def _excerpt(body: bytes) -> str:
    return body[:2048].decode(errors="replace")


def printable(text: str) -> str:
    """Return one short line without control characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[:_MAX_LINE_LENGTH]).split())
    return f"{line} ..." if len(text) > _MAX_LINE_LENGTH else line
