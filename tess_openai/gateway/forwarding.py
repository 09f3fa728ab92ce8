"""Forward requests to Tess: their path, a few headers and the bytes of the body."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from tess_openai.core.headers import WORKSPACE_HEADER, is_sendable
from tess_openai.core.jsons import BYTE_ORDER_MARK
from tess_openai.core.refusals import Refused
from tess_openai.core.routes import PATHS_WITH_JSON, TESS_ENDPOINTS, UNSUPPORTED_ENDPOINTS
from tess_openai.edge.paid_calls import RETRY_COUNT
from tess_openai.gateway.forwarded_call import ForwardedCall
from tess_openai.gateway.gateway_options import GatewaySettings
from tess_openai.gateway.guards import CALLER, Receive, Scope, Send, headers_of, send_refusal
from tess_openai.gateway.keys import Caller
from tess_openai.gateway.upstream import Upstream

VERSION: Final = "/v1"
_FORWARDED: Final = (b"content-type", b"accept")
_USER_AGENT: Final = "tess-openai-gateway"
_SAFE: Final = "/:@!$&'()*+,;=~"


class Forwarder:
    """Forwards requests of OpenAI's API; an ASGI application."""

    def __init__(self, upstream: Upstream, settings: GatewaySettings) -> None:
        self._upstream = upstream
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, or refuse it."""
        path = without_version(f"/{scope['path_params']['path']}")
        refused = refuse_path(path, scope["method"])
        if refused is not None:
            self._upstream.metrics.error(refused.code)
            await send_refusal(send, refused)
            return
        encoding = headers_of(scope).get(b"content-encoding", b"identity").strip().lower()
        if encoding not in (b"", b"identity"):
            refused = _compressed()
            self._upstream.metrics.error(refused.code)
            await send_refusal(send, refused)
            return
        method: str = scope["method"]
        is_json = method == "POST" and path in PATHS_WITH_JSON
        is_upload = method == "POST" and not is_json
        limit = self._settings.max_upload_bytes if is_upload else self._settings.max_body_bytes
        call = ForwardedCall(
            upstream=self._upstream,
            scope=scope,
            receive=receive,
            send=send,
            path=path,
            limit_bytes=limit,
            heartbeat_seconds=self._settings.heartbeat_seconds,
        )
        headers = self._headers(scope)
        if is_json:  # some callers omit it, and curl's default is the type of a form
            headers["content-type"] = "application/json"
        url = f"{self._upstream.root}{quote(path, safe=_SAFE)}"
        if query := scope.get("query_string", b"").decode("latin-1"):
            url = f"{url}?{query}"
        # The adapter passes on a body that it does not read without decompressing it.
        headers["accept-encoding"] = self._upstream.accepted_encodings if is_json else "identity"
        if is_upload and (length := headers_of(scope).get(b"content-length", b"")).isdigit():
            headers["content-length"] = length.decode()

        def to_request(body: Any) -> Any:
            content = None if method != "POST" else to_strict_json(body) if is_json else body
            return self._upstream.new_request(method, url, headers=headers, content=content)

        await call.run(to_request, streams_body=is_upload)

    def _headers(self, scope: Scope) -> dict[str, str]:
        """Return the headers for Tess; of the caller's headers only those in `names` are forwarded."""
        caller: Caller = scope[CALLER]
        given = headers_of(scope)
        retries = given.get(RETRY_COUNT.encode(), b"0")
        headers = {
            "authorization": caller.authorization,
            "accept": "*/*",
            "user-agent": _USER_AGENT,
            RETRY_COUNT: retries.decode() if retries.isdigit() and len(retries) < 4 else "0",
        }
        names = (*_FORWARDED, WORKSPACE_HEADER.encode()) if self._settings.pass_through else _FORWARDED
        for name in names:
            value = given.get(name, b"").decode("latin-1")
            if value and is_sendable(value):
                headers[name.decode()] = value
        return headers


def without_version(path: str) -> str:
    """Return a path without OpenAI's `/v1` before it."""
    return path.removeprefix(VERSION) if path.startswith(f"{VERSION}/") else path


def to_strict_json(body: bytes) -> bytes:
    """Return the body of a call without a byte order mark.

    Raises:
        Refused: It contains `NaN` or `Infinity`, which Python accepts and Tess does not.
    """
    body = body.removeprefix(BYTE_ORDER_MARK)
    if b"NaN" in body or b"Infinity" in body:
        with suppress(ValueError, RecursionError):  # the adapter refuses what is not JSON at all
            json.loads(body, parse_constant=_refuse_constant)
    return body


def _refuse_constant(name: str) -> object:
    message = f"The body of the request is not JSON, which has no number {name}. It was not sent."
    raise Refused(message, param=None, code="invalid_json")


def _compressed() -> Refused:
    return Refused(
        "The body of this request is compressed (Content-Encoding), which this gateway does not accept. Send "
        "it uncompressed.",
        param=None,
        code="compressed_body",
        status=415,
    )


def refuse_path(path: str, method: str) -> Refused | None:
    """Return the refusal of a path that OpenAI's API does not have; the Tess key gives access to others."""
    segments = path.rstrip("/").split("/")[1:] or [""]
    is_known = segments[0] in TESS_ENDPOINTS or segments[0] in UNSUPPORTED_ENDPOINTS
    if is_known and not any(segment in ("", ".", "..") or "\\" in segment for segment in segments):
        return None
    shown = path if len(path) < 80 and path.isascii() and path.isprintable() else "of this name"
    return Refused(
        f"Unknown request URL: {method} {shown}. OpenAI's paths are below /v1, as in /v1/chat/completions.",
        param=None,
        code="unknown_url",
        status=404,
    )
