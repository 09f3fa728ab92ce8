"""Read Tess's answers inside a flow: errors, objects and paginated lists."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Final
from urllib.parse import urlencode

from tess_openai.core.calls import Event, Incoming, Outgoing, PauseKey, Step
from tess_openai.core.errors import (
    ERROR_BODY_LIMIT,
    TessError,
    parse_error,
    parse_error_in_200,
    parse_redirect,
)
from tess_openai.core.flow_steps import exchange, read_all
from tess_openai.core.jsons import JSONObject, parse_json, to_list, to_object
from tess_openai.core.retry_after import MAX_KEY_PAUSE_SECONDS

PER_PAGE: Final = 100
"""Source: the maximum of list-agents (reported)."""
_MAX_PAGES: Final = 1000
_DEFAULT_WAIT_SECONDS: Final = 1.0
"""The pause after a 429 that gives no delay. Source: the limit is about one request a second (reported)."""


def read_error(
    incoming: Incoming, max_retry_wait_seconds: float, *, method: str = "POST", names_agent: bool = False
) -> Generator[Step, Event, TessError]:
    """Read an answer with status 300 or above; a rate limit pauses the key's other calls too.

    Args:
        incoming: The head of the answer.
        max_retry_wait_seconds: As in the client's options.
        method: The method of the request.
        names_agent: Whether the path of the request names an agent; if not, the error has no code and no hint
            about an agent or an execution.
    """
    if incoming.status < 400:
        location = incoming.headers.get("location", "")
        return parse_redirect(
            incoming.status,
            location,
            redirects_within_api=incoming.redirects_within_api,
            drops_body=method != "GET",
            redirects=incoming.redirects,
        )
    # A broken body must not hide the status: the SDK would send, and pay for, a 524 again.
    body = yield from read_all(ERROR_BODY_LIMIT, allow_truncation=True)
    error = parse_error(
        incoming.status,
        incoming.headers,
        body,
        max_retry_wait_seconds=max_retry_wait_seconds,
        names_agent=names_agent,
    )
    if error.code == "rate_limit_exceeded":
        wait = error.retry_after_seconds
        yield PauseKey(_DEFAULT_WAIT_SECONDS if wait is None else min(wait, MAX_KEY_PAUSE_SECONDS))
    return error


def has_no_error(fields: JSONObject) -> bool:
    """Whether an object contains no error."""
    return not fields.get("error")


def read_object(
    outgoing: Outgoing,
    max_retry_wait_seconds: float,
    *,
    expected: str,
    is_expected: Callable[[JSONObject], bool] = has_no_error,
    blank: JSONObject | None = None,
    names_agent: bool = False,
) -> Generator[Step, Event, JSONObject | TessError]:
    """Send a request and return the JSON object of its answer; return an error when it is not one.

    A JSON list is returned as `{"data": [...]}`.

    Args:
        outgoing: The request to send.
        max_retry_wait_seconds: As in the client's options.
        expected: What the answer should be, `"an agent"`.
        is_expected: Whether an object is what was expected; by default, each object without an error is.
        blank: What to return for an empty body; None treats an empty body as an error.
        names_agent: As in `read_error`.
    """
    incoming = yield from exchange(outgoing)
    if incoming.status >= 300:
        method = outgoing.method or "POST"
        return (
            yield from read_error(incoming, max_retry_wait_seconds, method=method, names_agent=names_agent)
        )
    body = yield from read_all()
    payload = parse_json(body)
    fields = to_object(payload) if body.strip() else blank
    if fields is None and to_list(payload) is not None:
        fields = {"data": payload}
    if fields is None or not is_expected(fields):
        content_type = incoming.headers.get("content-type", "")
        return parse_error_in_200(body, content_type, expected=expected, status=incoming.status)
    return fields


def read_page(
    outgoing: Outgoing, max_retry_wait_seconds: float, *, expected: str
) -> Generator[Step, Event, JSONObject | TessError]:
    """Read one page of a list, `{"data": [...]}` with or without further fields."""
    return (yield from read_object(outgoing, max_retry_wait_seconds, expected=expected, is_expected=_is_page))


def read_pages(
    path: str,
    headers: Mapping[str, str | None],
    max_retry_wait_seconds: float,
    *,
    expected: str,
    is_last: Callable[[JSONObject], bool] = lambda _: False,
) -> Generator[Step, Event, list[JSONObject] | TessError]:
    """Read a list page by page, to its end or up to the page with an item for which `is_last` is true.

    After `_MAX_PAGES` pages, the rest of the list is not read.
    """
    found: list[JSONObject] = []
    number: int | None = 1
    while number is not None and number <= _MAX_PAGES:
        query = urlencode({"page": number, "per_page": PER_PAGE})
        page = yield from read_page(get(path, headers, query), max_retry_wait_seconds, expected=expected)
        if isinstance(page, TessError):
            return page
        items = [item for each in to_list(page.get("data")) or [] if (item := to_object(each)) is not None]
        found += items
        number = None if any(map(is_last, items)) else next_page(page, number)
    return found


def next_page(page: JSONObject, number: int) -> int | None:
    """Return the number of the next page; None if it is unknown, or after the last or an empty page.

    Source: `{"current_page", "data", "last_page"}` (documented for agents); other lists have only `{"data"}`
    or `meta.last_page` (observed).
    """
    last = page.get("last_page", (to_object(page.get("meta")) or {}).get("last_page"))
    if isinstance(last, str) and last.isascii() and last.isdigit() and len(last) < 10:
        last = int(last)
    return number + 1 if page.get("data") and isinstance(last, int) and number < last else None


def get(path: str, headers: Mapping[str, str | None], query: str = "") -> Outgoing:
    """Return a GET request of the adapter's own: the caller's headers with changes, and no body."""
    return Outgoing(b"", {**headers, "content-type": None}, "GET", path, query)


def _is_page(fields: JSONObject) -> bool:
    return has_no_error(fields) and to_list(fields.get("data")) is not None
