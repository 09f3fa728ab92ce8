"""Faults that replace the answer; the agent does not run."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tess_openai.testing import error_responses
from tess_openai.testing.faults.fault import Fault
from tess_openai.testing.wire import FOREVER, json_response, text_response

_HTML: Final = "text/html; charset=utf-8"


def answers(status: int, payload: object) -> Fault:
    """Answer with this status and this JSON."""
    return Fault(name="answers", instead=json_response(status, payload))


def rate_limited(*, retry_after_seconds: float = 1, header: bool = False) -> Fault:
    """Answer 429, with the wait in the body and, with `header=True`, in the header too."""
    return Fault(
        name="rate_limited", instead=error_responses.rate_limited(retry_after_seconds, header=header)
    )


def gateway_timeout(*, wait_seconds: float = 0.0, phantom: bool = False) -> Fault:
    """Answer 524 after a wait.

    Args:
        wait_seconds: The wait, in seconds; about 100 at the real service (observed).
        phantom: The execution continues, and makes the next request fail with 500.
    """
    answer = replace(error_responses.gateway_timeout(), delay_seconds=wait_seconds)
    return Fault(name="gateway_timeout", instead=answer, then=server_error() if phantom else None)


def server_error() -> Fault:
    """Answer the documented 500."""
    return Fault(name="server_error", instead=json_response(500, {"error": "Internal server error"}))


def bad_gateway(*, status: int = 502) -> Fault:
    """Answer an HTML page of the network in front of Tess: 502, 503 or 504."""
    page = f"<html><head><title>{status}</title></head><body><h1>Error {status}</h1></body></html>"
    return Fault(name="bad_gateway", instead=text_response(status, page, _HTML))


def no_credits(*, status: int = 402) -> Fault:
    """Answer that the credits are used up; the status is assumed."""
    return Fault(name="no_credits", instead=json_response(status, {"error": "user has no credits"}))


def too_large() -> Fault:
    """Answer 413."""
    return Fault(name="too_large", instead=json_response(413, {"error": "Payload too large"}))


def login_page() -> Fault:
    """Answer 200 with the HTML of a login page."""
    page = "<!DOCTYPE html><html><head><title>Login</title></head><body>Please log in</body></html>"
    return Fault(name="login_page", instead=text_response(200, page, _HTML))


def empty_answer() -> Fault:
    """Answer 200 with the content type of JSON and an empty body."""
    return Fault(name="empty_answer", instead=text_response(200, "", "application/json"))


def error_in_200(*, message: str = "The agent could not run") -> Fault:
    """Answer 200 with `{"error": "..."}`."""
    return Fault(name="error_in_200", instead=json_response(200, {"error": message}))


def redirect(*, location: str = "/login", status: int = 302) -> Fault:
    """Redirect the client; 307 and 308 ask it to send the same body to the new address."""
    answer = text_response(status, "", _HTML).with_headers(location=location)
    return Fault(name="redirect", instead=answer)


def hang() -> Fault:
    """Never answer."""
    return Fault(name="hang", instead=replace(text_response(200, ""), delay_seconds=FOREVER))


def dropped_connection() -> Fault:
    """Close the connection without an answer."""
    return Fault(name="dropped_connection", instead=replace(text_response(200, ""), cut="before the head"))
