"""What every request must pass before it is answered: header sizes, host, origin, key."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from tess_openai.core.jsons import dump_json
from tess_openai.core.refusals import NO_RETRY, Refused
from tess_openai.gateway.gateway_options import is_loopback
from tess_openai.gateway.keys import Admission
from tess_openai.gateway.metrics import Metrics

logger = logging.getLogger("tess_openai.gateway")

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_HEADER_BYTES: Final = 32 * 1024
CALLER: Final = "tess_openai.caller"
"""The key of the ASGI scope under which the caller is stored."""
_HEADERS: Final = "tess_openai.headers"
_SLASHES: Final = re.compile("/{2,}")
_FROM_PAGES: Final = (b"cross-site", b"same-site")


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers of a request; where a name occurs several times, the last value."""
    found: dict[bytes, bytes] | None = scope.get(_HEADERS)
    if found is None:
        found = scope[_HEADERS] = dict(scope["headers"])
    return found


async def send_refusal(send: Send, refused: Refused) -> None:
    """Answer with OpenAI's error body, and log its status and code, but no part of the request."""
    logger.info("refused with %d: %s", refused.status, refused.code)
    body = dump_json(refused.to_json())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in NO_RETRY.items()),
    ]
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class PathNormaliser:
    """Changes `//v1//chat/completions/` to `/v1/chat/completions`: programs join base URLs in many ways."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request, without double slashes or a slash at the end in its path."""
        path: str = scope.get("path", "")
        if "//" in path or path.endswith("/"):
            scope = {**scope, "path": _SLASHES.sub("/", path).rstrip("/") or "/"}
        await self._app(scope, receive, send)


class OriginGuard:
    """Refuses requests that a page in a browser makes, unless its origin is allowed.

    A page can make its visitor's browser send requests to any address. Such requests have an `Origin`. If the
    page's own host name resolves to loopback (DNS rebinding), that name is their `Host`.
    """

    def __init__(
        self, app: AsgiApp, origins: tuple[str, ...], hosts: tuple[str, ...], metrics: Metrics
    ) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refuse(scope)
        if refused is None:
            await self._app(scope, receive, send)
            return
        self._metrics.error(refused.code)
        await send_refusal(send, refused)

    def _refuse(self, scope: Scope) -> Refused | None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            message = f"The headers of this request are longer than {MAX_HEADER_BYTES} bytes."
            return Refused(message, param=None, code="headers_too_large", status=431)
        headers = headers_of(scope)
        server = scope.get("server")
        host = _host_of(headers.get(b"host", b""))
        names_none = b"host" not in headers and scope.get("http_version") == "1.0"  # not from a browser
        is_own = is_loopback(host) or host in self._hosts or names_none
        if server and is_loopback(str(server[0])) and not is_own:
            return Refused(
                "This gateway listens on loopback, and the Host of the request is another name. A reverse "
                "proxy on this machine is allowed with --allow-host.",
                param=None,
                code="host_not_allowed",
                status=403,
            )
        origin = headers.get(b"origin")
        is_page = origin is not None or headers.get(b"sec-fetch-site") in _FROM_PAGES
        if is_page and origin not in self._origins:
            return Refused(
                "Requests from pages in a browser are refused; --allow-origin allows the origin of a page.",
                param=None,
                code="origin_not_allowed",
                status=403,
            )
        return None


class KeyGuard:
    """Refuses requests whose caller is not admitted; stores the caller of all others in the scope."""

    def __init__(self, app: AsgiApp, admission: Admission, metrics: Metrics) -> None:
        self._app = app
        self._admission = admission
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on with its caller in the scope."""
        authorization = headers_of(scope).get(b"authorization", b"").decode("latin-1")
        client = scope.get("client")
        try:
            scope[CALLER] = await self._admission.admit(authorization, client and str(client[0]))
        except Refused as refused:
            self._metrics.error(refused.code)
            await send_refusal(send, refused)
            return
        await self._app(scope, receive, send)


def _host_of(header: bytes) -> str:
    """Return the host that a `Host` header names, without its port, in lower case."""
    host = header.decode("latin-1").strip().lower()
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0] if host.count(":") < 2 else host
