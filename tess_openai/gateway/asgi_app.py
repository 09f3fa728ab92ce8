"""The gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tess_openai.client_options import OPTIONS, TessOptions, check_names
from tess_openai.core.models import MODELS_PATH
from tess_openai.core.refusals import NO_RETRY, Refused
from tess_openai.edge.key_queues import SHARED_QUEUES
from tess_openai.gateway.forwarding import VERSION, Forwarder
from tess_openai.gateway.gateway_options import (
    GATEWAY_OPTIONS,
    GatewayOptions,
    GatewaySettings,
    check_gateway_options,
)
from tess_openai.gateway.guards import KeyGuard, OriginGuard, PathNormaliser
from tess_openai.gateway.keys import Admission, ThisMachine, admission_of
from tess_openai.gateway.metrics import CONTENT_TYPE, Metrics
from tess_openai.gateway.model_list import ModelList
from tess_openai.gateway.upstream import Upstream, resolve_settings
from tess_openai.gateway.upstream_errors import gateway_failed

if TYPE_CHECKING:
    from typing_extensions import Unpack

_METHODS: Final = ["GET", "POST", "DELETE"]
_EXPOSED: Final = ["retry-after", "x-request-id", "x-tess-openai"]


def create_app(agent_id: int | str | None = None, **options: Unpack[GatewayOptions]) -> Starlette:
    """Make the gateway, for any ASGI server.

    Without `key_file` and `pass_through` it answers only requests from its own machine.

    Args:
        agent_id: The agent for calls whose `model` names none, as for `create_client`.
        **options: See `GatewayOptions`.

    Raises:
        TessConfigurationError: A mistake in the arguments or the environment.
        TypeError: There is no such option.

    Warns:
        TessConfigurationWarning: As `create_client` does.
    """
    check_names(create_app, options, {**OPTIONS, **GATEWAY_OPTIONS})
    own = {name: value for name, value in options.items() if name in GATEWAY_OPTIONS}
    settings = check_gateway_options(own)
    adapters: TessOptions = {name: value for name, value in options.items() if name in OPTIONS}  # type: ignore[assignment] # names of OPTIONS
    resolved = resolve_settings(agent_id, adapters, pass_through=settings.pass_through)
    admission = admission_of(settings, resolved.api_key)
    metrics = Metrics(SHARED_QUEUES.waiting)
    return _Gateway(settings, Upstream(resolved, metrics), metrics).to_app(admission)


class _Gateway:
    """The parts of one application."""

    def __init__(self, settings: GatewaySettings, upstream: Upstream, metrics: Metrics) -> None:
        self._settings = settings
        self._upstream = upstream
        self._metrics = metrics
        self._models = ModelList(upstream)
        self._is_known_to_tess = settings.pass_through

    def to_app(self, admission: Admission) -> Starlette:
        """Build the application: every request passes the `OriginGuard`, most routes have a `KeyGuard`."""
        settings = self._settings
        keyed = [Middleware(KeyGuard, admission, self._metrics)]
        own = admission if settings.key_file is not None else ThisMachine("")
        shown = [] if settings.open_metrics else [Middleware(KeyGuard, own, self._metrics)]
        forwarder = Forwarder(self._upstream, settings)
        return Starlette(
            routes=[
                Route("/healthz", _show_health),
                Route("/readyz", self._show_readiness),
                Route("/metrics", self._show_metrics, middleware=shown),
                Route(MODELS_PATH, self._models.list_models, middleware=keyed),
                Route(VERSION + MODELS_PATH, self._models.list_models, middleware=keyed),
                Route("/{path:path}", forwarder, methods=_METHODS, middleware=keyed),
            ],
            middleware=self._middleware(),
            lifespan=self._live,
            exception_handlers={HTTPException: _show_refusal, Exception: _show_failure},
        )

    def _middleware(self) -> list[Middleware]:
        settings = self._settings
        guard = Middleware(OriginGuard, settings.allow_origins, settings.allow_hosts, self._metrics)
        if not settings.allow_origins:
            return [Middleware(PathNormaliser), guard]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.allow_origins,
            allow_methods=_METHODS,
            allow_headers=["*"],
            expose_headers=_EXPOSED,
        )
        return [Middleware(PathNormaliser), guard, cors]

    @asynccontextmanager
    async def _live(self, _app: Starlette) -> AsyncGenerator[None]:
        """Close the connections to Tess at shutdown, after the calls that it cut off have ended."""
        yield
        await self._upstream.aclose()

    async def _show_readiness(self, _request: Request) -> Response:
        """Answer whether calls can succeed: Tess was reached once and accepted the key."""
        if not self._is_known_to_tess:
            status, fields = await self._models.look_up_own_agent()
            if status in (401, 403) or status >= 500:
                return JSONResponse(fields, 503)
            self._is_known_to_tess = True
        return JSONResponse({"status": "ready"})

    async def _show_metrics(self, _request: Request) -> Response:
        return Response(self._metrics.to_text(), media_type=CONTENT_TYPE)


async def _show_health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _show_refusal(request: Request, error: Exception) -> Response:
    """Answer in OpenAI's form for a path or a method that no route has."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"{request.method} is not a method of this URL."
    refused = Refused(message, param=None, code="method_not_allowed", status=status)
    return JSONResponse(refused.to_json(), status, dict(NO_RETRY))


async def _show_failure(_request: Request, _error: Exception) -> Response:
    """Answer in OpenAI's form for a bug of the gateway; the server logs it."""
    return JSONResponse(gateway_failed(), 500, dict(NO_RETRY))
