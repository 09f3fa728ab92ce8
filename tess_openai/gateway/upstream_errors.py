"""Failures between the gateway and Tess, as OpenAI's error bodies."""

from __future__ import annotations

import openai

from tess_openai.core.jsons import JSONObject
from tess_openai.core.refusals import error_envelope


def to_error(error: Exception) -> tuple[JSONObject, int]:
    """Return the error body and the status for an exception of the http client or of the adapter."""
    names = {base.__name__ for base in type(error).__mro__}
    if isinstance(error, openai.APITimeoutError) or "TimeoutException" in names:
        message = "Tess did not answer in time. The execution may go on and be paid for."
        if "ConnectTimeout" in names or "PoolTimeout" in names:
            message = "Tess could not be reached in time."
        return _server_error(message, "timeout"), 504
    if isinstance(error, openai.OpenAIError):
        return _server_error(str(error), "connection_error"), 502
    reason = str(error) or type(error).__name__
    return _server_error(f"The connection to Tess failed: {reason}.", "connection_error"), 502


def shutting_down() -> JSONObject:
    """Return the error of a call that the shutdown of the gateway ended."""
    message = "The gateway shuts down and has ended this answer. The execution may go on and be paid for."
    return _server_error(message, "shutting_down")


def not_a_stream() -> JSONObject:
    """Return the error of an answer that is not a stream, though the caller already got a stream's head."""
    return _server_error("Tess answered a request for a stream with something else.", "not_an_answer")


def gateway_failed() -> JSONObject:
    """Return the error of a call that a bug of the gateway ended."""
    return _server_error("The gateway itself failed; please report it.", "gateway_error")


def _server_error(message: str, code: str) -> JSONObject:
    return error_envelope(message, type_="server_error", param=None, code=code)
