"""Classify an error of Tess: the status and the code for the SDK, and a hint about cause or remedy."""

from __future__ import annotations

import re
from typing import Final

from tess_openai.core.paid_once import REPEAT_PAID_HINT

KEY_HINT: Final = (
    "Check the key (TESS_API_KEY or api_key=): a number, a pipe and about 48 letters and digits. In a shell, "
    "put it in quotes because of the pipe."
)
WORKSPACE_HINT: Final = (
    "x-workspace-id must be the number of the workspace the key belongs to (workspace_id= or "
    "TESS_WORKSPACE_ID); see Settings, Workspace in Tess."
)
NOT_FOUND_HINT: Final = (
    "Check the agent's number, that it is a chat agent, that it is not private to another workspace, and "
    "that TESS_BASE_URL or base_url= is the API's root, https://api.tess.im."
)
PATH_HINT: Final = (
    "Tess has no such path, or no resource at it. The path of an agent's chat completions is "
    "/agents/{id of the agent}/openai/chat/completions, below base_url=."
)
TIMEOUT_HINT: Final = (
    "Cloudflare, in front of Tess, stopped waiting after 100 to 125 seconds, but the execution continues and "
    "is paid for. A retry would be paid for too, so a chat is retried only with "
    "create_client(repeat_paid=True). For long answers use stream=True or "
    'create_client(long_answers="stream"), or, for an agent that is silent for longer than that, '
    'create_client(long_answers="poll").'
)
RATE_HINT: Final = (
    "create_client(requests_per_second=1) spaces out all calls with one key. If it is set already, lower it, "
    "or set pacing= where several processes or machines use the key."
)
CREDITS_HINT: Final = "Add credits to the workspace that x-workspace-id names."


def classify_error(status: int, message: str, *, has_fields: bool) -> tuple[int, str, str]:
    """Return the status for the SDK, the code and the hint.

    Args:
        status: The status that Tess sent.
        message: The message of the error, including the reasons for individual fields.
        has_fields: Whether the error names rejected fields.
    """
    text = message.lower()
    about_workspace = "x-workspace-id" in text or ("workspace" in text and not has_fields)
    if status == 401 or (status == 403 and "authenticat" in text):
        return 401, "invalid_api_key", KEY_HINT
    if re.search(r"\bcredits?\b", text) and not has_fields and status in (400, 402, 403, 422, 429, 500):
        return status, "insufficient_quota", CREDITS_HINT
    if about_workspace and status in (400, 403, 422):
        if status == 403:
            return status, "workspace_forbidden", WORKSPACE_HINT
        code = "workspace_required" if "required" in text else "workspace_invalid"
        return status, code, WORKSPACE_HINT
    if status in (400, 422):
        return status, "validation_failed" if has_fields else "invalid_request", ""
    return status, _CODES.get(status, f"http_{status}"), _HINTS.get(status, "")


_CODES: Final = {
    403: "forbidden",
    404: "agent_not_found",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    500: "server_error",
    502: "bad_gateway",
    503: "unavailable",
    504: "gateway_timeout",
    524: "execution_timeout",
}
CODES_OUTSIDE_AGENTS: Final = {
    "agent_not_found": ("not_found", PATH_HINT),
    "execution_timeout": ("gateway_timeout", ""),
}
"""Code of an error about an agent -> code and hint of the same status on any other path."""
_HINTS: Final = {
    404: NOT_FOUND_HINT,
    429: RATE_HINT,
    **dict.fromkeys((408, 502, 504, 520, 522, 527, 598, 599), REPEAT_PAID_HINT),
    524: TIMEOUT_HINT,
}
