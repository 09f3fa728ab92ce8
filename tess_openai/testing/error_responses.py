"""The error answers of Tess, in both forms, the documented and the observed."""

from __future__ import annotations

from collections.abc import Sequence

from tess_openai.core.jsons import JSONObject
from tess_openai.testing.chat_rules import Problem
from tess_openai.testing.simulator_profile import Profile
from tess_openai.testing.wire import WireResponse, json_response, text_response


def unauthenticated(profile: Profile) -> WireResponse:
    """Refuse a missing or unknown key. Source: documented 403, observed 401."""
    if profile.auth_error == "documented":
        return json_response(403, {"error": "Invalid authentication"})
    return json_response(401, {"message": "Unauthenticated."})


def workspace_missing() -> WireResponse:
    """Refuse a request without the header. Source: documented, by users' quotation."""
    return json_response(422, {"message": "The x-workspace-id header is required."})


def workspace_malformed(profile: Profile) -> WireResponse:
    """Refuse a header that is not an integer. Source: the words are documented, the rest is assumed."""
    text = "The x-workspace-id header must be a valid integer."
    if profile.error_dialect == "documented":
        return json_response(profile.malformed_workspace_status, {"error": text})
    return json_response(profile.malformed_workspace_status, {"message": text})


def workspace_foreign() -> WireResponse:
    """Refuse a workspace that the key does not belong to. Source: observed."""
    return json_response(403, {"message": "You do not have access to this workspace."})


def worded(status: int, text: str, profile: Profile) -> WireResponse:
    """Return an error without fields, in the form that the profile chooses."""
    key = "error" if profile.error_dialect == "documented" else "message"
    return json_response(status, {key: text})


def invalid(problems: Sequence[Problem], profile: Profile) -> WireResponse:
    """Refuse a body. Source: documented 400, observed 422."""
    fields: dict[str, list[str]] = {}
    for name, text in problems:
        fields.setdefault(name, []).append(text)
    if profile.error_dialect == "documented":
        return json_response(400, {"error": "Validation failed", "messages": fields})
    more = len(problems) - 1
    tail = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
    return json_response(422, {"message": problems[0][1] + tail, "errors": fields})


def rate_limited(retry_after_seconds: float, *, header: bool) -> WireResponse:
    """Return a 429. Source: the body is documented; whether there is a header is unknown."""
    payload: JSONObject = {"error": "Rate limit exceeded", "retry_after": retry_after_seconds}
    answer = json_response(429, payload)
    return answer.with_headers(retry_after=f"{retry_after_seconds:g}") if header else answer


def gateway_timeout() -> WireResponse:
    """Return the 524 that the network in front of Tess sends after about 100 seconds. Source: observed."""
    return text_response(524, "error code: 524")
