"""Error answers in every dialect of Tess and of what is in front of it, with what each is read as."""

from __future__ import annotations

import pytest

from tess_openai.core.error_hints import (
    CREDITS_HINT,
    KEY_HINT,
    NOT_FOUND_HINT,
    RATE_HINT,
    TIMEOUT_HINT,
    WORKSPACE_HINT,
)
from tess_openai.core.paid_once import REPEAT_PAID_HINT

PAGE = "<html><head><title>502 &amp; Bad\nGateway</title></head><body>cloudflare</body></html>"

DIALECTS = [
    pytest.param(
        401,
        {"message": "Unauthenticated."},
        (401, "Unauthenticated.", None, "invalid_api_key", KEY_HINT),
        id="a bad key, as users met it",
    ),
    pytest.param(
        403,
        {"error": "Invalid authentication"},
        (401, "Invalid authentication", None, "invalid_api_key", KEY_HINT),
        id="a bad key, as documented",
    ),
    pytest.param(
        403,
        {"message": "You do not have access to this workspace."},
        (
            403,
            "You do not have access to this workspace.",
            "x-workspace-id",
            "workspace_forbidden",
            WORKSPACE_HINT,
        ),
        id="another's workspace",
    ),
    pytest.param(
        422,
        {"message": "The x-workspace-id header is required."},
        (
            422,
            "The x-workspace-id header is required.",
            "x-workspace-id",
            "workspace_required",
            WORKSPACE_HINT,
        ),
        id="no workspace",
    ),
    pytest.param(
        400,
        {"error": "The x-workspace-id must be a valid integer"},
        (
            400,
            "The x-workspace-id must be a valid integer",
            "x-workspace-id",
            "workspace_invalid",
            WORKSPACE_HINT,
        ),
        id="a workspace that is no number",
    ),
    pytest.param(
        422,
        {
            "message": "The selected temperature is invalid.",
            "errors": {"temperature": ["The selected temperature is invalid."]},
        },
        (422, "The selected temperature is invalid.", "temperature", "validation_failed", ""),
        id="a refused field, as users met it",
    ),
    pytest.param(
        422,
        {
            "message": "The model field is invalid. (and 1 more error)",
            "errors": {"model": ["The model field is invalid."], "tools": ["The tools are a string.", "x"]},
        },
        (
            422,
            "The model field is invalid. (and 1 more error): tools: The tools are a string. x",
            "model",
            "validation_failed",
            "",
        ),
        id="two refused fields",
    ),
    pytest.param(
        400,
        {"error": "Validation failed", "messages": {"messages": ["The messages field is required."]}},
        (
            400,
            "Validation failed: messages: The messages field is required.",
            "messages",
            "validation_failed",
            "",
        ),
        id="a refused field, as documented",
    ),
    pytest.param(
        400,
        {"error": "Validation failed", "messages": {"a": "One.", "b": [], "c": [7], "d": None, "e": ""}},
        (400, "Validation failed: a: One.", "a", "validation_failed", ""),
        id="reasons of every type",
    ),
    pytest.param(
        422,
        {"errors": {"model": ["No such model."]}},
        (422, "HTTP 422: model: No such model.", "model", "validation_failed", ""),
        id="reasons alone",
    ),
    pytest.param(
        400,
        {"error": "Validation failed.", "messages": {"a": ["One.", "Two.", "One."], "b": ["Three."]}},
        (400, "Validation failed: a: One. Two.; b: Three.", "a", "validation_failed", ""),
        id="every reason of every field",
    ),
    pytest.param(
        400,
        {"error": "Validation failed", "messages": {"messages": {"0": {"role": ["No role."]}}}},
        (400, "Validation failed: messages.0.role: No role.", "messages.0.role", "validation_failed", ""),
        id="a reason of a nested field",
    ),
    pytest.param(
        400,
        {"error": "Validation failed", "messages": ["One.", "Two."]},
        (400, "Validation failed: One. Two.", None, "invalid_request", ""),
        id="reasons without fields",
    ),
    pytest.param(
        422, {"errors": "No model."}, (422, "No model.", None, "invalid_request", ""), id="a text for errors"
    ),
    pytest.param(
        422,
        {"errors": [{"field": "model", "message": "No such model."}]},
        (422, "HTTP 422: model: No such model.", "model", "validation_failed", ""),
        id="a list of objects",
    ),
    pytest.param(
        422,
        {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "No role."}, {"type": "x"}]},
        (422, "HTTP 422: messages.0.role: No role.", "messages.0.role", "validation_failed", ""),
        id="FastAPI's details",
    ),
    pytest.param(
        422, {"detail": "No model."}, (422, "No model.", None, "invalid_request", ""), id="FastAPI's text"
    ),
    pytest.param(
        422,
        {"message": "No.", "messages": [{"role": "user", "content": "Hello."}]},
        (422, "No.", None, "invalid_request", ""),
        id="the messages of the chat, sent back",
    ),
    pytest.param(
        400, {"error": "No."}, (400, "No.", None, "invalid_request", ""), id="a refusal without fields"
    ),
    pytest.param(
        404,
        {"message": "Agent not found."},
        (404, "Agent not found.", None, "agent_not_found", NOT_FOUND_HINT),
        id="an unknown agent",
    ),
    pytest.param(
        403, {"error": "No"}, (403, "No", None, "forbidden", ""), id="forbidden for a reason of its own"
    ),
    pytest.param(
        402,
        {"message": "The user has no credits"},
        (402, "The user has no credits", None, "insufficient_quota", CREDITS_HINT),
        id="no credits",
    ),
    pytest.param(
        413, {"error": "Too large"}, (413, "Too large", None, "request_too_large", ""), id="too large a body"
    ),
    pytest.param(
        429,
        {"error": "Rate limit exceeded", "retry_after": 7},
        (429, "Rate limit exceeded", None, "rate_limit_exceeded", RATE_HINT),
        id="too many requests",
    ),
    pytest.param(
        500,
        {"error": "Internal server error"},
        (500, "Internal server error", None, "server_error", ""),
        id="Tess's own failure",
    ),
    pytest.param(
        524,
        "error code: 524",
        (524, "error code: 524", None, "execution_timeout", TIMEOUT_HINT),
        id="Cloudflare's end of patience, as text",
    ),
    pytest.param(
        502,
        PAGE,
        (502, 'an HTML page, "502 & Bad Gateway"', None, "bad_gateway", REPEAT_PAID_HINT),
        id="a page with a title",
    ),
    pytest.param(
        503, "<p>no</p>", (503, "an HTML page", None, "unavailable", ""), id="a page without a title"
    ),
    pytest.param(
        504,
        "",
        (504, "HTTP 504 without a reason", None, "gateway_timeout", REPEAT_PAID_HINT),
        id="nothing",
    ),
    pytest.param(418, "null", (418, "null", None, "http_418", ""), id="null"),
    pytest.param(500, [], (500, "HTTP 500", None, "server_error", ""), id="a list"),
    pytest.param(
        500, {"error": None, "message": "m"}, (500, "m", None, "server_error", ""), id="a null error"
    ),
    pytest.param(
        500, {"error": {"message": " m "}}, (500, "m", None, "server_error", ""), id="OpenAI's own envelope"
    ),
    pytest.param(
        500,
        {"error": {"message": {"a": 1}}},
        (500, "an error without a text", None, "server_error", ""),
        id="an error that is an object",
    ),
    pytest.param(
        500,
        {"error": 7},
        (500, "an error without a text", None, "server_error", ""),
        id="an error that is a number",
    ),
    pytest.param(500, {"error": " "}, (500, "an error without a text", None, "server_error", ""), id="blank"),
    pytest.param(
        500,
        "a\x00b\n\tc" + "d" * 400,
        (500, "a b c" + "d" * 294 + " ...", None, "server_error", ""),
        id="a long text",
    ),
]
"""Status, body, and the status, message, parameter, code and hint of the error that the caller gets."""
